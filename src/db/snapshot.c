/* SPDX-License-Identifier: Apache-2.0 */
/* Two copies: from the first one rows are deleted, the second one is made of
 * what is left, so that no trace of the deleted is in it.  Both stay encrypted
 * on the disk; the plain file exists only as a stream, read page by page
 * through SQLite's own file handle, which decrypts. */
#include "db/snapshot.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"
#include "db/conn.h"
#include "db/erase.h"
#include "db/migrate.h"
#include "db/pool.h"
#include "db/tenant_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PATH_BYTES = 4096,
    STEPS_PER_LOOK = 100000,
    PAGE_MAX = 65536,
    SECONDS = 3600,
    /* of the header: versions of reading and writing, 2 stands for WAL */
    HEAD_WRITE = 18,
    HEAD_READ = 19,
};

struct snapshot {
    char first[PATH_BYTES], path[PATH_BYTES];
    struct conn_place place;
    uint8_t key[32];
    struct db *db;
    snapshot_go_fn *go;
    void *arg;
    int64_t page_bytes, pages;
};

static const char forget[] =
    "PRAGMA journal_mode = OFF; BEGIN;"
    "DROP TABLE ticket_search;"
    "DELETE FROM code; DELETE FROM session; DELETE FROM link;"
    "DELETE FROM email_change; DELETE FROM factor; DELETE FROM recovery;"
    "DELETE FROM password_history; DELETE FROM token_project;"
    "DELETE FROM token; DELETE FROM mail; DELETE FROM job;"
    "DELETE FROM mail_refusal;"
    "DELETE FROM archive;"
    "DELETE FROM reset_wish;"
    "DELETE FROM once;"
    "DELETE FROM throttle;"
    "DELETE FROM notice_mail;"
    "UPDATE user SET password = NULL, password_at = NULL;"
    "UPDATE support SET token_hash = NULL, token_until = NULL;"
    "COMMIT";

int snapshot_version(void)
{
    return migrate_tenant.version;
}

int64_t snapshot_schema(void)
{
    return migrate_fingerprint(&migrate_tenant);
}

/* ---- making it ---- */

static int look(void *arg)
{
    const struct snapshot *s = arg;

    return s->go && !s->go(s->arg);
}

static enum err run(struct snapshot *s, const struct conn_place *place,
                    const char *sql)
{
    struct db *db = NULL;
    enum err e = conn_open(place, CONN_OWN, &db);

    if (e)
        return e;
    /* the copy need not survive anything: a large sync would hold up those
     * who commit.  The live file is only read, and not folded on closing. */
    must(sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                           NULL) == SQLITE_OK);
    sqlite3_progress_handler(db->sqlite, STEPS_PER_LOOK, look, s);
    if (!(e = conn_run(db, "PRAGMA synchronous = OFF")))
        e = conn_run(db, sql);
    sqlite3_progress_handler(db->sqlite, 0, NULL, NULL);
    conn_close(db);
    return e && s->go && !s->go(s->arg) ? ERR_CONFLICT : e;
}

static enum err copy(struct snapshot *s, const struct conn_place *from,
                     const char *to)
{
    char sql[2 * PATH_BYTES];

    sqlite3_snprintf(sizeof sql, sql, "VACUUM INTO %Q", to);
    return run(s, from, sql);
}

static void drop_file(const char *path)
{
    static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
    char name[PATH_BYTES + 16];

    for (size_t i = 0; *path && i < COUNT(tails); i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, tails[i]);
        (void)!erase_drop(name);
    }
}

static void name_files(const struct tenant *t, struct snapshot *s)
{
    char folder[PATH_BYTES], hex[17];
    uint8_t random[8];

    pool_name_folder(t, folder, sizeof folder);
    crypto_random(random, sizeof random);
    str_to_hex(random, sizeof random, hex);
    must(snprintf(s->first, PATH_BYTES, "%s/" TENANT_SCRATCH "%s.1.db", folder,
                  hex) < PATH_BYTES);
    must(snprintf(s->path, PATH_BYTES, "%s/" TENANT_SCRATCH "%s.db", folder,
                  hex) < PATH_BYTES);
}

static enum err open_copy(struct snapshot *s)
{
    enum err e = conn_open(&s->place, CONN_READER, &s->db);

    if (!e)
        e = conn_number(s->db, "PRAGMA page_size", &s->page_bytes);
    if (!e)
        e = conn_number(s->db, "PRAGMA page_count", &s->pages);
    return e;
}

enum err snapshot_take(struct tenant *t, snapshot_go_fn *go, void *arg,
                       struct snapshot **out)
{
    struct snapshot *s = calloc(1, sizeof *s);
    struct conn_place live = pool_place(t);

    must(s);
    *out = NULL;
    name_files(t, s);
    memcpy(s->key, live.key, sizeof s->key);
    s->place = live;
    s->place.key = s->key;
    s->place.tenant = NULL;
    s->place.path = s->first;
    s->go = go;
    s->arg = arg;
    enum err e = copy(s, &live, s->first);
    if (!e)
        e = run(s, &s->place, forget);
    if (!e)
        e = copy(s, &s->place, s->path);
    drop_file(s->first);
    s->place.path = s->path;
    if (!e)
        e = open_copy(s);
    if (e)
        snapshot_close(s);
    else
        *out = s;
    return e;
}

void snapshot_close(struct snapshot *s)
{
    if (!s)
        return;
    conn_close(s->db);
    drop_file(s->path);
    crypto_wipe(s->key, sizeof s->key);
    free(s);
}

int64_t snapshot_bytes(const struct snapshot *s)
{
    return s->page_bytes * s->pages;
}

/* ---- reading it ---- */

enum err snapshot_begin(struct ctx *c, struct snapshot *s)
{
    struct db *db = s->db;
    int rc = conn_control(db, CONTROL_BEGIN_READ);

    must(!c->db);
    if (rc)
        return conn_fail(db, rc, "begin");
    db->is_in_tx = true;
    db->is_extended = true;
    db->owner = pthread_self();
    db->deadline_ms = clock_monotonic_ms() + SECONDS * INT64_C(1000);
    c->db = db;
    return OK;
}

void snapshot_end(struct ctx *c, struct snapshot *s)
{
    must(c->db == s->db);
    query_end_all(s->db);
    if (!sqlite3_get_autocommit(s->db->sqlite))
        (void)conn_control(s->db, CONTROL_ROLLBACK);
    s->db->is_in_tx = false;
    s->db->deadline_ms = 0;
    c->db = NULL;
}

/* No other connection knows this file, and its log is empty. */
static enum err write_pages(struct snapshot *s, sqlite3_file *file,
                            snapshot_sink_fn *sink, void *arg)
{
    unsigned char *page = malloc(PAGE_MAX);
    enum err e = OK;

    must(page && s->page_bytes <= PAGE_MAX);
    for (int64_t i = 0; i < s->pages && !e; i++) {
        int rc = file->pMethods->xRead(file, page, (int)s->page_bytes,
                                       i * s->page_bytes);
        if (rc) {
            e = conn_fail(s->db, rc, "reading pages");
            break;
        }
        if (i == 0) {
            must(memcmp(page, "SQLite format 3", 16) == 0);
            page[HEAD_WRITE] = page[HEAD_READ] = 1;
        }
        e = s->go && !s->go(s->arg) ? ERR_CONFLICT
                                    : sink(arg, page, (size_t)s->page_bytes);
    }
    free(page);
    return e;
}

enum err snapshot_write_plain(struct snapshot *s, snapshot_sink_fn *sink,
                              void *arg)
{
    sqlite3_file *file = NULL;
    int64_t rows;
    /* the lock is held while a statement has read */
    enum err e = conn_run(s->db, "BEGIN");

    if (!e)
        e = conn_number(s->db, "SELECT count(*) FROM sqlite_schema", &rows);
    if (!e) {
        int rc = sqlite3_file_control(s->db->sqlite, "main",
                                      SQLITE_FCNTL_FILE_POINTER, &file);
        must(rc == SQLITE_OK && file && file->pMethods);
        e = write_pages(s, file, sink, arg);
    }
    if (!sqlite3_get_autocommit(s->db->sqlite))
        (void)conn_control(s->db, CONTROL_ROLLBACK);
    return e;
}

enum err snapshot_count(struct snapshot *s, snapshot_count_fn *visit, void *arg)
{
    static const char tables[] =
        "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    sqlite3_stmt *q = NULL;
    char sql[256];

    s->db->is_trusted = true;
    int rc = sqlite3_prepare_v2(s->db->sqlite, tables, -1, &q, NULL);
    enum err e = rc ? conn_fail(s->db, rc, "listing tables") : OK;
    while (!e && sqlite3_step(q) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(q, 0);
        int64_t n = 0;
        sqlite3_snprintf(sizeof sql, sql, "SELECT count(*) FROM \"%w\"", name);
        if (!(e = conn_number(s->db, sql, &n)))
            visit(arg, name, n);
    }
    (void)sqlite3_finalize(q);
    s->db->is_trusted = false;
    return e;
}
