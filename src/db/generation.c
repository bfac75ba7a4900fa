/* SPDX-License-Identifier: Apache-2.0 */
/* VACUUM INTO must attach its target, so it runs on a connection of its own
 * (CONN_OWN), as a migration's does; no other place may. */
#include "db/generation.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "db/erase.h"
#include "db/generation_part.h"
#include "db/key.h"
#include "db/room.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 16, KEY_BYTES_MAX = 256 };
#define WRITING ".writing"

const struct part part_of_tenant[PART_COUNT] = {
    {".db", "tenant.db", "", "file:tenant", &migrate_tenant},
    {".access.db", "access.db", ".log", "file:access", &migrate_access},
};
const struct part part_of_control = {".db", "control.db", "", "file:control",
                                     &migrate_control};

void part_name_path(char out[PART_PATH_BYTES], const char *a, const char *b,
                    const char *c, const char *d)
{
    must(snprintf(out, PART_PATH_BYTES, "%s%s%s%s", a, b, c, d) <
         PART_PATH_BYTES);
}

void part_folder(char out[PART_PATH_BYTES], const struct store *s,
                 const char *name)
{
    part_name_path(out, store_place(s).dir, "/backups/", name ? name : WRITING,
                   "");
}

enum err part_errno(const char *doing, const char *path)
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
enum err part_load_key(const struct store *s, const char *folder,
                       const char *name, const char *id, const struct part *p,
                       uint8_t out[32])
{
    char context[64];
    uint8_t key[32];

    if (p == &part_of_control)
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

void part_name_key(char out[PART_KEY_CHARS], const char *id,
                   const struct part *p)
{
    (void)snprintf(out, PART_KEY_CHARS, "%s%s.key", id, p->key_suffix);
}

enum err part_copy_key(const char *from, const char *from_name, const char *to,
                       const char *to_name)
{
    uint8_t bytes[KEY_BYTES_MAX];
    long len = key_read_file(from, from_name, bytes, sizeof bytes);

    if (len < 0)
        return part_errno("reading key", from_name);
    return key_write_file(to, to_name, bytes, (size_t)len, 0600);
}

/* Into a generation being written, which is synced as a whole. */
static enum err copy_key_unsynced(const char *from, const char *from_name,
                                  const char *to, const char *to_name)
{
    uint8_t bytes[KEY_BYTES_MAX];
    char path[PART_PATH_BYTES];
    long len = key_read_file(from, from_name, bytes, sizeof bytes);

    if (len < 0)
        return part_errno("reading key", from_name);
    part_name_path(path, to, "/", to_name, "");
    enum err e = erase_drop(path);
    if (e)
        return e;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return part_errno("writing key", path);
    errno = ENOSPC; /* what a short write means */
    e = write(fd, bytes, (size_t)len) == len ? OK
                                             : part_errno("writing key", path);
    if (close(fd) && !e)
        e = part_errno("writing key", path);
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
    enum err e = is_done ? OK : part_errno("syncing", path);

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
    char path[PART_PATH_BYTES];
    enum err e = d ? OK : part_errno("opening", dir);

    while (!e && (entry = readdir(d))) {
        if (entry->d_name[0] == '.')
            continue;
        part_name_path(path, dir, "/", entry->d_name, "");
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fsync(fd))
            e = part_errno("syncing", path);
        if (fd >= 0)
            (void)close(fd);
    }
    if (d)
        (void)closedir(d);
    return e;
}

/* The copy of a file, and not from what the disk has in reserve. */
static enum err need_room(const struct store *s, const char *from)
{
    struct stat st;

    if (stat(from, &st) || room_is_there(s, st.st_size))
        return OK;
    log_error("db: %s is not copied: the disk has no room besides its reserve",
              from);
    return ERR_FULL;
}

static enum err vacuum_into(const struct conn_place *place, const char *target)
{
    char sql[2 * PART_PATH_BYTES];
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
    char folder[PART_PATH_BYTES], keys[PART_PATH_BYTES], from[PART_PATH_BYTES],
        to[PART_PATH_BYTES];
    char key_name[PART_KEY_CHARS], live_key[PART_KEY_CHARS];
    uint8_t key[32];
    bool is_control = p == &part_of_control;

    part_folder(folder, s, NULL);
    part_name_path(keys, at.dir, "/keys", "", "");
    part_name_path(to, folder, "/", id, p->suffix);
    part_name_path(from, at.dir, is_control ? "/" : "/tenants/",
                   is_control ? "" : id, is_control ? "" : "/");
    must(strlen(from) + strlen(p->live) < PART_PATH_BYTES);
    memcpy(from + strlen(from), p->live, strlen(p->live) + 1);
    part_name_key(key_name, id, p);
    part_name_key(live_key, is_control ? "control" : id, p);
    enum err e = need_room(s, from);
    if (e || (e = part_load_key(s, keys, live_key, id, p, key)))
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
        return &part_of_control;
    return strcmp(suffix, part_of_tenant[1].suffix) == 0 ? &part_of_tenant[1]
                                                         : &part_of_tenant[0];
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
    char path[PART_PATH_BYTES], wal[PART_PATH_BYTES];
    int64_t now_s = clock_now_us() / 1000000;
    struct stat db, log;

    out[0] = 0;
    part_name_path(path, store_place(s).dir, "/tenants/", id, "/");
    memcpy(wal, path, sizeof wal);
    part_name_path(path, wal, part_of(id, suffix)->live, "", "");
    part_name_path(wal, path, "-wal", "", "");
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
    char old[PART_PATH_BYTES], folder[PART_PATH_BYTES], keys[PART_PATH_BYTES];
    char a[PART_PATH_BYTES], b[PART_PATH_BYTES], key[PART_KEY_CHARS];
    uint8_t opens[32];
    struct stat st;

    part_folder(old, s, from);
    part_folder(folder, s, NULL);
    part_name_path(keys, store_place(s).dir, "/keys", "", "");
    part_name_path(a, old, "/", id, p->suffix);
    part_name_path(b, folder, "/", id, p->suffix);
    part_name_key(key, id, p);
    /* the file did not change; its key may have been damaged or lost */
    enum err e = part_load_key(s, keys, key, id, p, opens);
    crypto_wipe(opens, sizeof opens);
    if (e)
        return e;
    if (link(a, b) || stat(b, &st))
        return part_errno("linking", a);
    *bytes += st.st_size;
    return copy_key_unsynced(keys, key, folder, key);
}

/* ---- generations ---- */

enum err part_remove_folder(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;
    enum err e = OK;

    if (!d)
        return errno == ENOENT ? OK : part_errno("opening", dir);
    while ((entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        enum err failed = erase_drop_at(dirfd(d), entry->d_name);
        e = e ? e : failed;
    }
    (void)closedir(d);
    if (!e && rmdir(dir))
        e = part_errno("removing", dir);
    return e;
}

enum err part_make_folder(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST
               ? OK
               : part_errno("making folder", path);
}

/* "2026-11-24.old" is left when sealing was killed: between its two renames
 * it is the only one of its day. */
static enum err settle_old(const char *all, const char *name)
{
    char old[PART_PATH_BYTES], day[PART_PATH_BYTES];
    size_t len = strlen(name);

    if (len <= 4 || strcmp(name + len - 4, ".old") != 0)
        return OK;
    part_name_path(old, all, "/", name, "");
    memcpy(day, old, sizeof day);
    day[strlen(day) - 4] = 0;
    if (access(day, F_OK) == 0)
        return part_remove_folder(old);
    return rename(old, day) ? part_errno("putting back", day) : OK;
}

static enum err settle(const char *all)
{
    const struct dirent *entry;
    DIR *d = opendir(all);
    enum err e = d ? OK : part_errno("opening", all);

    while (!e && (entry = readdir(d)))
        e = settle_old(all, entry->d_name);
    if (d)
        (void)closedir(d);
    return e;
}

enum err generation_begin(const struct store *s)
{
    char all[PART_PATH_BYTES], folder[PART_PATH_BYTES];

    part_name_path(all, store_place(s).dir, "/backups", "", "");
    part_folder(folder, s, NULL);
    enum err e = part_make_folder(all);
    if (!e)
        e = part_remove_folder(folder);
    if (!e)
        e = settle(all);
    return e ? e : part_make_folder(folder);
}

enum err generation_seal(const struct store *s, const char *name,
                         const char *manifest, size_t len)
{
    char all[PART_PATH_BYTES], folder[PART_PATH_BYTES], target[PART_PATH_BYTES];
    char old[PART_PATH_BYTES];

    must(generation_is_name(name));
    part_name_path(all, store_place(s).dir, "/backups", "", "");
    part_folder(folder, s, NULL);
    part_folder(target, s, name);
    part_name_path(old, target, ".old", "", "");
    enum err e = sync_folder(folder);
    if (!e)
        e = key_write_file(folder, "manifest.json", manifest, len, 0600);
    if (!e && rename(target, old) && errno != ENOENT)
        e = part_errno("replacing", target);
    if (!e && rename(folder, target))
        e = part_errno("naming", target);
    if (!e)
        e = key_sync_dir(all);
    return e ? e : part_remove_folder(old);
}

static int newest_first(const void *a, const void *b)
{
    return strcmp(*(const char *const *)b, *(const char *const *)a);
}

size_t generation_list(const struct store *s, struct arena *mem,
                       const char *const **names)
{
    char all[PART_PATH_BYTES];
    const char **list = NULL;
    size_t count = 0, cap = 0;
    const struct dirent *entry;

    part_name_path(all, store_place(s).dir, "/backups", "", "");
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
    char folder[PART_PATH_BYTES];

    must(generation_is_name(name));
    part_folder(folder, s, name);
    return part_remove_folder(folder);
}

bool generation_has_key(const struct store *s, const char *name, const char *id)
{
    char folder[PART_PATH_BYTES], path[PART_PATH_BYTES], key[PART_KEY_CHARS];

    part_folder(folder, s, name);
    part_name_key(key, id, &part_of_tenant[0]);
    part_name_path(path, folder, "/", key, "");
    return access(path, F_OK) == 0;
}

/* 0: it is not there, or nothing is in it. */
static int64_t size_of(const char *folder, const char *a, const char *b)
{
    char path[PART_PATH_BYTES];
    struct stat st;

    part_name_path(path, folder, "/", a, b);
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (int64_t)st.st_size
                                                       : 0;
}

int64_t generation_tenant_bytes(const struct store *s, const char *name,
                                const char *id)
{
    bool is_control = strcmp(id, GENERATION_CONTROL) == 0;
    const struct part *parts = is_control ? &part_of_control : part_of_tenant;
    char folder[PART_PATH_BYTES], key[PART_KEY_CHARS];

    int64_t sum = 0;

    if (!generation_is_name(name))
        return 0;
    part_folder(folder, s, name);
    bool is_whole = size_of(folder, "manifest.json", "") > 0;
    for (int i = 0; i < (is_control ? 1 : PART_COUNT) && is_whole; i++) {
        int64_t bytes = size_of(folder, id, parts[i].suffix);
        part_name_key(key, id, &parts[i]);
        is_whole = bytes > 0 && size_of(folder, key, "") > 0;
        sum += bytes;
    }
    return is_whole ? sum : 0;
}

/* ---- looking at one ---- */

enum err generation_hash(const struct store *s, const char *name,
                         const char *file, uint8_t out[32], int64_t *bytes)
{
    char folder[PART_PATH_BYTES], path[PART_PATH_BYTES];
    static _Thread_local uint8_t chunk[CHUNK_BYTES];
    struct crypto_hash h;
    ssize_t n;

    part_folder(folder, s, name);
    part_name_path(path, folder, "/", file, "");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return part_errno("opening", path);
    *bytes = 0;
    crypto_hash_begin(&h);
    while ((n = read(fd, chunk, sizeof chunk)) > 0) {
        crypto_hash_add(&h, chunk, (size_t)n);
        *bytes += n;
    }
    crypto_hash_end(&h, out);
    enum err e = n < 0 ? part_errno("reading", path) : OK;
    (void)close(fd);
    return e;
}

enum err generation_read_manifest(const struct store *s, const char *name,
                                  struct arena *mem, const char **out)
{
    char folder[PART_PATH_BYTES], path[PART_PATH_BYTES];
    struct stat st;

    part_folder(folder, s, name);
    part_name_path(path, folder, "/manifest.json", "", "");
    if (stat(path, &st))
        return ERR_NOT_FOUND;
    char *text = arena_alloc(mem, (size_t)st.st_size + 1);
    long len = key_read_file(folder, "manifest.json", text, (size_t)st.st_size);
    if (len < 0)
        return part_errno("reading", path);
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

enum err part_look_at(const struct conn_place *place,
                      const struct migrate_plan *plan,
                      struct generation_found *out)
{
    struct db *db = NULL;
    enum err e = access(place->path, F_OK) ? ERR_NOT_FOUND
                                           : conn_open(place, CONN_COPY, &db);

    if (!e && !conn_is_sound(db))
        e = ERR_INTERNAL;
    if (!e)
        e = conn_number(db, "PRAGMA user_version", &out->version);
    if (!e && out->version > plan->version)
        e = ERR_BUSY;
    if (!e)
        e = count_rows(db, &out->rows);
    conn_close(db);
    return e;
}

/* Opening makes a log beside the file: what was copied stays as it was. */
void part_drop_traces(const char *path)
{
    char beside[PART_PATH_BYTES];

    part_name_path(beside, path, "-wal", "", "");
    (void)!erase_drop(beside);
    part_name_path(beside, path, "-shm", "", "");
    (void)!erase_drop(beside);
}

enum err generation_check(const struct store *s, const char *name,
                          const char *id, const char *suffix,
                          struct generation_found *out)
{
    const struct part *p = part_of(id, suffix);
    char folder[PART_PATH_BYTES], path[PART_PATH_BYTES];
    char key_name[PART_KEY_CHARS];
    uint8_t key[32];

    part_folder(folder, s, name);
    part_name_path(path, folder, "/", id, p->suffix);
    part_name_key(key_name, id, p);
    *out = (struct generation_found){.known = p->plan->version};
    enum err e = part_load_key(s, folder, key_name, id, p, key);
    if (e) {
        out->fault =
            e == ERR_NOT_FOUND ? GENERATION_KEY_GONE : GENERATION_KEY_BAD;
        return e;
    }
    const struct conn_place place = {
        .path = path, .vfs = store_place(s).vfs, .key = key};
    e = part_look_at(&place, p->plan, out);
    out->fault =
        e == ERR_NOT_FOUND ? GENERATION_FILE_GONE : GENERATION_FILE_BAD;
    crypto_wipe(key, sizeof key);
    part_drop_traces(path);
    return e;
}
