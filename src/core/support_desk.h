/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SUPPORT_DESK_H
#define CORE_SUPPORT_DESK_H

#include "core/support.h"

/* The operator's side of support access, from the console: each step opens
 * the tenant's file for itself, acts there as "support: NAME", and is written
 * into the operator's log too.  ERR_NOT_FOUND "tenant". */
struct support_desk {
    const struct app *app;
    const char *tenant;
    struct support_operator who;
};

MUST_USE enum err support_desk_ask(struct ctx *c, const struct support_desk *d,
                                   const struct values *v, struct support *out);
MUST_USE enum err support_desk_list(struct ctx *c, const struct support_desk *d,
                                    int64_t after_id, int limit,
                                    const struct support **out, size_t *count,
                                    bool *more);
/* Where the operator enters: a link to the tenant's place, good once. */
MUST_USE enum err support_desk_open(struct ctx *c, const struct support_desk *d,
                                    int64_t id, const char **link);
/* Only by the operator it was granted to, or asked by. */
MUST_USE enum err support_desk_end(struct ctx *c, const struct support_desk *d,
                                   int64_t id, struct support *out);

#endif
