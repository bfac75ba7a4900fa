/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TRUST_BACKUP_TRUST_H
#define CORE_TRUST_BACKUP_TRUST_H

#include "core/trust/trust.h"

/* Row 20 of the trust page.  tenant: its own copies, NULL: everybody's.  In a
 * transaction of control.db. */
MUST_USE enum err backup_measure(struct ctx *c, const struct app *app,
                                 const char *tenant, struct trust_list *out);

#endif
