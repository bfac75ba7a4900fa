/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_STANDING_H
#define CORE_STANDING_H

#include "core/app.h"

/* What every request must know of a tenant's contract: whether the operator
 * suspended it, and when it ends.  Memory holds a copy of the rows of those
 * few for whom there is something to know. */
struct standing {
    bool is_suspended;
    int32_t end_on, delete_on; /* DAY_NONE: the contract does not end */
};

/* At the start: fills app->standings.  ERR_INTERNAL when it cannot be read. */
struct standings *standing_open(void);
void standing_close(struct standings *all); /* NULL is allowed */
/* Reads the rows again: after each change of them is committed. */
MUST_USE enum err standing_load(struct ctx *c, const struct app *app);

void standing_find(const struct app *app, const char *tenant,
                   struct standing *out);
/* After its last day: only administrators, only what they take along. */
bool standing_is_closed(const struct standing *s, int64_t now_us);

/* ERR_DENIED "tenant_suspended". */
MUST_USE enum err standing_check(struct ctx *c, const struct standing *s);
/* ERR_DENIED "tenant_closed", with the day of the deletion. */
MUST_USE enum err standing_refuse_closed(struct ctx *c,
                                         const struct standing *s);

#endif
