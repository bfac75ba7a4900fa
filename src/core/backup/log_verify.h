/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BACKUP_LOG_VERIFY_H
#define CORE_BACKUP_LOG_VERIFY_H

#include "core/log/log_chain.h"

/* A whole log of a tenant, walked from its beginning; opens its own
 * transactions. */

/* Against what the other file of the tenant and control.db know of it, too.
 * ERR_NOT_FOUND for the access log of a place that has none. */
MUST_USE enum err log_verify(struct ctx *c, struct store *s, struct tenant *t,
                             enum log_kind kind, struct log_proof *out);

#endif
