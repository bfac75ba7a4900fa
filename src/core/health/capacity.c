/* SPDX-License-Identifier: Apache-2.0 */
/* Rates are differences to the look before; everything else is as it is.  The
 * minute and the hour a sample belongs to are its key, so that two looks in
 * one minute leave one row, and hours are made from minutes once. */
#include "core/health/capacity.h"

#include "base/log.h"
#include "core/core.h"
#include "core/health/threshold.h"
#include "core/tenant/quota.h"
#include "core/tenant/tenant_directory.h"
#include "core/trust_evidence.h"
#include "db/query.h"

#include <pthread.h>
#include <stdlib.h>

#define US_PER_MINUTE INT64_C(60000000)
#define US_PER_HOUR   (60 * US_PER_MINUTE)
#define US_PER_DAY    (24 * US_PER_HOUR)
enum { KEEP_DAYS = 90, POINTS_MAX = 24 * KEEP_DAYS + 1 };
enum { SPAN_MINUTE = 60, SPAN_HOUR = 3600 };

enum {
    SAMPLE_PUT,
    SAMPLE_HAS,
    SAMPLE_HOURS,
    SAMPLE_PRUNE,
    SAMPLE_LIST,
    USE_SEEN,
    USE_MISSING,
    USE_PUT,
    USE_TOTALS,
    USE_FULLEST,
    USE_LIST
};
static const char *const capacity_text[] = {
    [SAMPLE_PUT] = "INSERT INTO sample (span, measure, at, value)"
                   " VALUES (60, ?1, ?2, ?3) ON CONFLICT DO UPDATE SET"
                   " value = ?3",
    [SAMPLE_HAS] = "SELECT 1 FROM sample WHERE span = 3600 AND measure = 0"
                   " AND at = ?1",
    [SAMPLE_HOURS] =
        "INSERT INTO sample (span, measure, at, value) SELECT 3600, measure,"
        " at - at % ?2, max(value) FROM sample WHERE span = 60 AND at < ?1"
        " GROUP BY measure, at - at % ?2 ON CONFLICT DO UPDATE SET"
        " value = max(value, excluded.value)",
    /* also what is ahead of now: the clock was */
    [SAMPLE_PRUNE] = "DELETE FROM sample WHERE span = ?1"
                     " AND (at < ?2 OR at > ?3)",
    [SAMPLE_LIST] = "SELECT at, value FROM sample WHERE span = ?1"
                    " AND measure = ?2 AND at >= ?3 ORDER BY at LIMIT ?4",
    [USE_SEEN] =
        "UPDATE tenant_use SET bytes = ?2, stopped = stopped + ?3, at = ?4"
        " WHERE customer_id = ?1 AND (bytes <> ?2 OR ?3 > 0)",
    /* new, or missed by the round of the day */
    [USE_MISSING] = "SELECT x.id FROM customer x WHERE x.id >= ''"
                    " AND x.state = 1 AND NOT EXISTS (SELECT 1 FROM tenant_use"
                    " u WHERE u.customer_id = x.id AND u.at > ?1)"
                    " ORDER BY x.id LIMIT 20",
    [USE_PUT] = "INSERT INTO tenant_use (customer_id, bytes, disk_bytes,"
                " users, at) SELECT id, ?2, ?3, ?4, ?5 FROM customer"
                " WHERE id = ?1 ON CONFLICT DO UPDATE SET bytes = ?2,"
                " disk_bytes = ?3, users = ?4, at = ?5",
    [USE_TOTALS] = "SELECT count(*), coalesce(sum(bytes), 0),"
                   " coalesce(max(bytes), 0) FROM tenant_use",
    [USE_FULLEST] =
        "SELECT coalesce(max(x.bytes * 100.0 / q.bytes), 0) FROM quota q"
        " JOIN tenant_use x ON x.customer_id = q.customer_id"
        " WHERE q.customer_id >= '' AND q.bytes > 0",
    [USE_LIST] = "SELECT u.customer_id, x.name, u.bytes, u.disk_bytes, u.users,"
                 " u.stopped, u.at, coalesce(q.bytes, 0), coalesce(q.users, 0)"
                 " FROM tenant_use u JOIN customer x ON x.id = u.customer_id"
                 " LEFT JOIN quota q ON q.customer_id = u.customer_id"
                 " LEFT JOIN tenant_use last ON last.customer_id = ?1"
                 " WHERE last.bytes IS NULL OR u.bytes < last.bytes"
                 " OR (u.bytes = last.bytes AND u.customer_id > ?1)"
                 " ORDER BY u.bytes DESC, u.customer_id LIMIT ?2",
};
const struct query_set capacity_queries = {"capacity", capacity_text,
                                           COUNT(capacity_text)};

static const struct actor system_actor = {.name = "",
                                          .ip = "",
                                          .request_id = "capacity",
                                          .tenant = STORE_OPERATOR,
                                          .base_url = ""};

struct capacity {
    pthread_mutex_t lock; /* guards now */
    struct capacity_now now;
    struct process_stats_figures before; /* of the scheduler alone */
    int64_t before_ms;                   /* 0: none yet */
};

struct capacity *capacity_open(void)
{
    struct capacity *x = calloc(1, sizeof(*x));

    must(x && pthread_mutex_init(&x->lock, NULL) == 0);
    return x;
}

void capacity_close(struct capacity *x)
{
    if (!x)
        return;
    pthread_mutex_destroy(&x->lock);
    free(x);
}

void capacity_now(const struct app *app, struct capacity_now *out)
{
    struct capacity *x = app->capacity;

    *out = (struct capacity_now){0};
    if (!x)
        return;
    pthread_mutex_lock(&x->lock);
    *out = x->now;
    pthread_mutex_unlock(&x->lock);
}

/* ---- values ---- */

static double percent(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part * 100.0 / (double)whole : 0;
}

/* The bound that 95 of 100 of the new requests stayed below. */
static double find_latency(const struct process_stats_figures *f,
                           const struct process_stats_figures *before)
{
    int64_t all = f->requests - before->requests, seen = 0;

    for (size_t i = 0; all > 0 && i < LATENCY_BOUNDS; i++) {
        seen += f->latency[i] - before->latency[i];
        if (seen * 100 >= all * 95)
            return process_stats_latency_ms[i];
    }
    return all > 0 ? 2.0 * process_stats_latency_ms[LATENCY_BOUNDS - 1] : 0;
}

static void find_rates(struct capacity *x,
                       const struct process_stats_figures *f,
                       double out[MEASURE_COUNT])
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t gone = now_ms - x->before_ms;

    if (x->before_ms && gone > 0) {
        double minutes = (double)gone / 60000.0;
        const struct process_stats_figures *b = &x->before;
        out[MEASURE_CPU] = percent(f->cpu_ms - b->cpu_ms, gone * f->cpus);
        out[MEASURE_REQUESTS] = (double)(f->requests - b->requests) / minutes;
        out[MEASURE_FAILURES] = (double)(f->failures - b->failures) / minutes;
        out[MEASURE_LATENCY] = find_latency(f, b);
    }
    x->before = *f;
    x->before_ms = now_ms;
}

static void find_values(struct capacity *x,
                        const struct process_stats_figures *f,
                        double out[MEASURE_COUNT])
{
    find_rates(x, f, out);
    out[MEASURE_MEMORY] = percent(f->memory_bytes, f->memory_limit);
    out[MEASURE_DISK] =
        percent(f->disk.bytes - f->disk.free_bytes, f->disk.bytes);
    out[MEASURE_FILES] = percent(f->files, f->files_limit);
    out[MEASURE_THREADS] = percent(f->server.threads, f->server.threads_max);
    out[MEASURE_QUEUE] = (double)f->server.waiting;
    out[MEASURE_MAIL] = (double)f->mail.tenants;
    out[MEASURE_JOBS] = (double)f->jobs;
    out[MEASURE_LOG] = (double)f->log_waiting;
    out[MEASURE_CLOCK] = (double)f->clock.error_us / 1000.0;
    out[MEASURE_UNSYNCED] = !f->clock.is_synchronised;
}

/* ---- rows ---- */

static enum err note_open_tenants(struct ctx *c, struct app *app)
{
    const struct tenant_figures *list;
    size_t count = store_list_open(app->store, c->mem, &list);
    enum err e = OK;

    for (size_t i = 0; !e && i < count; i++) {
        struct query *q = query(c, capacity_text[USE_SEEN]);
        bind_text(q, 1, list[i].id);
        bind_int(q, 2, list[i].used_bytes);
        bind_int(q, 3, list[i].stopped);
        bind_int(q, 4, c->now_us);
        e = query_run(c, q);
    }
    return e;
}

static enum err sum_tenants(struct ctx *c, struct capacity_now *now)
{
    struct query *q = query(c, capacity_text[USE_TOTALS]);
    enum err e = query_one(c, q);

    if (e)
        return e;
    now->tenants = col_int(q, 0);
    now->tenant_bytes = col_int(q, 1);
    now->largest_bytes = col_int(q, 2);
    query_done(q);
    q = query(c, capacity_text[USE_FULLEST]);
    if ((e = query_one(c, q)))
        return e;
    now->values[MEASURE_TENANT] = col_double(q, 0);
    query_done(q);
    return OK;
}

static enum err put_samples(struct ctx *c, const struct capacity_now *now)
{
    enum err e = OK;

    for (int i = 0; !e && i < MEASURE_COUNT; i++) {
        struct query *q = query(c, capacity_text[SAMPLE_PUT]);
        bind_int(q, 1, i);
        bind_int(q, 2, c->now_us - c->now_us % US_PER_MINUTE);
        bind_double(q, 3, now->values[i]);
        e = query_run(c, q);
    }
    return e;
}

static enum err make_hours(struct ctx *c)
{
    int64_t hour = c->now_us - c->now_us % US_PER_HOUR;
    struct query *q = query(c, capacity_text[SAMPLE_HAS]);

    bind_int(q, 1, hour - US_PER_HOUR);
    enum err e = query_one(c, q);
    query_done(q);
    if (e != ERR_NOT_FOUND)
        return e;
    q = query(c, capacity_text[SAMPLE_HOURS]);
    bind_int(q, 1, hour);
    bind_int(q, 2, US_PER_HOUR);
    return query_run(c, q);
}

static enum err prune(struct ctx *c, int span, int64_t keep_us)
{
    struct query *q = query(c, capacity_text[SAMPLE_PRUNE]);

    bind_int(q, 1, span);
    bind_int(q, 2, c->now_us - keep_us);
    bind_int(q, 3, c->now_us + US_PER_MINUTE);
    return query_run(c, q);
}

static enum err write_look(struct ctx *c, struct app *app,
                           struct capacity_now *now)
{
    enum err e = note_open_tenants(c, app);

    if (!e)
        e = sum_tenants(c, now);
    if (!e)
        e = put_samples(c, now);
    if (!e)
        e = make_hours(c);
    if (!e)
        e = prune(c, SPAN_MINUTE, US_PER_DAY);
    if (!e)
        e = prune(c, SPAN_HOUR, KEEP_DAYS * US_PER_DAY);
    return e ? e : threshold_judge(c, app, now->values);
}

/* ---- tenants: all once a day, new ones at the next look ---- */

static enum err read_tenant(struct app *app, struct ctx *c, const char *id,
                            struct tenant_use *out)
{
    struct actor there = {.name = "", .ip = "", .tenant = id};
    struct ctx inside = {.mem = c->mem, .actor = &there, .now_us = c->now_us};
    struct tenant *t;
    enum err e = tenant_open(app->store, id, &t);

    if (e)
        return e;
    if (!(e = tx_begin(&inside, t, TX_READ)))
        e = tx_end(&inside, t, quota_count_users(&inside, &out->users));
    out->bytes = tenant_used_bytes(t);
    out->disk_bytes = tenant_size(t);
    tenant_close(t);
    return e;
}

static enum err put_use(struct ctx *c, const char *id,
                        const struct tenant_use *use)
{
    struct query *q = query(c, capacity_text[USE_PUT]);

    bind_text(q, 1, id);
    bind_int(q, 2, use->bytes);
    bind_int(q, 3, use->disk_bytes);
    bind_int(q, 4, use->users);
    bind_int(q, 5, c->now_us);
    return query_run(c, q);
}

static void measure(struct app *app, struct arena *mem, const char *id)
{
    struct ctx c = {
        .mem = mem, .actor = &system_actor, .now_us = clock_now_us()};
    struct tenant_use use = {.bytes = 0};
    enum err e = read_tenant(app, &c, id, &use);

    if (!e && !(e = tx_begin_control(&c, app->store, TX_WRITE)))
        e = tx_end_control(&c, app->store, put_use(&c, id, &use));
    if (e)
        log_error("not measured tenant=%s err=%s", id, err_name(e));
}

void capacity_measure_tenants(struct app *app, struct arena *mem)
{
    struct arena *list = arena_open(0);
    const char *const *ids;
    size_t count = tenant_directory_list_ids(app->store, list, &ids);

    for (size_t i = 0; i < count; i++) {
        measure(app, mem, ids[i]);
        arena_reset(mem);
    }
    arena_close(list);
}

static void measure_missing(struct app *app, struct arena *mem)
{
    struct ctx c = {
        .mem = mem, .actor = &system_actor, .now_us = clock_now_us()};
    const char *ids[20];
    size_t count = 0;
    enum err e = tx_begin_control(&c, app->store, TX_READ);

    if (e)
        return;
    struct query *q = query(&c, capacity_text[USE_MISSING]);
    bind_int(q, 1, c.now_us - TRUST_NEW_US);
    while (count < COUNT(ids) && query_next(&c, q, &e))
        ids[count++] = col_text(&c, q, 0);
    query_done(q);
    e = tx_end_control(&c, app->store, e);
    for (size_t i = 0; !e && i < count; i++)
        measure(app, mem, ids[i]);
}

void capacity_look(struct app *app, struct arena *mem)
{
    struct capacity *x = app->capacity;
    struct ctx c = {.mem = mem, .actor = &system_actor};
    struct capacity_now now = {.at = 0};
    struct process_stats_figures f;

    if (!x)
        return;
    measure_missing(app, mem);
    c.now_us = now.at = clock_now_us();
    process_stats_read(app, &f);
    find_values(x, &f, now.values);
    enum err e = tx_begin_control(&c, app->store, TX_WRITE);
    if (!e)
        e = tx_end_control(&c, app->store, write_look(&c, app, &now));
    if (e)
        log_error("samples are not written err=%s", err_name(e));
    pthread_mutex_lock(&x->lock);
    x->now = now;
    pthread_mutex_unlock(&x->lock);
}

/* ---- for the console ---- */

enum err capacity_list(struct ctx *c, enum measure measure, bool by_hour,
                       const struct capacity_point **out, size_t *count)
{
    struct capacity_point *list =
        arena_array(c->mem, struct capacity_point, POINTS_MAX);
    struct query *q = query(c, capacity_text[SAMPLE_LIST]);
    enum err e;

    *count = 0;
    bind_int(q, 1, by_hour ? SPAN_HOUR : SPAN_MINUTE);
    bind_int(q, 2, measure);
    bind_int(q, 3, c->now_us - (by_hour ? KEEP_DAYS : 1) * US_PER_DAY);
    bind_int(q, 4, POINTS_MAX);
    while (query_next(c, q, &e)) {
        list[*count].at = col_int(q, 0);
        list[(*count)++].value = col_double(q, 1);
    }
    *out = list;
    return e;
}

enum err capacity_tenants(struct ctx *c, const char *after, int limit,
                          const struct tenant_use **out, size_t *count,
                          bool *more)
{
    size_t max = (size_t)limit;
    struct tenant_use *list = arena_array(c->mem, struct tenant_use, max + 1);
    struct query *q = query(c, capacity_text[USE_LIST]);
    enum err e;

    *count = 0;
    bind_text(q, 1, after);
    bind_int(q, 2, limit + 1);
    while (query_next(c, q, &e))
        list[(*count)++] = (struct tenant_use){.id = col_text(c, q, 0),
                                               .name = col_text(c, q, 1),
                                               .bytes = col_int(q, 2),
                                               .disk_bytes = col_int(q, 3),
                                               .users = col_int(q, 4),
                                               .stopped = col_int(q, 5),
                                               .at = col_int(q, 6),
                                               .bytes_limit = col_int(q, 7),
                                               .users_limit = col_int(q, 8)};
    *more = *count > max;
    if (*more)
        (*count)--;
    *out = list;
    return e;
}
