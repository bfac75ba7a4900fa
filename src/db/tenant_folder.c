/* SPDX-License-Identifier: Apache-2.0 */
/* Creation builds everything in a folder beside and renames it: mkdir of that
 * folder is the lock between two who create the same one. */
#include "db/tenant_folder.h"

#include "base/crypto.h"
#include "base/log.h"
#include "db/conn.h"
#include "db/erase.h"
#include "db/key.h"
#include "db/migrate.h"
#include "db/rotate.h"
#include "db/tenant_swap.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = TENANT_PATH_BYTES };

/* ---- names ---- */

/* keys/control.key is that of control.db. */
bool tenant_is_reserved(const char *id)
{
    return id && strcmp(id, "control") == 0;
}

bool tenant_is_id(const char *id)
{
    size_t len = id ? strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;

    return len >= 1 && len < TENANT_ID_BYTES && id[len] == '\0' &&
           id[0] >= 'a' && id[0] <= 'z' && !tenant_is_reserved(id);
}

static void join(char out[PATH_BYTES], const char *dir, const char *name)
{
    must(snprintf(out, PATH_BYTES, "%s/%s", dir, name) < PATH_BYTES);
}

/* "<dir>/tenants/<prefix><id>" */
static void join_tenant(char out[PATH_BYTES], const struct store_place *at,
                        const char *prefix, const char *id)
{
    must(snprintf(out, PATH_BYTES, "%s/tenants/%s%s", at->dir, prefix, id) <
         PATH_BYTES);
}

void tenant_folder_name(const struct store_place *at, const char *id,
                        char out[TENANT_PATH_BYTES])
{
    join_tenant(out, at, "", id);
}

void tenant_folder_file(const struct store_place *at, const char *id,
                        const char *file, char out[TENANT_PATH_BYTES])
{
    char dir[PATH_BYTES];

    join_tenant(dir, at, "", id);
    join(out, dir, file);
}

/* ---- keys of a tenant ---- */

/* kind: "" or ".log".  lasting: what label stands for. */
static enum err load_one(const struct store_place *at, const char *id,
                         const char *kind, bool may_make, const char *label,
                         uint8_t out[32], uint8_t lasting[32])
{
    char dir[PATH_BYTES], name[64], context[64], text[64];
    struct key_set set = {.count = 1};

    join(dir, at->dir, "keys");
    (void)snprintf(name, sizeof(name), "%s%s.key", id, kind);
    (void)snprintf(context, sizeof(context), "tenant:%s%s", id, kind);
    (void)snprintf(text, sizeof(text), "use:%s", label);
    enum err e = key_load_set(dir, name, at->wrapping, context, &set);
    if (e == ERR_NOT_FOUND && may_make) {
        set.count = 1;
        e = key_make(dir, name, at->wrapping, context, set.key[0]);
    }
    if (!e) {
        memcpy(out, set.key[0], 32);
        if (set.count > 1)
            memcpy(lasting, set.key[1], 32);
        else
            crypto_derive(out, text, lasting);
    }
    crypto_wipe(&set, sizeof set);
    return e;
}

static enum err load_log_keys(const struct store_place *at, const char *id,
                              bool may_make, struct tenant_keys *out)
{
    enum err e = load_one(at, id, ".log", may_make, TENANT_LOG_LASTING,
                          out->log, out->log_lasting);

    if (!e)
        crypto_derive(out->log, "file:access", out->log_file);
    return e;
}

static enum err load_keys(const struct store_place *at, const char *id,
                          bool may_make, struct tenant_keys *out)
{
    enum err e =
        load_one(at, id, "", may_make, TENANT_LASTING, out->data, out->lasting);

    if (!e)
        crypto_derive(out->data, "file:tenant", out->data_file);
    return e ? e : load_log_keys(at, id, may_make, out);
}

enum err tenant_folder_keys(const struct store_place *at, const char *id,
                            struct tenant_keys *out)
{
    return load_keys(at, id, false, out);
}

enum err tenant_folder_log_keys(const struct store_place *at, const char *id,
                                struct tenant_keys *out)
{
    return load_log_keys(at, id, false, out);
}

/* ---- creation ---- */

static enum err create_file(const char *path, const char *vfs,
                            const uint8_t key[32],
                            const struct migrate_plan *plan)
{
    struct conn_place place = {.path = path, .vfs = vfs, .key = key};
    struct db *db = NULL;
    enum err e = conn_open(&place, CONN_OWN, &db);

    if (!e)
        e = migrate_create(db, plan);
    if (!e) { /* all of it in the one file before it is renamed */
        int rc = sqlite3_wal_checkpoint_v2(
            db->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        e = rc ? conn_fail(db, rc, "checkpoint") : OK;
    }
    conn_close(db);
    return e;
}

/* One level of files; what is not there is no matter. */
static void remove_folder(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;

    while (d && (entry = readdir(d)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)!erase_drop_at(dirfd(d), entry->d_name);
    if (d)
        closedir(d);
    (void)rmdir(dir);
}

static enum err fill_folder(const struct store_place *at, const char *id,
                            const char *beside, struct tenant_keys *keys)
{
    char path[PATH_BYTES];
    enum err e = load_keys(at, id, true, keys);

    if (e)
        return e;
    join(path, beside, "tenant.db");
    e = create_file(path, at->vfs, keys->data_file, &migrate_tenant);
    join(path, beside, "access.db");
    if (!e)
        e = create_file(path, at->vfs, keys->log_file, &migrate_access);
    return e ? e : key_sync_dir(beside);
}

/* Keys of a tenant that is not there open nothing. */
static void remove_keys(const struct store_place *at, const char *id)
{
    static const char *const kinds[] = {"", ".log"};
    char dir[PATH_BYTES], path[PATH_BYTES];

    join_tenant(dir, at, "", id);
    for (size_t i = 0; i < COUNT(kinds) && access(dir, F_OK) != 0; i++) {
        must(snprintf(path, PATH_BYTES, "%s/keys/%s%s.key", at->dir, id,
                      kinds[i]) < PATH_BYTES);
        (void)!erase_drop(path);
    }
}

enum err tenant_folder_begin(const struct store_place *at, const char *id,
                             char *folder, size_t size,
                             struct tenant_keys *keys)
{
    char beside[PATH_BYTES];

    must(tenant_is_id(id));
    join_tenant(beside, at, TENANT_NEW, id);
    must(strlen(beside) < size);
    memcpy(folder, beside, strlen(beside) + 1);
    if (tenant_swap_is_taken(at->dir, id))
        return ERR_CONFLICT;
    if (mkdir(beside, 0700)) {
        log_error("db: tenant=%s is being created, errno=%d", id, errno);
        return errno == EEXIST   ? ERR_CONFLICT
               : errno == ENOSPC ? ERR_FULL
                                 : ERR_INTERNAL;
    }
    enum err e = fill_folder(at, id, beside, keys);
    if (e) {
        remove_folder(beside);
        remove_keys(at, id);
    }
    return e;
}

enum err tenant_folder_finish(const struct store_place *at, const char *id,
                              bool is_good)
{
    char dir[PATH_BYTES], beside[PATH_BYTES], parent[PATH_BYTES];
    enum err e = OK;

    join(parent, at->dir, "tenants");
    join_tenant(dir, at, "", id);
    join_tenant(beside, at, TENANT_NEW, id);
    if (is_good && !(e = key_sync_dir(beside)) && rename(beside, dir))
        e = errno == EEXIST || errno == ENOTEMPTY ? ERR_CONFLICT : ERR_INTERNAL;
    if (e || !is_good) {
        remove_folder(beside);
        remove_keys(at, id);
        return e;
    }
    return key_sync_dir(parent);
}

enum err tenant_folder_create(const struct store_place *at, const char *id)
{
    char folder[PATH_BYTES];
    struct tenant_keys keys;
    enum err e = tenant_folder_begin(at, id, folder, sizeof folder, &keys);

    crypto_wipe(&keys, sizeof keys);
    return e ? e : tenant_folder_finish(at, id, true);
}

enum err tenant_folder_discard(const struct store_place *at, const char *id)
{
    char dir[PATH_BYTES], parent[PATH_BYTES];

    must(tenant_is_id(id));
    join(parent, at->dir, "tenants");
    join_tenant(dir, at, "", id);
    remove_folder(dir);
    remove_keys(at, id);
    return access(dir, F_OK) == 0 ? ERR_INTERNAL : key_sync_dir(parent);
}

/* What is begun beside a tenant's files is named so until it is whole. */
static void sweep_scratch(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;
    char path[PATH_BYTES];

    while (d && (entry = readdir(d))) {
        if (strncmp(entry->d_name, TENANT_SCRATCH, strlen(TENANT_SCRATCH)) != 0)
            continue;
        join(path, dir, entry->d_name);
        log_warn("db: removing what a broken export left: %s", path);
        (void)!erase_drop(path);
    }
    if (d)
        closedir(d);
}

void tenant_folder_sweep(const struct store_place *at)
{
    char parent[PATH_BYTES], path[PATH_BYTES];

    tenant_swap_sweep(at->dir);
    rotate_sweep(at->dir);
    join(path, at->dir, "keys");
    erase_sweep(path);
    join(parent, at->dir, "tenants");
    DIR *d = opendir(parent);
    const struct dirent *entry;
    while (d && (entry = readdir(d))) {
        join(path, parent, entry->d_name);
        if (strncmp(entry->d_name, TENANT_NEW, strlen(TENANT_NEW)) != 0) {
            if (entry->d_name[0] != '.')
                sweep_scratch(path);
            continue;
        }
        const char *id = entry->d_name + strlen(TENANT_NEW);
        if (tenant_is_id(id) && tenant_swap_is_pending(at->dir, id))
            continue;
        log_warn("db: removing what a broken creation left: %s", path);
        remove_folder(path);
        if (tenant_is_id(id))
            remove_keys(at, id);
    }
    if (d)
        closedir(d);
}
