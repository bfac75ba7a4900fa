/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ARCHIVE_ARCHIVE_TABLE_H
#define CORE_ARCHIVE_ARCHIVE_TABLE_H

#include "base/buf.h"
#include "base/ctx.h"

#include <stddef.h>

/* What the archive shows of a tenant as CSV and NDJSON: names in place of
 * ids, dates in place of numbers.  One statement and its columns a table. */
enum archive_cell {
    CELL_TEXT,
    CELL_INT,
    CELL_DAY,
    CELL_MOMENT,
    CELL_BOOL,
    CELL_WORD, /* an index into words */
    CELL_BITS, /* several of the words */
    CELL_PATH, /* a file's name: where the archive keeps it (by column 0) */
    CELL_TICKET_PATH, /* the same of a ticket's file */
    CELL_HEX,         /* bytes */
    CELL_ADDRESS,     /* 16 bytes */
};
struct archive_column {
    const char *name, *ja;
    enum archive_cell cell;
    const char *const *words;
};
struct archive_table {
    const char *name, *ja, *en;
    int query;
    const struct archive_column *columns;
    size_t count;
};
extern const struct archive_table archive_tables[];
extern const size_t archive_table_count;

enum archive_format { ARCHIVE_CSV, ARCHIVE_JSON };
extern const char *const archive_endings[]; /* "csv", "ndjson" */

/* Gets the text in parts. */
typedef enum err archive_part_fn(void *arg, const void *data, size_t len);
MUST_USE enum err archive_table_write(struct ctx *c,
                                      const struct archive_table *t,
                                      enum archive_format format,
                                      enum lang lang, archive_part_fn *put,
                                      void *arg, int64_t *rows);

/* "attachments/12-見積.xlsx", of tickets "attachments/tickets/12-…" (cell says
 * which): a name every system can keep. */
const char *archive_path(struct arena *mem, enum archive_cell cell, int64_t id,
                         const char *name);

#endif
