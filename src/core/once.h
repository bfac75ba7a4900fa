/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ONCE_H
#define CORE_ONCE_H

#include "base/crypto.h"
#include "base/ctx.h"

#include <stddef.h>

/* A request that names an Idempotency-Key is done once: tried again, it gets
 * the reply of the first time.  Kept for a day, the newest ONCE_PER_USER of a
 * user, and only replies of at most ONCE_BYTES_MAX; what was longer is done
 * again. */
enum { ONCE_PER_USER = 100, ONCE_BYTES_MAX = 1 << 20, ONCE_KEY_MAX = 64 };

struct once {
    const char *key;                 /* 1 to ONCE_KEY_MAX printable bytes */
    uint8_t mark[CRYPTO_HASH_BYTES]; /* of what is asked */
};

/* What was answered; *reply stays NULL when the key is new.  ERR_INVALID
 * "idempotency_key" when another request had it. */
MUST_USE enum err once_find(struct ctx *c, const struct once *o, int *status,
                            const char **reply);
/* In the transaction of the change itself. */
MUST_USE enum err once_keep(struct ctx *c, const struct once *o, int status,
                            const char *reply);

#endif
