/* SPDX-License-Identifier: Apache-2.0 */
/* Keys are copied aside before anything moves, the folder is the last to get
 * its name, and .new-ID is there until it has: so whatever is found after a
 * kill says how far it got. */
#include "db/tenant_swap.h"

#include "base/log.h"
#include "db/erase.h"
#include "db/generation_part.h"
#include "db/key.h"
#include "db/tenant_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const kinds[] = {"", ".log"};

/* Every name of a tenant, so that no step builds its own. */
struct names {
    char tenants[PART_PATH_BYTES], keys[PART_PATH_BYTES];
    char live[PART_PATH_BYTES], beside[PART_PATH_BYTES];
    char aside[PART_PATH_BYTES], replaced[PART_PATH_BYTES];
};
enum key_place { KEY_LIVE, KEY_BESIDE, KEY_ASIDE, KEY_REPLACED };

static void find_names(struct names *n, const char *dir, const char *id)
{
    part_name_path(n->tenants, dir, "/tenants", "", "");
    part_name_path(n->keys, dir, "/keys", "", "");
    part_name_path(n->live, dir, "/tenants/", id, "");
    part_name_path(n->beside, dir, "/tenants/" TENANT_NEW, id, "");
    part_name_path(n->aside, dir, "/tenants/" TENANT_ASIDE, id, "");
    part_name_path(n->replaced, dir, "/tenants/" TENANT_REPLACED, id, "");
}

static void name_key(char out[PART_KEY_CHARS], enum key_place place,
                     const char *id, size_t kind)
{
    static const char *const words[] = {"", TENANT_NEW, TENANT_ASIDE,
                                        TENANT_REPLACED};

    (void)snprintf(out, PART_KEY_CHARS, "%s%s%s.key", words[place], id,
                   kinds[kind]);
}

static bool has_key(const struct names *n, enum key_place place, const char *id,
                    size_t kind)
{
    char name[PART_KEY_CHARS], path[PART_PATH_BYTES];

    name_key(name, place, id, kind);
    part_name_path(path, n->keys, "/", name, "");
    return access(path, F_OK) == 0;
}

static void drop_key(const struct names *n, enum key_place place,
                     const char *id, size_t kind)
{
    char name[PART_KEY_CHARS], path[PART_PATH_BYTES];

    name_key(name, place, id, kind);
    part_name_path(path, n->keys, "/", name, "");
    (void)!erase_drop(path);
}

static enum err move_key(const struct names *n, const char *id, size_t kind,
                         enum key_place from, enum key_place to,
                         bool may_replace)
{
    char a[PART_KEY_CHARS], b[PART_KEY_CHARS];

    name_key(a, from, id, kind);
    name_key(b, to, id, kind);
    return key_name(n->keys, a, b, may_replace);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

bool tenant_swap_is_taken(const char *dir, const char *id)
{
    char retained[PART_PATH_BYTES];
    struct names n;

    find_names(&n, dir, id);
    part_name_path(retained, dir, "/retained/", id, ".log.db");
    return is_there(n.live) || has_key(&n, KEY_LIVE, id, 0) ||
           has_key(&n, KEY_LIVE, id, 1) || is_there(retained);
}

void tenant_swap_forget(const char *dir, const char *id)
{
    struct names n;

    find_names(&n, dir, id);
    (void)!part_remove_folder(n.beside);
    for (size_t i = 0; i < COUNT(kinds); i++)
        drop_key(&n, KEY_BESIDE, id, i);
}

/* ---- the steps ---- */

/* How far it got. */
struct done {
    bool is_aside; /* the folder that was there */
    size_t named;  /* keys of what lay beside that have their names */
};

static enum err set_aside(const struct names *n, const char *id,
                          struct done *done)
{
    enum err e = OK;

    for (size_t i = 0; i < COUNT(kinds) && !e; i++) {
        char from[PART_KEY_CHARS], to[PART_KEY_CHARS];
        name_key(from, KEY_LIVE, id, i);
        name_key(to, KEY_ASIDE, id, i);
        if (has_key(n, KEY_LIVE, id, i)) /* else lost: nothing to keep */
            e = part_copy_key(n->keys, from, n->keys, to);
    }
    if (e || !is_there(n->live))
        return e;
    if (rename(n->live, n->aside))
        return part_errno("setting aside", n->live);
    done->is_aside = true;
    return OK;
}

static enum err take_names(const struct names *n, const char *id, bool is_over,
                           struct done *done)
{
    enum err e = OK;

    while (done->named < COUNT(kinds) && !e)
        if (!(e = move_key(n, id, done->named, KEY_BESIDE, KEY_LIVE, is_over)))
            done->named++;
    if (!e && rename(n->beside, n->live))
        e = part_errno("naming", n->live);
    return e;
}

/* A key that was not there before goes, else the one that was comes back. */
static enum err undo(const struct names *n, const char *id,
                     const struct done *done)
{
    enum err e = OK;

    if (done->is_aside && rename(n->aside, n->live))
        e = part_errno("putting back", n->live);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        enum err failed = OK;
        if (i < done->named && has_key(n, KEY_ASIDE, id, i))
            failed = move_key(n, id, i, KEY_ASIDE, KEY_LIVE, true);
        else if (i < done->named)
            drop_key(n, KEY_LIVE, id, i);
        else
            drop_key(n, KEY_ASIDE, id, i);
        e = e ? e : failed;
    }
    return e;
}

/* What an earlier restore replaced keeps its own days: its names get the
 * moment it was replaced behind them. */
static bool keep_earlier(const struct names *n, const char *id)
{
    char from[PART_PATH_BYTES], to[PART_PATH_BYTES], key[PART_KEY_CHARS];
    char moment[32];
    struct stat st;

    if (stat(n->replaced, &st))
        return errno == ENOENT;
    (void)snprintf(moment, sizeof moment, ".%lld%09ld",
                   (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (!has_key(n, KEY_REPLACED, id, i))
            continue;
        name_key(key, KEY_REPLACED, id, i);
        part_name_path(from, n->keys, "/", key, "");
        part_name_path(to, n->keys, "/", key, moment);
        if (rename(from, to))
            return false;
    }
    part_name_path(to, n->replaced, moment, "", "");
    return rename(n->replaced, to) == 0;
}

/* The new one is in its place: nothing that fails here costs anything. */
static void finish(const struct names *n, const char *id)
{
    bool is_kept = is_there(n->aside);

    if (is_kept && !keep_earlier(n, id)) {
        log_warn("db: what was replaced stays in %s until the next start",
                 n->aside);
        return;
    }
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (is_kept && has_key(n, KEY_ASIDE, id, i) &&
            move_key(n, id, i, KEY_ASIDE, KEY_REPLACED, true))
            return;
        else if (!is_kept)
            drop_key(n, KEY_ASIDE, id, i);
    if (!is_kept)
        return;
    if (rename(n->aside, n->replaced)) {
        log_warn("db: what was replaced stays in %s until the next start",
                 n->aside);
        return;
    }
    (void)utimensat(AT_FDCWD, n->replaced, NULL, 0);
}

enum err tenant_swap(const char *dir, const char *id, bool is_over)
{
    struct done done = {false, 0};
    struct names n;

    must(tenant_is_id(id));
    find_names(&n, dir, id);
    if (!is_over && tenant_swap_is_taken(dir, id)) {
        tenant_swap_forget(dir, id);
        return ERR_CONFLICT;
    }
    enum err e = is_over ? set_aside(&n, id, &done) : OK;
    if (!e)
        e = take_names(&n, id, is_over, &done);
    if (e && undo(&n, id, &done)) {
        /* what lies beside stays: it says to recover() that this is undone */
        log_error("db: what was there lies in %s: the next start puts it back",
                  n.aside);
        return e;
    }
    if (e)
        tenant_swap_forget(dir, id);
    else if (is_over)
        finish(&n, id);
    return e ? e : key_sync_dir(n.tenants);
}

/* ---- after a kill ---- */

/* A key is named by what lay beside when it lies there no more. */
static void recover(const char *dir, const char *id)
{
    struct done done = {false, 0};
    struct names n;

    find_names(&n, dir, id);
    if (!is_there(n.beside)) {
        finish(&n, id);
        return;
    }
    done.is_aside = is_there(n.aside);
    while (done.named < COUNT(kinds) &&
           !has_key(&n, KEY_BESIDE, id, done.named))
        done.named++;
    log_warn("db: tenant=%s: a restore in its place was broken off, what was "
             "there is put back",
             id);
    if (!undo(&n, id, &done))
        tenant_swap_forget(dir, id);
}

/* Both names of one file: the kill came between them. */
static bool is_named_twice(const struct names *n, const char *id, size_t kind)
{
    char name[PART_KEY_CHARS], path[PART_PATH_BYTES];
    struct stat st;

    name_key(name, KEY_BESIDE, id, kind);
    part_name_path(path, n->keys, "/", name, "");
    return stat(path, &st) == 0 && st.st_nlink > 1;
}

/* Beside what is not there.  The keys get their names in turn, the folder last:
 * those before one that lies beside are of this restore, and go with it. */
static void drop_beside(const char *dir, const char *id)
{
    struct names n;

    find_names(&n, dir, id);
    if (is_there(n.beside) && !is_there(n.live)) {
        if (!has_key(&n, KEY_BESIDE, id, 0) || is_named_twice(&n, id, 0))
            drop_key(&n, KEY_LIVE, id, 0);
        if (is_named_twice(&n, id, 1))
            drop_key(&n, KEY_LIVE, id, 1);
    }
    log_warn("db: removing what a broken restore left of tenant=%s", id);
    tenant_swap_forget(dir, id);
}

/* The id in "<prefix>ID", "<prefix>ID.key" or "<prefix>ID.log.key". */
static bool read_id(const char *name, const char *prefix,
                    char out[TENANT_ID_BYTES])
{
    size_t len = strlen(prefix);

    if (strncmp(name, prefix, len) != 0 ||
        strcspn(name + len, ".") >= TENANT_ID_BYTES)
        return false;
    (void)snprintf(out, TENANT_ID_BYTES, "%.*s", (int)strcspn(name + len, "."),
                   name + len);
    return tenant_is_id(out);
}

static void for_each(const char *dir, const char *folder, const char *prefix,
                     void (*mend)(const char *dir, const char *id))
{
    char path[PART_PATH_BYTES], id[TENANT_ID_BYTES];
    const struct dirent *entry;

    part_name_path(path, dir, folder, "", "");
    DIR *d = opendir(path);
    while (d && (entry = readdir(d)))
        if (read_id(entry->d_name, prefix, id))
            mend(dir, id);
    if (d)
        (void)closedir(d);
}

bool tenant_swap_is_pending(const char *dir, const char *id)
{
    struct names n;

    find_names(&n, dir, id);
    return is_there(n.aside) || has_key(&n, KEY_ASIDE, id, 0) ||
           has_key(&n, KEY_ASIDE, id, 1);
}

void tenant_swap_sweep(const char *dir)
{
    for_each(dir, "/tenants", TENANT_ASIDE, recover);
    for_each(dir, "/keys", TENANT_ASIDE, recover);
    for_each(dir, "/keys", TENANT_NEW, drop_beside);
}
