/* SPDX-License-Identifier: Apache-2.0 */
/* The next master key is kept in the data directory, wrapped by the old one,
 * before any file is wrapped by it; the master key's own file is written last,
 * in its place, by one write of 32 bytes.  So at a start the file that is there
 * opens either the next key (the old one: go on) or everything (the new one:
 * tidy up). */
#include "db/rewrap.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "db/erase.h"
#include "db/generation.h"
#include "db/store_keys.h"
#include "db/tenant_swap.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, CONTEXT_BYTES = 64 };

/* Test builds wait at each step, so that a kill may come anywhere. */
static void pause_for_tests(void)
{
    int64_t ms = clock_test_value("YAGURA_TEST_REWRAP_MS", 0);
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    if (ms > 0)
        (void)nanosleep(&t, NULL);
}

/* ---- whose a key is ---- */

/* "kou.log.key" → "tenant:kou.log": what binds a key to its owner is told by
 * the name of its file.  False: it is no key. */
static bool find_context(const char *name, char out[CONTEXT_BYTES])
{
    static const char *const prefixes[] = {TENANT_NEW, TENANT_ASIDE,
                                           TENANT_REPLACED};
    const char *key;

    for (size_t i = 0; i < COUNT(prefixes); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            name += strlen(prefixes[i]);
    key = strstr(name, ".key");
    if (!key || (key[4] && key[4] != '.'))
        return false;
    size_t len = (size_t)(key - name);
    bool is_log = len > 4 && strncmp(key - 4, ".log", 4) == 0;
    char id[CONTEXT_BYTES];
    (void)snprintf(id, sizeof id, "%.*s", (int)(is_log ? len - 4 : len), name);
    if (tenant_is_reserved(id) || strcmp(id, GENERATION_CONTROL) == 0) {
        (void)snprintf(out, CONTEXT_BYTES, "control");
        return !is_log;
    }
    (void)snprintf(out, CONTEXT_BYTES, "tenant:%.40s%s", id,
                   is_log ? ".log" : "");
    return tenant_is_id(id);
}

/* ---- the walk ---- */

struct walk {
    struct store_keys *keys;
    struct key_set uses; /* what control.key gains */
    struct rewrap_done *done;
    enum err failed;
};

/* What the walk itself is putting in its place has a name of its own. */
static bool is_passing(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && (strcmp(name + len - 4, ".new") == 0 ||
                       strcmp(name + len - 4, ".old") == 0);
}

static void wrap_one(struct walk *w, const char *folder, const char *name)
{
    char context[CONTEXT_BYTES];
    bool is_changed;

    if (is_passing(name) || !find_context(name, context))
        return;
    pause_for_tests();
    enum err e = key_rewrap(folder, name, &w->keys->ring, context,
                            strcmp(context, "control") == 0 ? &w->uses : NULL,
                            &is_changed);
    if (e == ERR_NOT_FOUND)
        return; /* it went meanwhile */
    w->done->keys++;
    w->done->wrapped += !e && is_changed;
    if (e == ERR_INTERNAL && !is_changed) /* of no use to anybody */
        w->done->unopened++;
    else if (e)
        w->failed = e;
}

static void walk_folder(struct walk *w, const char *folder)
{
    const struct dirent *entry;
    DIR *d = opendir(folder);

    if (!d && errno != ENOENT) {
        log_error("db: opening %s: errno=%d", folder, errno);
        w->failed = ERR_INTERNAL;
    }
    while (d && !w->failed && (entry = readdir(d)))
        wrap_one(w, folder, entry->d_name);
    if (d)
        (void)closedir(d);
}

/* Each folder in it, whole generations and what broken runs left. */
static void walk_generations(struct walk *w, const char *place)
{
    const struct dirent *entry;
    DIR *d = opendir(place);
    char folder[PATH_BYTES];
    struct stat st;

    if (!d && errno != ENOENT) {
        log_error("db: opening %s: errno=%d", place, errno);
        w->failed = ERR_INTERNAL;
    }
    while (d && !w->failed && (entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        must(snprintf(folder, sizeof folder, "%s/%s", place, entry->d_name) <
             PATH_BYTES);
        if (lstat(folder, &st) || !S_ISDIR(st.st_mode))
            continue;
        erase_sweep(folder);
        walk_folder(w, folder);
    }
    if (d)
        (void)closedir(d);
}

static enum err wrap_all(struct store *s, const char *const *copies,
                         struct rewrap_done *out)
{
    struct walk w = {
        .keys = store_keys(s), .uses = {.count = STORE_USES}, .done = out};
    char path[PATH_BYTES];

    *out = (struct rewrap_done){.keys = 0};
    memcpy(w.uses.key, w.keys->use, sizeof w.keys->use);
    must(snprintf(path, sizeof path, "%s/keys", store_place(s).dir) <
         PATH_BYTES);
    walk_folder(&w, path);
    must(snprintf(path, sizeof path, "%s/backups", store_place(s).dir) <
         PATH_BYTES);
    walk_generations(&w, path);
    for (size_t i = 0; copies && copies[i]; i++)
        walk_generations(&w, copies[i]);
    crypto_wipe(&w.uses, sizeof w.uses);
    return w.failed;
}

/* ---- begin and end ---- */

bool rewrap_is_possible(const struct store *s)
{
    int fd = key_open_master(store_master_path(s));

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

bool rewrap_is_pending(const struct store *s)
{
    return key_ring_has_two(&store_keys(s)->ring);
}

static void name_keys(const struct store *s, char out[PATH_BYTES])
{
    must(snprintf(out, PATH_BYTES, "%s/keys", store_place(s).dir) < PATH_BYTES);
}

static enum err begin(struct store *s)
{
    struct store_keys *keys = store_keys(s);
    struct key_set next = {.count = 1};
    char dir[PATH_BYTES];

    if (rewrap_is_pending(s))
        return OK;
    name_keys(s, dir);
    crypto_random(next.key[0], 32);
    enum err e = key_keep(dir, REWRAP_NEXT, &keys->ring, REWRAP_CONTEXT, &next);
    if (!e) {
        memcpy(keys->next, next.key[0], 32);
        key_ring_turn(&keys->ring, keys->next);
    }
    crypto_wipe(&next, sizeof next);
    return e;
}

static enum err drop_next(const char *keys_dir)
{
    char path[PATH_BYTES];

    must(snprintf(path, sizeof path, "%s/" REWRAP_NEXT, keys_dir) < PATH_BYTES);
    enum err e = erase_drop(path);
    return e ? e : key_sync_dir(keys_dir);
}

static enum err end(struct store *s, int master)
{
    struct store_keys *keys = store_keys(s);
    char dir[PATH_BYTES];
    enum err e = key_replace_master(master, store_master_path(s), keys->next);

    if (e)
        return e;
    pause_for_tests();
    name_keys(s, dir);
    pthread_rwlock_wrlock(&keys->ring.lock);
    memcpy(keys->master, keys->next, sizeof keys->master);
    crypto_wipe(keys->next, sizeof keys->next);
    pthread_rwlock_unlock(&keys->ring.lock);
    key_ring_forget(&keys->ring);
    return drop_next(dir);
}

static enum err find_copies(const char *const *copies)
{
    struct stat st;

    for (size_t i = 0; copies && copies[i]; i++)
        if (stat(copies[i], &st) || !S_ISDIR(st.st_mode)) {
            log_error("db: the folder of copies %s is not there", copies[i]);
            return ERR_NOT_FOUND;
        }
    return OK;
}

enum err rewrap_run(struct store *s, const char *const *copies,
                    struct rewrap_done *out)
{
    struct rewrap_done again;
    enum err e = find_copies(copies);

    *out = (struct rewrap_done){.keys = 0};
    if (e)
        return e;
    int master = key_open_master(store_master_path(s));
    if (master < 0)
        return ERR_DENIED;
    if (!(e = begin(s)) && !(e = wrap_all(s, copies, out)))
        e = wrap_all(s, copies, &again); /* what came while it walked */
    if (!e) {
        out->wrapped += again.wrapped;
        e = end(s, master);
    }
    (void)close(master);
    log_write(e ? LOG_ERROR : LOG_INFO,
              "db: keys %s keys=%zu wrapped=%zu unopened=%zu err=%s",
              e ? "not wrapped anew" : "wrapped anew", out->keys, out->wrapped,
              out->unopened, err_name(e));
    return e;
}

/* ---- after a kill ---- */

enum err rewrap_recover(const char *dir, struct store_keys *keys)
{
    char folder[PATH_BYTES], path[PATH_BYTES];
    uint8_t control[32];

    must(snprintf(folder, sizeof folder, "%s/keys", dir) < PATH_BYTES);
    must(snprintf(path, sizeof path, "%s/" REWRAP_NEXT, folder) < PATH_BYTES);
    if (access(path, F_OK))
        return OK;
    enum err e =
        key_load(folder, REWRAP_NEXT, &keys->ring, REWRAP_CONTEXT, keys->next);
    if (!e) {
        log_warn("db: a rewrap of the keys was broken off: run yagura key "
                 "rewrap, or let the server go on with it");
        key_ring_turn(&keys->ring, keys->next);
        return OK;
    }
    /* the new master key is in its place already */
    e = key_load(folder, "control.key", &keys->ring, "control", control);
    crypto_wipe(control, sizeof control);
    return e ? OK : drop_next(folder); /* with e, opening says what is wrong */
}
