/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BACKUP_LOG_HEAD_H
#define CORE_BACKUP_LOG_HEAD_H

#include "core/app.h"
#include "core/log/log_chain.h"

/* Where both logs of each tenant, and the operator's own, stood, signed, in
 * control.db: who puts back or cuts both files of a tenant is betrayed by a
 * third.  One head is kept for each hour, that of the present hour anew at each
 * look: what was cut at the end is found but for the rows of the last minute.
 * For the operator's log the third file is its own: what is cut there is found
 * only while the heads stand. */
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

/* While a generation is written, so that no control.db in it is ahead of its
 * tenants; and while a tenant's files are replaced or erased.  Waits for the
 * look that is under way; held by one thread at a time, briefly or for the
 * length of a backup. */
void log_head_hold(void);
/* False when somebody has it. */
bool log_head_try_hold(void);
void log_head_let(void);
/* Whether somebody does at this moment: heads may be missing until he lets go. */
bool log_head_is_held(void);

/* In a transaction of control.db: the newest head of the log; seq 0: none. */
MUST_USE enum err log_head_newest(struct ctx *c, enum log_kind kind,
                                  const char *tenant, struct log_mark *mark,
                                  int64_t *at);

/* Opens its own transaction. */
MUST_USE enum err log_head_list(struct ctx *c, struct store *s,
                                enum log_kind kind, const char *tenant,
                                const uint8_t key[CRYPTO_KEY_BYTES],
                                struct log_heads *out);
/* In a write transaction on control.db: where the log stands now, signed by the
 * tenant's key; nothing for one that is behind the newest head. */
MUST_USE enum err log_head_add(struct ctx *c, enum log_kind kind,
                               const char *tenant, const struct log_mark *mark,
                               const uint8_t key[CRYPTO_KEY_BYTES]);

#endif
