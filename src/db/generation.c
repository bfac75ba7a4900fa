/* SPDX-License-Identifier: Apache-2.0 */
/* VACUUM INTO must attach its target, so it runs on a connection of its own
 * (CONN_OWN), as a migration's does; no other place may. */
#include "db/generation.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "db/conn.h"
#include "db/key.h"
#include "db/migrate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_BYTES = 4096,
    CHUNK_BYTES = 1 << 16,
    KEY_BYTES_MAX = 256,
    KEY_NAME_MAX = 64
};
#define WRITING ".writing"

/* The two files of a tenant, and what opens them. */
struct part {
    const char *suffix, *live, *key_suffix, *label;
    const struct migrate_plan *plan;
};
static const struct part parts[] = {
    {".db",        "tenant.db", "",     "file:tenant", &migrate_tenant},
    {".access.db", "access.db", ".log", "file:access", &migrate_access},
};
static const struct part control_part = {".db", "control.db", "",
                                         "file:control", &migrate_control};

static void name_path(char out[PATH_BYTES], const char *a, const char *b,
                      const char *c, const char *d)
{
    must(snprintf(out, PATH_BYTES, "%s%s%s%s", a, b, c, d) < PATH_BYTES);
}

static void folder_of(char out[PATH_BYTES], const struct store *s,
                      const char *name)
{
    name_path(out, store_place(s).dir, "/backups/", name ? name : WRITING, "");
}

static enum err of_errno(const char *doing, const char *path)
{
    log_error("db: %s %s: errno=%d", doing, path, errno);
    return errno == ENOSPC || errno == EDQUOT ? ERR_FULL
           : errno == ENOENT                  ? ERR_NOT_FOUND
                                              : ERR_INTERNAL;
}

bool generation_is_name(const char *name)
{
    static const char shape[] = "0000-00-00";

    if (!name || strlen(name) != sizeof shape - 1)
        return false;
    for (size_t i = 0; shape[i]; i++)
        if (shape[i] == '-' ? name[i] != '-' : name[i] < '0' || name[i] > '9')
            return false;
    return true;
}

/* ---- keys ---- */

/* The key of a file, wrapped in folder/name, as its owner's context opens it. */
static enum err load_key(const struct store *s, const char *folder,
                         const char *name, const char *id, const struct part *p,
                         uint8_t out[32])
{
    char context[64];
    uint8_t key[32];

    if (p == &control_part)
        (void)snprintf(context, sizeof context, "control");
    else
        (void)snprintf(context, sizeof context, "tenant:%s%s", id,
                       p->key_suffix);
    enum err e = key_load(folder, name, store_place(s).wrapping, context, key);
    if (!e)
        crypto_derive(key, p->label, out);
    crypto_wipe(key, sizeof key);
    return e;
}

static void name_key(char out[KEY_NAME_MAX], const char *id,
                     const struct part *p)
{
    (void)snprintf(out, KEY_NAME_MAX, "%s%s.key", id, p->key_suffix);
}

static enum err copy_key(const char *from, const char *from_name,
                         const char *to, const char *to_name)
{
    uint8_t bytes[KEY_BYTES_MAX];
    long len = key_read_file(from, from_name, bytes, sizeof bytes);

    if (len < 0)
        return of_errno("reading key", from_name);
    return key_write_file(to, to_name, bytes, (size_t)len, 0600);
}

/* Into a generation being written, which is synced as a whole. */
static enum err copy_key_unsynced(const char *from, const char *from_name,
                                  const char *to, const char *to_name)
{
    uint8_t bytes[KEY_BYTES_MAX];
    char path[PATH_BYTES];
    long len = key_read_file(from, from_name, bytes, sizeof bytes);

    if (len < 0)
        return of_errno("reading key", from_name);
    name_path(path, to, "/", to_name, "");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return of_errno("writing key", path);
    enum err e = write(fd, bytes, (size_t)len) == len
                     ? OK
                     : of_errno("writing key", path);
    if (close(fd) && !e)
        e = of_errno("writing key", path);
    return e;
}

/* ---- copying ---- */

/* Sends the bytes on their way to the disk, which is waited for only when
 * the generation gets its name: one wait for all, and no burst at the end that
 * a writer's own sync would stand behind. */
static enum err begin_sync(const char *path, int64_t *bytes)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_done = fd >= 0 && fstat(fd, &st) == 0;
    enum err e = is_done ? OK : of_errno("syncing", path);

    if (is_done) {
        (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
        *bytes += st.st_size;
    }
    if (fd >= 0)
        (void)close(fd);
    return e;
}

static enum err sync_folder(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;
    char path[PATH_BYTES];
    enum err e = d ? OK : of_errno("opening", dir);

    while (!e && (entry = readdir(d))) {
        if (entry->d_name[0] == '.')
            continue;
        name_path(path, dir, "/", entry->d_name, "");
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fsync(fd))
            e = of_errno("syncing", path);
        if (fd >= 0)
            (void)close(fd);
    }
    if (d)
        (void)closedir(d);
    return e;
}

static enum err vacuum_into(const struct conn_place *place, const char *target)
{
    char sql[2 * PATH_BYTES];
    struct db *db = NULL;
    enum err e = conn_open(place, CONN_OWN, &db);

    if (!e) {
        sqlite3_snprintf(sizeof sql, sql,
                         "PRAGMA synchronous = OFF; VACUUM INTO %Q", target);
        e = conn_run(db, sql);
        /* closing may fold the log of a file nobody else has open */
        must(conn_run(db, "PRAGMA synchronous = FULL") == OK);
    }
    conn_close(db);
    return e;
}

static enum err copy_part(const struct store *s, const char *id,
                          const struct part *p, int64_t *bytes)
{
    struct store_place at = store_place(s);
    char folder[PATH_BYTES], keys[PATH_BYTES], from[PATH_BYTES], to[PATH_BYTES];
    char key_name[KEY_NAME_MAX], live_key[KEY_NAME_MAX];
    uint8_t key[32];
    bool is_control = p == &control_part;

    folder_of(folder, s, NULL);
    name_path(keys, at.dir, "/keys", "", "");
    name_path(to, folder, "/", id, p->suffix);
    name_path(from, at.dir, is_control ? "/" : "/tenants/",
              is_control ? "" : id, is_control ? "" : "/");
    must(strlen(from) + strlen(p->live) < PATH_BYTES);
    memcpy(from + strlen(from), p->live, strlen(p->live) + 1);
    name_key(key_name, id, p);
    name_key(live_key, is_control ? "control" : id, p);
    enum err e = load_key(s, keys, live_key, id, p, key);
    if (e)
        return e;
    const struct conn_place place = {.path = from,
                                     .vfs = at.vfs,
                                     .key = key,
                                     .is_relaxed = p->plan == &migrate_access};
    e = vacuum_into(&place, to);
    crypto_wipe(key, sizeof key);
    if (!e)
        e = begin_sync(to, bytes);
    return e ? e : copy_key_unsynced(keys, live_key, folder, key_name);
}

static const struct part *part_of(const char *id, const char *suffix)
{
    if (strcmp(id, GENERATION_CONTROL) == 0)
        return &control_part;
    return strcmp(suffix, parts[1].suffix) == 0 ? &parts[1] : &parts[0];
}

enum err generation_copy(const struct store *s, const char *id,
                         const char *suffix, int64_t *bytes)
{
    must(strcmp(id, GENERATION_CONTROL) == 0 || tenant_is_id(id));
    return copy_part(s, id, part_of(id, suffix), bytes);
}

/* ---- what did not change ---- */

enum { QUIET_S = 2 }; /* coarser than any file system's clock */

static bool look_at_file(const char *path, int64_t now_s, struct stat *st)
{
    if (stat(path, st)) {
        memset(st, 0, sizeof *st);
        return errno == ENOENT;
    }
    return st->st_mtim.tv_sec + QUIET_S < now_s;
}

void generation_look(const struct store *s, const char *id, const char *suffix,
                     char out[GENERATION_SEEN_CHARS])
{
    char path[PATH_BYTES], wal[PATH_BYTES];
    int64_t now_s = clock_now_us() / 1000000;
    struct stat db, log;

    out[0] = 0;
    name_path(path, store_place(s).dir, "/tenants/", id, "/");
    memcpy(wal, path, sizeof wal);
    name_path(path, wal, part_of(id, suffix)->live, "", "");
    name_path(wal, path, "-wal", "", "");
    if (look_at_file(path, now_s, &db) && look_at_file(wal, now_s, &log) &&
        db.st_ino)
        (void)snprintf(out, GENERATION_SEEN_CHARS,
                       "%lld.%09ld.%lld.%llu.%lld.%09ld.%lld.%llu",
                       (long long)db.st_mtim.tv_sec, db.st_mtim.tv_nsec,
                       (long long)db.st_size, (unsigned long long)db.st_ino,
                       (long long)log.st_mtim.tv_sec, log.st_mtim.tv_nsec,
                       (long long)log.st_size, (unsigned long long)log.st_ino);
}

enum err generation_reuse(const struct store *s, const char *from,
                          const char *id, const char *suffix, int64_t *bytes)
{
    const struct part *p = part_of(id, suffix);
    char old[PATH_BYTES], folder[PATH_BYTES], keys[PATH_BYTES];
    char a[PATH_BYTES], b[PATH_BYTES], key[KEY_NAME_MAX];
    struct stat st;

    folder_of(old, s, from);
    folder_of(folder, s, NULL);
    name_path(keys, store_place(s).dir, "/keys", "", "");
    name_path(a, old, "/", id, p->suffix);
    name_path(b, folder, "/", id, p->suffix);
    name_key(key, id, p);
    if (link(a, b) || stat(b, &st))
        return of_errno("linking", a);
    *bytes += st.st_size;
    return copy_key_unsynced(keys, key, folder, key);
}

/* ---- generations ---- */

static enum err remove_folder(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;
    char path[PATH_BYTES];
    enum err e = OK;

    if (!d)
        return errno == ENOENT ? OK : of_errno("opening", dir);
    while ((entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        name_path(path, dir, "/", entry->d_name, "");
        if (unlink(path))
            e = of_errno("removing", path);
    }
    (void)closedir(d);
    if (!e && rmdir(dir))
        e = of_errno("removing", dir);
    return e;
}

static enum err make_folder(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST
               ? OK
               : of_errno("making folder", path);
}

enum err generation_begin(const struct store *s)
{
    char all[PATH_BYTES], folder[PATH_BYTES];

    name_path(all, store_place(s).dir, "/backups", "", "");
    folder_of(folder, s, NULL);
    enum err e = make_folder(all);
    if (!e)
        e = remove_folder(folder);
    return e ? e : make_folder(folder);
}

enum err generation_seal(const struct store *s, const char *name,
                         const char *manifest, size_t len)
{
    char all[PATH_BYTES], folder[PATH_BYTES], target[PATH_BYTES];
    char old[PATH_BYTES];

    must(generation_is_name(name));
    name_path(all, store_place(s).dir, "/backups", "", "");
    folder_of(folder, s, NULL);
    folder_of(target, s, name);
    name_path(old, target, ".old", "", "");
    enum err e = sync_folder(folder);
    if (!e)
        e = key_write_file(folder, "manifest.json", manifest, len, 0600);
    if (!e && rename(target, old) && errno != ENOENT)
        e = of_errno("replacing", target);
    if (!e && rename(folder, target))
        e = of_errno("naming", target);
    if (!e)
        e = key_sync_dir(all);
    return e ? e : remove_folder(old);
}

static int newest_first(const void *a, const void *b)
{
    return strcmp(*(const char *const *)b, *(const char *const *)a);
}

size_t generation_list(const struct store *s, struct arena *mem,
                       const char *const **names)
{
    char all[PATH_BYTES];
    const char **list = NULL;
    size_t count = 0, cap = 0;
    const struct dirent *entry;

    name_path(all, store_place(s).dir, "/backups", "", "");
    DIR *d = opendir(all);
    while (d && (entry = readdir(d))) {
        if (!generation_is_name(entry->d_name))
            continue;
        if (count == cap) {
            cap = cap ? 2 * cap : 16;
            const char **more = arena_array(mem, const char *, cap);
            if (count)
                memcpy(more, list, count * sizeof *list);
            list = more;
        }
        list[count++] = arena_strdup(mem, entry->d_name);
    }
    if (d)
        (void)closedir(d);
    if (count)
        qsort(list, count, sizeof *list, newest_first);
    *names = list;
    return count;
}

enum err generation_remove(const struct store *s, const char *name)
{
    char folder[PATH_BYTES];

    must(generation_is_name(name));
    folder_of(folder, s, name);
    return remove_folder(folder);
}

bool generation_has_key(const struct store *s, const char *name, const char *id)
{
    char folder[PATH_BYTES], path[PATH_BYTES], key[KEY_NAME_MAX];

    folder_of(folder, s, name);
    name_key(key, id, &parts[0]);
    name_path(path, folder, "/", key, "");
    return access(path, F_OK) == 0;
}

/* ---- looking at one ---- */

enum err generation_hash(const struct store *s, const char *name,
                         const char *file, uint8_t out[32], int64_t *bytes)
{
    char folder[PATH_BYTES], path[PATH_BYTES];
    static _Thread_local uint8_t chunk[CHUNK_BYTES];
    struct crypto_hash h;
    ssize_t n;

    folder_of(folder, s, name);
    name_path(path, folder, "/", file, "");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return of_errno("opening", path);
    *bytes = 0;
    crypto_hash_begin(&h);
    while ((n = read(fd, chunk, sizeof chunk)) > 0) {
        crypto_hash_add(&h, chunk, (size_t)n);
        *bytes += n;
    }
    crypto_hash_end(&h, out);
    enum err e = n < 0 ? of_errno("reading", path) : OK;
    (void)close(fd);
    return e;
}

enum err generation_read_manifest(const struct store *s, const char *name,
                                  struct arena *mem, const char **out)
{
    char folder[PATH_BYTES], path[PATH_BYTES];
    struct stat st;

    folder_of(folder, s, name);
    name_path(path, folder, "/manifest.json", "", "");
    if (stat(path, &st))
        return ERR_NOT_FOUND;
    char *text = arena_alloc(mem, (size_t)st.st_size + 1);
    long len = key_read_file(folder, "manifest.json", text, (size_t)st.st_size);
    if (len < 0)
        return of_errno("reading", path);
    *out = text;
    return OK;
}

/* All rows of all tables, virtual ones and SQLite's own aside. */
static enum err count_rows(struct db *db, int64_t *rows)
{
    static const char tables[] =
        "SELECT name FROM pragma_table_list WHERE schema = 'main'"
        " AND type = 'table' AND name NOT LIKE 'sqlite_%'"
        " AND name NOT LIKE 'ticket_search_%'";
    sqlite3_stmt *q = NULL;
    char sql[256];
    int rc = sqlite3_prepare_v2(db->sqlite, tables, -1, &q, NULL);
    enum err e = rc ? conn_fail(db, rc, "listing tables") : OK;

    *rows = 0;
    while (!e && sqlite3_step(q) == SQLITE_ROW) {
        int64_t n = 0;
        sqlite3_snprintf(sizeof sql, sql, "SELECT count(*) FROM \"%w\"",
                         sqlite3_column_text(q, 0));
        e = conn_number(db, sql, &n);
        *rows += n;
    }
    (void)sqlite3_finalize(q);
    return e;
}

static enum err look_at(const struct conn_place *place,
                        const struct migrate_plan *plan, int64_t *rows)
{
    struct db *db = NULL;
    int64_t version = 0;
    enum err e = access(place->path, F_OK) ? ERR_NOT_FOUND
                                           : conn_open(place, CONN_COPY, &db);

    if (!e && !conn_is_sound(db))
        e = ERR_INTERNAL;
    if (!e)
        e = conn_number(db, "PRAGMA user_version", &version);
    if (!e && version > plan->version)
        e = ERR_BUSY;
    if (!e)
        e = count_rows(db, rows);
    conn_close(db);
    return e;
}

/* Opening makes a log beside the file: what was copied stays as it was. */
static void drop_traces(const char *path)
{
    char beside[PATH_BYTES];

    name_path(beside, path, "-wal", "", "");
    (void)unlink(beside);
    name_path(beside, path, "-shm", "", "");
    (void)unlink(beside);
}

enum err generation_check(const struct store *s, const char *name,
                          const char *id, const char *suffix, int64_t *rows)
{
    const struct part *p = part_of(id, suffix);
    char folder[PATH_BYTES], path[PATH_BYTES];
    char key_name[KEY_NAME_MAX];
    uint8_t key[32];

    folder_of(folder, s, name);
    name_path(path, folder, "/", id, p->suffix);
    name_key(key_name, id, p);
    enum err e = load_key(s, folder, key_name, id, p, key);
    if (e)
        return e;
    const struct conn_place place = {
        .path = path, .vfs = store_place(s).vfs, .key = key};
    e = look_at(&place, p->plan, rows);
    crypto_wipe(key, sizeof key);
    drop_traces(path);
    return e;
}

/* ---- restoring ---- */

static enum err copy_file(const char *from, const char *to)
{
    static _Thread_local uint8_t chunk[CHUNK_BYTES];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum err e = in < 0 || out < 0 ? of_errno("copying to", to) : OK;
    ssize_t n = 0;

    while (!e && (n = read(in, chunk, sizeof chunk)) > 0)
        if (write(out, chunk, (size_t)n) != n)
            e = of_errno("writing", to);
    if (!e && (n < 0 || fsync(out)))
        e = of_errno("writing", to);
    if (in >= 0)
        (void)close(in);
    if (out >= 0)
        (void)close(out);
    return e;
}

/* What must not live twice: ways in, and mail that may have gone already. */
static enum err forget(const struct store *s, const char *path,
                       const uint8_t key[32], bool is_tenant)
{
    const struct conn_place place = {
        .path = path, .vfs = store_place(s).vfs, .key = key};
    struct db *db = NULL;
    enum err e = conn_open(&place, CONN_OWN, &db);

    if (!e)
        e = conn_run(db, "DELETE FROM code; DELETE FROM session; DELETE FROM"
                         " link; DELETE FROM mail");
    if (!e && is_tenant)
        e = conn_run(db, "DELETE FROM token_project; DELETE FROM token");
    conn_close(db);
    if (!e)
        drop_traces(path);
    return e;
}

static enum err place_part(const struct store *s, const char *folder,
                           const char *id, const char *as, const char *beside,
                           const char *keys, const struct part *p)
{
    char from[PATH_BYTES], to[PATH_BYTES], name[64], context[64];
    const uint8_t *wrapping = store_place(s).wrapping;
    uint8_t key[32], file_key[32];

    name_path(from, folder, "/", id, p->suffix);
    name_path(to, beside, "/", p->live, "");
    (void)snprintf(name, sizeof name, "%s%s.key", id, p->key_suffix);
    (void)snprintf(context, sizeof context, "tenant:%s%s", id, p->key_suffix);
    enum err e = key_load(folder, name, wrapping, context, key);
    if (e)
        return e;
    if (!(e = copy_file(from, to)) && p == &parts[0]) {
        crypto_derive(key, p->label, file_key);
        e = forget(s, to, file_key, true);
        crypto_wipe(file_key, sizeof file_key);
    }
    (void)snprintf(name, sizeof name, "%s%s.key", as, p->key_suffix);
    (void)snprintf(context, sizeof context, "tenant:%s%s", as, p->key_suffix);
    if (!e)
        e = key_keep(keys, name, wrapping, context, key);
    crypto_wipe(key, sizeof key);
    return e;
}

enum err generation_restore(const struct store *s, const char *name,
                            const char *id, const char *as, const char *to)
{
    char folder[PATH_BYTES], dir[PATH_BYTES], beside[PATH_BYTES];
    char keys[PATH_BYTES], tenants[PATH_BYTES];
    const char *data = to ? to : store_place(s).dir;
    int64_t rows;
    enum err e = OK;

    if (!tenant_is_id(id) || !tenant_is_id(as))
        return ERR_INVALID;
    folder_of(folder, s, name);
    name_path(tenants, data, "/tenants", "", "");
    name_path(keys, data, "/keys", "", "");
    name_path(dir, tenants, "/", as, "");
    name_path(beside, tenants, "/.new-", as, "");
    if (access(dir, F_OK) == 0)
        return ERR_CONFLICT;
    for (size_t i = 0; i < COUNT(parts) && !e; i++)
        e = generation_check(s, name, id, parts[i].suffix, &rows);
    if (!e)
        e = remove_folder(beside);
    if (!e)
        e = make_folder(beside);
    for (size_t i = 0; i < COUNT(parts) && !e; i++)
        e = place_part(s, folder, id, as, beside, keys, &parts[i]);
    if (!e)
        e = key_sync_dir(beside);
    if (!e && rename(beside, dir))
        e = of_errno("naming", dir);
    if (e)
        (void)!remove_folder(beside);
    return e ? e : key_sync_dir(tenants);
}

enum err generation_drop(const struct store *s, const char *as, int64_t *rows)
{
    static const char *const kinds[] = {"", ".log"};
    char dir[PATH_BYTES], path[PATH_BYTES], keys[PATH_BYTES];
    char name[KEY_NAME_MAX];
    uint8_t key[32];

    must(tenant_is_id(as));
    name_path(dir, store_place(s).dir, "/tenants/", as, "");
    name_path(path, dir, "/tenant.db", "", "");
    name_path(keys, store_place(s).dir, "/keys", "", "");
    name_key(name, as, &parts[0]);
    enum err e = load_key(s, keys, name, as, &parts[0], key);
    if (!e) {
        const struct conn_place place = {
            .path = path, .vfs = store_place(s).vfs, .key = key};
        e = look_at(&place, &migrate_tenant, rows);
    }
    crypto_wipe(key, sizeof key);
    enum err removed = remove_folder(dir);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        name_path(path, keys, "/", as, kinds[i]);
        must(strlen(path) + 5 < PATH_BYTES);
        memcpy(path + strlen(path), ".key", 5);
        (void)unlink(path);
    }
    return e ? e : removed;
}

enum err generation_restore_control(const struct store *s, const char *name,
                                    const char *to)
{
    static const char *const folders[] = {"", "/keys", "/tenants", "/backups"};
    char folder[PATH_BYTES], from[PATH_BYTES], target[PATH_BYTES];
    char keys[PATH_BYTES];
    uint8_t key[32];
    int64_t rows;
    enum err e = generation_check(s, name, GENERATION_CONTROL, ".db", &rows);

    if (e)
        return e;
    if (access(to, F_OK) == 0)
        return ERR_CONFLICT;
    for (size_t i = 0; i < COUNT(folders) && !e; i++) {
        name_path(target, to, folders[i], "", "");
        e = make_folder(target);
    }
    folder_of(folder, s, name);
    name_path(keys, to, "/keys", "", "");
    name_path(from, folder, "/" GENERATION_CONTROL ".db", "", "");
    name_path(target, to, "/control.db", "", "");
    if (!e)
        e = copy_file(from, target);
    if (!e)
        e = load_key(s, folder, GENERATION_CONTROL ".key", GENERATION_CONTROL,
                     &control_part, key);
    if (!e)
        e = forget(s, target, key, false);
    crypto_wipe(key, sizeof key);
    if (!e)
        e = copy_key(folder, GENERATION_CONTROL ".key", keys, "control.key");
    return e ? e : copy_key(store_place(s).dir, "kind", to, "kind");
}

enum err generation_set_aside(const struct store *s, const char *id,
                              bool is_back)
{
    static const char *const kinds[] = {"", ".log"};
    char from[PATH_BYTES], to[PATH_BYTES], keys[PATH_BYTES];
    char name[64], aside[64];
    enum err e = OK;

    must(tenant_is_id(id));
    name_path(from, store_place(s).dir, "/tenants/", id, "");
    name_path(to, store_place(s).dir, "/tenants/.replaced-", id, "");
    name_path(keys, store_place(s).dir, "/keys", "", "");
    if (!is_back && (e = remove_folder(to)))
        return e;
    if (is_back && (e = remove_folder(from)))
        return e;
    if (rename(is_back ? to : from, is_back ? from : to))
        return of_errno("setting aside", from);
    /* from now on its age counts, see leftover.h */
    (void)utimensat(AT_FDCWD, is_back ? from : to, NULL, 0);
    for (size_t i = 0; i < COUNT(kinds) && !e; i++) {
        (void)snprintf(name, sizeof name, "%s%s.key", id, kinds[i]);
        (void)snprintf(aside, sizeof aside, ".replaced-%s%s.key", id, kinds[i]);
        e = is_back ? copy_key(keys, aside, keys, name)
                    : copy_key(keys, name, keys, aside);
    }
    return e;
}
