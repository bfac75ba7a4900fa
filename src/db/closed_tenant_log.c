/* SPDX-License-Identifier: Apache-2.0 */
/* The logs are copied row by row, as they are, chains and signatures included:
 * what was signed by the log key verifies in the new file as it did in the
 * old ones.  Written beside and renamed, so that a file that has its name is
 * whole. */
#include "db/closed_tenant_log.h"

#include "base/crypto.h"
#include "base/log.h"
#include "db/conn.h"
#include "db/erase.h"
#include "db/key.h"
#include "db/migrate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, NAME_MAX_BYTES = 64 };

/* Both statements name the columns in the same order: as they were made. */
struct table {
    const char *read, *write, *count;
};
#define TABLE(name, marks)                                                     \
    {                                                                          \
        "SELECT * FROM " name, "INSERT INTO " name " VALUES (" marks ")",      \
            "SELECT count(*) FROM " name                                       \
    }
static const struct table of_tenant[] = {
    TABLE("operation", "?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13"),
    TABLE("operation_anchor", "?1,?2,?3,?4,?5"),
};
static const struct table of_access[] = {
    TABLE("entry_row", "?1,?2,?3,?4,?5,?6,?7"),
    TABLE("entry_source", "?1,?2,?3,?4,?5"),
    TABLE("entry_minute", "?1,?2"),
    TABLE("entry_route", "?1,?2,?3"),
    TABLE("mark", "?1,?2,?3,?4,?5"),
};

struct source {
    const char *file, *kind, *label;
    const struct table *tables;
    size_t count;
};
static const struct source sources[] = {
    {"tenant.db", "", "file:tenant", of_tenant, COUNT(of_tenant)},
    {"access.db", ".log", "file:access", of_access, COUNT(of_access)},
};

static enum err load_key(const struct store *s, const char *id,
                         const char *kind, const char *label, uint8_t out[32])
{
    char dir[PATH_BYTES], name[NAME_MAX_BYTES], context[NAME_MAX_BYTES];
    struct store_place at = store_place(s);
    uint8_t key[32];

    must(snprintf(dir, sizeof dir, "%s/keys", at.dir) < PATH_BYTES);
    (void)snprintf(name, sizeof name, "%s%s.key", id, kind);
    (void)snprintf(context, sizeof context, "tenant:%s%s", id, kind);
    enum err e = key_load(dir, name, at.wrapping, context, key);
    if (!e)
        crypto_derive(key, label, out);
    crypto_wipe(key, sizeof key);
    return e;
}

/* ---- copying ---- */

static enum err copy_table(struct db *from, struct db *to,
                           const struct table *t)
{
    sqlite3_stmt *in = NULL, *out = NULL;
    int rc = sqlite3_prepare_v2(from->sqlite, t->read, -1, &in, NULL);
    enum err e = rc ? conn_fail(from, rc, "reading a log") : OK;

    if (!e && (rc = sqlite3_prepare_v2(to->sqlite, t->write, -1, &out, NULL)))
        e = conn_fail(to, rc, "keeping a log");
    while (!e && (rc = sqlite3_step(in)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(in); i++)
            (void)sqlite3_bind_value(out, i + 1, sqlite3_column_value(in, i));
        rc = sqlite3_step(out);
        if (rc != SQLITE_DONE)
            e = conn_fail(to, rc, "keeping a log");
        (void)sqlite3_reset(out);
    }
    if (!e && rc != SQLITE_DONE)
        e = conn_fail(from, rc, "reading a log");
    (void)sqlite3_finalize(in);
    (void)sqlite3_finalize(out);
    return e;
}

static enum err copy_source(const struct store *s, const char *id,
                            const struct source *from, struct db *to)
{
    struct store_place at = store_place(s);
    char path[PATH_BYTES];
    struct db *db = NULL;
    uint8_t key[32];

    must(snprintf(path, sizeof path, "%s/tenants/%s/%s", at.dir, id,
                  from->file) < PATH_BYTES);
    if (access(path, F_OK))
        return ERR_NOT_FOUND;
    enum err e = load_key(s, id, from->kind, from->label, key);
    if (e)
        return e;
    const struct conn_place place = {.path = path, .vfs = at.vfs, .key = key};
    e = conn_open(&place, CONN_OWN, &db);
    for (size_t i = 0; i < from->count && !e; i++)
        e = copy_table(db, to, &from->tables[i]);
    conn_close(db);
    crypto_wipe(key, sizeof key);
    return e;
}

/* What cannot be read because its key is gone is left out. */
static enum err copy_all(const struct store *s, const char *id, struct db *to)
{
    enum err e = conn_run(to, "BEGIN IMMEDIATE");

    for (size_t i = 0; i < COUNT(sources) && !e; i++) {
        e = copy_source(s, id, &sources[i], to);
        if (e == ERR_NOT_FOUND) {
            log_warn("db: tenant=%s: no key or no file, its %s is lost", id,
                     i ? "access log" : "operation log");
            e = OK;
        }
    }
    if (!e)
        e = conn_run(to, "COMMIT");
    return e;
}

static enum err fill(const struct store *s, const char *id, const char *path,
                     const uint8_t key[32])
{
    const struct conn_place place = {
        .path = path, .vfs = store_place(s).vfs, .key = key};
    struct db *db = NULL;
    enum err e = conn_open(&place, CONN_OWN, &db);

    if (!e)
        e = migrate_create(db, &migrate_retained);
    if (!e)
        e = copy_all(s, id, db);
    if (!e) { /* all of it in the one file before it is renamed */
        int rc = sqlite3_wal_checkpoint_v2(
            db->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        e = rc ? conn_fail(db, rc, "checkpoint") : OK;
    }
    conn_close(db);
    return e;
}

/* ---- counting ---- */

static enum err count(const struct store *s, const char *path,
                      const uint8_t key[32], struct closed_tenant_log *out)
{
    const struct conn_place place = {
        .path = path, .vfs = store_place(s).vfs, .key = key};
    struct db *db = NULL;
    enum err e = conn_open(&place, CONN_OWN, &db);

    if (!e && !conn_is_sound(db))
        e = ERR_INTERNAL;
    if (!e)
        e = conn_number(db, of_tenant[0].count, &out->operations);
    if (!e)
        e = conn_number(db, of_access[0].count, &out->accesses);
    conn_close(db);
    return e;
}

static void drop(const char *path)
{
    static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
    char name[PATH_BYTES];

    for (size_t i = 0; i < COUNT(tails); i++) {
        must(snprintf(name, sizeof name, "%s%s", path, tails[i]) < PATH_BYTES);
        (void)!erase_drop(name);
    }
}

static enum err make(const struct store *s, const char *id, const char *dir,
                     const char *path, const uint8_t key[32])
{
    char beside[PATH_BYTES];

    must(snprintf(beside, sizeof beside, "%s/.%s.log.db.new", dir, id) <
         PATH_BYTES);
    drop(beside);
    enum err e = fill(s, id, beside, key);
    if (!e && rename(beside, path)) {
        log_error("db: naming %s: errno=%d", path, errno);
        e = ERR_INTERNAL;
    }
    if (e)
        drop(beside);
    return e ? e : key_sync_dir(dir);
}

enum err closed_tenant_log_make(const struct store *s, const char *id,
                                struct closed_tenant_log *out)
{
    char dir[PATH_BYTES], path[PATH_BYTES];
    uint8_t key[32];

    must(tenant_is_id(id));
    must(snprintf(dir, sizeof dir, "%s/retained", store_place(s).dir) <
         PATH_BYTES);
    must(snprintf(path, sizeof path, "%s/%s.log.db", dir, id) < PATH_BYTES);
    *out = (struct closed_tenant_log){-1, -1};
    enum err e = load_key(s, id, ".log", "file:retained", key);
    if (e == ERR_NOT_FOUND)
        return OK; /* without it nothing could be proved of them anyway */
    if (e)
        return e;
    if (mkdir(dir, 0700) && errno != EEXIST)
        e = errno == ENOSPC ? ERR_FULL : ERR_INTERNAL;
    if (!e)
        e = key_sync_dir(store_place(s).dir);
    if (!e && access(path, F_OK))
        e = make(s, id, dir, path, key);
    if (!e)
        e = count(s, path, key, out);
    crypto_wipe(key, sizeof key);
    return e;
}
