/* SPDX-License-Identifier: Apache-2.0 */
/* Only files that nobody has open by SQLite are touched here: copies. */
#include "db/backup_mirror.h"

#include "base/buf.h"
#include "base/crypto.h"
#include "base/log.h"
#include "db/erase.h"
#include "db/key.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, CHUNK_BYTES = 1 << 16 };

static void join(char out[PATH_BYTES], const char *a, const char *b,
                 const char *c)
{
    must(snprintf(out, PATH_BYTES, "%s/%s%s%s", a, b, *c ? "/" : "", c) <
         PATH_BYTES);
}

static enum err of_errno(const char *doing, const char *path)
{
    log_error("db: %s %s: errno=%d", doing, path, errno);
    return errno == ENOSPC || errno == EDQUOT ? ERR_FULL
           : errno == ENOENT                  ? ERR_NOT_FOUND
                                              : ERR_INTERNAL;
}

/* ---- looking ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct backup_mirror_file *)a)->name,
                  ((const struct backup_mirror_file *)b)->name);
}

enum err backup_mirror_list(const char *place, const char *folder,
                            struct arena *mem,
                            const struct backup_mirror_file **out,
                            size_t *count)
{
    struct buf list = buf_in(mem);
    char path[PATH_BYTES];
    const struct dirent *entry;
    struct stat st;

    *out = NULL;
    *count = 0;
    if (stat(place, &st) || !S_ISDIR(st.st_mode))
        return ERR_NOT_FOUND;
    join(path, place, folder, "");
    DIR *d = opendir(path);
    if (!d)
        return errno == ENOENT ? OK : of_errno("opening", path);
    while ((entry = readdir(d))) {
        if (entry->d_name[0] == '.' ||
            fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
            !(*folder ? S_ISREG(st.st_mode) : S_ISDIR(st.st_mode)))
            continue;
        buf_put(&list,
                &(struct backup_mirror_file){arena_strdup(mem, entry->d_name),
                                             st.st_size},
                sizeof(struct backup_mirror_file));
    }
    (void)closedir(d);
    *count = list.len / sizeof(struct backup_mirror_file);
    if (*count)
        qsort(list.data, *count, sizeof(struct backup_mirror_file), by_name);
    *out = (const void *)list.data;
    return OK;
}

/* ---- copying ---- */

static enum err write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_INTERNAL;
        data += n;
        len -= (size_t)n;
    }
    return OK;
}

static enum err copy(int from, int to, int64_t max)
{
    static _Thread_local char chunk[CHUNK_BYTES];
    int64_t at = 0;
    ssize_t n;

    while ((n = pread(from, chunk, sizeof chunk, at)) > 0) {
        if ((at += n) > max)
            return ERR_INVALID;
        enum err e = write_all(to, chunk, (size_t)n);
        if (e)
            return e;
    }
    return n < 0 ? ERR_INTERNAL : OK;
}

static enum err compare(const char *path, const uint8_t wanted[32])
{
    static _Thread_local char chunk[CHUNK_BYTES];
    struct crypto_hash h;
    uint8_t hash[32];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return of_errno("opening", path);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    crypto_hash_begin(&h);
    while ((n = read(fd, chunk, sizeof chunk)) > 0)
        crypto_hash_add(&h, chunk, (size_t)n);
    crypto_hash_end(&h, hash);
    enum err e = n < 0 ? of_errno("reading", path) : OK;
    (void)close(fd);
    return e ? e : memcmp(hash, wanted, 32) == 0 ? OK : ERR_CONFLICT;
}

static enum err write_beside(const char *path, int from, int64_t bytes)
{
    enum err e = erase_drop(path);
    int fd = e ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return e ? e : of_errno("writing", path);
    e = copy(from, fd, bytes);
    if (!e && fsync(fd))
        e = of_errno("syncing", path);
    if (close(fd) && !e)
        e = of_errno("closing", path);
    return e;
}

enum err backup_mirror_put(const char *place, const char *folder,
                           const char *name, int fd, int64_t bytes,
                           const uint8_t sha256[32])
{
    char dir[PATH_BYTES], path[PATH_BYTES], beside[PATH_BYTES];

    join(dir, place, folder, "");
    join(path, dir, name, "");
    must(snprintf(beside, sizeof beside, "%s/.%s.new", dir, name) < PATH_BYTES);
    bool is_new = mkdir(dir, 0700) == 0;
    if (!is_new && errno != EEXIST)
        return of_errno("making", dir);
    enum err e = is_new ? key_sync_dir(place) : OK;
    if (!e)
        e = write_beside(beside, fd, bytes);
    if (!e)
        e = compare(beside, sha256);
    if (!e)
        e = erase_replace(beside, path);
    if (e)
        (void)!erase_drop(beside);
    return e ? e : key_sync_dir(dir);
}

enum err backup_mirror_get(const char *place, const char *folder,
                           const char *name, int fd, int64_t max)
{
    char dir[PATH_BYTES], path[PATH_BYTES];

    join(dir, place, folder, "");
    join(path, dir, name, "");
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (from < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : of_errno("opening", path);
    enum err e = copy(from, fd, max);
    (void)close(from);
    return e;
}

/* What a kill in the middle of a copy left, once nothing else is there. */
static void drop_leftovers(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;
    bool is_bare = true;

    while (d && is_bare && (entry = readdir(d)))
        is_bare = entry->d_name[0] == '.';
    if (d)
        rewinddir(d);
    while (d && is_bare && (entry = readdir(d)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)!erase_drop_at(dirfd(d), entry->d_name);
    if (d)
        (void)closedir(d);
}

enum err backup_mirror_delete(const char *place, const char *folder,
                              const char *name)
{
    char dir[PATH_BYTES], path[PATH_BYTES];

    join(dir, place, folder, "");
    join(path, dir, name, "");
    enum err e = erase_drop(path);
    if (e)
        return e;
    drop_leftovers(dir);
    (void)rmdir(dir); /* while others are in it, it stays */
    return OK;
}

void backup_mirror_sweep(const char *place, const char *folder)
{
    char dir[PATH_BYTES];

    join(dir, place, folder, "");
    erase_sweep(dir);
}

/* "kou.key", and ".kou.key.new", ".kou.key.old" of a copy that was killed. */
static bool is_key_of(const char *name, const char *id)
{
    size_t len = strlen(id);

    if (*name == '.')
        name++;
    return strncmp(name, id, len) == 0 && strncmp(name + len, ".key", 4) == 0 &&
           (!name[len + 4] || name[len + 4] == '.');
}

static enum err drop_keys_in(const char *dir, const char *id)
{
    const struct dirent *entry;
    DIR *d = opendir(dir);
    enum err e = d ? OK : of_errno("opening", dir);
    bool is_changed = false;

    while (!e && (entry = readdir(d))) {
        if (!is_key_of(entry->d_name, id))
            continue;
        e = erase_drop_at(dirfd(d), entry->d_name);
        is_changed = true;
    }
    if (d)
        (void)closedir(d);
    return e || !is_changed ? e : key_sync_dir(dir);
}

enum err backup_mirror_drop_keys(const char *place, const char *id)
{
    const struct dirent *entry;
    DIR *d = opendir(place);
    char dir[PATH_BYTES];
    struct stat st;
    enum err e = d ? OK : of_errno("opening", place);

    while (!e && (entry = readdir(d))) {
        if (entry->d_name[0] == '.' ||
            fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
            !S_ISDIR(st.st_mode))
            continue;
        join(dir, place, entry->d_name, "");
        e = drop_keys_in(dir, id);
    }
    if (d)
        (void)closedir(d);
    return e;
}
