/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_RETAINED_H
#define DB_RETAINED_H

#include "db/store.h"

/* What remains of a deleted tenant for three months: <dir>/retained/
 * <id>.log.db with its operation log and its access log, under the log key.
 * tenant_open_retained() opens it. */
struct retained {
    int64_t operations, accesses; /* rows; -1: the key was not there any more */
};

/* Moves the two logs there, from a tenant that was retired.  All or nothing;
 * what is there already stays and is counted.  ERR_INTERNAL, logged, when a
 * file or a key is damaged. */
MUST_USE enum err retained_make(const struct store *s, const char *id,
                                struct retained *out);

#endif
