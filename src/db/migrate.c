/* SPDX-License-Identifier: Apache-2.0 */
/* schema.sql is the truth for a new file; an older one is led there by steps
 * of SQL, all in one transaction, after a snapshot.  VACUUM INTO must attach
 * its target, which is why the work is done on a connection of its own. */
#include "db/migrate.h"

#include "base/asset.h"
#include "base/crypto.h"
#include "base/log.h"
#include "db/erase.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { TEXT_MAX = 4096 };

static const char section_mark[] = "-- section: ";

/* "-- section: tenant control": whether the line names this kind. */
static bool names_kind(const char *line, const char *kind)
{
    size_t len = strlen(kind);

    while (*line && *line != '\n') {
        size_t word = strcspn(line, " \n");
        if (word == len && strncmp(line, kind, len) == 0)
            return true;
        line += word + (line[word] == ' ');
    }
    return false;
}

char *migrate_sections(const char *schema, const char *kind)
{
    char *out = calloc(1, strlen(schema) + 1);
    size_t len = 0;
    const char *at = schema;

    must(out);
    while ((at = strstr(at, section_mark))) {
        at += strlen(section_mark);
        const char *end = strstr(at, section_mark);
        const char *from = at + strcspn(at, "\n");
        size_t size = end ? (size_t)(end - from) : strlen(from);
        if (!names_kind(at, kind))
            continue;
        memcpy(out + len, from, size);
        len += size;
    }
    out[len] = 0;
    return out;
}

/* What the tables of a version are, in 31 bits: kept in application_id, so
 * that a file of a build between two versions is known for what it is. */
static int64_t fingerprint(const char *kind)
{
    char *sql = migrate_sections(schema_sql, kind);
    uint8_t hash[32];
    size_t len = 0;

    for (const char *p = sql; *p;) { /* comments and blanks are no tables */
        const char *end = p + strcspn(p, "\n");
        for (const char *q = p; q < end && strncmp(q, "--", 2) != 0; q++)
            if (*q != ' ')
                sql[len++] = *q;
        p = end + (*end == '\n');
    }
    crypto_sha256(sql, len, hash);
    free(sql);
    return len ? (int64_t)(hash[0] & 0x7f) << 24 | hash[1] << 16 |
                     hash[2] << 8 | hash[3] | 1
               : 0;
}

int64_t migrate_fingerprint(const struct migrate_plan *plan)
{
    return fingerprint(plan->section);
}

static enum err set_version(struct db *db, const struct migrate_plan *plan)
{
    char text[96];

    (void)snprintf(text, sizeof(text),
                   "PRAGMA user_version = %d; PRAGMA application_id = %lld",
                   plan->version, (long long)fingerprint(plan->section));
    return conn_run(db, text);
}

enum err migrate_check(struct db *db, const struct migrate_plan *plan)
{
    int64_t found = 0, wanted = fingerprint(plan->section);
    enum err e = conn_number(db, "PRAGMA application_id", &found);

    if (e || !wanted || found == wanted)
        return e;
    log_error("db: file=%s was made by a build before the release of version"
              " %d: open it with that build and export it",
              db->place->path, plan->version);
    return ERR_BUSY;
}

static enum err commit_or_undo(struct db *db, enum err e)
{
    if (!e)
        e = conn_run(db, "COMMIT");
    if (e && !sqlite3_get_autocommit(db->sqlite))
        (void)conn_control(db, CONTROL_ROLLBACK);
    return e;
}

enum err migrate_create(struct db *db, const struct migrate_plan *plan)
{
    char *sql = migrate_sections(schema_sql, plan->section);
    enum err e = conn_run(db, "BEGIN IMMEDIATE");
    must(*sql);
    if (!e)
        e = conn_run(db, sql);
    if (!e)
        e = set_version(db, plan);
    free(sql);
    return commit_or_undo(db, e);
}

/* ---- older files ---- */

static enum err sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_done = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    return is_done ? OK : ERR_INTERNAL;
}

/* A checked copy, encrypted under the same key. */
static enum err take_snapshot(struct db *db, int64_t version)
{
    char path[TEXT_MAX], sql[2 * TEXT_MAX];
    struct conn_place place = *db->place;
    struct db *copy = NULL;

    (void)snprintf(path, sizeof(path), "%s.before-%lld", place.path,
                   (long long)version);
    if (access(path, F_OK) == 0)
        log_warn("db: an older snapshot is replaced, file=%s", path);
    if (erase_drop(path))
        return ERR_INTERNAL;
    sqlite3_snprintf(sizeof(sql), sql, "VACUUM INTO %Q", path);
    enum err e = conn_run(db, sql);
    if (!e) {
        place.path = path;
        e = conn_open(&place, CONN_OWN, &copy);
        if (!e && !conn_is_sound(copy))
            e = ERR_INTERNAL;
        conn_close(copy);
    }
    if (!e)
        e = sync_file(path);
    if (e)
        (void)!erase_drop(path); /* half of one helps nobody */
    return e;
}

/* The snapshot, and as much again for what the steps write. */
static enum err need_room(struct db *db)
{
    struct statvfs fs;
    int64_t bytes = 0;
    enum err e = conn_number(db,
                             "SELECT page_count * page_size FROM"
                             " pragma_page_count, pragma_page_size",
                             &bytes);

    if (e || statvfs(db->place->path, &fs))
        return e;
    return (int64_t)fs.f_bavail * (int64_t)fs.f_frsize < 2 * bytes ? ERR_FULL
                                                                   : OK;
}

static enum err take_steps(struct db *db, const struct migrate_plan *plan,
                           int64_t version)
{
    int64_t broken = 0;
    /* tables are rebuilt with references open; all are checked at the end */
    enum err e = conn_run(db, "PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE");

    for (size_t i = 0; !e && i < plan->count; i++) {
        if (plan->steps[i].from != version)
            continue;
        e = conn_run(db, plan->steps[i].sql);
        version++;
    }
    if (!e && version != plan->version)
        e = ERR_INTERNAL;
    if (!e)
        e = conn_number(db, "SELECT count(*) FROM pragma_foreign_key_check",
                        &broken);
    if (!e && broken)
        e = ERR_INTERNAL;
    if (!e)
        e = set_version(db, plan);
    return commit_or_undo(db, e);
}

static enum err upgrade(struct db *db, const struct migrate_plan *plan)
{
    int64_t version;
    enum err e = conn_number(db, "PRAGMA user_version", &version);

    if (e || version == plan->version)
        return e;
    if (version > plan->version || version < 1) {
        log_error("db: file=%s is of version %lld, this program knows %d:"
                  " install the yagura that wrote it (or a newer one), or"
                  " restore a backup that is older (yagura backup restore)",
                  db->place->path, (long long)version, plan->version);
        return ERR_BUSY;
    }
    e = need_room(db);
    if (!e)
        e = take_snapshot(db, version);
    if (!e)
        e = take_steps(db, plan, version);
    if (e == ERR_FULL) {
        log_error("db: no space left to migrate file=%s from=%lld to=%d: it is"
                  " as it was; make room for twice its size, then it is tried"
                  " again",
                  db->place->path, (long long)version, plan->version);
        return e;
    }
    if (e) {
        log_error("db: set aside, migration failed, file=%s from=%lld to=%d:"
                  " it is as it was; go back to the yagura before this one",
                  db->place->path, (long long)version, plan->version);
        return ERR_BUSY;
    }
    log_info("db: migrated file=%s from=%lld to=%d", db->place->path,
             (long long)version, plan->version);
    return OK;
}

enum err migrate_file(const struct conn_place *place,
                      const struct migrate_plan *plan)
{
    struct db *db = NULL;
    enum err e = conn_open(place, CONN_OWN, &db);

    if (!e)
        e = upgrade(db, plan);
    conn_close(db);
    return e;
}
