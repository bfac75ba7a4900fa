/* SPDX-License-Identifier: Apache-2.0 */
/* Statements are static texts, so each connection keeps the prepared ones
 * under the address of the text alone: a request runs thirty of them, each as
 * long as a kilobyte, and comparing them took a tenth of its time.  A failure stays in the statement until it is handed out
 * again: callers may bind and run without looking in between. */
#include "db/query.h"

#include "base/civil.h"
#include "db/conn.h"

#include <stdlib.h>
#include <string.h>

enum { CACHE_MAX = 192 };

struct query {
    sqlite3_stmt *statement; /* NULL in db->broken */
    const char *text;
    struct db *db;
    enum err err;
    bool is_running; /* a row is current */
    int64_t cpu_ms;  /* see struct db */
    uint64_t used;
    struct query *next;
};

/* ---- the cache ---- */

static size_t bucket_of(const char *text)
{
    uintptr_t x = (uintptr_t)text;

    return (x >> 3 ^ x >> 11) % CONN_BUCKETS;
}

static void free_query(struct query *q)
{
    sqlite3_finalize(q->statement);
    free(q);
}

static struct query *broken(struct db *db, const char *text, enum err e)
{
    struct query *q = db->broken ? db->broken : calloc(1, sizeof(*q));

    must(q);
    *q = (struct query){.text = text, .db = db, .err = e};
    db->broken = q;
    return q;
}

static struct query *prepare(struct db *db, const char *text)
{
    sqlite3_stmt *statement = NULL;
    const char *tail = "";
    int rc = sqlite3_prepare_v3(db->sqlite, text, -1, SQLITE_PREPARE_PERSISTENT,
                                &statement, &tail);

    if (rc || !statement)
        return broken(db, text, rc ? conn_fail(db, rc, text) : ERR_INTERNAL);
    must(*tail == '\0'); /* one statement each */
    struct query *q = calloc(1, sizeof(*q));
    must(q);
    size_t i = bucket_of(text);
    *q = (struct query){
        .statement = statement, .text = text, .db = db, .next = db->cache[i]};
    db->cache[i] = q;
    db->cached++;
    return q;
}

static struct query *find(struct db *db, const char *text)
{
    struct query *q = db->cache[bucket_of(text)];

    while (q && q->text != text)
        q = q->next;
    return q;
}

static void drop_oldest(struct db *db)
{
    struct query **oldest = NULL;

    for (size_t i = 0; i < CONN_BUCKETS; i++)
        for (struct query **at = &db->cache[i]; *at; at = &(*at)->next)
            if (!oldest || (*at)->used < (*oldest)->used)
                oldest = at;
    must(oldest);
    struct query *q = *oldest;
    *oldest = q->next;
    db->cached--;
    free_query(q);
}

static void end(struct query *q)
{
    q->is_running = false;
    if (q->statement)
        sqlite3_reset(q->statement);
}

void query_end_all(struct db *db)
{
    for (size_t i = 0; i < CONN_BUCKETS; i++)
        for (struct query *q = db->cache[i]; q; q = q->next)
            if (q->is_running)
                end(q);
    while (db->cached > CACHE_MAX)
        drop_oldest(db);
}

void query_free_all(struct db *db)
{
    for (size_t i = 0; i < CONN_BUCKETS; i++)
        while (db->cache[i]) {
            struct query *q = db->cache[i];
            db->cache[i] = q->next;
            free_query(q);
        }
    free(db->broken);
    db->broken = NULL;
    db->cached = 0;
}

/* ---- binding ---- */

static void check_ctx(const struct ctx *c)
{
    must(c->db && c->db->is_in_tx);
    must(pthread_equal(c->db->owner, pthread_self()));
    const char *tenant = c->actor ? c->actor->tenant : NULL;
    const char *own = c->db->place->tenant;
    must(!tenant || !own || strcmp(tenant, own) == 0);
}

struct query *query(struct ctx *c, const char *text)
{
    check_ctx(c);
    struct db *db = c->db;
    if (db->lost)
        return broken(db, text, db->lost);
    struct query *q = find(db, text);
    if (!q)
        q = prepare(db, text);
    must(!q->is_running); /* one loop at a time */
    if (q->statement) {
        sqlite3_reset(q->statement);
        sqlite3_clear_bindings(q->statement);
        q->err = OK;
        q->used = ++db->uses;
    }
    return q;
}

static void bound(struct query *q, int rc)
{
    must(rc != SQLITE_RANGE && rc != SQLITE_MISUSE);
    if (rc && !q->err)
        q->err = conn_fail(q->db, rc, q->text);
}

void bind_int(struct query *q, int n, int64_t value)
{
    if (q->statement)
        bound(q, sqlite3_bind_int64(q->statement, n, value));
}

void bind_null(struct query *q, int n)
{
    if (q->statement)
        bound(q, sqlite3_bind_null(q->statement, n));
}

void bind_id(struct query *q, int n, int64_t id)
{
    if (id)
        bind_int(q, n, id);
    else
        bind_null(q, n);
}

void bind_day(struct query *q, int n, int32_t day)
{
    if (day == DAY_NONE)
        bind_null(q, n);
    else
        bind_int(q, n, day);
}

void bind_double(struct query *q, int n, double value)
{
    if (q->statement)
        bound(q, sqlite3_bind_double(q->statement, n, value));
}

void bind_text(struct query *q, int n, const char *text)
{
    if (q->statement)
        bound(q, sqlite3_bind_text64(q->statement, n, text,
                                     text ? strlen(text) : 0, SQLITE_TRANSIENT,
                                     SQLITE_UTF8));
}

void bind_blob(struct query *q, int n, const void *data, size_t len)
{
    static const char none[1] = "";

    if (q->statement)
        bound(q, sqlite3_bind_blob64(q->statement, n, len && data ? data : none,
                                     len, SQLITE_TRANSIENT));
}

/* ---- running ---- */

static int step(struct ctx *c, struct query *q)
{
    check_ctx(c);
    must(q->db == c->db);
    if (q->err)
        return SQLITE_ERROR;
    q->db->cpu_ms = q->is_running ? q->cpu_ms : 0;
    int rc = sqlite3_step(q->statement);
    q->cpu_ms = q->db->cpu_ms;
    q->is_running = rc == SQLITE_ROW;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        q->err = conn_fail(q->db, rc, q->text);
    if (rc == SQLITE_INTERRUPT)
        (void)ctx_fail(c, ERR_BUSY, "", "statement_time",
                       "処理に時間がかかりすぎたため中止しました。"
                       "範囲や条件をしぼってください",
                       "Stopped, because it took too long. Narrow the range "
                       "or the conditions");
    if (rc != SQLITE_ROW)
        sqlite3_reset(q->statement);
    return rc;
}

bool query_next(struct ctx *c, struct query *q, enum err *e)
{
    bool has_row = step(c, q) == SQLITE_ROW;

    *e = q->err;
    return has_row;
}

enum err query_one(struct ctx *c, struct query *q)
{
    int rc = step(c, q);

    return rc == SQLITE_DONE ? ERR_NOT_FOUND : q->err;
}

enum err query_run(struct ctx *c, struct query *q)
{
    must(step(c, q) != SQLITE_ROW);
    return q->err;
}

void query_done(struct query *q)
{
    end(q);
}

/* ---- columns ---- */

static sqlite3_stmt *row(struct query *q, int i)
{
    must(q->is_running && i >= 0 && i < sqlite3_column_count(q->statement));
    return q->statement;
}

int64_t col_int(struct query *q, int i)
{
    return sqlite3_column_int64(row(q, i), i);
}

bool col_is_null(struct query *q, int i)
{
    return sqlite3_column_type(row(q, i), i) == SQLITE_NULL;
}

int32_t col_day(struct query *q, int i)
{
    return col_is_null(q, i) ? DAY_NONE
                             : (int32_t)sqlite3_column_int(q->statement, i);
}

double col_double(struct query *q, int i)
{
    return sqlite3_column_double(row(q, i), i);
}

const char *col_peek(struct query *q, int i)
{
    const unsigned char *text = sqlite3_column_text(row(q, i), i);

    must(text || sqlite3_column_type(q->statement, i) == SQLITE_NULL);
    return (const char *)text;
}

const char *col_text(struct ctx *c, struct query *q, int i)
{
    return arena_strdup(c->mem, col_peek(q, i));
}

const void *col_blob(struct ctx *c, struct query *q, int i, size_t *len)
{
    const void *data = sqlite3_column_blob(row(q, i), i);

    *len = (size_t)sqlite3_column_bytes(q->statement, i);
    if (col_is_null(q, i))
        return NULL;
    return arena_copy(c->mem, data ? data : "", *len);
}

int64_t db_last_id(struct ctx *c)
{
    check_ctx(c);
    return sqlite3_last_insert_rowid(c->db->sqlite);
}

int64_t db_changes(struct ctx *c)
{
    check_ctx(c);
    return sqlite3_changes64(c->db->sqlite);
}

bool db_refuses_attach(struct ctx *c)
{
    sqlite3_stmt *statement = NULL;

    check_ctx(c);
    int rc = sqlite3_prepare_v2(c->db->sqlite, "ATTACH ':memory:' AS other", -1,
                                &statement, NULL);
    sqlite3_finalize(statement);
    return rc == SQLITE_AUTH;
}

/* Only a file that is encrypted has a salt. */
const char *db_cipher(struct ctx *c)
{
    check_ctx(c);
    sqlite3 *db = c->db->sqlite;
    unsigned char *salt = sqlite3mc_codec_data(db, "main", "cipher_salt");
    bool is_sealed = salt != NULL;
    sqlite3_free(salt);
    return is_sealed ? sqlite3mc_cipher_name(sqlite3mc_config(db, "cipher", -1))
                     : NULL;
}

/* ---- an inner transaction ---- */

static enum err control(struct db *db, enum conn_control what)
{
    int rc = db->lost ? SQLITE_OK : conn_control(db, what);

    if (db->lost)
        return db->lost;
    return rc ? conn_fail(db, rc, "savepoint") : OK;
}

enum err savepoint_begin(struct ctx *c)
{
    check_ctx(c);
    c->db->depth++;
    return control(c->db, CONTROL_INNER);
}

enum err savepoint_end(struct ctx *c, enum err outcome)
{
    check_ctx(c);
    must(c->db->depth > 0);
    c->db->depth--;
    enum err e = outcome ? control(c->db, CONTROL_INNER_UNDO) : OK;
    if (!e)
        e = control(c->db, CONTROL_INNER_KEEP);
    return outcome ? outcome : e;
}
