/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing of the foreign file becomes ours but values: no schema, no page, no
 * trigger.  Its tables must have the columns, references and indexes of ours
 * all the same, so that what is unknown is refused and not lost.  One that an
 * older version made is first led to ours by the steps of migrate.h, in the
 * file that was unpacked, which is dropped afterwards. */
#include "db/archive_restore.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "db/conn.h"
#include "db/erase.h"
#include "db/migrate.h"
#include "db/tenant_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PATH_BYTES = 4096,
    COLUMNS_MAX = 64,
    SQL_BYTES = 8192,
    STEPS_PER_LOOK = 100000,
    CHECK_MS = 30 * 60 * 1000,
};
#define FOREIGN "foreign.sqlite" /* plain: see erase_drop() */

struct archive_restore {
    struct store_place at;
    char id[33], folder[PATH_BYTES], foreign_path[PATH_BYTES];
    char path[PATH_BYTES];
    struct tenant_keys keys;
    struct conn_place place;
    int fd;
    int64_t deadline_ms;
    sqlite3 *foreign;
    struct db *own;
    bool is_finished;
};

/* What is made anew, or must not live twice: ways in, waiting mail, work,
 * consent to the terms of another operator, marks of another's notices. */
static const char *const left_out[] = {
    "session",       "code",
    "link",          "email_change",
    "factor",        "token",
    "mail",          "mail_refusal",
    "recovery",      "password_history",
    "job",           "archive",
    "consent",       "reset_wish",
    "notice_read",   "notice_mail",
    "token_project", "throttle",
};

static bool is_left_out(const char *table)
{
    for (size_t i = 0; i < COUNT(left_out); i++)
        if (strcmp(left_out[i], table) == 0)
            return true;
    return false;
}

/* ---- the foreign file ---- */

enum err archive_restore_begin(struct store *s, const char *id,
                               struct archive_restore **out)
{
    struct archive_restore *n = calloc(1, sizeof *n);

    must(n);
    *out = NULL;
    n->fd = -1;
    n->at = store_place(s);
    must(tenant_is_id(id));
    memcpy(n->id, id, strlen(id) + 1);
    enum err e =
        tenant_folder_begin(&n->at, id, n->folder, sizeof n->folder, &n->keys);
    if (e) {
        free(n);
        return e;
    }
    (void)snprintf(n->path, PATH_BYTES, "%.4000s/tenant.db", n->folder);
    (void)snprintf(n->foreign_path, PATH_BYTES, "%.4000s/" FOREIGN, n->folder);
    n->place = (struct conn_place){.path = n->path,
                                   .vfs = n->at.vfs,
                                   .tenant = n->id,
                                   .key = n->keys.data_file};
    n->fd =
        open(n->foreign_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (n->fd < 0) {
        log_error("db: %s cannot be made, errno=%d", n->foreign_path, errno);
        archive_restore_close(n);
        return ERR_INTERNAL;
    }
    *out = n;
    return OK;
}

enum err archive_restore_put(struct archive_restore *n, const void *data,
                             size_t len)
{
    const char *p = data;

    while (len > 0) {
        ssize_t done = write(n->fd, p, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_INTERNAL;
        p += done;
        len -= (size_t)done;
    }
    return OK;
}

/* It is plain: overwritten before it goes. */
static void drop_foreign(struct archive_restore *n)
{
    (void)sqlite3_close(n->foreign);
    n->foreign = NULL;
    if (n->fd >= 0) {
        (void)close(n->fd);
        n->fd = -1;
    }
    (void)!erase_drop(n->foreign_path);
}

static int look(void *arg)
{
    const struct archive_restore *n = arg;

    return clock_monotonic_ms() > n->deadline_ms;
}

static void lock_down(struct archive_restore *n)
{
    static const int on[] = {SQLITE_DBCONFIG_DEFENSIVE};
    static const int off[] = {
        SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_DQS_DDL,
        SQLITE_DBCONFIG_DQS_DML,        SQLITE_DBCONFIG_WRITABLE_SCHEMA,
        SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW,
        SQLITE_DBCONFIG_ENABLE_FKEY};
    static const struct {
        int id, max;
    } limits[] = {
        {SQLITE_LIMIT_LENGTH, 10 * 1000 * 1000},
        {SQLITE_LIMIT_SQL_LENGTH, 100 * 1000},
        {SQLITE_LIMIT_COLUMN, 200},
        {SQLITE_LIMIT_EXPR_DEPTH, 100},
        {SQLITE_LIMIT_VDBE_OP, 250 * 1000},
        {SQLITE_LIMIT_ATTACHED, 0},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };

    for (size_t i = 0; i < COUNT(on); i++)
        must(sqlite3_db_config(n->foreign, on[i], 1, NULL) == SQLITE_OK);
    for (size_t i = 0; i < COUNT(off); i++)
        must(sqlite3_db_config(n->foreign, off[i], 0, NULL) == SQLITE_OK);
    for (size_t i = 0; i < COUNT(limits); i++)
        (void)sqlite3_limit(n->foreign, limits[i].id, limits[i].max);
    n->deadline_ms = clock_monotonic_ms() + CHECK_MS;
    sqlite3_progress_handler(n->foreign, STEPS_PER_LOOK, look, n);
}

static enum err of_foreign(struct archive_restore *n, int rc)
{
    if ((rc & 0xff) == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
        return OK;
    log_warn("db: a file brought for tenant=%s is refused: code=%d %s", n->id,
             rc, sqlite3_errmsg(n->foreign));
    return ERR_INVALID;
}

static enum err foreign_number(struct archive_restore *n, const char *sql,
                               int64_t *out)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(n->foreign, sql, -1, &q, NULL);

    *out = 0;
    if (!rc) {
        rc = sqlite3_step(q);
        if (rc == SQLITE_ROW)
            *out = sqlite3_column_int64(q, 0);
    }
    (void)sqlite3_finalize(q);
    return of_foreign(n, rc);
}

static enum err run_foreign(struct archive_restore *n, const char *sql)
{
    return of_foreign(n, sqlite3_exec(n->foreign, sql, NULL, NULL, NULL));
}

static enum err open_foreign(struct archive_restore *n, int mode)
{
    int64_t any;
    int rc = sqlite3_open_v2(n->foreign_path, &n->foreign,
                             mode | SQLITE_OPEN_NOMUTEX |
                                 SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW,
                             NULL);

    if (rc)
        return of_foreign(n, rc);
    lock_down(n);
    enum err e =
        run_foreign(n, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
                       "PRAGMA trusted_schema = OFF;"
                       "PRAGMA temp_store = MEMORY");
    return e ? e
             : foreign_number(n, "SELECT count(*) FROM sqlite_schema", &any);
}

/* ---- is it one of ours? ---- */

/* Tables and indexes alone, none by a name that a statement here means
 * otherwise; the search index may be there, and is not read. */
static bool is_plain(struct archive_restore *n)
{
    int64_t others = 1;

    return !foreign_number(
               n,
               "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE"
               " 'ticket_search%' AND (type NOT IN ('table', 'index') OR name"
               " LIKE 'pragma%' OR (type = 'table' AND sql NOT LIKE"
               " 'CREATE TABLE %'))",
               &others) &&
           others == 0;
}

/* One text for what matters of tables, whatever way they were made (ALTER
 * TABLE leaves other words than CREATE TABLE): columns, references, indexes. */
static const char shape[] =
    "SELECT group_concat(line, char(10)) FROM (SELECT line FROM ("
    "SELECT t.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\""
    " || ' ' || coalesce(c.dflt_value, '-') || ' ' || c.pk || c.hidden AS line"
    " FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c"
    " WHERE t.name NOT LIKE 'ticket_search%' AND t.name NOT LIKE 'sqlite_%'"
    " UNION ALL SELECT t.name || '.' || f.\"from\" || ' -> ' || f.\"table\""
    " || ' ' || f.on_delete FROM pragma_table_list t"
    " JOIN pragma_foreign_key_list(t.name) f"
    " WHERE t.name NOT LIKE 'ticket_search%'"
    " UNION ALL SELECT type || ' ' || replace(replace(sql, char(10), ' '),"
    " ' ', '') FROM sqlite_schema WHERE type <> 'table' AND sql NOT NULL"
    " AND name NOT LIKE 'ticket_search%') ORDER BY line)";

static bool is_same_shape(struct archive_restore *n)
{
    sqlite3_stmt *a = NULL, *b = NULL;
    bool is_same = !sqlite3_prepare_v2(n->foreign, shape, -1, &a, NULL) &&
                   !sqlite3_prepare_v2(n->own->sqlite, shape, -1, &b, NULL) &&
                   sqlite3_step(a) == SQLITE_ROW &&
                   sqlite3_step(b) == SQLITE_ROW;
    const char *x = is_same ? (const char *)sqlite3_column_text(a, 0) : NULL;
    const char *y = is_same ? (const char *)sqlite3_column_text(b, 0) : NULL;

    is_same = x && y && strcmp(x, y) == 0;
    (void)sqlite3_finalize(a);
    (void)sqlite3_finalize(b);
    return is_same;
}

static bool is_sound(struct archive_restore *n)
{
    sqlite3_stmt *q = NULL;
    int64_t broken = 1;
    bool is_good = false;

    if (!sqlite3_prepare_v2(n->foreign, "PRAGMA integrity_check(1)", -1, &q,
                            NULL) &&
        sqlite3_step(q) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(q, 0);
        is_good = text && strcmp(text, "ok") == 0;
    }
    (void)sqlite3_finalize(q);
    return is_good &&
           !foreign_number(n, "SELECT count(*) FROM pragma_foreign_key_check",
                           &broken) &&
           broken == 0;
}

/* By the steps that a tenant's own file takes, each from its version. */
static enum err take_steps(struct archive_restore *n, int64_t version)
{
    enum err e = run_foreign(n, "PRAGMA journal_mode = MEMORY;"
                                "PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE");

    for (size_t i = 0; i < migrate_tenant.count && !e; i++)
        if (migrate_tenant.steps[i].from == version) {
            e = run_foreign(n, migrate_tenant.steps[i].sql);
            version++;
        }
    if (!e && version != migrate_tenant.version)
        e = ERR_INVALID;
    return e ? e : run_foreign(n, "COMMIT");
}

static enum err lead_here(struct archive_restore *n, int64_t version)
{
    must(sqlite3_close(n->foreign) == SQLITE_OK);
    n->foreign = NULL;
    enum err e = open_foreign(n, SQLITE_OPEN_READWRITE);
    return e ? e : take_steps(n, version);
}

static enum err check_version(struct archive_restore *n, const char **rule)
{
    int64_t version = 0, schema = 0;
    enum err e = foreign_number(n, "PRAGMA user_version", &version);

    if (e || (e = foreign_number(n, "PRAGMA application_id", &schema)))
        return e;
    *rule = version > snapshot_version() ? "schema_newer" : "schema_other";
    if (version < 1 || version > snapshot_version() ||
        (version == snapshot_version() && schema != snapshot_schema()) ||
        !is_plain(n))
        return ERR_INVALID;
    if (version < snapshot_version() && (e = lead_here(n, version)))
        return e;
    return is_same_shape(n) ? OK : ERR_INVALID;
}

enum err archive_restore_check(struct archive_restore *n, const char **rule)
{
    enum err e = open_foreign(n, SQLITE_OPEN_READONLY);

    *rule = "database";
    if (e || (e = conn_open(&n->place, CONN_OWN, &n->own)) ||
        (e = check_version(n, rule)))
        return e;
    *rule = "database";
    e = run_foreign(n, "PRAGMA query_only = ON");
    return e || is_sound(n) ? e : ERR_INVALID;
}

/* ---- taking its rows over ---- */

typedef enum err table_fn(struct archive_restore *n, const char *table,
                          void *arg);

/* By our own list of tables. */
static enum err each_table(struct archive_restore *n, table_fn *visit,
                           void *arg)
{
    static const char tables[] =
        "SELECT name FROM sqlite_schema WHERE type = 'table'"
        " AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'ticket_search%'";
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(n->own->sqlite, tables, -1, &q, NULL);
    enum err e = rc ? conn_fail(n->own, rc, "listing tables") : OK;

    while (!e && sqlite3_step(q) == SQLITE_ROW) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s", sqlite3_column_text(q, 0));
        e = visit(n, name, arg);
    }
    (void)sqlite3_finalize(q);
    return e;
}

struct counting {
    snapshot_count_fn *visit;
    void *arg;
};

static enum err count_one(struct archive_restore *n, const char *table,
                          void *arg)
{
    const struct counting *x = arg;
    char sql[256];
    int64_t rows;

    sqlite3_snprintf(sizeof sql, sql, "SELECT count(*) FROM \"%w\"", table);
    enum err e = foreign_number(n, sql, &rows);
    if (!e)
        x->visit(x->arg, table, rows);
    return e;
}

enum err archive_restore_count(struct archive_restore *n,
                               snapshot_count_fn *visit, void *arg)
{
    struct counting x = {visit, arg};

    return each_table(n, count_one, &x);
}

/* Columns that hold values, those computed left aside. */
static int list_columns(struct archive_restore *n, const char *table,
                        char out[SQL_BYTES], char marks[4 * COLUMNS_MAX])
{
    static const char sql[] =
        "SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0";
    sqlite3_stmt *q = NULL;
    int count = 0;
    size_t len = 0;

    *out = *marks = '\0';
    must(!sqlite3_prepare_v2(n->own->sqlite, sql, -1, &q, NULL));
    must(!sqlite3_bind_text(q, 1, table, -1, SQLITE_STATIC));
    while (sqlite3_step(q) == SQLITE_ROW) {
        must(count < COLUMNS_MAX && len < SQL_BYTES - 128);
        sqlite3_snprintf(SQL_BYTES - (int)len, out + len, "%s\"%w\"",
                         count ? ", " : "", sqlite3_column_text(q, 0));
        len += strlen(out + len);
        memcpy(marks + strlen(marks), count ? ",?" : "?", count ? 3 : 2);
        count++;
    }
    (void)sqlite3_finalize(q);
    return count;
}

static enum err copy_rows(struct archive_restore *n, sqlite3_stmt *from,
                          sqlite3_stmt *to, int columns)
{
    int rc;

    while ((rc = sqlite3_step(from)) == SQLITE_ROW) {
        for (int i = 0; i < columns; i++)
            must(!sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i)));
        int put = sqlite3_step(to);
        (void)sqlite3_reset(to);
        if (put != SQLITE_DONE) {
            enum err e = conn_fail(n->own, put, "taking a row over");
            return e == ERR_CONFLICT || e == ERR_LIMIT ? ERR_INVALID : e;
        }
    }
    return of_foreign(n, rc);
}

static enum err copy_one(struct archive_restore *n, const char *table,
                         void *arg)
{
    char columns[SQL_BYTES], marks[4 * COLUMNS_MAX], sql[SQL_BYTES + 512];
    static const char select[] = "SELECT ", insert[] = "INSERT INTO ";
    sqlite3_stmt *from = NULL, *to = NULL;

    (void)arg;
    if (is_left_out(table))
        return OK;
    int count = list_columns(n, table, columns, marks);
    sqlite3_snprintf(sizeof sql, sql, "%s%s FROM \"%w\"", select, columns,
                     table);
    enum err e =
        of_foreign(n, sqlite3_prepare_v2(n->foreign, sql, -1, &from, NULL));
    sqlite3_snprintf(sizeof sql, sql, "%s\"%w\" (%s) VALUES (%s)", insert,
                     table, columns, marks);
    if (!e) {
        int rc = sqlite3_prepare_v2(n->own->sqlite, sql, -1, &to, NULL);
        e = rc ? conn_fail(n->own, rc, "taking a table over") : OK;
    }
    if (!e)
        e = copy_rows(n, from, to, count);
    (void)sqlite3_finalize(from);
    (void)sqlite3_finalize(to);
    return e;
}

enum err archive_restore_copy(struct archive_restore *n, const char **rule)
{
    int64_t broken = 0;
    /* tables come in any order: references are looked at in the end */
    enum err e = conn_run(n->own, "PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE");

    *rule = "rows";
    if (!e)
        e = each_table(n, copy_one, NULL);
    if (!e)
        e = conn_number(n->own, "SELECT count(*) FROM pragma_foreign_key_check",
                        &broken);
    if (!e && broken)
        e = ERR_INVALID;
    if (!e)
        e = conn_run(n->own, "COMMIT");
    if (!sqlite3_get_autocommit(n->own->sqlite))
        (void)conn_control(n->own, CONTROL_ROLLBACK);
    conn_close(n->own);
    n->own = NULL;
    drop_foreign(n);
    return e;
}

/* ---- what is ours to write ---- */

static enum err run_fill(struct ctx *c, struct db *db,
                         archive_restore_fill_fn *fill, void *arg)
{
    int rc = conn_control(db, CONTROL_BEGIN_WRITE);

    if (rc)
        return conn_fail(db, rc, "begin");
    db->is_in_tx = db->is_extended = true;
    db->owner = pthread_self();
    db->deadline_ms = clock_monotonic_ms() + CHECK_MS;
    c->db = db;
    enum err e = fill(c, arg);
    query_end_all(db);
    c->db = NULL;
    db->is_in_tx = false;
    db->deadline_ms = 0;
    if (!e && (rc = conn_control(db, CONTROL_COMMIT)))
        e = conn_fail(db, rc, "commit");
    if (!sqlite3_get_autocommit(db->sqlite))
        (void)conn_control(db, CONTROL_ROLLBACK);
    if (e)
        return e;
    rc = sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE,
                                   NULL, NULL);
    return rc ? conn_fail(db, rc, "checkpoint") : OK;
}

enum err archive_restore_fill(struct ctx *c, struct archive_restore *n,
                              archive_restore_fill_fn *fill, void *arg)
{
    struct db *db = NULL;
    enum err e = conn_open(&n->place, CONN_WRITER, &db);

    must(!c->db);
    if (!e)
        e = run_fill(c, db, fill, arg);
    conn_close(db);
    return e;
}

void archive_restore_derive_log_key(const struct archive_restore *n,
                                    const char *label, uint8_t out[32])
{
    char text[128];

    must(snprintf(text, sizeof text, "use:%s", label) < (int)sizeof text);
    crypto_derive(n->keys.log, text, out);
}

enum err archive_restore_finish(struct archive_restore *n)
{
    must(!n->foreign && !n->own);
    enum err e = tenant_folder_finish(&n->at, n->id, true);

    n->is_finished = true;
    return e;
}

void archive_restore_close(struct archive_restore *n)
{
    if (!n)
        return;
    drop_foreign(n);
    conn_close(n->own);
    if (!n->is_finished && tenant_folder_finish(&n->at, n->id, false))
        log_warn("db: what was begun for tenant=%s is left to the next start",
                 n->id);
    crypto_wipe(&n->keys, sizeof n->keys);
    free(n);
}
