/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DOCUMENT_CONSENT_H
#define CORE_DOCUMENT_CONSENT_H

#include "base/form.h"
#include "core/document/terms.h"

#include <stddef.h>

/* Who of a tenant accepted which version of the terms, in the tenant's file.
 * A master administrator's acceptance opens the tenant; where the tenant says
 * so each person accepts too. */
struct consent {
    int64_t terms_no, user_id, at;
    const char *user_name, *ip;
    bool is_whole; /* for the tenant */
};
struct consent_state {
    bool is_whole_owed; /* by a master administrator, for the tenant */
    bool is_own_owed;   /* by the actor, for itself */
    bool is_everyone;   /* the tenant's setting */
};

extern const struct form consent_setting_form; /* everyone */

/* All inside the caller's transaction on the tenant's file.  owed: the version
 * that had to be accepted, 0: none. */
MUST_USE enum err consent_find(struct ctx *c, int64_t owed,
                               struct consent_state *out);
/* For the dispatcher: ERR_DENIED "terms" until the actor may go on. */
MUST_USE enum err consent_check(struct ctx *c, int64_t owed);
/* The version that was read is given back: ERR_CONFLICT "terms_changed" when
 * another has come into force.  Accepted twice is accepted. */
MUST_USE enum err consent_accept(struct ctx *c, const struct terms_now *now,
                                 int64_t no);
/* Newest first. */
MUST_USE enum err consent_list(struct ctx *c, int limit,
                               const struct consent **out, size_t *count);
/* The newest version accepted for the tenant, 0: none. */
MUST_USE enum err consent_find_whole(struct ctx *c, int64_t *no, int64_t *at);
MUST_USE enum err consent_set_everyone(struct ctx *c, const struct values *v);

#endif
