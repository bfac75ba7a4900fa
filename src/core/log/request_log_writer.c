/* SPDX-License-Identifier: Apache-2.0 */
/* Two arrays change places: requests fill one under the lock, the thread
 * writes the other with nothing held. */
#include "core/log/request_log_writer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "core/log/operation.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    QUEUE_MAX = 8192,
    QUEUE_MANY = 2048, /* written at once, without waiting for more */
    ROOM_MS = 250,
    BATCH_MS = 1000,
    DROPS_MAX = 64,
    HEADS_MAX = 256,
    IDLE_MS = 5000
};
#define HEAD_US INT64_C(60000000)

struct slot {
    char tenant[33], ip[46], method[8], request_id[17], agent[161];
    const char *route;
    int status;
    int64_t user_id, at;
};

struct drop {
    char tenant[33];
    int64_t count;
};

/* Of the thread alone: tenants whose logs grew since they were signed. */
struct head {
    char tenant[33];
    bool is_owed;
    int64_t signed_at;
};

struct request_log_writer {
    struct app *app;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows, up to heads */
    pthread_cond_t wake, done, room;
    bool stop, is_stuck;
    struct slot *slots;
    size_t count;
    uint64_t given,
        written; /* rounds asked for by request_log_writer_flush() */
    struct drop drops[DROPS_MAX];
    size_t drop_count;
    int64_t dropped;    /* since the start */
    struct slot *batch; /* the other array */
    struct head heads[HEADS_MAX];
    size_t head_count;
};

static void copy_text(char *out, size_t size, const char *text)
{
    size_t len = strnlen(text, size - 1);

    memcpy(out, text, len);
    out[len] = 0;
}

/* What a stranger sent: cut between code points, anything that is no visible
 * character shown as a question mark. */
static void copy_agent(char *out, size_t size, const char *text)
{
    size_t n = 0, left = text ? strnlen(text, 4 * size) : 0;
    uint32_t ch;

    /* nearly always all of it */
    for (; left && n + 1 < size && *text >= ' ' && *text <= '~'; left--)
        out[n++] = *text++;
    while (left) {
        size_t len = str_decode(text, left, &ch);
        bool is_bad = !len || str_is_control(ch, false);
        size_t put = is_bad ? 1 : len;
        if (n + put >= size)
            break;
        memcpy(out + n, is_bad ? "?" : text, put);
        n += put;
        text += len ? len : 1;
        left -= len ? len : 1;
    }
    out[n] = 0;
}

/* With the lock held.  More tenants than places: the first takes it all, so
 * that the sum is right at least. */
static void count_drop(struct request_log_writer *l, const char *tenant,
                       int64_t n)
{
    size_t i = 0;

    while (i < l->drop_count && strcmp(l->drops[i].tenant, tenant) != 0)
        i++;
    if (i == DROPS_MAX)
        i = 0;
    else if (i == l->drop_count)
        copy_text(l->drops[l->drop_count++].tenant, sizeof l->drops[0].tenant,
                  tenant);
    l->drops[i].count += n;
    l->dropped += n;
}

/* With the lock held.  A flood goes at the writer's pace; a writer that is
 * stuck is waited for once, then by nobody until it goes on. */
static bool has_room(struct request_log_writer *l)
{
    struct timespec until =
        clock_after_ms(clock_test_value("YAGURA_TEST_ROOM_MS", ROOM_MS));
    int rc = l->is_stuck ? ETIMEDOUT : 0;

    while (l->count == QUEUE_MAX && !rc)
        rc = pthread_cond_timedwait(&l->room, &l->lock, &until);
    l->is_stuck = l->count == QUEUE_MAX;
    return !l->is_stuck;
}

void request_log_writer_put(struct request_log_writer *l, const char *tenant,
                            const struct request_log_row *it)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    if (l->count == QUEUE_MAX && !has_room(l)) {
        count_drop(l, tenant, 1);
    } else {
        struct slot *s = &l->slots[l->count++];
        copy_text(s->tenant, sizeof s->tenant, tenant);
        copy_text(s->ip, sizeof s->ip, it->ip);
        copy_text(s->method, sizeof s->method, it->method);
        copy_text(s->request_id, sizeof s->request_id, it->request_id);
        copy_agent(s->agent, sizeof s->agent, it->agent);
        s->route = it->route;
        s->status = it->status;
        s->user_id = it->user_id;
        s->at = it->at;
    }
    if (l->count == 1 || l->count == QUEUE_MANY)
        pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
}

/* ---- signing ---- */

static struct ctx system_ctx(struct arena *mem, struct actor *actor,
                             const char *tenant)
{
    *actor = (struct actor){.name = "",
                            .ip = "",
                            .request_id = "access_log",
                            .tenant = tenant,
                            .base_url = ""};
    return (struct ctx){.mem = mem, .actor = actor, .now_us = clock_now_us()};
}

static enum err sign_open(struct ctx *c, struct tenant *t)
{
    uint8_t key[CRYPTO_KEY_BYTES];
    struct log_mark last;
    enum err e = tx_begin(c, t, TX_READ);

    if (e || (e = tx_end(c, t, operation_last(c, &last))) ||
        (e = tx_begin_access(c, t, TX_WRITE)))
        return e;
    log_sign_key(t, key);
    e = tx_end_access(c, t, request_log_sign_heads(c, key, &last));
    crypto_wipe(key, sizeof key);
    return e;
}

static void sign_tenant(struct request_log_writer *l, struct arena *mem,
                        struct head *h)
{
    struct actor actor;
    struct ctx c = system_ctx(mem, &actor, h->tenant);
    struct tenant *t;
    enum err e = tenant_open(l->app->store, h->tenant, &t);

    if (!e) {
        e = sign_open(&c, t);
        tenant_close(t);
    }
    if (e)
        log_error("logs not signed tenant=%s err=%s", h->tenant, err_name(e));
    h->is_owed = false;
    h->signed_at = c.now_us;
}

static void sign_due(struct request_log_writer *l, struct arena *mem, bool all)
{
    int64_t now_us = clock_now_us();

    for (size_t i = 0; i < l->head_count; i++) {
        struct head *h = &l->heads[i];
        if (h->is_owed &&
            (all || now_us - h->signed_at >= HEAD_US || now_us < h->signed_at))
            sign_tenant(l, mem, h);
    }
}

static void owe_head(struct request_log_writer *l, struct arena *mem,
                     const char *tenant)
{
    size_t free_at = HEADS_MAX;

    for (size_t i = 0; i < l->head_count; i++) {
        if (strcmp(l->heads[i].tenant, tenant) == 0) {
            l->heads[i].is_owed = true;
            return;
        }
        if (!l->heads[i].is_owed)
            free_at = i;
    }
    if (l->head_count < HEADS_MAX) {
        free_at = l->head_count++;
    } else if (free_at == HEADS_MAX) {
        sign_tenant(l, mem, &l->heads[0]);
        free_at = 0;
    }
    struct head *h = &l->heads[free_at];
    *h = (struct head){.is_owed = true};
    copy_text(h->tenant, sizeof h->tenant, tenant);
}

/* ---- writing ---- */

static struct request_log_row to_entry(const struct slot *s)
{
    return (struct request_log_row){.at = s->at,
                                    .user_id = s->user_id,
                                    .status = s->status,
                                    .ip = s->ip,
                                    .method = s->method,
                                    .agent = s->agent,
                                    .request_id = s->request_id,
                                    .route = s->route};
}

static enum err append(struct ctx *c, struct tenant *t,
                       const struct request_log_row *list, size_t count)
{
    enum err e = tx_begin_access(c, t, TX_WRITE);

    return e ? e : tx_end_access(c, t, request_log_append(c, list, count));
}

static void write_entries(struct request_log_writer *l, struct arena *mem,
                          const char *tenant,
                          const struct request_log_row *list, size_t count)
{
    struct actor actor;
    struct ctx c = system_ctx(mem, &actor, tenant);
    struct tenant *t;
    enum err e = tenant_open(l->app->store, tenant, &t);

    if (e == ERR_NOT_FOUND) /* a name nobody has */
        return;
    if (!e) {
        e = append(&c, t, list, count);
        tenant_close(t);
    }
    if (!e) {
        owe_head(l, mem, tenant);
        return;
    }
    log_error("access log not written tenant=%s rows=%zu err=%s", tenant, count,
              err_name(e));
    pthread_mutex_lock(&l->lock);
    count_drop(l, tenant, (int64_t)count);
    pthread_mutex_unlock(&l->lock);
}

/* The slots of one tenant after the other. */
static void write_batch(struct request_log_writer *l, struct arena *mem,
                        size_t count)
{
    char tenant[sizeof l->batch[0].tenant];

    for (size_t i = 0; i < count; i++) {
        if (!l->batch[i].tenant[0])
            continue;
        struct request_log_row *list =
            arena_array(mem, struct request_log_row, count - i);
        size_t n = 0;
        memcpy(tenant, l->batch[i].tenant, sizeof tenant);
        for (size_t k = i; k < count; k++) {
            if (strcmp(l->batch[k].tenant, tenant) != 0)
                continue;
            list[n++] = to_entry(&l->batch[k]);
            l->batch[k].tenant[0] = 0;
        }
        write_entries(l, mem, tenant, list, n);
        arena_reset(mem);
    }
}

static void write_drops(struct request_log_writer *l, struct arena *mem,
                        const struct drop *drops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct drop *d = &drops[i];
        const struct request_log_row it = {
            .at = clock_now_us(),
            .ip = "",
            .method = "",
            .route = "(dropped)",
            .request_id = "",
            .agent = arena_printf(mem, "%lld requests were not recorded",
                                  (long long)d->count),
        };
        log_warn("access log dropped tenant=%s rows=%lld", d->tenant,
                 (long long)d->count);
        write_entries(l, mem, d->tenant, &it, 1);
        arena_reset(mem);
    }
}

/* Takes what there is; the lock is held before and after, not between. */
static void write_round(struct request_log_writer *l, struct arena *mem)
{
    struct slot *batch = l->slots;
    size_t count = l->count, drop_count = l->drop_count;
    struct drop drops[DROPS_MAX];
    uint64_t given = l->given;
    bool stop = l->stop;

    l->slots = l->batch;
    l->batch = batch;
    l->count = l->drop_count = 0;
    l->is_stuck = false;
    pthread_cond_broadcast(&l->room);
    memcpy(drops, l->drops, sizeof drops);
    memset(l->drops, 0, sizeof l->drops);
    pthread_mutex_unlock(&l->lock);
    write_batch(l, mem, count);
    write_drops(l, mem, drops, drop_count);
    sign_due(l, mem, stop);
    arena_reset(mem);
    pthread_mutex_lock(&l->lock);
    l->written = given;
    pthread_cond_broadcast(&l->done);
}

static void wait_ms(struct request_log_writer *l, int ms)
{
    struct timespec until = clock_after_ms(ms);

    pthread_cond_timedwait(&l->wake, &l->lock, &until);
}

static bool is_urgent(const struct request_log_writer *l)
{
    return l->stop || l->given != l->written || l->count >= QUEUE_MANY;
}

static void *run(void *arg)
{
    struct request_log_writer *l = arg;
    struct arena *mem = arena_open(0);

    /* by itself: another's name is a file that the sandbox keeps shut */
    (void)pthread_setname_np(pthread_self(), "access log");
    pthread_mutex_lock(&l->lock);
    for (bool last = false; !last;) {
        if (!is_urgent(l) && !l->count)
            wait_ms(l, IDLE_MS);
        if (!is_urgent(l) && l->count)
            wait_ms(l, BATCH_MS);
        last = l->stop;
        write_round(l, mem);
    }
    pthread_mutex_unlock(&l->lock);
    arena_close(mem);
    return NULL;
}

void request_log_writer_flush(struct request_log_writer *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    uint64_t mine = ++l->given;
    pthread_cond_signal(&l->wake);
    while (l->written < mine && !l->stop)
        pthread_cond_wait(&l->done, &l->lock);
    pthread_mutex_unlock(&l->lock);
}

size_t request_log_writer_waiting(struct request_log_writer *l,
                                  int64_t *dropped)
{
    *dropped = 0;
    if (!l)
        return 0;
    pthread_mutex_lock(&l->lock);
    size_t n = l->count;
    *dropped = l->dropped;
    pthread_mutex_unlock(&l->lock);
    return n;
}

struct request_log_writer *request_log_writer_open(struct app *app)
{
    struct request_log_writer *l = calloc(1, sizeof(*l));

    must(l);
    l->app = app;
    l->slots = malloc(QUEUE_MAX * sizeof(*l->slots)); /* not touched yet */
    l->batch = malloc(QUEUE_MAX * sizeof(*l->batch));
    must(l->slots && l->batch);
    must(pthread_mutex_init(&l->lock, NULL) == 0);
    clock_init_cond(&l->wake);
    clock_init_cond(&l->room);
    must(pthread_cond_init(&l->done, NULL) == 0);
    must(pthread_create(&l->thread, NULL, run, l) == 0);
    return l;
}

void request_log_writer_close(struct request_log_writer *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_signal(&l->wake);
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    free(l->slots);
    free(l->batch);
    free(l);
}
