/* SPDX-License-Identifier: Apache-2.0 */
/* How full the installation is, for its operators.  Figures are whole numbers:
 * what is behind the point says nothing. */
#include "api/dispatch/routes.h"
#include "core/health/capacity.h"
#include "core/health/threshold.h"

#include <math.h>

static const struct field measure_fields[] = {
    {OUT_CHOICE("name", measure_words, REQUIRED)},
    {OUT_INT("value", REQUIRED)},
    {OUT_INT("level", NULLABLE)},
    {OUT_BOOL("is_on", REQUIRED)},
    {OUT_TEXT("crossed_at", NULLABLE)},
    {OUT_INT("version", REQUIRED)},
};
static const struct form measure_form = {"Measure", measure_fields,
                                         COUNT(measure_fields)};
static const char *const by_words[] = {"minute", "hour", NULL};
static const struct field sample_query_fields[] = {
    {CHOICE("measure", measure_words, REQUIRED, "指標", "Measure")},
    {CHOICE("by", by_words, OPTIONAL, "間隔", "Interval")},
};
static const struct form sample_query = {"SampleQuery", sample_query_fields,
                                         COUNT(sample_query_fields)};
static const struct field sample_fields[] = {
    {OUT_TEXT("at", REQUIRED)},
    {OUT_INT("value", REQUIRED)},
};
static const struct form sample_form = {"Sample", sample_fields,
                                        COUNT(sample_fields)};
static const struct field use_query_fields[] = {
    {TEXT("after", 1, 32, OPTIONAL, "続き", "After")},
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
};
static const struct form use_query = {"TenantUseQuery", use_query_fields,
                                      COUNT(use_query_fields)};
static const struct field use_fields[] = {
    {OUT_TEXT("id", REQUIRED)},         {OUT_TEXT("name", REQUIRED)},
    {OUT_INT("bytes", REQUIRED)},       {OUT_INT("bytes_limit", NULLABLE)},
    {OUT_INT("disk_bytes", REQUIRED)},  {OUT_INT("users", REQUIRED)},
    {OUT_INT("users_limit", NULLABLE)}, {OUT_INT("stopped", REQUIRED)},
    {OUT_TEXT("at", REQUIRED)},
};
static const struct form use_form = {"TenantUse", use_fields,
                                     COUNT(use_fields)};

static void put_whole(struct json_out *o, const char *name, double value)
{
    json_int(o, name, llround(value));
}

static void put_measure(struct call *k, enum measure m, double value,
                        const struct threshold *t)
{
    json_open(&k->out, NULL, '{');
    json_text(&k->out, "name", measure_words[m]);
    put_whole(&k->out, "value", value);
    if (t)
        put_whole(&k->out, "level", t->level);
    else
        json_null(&k->out, "level");
    json_bool(&k->out, "is_on", t && t->is_on);
    json_moment(&k->out, "crossed_at", t ? t->crossed_at : 0);
    json_int(&k->out, "version", t ? t->version : 0);
    json_close(&k->out, '}');
}

static void put_figures(struct call *k, const struct process_stats_figures *f,
                        const struct capacity_now *now)
{
    struct json_out *o = &k->out;

    json_open(o, "figures", '{');
    json_int(o, "cpus", f->cpus);
    json_int(o, "memory_bytes", f->memory_bytes);
    json_int(o, "memory_limit", f->memory_limit);
    json_int(o, "disk_bytes", f->disk.bytes);
    json_int(o, "disk_free_bytes", f->disk.free_bytes);
    json_int(o, "files", f->files);
    json_int(o, "files_limit", f->files_limit);
    json_int(o, "threads", f->server.threads);
    json_int(o, "threads_max", f->server.threads_max);
    json_int(o, "stopped", f->store.stopped);
    json_int(o, "quota_refused", f->quota_refused);
    json_int(o, "mail_failed", f->mail.failed);
    json_int(o, "log_dropped", f->log_dropped);
    json_int(o, "tenants", now->tenants);
    json_int(o, "tenant_bytes", now->tenant_bytes);
    json_int(o, "largest_bytes", now->largest_bytes);
    json_close(o, '}');
}

static void put_clock(struct call *k, const struct process_stats_figures *f)
{
    struct json_out *o = &k->out;

    json_open(o, "clock", '{');
    json_moment(o, "now", k->c->now_us);
    json_bool(o, "is_known", f->clock.is_known);
    json_bool(o, "is_synchronised", f->clock.is_synchronised);
    put_whole(o, "error_ms", (double)f->clock.error_us / 1000);
    put_whole(o, "max_error_ms", (double)f->clock.max_error_us / 1000);
    put_whole(o, "drift_ppm", f->clock.drift_ppm);
    put_whole(o, "drift_ms", (double)f->time.drift_us / 1000);
    json_int(o, "steps", f->time.steps);
    json_moment(o, "stepped_at", f->time.stepped_at);
    json_int(o, "step_seconds", f->time.step_us / 1000000);
    json_int(o, "held_seconds", f->time.held_s);
    json_close(o, '}');
}

static enum err get_capacity(struct call *k)
{
    struct threshold list[MEASURE_COUNT];
    const struct threshold *of[MEASURE_COUNT] = {NULL};
    struct process_stats_figures f;
    struct capacity_now now;
    size_t count;
    enum err e = threshold_list(k->c, list, &count);

    if (e)
        return e;
    for (size_t i = 0; i < count; i++)
        of[list[i].measure] = &list[i];
    process_stats_read(k->app, &f);
    capacity_now(k->app, &now);
    json_open(&k->out, NULL, '{');
    json_moment(&k->out, "at", now.at);
    json_open(&k->out, "measures", '[');
    for (int i = 0; i < MEASURE_COUNT; i++)
        put_measure(k, (enum measure)i, now.values[i], of[i]);
    json_close(&k->out, ']');
    put_figures(k, &f, &now);
    put_clock(k, &f);
    json_close(&k->out, '}');
    return OK;
}

static enum err list_samples(struct call *k)
{
    const struct capacity_point *list;
    size_t count;
    enum err e =
        capacity_list(k->c, (enum measure)values_int(k->query, "measure", 0),
                      values_int(k->query, "by", 0) == 1, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        json_moment(&k->out, "at", list[i].at);
        put_whole(&k->out, "value", list[i].value);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static void put_limit(struct call *k, const char *name, int64_t limit)
{
    if (limit)
        json_int(&k->out, name, limit);
    else
        json_null(&k->out, name);
}

static void put_use(struct call *k, const struct tenant_use *u)
{
    json_open(&k->out, NULL, '{');
    json_text(&k->out, "id", u->id);
    json_text(&k->out, "name", u->name);
    json_int(&k->out, "bytes", u->bytes);
    put_limit(k, "bytes_limit", u->bytes_limit);
    json_int(&k->out, "disk_bytes", u->disk_bytes);
    json_int(&k->out, "users", u->users);
    put_limit(k, "users_limit", u->users_limit);
    json_int(&k->out, "stopped", u->stopped);
    json_moment(&k->out, "at", u->at);
    json_close(&k->out, '}');
}

static enum err list_tenants(struct call *k)
{
    const struct tenant_use *list;
    size_t count;
    bool more;
    enum err e = capacity_tenants(k->c, values_text(k->query, "after"),
                                  call_limit(k), &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_use(k, &list[i]);
    json_close(&k->out, ']');
    if (more)
        json_text(&k->out, "next", list[count - 1].id);
    else
        json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err patch_threshold(struct call *k)
{
    struct threshold t;
    struct capacity_now now;
    enum err e = threshold_set(k->c, k->params[0], k->if_match, k->body, &t);

    if (e)
        return e;
    capacity_now(k->app, &now);
    call_etag(k, t.version);
    put_measure(k, t.measure, now.values[t.measure], &t);
    return OK;
}

static const struct route routes[] = {
    {GET("/capacity", get_capacity, RIGHT_AUDITOR,
         "How full the installation is, its thresholds and its clock")},
    {GET("/capacity/samples", list_samples, RIGHT_AUDITOR,
         "One measure by the minute (24 hours) or hour (90 days)",
         .query = &sample_query, .reply = &sample_form, .flags = ROUTE_LIST)},
    {GET("/capacity/tenants", list_tenants, RIGHT_AUDITOR,
         "Tenants by size, the largest first", .query = &use_query,
         .reply = &use_form, .flags = ROUTE_LIST)},
    {PATCH("/capacity/thresholds/:name", patch_threshold, RIGHT_OPERATOR,
           "Set from where on a measure is a warning", .form = &threshold_form,
           .reply = &measure_form, .flags = ROUTE_MATCH)},
};
const struct route_set capacity_routes = {routes, COUNT(routes), 0};
