/* SPDX-License-Identifier: Apache-2.0 */
/* The data directory as a whole: who may use it (a lock that names its
 * holder), what it is for (a marker file), the master key, control.db and the
 * pool of tenants.  Checked in this order, so that a second process or a
 * wrong directory is refused before anything is written. */
#include "db/store.h"

#include "base/crypto.h"
#include "base/log.h"
#include "db/key.h"
#include "db/pool.h"
#include "db/store_keys.h"
#include "db/tenant_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    PATH_BYTES = 4096,
    TENANTS_MAX = 160,
    WAIT_MS = 5000,
    SQLITE_FIRST_SAFE = 3051003
};

#define ROOM_BYTES (16u << 20) /* less is a full disk before long */

struct store {
    char *dir, *vfs, *master_path;
    int lock_fd;
    struct store_keys *keys;
    struct file *control;
    struct pool *pool;
    struct store_figures figures;
};

static const char *const kind_name[] = {
    [STORE_SERVICE] = "service\n",
    [STORE_EVALUATION] = "evaluation\n",
};

static void join(char out[PATH_BYTES], const char *dir, const char *name)
{
    must(snprintf(out, PATH_BYTES, "%s/%s", dir, name) < PATH_BYTES);
}

/* ---- the directory ---- */

static enum err make_folder(const char *path)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return OK;
    log_error("db: folder %s cannot be made, errno=%d", path, errno);
    return errno == ENOSPC ? ERR_FULL : ERR_INTERNAL;
}

/* What stands above an evaluation directory; of a service a missing one is a
 * disk that is not mounted. */
static enum err make_parents(const char *path)
{
    char part[PATH_BYTES];
    enum err e = OK;

    for (const char *p = strchr(path + 1, '/'); p && !e;
         p = strchr(p + 1, '/')) {
        must(snprintf(part, sizeof part, "%.*s", (int)(p - path), path) <
             PATH_BYTES);
        e = make_folder(part);
    }
    return e;
}

/* Nothing is made where no service is. */
static enum err find_service(const struct store *s)
{
    char path[PATH_BYTES];

    join(path, s->dir, "kind");
    if (access(path, F_OK) == 0)
        return OK;
    log_error("db: %s is no data directory of Yagura (errno=%d); yagura serve "
              "and yagura tenant create begin one",
              s->dir, errno);
    return ERR_NOT_FOUND;
}

static enum err lock_folder(struct store *s)
{
    char path[PATH_BYTES], text[32] = "";

    join(path, s->dir, "lock");
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0) {
        log_error("db: data directory %s cannot be used, errno=%d", s->dir,
                  errno);
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL;
    }
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB)) {
        ssize_t len = pread(s->lock_fd, text, sizeof(text) - 1, 0);
        log_error("db: data directory %s is in use by process %.*s", s->dir,
                  len > 0 ? (int)strcspn(text, "\n") : 1, len > 0 ? text : "?");
        return ERR_CONFLICT;
    }
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(s->lock_fd, 0) ||
        pwrite(s->lock_fd, text, (size_t)len, 0) != len)
        return errno == ENOSPC ? ERR_FULL : ERR_INTERNAL;
    return OK;
}

static enum err check_kind(struct store *s, enum store_kind kind, bool create)
{
    char text[32] = "";
    const char *name = kind_name[kind];
    long len = key_read_file(s->dir, "kind", text, sizeof(text) - 1);

    if (len < 0 && errno == ENOENT && create)
        return key_write_file(s->dir, "kind", name, strlen(name), 0600);
    if (len < 0) {
        log_error("db: %s is no data directory", s->dir);
        return ERR_NOT_FOUND;
    }
    if (strcmp(text, name) == 0)
        return OK;
    log_error("db: data directory %s is of kind %.*s, %.*s is wanted", s->dir,
              (int)strcspn(text, "\n"), text, (int)strcspn(name, "\n"), name);
    return ERR_CONFLICT;
}

static enum err make_folders(struct store *s)
{
    static const char *const names[] = {"tenants", "keys"};
    char path[PATH_BYTES];
    enum err e = OK;

    for (size_t i = 0; !e && i < COUNT(names); i++) {
        join(path, s->dir, names[i]);
        e = make_folder(path);
    }
    return e ? e : key_sync_dir(s->dir);
}

/* ---- keys and control.db ---- */

static void open_keys(struct store *s)
{
    long page = sysconf(_SC_PAGESIZE);
    void *at = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(at != MAP_FAILED);
    (void)madvise(at, (size_t)page, MADV_DONTDUMP);
    if (mlock(at, (size_t)page))
        log_warn("db: the master key cannot be locked in memory, errno=%d",
                 errno);
    s->keys = at;
    key_ring_open(&s->keys->ring, s->keys->master);
}

static void close_keys(struct store *s)
{
    if (!s->keys)
        return;
    key_ring_close(&s->keys->ring);
    crypto_wipe(s->keys, sizeof(*s->keys));
    (void)munmap(s->keys, (size_t)sysconf(_SC_PAGESIZE));
}

static enum err load_master(struct store *s, const char *path, bool create)
{
    char own[PATH_BYTES], control[PATH_BYTES];

    join(own, s->dir, "master.key");
    join(control, s->dir, "keys/control.key");
    if (!path)
        log_warn("db: the master key lies in the data directory: %s", own);
    open_keys(s);
    /* a new one would open nothing of what is already here */
    bool is_fresh = access(control, F_OK) != 0;
    s->master_path = strdup(path ? path : own);
    must(s->master_path);
    enum err e =
        key_load_master(s->master_path, create && is_fresh, s->keys->master);
    if (e)
        return e;
    crypto_derive(s->keys->master, "wrap", s->keys->ring.now);
    return rewrap_recover(s->dir, s->keys);
}

static enum err create_control(const struct conn_place *place)
{
    struct db *db = NULL;
    int64_t version = 0;
    enum err e = conn_open(place, CONN_OWN, &db);

    if (!e)
        e = conn_number(db, "PRAGMA user_version", &version);
    if (!e && version == 0)
        e = migrate_create(db, &migrate_control);
    conn_close(db);
    return e;
}

static const char *const use_labels[STORE_USES] = {
    [USE_OPERATOR] = "operator", [USE_PEPPER] = "pepper", [USE_CODE] = "code"};

/* Alone in its file, the key of control.db is wrapped by the master key that
 * everything else is derived from; see store_keys.h. */
static enum err load_control_key(struct store *s, bool create)
{
    char dir[PATH_BYTES], text[64];
    struct key_set set = {.count = 1};

    join(dir, s->dir, "keys");
    enum err e =
        key_load_set(dir, "control.key", &s->keys->ring, "control", &set);
    if (e == ERR_NOT_FOUND && create)
        e = key_make(dir, "control.key", &s->keys->ring, "control", set.key[0]);
    if (!e && set.count != 1 && set.count != 1 + STORE_USES)
        e = ERR_INTERNAL;
    memcpy(s->keys->control, set.key[0], sizeof(s->keys->control));
    for (size_t i = 0; !e && i < STORE_USES; i++) {
        (void)snprintf(text, sizeof text, "use:%s", use_labels[i]);
        if (set.count == 1)
            crypto_derive(s->keys->master, text, s->keys->use[i]);
        else
            memcpy(s->keys->use[i], set.key[1 + i], 32);
    }
    crypto_wipe(&set, sizeof set);
    return e;
}

static enum err open_control(struct store *s, bool create)
{
    char path[PATH_BYTES];
    uint8_t file_key[32];

    join(path, s->dir, "control.db");
    enum err e = load_control_key(s, create);
    if (e)
        return e;
    crypto_derive(s->keys->control, "file:control", file_key);
    struct conn_place place = {.path = path, .vfs = s->vfs, .key = file_key};
    if (create)
        e = create_control(&place);
    if (!e)
        e = key_sync_dir(s->dir);
    if (!e)
        e = file_open(path, &place, &migrate_control, &s->figures, &s->control);
    crypto_wipe(file_key, sizeof(file_key));
    return e;
}

/* ---- opening ---- */

static void open_pool(struct store *s, const struct store_config *config)
{
    struct pool_config pool = {
        .place = store_place(s),
        .max = config->tenants_max ? config->tenants_max : TENANTS_MAX,
        .figures = &s->figures,
    };
    s->pool = pool_open(&pool);
    tenant_folder_sweep(&pool.place);
    pool_adopt(s->pool, STORE_OPERATOR, s->keys->use[USE_OPERATOR], s->control);
}

static enum err open_all(struct store *s, const struct store_config *config)
{
    enum err e = config->kind == STORE_EVALUATION && config->create
                     ? make_parents(s->dir)
                     : OK;

    if (!e)
        e = config->create ? make_folder(s->dir) : find_service(s);
    if (!e)
        e = lock_folder(s);
    if (!e)
        e = check_kind(s, config->kind, config->create);
    if (!e)
        e = make_folders(s);
    if (!e)
        e = load_master(s, config->master_key_path, config->create);
    if (!e)
        e = open_control(s, config->create);
    if (e)
        return e;
    open_pool(s, config);
    return OK;
}

/* Draws a first number: the library seeds its generator then, and once, from
 * a device that a confined server cannot open any more; without it the clock
 * would do, and nobody be told. */
static void seed_library(void)
{
    unsigned char byte;

    sqlite3_randomness(sizeof(byte), &byte);
}

enum err store_open(const struct store_config *config, struct store **out)
{
    struct store *s = calloc(1, sizeof(*s));

    must(s);
    /* below it, two connections on one log can lose commits */
    must(sqlite3_libversion_number() >= SQLITE_FIRST_SAFE);
    must(sqlite3_initialize() == SQLITE_OK && sqlite3_threadsafe());
    seed_library();
    (void)umask(077);
    s->lock_fd = -1;
    s->figures.wait_ms = config->wait_ms ? config->wait_ms : WAIT_MS;
    s->dir = strdup(config->dir);
    s->vfs = config->vfs ? strdup(config->vfs) : NULL;
    must(s->dir);
    enum err e = open_all(s, config);
    if (e) {
        store_close(s);
        s = NULL;
    }
    *out = s;
    return e;
}

void store_rest(struct store *s, int64_t idle_ms)
{
    pool_rest(s->pool, idle_ms);
}

void store_close(struct store *s)
{
    if (!s)
        return;
    pool_close(s->pool);
    file_close(s->control);
    close_keys(s);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s->dir);
    free(s->vfs);
    free(s->master_path);
    free(s);
}

struct store_place store_place(const struct store *s)
{
    return (struct store_place){s->dir, s->vfs, &s->keys->ring};
}

struct store_keys *store_keys(const struct store *s)
{
    return s->keys;
}

const char *store_master_path(const struct store *s)
{
    return s->master_path;
}

void store_key_mark(const struct store *s, char out[17])
{
    uint8_t hash[CRYPTO_HASH_BYTES];

    pthread_rwlock_rdlock(&s->keys->ring.lock); /* rewrap.c replaces it */
    crypto_sha256(s->keys->master, sizeof s->keys->master, hash);
    pthread_rwlock_unlock(&s->keys->ring.lock);
    for (int i = 0; i < 8; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

struct store_versions store_versions(void)
{
    return (struct store_versions){.control = migrate_control.version,
                                   .tenant = migrate_tenant.version,
                                   .access = migrate_access.version};
}

struct pool *store_pool(const struct store *s)
{
    return s->pool;
}

void store_derive_key(const struct store *s, const char *label, uint8_t out[32])
{
    size_t i = 0;

    while (i < STORE_USES && strcmp(use_labels[i], label) != 0)
        i++;
    must(i < STORE_USES);
    memcpy(out, s->keys->use[i], 32);
}

void store_derive_lasting_key(const struct store *s, const char *label,
                              uint8_t out[32])
{
    char text[128];

    must(snprintf(text, sizeof(text), "use:%s", label) < (int)sizeof(text));
    crypto_derive(s->keys->control, text, out);
}

/* ---- the rest is the pool's and the files' ---- */

enum err tenant_create(struct store *s, const char *id)
{
    struct store_place at = store_place(s);

    return tenant_is_id(id) ? tenant_folder_create(&at, id) : ERR_INVALID;
}

enum err tenant_discard(struct store *s, const char *id)
{
    struct store_place at = store_place(s);

    if (!tenant_is_id(id))
        return ERR_INVALID;
    must(!pool_has(s->pool, id));
    enum err e = tenant_folder_discard(&at, id);
    if (!e)
        pool_forget(s->pool, id);
    return e;
}

enum err tenant_open(struct store *s, const char *id, struct tenant **out)
{
    return pool_get(s->pool, id, out);
}

enum err tenant_look(struct store *s, const char *id)
{
    return tenant_is_id(id) ? pool_look(s->pool, id, WAIT_MS) : ERR_NOT_FOUND;
}

enum err tenant_open_retained(struct store *s, const char *id,
                              struct tenant **out)
{
    return pool_get_retained(s->pool, id, out);
}

enum err tenant_retire(struct store *s, const char *id)
{
    return tenant_is_id(id) ? pool_retire(s->pool, id, WAIT_MS) : ERR_INVALID;
}

bool tenant_is_open(struct store *s, const char *id)
{
    return pool_has(s->pool, id);
}

enum err tx_begin_control(struct ctx *c, struct store *s, enum tx_mode mode)
{
    return file_begin(c, s->control, mode);
}

enum err tx_end_control(struct ctx *c, struct store *s, enum err outcome)
{
    return file_end(c, s->control, outcome);
}

bool store_is_ready(struct ctx *c, struct store *s, const char **why)
{
    struct statvfs disk;

    *why = "control.db";
    if (file_begin(c, s->control, TX_READ) || file_end(c, s->control, OK))
        return false;
    *why = "data directory";
    if (access(s->dir, W_OK) != 0 || statvfs(s->dir, &disk) != 0)
        return false;
    *why = "disk";
    return (uint64_t)disk.f_bavail * disk.f_frsize >= ROOM_BYTES;
}

void store_stats(struct store *s, struct store_stats *out)
{
    const struct store_figures *f = &s->figures;

    *out = (struct store_stats){
        .tenants_open = pool_count(s->pool),
        .readers_open = (size_t)atomic_load(&f->readers_open),
        .commits = atomic_load(&f->commits),
        .shared_commits = atomic_load(&f->shared_commits),
        .busy = atomic_load(&f->busy),
        .opens = atomic_load(&f->opens),
        .stopped = atomic_load(&f->stopped),
    };
}

size_t store_list_open(struct store *s, struct arena *mem,
                       const struct tenant_figures **out)
{
    return pool_list(s->pool, mem, out);
}

bool store_disk(const struct store *s, struct store_disk *out)
{
    struct statvfs disk;

    if (statvfs(s->dir, &disk) != 0)
        return false;
    out->bytes = (int64_t)(disk.f_blocks * disk.f_frsize);
    out->free_bytes = (int64_t)(disk.f_bavail * disk.f_frsize);
    return true;
}
