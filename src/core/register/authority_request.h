/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_REGISTER_AUTHORITY_REQUEST_H
#define CORE_REGISTER_AUTHORITY_REQUEST_H

#include "base/form.h"
#include "core/app.h"

#include <stddef.h>

/* The record of what of a customer's data was given out because the law
 * demands it, in control.db; never deleted.  The customer's master
 * administrators are told, by mail and screen and a row of their own log,
 * unless the order forbids it.  Everything here opens its own transactions. */
struct authority_request {
    int64_t id, told_at, recorded_at, version; /* told_at 0: not */
    const char *tenant, *tenant_name, *authority, *basis, *what, *recorded_by;
    int32_t asked_on, disclosed_on; /* disclosed_on DAY_NONE: not given out */
    bool may_tell;
};
extern const struct form authority_request_form;
extern const struct form authority_request_edit_form; /* the tenant stays */

/* Newest first, below after_id (0: all); tenant NULL: of all.  only_told: what
 * the customer may know of. */
MUST_USE enum err authority_request_list(struct ctx *c, struct store *s,
                                         const char *tenant, bool only_told,
                                         int64_t after_id, int limit,
                                         const struct authority_request **out,
                                         size_t *count, bool *more);
/* By the operator, into its log.  ERR_NOT_FOUND "tenant", ERR_INVALID
 * "future", "order". */
MUST_USE enum err authority_request_create(struct ctx *c, const struct app *app,
                                           const struct values *v,
                                           struct authority_request *out);
/* ERR_CONFLICT "told": what the customer knows cannot be unsaid. */
MUST_USE enum err authority_request_update(struct ctx *c, const struct app *app,
                                           int64_t id, int64_t version,
                                           const struct values *v,
                                           struct authority_request *out);
/* Tells what a stop kept from being told. */
MUST_USE enum err authority_request_settle(struct ctx *c,
                                           const struct app *app);

#endif
