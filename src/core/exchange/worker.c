/* SPDX-License-Identifier: Apache-2.0 */
#include "core/exchange/worker.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "core/account/user.h"
#include "core/tenant/quota.h"
#include "core/tenant/tenant_directory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TENANT_MAX = 10000, TX_SECONDS = 60, WISH_MAX = 16 };

struct wish {
    char tenant[33];
    int64_t job_id;
};

struct worker {
    struct app *app;
    const struct worker_kind *kinds; /* by enum job_kind */
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    bool stop;
    char list[TENANT_MAX][33]; /* tenants that may have work */
    size_t count;
    char tenant[33]; /* of the running job */
    int64_t job_id;  /* 0: none runs */
    int64_t done;
    bool cancelled;
    struct wish wishes[WISH_MAX]; /* to cancel what is about to run: a ring */
    size_t wish_next;
};

void worker_wake(struct worker *w, const char *tenant)
{
    size_t i = 0;

    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    while (i < w->count && strcmp(w->list[i], tenant) != 0)
        i++;
    if (i == w->count && w->count < TENANT_MAX &&
        strlen(tenant) < sizeof(w->list[0]))
        memcpy(w->list[w->count++], tenant, strlen(tenant) + 1);
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

static bool is_running(const struct worker *w, const char *tenant, int64_t id)
{
    return w->job_id == id && strcmp(w->tenant, tenant) == 0;
}

void worker_look(struct worker *w, const char *tenant, struct job *job)
{
    if (!w || job->state != JOB_RUNNING)
        return;
    pthread_mutex_lock(&w->lock);
    if (is_running(w, tenant, job->id))
        job->done = w->done;
    pthread_mutex_unlock(&w->lock);
}

size_t worker_waiting(struct worker *w)
{
    if (!w)
        return 0;
    pthread_mutex_lock(&w->lock);
    size_t n = w->count + (w->job_id != 0);
    pthread_mutex_unlock(&w->lock);
    return n;
}

void worker_cancel(struct worker *w, const char *tenant, int64_t job_id)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    if (is_running(w, tenant, job_id)) {
        w->cancelled = true;
    } else if (strlen(tenant) < sizeof(w->tenant)) {
        struct wish *wish = &w->wishes[w->wish_next++ % WISH_MAX];
        memcpy(wish->tenant, tenant, strlen(tenant) + 1);
        wish->job_id = job_id;
    }
    pthread_mutex_unlock(&w->lock);
}

bool worker_step(struct worker *w, int64_t done)
{
    pthread_mutex_lock(&w->lock);
    w->done = done;
    bool is_wanted = !w->cancelled && !w->stop;
    pthread_mutex_unlock(&w->lock);
    return is_wanted;
}

static void set_running(struct worker *w, const char *tenant, int64_t id)
{
    pthread_mutex_lock(&w->lock);
    memcpy(w->tenant, tenant, strlen(tenant) + 1);
    w->job_id = id;
    w->done = 0;
    w->cancelled = false;
    for (size_t i = 0; id && i < WISH_MAX; i++)
        if (is_running(w, w->wishes[i].tenant, w->wishes[i].job_id))
            w->cancelled = true;
    pthread_mutex_unlock(&w->lock);
}

static bool is_stopping(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    bool stop = w->stop;
    pthread_mutex_unlock(&w->lock);
    return stop;
}

/* The person may have changed since: rights are those of now. */
static enum err load_actor(struct ctx *c, const struct job_order *order,
                           struct actor *out)
{
    struct user u;
    enum err e = user_get(c, order->job.user_id, &u);

    if (!e && u.state != USER_ACTIVE)
        e = ERR_DENIED;
    if (e)
        return e;
    *out = (struct actor){.user_id = u.id,
                          .name = u.name,
                          .ip = order->ip,
                          .request_id = order->request_id,
                          .tenant = c->actor->tenant,
                          .base_url = order->base_url,
                          .lang = u.lang,
                          .is_admin = u.is_admin};
    return OK;
}

static const struct worker_kind *kind_of(const struct worker *w,
                                         const struct job_order *order)
{
    return &w->kinds[order->job.kind];
}

/* The work and the word that it is done, in one transaction. */
static enum err work(struct worker *w, struct ctx *c, struct tenant *t,
                     const struct job_order *order, const char **result)
{
    const struct actor *system = c->actor;
    struct actor person;
    enum err e = tx_begin(c, t, TX_WRITE);

    if (e)
        return e;
    tx_extend(c, TX_SECONDS);
    if (!(e = load_actor(c, order, &person))) {
        c->actor = &person;
        e = kind_of(w, order)->run(c, w->app, w, order, result);
    }
    if (!e)
        e = quota_check_written(c, w->app);
    if (!e)
        e = job_end(c, order->job.id, JOB_DONE, order->job.total, *result);
    e = tx_end(c, t, e);
    c->actor = system;
    return e;
}

static enum err work_apart(struct worker *w, struct ctx *c, struct tenant *t,
                           const struct job_order *order, const char **result)
{
    const struct actor *system = c->actor;
    struct actor person;
    enum err e = tx_begin(c, t, TX_READ);

    if (e || (e = tx_end(c, t, load_actor(c, order, &person))))
        return e;
    c->actor = &person;
    e = kind_of(w, order)->run_apart(c, w->app, w, t, order, result);
    c->actor = system;
    return e;
}

static void end_badly(struct worker *w, struct ctx *c, struct tenant *t,
                      const struct job_order *order, const char *result)
{
    pthread_mutex_lock(&w->lock);
    enum job_state state = w->cancelled ? JOB_CANCELLED : JOB_FAILED;
    int64_t done = w->done;
    pthread_mutex_unlock(&w->lock);
    enum err e = tx_begin(c, t, TX_WRITE);
    if (!e)
        e = tx_end(c, t,
                   job_end(c, order->job.id, state, done,
                           state == JOB_CANCELLED ? NULL : result));
    if (e)
        log_error("job not ended tenant=%s err=%s", c->actor->tenant,
                  err_name(e));
}

/* One job; ERR_NOT_FOUND when none waits. */
static enum err do_one(struct worker *w, struct ctx *c, struct tenant *t)
{
    struct job_order order = {0};
    const char *result = NULL;
    enum err e = tx_begin(c, t, TX_WRITE);

    if (e)
        return e;
    if ((e = tx_end(c, t, job_take(c, &order))))
        return e;
    set_running(w, c->actor->tenant, order.job.id);
    e = kind_of(w, &order)->run ? work(w, c, t, &order, &result)
                                : work_apart(w, c, t, &order, &result);
    if (e && !is_stopping(w)) {
        log_error("job failed tenant=%s err=%s", c->actor->tenant, err_name(e));
        c->fail = NULL;
        end_badly(w, c, t, &order, result);
    }
    set_running(w, "", 0);
    return OK;
}

static void serve_tenant(struct worker *w, struct arena *mem, const char *id)
{
    struct actor system = {.name = "",
                           .ip = "",
                           .request_id = "worker",
                           .tenant = id,
                           .base_url = ""};
    struct tenant *t;
    enum err e = tenant_open(w->app->store, id, &t);

    if (e)
        return;
    while (!e && !is_stopping(w)) {
        struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
        e = do_one(w, &c, t);
        arena_reset(mem);
    }
    if (e && e != ERR_NOT_FOUND)
        log_error("jobs not done tenant=%s err=%s", id, err_name(e));
    tenant_close(t);
}

static void requeue_all(struct worker *w, struct arena *mem)
{
    const char *const *ids;
    size_t count = tenant_directory_list_ids(w->app->store, mem, &ids);

    for (size_t i = 0; i < count; i++) {
        struct actor system = {.name = "", .ip = "", .tenant = ids[i]};
        struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
        struct tenant *t;
        enum err e = tenant_open(w->app->store, ids[i], &t);
        if (e)
            continue;
        if (!(e = tx_begin(&c, t, TX_WRITE)))
            e = tx_end(&c, t, job_requeue(&c));
        tenant_close(t);
        if (!e)
            worker_wake(w, ids[i]);
    }
    arena_reset(mem);
}

static void *run(void *arg)
{
    struct worker *w = arg;
    struct arena *mem = arena_open((size_t)1 << 30);
    char id[33];

    requeue_all(w, mem);
    pthread_mutex_lock(&w->lock);
    while (!w->stop) {
        if (w->count == 0) {
            pthread_cond_wait(&w->wake, &w->lock);
            continue;
        }
        memcpy(id, w->list[--w->count], sizeof(id));
        pthread_mutex_unlock(&w->lock);
        serve_tenant(w, mem, id);
        heap_rest();
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    arena_close(mem);
    return NULL;
}

struct worker *worker_open(struct app *app, const struct worker_kind *kinds)
{
    struct worker *w = calloc(1, sizeof(*w));

    must(w);
    w->app = app;
    w->kinds = kinds;
    must(pthread_mutex_init(&w->lock, NULL) == 0);
    must(pthread_cond_init(&w->wake, NULL) == 0);
    must(pthread_create(&w->thread, NULL, run, w) == 0);
    return w;
}

void worker_close(struct worker *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    free(w);
}
