/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_QUERY_H
#define DB_QUERY_H

#include "base/ctx.h"

#include <stddef.h>

/* Statements of one core module: static text, one statement each, parameters
 * only as ?n.  Each set is listed in core/core.c so that one test can prepare
 * all of them and look for full scans. */
struct query_set {
    const char *name;
    const char *const *text;
    size_t count;
};

/* A prepared statement, cached on the connection by the address of its text;
 * reset and unbound when handed out.  Failures (SQLite errors) are remembered
 * in it and come out of query_next/query_run as ERR_*. */
struct query;

/* The text has to be static: it is known by its address.  The connection is
 * c->db; aborts when there is none.  A statement is used by
 * one loop at a time: nested loops over the same text are a bug (must()). */
struct query *query(struct ctx *c, const char *text);

void bind_int(struct query *q, int n, int64_t value);
void bind_id(struct query *q, int n, int64_t id);   /* 0 binds NULL */
void bind_day(struct query *q, int n, int32_t day); /* DAY_NONE binds NULL */
void bind_double(struct query *q, int n, double value);
void bind_text(struct query *q, int n, const char *text); /* NULL binds NULL */
void bind_blob(struct query *q, int n, const void *data, size_t len);
void bind_null(struct query *q, int n);

/* true while there is a row; false at the end or on failure, which *e tells
 * (OK at the end). */
bool query_next(struct ctx *c, struct query *q, enum err *e);
/* Exactly one row expected: OK with the row current (call query_done() when
 * read), ERR_NOT_FOUND when none; nothing is recorded in c. */
MUST_USE enum err query_one(struct ctx *c, struct query *q);
/* Runs a statement that returns no rows.  A UNIQUE or CHECK violation gives
 * ERR_CONFLICT, a full disk ERR_FULL, a busy file ERR_BUSY. */
MUST_USE enum err query_run(struct ctx *c, struct query *q);
void query_done(struct query *q); /* frees the cursor early */

int64_t col_int(struct query *q, int i); /* NULL reads as 0 */
int32_t col_day(struct query *q, int i); /* NULL reads as DAY_NONE */
double col_double(struct query *q, int i);
bool col_is_null(struct query *q, int i);
/* Copied into c->mem; NULL for NULL. */
const char *col_text(struct ctx *c, struct query *q, int i);
const void *col_blob(struct ctx *c, struct query *q, int i, size_t *len);
/* Not copied: valid until the next query_next on q.  For writing replies. */
const char *col_peek(struct query *q, int i);

int64_t db_last_id(struct ctx *c);
int64_t db_changes(struct ctx *c);

/* For the trust page, tried on the connection at hand: whether a statement
 * that opens another file is refused, and by what cipher its file is read. */
bool db_refuses_attach(struct ctx *c);
const char *db_cipher(struct ctx *c); /* "aegis"; NULL: none */

/* An inner transaction: undo a part and go on. */
MUST_USE enum err savepoint_begin(struct ctx *c);
MUST_USE enum err savepoint_end(struct ctx *c, enum err outcome);

#endif
