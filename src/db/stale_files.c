/* SPDX-License-Identifier: Apache-2.0 */
#include "db/stale_files.h"

#include "base/log.h"
#include "db/erase.h"
#include "db/tenant_swap.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

struct sweep {
    int64_t before_us;
    size_t removed;
    enum err failed;
};

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_old(const struct sweep *w, int dir, const char *name,
                   struct stat *st)
{
    return fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st->st_mtim.tv_sec < w->before_us / 1000000;
}

static void drop(struct sweep *w, int dir, const char *name)
{
    enum err e = erase_drop_at(dir, name);

    if (e) {
        w->failed = e;
        return;
    }
    log_info("db: removed what was kept for going back, file=%s", name);
    w->removed++;
}

/* "tenant.db.before-3" */
static bool is_snapshot(const char *name)
{
    const char *mark = strstr(name, ".db.before-");

    return mark && mark[11] &&
           strspn(mark + 11, "0123456789") == strlen(mark + 11);
}

static void drop_snapshots(struct sweep *w, const char *path)
{
    DIR *d = opendir(path);
    const struct dirent *entry;
    struct stat st;

    while (d && (entry = readdir(d)))
        if (is_snapshot(entry->d_name) &&
            is_old(w, dirfd(d), entry->d_name, &st))
            drop(w, dirfd(d), entry->d_name);
    if (d)
        (void)closedir(d);
}

static void drop_folder(struct sweep *w, const char *path)
{
    DIR *d = opendir(path);
    const struct dirent *entry;

    while (d && (entry = readdir(d)))
        if (!is_dots(entry->d_name))
            drop(w, dirfd(d), entry->d_name);
    if (d)
        (void)closedir(d);
    if (rmdir(path))
        w->failed = ERR_INTERNAL;
}

static void sweep_tenants(struct sweep *w, const char *path)
{
    DIR *d = opendir(path);
    const struct dirent *entry;
    char inner[PATH_BYTES];
    struct stat st;

    while (d && (entry = readdir(d))) {
        if (is_dots(entry->d_name) ||
            snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) >=
                PATH_BYTES)
            continue;
        if (strncmp(entry->d_name, TENANT_REPLACED, strlen(TENANT_REPLACED)) !=
            0)
            drop_snapshots(w, inner);
        else if (is_old(w, dirfd(d), entry->d_name, &st))
            drop_folder(w, inner);
    }
    if (d)
        (void)closedir(d);
}

static void sweep_keys(struct sweep *w, const char *path)
{
    DIR *d = opendir(path);
    const struct dirent *entry;
    struct stat st;

    while (d && (entry = readdir(d)))
        if (strncmp(entry->d_name, TENANT_REPLACED, strlen(TENANT_REPLACED)) ==
                0 &&
            is_old(w, dirfd(d), entry->d_name, &st))
            drop(w, dirfd(d), entry->d_name);
    if (d)
        (void)closedir(d);
}

enum err stale_files_drop(const struct store *s, int64_t before_us,
                          size_t *removed)
{
    const char *dir = store_place(s).dir;
    struct sweep w = {.before_us = before_us};
    char path[PATH_BYTES];

    drop_snapshots(&w, dir);
    must(snprintf(path, sizeof path, "%s/keys", dir) < PATH_BYTES);
    sweep_keys(&w, path); /* first: without them the rest does not open */
    must(snprintf(path, sizeof path, "%s/tenants", dir) < PATH_BYTES);
    sweep_tenants(&w, path);
    *removed = w.removed;
    return w.failed;
}
