/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LOG_HEAD_H
#define CORE_LOG_HEAD_H

#include "core/app.h"
#include "core/log_chain.h"

/* Where both logs of each tenant stood, hour by hour, signed, in control.db:
 * who puts back or cuts both files of a tenant is betrayed by a third. */
enum { LOG_HEADS_MAX = 192 }; /* of each log: the newest, 8 days of hours */

struct log_head {
    struct log_mark mark;
    int64_t at;
    bool is_signed; /* by the tenant's key */
};
struct log_heads {
    size_t count;
    struct log_head items[LOG_HEADS_MAX]; /* by rising seq */
};

/* The caretaker's: once in each hour the clock shows, whether it came there
 * by itself or by a step, signs the logs that moved.  Waits for the next look
 * while a backup is made, so that no control.db in it is ahead of its
 * tenants. */
void log_head_look(struct app *app, struct arena *mem);

/* Opens its own transaction. */
MUST_USE enum err log_head_list(struct ctx *c, struct store *s,
                                enum log_kind kind, const char *tenant,
                                const uint8_t key[CRYPTO_KEY_BYTES],
                                struct log_heads *out);
/* In a write transaction on control.db: an older copy took the tenant's
 * place on purpose.  *seq: the last row known of the operation log. */
MUST_USE enum err log_head_forget(struct ctx *c, const char *tenant,
                                  int64_t *seq);

#endif
