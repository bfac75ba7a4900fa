/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_CLOSED_TENANT_LOG_H
#define DB_CLOSED_TENANT_LOG_H

#include "db/store.h"

/* What remains of a deleted tenant for three months: <dir>/retained/
 * <id>.log.db with its operation log and its access log, under the log key.
 * tenant_open_retained() opens it. */
struct closed_tenant_log {
    int64_t operations, accesses; /* rows; -1: the key was not there any more */
};

/* Moves the two logs there, from a tenant that was retired.  All or nothing;
 * what is there already stays and is counted.  ERR_INTERNAL, logged, when a
 * file or a key is damaged. */
MUST_USE enum err closed_tenant_log_make(const struct store *s, const char *id,
                                         struct closed_tenant_log *out);

#endif
