/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DISCLOSURE_H
#define CORE_DISCLOSURE_H

#include "base/value.h"
#include "core/app.h"

#include <stddef.h>

/* The record of what of a customer's data was given out because the law
 * demands it, in control.db; never deleted.  The customer's master
 * administrators are told, by mail and screen and a row of their own log,
 * unless the order forbids it.  Everything here opens its own transactions. */
struct disclosure {
    int64_t id, told_at, recorded_at, version; /* told_at 0: not */
    const char *tenant, *tenant_name, *authority, *basis, *what, *recorded_by;
    int32_t asked_on, disclosed_on; /* disclosed_on DAY_NONE: not given out */
    bool may_tell;
};
extern const struct form disclosure_form;
extern const struct form disclosure_edit_form; /* the tenant stays */

/* Newest first, below after_id (0: all); tenant NULL: of all.  only_told: what
 * the customer may know of. */
MUST_USE enum err disclosure_list(struct ctx *c, struct store *s,
                                  const char *tenant, bool only_told,
                                  int64_t after_id, int limit,
                                  const struct disclosure **out, size_t *count,
                                  bool *more);
/* By the operator, into its log.  ERR_NOT_FOUND "tenant", ERR_INVALID
 * "future", "order". */
MUST_USE enum err disclosure_create(struct ctx *c, const struct app *app,
                                    const struct values *v,
                                    struct disclosure *out);
/* ERR_CONFLICT "told": what the customer knows cannot be unsaid. */
MUST_USE enum err disclosure_update(struct ctx *c, const struct app *app,
                                    int64_t id, int64_t version,
                                    const struct values *v,
                                    struct disclosure *out);
/* Tells what a stop kept from being told. */
MUST_USE enum err disclosure_settle(struct ctx *c, const struct app *app);

#endif
