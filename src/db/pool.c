/* SPDX-License-Identifier: Apache-2.0 */
/* A tenant is opened by the first who asks; others who ask meanwhile wait for
 * that one.  An entry whose migration failed stays, so that the reason is
 * found once and not at every request.  Creation builds everything in a
 * folder beside and renames it: mkdir of that folder is the lock between two
 * who create the same one. */
#include "db/pool.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "db/key.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUCKETS = 512, ID_BYTES = 33, PATH_BYTES = 4096 };
enum tenant_state {
    TENANT_OPENING,
    TENANT_READY,
    TENANT_ASIDE,
    TENANT_RETIRED /* being deleted: never opened again */
};

struct tenant {
    char id[ID_BYTES];
    struct pool *pool;
    uint8_t key[32], log_key[32];
    struct file *data;
    pthread_mutex_t access_lock; /* guards access while it is opened */
    struct file *access;         /* opened at the first use */
    bool is_apart;               /* in no bucket: its retained log alone */

    /* guarded by pool->lock */
    enum tenant_state state;
    enum err why;
    bool is_stopped; /* by I/O errors: kept, so that it stays stopped */
    int holders;
    uint64_t used;
    int64_t left_ms;     /* when the last holder left */
    struct tenant *next; /* in its bucket */
};

struct pool {
    struct pool_config config;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t opened, left;
    struct tenant *buckets[BUCKETS];
    struct tenant *own; /* control.db, see pool_adopt() */
    size_t count;
    uint64_t uses;
};

/* ---- names ---- */

bool tenant_is_id(const char *id)
{
    size_t len = id ? strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;

    return len >= 1 && len < ID_BYTES && id[len] == '\0' && id[0] >= 'a' &&
           id[0] <= 'z';
}

static void join(char out[PATH_BYTES], const char *dir, const char *name)
{
    must(snprintf(out, PATH_BYTES, "%s/%s", dir, name) < PATH_BYTES);
}

/* "<dir>/tenants/<prefix><id>" */
static void join_tenant(char out[PATH_BYTES], const struct pool *p,
                        const char *prefix, const char *id)
{
    must(snprintf(out, PATH_BYTES, "%s/tenants/%s%s", p->config.dir, prefix,
                  id) < PATH_BYTES);
}

static size_t bucket_of(const char *id)
{
    uint32_t x = 2166136261U;

    for (; *id; id++)
        x = (x ^ (unsigned char)*id) * 16777619U;
    return x % BUCKETS;
}

/* ---- keys of a tenant ---- */

static enum err load_one(struct pool *p, const char *id, const char *kind,
                         bool may_make, uint8_t out[32])
{
    char dir[PATH_BYTES], name[64], context[64];

    join(dir, p->config.dir, "keys");
    (void)snprintf(name, sizeof(name), "%s%s.key", id, kind);
    (void)snprintf(context, sizeof(context), "tenant:%s%s", id, kind);
    enum err e = key_load(dir, name, p->config.wrapping, context, out);
    if (e != ERR_NOT_FOUND || !may_make)
        return e;
    return key_make(dir, name, p->config.wrapping, context, out);
}

static enum err load_keys(struct pool *p, const char *id, bool may_make,
                          struct pool_keys *out)
{
    enum err e = load_one(p, id, "", may_make, out->data);

    if (!e)
        e = load_one(p, id, ".log", may_make, out->log);
    if (e)
        return e;
    crypto_derive(out->data, "file:tenant", out->data_file);
    crypto_derive(out->log, "file:access", out->log_file);
    return OK;
}

/* ---- creation ---- */

static enum err create_file(const char *path, const char *vfs,
                            const uint8_t key[32],
                            const struct migrate_plan *plan)
{
    struct conn_place place = {.path = path, .vfs = vfs, .key = key};
    struct db *db = NULL;
    enum err e = conn_open(&place, CONN_OWN, &db);

    if (!e)
        e = migrate_create(db, plan);
    if (!e) { /* all of it in the one file before it is renamed */
        int rc = sqlite3_wal_checkpoint_v2(
            db->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        e = rc ? conn_fail(db, rc, "checkpoint") : OK;
    }
    conn_close(db);
    return e;
}

/* One level of files; what is not there is no matter. */
static void remove_folder(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;
    char path[PATH_BYTES];

    while (d && (entry = readdir(d))) {
        if (entry->d_name[0] == '.')
            continue;
        join(path, dir, entry->d_name);
        (void)unlink(path);
    }
    if (d)
        closedir(d);
    (void)rmdir(dir);
}

static enum err fill_folder(struct pool *p, const char *id, const char *beside,
                            struct pool_keys *keys)
{
    char path[PATH_BYTES];
    enum err e = load_keys(p, id, true, keys);

    if (e)
        return e;
    join(path, beside, "tenant.db");
    e = create_file(path, p->config.vfs, keys->data_file, &migrate_tenant);
    join(path, beside, "access.db");
    if (!e)
        e = create_file(path, p->config.vfs, keys->log_file, &migrate_access);
    return e ? e : key_sync_dir(beside);
}

/* Keys of a tenant that is not there open nothing. */
static void remove_keys(const struct pool *p, const char *id)
{
    static const char *const kinds[] = {"", ".log"};
    char dir[PATH_BYTES], path[PATH_BYTES];

    join_tenant(dir, p, "", id);
    for (size_t i = 0; i < COUNT(kinds) && access(dir, F_OK) != 0; i++) {
        must(snprintf(path, PATH_BYTES, "%s/keys/%s%s.key", p->config.dir, id,
                      kinds[i]) < PATH_BYTES);
        (void)unlink(path);
    }
}

enum err pool_begin(struct pool *p, const char *id, char *folder, size_t size,
                    struct pool_keys *keys)
{
    char dir[PATH_BYTES], beside[PATH_BYTES];

    must(tenant_is_id(id));
    join_tenant(dir, p, "", id);
    join_tenant(beside, p, ".new-", id);
    must(strlen(beside) < size);
    memcpy(folder, beside, strlen(beside) + 1);
    if (access(dir, F_OK) == 0)
        return ERR_CONFLICT;
    if (mkdir(beside, 0700)) {
        log_error("db: tenant=%s is being created, errno=%d", id, errno);
        return errno == EEXIST   ? ERR_CONFLICT
               : errno == ENOSPC ? ERR_FULL
                                 : ERR_INTERNAL;
    }
    enum err e = fill_folder(p, id, beside, keys);
    if (e)
        remove_folder(beside);
    return e;
}

enum err pool_finish(struct pool *p, const char *id, bool is_good)
{
    char dir[PATH_BYTES], beside[PATH_BYTES], parent[PATH_BYTES];
    enum err e = OK;

    join(parent, p->config.dir, "tenants");
    join_tenant(dir, p, "", id);
    join_tenant(beside, p, ".new-", id);
    if (is_good && !(e = key_sync_dir(beside)) && rename(beside, dir))
        e = errno == EEXIST || errno == ENOTEMPTY ? ERR_CONFLICT : ERR_INTERNAL;
    if (e || !is_good) {
        remove_folder(beside);
        remove_keys(p, id);
        return e;
    }
    return key_sync_dir(parent);
}

enum err pool_create(struct pool *p, const char *id)
{
    char folder[PATH_BYTES];
    struct pool_keys keys;
    enum err e = pool_begin(p, id, folder, sizeof folder, &keys);

    crypto_wipe(&keys, sizeof keys);
    return e ? e : pool_finish(p, id, true);
}

enum err pool_discard(struct pool *p, const char *id)
{
    char dir[PATH_BYTES], parent[PATH_BYTES];

    must(tenant_is_id(id) && !pool_has(p, id));
    join(parent, p->config.dir, "tenants");
    join_tenant(dir, p, "", id);
    remove_folder(dir);
    remove_keys(p, id);
    return access(dir, F_OK) == 0 ? ERR_INTERNAL : key_sync_dir(parent);
}

/* What is begun beside a tenant's files is named so until it is whole. */
static void sweep_scratch(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;
    char path[PATH_BYTES];

    while (d && (entry = readdir(d))) {
        if (strncmp(entry->d_name, POOL_SCRATCH, strlen(POOL_SCRATCH)) != 0)
            continue;
        join(path, dir, entry->d_name);
        log_warn("db: removing what a broken export left: %s", path);
        (void)unlink(path);
    }
    if (d)
        closedir(d);
}

void pool_sweep(struct pool *p)
{
    char parent[PATH_BYTES], path[PATH_BYTES];

    join(parent, p->config.dir, "tenants");
    DIR *d = opendir(parent);
    const struct dirent *entry;
    while (d && (entry = readdir(d))) {
        join(path, parent, entry->d_name);
        if (strncmp(entry->d_name, ".new-", 5) != 0) {
            if (entry->d_name[0] != '.')
                sweep_scratch(path);
            continue;
        }
        log_warn("db: removing what a broken creation left: %s", path);
        remove_folder(path);
        if (tenant_is_id(entry->d_name + strlen(".new-")))
            remove_keys(p, entry->d_name + strlen(".new-"));
    }
    if (d)
        closedir(d);
}

/* ---- opening ---- */

static enum err open_files(struct tenant *t)
{
    struct pool *p = t->pool;
    struct pool_keys keys;
    char dir[PATH_BYTES], path[PATH_BYTES];

    join_tenant(dir, p, "", t->id);
    join(path, dir, "tenant.db");
    if (access(path, F_OK))
        return ERR_NOT_FOUND;
    enum err e = load_keys(p, t->id, false, &keys);
    if (e) {
        log_error("db: tenant=%s has files but no key", t->id);
        return e == ERR_NOT_FOUND ? ERR_INTERNAL : e;
    }
    struct conn_place place = {
        .vfs = p->config.vfs, .tenant = t->id, .key = keys.data_file};
    memcpy(t->key, keys.data, sizeof(t->key));
    memcpy(t->log_key, keys.log, sizeof(t->log_key));
    e = file_open(path, &place, &migrate_tenant, p->config.figures, &t->data);
    crypto_wipe(&keys, sizeof(keys));
    return e;
}

static void free_tenant(struct tenant *t)
{
    if (t->access != t->data)
        file_close(t->access);
    file_close(t->data);
    pthread_mutex_destroy(&t->access_lock);
    crypto_wipe(t->key, sizeof(t->key));
    crypto_wipe(t->log_key, sizeof(t->log_key));
    free(t);
}

/* With the lock held. */
static struct tenant **find(struct pool *p, const char *id)
{
    struct tenant **at = &p->buckets[bucket_of(id)];

    while (*at && strcmp((*at)->id, id) != 0)
        at = &(*at)->next;
    return at;
}

/* With the lock held. */
static struct tenant *add(struct pool *p, const char *id)
{
    struct tenant *t = calloc(1, sizeof(*t));
    size_t i = bucket_of(id);

    must(t);
    memcpy(t->id, id, strlen(id) + 1);
    t->pool = p;
    t->holders = 1;
    must(pthread_mutex_init(&t->access_lock, NULL) == 0);
    t->next = p->buckets[i];
    p->buckets[i] = t;
    p->count++;
    return t;
}

/* With the lock held: takes the longest unused out of the table; NULL when all
 * are held or were until after left_ms.  A stopped one stays to be seen. */
static struct tenant *take_unused(struct pool *p, int64_t left_ms)
{
    struct tenant **oldest = NULL;

    for (size_t i = 0; i < BUCKETS; i++)
        for (struct tenant **at = &p->buckets[i]; *at; at = &(*at)->next)
            if ((*at)->holders == 0 && !(*at)->is_stopped &&
                (*at)->state != TENANT_OPENING &&
                (*at)->state != TENANT_RETIRED && (*at)->left_ms <= left_ms &&
                (!oldest || (*at)->used < (*oldest)->used))
                oldest = at;
    if (!oldest)
        return NULL;
    struct tenant *t = *oldest;
    *oldest = t->next;
    p->count--;
    return t;
}

/* With the lock held: one more than may be open. */
static struct tenant *take_oldest(struct pool *p)
{
    return p->count > p->config.max ? take_unused(p, INT64_MAX) : NULL;
}

static enum err open_new(struct pool *p, struct tenant *t)
{
    enum err e = open_files(t);

    pthread_mutex_lock(&p->lock);
    t->state = e == ERR_BUSY ? TENANT_ASIDE : TENANT_READY;
    t->why = e;
    if (e)
        t->holders--;
    bool is_gone = e && e != ERR_BUSY;
    if (is_gone) {
        *find(p, t->id) = t->next;
        p->count--;
    }
    struct tenant *oldest = take_oldest(p);
    pthread_cond_broadcast(&p->opened);
    pthread_mutex_unlock(&p->lock);
    if (is_gone)
        free_tenant(t);
    if (oldest)
        free_tenant(oldest);
    return e;
}

static struct tenant *hold_own(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->own->holders++;
    pthread_mutex_unlock(&p->lock);
    return p->own;
}

enum err pool_get(struct pool *p, const char *id, struct tenant **out)
{
    struct tenant *t;

    *out = NULL;
    if (p->own && id && strcmp(id, p->own->id) == 0) {
        *out = hold_own(p);
        return OK;
    }
    if (!tenant_is_id(id))
        return ERR_NOT_FOUND;
    pthread_mutex_lock(&p->lock);
    while ((t = *find(p, id)) && t->state == TENANT_OPENING)
        pthread_cond_wait(&p->opened, &p->lock);
    bool is_new = !t;
    if (is_new)
        t = add(p, id);
    else if (t->state == TENANT_READY)
        t->holders++;
    t->used = ++p->uses;
    enum err e = t->why;
    pthread_mutex_unlock(&p->lock);
    if (is_new)
        e = open_new(p, t);
    if (!e)
        *out = t;
    return e;
}

bool pool_has(struct pool *p, const char *id)
{
    pthread_mutex_lock(&p->lock);
    const struct tenant *t = *find(p, id);
    bool has = t && t->state != TENANT_RETIRED;
    pthread_mutex_unlock(&p->lock);
    return has;
}

void tenant_close(struct tenant *t)
{
    if (!t)
        return;
    if (t->is_apart) {
        free_tenant(t);
        return;
    }
    struct pool *p = t->pool;
    bool is_stopped = file_is_stopped(t->data);
    pthread_mutex_lock(&p->lock);
    must(t->holders > 0);
    t->is_stopped = is_stopped;
    t->holders--;
    t->left_ms = clock_monotonic_ms();
    if (t->holders == 0 && t->state == TENANT_RETIRED)
        pthread_cond_broadcast(&p->left);
    struct tenant *oldest = take_oldest(p);
    pthread_mutex_unlock(&p->lock);
    if (oldest)
        free_tenant(oldest);
}

void pool_rest(struct pool *p, int64_t idle_ms)
{
    int64_t left_ms = clock_monotonic_ms() - idle_ms;
    struct tenant *t;

    do {
        pthread_mutex_lock(&p->lock);
        t = take_unused(p, left_ms);
        pthread_mutex_unlock(&p->lock);
        if (t)
            free_tenant(t);
    } while (t);
}

/* ---- the end of a tenant ---- */

/* With the lock held: nobody can open it from now on. */
static struct tenant *retire(struct pool *p, const char *id)
{
    struct tenant *t;

    while ((t = *find(p, id)) && t->state == TENANT_OPENING)
        pthread_cond_wait(&p->opened, &p->lock);
    if (!t) {
        t = add(p, id);
        t->holders = 0;
    }
    if (t->state != TENANT_RETIRED)
        p->count--; /* it stays in the table, as a word that it is gone */
    t->state = TENANT_RETIRED;
    t->why = ERR_NOT_FOUND;
    return t;
}

enum err pool_retire(struct pool *p, const char *id, int wait_ms)
{
    struct timespec until = clock_after_ms(wait_ms);
    struct file *data = NULL, *of_access = NULL;

    must(tenant_is_id(id));
    pthread_mutex_lock(&p->lock);
    struct tenant *t = retire(p, id);
    while (t->holders > 0 &&
           pthread_cond_timedwait(&p->left, &p->lock, &until) == 0)
        ;
    bool is_free = t->holders == 0;
    if (is_free) {
        data = t->data;
        of_access = t->access;
        t->data = t->access = NULL;
        crypto_wipe(t->key, sizeof(t->key));
        crypto_wipe(t->log_key, sizeof(t->log_key));
    }
    pthread_mutex_unlock(&p->lock);
    file_close(of_access);
    file_close(data);
    return is_free ? OK : ERR_BUSY;
}

enum err pool_get_retained(struct pool *p, const char *id, struct tenant **out)
{
    char path[PATH_BYTES];
    uint8_t log_key[32], file_key[32];

    *out = NULL;
    if (!tenant_is_id(id))
        return ERR_NOT_FOUND;
    must(snprintf(path, sizeof path, "%s/retained/%s.log.db", p->config.dir,
                  id) < PATH_BYTES);
    if (access(path, F_OK))
        return ERR_NOT_FOUND;
    enum err e = load_one(p, id, ".log", false, log_key);
    if (e)
        return e;
    struct tenant *t = calloc(1, sizeof(*t));
    must(t && pthread_mutex_init(&t->access_lock, NULL) == 0);
    memcpy(t->id, id, strlen(id) + 1);
    memcpy(t->log_key, log_key, sizeof(t->log_key));
    t->pool = p;
    t->is_apart = true;
    crypto_derive(log_key, "file:retained", file_key);
    struct conn_place place = {
        .vfs = p->config.vfs, .tenant = t->id, .key = file_key};
    e = file_open(path, &place, &migrate_retained, p->config.figures, &t->data);
    t->access = t->data; /* both logs are in it */
    crypto_wipe(log_key, sizeof log_key);
    crypto_wipe(file_key, sizeof file_key);
    if (e)
        free_tenant(t);
    else
        *out = t;
    return e;
}

/* ---- the pool ---- */

struct pool *pool_open(const struct pool_config *config)
{
    struct pool *p = calloc(1, sizeof(*p));

    must(p);
    p->config = *config;
    must(pthread_mutex_init(&p->lock, NULL) == 0);
    must(pthread_cond_init(&p->opened, NULL) == 0);
    clock_init_cond(&p->left);
    return p;
}

void pool_adopt(struct pool *p, const char *id, const uint8_t key[32],
                struct file *file)
{
    struct tenant *t = calloc(1, sizeof(*t));

    must(t && !tenant_is_id(id) && strlen(id) < sizeof(t->id));
    memcpy(t->id, id, strlen(id) + 1);
    memcpy(t->key, key, sizeof(t->key));
    crypto_derive(key, "log", t->log_key);
    t->pool = p;
    t->data = file;
    t->state = TENANT_READY;
    must(pthread_mutex_init(&t->access_lock, NULL) == 0);
    p->own = t;
}

void pool_close(struct pool *p)
{
    if (!p)
        return;
    if (p->own) {
        p->own->data = NULL; /* the store's */
        free_tenant(p->own);
    }
    for (size_t i = 0; i < BUCKETS; i++)
        while (p->buckets[i]) {
            struct tenant *t = p->buckets[i];
            must(t->holders == 0);
            p->buckets[i] = t->next;
            free_tenant(t);
        }
    pthread_cond_destroy(&p->opened);
    pthread_cond_destroy(&p->left);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

size_t pool_count(struct pool *p)
{
    pthread_mutex_lock(&p->lock);
    size_t count = p->count;
    pthread_mutex_unlock(&p->lock);
    return count;
}

size_t pool_list(struct pool *p, struct arena *mem,
                 const struct tenant_figures **out)
{
    size_t n = 0;

    pthread_mutex_lock(&p->lock);
    struct tenant_figures *list =
        arena_array(mem, struct tenant_figures, p->count + 1);
    for (size_t i = 0; i < BUCKETS; i++)
        for (const struct tenant *t = p->buckets[i]; t; t = t->next) {
            if (t->state != TENANT_READY)
                continue;
            memcpy(list[n].id, t->id, sizeof(t->id));
            list[n].used_bytes = tenant_used_bytes(t);
            list[n++].stopped = atomic_exchange(&t->data->stopped, 0);
        }
    pthread_mutex_unlock(&p->lock);
    *out = list;
    return n;
}

/* ---- what a holder may do ---- */

enum err tenant_check(struct tenant *t)
{
    struct db *db = NULL;
    enum err e = conn_open(&t->data->place, CONN_READER, &db);

    if (!e && !conn_is_sound(db))
        e = ERR_INTERNAL;
    conn_close(db);
    return e;
}

void pool_name_folder(const struct tenant *t, char *out, size_t size)
{
    char dir[PATH_BYTES];

    join_tenant(dir, t->pool, "", t->id);
    must(strlen(dir) < size);
    memcpy(out, dir, strlen(dir) + 1);
}

struct conn_place pool_place(const struct tenant *t)
{
    return t->data->place;
}

const char *tenant_id(const struct tenant *t)
{
    return t->id;
}

int64_t tenant_used_bytes(const struct tenant *t)
{
    return atomic_load(&t->data->used_bytes);
}

int64_t tenant_size(const struct tenant *t)
{
    static const char *const names[] = {"tenant.db", "tenant.db-wal",
                                        "access.db", "access.db-wal"};
    char dir[PATH_BYTES], path[PATH_BYTES];
    struct stat st;
    int64_t sum = 0;

    join_tenant(dir, t->pool, "", t->id);
    for (size_t i = 0; i < COUNT(names); i++) {
        join(path, dir, names[i]);
        if (stat(path, &st) == 0)
            sum += st.st_size;
    }
    return sum;
}

/* A path of its own: a descriptor of the file itself would give up SQLite's
 * locks when it is closed; that of its log has none. */
enum err tenant_sync_access(struct tenant *t)
{
    char dir[PATH_BYTES], path[PATH_BYTES];

    join_tenant(dir, t->pool, "", t->id);
    join(path, dir, "access.db-wal");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? OK : ERR_INTERNAL;
    bool done = fdatasync(fd) == 0;
    (void)close(fd);
    return done ? OK : ERR_INTERNAL;
}

void tenant_derive_key(const struct tenant *t, const char *label,
                       uint8_t out[32])
{
    char text[128];

    must(snprintf(text, sizeof(text), "use:%s", label) < (int)sizeof(text));
    crypto_derive(t->key, text, out);
}

void tenant_derive_log_key(const struct tenant *t, const char *label,
                           uint8_t out[32])
{
    char text[128];

    must(snprintf(text, sizeof(text), "use:%s", label) < (int)sizeof(text));
    crypto_derive(t->log_key, text, out);
}

enum err tx_begin(struct ctx *c, struct tenant *t, enum tx_mode mode)
{
    return file_begin(c, t->data, mode);
}

enum err tx_end(struct ctx *c, struct tenant *t, enum err outcome)
{
    return file_end(c, t->data, outcome);
}

static enum err open_access(struct tenant *t)
{
    struct pool_keys keys;
    char dir[PATH_BYTES], path[PATH_BYTES];

    if (t == t->pool->own) /* it has none */
        return ERR_NOT_FOUND;
    enum err e = load_keys(t->pool, t->id, false, &keys);
    if (e)
        return ERR_INTERNAL;
    struct conn_place place = {.vfs = t->pool->config.vfs,
                               .tenant = t->id,
                               .key = keys.log_file,
                               .is_relaxed = true};
    join_tenant(dir, t->pool, "", t->id);
    join(path, dir, "access.db");
    e = file_open(path, &place, &migrate_access, t->pool->config.figures,
                  &t->access);
    crypto_wipe(&keys, sizeof(keys));
    return e;
}

enum err tx_begin_access(struct ctx *c, struct tenant *t, enum tx_mode mode)
{
    enum err e = OK;

    pthread_mutex_lock(&t->access_lock);
    if (!t->access)
        e = open_access(t);
    pthread_mutex_unlock(&t->access_lock);
    return e ? e : file_begin(c, t->access, mode);
}

enum err tx_end_access(struct ctx *c, struct tenant *t, enum err outcome)
{
    return file_end(c, t->access, outcome);
}
