/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TENANT_TENANT_STATUS_H
#define CORE_TENANT_TENANT_STATUS_H

#include "core/app.h"

/* What every request must know of a tenant's contract: whether the operator
 * suspended it, and when it ends.  Memory holds a copy of the rows of those
 * few for whom there is something to know. */
struct tenant_status {
    bool is_suspended;
    int32_t end_on, delete_on; /* DAY_NONE: the contract does not end */
};

/* At the start: fills app->standings.  ERR_INTERNAL when it cannot be read. */
struct tenant_statuses *tenant_status_open(void);
void tenant_status_close(struct tenant_statuses *all); /* NULL is allowed */
/* Reads the rows again: after each change of them is committed. */
MUST_USE enum err tenant_status_load(struct ctx *c, const struct app *app);

void tenant_status_find(const struct app *app, const char *tenant,
                        struct tenant_status *out);
/* After its last day: only administrators, only what they take along. */
bool tenant_status_is_closed(const struct tenant_status *s, int64_t now_us);

/* ERR_DENIED "tenant_suspended". */
MUST_USE enum err tenant_status_check(struct ctx *c,
                                      const struct tenant_status *s);
/* ERR_DENIED "tenant_closed", with the day of the deletion. */
MUST_USE enum err tenant_status_refuse_closed(struct ctx *c,
                                              const struct tenant_status *s);

#endif
