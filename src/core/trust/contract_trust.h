/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TRUST_CONTRACT_TRUST_H
#define CORE_TRUST_CONTRACT_TRUST_H

#include "core/trust/trust.h"

/* Promises 3 (the record of contracts), 5 and 16: ends that are pending,
 * deletions, their certificates and what is still due.  No names: the page may
 * be public.  tenant: whose own record is looked at, NULL: all.  In a
 * transaction of control.db. */
MUST_USE enum err contract_measure(struct ctx *c, const struct app *app,
                                   const char *tenant, struct trust_list *out);
/* A tenant's own end, for its administrators. */
void contract_measure_own(struct ctx *c, const struct app *app,
                          struct trust_list *out);

#endif
