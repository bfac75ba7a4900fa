/* SPDX-License-Identifier: Apache-2.0 */
/* What is a tenant's is told by names alone, so that nothing has to be known
 * of who made a file: a part of the path is the id, or begins with the id and
 * a full stop, which no id contains; what a step writes beside has a full stop
 * and a word before that.  Overwriting is not what makes a deletion certain,
 * the destroyed key is; it is done all the same, and the certificate says what
 * it can do on the medium at hand. */
#include "db/erase.h"

#include "base/buf.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/str.h"
#include "db/key.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    PATH_BYTES = 4096,
    CHUNK_BYTES = 1 << 16,
    DEPTH_MAX = 6,
};

static enum err of_errno(const char *doing, const char *path)
{
    log_error("db: %s %s: errno=%d", doing, path, errno);
    return errno == ENOSPC || errno == EDQUOT ? ERR_FULL
           : errno == ENOENT                  ? ERR_NOT_FOUND
                                              : ERR_INTERNAL;
}

/* ---- names ---- */

static bool begins_with_id(const char *name, const char *id)
{
    size_t len = strlen(id);

    return strncmp(name, id, len) == 0 && (name[len] == 0 || name[len] == '.');
}

/* ".new-kou" and ".kou.key.new" without what comes first. */
static const char *strip(const char *name)
{
    static const char *const words[] = {"new-", "replaced-", "aside-"};

    if (name[0] != '.')
        return name;
    name++;
    for (size_t i = 0; i < COUNT(words); i++)
        if (strncmp(name, words[i], strlen(words[i])) == 0)
            return name + strlen(words[i]);
    return name;
}

static bool is_own(const char *name, const char *id)
{
    return begins_with_id(strip(name), id) ||
           (name[0] == '.' && begins_with_id(name + 1, id));
}

static enum erase_kind kind_of(const char *path, const char *name,
                               const char *id)
{
    const char *tail = strip(name) + strlen(id);
    bool is_beneath = strncmp(path, "backups/", 8) == 0;
    /* what a broken run left is no generation, and has no time of its own */
    bool is_copy = is_beneath && path[8] >= '0' && path[8] <= '9' &&
                   strcspn(path + 8, "/") == sizeof "2026-11-24" - 1;

    if (strncmp(tail, ".log.key", 8) == 0)
        return is_copy ? ERASE_BACKUPS : is_beneath ? ERASE_FILES : ERASE_LOGS;
    if (strncmp(tail, ".key", 4) == 0)
        return ERASE_KEYS;
    if (strncmp(path, "retained/", 9) == 0)
        return ERASE_LOGS;
    return is_copy ? ERASE_BACKUPS : ERASE_FILES;
}

/* ---- finding ---- */

struct walk {
    const char *dir, *id;
    struct arena *mem;
    struct erase_found *list;
    size_t count, cap;
    struct buf folders; /* paths, each before what is in it */
};

static void add(struct walk *w, const char *path, enum erase_kind kind)
{
    if (w->count == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 32;
        struct erase_found *list = arena_array(w->mem, struct erase_found, cap);
        if (w->count)
            memcpy(list, w->list, w->count * sizeof *list);
        w->list = list;
        w->cap = cap;
    }
    w->list[w->count++] =
        (struct erase_found){arena_strdup(w->mem, path), kind};
}

static enum err walk_folder(struct walk *w, const char *path, bool is_mine,
                            int depth);

static enum err visit(struct walk *w, const char *path, const char *name,
                      bool is_mine, int depth)
{
    char whole[PATH_BYTES];
    struct stat st;
    bool has_name = is_own(name, w->id);

    must(snprintf(whole, sizeof whole, "%s/%s", w->dir, path) < PATH_BYTES);
    if (lstat(whole, &st))
        return errno == ENOENT ? OK : of_errno("looking at", whole);
    if (S_ISDIR(st.st_mode)) {
        if (is_mine || has_name) {
            const char *own = arena_strdup(w->mem, path);
            buf_put(&w->folders, &own, sizeof own);
        }
        return walk_folder(w, path, is_mine || has_name, depth + 1);
    }
    if (has_name && !is_mine)
        add(w, path, kind_of(path, name, w->id));
    else if (is_mine)
        add(w, path, ERASE_FILES);
    return OK;
}

static enum err walk_folder(struct walk *w, const char *path, bool is_mine,
                            int depth)
{
    char whole[PATH_BYTES], child[PATH_BYTES];
    const struct dirent *entry;
    enum err e = OK;

    must(depth <= DEPTH_MAX);
    must(snprintf(whole, sizeof whole, "%s/%s", w->dir, path) < PATH_BYTES);
    DIR *d = opendir(whole);
    if (!d)
        return errno == ENOENT ? OK : of_errno("opening", whole);
    while (!e && (entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        must(snprintf(child, sizeof child, "%s%s%s", path, *path ? "/" : "",
                      entry->d_name) < PATH_BYTES);
        e = visit(w, child, entry->d_name, is_mine, depth);
    }
    (void)closedir(d);
    return e;
}

static enum err walk_all(const struct store *s, const char *id,
                         struct arena *mem, struct walk *w)
{
    must(tenant_is_id(id));
    *w = (struct walk){.dir = store_place(s).dir,
                       .id = id,
                       .mem = mem,
                       .folders = buf_in(mem)};
    return walk_folder(w, "", false, 0);
}

enum err erase_find(const struct store *s, const char *id, struct arena *mem,
                    const struct erase_found **out, size_t *count)
{
    struct walk w;
    enum err e = walk_all(s, id, mem, &w);

    *out = w.list;
    *count = w.count;
    return e;
}

/* ---- one file ---- */

static enum err open_file(const struct store *s, const char *path, int flags,
                          int *fd, int64_t *bytes)
{
    char whole[PATH_BYTES];
    struct stat st;

    must(snprintf(whole, sizeof whole, "%s/%s", store_place(s).dir, path) <
         PATH_BYTES);
    *fd = open(whole, flags | O_NOFOLLOW | O_CLOEXEC);
    if (*fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : of_errno("opening", whole);
    if (fstat(*fd, &st) || !S_ISREG(st.st_mode)) {
        (void)close(*fd);
        log_error("db: %s is no file", whole);
        return ERR_INTERNAL;
    }
    *bytes = st.st_size;
    return OK;
}

enum err erase_hash(const struct store *s, const char *path,
                    erase_go_on_fn *go_on, void *arg, struct erase_file *out)
{
    static _Thread_local uint8_t chunk[CHUNK_BYTES];
    struct crypto_hash h;
    ssize_t n = 0;
    int fd;

    *out = (struct erase_file){.bytes = 0};
    enum err e = open_file(s, path, O_RDONLY, &fd, &out->bytes);
    if (e)
        return e;
    crypto_hash_begin(&h);
    while (go_on(arg) && (n = read(fd, chunk, sizeof chunk)) > 0)
        crypto_hash_add(&h, chunk, (size_t)n);
    crypto_hash_end(&h, out->sha256);
    if (n < 0)
        e = of_errno("reading", path);
    else if (n > 0 || !go_on(arg))
        e = ERR_BUSY;
    (void)close(fd);
    return e;
}

static enum err overwrite(int fd, const char *path, int64_t bytes,
                          erase_go_on_fn *go_on, void *arg)
{
    static _Thread_local uint8_t noise[CHUNK_BYTES];
    int64_t done = 0;

    crypto_random(noise, sizeof noise);
    while (done < bytes) {
        int64_t left = bytes - done;
        size_t part = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
        if (!go_on(arg))
            return ERR_BUSY;
        ssize_t n = pwrite(fd, noise, part, done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return of_errno("overwriting", path);
        done += n;
    }
    return fsync(fd) ? of_errno("syncing", path) : OK;
}

/* What an open file held is gone from the disk afterwards.  A file that has
 * another name is somebody's still: its bytes stay until the last one goes. */
static enum err destroy(int fd, const char *path, erase_go_on_fn *go_on,
                        void *arg, bool *is_discarded)
{
    struct stat st;

    *is_discarded = false;
    if (fstat(fd, &st))
        return of_errno("looking at", path);
    if (!S_ISREG(st.st_mode) || st.st_nlink > 1 || st.st_size == 0)
        return OK;
    enum err e = overwrite(fd, path, st.st_size, go_on, arg);
    if (!e && fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                        st.st_size) == 0)
        *is_discarded = fsync(fd) == 0;
    return e;
}

static enum err unlink_synced(const struct store *s, const char *path)
{
    char whole[PATH_BYTES];

    must(snprintf(whole, sizeof whole, "%s/%s", store_place(s).dir, path) <
         PATH_BYTES);
    if (unlink(whole) && errno != ENOENT)
        return of_errno("removing", whole);
    *strrchr(whole, '/') = 0;
    return key_sync_dir(whole);
}

enum err erase_file(const struct store *s, const char *path,
                    erase_go_on_fn *go_on, void *arg, struct erase_file *out)
{
    int64_t bytes;
    int fd;
    enum err e = open_file(s, path, O_RDWR, &fd, &bytes);

    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    e = destroy(fd, path, go_on, arg, &out->is_discarded);
    (void)close(fd);
    return e ? e : unlink_synced(s, path);
}

/* A file of SQLite or a sealed one is ciphertext from its first byte to its
 * last, and gigabytes of it: the key is what makes it unreadable. */
static bool is_ciphertext(const char *name)
{
    size_t len = strlen(name);

    return strstr(name, ".db") || strncmp(name, "scratch-", 8) == 0 ||
           (len > 7 && strcmp(name + len - 7, ".sealed") == 0);
}

static bool always(void *arg)
{
    (void)arg;
    return true;
}

enum err erase_drop_at(int dir, const char *name)
{
    enum err e = OK;
    bool is_discarded;

    if (!is_ciphertext(name)) {
        int fd =
            openat(dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0) {
            e = destroy(fd, name, always, NULL, &is_discarded);
            (void)close(fd);
        } else if (errno != ENOENT && errno != ELOOP && errno != ENXIO) {
            e = of_errno("opening", name);
        }
        /* where overwriting takes room of its own, a full disk must not keep
         * what would make room */
        if (e == ERR_FULL)
            e = OK;
    }
    if (!e && unlinkat(dir, name, 0) && errno != ENOENT)
        e = of_errno("removing", name);
    return e;
}

enum err erase_drop(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_BYTES];

    must(slash && snprintf(folder, sizeof folder, "%.*s/", (int)(slash - path),
                           path) < PATH_BYTES);
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return errno == ENOENT ? OK : of_errno("opening", folder);
    enum err e = erase_drop_at(dir, slash + 1);
    (void)close(dir);
    return e;
}

/* The file that gives its name away keeps another one until it is erased, so
 * that a kill between the two leaves a name by which it is found. */
enum err erase_replace(const char *from, const char *to)
{
    char old[PATH_BYTES];
    const char *name = strrchr(to, '/') + 1;
    bool is_discarded;

    must(snprintf(old, sizeof old, "%.*s.%s.old", (int)(name - to), to, name) <
         PATH_BYTES);
    enum err e = erase_drop(old);
    if (e)
        return e;
    bool has_old = is_ciphertext(name) || link(to, old) == 0 || errno == ENOENT;
    if (!has_old && errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
        return of_errno("linking", old);
    int fd = has_old ? -1 : open(to, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (rename(from, to))
        e = of_errno("naming", to);
    if (fd >= 0 && !e) /* on a disk that knows no links */
        e = destroy(fd, to, always, NULL, &is_discarded);
    if (fd >= 0)
        (void)close(fd);
    enum err dropped = erase_drop(old);
    return e ? e : dropped;
}

/* ".kou.key.new", ".kou.key.old": how write and replace call what passes. */
static bool is_passing(const char *name)
{
    size_t len = strlen(name);

    return name[0] == '.' && len > 5 &&
           (strcmp(name + len - 4, ".new") == 0 ||
            strcmp(name + len - 4, ".old") == 0);
}

void erase_sweep(const char *folder)
{
    const struct dirent *entry;
    DIR *d = opendir(folder);

    while (d && (entry = readdir(d)))
        if (is_passing(entry->d_name) &&
            erase_drop_at(dirfd(d), entry->d_name) == OK)
            log_warn("db: removed what a kill left, file=%s/%s", folder,
                     entry->d_name);
    if (d)
        (void)closedir(d);
}

enum err erase_folders(const struct store *s, const char *id, struct arena *mem)
{
    char path[PATH_BYTES];
    struct walk w;
    enum err e = walk_all(s, id, mem, &w);
    const char *const *list = (const void *)w.folders.data;

    for (size_t i = w.folders.len / sizeof *list; i-- > 0 && !e;) {
        must(snprintf(path, sizeof path, "%s/%s", w.dir, list[i]) < PATH_BYTES);
        if (rmdir(path) && errno != ENOENT)
            return of_errno("removing", path);
        *strrchr(path, '/') = 0;
        e = key_sync_dir(path);
    }
    return e;
}

/* ---- looking ---- */

/* Whether a path of an open file has a part that is the tenant's, and lies in
 * the data directory. */
static bool is_handle_of(const char *path, const char *dir, const char *id)
{
    size_t len = strlen(dir);

    if (strncmp(path, dir, len) != 0 || path[len] != '/')
        return false;
    for (const char *at = path + len; at; at = strchr(at + 1, '/')) {
        char name[PATH_BYTES];
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 1, "/ "),
                       at + 1);
        if (is_own(name, id))
            return strncmp(path + len, "/retained/", 10) != 0;
    }
    return false;
}

/* Number by number: a confined process may look where its own files lead, but
 * not list the folder of them.  What cannot be looked at proves nothing. */
static enum err count_handles(const struct store *s, const char *id,
                              size_t *out)
{
    char dir[PATH_BYTES], link[64], path[PATH_BYTES];
    struct rlimit files;

    if (!realpath(store_place(s).dir, dir))
        return of_errno("finding", store_place(s).dir);
    if (getrlimit(RLIMIT_NOFILE, &files))
        return of_errno("reading", "RLIMIT_NOFILE");
    for (int fd = 0; (rlim_t)fd < files.rlim_cur && fd < INT_MAX; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            continue;
        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, path, sizeof path - 1);
        if (n < 0 && fcntl(fd, F_GETFD) >= 0)
            return of_errno("reading", link);
        path[n > 0 ? n : 0] = 0;
        *out += is_handle_of(path, dir, id);
    }
    return OK;
}

enum err erase_prove(const struct store *s, const char *id, struct arena *mem,
                     struct erase_proof *out)
{
    struct walk w;
    enum err e = walk_all(s, id, mem, &w);

    *out = (struct erase_proof){.folders = w.folders.len / sizeof(char *)};
    for (size_t i = 0; i < w.count && !e; i++)
        out->files +=
            w.list[i].kind == ERASE_KEYS || w.list[i].kind == ERASE_FILES;
    return e ? e : count_handles(s, id, &out->handles);
}

bool erase_is_gone(const struct store *s, const char *id)
{
    static const struct {
        const char *folder, *ending;
    } places[] = {{"tenants", ""}, {"keys", ".key"}};
    char path[PATH_BYTES];
    struct stat st;

    for (size_t i = 0; i < COUNT(places); i++) {
        must(snprintf(path, sizeof path, "%s/%s/%s%s", store_place(s).dir,
                      places[i].folder, id, places[i].ending) < PATH_BYTES);
        if (lstat(path, &st) == 0 || errno != ENOENT)
            return false;
    }
    return true;
}

void erase_look_at_medium(const struct store *s, struct erase_medium *out)
{
    static const struct {
        unsigned long magic;
        const char *name;
        bool is_copying;
    } known[] = {
        {0xEF53, "ext4", false},        {0x58465342, "xfs", false},
        {0x01021994, "tmpfs", false},   {0xF2F52010, "f2fs", true},
        {0x9123683E, "btrfs", true},    {0x2FC12FC1, "zfs", true},
        {0xCA451A4E, "bcachefs", true}, {0x794C7630, "overlay", false},
        {0x6969, "nfs", false},
    };
    struct statfs fs;

    *out = (struct erase_medium){.name = "?"};
    if (statfs(store_place(s).dir, &fs))
        return;
    unsigned long magic = (unsigned long)fs.f_type & 0xffffffffUL;
    (void)snprintf(out->name, sizeof out->name, "0x%lX", magic);
    for (size_t i = 0; i < COUNT(known); i++)
        if (known[i].magic == magic) {
            (void)snprintf(out->name, sizeof out->name, "%s", known[i].name);
            out->is_copying = known[i].is_copying;
        }
}

enum err erase_name_key(const struct store *s, const char *id,
                        char out[ERASE_KEY_ID_CHARS + 1])
{
    char dir[PATH_BYTES], name[64], context[64];
    uint8_t key[32], of_key[32];

    must(tenant_is_id(id));
    must(snprintf(dir, sizeof dir, "%s/keys", store_place(s).dir) < PATH_BYTES);
    (void)snprintf(name, sizeof name, "%s.key", id);
    (void)snprintf(context, sizeof context, "tenant:%s", id);
    enum err e = key_load(dir, name, store_place(s).wrapping, context, key);
    if (!e) {
        crypto_derive(key, "key id", of_key);
        str_to_hex(of_key, ERASE_KEY_ID_CHARS / 2, out);
    }
    crypto_wipe(key, sizeof key);
    return e;
}
