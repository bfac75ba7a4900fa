/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LOG_OPERATION_H
#define CORE_LOG_OPERATION_H

#include "base/ctx.h"
#include "core/log/log_chain.h"

#include <stddef.h>

/* The operation log: the audit record of a tenant.  Each row is chained to
 * the one before by SHA-256 and commits with the change it describes. */
struct operation {
    const char *action;      /* "create", "update", "delete", "sign_in", … */
    const char *kind;        /* "ticket", "user", "project", … */
    int64_t object_id;       /* 0: none */
    const char *object_name; /* as the reader knows it; "" when none */
    const char *before;      /* JSON object of the changed fields, or NULL */
    const char *after;
};

/* Appends a row in the current write transaction. */
MUST_USE enum err operation_log(struct ctx *c, const struct operation *op);

/* That a log leaves the house; to_us 0: until now. */
MUST_USE enum err operation_log_export(struct ctx *c, enum log_kind kind,
                                       enum log_format format, int64_t from_us,
                                       int64_t to_us);

/* A row as it was written. */
struct operation_row {
    int64_t seq, at, user_id;
    const char *user_name, *ip, *request_id;
    struct operation op;
    uint8_t hash[CRYPTO_HASH_BYTES];
};

/* NULL, 0 and "" mean any.  from/to are UTC microseconds, to is exclusive. */
struct operation_filter {
    int64_t user_id, object_id, from_us, to_us, after_seq;
    const char *kind, *action, *q; /* q: part of the object's name */
    int limit;
};
/* Newest first; after_seq pages downwards.  By time alone the order is that
 * of the moments, which differs only where a clock was set back. */
MUST_USE enum err operation_list(struct ctx *c,
                                 const struct operation_filter *filter,
                                 const struct operation_row **out,
                                 size_t *count, bool *more);

/* Walks the chain.  broken_seq 0: whole; otherwise the first row that is
 * missing or does not fit.  key: of log_sign_key(), to check the anchor's
 * signature; head: where the chain was known to stand, to see a cut end.
 * NULL leaves either out. */
MUST_USE enum err operation_verify(struct ctx *c,
                                   const uint8_t key[CRYPTO_KEY_BYTES],
                                   const struct log_mark *head,
                                   struct log_proof *out);

MUST_USE enum err operation_last(struct ctx *c, struct log_mark *out);
/* Where the chain stood at a row: ERR_NOT_FOUND when it is not there; of one
 * that was pruned, where the chain begins now. */
MUST_USE enum err operation_mark_at(struct ctx *c, int64_t seq,
                                    struct log_mark *out);

/* The rows of a time, oldest first and without gaps; to_us 0: until now. */
MUST_USE enum err operation_walk(struct ctx *c, int64_t from_us, int64_t to_us,
                                 log_walk_fn *visit, void *arg);

/* Deletes rows older than before_us, up to the first younger one, and signs
 * where the chain begins now.  key as for operation_verify. */
MUST_USE enum err operation_prune(struct ctx *c, int64_t before_us,
                                  const uint8_t key[CRYPTO_KEY_BYTES],
                                  size_t *removed);

/* Signs anew where the chain begins: the log came from another installation,
 * whose key is not ours. */
MUST_USE enum err operation_sign_anchor(struct ctx *c,
                                        const uint8_t key[CRYPTO_KEY_BYTES]);

/* The moment three months before now_us. */
int64_t operation_keep_since(int64_t now_us);

#endif
