/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONTRACT_CUSTOMER_MAKE_H
#define CORE_CONTRACT_CUSTOMER_MAKE_H

#include "core/tenant/tenant_directory.h"

/* Makes the file, seeds it, adds the first master administrator and sends the
 * invitation.  All or nothing: fields are checked before anything is made, and
 * what a crash leaves half made is removed by the next start. */
MUST_USE enum err customer_make(struct ctx *c, const struct app *app,
                                const struct tenant_directory_create *what);

#endif
