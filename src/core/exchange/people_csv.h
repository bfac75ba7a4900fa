/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_EXCHANGE_PEOPLE_CSV_H
#define CORE_EXCHANGE_PEOPLE_CSV_H

#include "base/buf.h"
#include "base/form.h"

/* People as CSV: UTF-8 with or without BOM, or CP932; heads in Japanese or
 * English, any order.  Read and judged here, written by people_import. */
enum people_cell {
    PEOPLE_ACTION, /* empty: the row is left as it is */
    PEOPLE_EMAIL,
    PEOPLE_NAME,
    PEOPLE_LANG,
    PEOPLE_ADMIN,
    PEOPLE_STATE,
    PEOPLE_CELLS
};
enum people_action { PEOPLE_KEEP, PEOPLE_ADD, PEOPLE_CHANGE, PEOPLE_DELETE };
enum { PEOPLE_MAX_BYTES = 2 << 20, PEOPLE_MAX_ROWS = 5000 };

struct people_row {
    int line;
    int surplus; /* column of a value without a head, from 1; 0: none */
    const char *cell[PEOPLE_CELLS]; /* trimmed; NULL: nothing there */
    enum people_action action;
    const struct values *values; /* by user_form or user_edit_form */
};

struct people_error {
    int line, column; /* 0: the whole file, the whole line */
    const char *column_name, *rule, *message;
};

struct people_file {
    struct people_row *rows;
    size_t count;
    int columns[PEOPLE_CELLS]; /* from 1; 0: not in the file */
    const char *names[PEOPLE_CELLS];
    struct people_error *errors;
    size_t error_count, error_room;
    int added, changed, deleted, kept;
    bool has_admins; /* makes, unmakes or removes an administrator */
};

/* Reads; what is wrong stands in errors.  Never fails otherwise. */
void people_csv_read(struct ctx *c, const char *data, size_t len,
                     struct people_file *out);
/* Judges every row against the people there are (a transaction is open).
 * All mistakes of all rows, in the order of the lines. */
MUST_USE enum err people_csv_check(struct ctx *c, struct people_file *f);

void people_csv_sample(struct buf *b, enum lang lang);
/* Everybody who is not deleted, by name, in the shape that can be read. */
MUST_USE enum err people_csv_export(struct ctx *c, struct buf *b);

#endif
