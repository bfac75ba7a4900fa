/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TENANT_QUOTA_H
#define CORE_TENANT_QUOTA_H

#include "base/form.h"
#include "core/app.h"

/* What a tenant may take of the installation: set by the operator in
 * control.db, kept in memory for each request.  0: no limit.
 *  - bytes in use: beyond it what adds is refused, while reading, deleting,
 *    signing in and exporting go on
 *  - users: those invited and active; suspending one gives the place back
 *  - requests a minute: a bucket that fills again by the second */
struct quota {
    int64_t bytes, users, requests;
    int64_t version; /* 0: never set */
};
struct quotas;

extern const struct form quota_form; /* bytes users requests, null: none */

/* At the start, before the first request. */
MUST_USE enum err quota_open(struct ctx *c, struct app *app);
void quota_close(struct quotas *all); /* NULL is allowed */

/* What is in force; all 0 for a tenant without one. */
void quota_find(const struct app *app, const char *tenant, struct quota *out);
/* Requests refused for going beyond it since the start. */
int64_t quota_refused(const struct app *app);

/* At the operator's place, in control.db; quota_set() opens its own
 * transaction and logs what changed.  ERR_NOT_FOUND: no such tenant. */
MUST_USE enum err quota_get(struct ctx *c, const char *tenant,
                            struct quota *out);
MUST_USE enum err quota_set(struct ctx *c, struct app *app, const char *tenant,
                            int64_t version, const struct values *v,
                            struct quota *out);

/* ERR_LIMIT "tenant_requests" with the seconds to wait. */
MUST_USE enum err quota_take_request(struct ctx *c, const struct app *app,
                                     const char *tenant);
/* ERR_FULL "quota_bytes" when what is in use and what is about to come do not
 * fit. */
MUST_USE enum err quota_check_bytes(struct ctx *c, const struct app *app,
                                    const struct tenant *t, int64_t coming);
/* The same at the end of a change, by what it has written. */
MUST_USE enum err quota_check_written(struct ctx *c, const struct app *app);
/* In the tenant's file, before one more comes: ERR_CONFLICT "quota_users". */
MUST_USE enum err quota_check_users(struct ctx *c, const struct app *app);
/* Users who count: invited and active. */
MUST_USE enum err quota_count_users(struct ctx *c, int64_t *out);

#endif
