/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a generation back: everything is written beside, on the disk, before
 * anything gets the name it is found by, so that a full disk or a kill costs
 * nothing that was there. */
#include "base/crypto.h"
#include "base/log.h"
#include "db/generation_part.h"
#include "db/key.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 16 };
#define NEW ".new-"
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

static enum err copy_file(const char *from, const char *to)
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

static enum err place_part(const struct store *s, const char *folder,
                           const char *id, const char *as, const char *beside,
                           const char *keys, const struct part *p)
{
    char from[PART_PATH_BYTES], to[PART_PATH_BYTES], name[64], context[64];
    const uint8_t *wrapping = store_place(s).wrapping;
    uint8_t key[32], file_key[32];

    part_name_path(from, folder, "/", id, p->suffix);
    part_name_path(to, beside, "/", p->live, "");
    (void)snprintf(name, sizeof name, "%s%s.key", id, p->key_suffix);
    (void)snprintf(context, sizeof context, "tenant:%s%s", id, p->key_suffix);
    enum err e = key_load(folder, name, wrapping, context, key);
    if (e)
        return e;
    if (!(e = copy_file(from, to)) && p == &part_of_tenant[0]) {
        crypto_derive(key, p->label, file_key);
        e = forget(s, to, file_key, true);
        crypto_wipe(file_key, sizeof file_key);
    }
    (void)snprintf(name, sizeof name, NEW "%s%s.key", as, p->key_suffix);
    (void)snprintf(context, sizeof context, "tenant:%s%s", as, p->key_suffix);
    if (!e)
        e = key_keep(keys, name, wrapping, context, key);
    crypto_wipe(key, sizeof key);
    return e;
}

/* The keys that lie beside get their names, or go. */
static enum err name_keys(const char *keys, const char *as, bool is_kept)
{
    char from[PART_PATH_BYTES], to[PART_PATH_BYTES], name[PART_KEY_CHARS];

    for (size_t i = 0; i < PART_COUNT; i++) {
        part_name_key(name, as, &part_of_tenant[i]);
        part_name_path(from, keys, "/" NEW, name, "");
        part_name_path(to, keys, "/", name, "");
        if (!is_kept)
            (void)unlink(from);
        else if (rename(from, to))
            return part_errno("naming", to);
    }
    return is_kept ? key_sync_dir(keys) : OK;
}

/* Where a restore of the whole is made until all of it is there. */
static void name_part(char out[PART_PATH_BYTES], const char *to)
{
    part_name_path(out, to, ".part", "", "");
}

static enum err take_names(const struct store *s, const char *as,
                           const char *keys, const char *beside,
                           const char *dir, bool is_over)
{
    enum err e = is_over ? generation_set_aside(s, as, false) : OK;

    if (e)
        return e;
    e = name_keys(keys, as, true);
    if (!e && rename(beside, dir))
        e = part_errno("naming", dir);
    if (e && is_over && generation_set_aside(s, as, true))
        log_error("backup: what was there lies in tenants/.replaced-%s", as);
    return e;
}

enum err generation_restore(const struct store *s,
                            const struct generation_aim *aim)
{
    char folder[PART_PATH_BYTES], dir[PART_PATH_BYTES];
    char beside[PART_PATH_BYTES], keys[PART_PATH_BYTES];
    char tenants[PART_PATH_BYTES], part[PART_PATH_BYTES];
    const char *data = store_place(s).dir, *as = aim->as;

    if (!tenant_is_id(aim->id) || !tenant_is_id(as))
        return ERR_INVALID;
    if (aim->to) {
        name_part(part, aim->to);
        data = part;
    }
    part_folder(folder, s, aim->name);
    part_name_path(tenants, data, "/tenants", "", "");
    part_name_path(keys, data, "/keys", "", "");
    part_name_path(dir, tenants, "/", as, "");
    part_name_path(beside, tenants, "/" NEW, as, "");
    if (!aim->is_over && access(dir, F_OK) == 0)
        return ERR_CONFLICT;
    enum err e = part_remove_folder(beside);
    if (!e)
        e = part_make_folder(beside);
    for (size_t i = 0; i < PART_COUNT && !e; i++)
        e = place_part(s, folder, aim->id, as, beside, keys,
                       &part_of_tenant[i]);
    if (!e)
        e = key_sync_dir(beside);
    if (!e)
        e = take_names(s, as, keys, beside, dir, aim->is_over);
    if (e) {
        (void)!part_remove_folder(beside);
        (void)!name_keys(keys, as, false);
    }
    return e ? e : key_sync_dir(tenants);
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
    enum err removed = part_remove_folder(dir);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        part_name_path(path, keys, "/", as, kinds[i]);
        must(strlen(path) + 5 < PART_PATH_BYTES);
        memcpy(path + strlen(path), ".key", 5);
        (void)unlink(path);
    }
    return e ? e : removed;
}

static int remove_any(const char *path, const struct stat *st, int kind,
                      struct FTW *at)
{
    (void)st;
    (void)kind;
    /* what says whose it is goes last: a kill may come at any moment */
    if (at->level == 0 ||
        (at->level == 1 && strcmp(path + at->base, MARK + 1) == 0))
        return 0;
    return remove(path);
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
    return nftw(part, remove_any, 8, FTW_DEPTH | FTW_PHYS) || unlink(mark) ||
                   rmdir(part)
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
    e = copy_file(from, target);
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

enum err generation_finish(const char *to)
{
    char part[PART_PATH_BYTES], path[PART_PATH_BYTES];

    name_part(part, to);
    enum err e = key_sync_dir(part);
    if (!e && rename(part, to))
        e = part_errno("naming", to);
    part_name_path(path, to, MARK, "", "");
    if (!e && unlink(path))
        e = part_errno("naming", to);
    part_name_path(path, to, "/..", "", "");
    return e ? e : key_sync_dir(path);
}

enum err generation_set_aside(const struct store *s, const char *id,
                              bool is_back)
{
    static const char *const kinds[] = {"", ".log"};
    char from[PART_PATH_BYTES], to[PART_PATH_BYTES], keys[PART_PATH_BYTES];
    char name[64], aside[64];
    enum err e = OK;

    must(tenant_is_id(id));
    part_name_path(from, store_place(s).dir, "/tenants/", id, "");
    part_name_path(to, store_place(s).dir, "/tenants/.replaced-", id, "");
    part_name_path(keys, store_place(s).dir, "/keys", "", "");
    if (access(is_back ? to : from, F_OK))
        return OK; /* lost, or aside since a restore that was broken off */
    if (!is_back && (e = part_remove_folder(to)))
        return e;
    if (is_back && (e = part_remove_folder(from)))
        return e;
    if (rename(is_back ? to : from, is_back ? from : to))
        return part_errno("setting aside", from);
    /* from now on its age counts, see leftover.h */
    (void)utimensat(AT_FDCWD, is_back ? from : to, NULL, 0);
    for (size_t i = 0; i < COUNT(kinds) && !e; i++) {
        (void)snprintf(name, sizeof name, "%s%s.key", id, kinds[i]);
        (void)snprintf(aside, sizeof aside, ".replaced-%s%s.key", id, kinds[i]);
        e = is_back ? part_copy_key(keys, aside, keys, name)
                    : part_copy_key(keys, name, keys, aside);
    }
    return e;
}
