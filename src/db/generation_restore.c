/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a generation back: everything is written beside, on the disk, before
 * anything gets the name it is found by, so that a full disk or a kill costs
 * nothing that was there. */
#include "base/crypto.h"
#include "base/log.h"
#include "db/erase.h"
#include "db/generation_merge.h"
#include "db/generation_part.h"
#include "db/key.h"
#include "db/tenant_swap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 16 };
/* in a folder that a restore of the whole makes, until it is whole */
#define MARK "/restoring"

static enum err write_all(int fd, const uint8_t *bytes, size_t len,
                          const char *path)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return part_errno("writing", path);
        bytes += n;
        len -= (size_t)n;
    }
    return OK;
}

enum err part_copy_file(const char *from, const char *to)
{
    static _Thread_local uint8_t chunk[CHUNK_BYTES];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum err e = in < 0 || out < 0 ? part_errno("copying to", to) : OK;
    ssize_t n = 0;

    while (!e && (n = read(in, chunk, sizeof chunk)) > 0)
        e = write_all(out, chunk, (size_t)n, to);
    if (!e && (n < 0 || fsync(out)))
        e = part_errno("writing", to);
    if (in >= 0)
        (void)close(in);
    if (out >= 0)
        (void)close(out);
    return e;
}

/* What must not live twice: ways in, whoever was let in to help, work that
 * somebody waited for, and mail that may have gone already. */
static enum err forget(const struct store *s, const char *path,
                       const uint8_t key[32], bool is_tenant)
{
    const struct conn_place place = {
        .path = path, .vfs = store_place(s).vfs, .key = key};
    struct db *db = NULL;
    enum err e = conn_open(&place, CONN_OWN, &db);

    if (!e)
        e = conn_run(db, "DELETE FROM code; DELETE FROM session; DELETE FROM"
                         " link; DELETE FROM mail; DELETE FROM email_change;"
                         " DELETE FROM reset_wish; UPDATE job SET state = 4,"
                         " input = NULL WHERE state < 2");
    if (!e && is_tenant)
        e = conn_run(db, "DELETE FROM token_project; DELETE FROM token;"
                         " UPDATE support SET state = 3, token_hash = NULL,"
                         " ended_at = coalesce(decided_at, asked_at)"
                         " WHERE state < 2");
    if (!e) { /* all of it in the one file before its log goes */
        int rc = sqlite3_wal_checkpoint_v2(
            db->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        e = rc ? conn_fail(db, rc, "checkpoint") : OK;
    }
    conn_close(db);
    if (!e)
        part_drop_traces(path);
    return e;
}

/* The key of a part, wrapped once more under the name it will have. */
static enum err place_key(const struct store *s, const char *folder,
                          const struct generation_aim *aim, const char *keys,
                          const struct part *p)
{
    char name[PART_KEY_CHARS], context[64];
    struct key_ring *wrapping = store_place(s).wrapping;
    struct key_set set;

    part_name_key(name, aim->id, p);
    (void)snprintf(context, sizeof context, "tenant:%s%s", aim->id,
                   p->key_suffix);
    enum err e = key_load_set(folder, name, wrapping, context, &set);
    if (e)
        return e;
    (void)snprintf(name, sizeof name, TENANT_NEW "%s%s.key", aim->as,
                   p->key_suffix);
    (void)snprintf(context, sizeof context, "tenant:%s%s", aim->as,
                   p->key_suffix);
    e = key_keep(keys, name, wrapping, context, &set);
    crypto_wipe(&set, sizeof set);
    return e;
}

static enum err place_file(const struct store *s, const char *folder,
                           const char *id, const char *beside,
                           const struct part *p)
{
    char from[PART_PATH_BYTES], to[PART_PATH_BYTES], name[PART_KEY_CHARS];
    uint8_t key[32];

    part_name_path(from, folder, "/", id, p->suffix);
    part_name_path(to, beside, "/", p->live, "");
    enum err e = part_copy_file(from, to);
    if (e || p != &part_of_tenant[0])
        return e;
    part_name_key(name, id, p);
    if (!(e = part_load_key(s, folder, name, id, p, key)))
        e = forget(s, to, key, true);
    crypto_wipe(key, sizeof key);
    return e;
}

/* Where a restore of the whole is made until all of it is there. */
static void name_part(char out[PART_PATH_BYTES], const char *to)
{
    part_name_path(out, to, ".part", "", "");
}

/* All of it, on the disk, under names that nobody is found by.  The keys
 * first: see tenant_swap_sweep(). */
static enum err place_beside(const struct store *s,
                             const struct generation_aim *aim, const char *data)
{
    char folder[PART_PATH_BYTES], beside[PART_PATH_BYTES];
    char keys[PART_PATH_BYTES];
    enum err e = OK;

    part_folder(folder, s, aim->name);
    part_name_path(keys, data, "/keys", "", "");
    part_name_path(beside, data, "/tenants/" TENANT_NEW, aim->as, "");
    for (size_t i = 0; i < PART_COUNT && !e; i++)
        e = place_key(s, folder, aim, keys, &part_of_tenant[i]);
    if (!e)
        e = part_make_folder(beside);
    for (size_t i = 0; i < PART_COUNT && !e; i++)
        e = place_file(s, folder, aim->id, beside, &part_of_tenant[i]);
    return e ? e : key_sync_dir(beside);
}

enum err generation_restore(const struct store *s,
                            const struct generation_aim *aim)
{
    const char *data = store_place(s).dir;
    char part[PART_PATH_BYTES];

    if (!tenant_is_id(aim->id) || !tenant_is_id(aim->as))
        return ERR_INVALID;
    if (aim->to) {
        name_part(part, aim->to);
        data = part;
    }
    if (!aim->is_over && tenant_swap_is_taken(data, aim->as))
        return ERR_CONFLICT;
    tenant_swap_forget(data, aim->as);
    enum err e = place_beside(s, aim, data);
    if (e) {
        tenant_swap_forget(data, aim->as);
        return e;
    }
    return tenant_swap(data, aim->as, aim->is_over);
}

enum err generation_drop(const struct store *s, const char *as, int64_t *rows)
{
    static const char *const kinds[] = {"", ".log"};
    char dir[PART_PATH_BYTES], path[PART_PATH_BYTES], keys[PART_PATH_BYTES];
    char name[PART_KEY_CHARS];
    struct generation_found found = {.rows = 0};
    uint8_t key[32];

    must(tenant_is_id(as));
    part_name_path(dir, store_place(s).dir, "/tenants/", as, "");
    part_name_path(path, dir, "/tenant.db", "", "");
    part_name_path(keys, store_place(s).dir, "/keys", "", "");
    part_name_key(name, as, &part_of_tenant[0]);
    enum err e = part_load_key(s, keys, name, as, &part_of_tenant[0], key);
    if (!e) {
        const struct conn_place place = {
            .path = path, .vfs = store_place(s).vfs, .key = key};
        e = part_look_at(&place, &migrate_tenant, &found);
        *rows = found.rows;
    }
    crypto_wipe(key, sizeof key);
    enum err removed = part_remove_folder(dir), failed;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        part_name_path(path, keys, "/", as, kinds[i]);
        must(strlen(path) + 5 < PART_PATH_BYTES);
        memcpy(path + strlen(path), ".key", 5);
        failed = erase_drop(path);
        removed = removed ? removed : failed;
    }
    if (!removed)
        removed = key_sync_dir(keys);
    return e ? e : removed;
}

static int remove_any(const char *path, const struct stat *st, int kind,
                      struct FTW *at)
{
    (void)st;
    /* what says whose it is goes last: a kill may come at any moment */
    if (at->level == 0 ||
        (at->level == 1 && strcmp(path + at->base, MARK + 1) == 0))
        return 0;
    return kind == FTW_DP ? rmdir(path) : erase_drop(path) != OK;
}

enum err generation_abandon(const char *to)
{
    char part[PART_PATH_BYTES], mark[PART_PATH_BYTES];

    name_part(part, to);
    part_name_path(mark, part, MARK, "", "");
    if (access(part, F_OK))
        return OK;
    if (access(mark, F_OK)) /* none of ours, unless nothing is in it */
        return rmdir(part) ? ERR_CONFLICT : OK;
    return nftw(part, remove_any, 8, FTW_DEPTH | FTW_PHYS) ||
                   erase_drop(mark) || rmdir(part)
               ? part_errno("removing", part)
               : OK;
}

static enum err make_part(const char *to, char part[PART_PATH_BYTES])
{
    static const char *const folders[] = {"/keys", "/tenants", "/backups"};
    char path[PART_PATH_BYTES];
    enum err e = access(to, F_OK) == 0 ? ERR_CONFLICT : generation_abandon(to);

    name_part(part, to);
    if (!e)
        e = part_make_folder(part);
    if (!e) {
        part_name_path(path, part, MARK, "", "");
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        e = fd < 0 || close(fd) ? part_errno("making", path) : OK;
    }
    for (size_t i = 0; i < COUNT(folders) && !e; i++) {
        part_name_path(path, part, folders[i], "", "");
        e = part_make_folder(path);
    }
    return e;
}

enum err generation_restore_control(const struct store *s, const char *name,
                                    const char *to)
{
    char folder[PART_PATH_BYTES], from[PART_PATH_BYTES];
    char part[PART_PATH_BYTES], target[PART_PATH_BYTES], keys[PART_PATH_BYTES];
    uint8_t key[32];
    enum err e = make_part(to, part);

    if (e)
        return e;
    part_folder(folder, s, name);
    part_name_path(keys, part, "/keys", "", "");
    part_name_path(from, folder, "/" GENERATION_CONTROL ".db", "", "");
    part_name_path(target, part, "/control.db", "", "");
    e = part_copy_file(from, target);
    if (!e)
        e = part_load_key(s, folder, GENERATION_CONTROL ".key",
                          GENERATION_CONTROL, &part_of_control, key);
    if (!e)
        e = forget(s, target, key, false);
    crypto_wipe(key, sizeof key);
    if (!e)
        e = part_copy_key(folder, GENERATION_CONTROL ".key", keys,
                          "control.key");
    return e ? e : part_copy_key(store_place(s).dir, "kind", part, "kind");
}

enum err generation_restore_retained(const struct store *s, const char *to)
{
    char from[PART_PATH_BYTES], part[PART_PATH_BYTES], a[PART_PATH_BYTES];
    char b[PART_PATH_BYTES], id[PART_KEY_CHARS], key[PART_KEY_CHARS];
    const struct dirent *entry;
    enum err e = OK;

    part_name_path(from, store_place(s).dir, "/retained", "", "");
    name_part(part, to);
    DIR *d = opendir(from);
    if (!d)
        return errno == ENOENT ? OK : part_errno("opening", from);
    part_name_path(b, part, "/retained", "", "");
    e = part_make_folder(b);
    while (!e && (entry = readdir(d))) {
        size_t len = strcspn(entry->d_name, ".");
        if (!len || len >= sizeof id - sizeof ".log.key" ||
            strcmp(entry->d_name + len, ".log.db") != 0)
            continue;
        memcpy(id, entry->d_name, len);
        id[len] = 0;
        part_name_key(key, id, &part_of_tenant[1]);
        part_name_path(a, from, "/", entry->d_name, "");
        part_name_path(b, part, "/retained/", entry->d_name, "");
        e = part_copy_file(a, b);
        part_name_path(a, store_place(s).dir, "/keys", "", "");
        part_name_path(b, part, "/keys", "", "");
        if (!e)
            e = part_copy_key(a, key, b, key);
    }
    (void)closedir(d);
    part_name_path(b, part, "/retained", "", "");
    return e ? e : key_sync_dir(b);
}

enum err generation_finish(const char *to)
{
    char part[PART_PATH_BYTES], path[PART_PATH_BYTES];

    name_part(part, to);
    enum err e = key_sync_dir(part);
    if (!e && rename(part, to))
        e = part_errno("naming", to);
    part_name_path(path, to, MARK, "", "");
    if (!e)
        e = erase_drop(path);
    part_name_path(path, to, "/..", "", "");
    return e ? e : key_sync_dir(path);
}
