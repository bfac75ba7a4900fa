/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LOG_LOG_CHAIN_H
#define CORE_LOG_LOG_CHAIN_H

#include "base/buf.h"
#include "base/crypto.h"
#include "db/query.h"
#include "db/store.h"

/* What the two logs have in common: rows of numbers and texts, each chained
 * to the one before by SHA-256, and one line of an export for each row. */
enum log_kind {
    LOG_OPERATION,
    LOG_ACCESS,
    LOG_PROOF /* the last line of an export, see log_file.h */
};
enum log_format { LOG_NDJSON, LOG_CSV };

enum log_cell {
    LOG_INT,    /* 0 stands for none */
    LOG_MOMENT, /* UTC microseconds; exports show the readable form too */
    LOG_TEXT,
    LOG_JSON /* an object, or NULL */
};
struct log_column {
    const char *name;
    enum log_cell cell;
};
enum { LOG_COLUMNS_MAX = 12 };

/* The columns in the order they are hashed; the first is the number of the
 * row, which has no gaps. */
struct log_shape {
    const char *name; /* "operation", "access" */
    const char *tail; /* what an export calls the hash at the end */
    size_t count;
    struct log_column columns[LOG_COLUMNS_MAX];
};
const struct log_shape *log_shape(enum log_kind kind);

struct log_row {
    int64_t numbers[LOG_COLUMNS_MAX];
    const char *texts[LOG_COLUMNS_MAX];
    uint8_t hash[CRYPTO_HASH_BYTES];
};

/* Where a chain stands: the last row and its hash; all zero before row 1. */
struct log_mark {
    int64_t seq;
    uint8_t hash[CRYPTO_HASH_BYTES];
};

/* The hash of a row that follows this one. */
void log_chain(enum log_kind kind, const uint8_t before[CRYPTO_HASH_BYTES],
               const struct log_row *row, uint8_t out[CRYPTO_HASH_BYTES]);

/* Moves the mark to the row; false when the row does not follow it. */
bool log_follows(enum log_kind kind, struct log_mark *mark,
                 const struct log_row *row);

/* What walking a whole chain shows.  broken_seq 0: it is whole; otherwise the
 * first row that is missing or does not fit. */
struct log_proof {
    int64_t first_seq, last_seq, broken_seq;
    int64_t kept_seq, kept_at; /* the newest head in control.db; 0: none */
};

/* For exports: gets the mark before the first row, then row by row with
 * before NULL; texts are valid during the call. */
typedef enum err log_walk_fn(void *arg, const struct log_mark *before,
                             const struct log_row *row);

/* Reads a row of the shape's columns and its hash, in this order; texts are
 * valid until the next row. */
void log_peek_row(struct ctx *c, enum log_kind kind, struct query *q,
                  struct log_row *out);

/* The tenant's signing key of both logs; it derives from the log key, which
 * lives as long as the logs do, not from the data key.  Wipe it after use. */
void log_sign_key(const struct tenant *t, uint8_t out[CRYPTO_KEY_BYTES]);
/* The same of a tenant that is being made. */
typedef void log_derive_fn(const void *from, const char *label,
                           uint8_t out[32]);
void log_derive_sign_key(log_derive_fn *derive, const void *from,
                         uint8_t out[CRYPTO_KEY_BYTES]);
void log_sign_mark(struct arena *mem, enum log_kind kind, const char *what,
                   const struct log_mark *mark,
                   const uint8_t key[CRYPTO_KEY_BYTES], uint8_t out[64]);
bool log_mark_is_signed(struct arena *mem, enum log_kind kind, const char *what,
                        const struct log_mark *mark,
                        const uint8_t key[CRYPTO_KEY_BYTES],
                        const uint8_t signature[64]);

#endif
