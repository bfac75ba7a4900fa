/* SPDX-License-Identifier: Apache-2.0 */
/* The change of names is that of a restore in place (tenant_swap.c), which a
 * kill cannot harm.  A mark in the folder that is replaced says that it is not
 * kept for going back: it goes at once, its keys first. */
#include "db/rotate.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "db/encrypted_file.h"
#include "db/erase.h"
#include "db/generation_part.h"
#include "db/key.h"
#include "db/pool.h"
#include "db/tenant_folder.h"
#include "db/tenant_swap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = PART_PATH_BYTES, WAIT_MS = 5000, PAGES_A_STEP = 256 };
#define MARK "/rotated"

static const char *const kinds[] = {"", ".log"};

/* Test builds wait at each step, so that a kill may come anywhere. */
static void pause_for_tests(void)
{
    int64_t ms = clock_test_value("YAGURA_TEST_ROTATE_MS", 0);
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    if (ms > 0)
        (void)nanosleep(&t, NULL);
}

struct rotation {
    struct store_place at;
    const char *id;
    char live[PATH_BYTES], beside[PATH_BYTES], keys[PATH_BYTES];
    struct tenant_keys old, new;
};

/* ---- keys ---- */

static enum err keep_keys(const struct rotation *r, const char *kind,
                          const uint8_t key[32], const uint8_t lasting[32])
{
    char name[PART_KEY_CHARS], context[PART_KEY_CHARS];
    struct key_set set = {.count = 2};

    memcpy(set.key[0], key, 32);
    memcpy(set.key[1], lasting, 32);
    (void)snprintf(name, sizeof name, TENANT_NEW "%s%s.key", r->id, kind);
    (void)snprintf(context, sizeof context, "tenant:%s%s", r->id, kind);
    enum err e = key_keep(r->keys, name, r->at.wrapping, context, &set);
    crypto_wipe(&set, sizeof set);
    return e;
}

static enum err make_keys(struct rotation *r)
{
    enum err e = tenant_folder_keys(&r->at, r->id, &r->old);

    if (e)
        return e;
    crypto_random(r->new.data, sizeof r->new.data);
    crypto_random(r->new.log, sizeof r->new.log);
    crypto_derive(r->new.data, "file:tenant", r->new.data_file);
    crypto_derive(r->new.log, "file:access", r->new.log_file);
    e = keep_keys(r, "", r->new.data, r->old.lasting);
    return e ? e : keep_keys(r, ".log", r->new.log, r->old.log_lasting);
}

/* ---- files ---- */

/* Page by page; SQLite decrypts on one side and encrypts on the other. */
static enum err copy_pages(struct db *from, struct db *to)
{
    sqlite3_backup *b =
        sqlite3_backup_init(to->sqlite, "main", from->sqlite, "main");
    int rc = SQLITE_OK;

    if (!b)
        return conn_fail(to, sqlite3_extended_errcode(to->sqlite),
                         "encrypting anew");
    while (rc == SQLITE_OK) {
        rc = sqlite3_backup_step(b, PAGES_A_STEP);
        pause_for_tests();
    }
    int end = sqlite3_backup_finish(b);
    rc = rc == SQLITE_DONE ? end : rc;
    if (!rc) /* all of it in the one file before its log goes */
        rc = sqlite3_wal_checkpoint_v2(to->sqlite, NULL,
                                       SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return rc ? conn_fail(to, rc, "encrypting anew") : OK;
}

static enum err copy_file(const struct rotation *r, const char *name,
                          const uint8_t old[32], const uint8_t new[32])
{
    char from[PATH_BYTES], to[PATH_BYTES];
    struct db *in = NULL, *out = NULL;

    part_name_path(from, r->live, "/", name, "");
    part_name_path(to, r->beside, "/", name, "");
    const struct conn_place old_place = {
        .path = from, .vfs = r->at.vfs, .key = old};
    const struct conn_place new_place = {
        .path = to, .vfs = r->at.vfs, .key = new};
    if (access(from, F_OK))
        return ERR_NOT_FOUND;
    enum err e = conn_open(&old_place, CONN_OWN, &in);
    if (!e)
        e = conn_open(&new_place, CONN_OWN, &out);
    if (!e)
        e = copy_pages(in, out);
    if (!e && !conn_is_sound(out))
        e = ERR_INTERNAL;
    conn_close(out);
    conn_close(in);
    if (!e)
        part_drop_traces(to);
    return e;
}

static enum err make_files(const struct rotation *r)
{
    enum err e = part_make_folder(r->beside);

    if (!e)
        e = copy_file(r, "tenant.db", r->old.data_file, r->new.data_file);
    if (!e)
        e = copy_file(r, "access.db", r->old.log_file, r->new.log_file);
    if (!e)
        e = encrypted_file_seal_anew(r->live, r->old.data, r->beside,
                                     r->new.data);
    return e ? e : key_sync_dir(r->beside);
}

/* ---- the old ones ---- */

static enum err mark(const char *folder)
{
    char path[PATH_BYTES];

    part_name_path(path, folder, MARK, "", "");
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || close(fd))
        return part_errno("making", path);
    return key_sync_dir(folder);
}

static void unmark(const char *folder)
{
    char path[PATH_BYTES];

    part_name_path(path, folder, MARK, "", "");
    (void)!erase_drop(path);
}

static enum err drop_old(const char *dir, const char *id)
{
    char path[PATH_BYTES], keys[PATH_BYTES], name[PART_KEY_CHARS];
    enum err e = OK;

    part_name_path(path, dir, "/tenants/" TENANT_REPLACED, id, MARK);
    if (access(path, F_OK))
        return OK;
    part_name_path(keys, dir, "/keys", "", "");
    for (size_t i = 0; i < COUNT(kinds) && !e; i++) {
        (void)snprintf(name, sizeof name, TENANT_REPLACED "%s%s.key", id,
                       kinds[i]);
        part_name_path(path, keys, "/", name, "");
        e = erase_drop(path);
        pause_for_tests();
    }
    if (!e)
        e = key_sync_dir(keys);
    if (e)
        return e;
    /* By this name a start removes what a kill leaves: the mark may be the
     * first file to go. */
    part_name_path(path, dir, "/tenants/" TENANT_REPLACED, id, "");
    part_name_path(keys, dir, "/tenants/" TENANT_NEW, id, "");
    if (rename(path, keys))
        return part_errno("renaming", path);
    return part_remove_folder(keys);
}

void rotate_sweep(const char *dir)
{
    char tenants[PATH_BYTES], folder[PATH_BYTES];
    const size_t len = strlen(TENANT_REPLACED);
    const struct dirent *entry;

    part_name_path(tenants, dir, "/tenants", "", "");
    DIR *d = opendir(tenants);
    while (d && (entry = readdir(d))) {
        part_name_path(folder, tenants, "/", entry->d_name, "");
        if (tenant_is_id(entry->d_name))
            unmark(folder);
        else if (strncmp(entry->d_name, TENANT_REPLACED, len) == 0 &&
                 tenant_is_id(entry->d_name + len) &&
                 drop_old(dir, entry->d_name + len))
            log_error("db: what a rotation of keys replaced stays: %s", folder);
    }
    if (d)
        (void)closedir(d);
}

/* ---- all of it ---- */

static enum err rotate(struct rotation *r)
{
    const char *dir = r->at.dir;

    tenant_swap_forget(dir, r->id);
    enum err e = make_keys(r);
    if (!e)
        e = make_files(r);
    if (!e)
        e = mark(r->live);
    if (e) {
        tenant_swap_forget(dir, r->id);
        unmark(r->live);
        return e;
    }
    pause_for_tests();
    e = tenant_swap(dir, r->id, true);
    if (e) {
        unmark(r->live);
        return e;
    }
    if (drop_old(dir, r->id))
        log_error("db: tenant=%s has other keys; the old ones go at the next "
                  "start",
                  r->id);
    return OK;
}

enum err rotate_tenant(struct store *s, const char *id)
{
    struct rotation r = {.at = store_place(s), .id = id};

    must(tenant_is_id(id));
    part_name_path(r.live, r.at.dir, "/tenants/", id, "");
    part_name_path(r.beside, r.at.dir, "/tenants/" TENANT_NEW, id, "");
    part_name_path(r.keys, r.at.dir, "/keys", "", "");
    if (access(r.live, F_OK))
        return ERR_NOT_FOUND;
    enum err e = pool_suspend(store_pool(s), id, WAIT_MS);
    if (e)
        return e;
    e = rotate(&r);
    crypto_wipe(&r.old, sizeof r.old);
    crypto_wipe(&r.new, sizeof r.new);
    pool_forget(store_pool(s), id);
    log_write(e ? LOG_ERROR : LOG_INFO, "db: tenant=%s keys %s err=%s", id,
              e ? "not rotated" : "rotated", err_name(e));
    return e;
}
