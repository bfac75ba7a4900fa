/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LOG_LOG_EXPORT_H
#define CORE_LOG_LOG_EXPORT_H

#include "core/log/log_file.h"

#include <stdio.h>

/* What is done with a whole log of a tenant; opens its own transactions. */

/* A read transaction on the file that holds the log, long enough to walk all of
 * it; ERR_NOT_FOUND for the access log of a place that has none. */
MUST_USE enum err log_walk_begin(struct ctx *c, struct tenant *t,
                                 enum log_kind kind);
MUST_USE enum err log_walk_end(struct ctx *c, struct tenant *t,
                               enum log_kind kind, enum err e);

struct log_export {
    enum log_kind kind;
    enum log_format format;
    int64_t from_us, to_us; /* to_us 0: until now */
    size_t max_bytes;       /* ERR_LIMIT beyond; 0: no limit */
    FILE *file;             /* written as it grows; NULL: all in the buffer */
};
/* rows: how many there were. */
MUST_USE enum err log_export(struct ctx *c, struct tenant *t,
                             const struct log_export *what, struct buf *b,
                             int64_t *rows);

#endif
