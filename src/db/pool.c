/* SPDX-License-Identifier: Apache-2.0 */
/* A tenant is opened by the first who asks; others who ask meanwhile wait for
 * that one.  An entry whose migration failed stays, so that the reason is
 * found once and not at every request. */
#include "db/pool.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "db/tenant_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUCKETS = 512, PATH_BYTES = TENANT_PATH_BYTES };
enum tenant_state {
    TENANT_OPENING,
    TENANT_READY,
    TENANT_ASIDE,
    TENANT_RETIRED /* being deleted: never opened again */
};

struct tenant {
    char id[TENANT_ID_BYTES];
    struct pool *pool;
    uint8_t key[32], lasting[32], log_key[32], log_lasting[32];
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

/* ---- opening ---- */

static size_t bucket_of(const char *id)
{
    uint32_t x = 2166136261U;

    for (; *id; id++)
        x = (x ^ (unsigned char)*id) * 16777619U;
    return x % BUCKETS;
}

static void take_log_keys(struct tenant *t, const struct tenant_keys *keys)
{
    memcpy(t->log_key, keys->log, sizeof(t->log_key));
    memcpy(t->log_lasting, keys->log_lasting, sizeof(t->log_lasting));
}

static void wipe_keys(struct tenant *t)
{
    crypto_wipe(t->key, sizeof(t->key));
    crypto_wipe(t->lasting, sizeof(t->lasting));
    crypto_wipe(t->log_key, sizeof(t->log_key));
    crypto_wipe(t->log_lasting, sizeof(t->log_lasting));
}

static enum err open_files(struct tenant *t)
{
    struct pool *p = t->pool;
    struct tenant_keys keys;
    char path[PATH_BYTES];

    tenant_folder_file(&p->config.place, t->id, "tenant.db", path);
    if (access(path, F_OK))
        return ERR_NOT_FOUND;
    enum err e = tenant_folder_keys(&p->config.place, t->id, &keys);
    if (e) {
        log_error("db: tenant=%s has files but no key", t->id);
        return e == ERR_NOT_FOUND ? ERR_INTERNAL : e;
    }
    struct conn_place place = {
        .vfs = p->config.place.vfs, .tenant = t->id, .key = keys.data_file};
    memcpy(t->key, keys.data, sizeof(t->key));
    memcpy(t->lasting, keys.lasting, sizeof(t->lasting));
    take_log_keys(t, &keys);
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
    wipe_keys(t);
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
    if (!id || !tenant_is_id(id))
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

/* With the lock held: whether nobody holds it any more, in time. */
static bool wait_for_holders(struct pool *p, const struct tenant *t,
                             int wait_ms)
{
    struct timespec until = clock_after_ms(wait_ms);

    while (t->holders > 0 &&
           pthread_cond_timedwait(&p->left, &p->lock, &until) == 0)
        ;
    return t->holders == 0;
}

/* With the lock held: its files, for who closes them without it. */
static void take_files(struct tenant *t, struct file *out[2])
{
    out[0] = t->access;
    out[1] = t->data;
    t->data = t->access = NULL;
    wipe_keys(t);
}

enum err pool_retire(struct pool *p, const char *id, int wait_ms)
{
    struct file *files[2] = {NULL, NULL};

    must(tenant_is_id(id));
    pthread_mutex_lock(&p->lock);
    struct tenant *t = retire(p, id);
    bool is_free = wait_for_holders(p, t, wait_ms);
    if (is_free)
        take_files(t, files);
    pthread_mutex_unlock(&p->lock);
    file_close(files[0]);
    file_close(files[1]);
    return is_free ? OK : ERR_BUSY;
}

enum err pool_suspend(struct pool *p, const char *id, int wait_ms)
{
    struct file *files[2] = {NULL, NULL};

    must(tenant_is_id(id));
    pthread_mutex_lock(&p->lock);
    struct tenant *t = *find(p, id);
    if (t && t->state == TENANT_RETIRED) { /* being deleted, or suspended */
        pthread_mutex_unlock(&p->lock);
        return ERR_CONFLICT;
    }
    t = retire(p, id);
    t->why = ERR_BUSY;
    bool is_free = wait_for_holders(p, t, wait_ms);
    if (is_free) {
        take_files(t, files);
    } else { /* it goes on as it was */
        t->state = TENANT_READY;
        t->why = OK;
        p->count++;
    }
    pthread_mutex_unlock(&p->lock);
    file_close(files[0]);
    file_close(files[1]);
    return is_free ? OK : ERR_BUSY;
}

static enum err look_at_files(struct pool *p, const char *id)
{
    struct tenant_keys keys;
    char path[PATH_BYTES];
    struct db *db = NULL;

    tenant_folder_file(&p->config.place, id, "tenant.db", path);
    if (access(path, F_OK))
        return ERR_NOT_FOUND;
    enum err e = tenant_folder_keys(&p->config.place, id, &keys);
    if (e)
        return ERR_INTERNAL;
    struct conn_place place = {.path = path,
                               .vfs = p->config.place.vfs,
                               .tenant = id,
                               .key = keys.data_file};
    e = conn_open(&place, CONN_READER, &db);
    conn_close(db);
    tenant_folder_file(&p->config.place, id, "access.db", path);
    place.key = keys.log_file;
    place.is_relaxed = true;
    if (!e && !access(path, F_OK)) {
        e = conn_open(&place, CONN_READER, &db);
        conn_close(db);
    }
    crypto_wipe(&keys, sizeof keys);
    return e;
}

enum err pool_look(struct pool *p, const char *id, int wait_ms)
{
    must(tenant_is_id(id));
    pthread_mutex_lock(&p->lock);
    const struct tenant *t = *find(p, id);
    enum err why = t && t->state != TENANT_READY ? t->why : OK;
    bool is_open = t != NULL;
    pthread_mutex_unlock(&p->lock);
    if (why) /* retired, or set aside: it says so itself */
        return why;
    enum err e = look_at_files(p, id);
    if (!e)
        return OK;
    log_error("db: tenant=%s cannot be opened afresh err=%s", id, err_name(e));
    if (is_open && !pool_suspend(p, id, wait_ms))
        pool_forget(p, id);
    return e;
}

void pool_forget(struct pool *p, const char *id)
{
    pthread_mutex_lock(&p->lock);
    struct tenant **at = find(p, id), *t = *at;
    bool is_gone = t && t->state == TENANT_RETIRED && t->holders == 0;
    if (is_gone)
        *at = t->next;
    pthread_mutex_unlock(&p->lock);
    if (is_gone)
        free_tenant(t);
}

enum err pool_get_retained(struct pool *p, const char *id, struct tenant **out)
{
    char path[PATH_BYTES];
    struct tenant_keys keys;
    uint8_t file_key[32];

    *out = NULL;
    if (!tenant_is_id(id))
        return ERR_NOT_FOUND;
    must(snprintf(path, sizeof path, "%s/retained/%s.log.db",
                  p->config.place.dir, id) < PATH_BYTES);
    if (access(path, F_OK))
        return ERR_NOT_FOUND;
    enum err e = tenant_folder_log_keys(&p->config.place, id, &keys);
    if (e)
        return e;
    struct tenant *t = calloc(1, sizeof(*t));
    must(t && pthread_mutex_init(&t->access_lock, NULL) == 0);
    memcpy(t->id, id, strlen(id) + 1);
    take_log_keys(t, &keys);
    t->pool = p;
    t->is_apart = true;
    crypto_derive(keys.log, "file:retained", file_key);
    struct conn_place place = {
        .vfs = p->config.place.vfs, .tenant = t->id, .key = file_key};
    e = file_open(path, &place, &migrate_retained, p->config.figures, &t->data);
    t->access = t->data; /* both logs are in it */
    crypto_wipe(&keys, sizeof keys);
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
    crypto_derive(key, "use:" TENANT_LASTING, t->lasting);
    crypto_derive(key, "log", t->log_key);
    crypto_derive(t->log_key, "use:" TENANT_LOG_LASTING, t->log_lasting);
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

    tenant_folder_name(&t->pool->config.place, t->id, dir);
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
    char path[PATH_BYTES];
    struct stat st;
    int64_t sum = 0;

    for (size_t i = 0; i < COUNT(names); i++) {
        tenant_folder_file(&t->pool->config.place, t->id, names[i], path);
        if (stat(path, &st) == 0)
            sum += st.st_size;
    }
    return sum;
}

/* A path of its own: a descriptor of the file itself would give up SQLite's
 * locks when it is closed; that of its log has none. */
enum err tenant_sync_access(struct tenant *t)
{
    char path[PATH_BYTES];

    tenant_folder_file(&t->pool->config.place, t->id, "access.db-wal", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? OK : ERR_INTERNAL;
    bool done = fdatasync(fd) == 0;
    (void)close(fd);
    return done ? OK : ERR_INTERNAL;
}

static void derive(const uint8_t key[32], const char *lasting_label,
                   const uint8_t lasting[32], const char *label,
                   uint8_t out[32])
{
    char text[128];

    if (strcmp(label, lasting_label) == 0) {
        memcpy(out, lasting, 32);
        return;
    }
    must(snprintf(text, sizeof(text), "use:%s", label) < (int)sizeof(text));
    crypto_derive(key, text, out);
}

void tenant_derive_key(const struct tenant *t, const char *label,
                       uint8_t out[32])
{
    derive(t->key, TENANT_LASTING, t->lasting, label, out);
}

void tenant_derive_log_key(const struct tenant *t, const char *label,
                           uint8_t out[32])
{
    derive(t->log_key, TENANT_LOG_LASTING, t->log_lasting, label, out);
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
    const struct pool_config *config = &t->pool->config;
    struct tenant_keys keys;
    char path[PATH_BYTES];

    if (t == t->pool->own) /* it has none */
        return ERR_NOT_FOUND;
    enum err e = tenant_folder_keys(&config->place, t->id, &keys);
    if (e)
        return ERR_INTERNAL;
    struct conn_place place = {.vfs = config->place.vfs,
                               .tenant = t->id,
                               .key = keys.log_file,
                               .is_relaxed = true};
    tenant_folder_file(&config->place, t->id, "access.db", path);
    e = file_open(path, &place, &migrate_access, config->figures, &t->access);
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
