/* SPDX-License-Identifier: Apache-2.0 */
/* A key that is lost takes its data with it, and one half written is lost.
 * So a key file is written beside its place, synced, renamed and the folder
 * synced before anything is encrypted under it.  The master key never leaves
 * this process; the files hold keys wrapped by it. */
#include "db/key.h"

#include "base/crypto.h"
#include "base/log.h"
#include "db/erase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static enum err of_errno(void)
{
    return errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_INTERNAL;
}

static enum err fail(const char *doing, const char *path)
{
    enum err e = of_errno();

    log_error("db: %s %s: errno=%d", doing, path, errno);
    return e;
}

enum err key_sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return fail("opening folder", dir);
    enum err e = fsync(fd) ? fail("syncing folder", dir) : OK;
    close(fd);
    return e;
}

static enum err write_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return of_errno();
        at += n;
        len -= (size_t)n;
    }
    return fsync(fd) ? of_errno() : OK;
}

/* Where a disk knows no links, looking first must do: the data directory has
 * one process. */
static int rename_new(const char *from, const char *to)
{
    if (link(from, to) == 0) {
        (void)!erase_drop(from); /* this name alone */
        return 0;
    }
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
        return -1;
    if (access(to, F_OK) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(from, to);
}

static enum err give_name(const char *from, const char *to, bool may_replace)
{
    if (may_replace)
        return erase_replace(from, to);
    if (rename_new(from, to) == 0)
        return OK;
    if (errno == EEXIST) {
        log_error("db: %s is there, and is not replaced", to);
        return ERR_CONFLICT;
    }
    return fail("naming", to);
}

enum err key_name(const char *dir, const char *from, const char *to,
                  bool may_replace)
{
    char a[PATH_BYTES], b[PATH_BYTES];

    must(snprintf(a, sizeof(a), "%s/%s", dir, from) < PATH_BYTES);
    must(snprintf(b, sizeof(b), "%s/%s", dir, to) < PATH_BYTES);
    enum err e = give_name(a, b, may_replace);
    return e ? e : key_sync_dir(dir);
}

static enum err write_file(const char *dir, const char *name, const void *data,
                           size_t len, unsigned mode, bool may_replace)
{
    char path[PATH_BYTES], beside[PATH_BYTES];

    must(snprintf(path, sizeof(path), "%s/%s", dir, name) < PATH_BYTES);
    must(snprintf(beside, sizeof(beside), "%s/.%s.new", dir, name) <
         PATH_BYTES);
    enum err e = erase_drop(beside);
    if (e)
        return e;
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return fail("writing", beside);
    e = write_all(fd, data, len);
    if (close(fd) && !e)
        e = of_errno();
    if (!e)
        e = give_name(beside, path, may_replace);
    if (e) {
        log_error("db: writing %s: %s", path, err_name(e));
        (void)!erase_drop(beside);
        return e;
    }
    return key_sync_dir(dir);
}

enum err key_write_file(const char *dir, const char *name, const void *data,
                        size_t len, unsigned mode)
{
    return write_file(dir, name, data, len, mode, true);
}

static long read_fd(int fd, void *data, size_t max)
{
    size_t len = 0;

    while (len <= max) {
        char extra;
        bool is_over = len == max;
        ssize_t n = read(fd, is_over ? &extra : (char *)data + len,
                         is_over ? 1 : max - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || (is_over && n > 0))
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (long)len;
}

long key_read_file(const char *dir, const char *name, void *data, size_t max)
{
    char path[PATH_BYTES];

    must(snprintf(path, sizeof(path), "%s/%s", dir, name) < PATH_BYTES);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    long len = read_fd(fd, data, max);
    close(fd);
    return len;
}

/* ---- the master key ---- */

static enum err make_master(const char *path, uint8_t out[32])
{
    char dir[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    int len = slash ? (int)(slash - path) : 1;

    must(snprintf(dir, sizeof(dir), "%.*s", len, slash ? path : ".") <
         PATH_BYTES);
    crypto_random(out, 32);
    enum err e = write_file(len ? dir : "/", name, out, 32, 0400, false);
    if (!e)
        log_info("db: master key made, file=%s: keep a copy elsewhere", path);
    return e;
}

/* systemd gives its credentials by an access list, which shows as rights of
 * the group. */
static bool is_credential(const char *path)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    size_t len = dir ? strlen(dir) : 0;

    return len > 0 && strncmp(path, dir, len) == 0 && path[len] == '/';
}

static enum err read_master(int fd, const char *path, uint8_t out[32])
{
    struct stat st;

    if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
        (st.st_mode & (is_credential(path) ? 027 : 077))) {
        log_error("db: master key %s must be a file of mode 0400", path);
        return ERR_DENIED;
    }
    if (read_fd(fd, out, 32) != 32) {
        log_error("db: master key %s must hold exactly 32 bytes", path);
        return ERR_INVALID;
    }
    return OK;
}

enum err key_load_master(const char *path, bool may_create, uint8_t out[32])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT && may_create)
        return make_master(path, out);
    if (fd < 0) {
        enum err e = errno == ENOENT ? ERR_NOT_FOUND : ERR_DENIED;
        log_error("db: master key %s cannot be read, errno=%d", path, errno);
        return e;
    }
    enum err e = read_master(fd, path, out);
    close(fd);
    return e;
}

int key_open_master(const char *path)
{
    struct stat st;

    if (is_credential(path))
        return -1;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 || errno != EACCES || stat(path, &st) ||
        st.st_uid != geteuid() || chmod(path, 0600))
        return fd;
    fd = open(path, O_RDWR | O_CLOEXEC); /* its owner may not write either */
    (void)chmod(path, 0400);
    return fd;
}

enum err key_replace_master(int fd, const char *path, const uint8_t master[32])
{
    uint8_t is[32];

    if (pwrite(fd, master, 32, 0) != 32 || fsync(fd))
        return fail("writing", path);
    bool is_right =
        pread(fd, is, 32, 0) == 32 && crypto_equal(is, master, sizeof is);
    crypto_wipe(is, sizeof is);
    return is_right ? OK : fail("reading", path);
}

/* ---- what wraps ---- */

void key_ring_open(struct key_ring *ring, const uint8_t master[32])
{
    must(pthread_rwlock_init(&ring->lock, NULL) == 0);
    crypto_derive(master, "wrap", ring->now);
    ring->has_before = false;
}

void key_ring_close(struct key_ring *ring)
{
    pthread_rwlock_destroy(&ring->lock);
    crypto_wipe(ring, sizeof *ring);
}

void key_ring_turn(struct key_ring *ring, const uint8_t master[32])
{
    pthread_rwlock_wrlock(&ring->lock);
    memcpy(ring->before, ring->now, sizeof ring->before);
    ring->has_before = true;
    crypto_derive(master, "wrap", ring->now);
    pthread_rwlock_unlock(&ring->lock);
}

void key_ring_forget(struct key_ring *ring)
{
    pthread_rwlock_wrlock(&ring->lock);
    ring->has_before = false;
    crypto_wipe(ring->before, sizeof ring->before);
    pthread_rwlock_unlock(&ring->lock);
}

bool key_ring_has_two(struct key_ring *ring)
{
    pthread_rwlock_rdlock(&ring->lock);
    bool has_two = ring->has_before;
    pthread_rwlock_unlock(&ring->lock);
    return has_two;
}

/* ---- wrapped keys ---- */

enum { SET_BYTES = KEY_SET_MAX * CRYPTO_WRAPPED_BYTES, CONTEXT_CHARS = 96 };

/* The first is bound to its owner as it is, the others to their place too. */
static const char *context_of(const char *owner, size_t i,
                              char out[CONTEXT_CHARS])
{
    if (i == 0)
        return owner;
    must(snprintf(out, CONTEXT_CHARS, "%s#%zu", owner, i) < CONTEXT_CHARS);
    return out;
}

/* With the ring held. */
static enum err write_set(const char *dir, const char *name,
                          const struct key_ring *ring, const char *owner,
                          const struct key_set *set, bool may_replace)
{
    uint8_t wrapped[SET_BYTES];
    char context[CONTEXT_CHARS];

    must(set->count > 0 && set->count <= KEY_SET_MAX);
    for (size_t i = 0; i < set->count; i++)
        crypto_wrap(ring->now, context_of(owner, i, context), set->key[i],
                    wrapped + i * CRYPTO_WRAPPED_BYTES);
    return write_file(dir, name, wrapped, set->count * CRYPTO_WRAPPED_BYTES,
                      0600, may_replace);
}

static bool unwrap_set(const uint8_t wrapping[32], const char *owner,
                       const uint8_t *wrapped, struct key_set *out)
{
    char context[CONTEXT_CHARS];

    for (size_t i = 0; i < out->count; i++)
        if (crypto_unwrap(wrapping, context_of(owner, i, context),
                          wrapped + i * CRYPTO_WRAPPED_BYTES, out->key[i]))
            return false;
    return true;
}

/* With the ring held. */
static enum err read_set(const char *dir, const char *name,
                         const struct key_ring *ring, const char *owner,
                         struct key_set *out, bool *is_before)
{
    uint8_t wrapped[SET_BYTES];
    long len = key_read_file(dir, name, wrapped, sizeof wrapped);

    *is_before = false;
    if (len < 0 && errno == ENOENT)
        return ERR_NOT_FOUND;
    out->count = len > 0 ? (size_t)len / CRYPTO_WRAPPED_BYTES : 0;
    bool is_whole =
        out->count > 0 && out->count * CRYPTO_WRAPPED_BYTES == (size_t)len;
    if (is_whole && unwrap_set(ring->now, owner, wrapped, out))
        return OK;
    *is_before = is_whole && ring->has_before &&
                 unwrap_set(ring->before, owner, wrapped, out);
    if (*is_before)
        return OK;
    log_error("db: key %s/%s does not open: another master key?", dir, name);
    return ERR_INTERNAL;
}

enum err key_keep(const char *dir, const char *name, struct key_ring *ring,
                  const char *context, const struct key_set *set)
{
    pthread_rwlock_rdlock(&ring->lock);
    enum err e = write_set(dir, name, ring, context, set, false);
    pthread_rwlock_unlock(&ring->lock);
    return e;
}

enum err key_make(const char *dir, const char *name, struct key_ring *ring,
                  const char *context, uint8_t out[32])
{
    struct key_set set = {.count = 1};

    crypto_random(out, 32);
    memcpy(set.key[0], out, 32);
    enum err e = key_keep(dir, name, ring, context, &set);
    crypto_wipe(&set, sizeof set);
    return e;
}

enum err key_load_set(const char *dir, const char *name, struct key_ring *ring,
                      const char *context, struct key_set *out)
{
    bool is_before;

    pthread_rwlock_rdlock(&ring->lock);
    enum err e = read_set(dir, name, ring, context, out, &is_before);
    pthread_rwlock_unlock(&ring->lock);
    return e;
}

enum err key_load(const char *dir, const char *name, struct key_ring *ring,
                  const char *context, uint8_t out[32])
{
    struct key_set set;
    enum err e = key_load_set(dir, name, ring, context, &set);

    if (!e)
        memcpy(out, set.key[0], 32);
    crypto_wipe(&set, sizeof set);
    return e;
}

enum err key_rewrap(const char *dir, const char *name, struct key_ring *ring,
                    const char *context, const struct key_set *more,
                    bool *is_changed)
{
    struct key_set set;

    pthread_rwlock_wrlock(&ring->lock);
    enum err e = read_set(dir, name, ring, context, &set, is_changed);
    if (!e && *is_changed) {
        for (size_t i = 0; more && set.count == 1 && i < more->count; i++)
            memcpy(set.key[1 + i], more->key[i], 32);
        if (more && set.count == 1)
            set.count += more->count;
        e = write_set(dir, name, ring, context, &set, true);
    }
    pthread_rwlock_unlock(&ring->lock);
    crypto_wipe(&set, sizeof set);
    return e;
}
