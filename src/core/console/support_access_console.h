/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONSOLE_SUPPORT_ACCESS_CONSOLE_H
#define CORE_CONSOLE_SUPPORT_ACCESS_CONSOLE_H

#include "core/account/support_access.h"

/* The operator's side of support access, from the console: each step opens
 * the tenant's file for itself, acts there as "support: NAME", and is written
 * into the operator's log too.  ERR_NOT_FOUND "tenant". */
struct support_access_console {
    const struct app *app;
    const char *tenant;
    struct support_access_operator who;
};

MUST_USE enum err
support_access_console_ask(struct ctx *c,
                           const struct support_access_console *d,
                           const struct values *v, struct support_access *out);
MUST_USE enum err support_access_console_list(
    struct ctx *c, const struct support_access_console *d, int64_t after_id,
    int limit, const struct support_access **out, size_t *count, bool *more);
/* Where the operator enters: a link to the tenant's place, good once. */
MUST_USE enum err
support_access_console_open(struct ctx *c,
                            const struct support_access_console *d, int64_t id,
                            const char **link);
/* Only by the operator it was granted to, or asked by. */
MUST_USE enum err
support_access_console_end(struct ctx *c,
                           const struct support_access_console *d, int64_t id,
                           struct support_access *out);

#endif
