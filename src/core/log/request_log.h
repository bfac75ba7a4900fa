/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LOG_REQUEST_LOG_H
#define CORE_LOG_REQUEST_LOG_H

#include "core/log/log_chain.h"

/* The access log of a tenant: who came from where, what it was answered.
 * Rows are chained like those of the operation log and kept as long, in a
 * file of their own; everything here runs in a transaction of
 * tx_begin_access(). */
struct request_log_row {
    int64_t seq, at, user_id; /* user_id 0: not known */
    int status;
    const char *ip, *method, *agent, *request_id;
    const char *route; /* its pattern, never ids or queries */
};

/* Rows, or the view of them, found by when they were written, 256 at a time.
 * In SQL, "SELECT … FROM" before it and " AND …" behind it. */
#define REQUEST_LOG_MINUTE "60000000"
#define REQUEST_LOG_AMONG_MINUTES(rows)                                        \
    "entry_minute CROSS JOIN " rows                                            \
    " ON seq >= first_seq AND seq < first_seq + 256"                           \
    " WHERE at / " REQUEST_LOG_MINUTE " = minute"

/* In this order; sets no seq. */
MUST_USE enum err request_log_append(struct ctx *c,
                                     const struct request_log_row *list,
                                     size_t count);

/* NULL and 0 mean any; to_us is exclusive. */
struct request_log_filter {
    int64_t user_id, from_us, to_us, after_seq;
    const char *ip, *q; /* q: part of the route or agent */
    bool only_refused;  /* status 400 and more */
    int limit;
};
/* Newest first; after_seq pages downwards. */
MUST_USE enum err request_log_list(struct ctx *c,
                                   const struct request_log_filter *filter,
                                   const struct request_log_row **out,
                                   size_t *count, bool *more);

/* As operation_verify(); the head it knows itself.  key NULL: signatures are
 * left out. */
MUST_USE enum err request_log_verify(struct ctx *c,
                                     const uint8_t key[CRYPTO_KEY_BYTES],
                                     struct log_proof *out);
MUST_USE enum err request_log_last(struct ctx *c, struct log_mark *out);
/* As operation_mark_at(). */
MUST_USE enum err request_log_mark_at(struct ctx *c, int64_t seq,
                                      struct log_mark *out);
MUST_USE enum err request_log_walk(struct ctx *c, int64_t from_us,
                                   int64_t to_us, log_walk_fn *visit,
                                   void *arg);
MUST_USE enum err request_log_prune(struct ctx *c, int64_t before_us,
                                    const uint8_t key[CRYPTO_KEY_BYTES],
                                    size_t *removed);

/* Signs where both logs stand, so that a cut end is seen; the operation log's
 * mark comes from its own file, all zero leaves it out. */
MUST_USE enum err request_log_sign_heads(struct ctx *c,
                                         const uint8_t key[CRYPTO_KEY_BYTES],
                                         const struct log_mark *operations);
/* The operation log's signed head; seq 0 when there is none, ERR_CONFLICT
 * when its signature is wrong. */
MUST_USE enum err
request_log_operation_head(struct ctx *c, const uint8_t key[CRYPTO_KEY_BYTES],
                           struct log_mark *out);

#endif
