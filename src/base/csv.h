/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

/* Reads CSV (RFC 4180, LF or CRLF, comma or tab) from UTF-8 text.  Every row
 * knows the line it began in, every cell its place, so that an error can name
 * both.  Blank lines are left out. */
struct csv_row {
    int line;          /* of the file, from 1 */
    size_t count;      /* cells */
    const char **text; /* cells, unquoted */
};

struct csv {
    struct csv_row *rows;
    size_t count;
};

struct csv_limits {
    size_t rows, cells, cell_bytes;
};

/* Where and why reading stopped: rule is "quote" (an opened quote is never
 * closed), "text_after_quote", "rows", "cells" or "cell_size". */
struct csv_error {
    int line, column; /* column: number of the cell, from 1 */
    const char *rule;
};

bool csv_parse(struct arena *mem, const char *text, size_t len,
               const struct csv_limits *limits, struct csv *out,
               struct csv_error *error);

/* Writing: every cell quoted; a cell that a spreadsheet would take for a
 * formula (= + - @ TAB CR LF first, also after apostrophes) gets a leading
 * apostrophe, which csv_plain() takes away again. */
struct buf;
void csv_put(struct buf *b, const char *text, bool is_last);
const char *csv_plain(const char *text);

#endif
