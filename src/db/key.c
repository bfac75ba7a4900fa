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
        (void)unlink(from);
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

/* ---- wrapped keys ---- */

enum err key_keep(const char *dir, const char *name, const uint8_t wrapping[32],
                  const char *context, const uint8_t key[32])
{
    uint8_t wrapped[CRYPTO_WRAPPED_BYTES];

    crypto_wrap(wrapping, context, key, wrapped);
    return write_file(dir, name, wrapped, sizeof(wrapped), 0600, false);
}

enum err key_make(const char *dir, const char *name, const uint8_t wrapping[32],
                  const char *context, uint8_t out[32])
{
    crypto_random(out, 32);
    return key_keep(dir, name, wrapping, context, out);
}

enum err key_load(const char *dir, const char *name, const uint8_t wrapping[32],
                  const char *context, uint8_t out[32])
{
    uint8_t wrapped[CRYPTO_WRAPPED_BYTES];
    long len = key_read_file(dir, name, wrapped, sizeof(wrapped));

    if (len < 0 && errno == ENOENT)
        return ERR_NOT_FOUND;
    if (len != sizeof(wrapped) ||
        crypto_unwrap(wrapping, context, wrapped, out)) {
        log_error("db: key %s/%s does not open: another master key?", dir,
                  name);
        return ERR_INTERNAL;
    }
    return OK;
}
