/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_EXCHANGE_PLAN_FILE_H
#define CORE_EXCHANGE_PLAN_FILE_H

#include "base/buf.h"
#include "base/ctx.h"

#include <stddef.h>

/* A plan as a file holds it, before any rule of ours has seen it.  Readers
 * (CSV, MS Project XML) fill it, import.c checks it and makes tickets. */
enum plan_cell {
    PLAN_ID,      /* KEY-12 of a ticket to change, or a name of its own */
    PLAN_ACTION,  /* add, change, delete; empty: by the id */
    PLAN_OUTLINE, /* "1.2.3" */
    PLAN_LEVEL,   /* 1, 2, 3 …, instead of an outline */
    PLAN_PARENT,  /* id of the parent, instead of both */
    PLAN_SUBJECT,
    PLAN_CLASSIFICATION,
    PLAN_STATUS,
    PLAN_PRIORITY,
    PLAN_ASSIGNEE, /* e-mail addresses, || between */
    PLAN_START,
    PLAN_END,
    PLAN_ACTUAL_START,
    PLAN_ACTUAL_END,
    PLAN_DUE,
    PLAN_PROGRESS,
    PLAN_ESTIMATE, /* hours */
    PLAN_ACTUAL,   /* hours */
    PLAN_MANUAL,
    PLAN_PREDECESSORS, /* "A||B SS+2" */
    PLAN_DETAILS,
    PLAN_LABELS, /* names, || between; "phase:name" where kinds share one */
    PLAN_CELLS
};

struct plan_item {
    int line;                     /* of the file, for messages */
    const char *cell[PLAN_CELLS]; /* UTF-8; NULL: the file does not say */
};

struct plan_day {
    int32_t day;
    bool is_working;
    const char *name;
};

/* What the file holds and we have no place for. */
struct plan_loss {
    const char *ja, *en;
    int64_t count;
    const char *example;
};

struct plan_error {
    int line, column; /* column: number of the cell from 1, 0: the row */
    const char *column_name, *rule, *message;
};

struct plan_file {
    struct plan_item *items;
    size_t count;
    int columns[PLAN_CELLS];       /* place of each in the file, 0: not there */
    const char *names[PLAN_CELLS]; /* as the file's head calls them */
    bool is_foreign;               /* names of people may be unknown here */
    bool has_calendar;             /* weekdays and days are meant */
    int weekdays;                  /* bit 0 Sunday */
    struct plan_day *days;
    size_t day_count;
    struct plan_loss losses[24];
    size_t loss_count;
};

/* Both readers: OK, or ERR_INVALID with *error filled.  Sizes are bounded
 * before anything is parsed: 32 MiB, PLAN_ROWS_MAX rows.  Some 10 KB of memory
 * go to a row until it is written. */
enum { PLAN_ROWS_MAX = 50000, PLAN_PEOPLE_MAX = 20 };
enum plan_encoding { PLAN_AUTO, PLAN_UTF8, PLAN_CP932 };
MUST_USE enum err plan_csv_read(struct ctx *c, const char *data, size_t len,
                                enum plan_encoding encoding,
                                struct plan_file *out,
                                struct plan_error *error);
MUST_USE enum err mspdi_read(struct ctx *c, const char *data, size_t len,
                             struct plan_file *out, struct plan_error *error);

/* The sample file offered for download: UTF-8 with BOM, in this language. */
void plan_csv_sample(struct buf *b, enum lang lang);
/* Heads of the columns, Japanese and English. */
const char *plan_csv_head(enum plan_cell cell, enum lang lang);

void plan_file_lose(struct plan_file *f, const char *ja, const char *en,
                    const char *example);

#endif
