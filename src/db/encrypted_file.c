/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of 64 KB, each with its tag.  The name is random and part of the
 * key's label, so that no key seals two files and the piece's number may be
 * the nonce. */
#include "db/encrypted_file.h"

#include "base/crypto.h"
#include "base/log.h"
#include "base/str.h"
#include "db/erase.h"
#include "db/key.h"
#include "db/pool.h"
#include "db/tenant_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PIECE_BYTES = 64 << 10,
    ENCRYPTED_FILE_PIECE = PIECE_BYTES + CRYPTO_SEAL_BYTES,
    PATH_BYTES = 4096,
};
#define KEPT "archive-"
#define TAIL ".sealed"

struct encrypted_file {
    char folder[PATH_BYTES], path[PATH_BYTES];
    char name[ENCRYPTED_FILE_NAME_CHARS + 1];
    uint8_t key[32];
    int fd;
    bool is_finished;
    uint64_t no;
    int64_t bytes;
    size_t len;
    uint8_t piece[PIECE_BYTES], out[ENCRYPTED_FILE_PIECE];
};

struct encrypted_file_reader {
    uint8_t key[32];
    int fd;
    int64_t bytes, pieces;
    int64_t held; /* number of the piece in memory, -1: none */
    uint8_t in[ENCRYPTED_FILE_PIECE], piece[PIECE_BYTES];
};

static enum err of_errno(const char *doing, const char *path)
{
    log_error("db: %s %s: errno=%d", doing, path, errno);
    return errno == ENOSPC || errno == EDQUOT ? ERR_FULL
           : errno == ENOENT                  ? ERR_NOT_FOUND
                                              : ERR_INTERNAL;
}

static void name_file(char out[PATH_BYTES], const char *folder,
                      const char *head, const char *name)
{
    must(snprintf(out, PATH_BYTES, "%s/%s%s%s", folder, head, name, TAIL) <
         PATH_BYTES);
}

static bool is_name(const char *name)
{
    return name && strlen(name) == ENCRYPTED_FILE_NAME_CHARS &&
           strspn(name, "0123456789abcdef") == ENCRYPTED_FILE_NAME_CHARS;
}

/* As tenant_derive_key() does. */
static void derive_from(const uint8_t key[32], const char *name,
                        uint8_t out[32])
{
    char text[64];

    (void)snprintf(text, sizeof text, "use:archive:%s", name);
    crypto_derive(key, text, out);
}

static void derive(const struct tenant *t, const char *name, uint8_t out[32])
{
    char label[64];

    (void)snprintf(label, sizeof label, "archive:%s", name);
    tenant_derive_key(t, label, out);
}

/* ---- writing ---- */

static enum err create_file(struct encrypted_file *s,
                            struct encrypted_file **out)
{
    *out = NULL;
    name_file(s->path, s->folder, TENANT_SCRATCH, s->name);
    s->fd = open(s->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (s->fd < 0) {
        enum err e = of_errno("creating", s->path);
        free(s);
        return e;
    }
    *out = s;
    return OK;
}

enum err encrypted_file_create(struct tenant *t, struct encrypted_file **out)
{
    struct encrypted_file *s = calloc(1, sizeof *s);
    uint8_t random[ENCRYPTED_FILE_NAME_CHARS / 2];

    must(s);
    crypto_random(random, sizeof random);
    str_to_hex(random, sizeof random, s->name);
    derive(t, s->name, s->key);
    pool_name_folder(t, s->folder, sizeof s->folder);
    return create_file(s, out);
}

static enum err write_piece(struct encrypted_file *s, bool is_last)
{
    const uint8_t *p = s->out;
    size_t left = s->len + CRYPTO_SEAL_BYTES;

    crypto_seal(s->key, s->no++, is_last, s->piece, s->len, s->out);
    s->len = 0;
    while (left > 0) {
        ssize_t n = write(s->fd, p, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return of_errno("writing", s->path);
        p += n;
        left -= (size_t)n;
    }
    return OK;
}

enum err encrypted_file_put(struct encrypted_file *s, const void *data,
                            size_t len)
{
    const uint8_t *p = data;

    must(!s->is_finished);
    s->bytes += (int64_t)len;
    while (len > 0) {
        size_t room = PIECE_BYTES - s->len;
        size_t n = len < room ? len : room;
        enum err e = OK;
        /* a full one waits: it may be the last */
        if (room == 0) {
            if ((e = write_piece(s, false)))
                return e;
            continue;
        }
        memcpy(s->piece + s->len, p, n);
        s->len += n;
        p += n;
        len -= n;
    }
    return OK;
}

enum err encrypted_file_finish(struct encrypted_file *s, int64_t *bytes)
{
    enum err e = write_piece(s, true);

    s->is_finished = true;
    *bytes = s->bytes;
    if (!e && fsync(s->fd))
        e = of_errno("syncing", s->path);
    return e;
}

enum err encrypted_file_keep(struct encrypted_file *s,
                             char name[ENCRYPTED_FILE_NAME_CHARS + 1])
{
    char path[PATH_BYTES];

    must(s->is_finished);
    name_file(path, s->folder, KEPT, s->name);
    if (rename(s->path, path))
        return of_errno("naming", path);
    memcpy(name, s->name, sizeof s->name);
    *s->path = '\0';
    return key_sync_dir(s->folder);
}

void encrypted_file_close(struct encrypted_file *s)
{
    if (!s)
        return;
    (void)close(s->fd);
    if (*s->path)
        (void)!erase_drop(s->path);
    crypto_wipe(s, sizeof *s);
    free(s);
}

/* ---- reading ---- */

static enum err open_in(const char *folder, const char *name,
                        struct encrypted_file_reader **out)
{
    char path[PATH_BYTES];
    struct stat st;

    *out = NULL;
    name_file(path, folder, KEPT, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st)) {
        enum err e = of_errno("opening", path);
        if (fd >= 0)
            (void)close(fd);
        return e;
    }
    struct encrypted_file_reader *f = calloc(1, sizeof *f);
    must(f);
    f->fd = fd;
    f->held = -1;
    f->pieces = (st.st_size + ENCRYPTED_FILE_PIECE - 1) / ENCRYPTED_FILE_PIECE;
    f->bytes = st.st_size - f->pieces * CRYPTO_SEAL_BYTES;
    *out = f;
    return OK;
}

enum err encrypted_file_open(struct tenant *t, const char *name,
                             struct encrypted_file_reader **out)
{
    char folder[PATH_BYTES];

    *out = NULL;
    if (!is_name(name))
        return ERR_NOT_FOUND;
    pool_name_folder(t, folder, sizeof folder);
    enum err e = open_in(folder, name, out);
    if (!e)
        derive(t, name, (*out)->key);
    return e;
}

int64_t encrypted_file_bytes(const struct encrypted_file_reader *f)
{
    return f->bytes < 0 ? 0 : f->bytes;
}

static enum err hold(struct encrypted_file_reader *f, int64_t no)
{
    int64_t from = no * PIECE_BYTES;
    size_t len = f->bytes - from < PIECE_BYTES ? (size_t)(f->bytes - from)
                                               : (size_t)PIECE_BYTES;
    size_t sealed = len + CRYPTO_SEAL_BYTES;

    if (f->held == no)
        return OK;
    f->held = -1;
    ssize_t n = pread(f->fd, f->in, sealed, no * ENCRYPTED_FILE_PIECE);
    if (n != (ssize_t)sealed ||
        crypto_unseal(f->key, (uint64_t)no, no == f->pieces - 1, f->in, len,
                      f->piece)) {
        log_error("db: a sealed file is not what was written, piece=%lld",
                  (long long)no);
        return ERR_INTERNAL;
    }
    f->held = no;
    return OK;
}

enum err encrypted_file_read(struct encrypted_file_reader *f, int64_t at,
                             void *data, size_t len)
{
    uint8_t *out = data;

    if (at < 0 || at > f->bytes || (int64_t)len > f->bytes - at)
        return ERR_INVALID;
    while (len > 0) {
        enum err e = hold(f, at / PIECE_BYTES);
        if (e)
            return e;
        size_t from = (size_t)(at % PIECE_BYTES);
        size_t n = PIECE_BYTES - from < len ? PIECE_BYTES - from : len;
        memcpy(out, f->piece + from, n);
        out += n;
        at += (int64_t)n;
        len -= n;
    }
    return OK;
}

void encrypted_file_leave(struct encrypted_file_reader *f)
{
    if (!f)
        return;
    (void)close(f->fd);
    crypto_wipe(f, sizeof *f);
    free(f);
}

/* ---- the folder ---- */

enum err encrypted_file_remove(struct tenant *t, const char *name)
{
    char folder[PATH_BYTES], path[PATH_BYTES];

    if (!is_name(name))
        return ERR_INVALID;
    pool_name_folder(t, folder, sizeof folder);
    name_file(path, folder, KEPT, name);
    enum err e = erase_drop(path);
    return e ? e : key_sync_dir(folder);
}

size_t encrypted_file_list(struct tenant *t, struct arena *mem,
                           const char *const **out)
{
    enum { LIST_MAX = 64 };
    char folder[PATH_BYTES];
    const char **list = arena_array(mem, const char *, LIST_MAX);
    const struct dirent *entry;
    size_t n = 0, head = strlen(KEPT);

    pool_name_folder(t, folder, sizeof folder);
    DIR *d = opendir(folder);
    while (d && n < LIST_MAX && (entry = readdir(d))) {
        if (strncmp(entry->d_name, KEPT, head) != 0)
            continue;
        const char *name =
            arena_strndup(mem, entry->d_name + head, ENCRYPTED_FILE_NAME_CHARS);
        if (is_name(name))
            list[n++] = name;
    }
    if (d)
        (void)closedir(d);
    *out = list;
    return n;
}

/* ---- another key ---- */

static enum err copy_sealed(struct encrypted_file_reader *in,
                            struct encrypted_file *out)
{
    static _Thread_local uint8_t part[PIECE_BYTES];
    char name[ENCRYPTED_FILE_NAME_CHARS + 1];
    int64_t at = 0, bytes = encrypted_file_bytes(in);
    enum err e = OK;

    while (at < bytes && !e) {
        size_t len = bytes - at < PIECE_BYTES ? (size_t)(bytes - at)
                                              : (size_t)PIECE_BYTES;
        e = encrypted_file_read(in, at, part, len);
        if (!e)
            e = encrypted_file_put(out, part, len);
        at += (int64_t)len;
    }
    crypto_wipe(part, sizeof part);
    if (!e)
        e = encrypted_file_finish(out, &bytes);
    return e ? e : encrypted_file_keep(out, name);
}

static enum err seal_one(const char *from, const uint8_t old[32],
                         const char *to, const uint8_t key[32],
                         const char *name)
{
    struct encrypted_file *out = calloc(1, sizeof *out);
    struct encrypted_file_reader *in = NULL;

    must(out);
    memcpy(out->name, name, sizeof out->name);
    (void)snprintf(out->folder, sizeof out->folder, "%s", to);
    derive_from(key, name, out->key);
    enum err e = create_file(out, &out);
    if (!e)
        e = open_in(from, name, &in);
    if (!e) {
        derive_from(old, name, in->key);
        e = copy_sealed(in, out);
    }
    encrypted_file_leave(in);
    encrypted_file_close(out);
    return e;
}

enum err encrypted_file_seal_anew(const char *from, const uint8_t old[32],
                                  const char *to, const uint8_t key[32])
{
    char name[ENCRYPTED_FILE_NAME_CHARS + 1];
    const struct dirent *entry;
    size_t head = strlen(KEPT);
    DIR *d = opendir(from);
    enum err e = d ? OK : of_errno("opening", from);

    while (!e && (entry = readdir(d))) {
        if (strncmp(entry->d_name, KEPT, head) != 0)
            continue;
        (void)snprintf(name, sizeof name, "%s", entry->d_name + head);
        if (is_name(name))
            e = seal_one(from, old, to, key, name);
    }
    if (d)
        (void)closedir(d);
    return e;
}
