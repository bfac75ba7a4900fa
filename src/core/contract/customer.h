/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONTRACT_CUSTOMER_H
#define CORE_CONTRACT_CUSTOMER_H

#include "base/form.h"
#include "core/tenant/tenant_directory.h"

/* Tenants as their operator sees them: names, states, counts and sizes, and
 * nothing of what is in them.  All of it opens its own transactions, in
 * control.db and in the tenant's file. */
struct customer_figures {
    int64_t users, admins; /* active */
    int64_t invited, suspended;
    int64_t projects, tickets;
    int64_t signed_in_at;           /* of anybody, 0: never */
    int64_t size_bytes, used_bytes; /* on the disk; in use in its file */
    int64_t terms_no, terms_at;     /* accepted for the tenant, 0: never */
};

extern const struct form customer_form; /* id name host admin_email … */

/* Written into the operator's log. */
MUST_USE enum err customer_create(struct ctx *c, struct app *app,
                                  const struct values *v,
                                  struct tenant_directory_row *out);
/* The figures are all 0 while it is being made, and of one that is deleted. */
MUST_USE enum err customer_get(struct ctx *c, const struct app *app,
                               const char *id, struct tenant_directory_row *out,
                               struct customer_figures *figures);

#endif
