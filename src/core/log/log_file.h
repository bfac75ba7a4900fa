/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LOG_LOG_FILE_H
#define CORE_LOG_LOG_FILE_H

#include "core/log/log_chain.h"

/* An export: one line for each row, oldest first, and a proof as the last
 * line: where the chain stood before the first row and stands after the last,
 * how many rows there are, and the tenant's signature (ECDSA P-256 over
 * SHA-256) of all that.  Every line is written in one way only, so that a
 * reader who writes it again sees each changed byte. */
struct log_file {
    struct buf *b;
    enum log_kind kind;
    enum log_format format;
    struct log_mark before, last;
    int64_t count;
};

void log_file_begin(struct log_file *f, const struct log_mark *before);
void log_file_put(struct log_file *f, const struct log_row *row);
void log_file_end(struct log_file *f, const char *tenant, int64_t now_us,
                  const uint8_t key[CRYPTO_KEY_BYTES]);

/* The first thing that is wrong.  rule: NULL nothing; "key" signed by another
 * key; "signature"; "no_proof" the last line is none; "header"; "line" not
 * written by us; "gap" rows are missing before this one; "order" the row does
 * not belong here; "changed"; "end" rows are missing at the end, or all was
 * rewritten. */
struct log_report {
    const char *rule;
    int64_t line; /* of the file, from 1 */
    int64_t seq;  /* the row that is missing or does not fit, 0: none */
    int64_t rows, first_seq, last_seq;
    enum log_kind kind;
    char tenant[40];
    uint8_t public_key[65]; /* that signed it */
};

/* public_key NULL: the one in the file is believed, which shows damage but no
 * forger.  scratch is reset row by row. */
void log_file_check(struct arena *scratch, const char *data, size_t len,
                    const uint8_t *public_key, struct log_report *out);

#endif
