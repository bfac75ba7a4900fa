/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TRUST_DOOR_TRUST_H
#define CORE_TRUST_DOOR_TRUST_H

#include "core/app.h"

struct trust_list;
/* Row 25: each tenant's doors, its host name and its own listener, held against
 * the configuration that is in force.  tenant NULL: of all of them, else of
 * this one.  In a transaction of control.db; number: of open tenants. */
MUST_USE enum err door_measure(struct ctx *c, const struct app *app,
                               const char *tenant, struct trust_list *out,
                               int64_t *number);

#endif
