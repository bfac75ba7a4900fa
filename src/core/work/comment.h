/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_COMMENT_H
#define CORE_WORK_COMMENT_H

#include "base/form.h"

#include <stddef.h>

/* What people say under a ticket; Markdown. */
struct comment {
    int64_t id, user_id, created_at, updated_at, version;
    const char *user_name, *body;
};

extern const struct form comment_form; /* body */

/* Oldest first; after_id pages upwards. */
MUST_USE enum err comment_list(struct ctx *c, int64_t ticket_id,
                               int64_t after_id, int limit,
                               const struct comment **out, size_t *count,
                               bool *more);
MUST_USE enum err comment_create(struct ctx *c, int64_t ticket_id,
                                 const struct values *v, struct comment *out);
/* One's own, or anybody's for whoever may delete tickets there; ERR_NOT_FOUND
 * when the ticket may not be seen. */
MUST_USE enum err comment_delete(struct ctx *c, int64_t id);

#endif
