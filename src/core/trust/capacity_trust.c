/* SPDX-License-Identifier: Apache-2.0 */
/* Row 18 of the trust page: that somebody measured just now, how much is left,
 * and that the operators would be warned before something runs out.  What the
 * thresholds say of the clock is row 22's. */
#include "core/health/capacity.h"

#include "base/clock.h"
#include "core/core.h"
#include "core/health/threshold.h"
#include "core/trust/trust.h"
#include "db/query.h"

#define US_PER_MINUTE INT64_C(60000000)
#define US_PER_HOUR   (60 * US_PER_MINUTE)
enum { SAMPLE_LATE_MINUTES = 10, SHOWN = MEASURE_THREADS + 1 };

enum { TRUST_LAST, TRUST_VALUES, TRUST_SIZES };
static const char *const measure_text[] = {
    [TRUST_LAST] = "SELECT coalesce(max(at), 0) FROM sample WHERE span = 60"
                   " AND measure = 0",
    [TRUST_VALUES] = "SELECT measure, value FROM sample WHERE span = 60"
                     " AND measure IN (0, 1, 2, 3, 4) AND at = ?1",
    /* measured each day, and whenever something is written */
    [TRUST_SIZES] =
        "SELECT count(*), coalesce(sum(late), 0), coalesce(min(at), 0),"
        " substr(group_concat(iif(late, id, NULL), ', '), 1, 200)"
        " FROM (SELECT x.id, coalesce(u.at, 0) AS at,"
        " coalesce(u.at, 0) NOT BETWEEN ?1 AND ?2 AS late FROM customer x"
        " LEFT JOIN tenant_use u ON u.customer_id = x.id WHERE x.id >= ''"
        " AND x.state = 1 AND (u.at IS NOT NULL OR x.created_at < ?3))",
};
const struct query_set capacity_trust_queries = {"capacity_trust", measure_text,
                                                 COUNT(measure_text)};

/* ---- the last sample ---- */

static enum err read_values(struct ctx *c, int64_t at, double out[SHOWN])
{
    struct query *q = query(c, measure_text[TRUST_VALUES]);
    enum err e;

    bind_int(q, 1, at);
    while (query_next(c, q, &e)) {
        int64_t which = col_int(q, 0);
        if (which >= 0 && which < SHOWN)
            out[which] = col_double(q, 1);
    }
    return e;
}

/* out_at: of the last sample, 0: none. */
static enum err measure_samples(struct ctx *c, struct trust_list *out,
                                int64_t *out_at)
{
    struct query *q = query(c, measure_text[TRUST_LAST]);
    double used[SHOWN] = {0};
    enum err e = query_one(c, q);

    if (e)
        return e;
    int64_t at = col_int(q, 0);
    query_done(q);
    *out_at = at;
    if (!at) {
        trust_show(c, out, 18, false, "まだ一度も測定されていません",
                   "Nothing was measured yet");
        return OK;
    }
    if ((e = read_values(c, at, used)))
        return e;
    trust_say(c, out, 18, at < c->now_us + US_PER_MINUTE,
              "最後の測定 %s（%d 分以内に1回）。使用率: CPU %.0f%%、メモリー "
              "%.0f%%、ディスク %.0f%%、ファイル %.0f%%、スレッド %.0f%%",
              "Last measured %s (once within %d minutes). In use: CPU %.0f%%, "
              "memory %.0f%%, disk %.0f%%, files %.0f%%, threads %.0f%%",
              trust_moment(c, at), SAMPLE_LATE_MINUTES, used[MEASURE_CPU],
              used[MEASURE_MEMORY], used[MEASURE_DISK], used[MEASURE_FILES],
              used[MEASURE_THREADS]);
    trust_tell_others(c, out, "CPU、メモリー、ディスクなどの測定",
                      "The measuring of CPU, memory, disk and more");
    trust_date(out, at, SAMPLE_LATE_MINUTES * US_PER_MINUTE);
    return OK;
}

/* ---- the warnings ---- */

/* What can run out: of these a warning is promised. */
static bool is_promised(enum measure measure)
{
    return measure <= MEASURE_QUEUE || measure == MEASURE_TENANT;
}

static void name(struct ctx *c, struct buf *list, enum measure measure)
{
    buf_printf(list, "%s%s", list->len ? ctx_text(c, "、", ", ") : "",
               threshold_title(c, measure));
}

static const char *named(struct ctx *c, struct buf *list)
{
    return list->len ? list->data : ctx_text(c, "なし", "none");
}

/* Crossed or not is what the last sample said. */
static enum err measure_thresholds(struct ctx *c, int64_t sampled_at,
                                   struct trust_list *out)
{
    struct threshold list[MEASURE_COUNT];
    struct buf off = buf_in(c->mem), crossed = buf_in(c->mem);
    size_t count;
    int on = 0, promised = 0;
    enum err e = threshold_list(c, list, &count);

    if (e)
        return e;
    for (size_t i = 0; i < count; i++) {
        enum measure measure = list[i].measure;
        if (measure == MEASURE_CLOCK || measure == MEASURE_UNSYNCED)
            continue;
        on += list[i].is_on;
        promised += is_promised(measure);
        if (!list[i].is_on && is_promised(measure))
            name(c, &off, measure);
        if (list[i].is_on && list[i].crossed_at)
            name(c, &crossed, measure);
    }
    trust_say(c, out, 18, promised > 0 && off.len == 0 && crossed.len == 0,
              "有効な警告のしきい値 %d 件。切られている警告: %s。しきい値を"
              "超えているもの: %s",
              "Thresholds that warn: %d; switched off: %s; crossed now: %s", on,
              named(c, &off), named(c, &crossed));
    trust_tell_others(c, out, "尽きる前の警告と残りの余裕",
                      "The warnings before they run out, and what is left");
    if (sampled_at)
        trust_date(out, sampled_at, SAMPLE_LATE_MINUTES * US_PER_MINUTE);
    return OK;
}

/* The fullest tenant is the fullest of those whose size is known. */
static enum err measure_sizes(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, measure_text[TRUST_SIZES]);

    bind_int(q, 1, c->now_us - TRUST_AGE_US);
    bind_int(q, 2, c->now_us + US_PER_HOUR);
    bind_int(q, 3, c->now_us - TRUST_NEW_US);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t all = col_int(q, 0), late = col_int(q, 1), at = col_int(q, 2);
    const char *names = col_text(c, q, 3);
    query_done(q);
    if (!all)
        return OK;
    trust_say(c, out, 18, late == 0,
              "テナント %lld 件の大きさを毎日測定、測れていないもの: %s",
              "Tenants whose size is measured daily: %lld; not measured: %s",
              (long long)all, late ? names : ctx_text(c, "なし", "none"));
    trust_tell_others(c, out, "すべてのお客様のデータの大きさの測定",
                      "The measuring of the size of all customers' data");
    trust_date(out, at, TRUST_AGE_US);
    return OK;
}

enum err capacity_measure(struct ctx *c, struct trust_list *out)
{
    int64_t sampled_at = 0;
    enum err e = measure_samples(c, out, &sampled_at);

    if (!e)
        e = measure_thresholds(c, sampled_at, out);
    return e ? e : measure_sizes(c, out);
}
