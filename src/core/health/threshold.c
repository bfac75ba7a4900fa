/* SPDX-License-Identifier: Apache-2.0 */
#include "core/health/threshold.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/mail/operator_mail.h"
#include "db/query.h"

enum { PERCENT_MAX = 100 };
enum {
    THRESHOLD_ADD,
    THRESHOLD_LIST,
    THRESHOLD_GET,
    THRESHOLD_SET,
    THRESHOLD_STATE
};
static const char *const threshold_text[] = {
    [THRESHOLD_ADD] = "INSERT INTO threshold (name, level) VALUES (?1, ?2)"
                      " ON CONFLICT DO NOTHING",
    [THRESHOLD_LIST] = "SELECT name, level, is_on, crossed_at, version, streak"
                       " FROM threshold WHERE name >= ''",
    [THRESHOLD_GET] = "SELECT name, level, is_on, crossed_at, version, streak"
                      " FROM threshold WHERE name = ?1",
    [THRESHOLD_SET] = "UPDATE threshold SET level = ?3, is_on = ?4,"
                      " crossed_at = NULL, streak = 0, version = version + 1"
                      " WHERE name = ?1 AND version = ?2",
    [THRESHOLD_STATE] = "UPDATE threshold SET streak = ?2, crossed_at = ?3"
                        " WHERE name = ?1",
};
const struct query_set threshold_queries = {"threshold", threshold_text,
                                            COUNT(threshold_text)};

static const struct field threshold_fields[] = {
    {INT("level", 1, 1000000000, OPTIONAL, "しきい値", "Threshold")},
    {BOOL("is_on", OPTIONAL, "通知", "Warn")},
};
const struct form threshold_form = {"ThresholdEdit", threshold_fields,
                                    COUNT(threshold_fields)};

/* level 0: no warning is made of it. */
static const struct {
    double level;
    const char *ja, *en, *unit;
} measures[MEASURE_COUNT] = {
    [MEASURE_CPU] = {90, "CPU使用率", "CPU", "%"},
    [MEASURE_MEMORY] = {85, "メモリ使用率", "Memory", "%"},
    [MEASURE_DISK] = {85, "ディスク使用率", "Disk", "%"},
    [MEASURE_FILES] = {80, "開いているファイル", "Open files", "%"},
    [MEASURE_THREADS] = {80, "スレッド", "Threads", "%"},
    [MEASURE_QUEUE] = {100, "待ち接続", "Waiting connections", ""},
    [MEASURE_REQUESTS] = {0, "", "", ""},
    [MEASURE_LATENCY] = {2000, "応答時間（95%）", "Response time (95%)", " ms"},
    [MEASURE_FAILURES] = {20, "1分あたりのサーバーエラー",
                          "Server errors a minute", ""},
    [MEASURE_MAIL] = {50, "メール待ちのテナント", "Tenants with mail waiting",
                      ""},
    [MEASURE_JOBS] = {20, "処理待ちのジョブ", "Jobs waiting", ""},
    [MEASURE_LOG] = {6000, "書き込み待ちのアクセスログ",
                     "Accesses not written yet", ""},
    [MEASURE_TENANT] = {90, "最も余裕のないテナント（上限比）",
                        "Fullest tenant (of its quota)", "%"},
    [MEASURE_CLOCK] = {500, "時計の推定誤差", "Estimated clock error", " ms"},
    [MEASURE_UNSYNCED] = {1, "時計が同期していない", "Clock not synchronised",
                          ""},
};

const char *threshold_title(const struct ctx *c, enum measure measure)
{
    return ctx_text(c, measures[measure].ja, measures[measure].en);
}

static bool find_measure(const char *name, enum measure *out)
{
    for (int i = 0; i < MEASURE_COUNT; i++)
        if (str_equal(name, measure_words[i])) {
            *out = (enum measure)i;
            return true;
        }
    return false;
}

struct row {
    struct threshold of;
    int64_t streak;
};

static bool read_row(struct query *q, struct row *out)
{
    out->of.level = col_double(q, 1);
    out->of.is_on = col_int(q, 2) != 0;
    out->of.crossed_at = col_int(q, 3);
    out->of.version = col_int(q, 4);
    out->streak = col_int(q, 5);
    return find_measure(col_peek(q, 0), &out->of.measure);
}

static enum err list_rows(struct ctx *c, struct row *rows, size_t *count)
{
    struct query *q = query(c, threshold_text[THRESHOLD_LIST]);
    enum err e;

    *count = 0;
    while (query_next(c, q, &e))
        if (*count < MEASURE_COUNT && read_row(q, &rows[*count]))
            (*count)++;
    return e;
}

/* Rows for what has none yet. */
static enum err fill(struct ctx *c)
{
    enum err e = OK;

    for (int i = 0; !e && i < MEASURE_COUNT; i++) {
        if (measures[i].level == 0)
            continue;
        struct query *q = query(c, threshold_text[THRESHOLD_ADD]);
        bind_text(q, 1, measure_words[i]);
        bind_double(q, 2, measures[i].level);
        e = query_run(c, q);
    }
    return e;
}

static enum err warn(struct ctx *c, const struct app *app,
                     const struct threshold *t, double value)
{
    const char *ja = measures[t->measure].ja, *en = measures[t->measure].en;
    const char *unit = measures[t->measure].unit;

    enum err e = operator_mail_all(
        c, app,
        &(struct operator_news){
            .subject_ja = arena_printf(c->mem, "容量の警告: %s", ja),
            .subject_en = arena_printf(c->mem, "Capacity warning: %s", en),
            .ja = arena_printf(
                c->mem,
                "%s がしきい値に達しました。\n\n現在値: %.1f%s\n"
                "しきい値: %.1f%s\n時刻: "
                "%s（日本時間）\n\n運用者コンソールの「容量」で"
                "推移を確認してください。しきい値を下回って再び達するまで、"
                "このメールは繰り返しません。",
                ja, value, unit, t->level, unit,
                clock_say(c->mem, c->now_us, true)),
            .en = arena_printf(
                c->mem,
                "%s has reached its threshold.\n\nNow: %.1f%s\nThreshold: "
                "%.1f%s\nAt: %s (Japan)\n\nSee Capacity in the operator's "
                "console. "
                "This mail is not repeated until the value has fallen and "
                "reaches the threshold again.",
                en, value, unit, t->level, unit,
                clock_say(c->mem, c->now_us, false)),
        });
    if (!e)
        log_warn("threshold crossed measure=%s value=%.1f level=%.1f",
                 measure_words[t->measure], value, t->level);
    return e;
}

/* streak counts samples in a row that speak for a change of state. */
static enum err judge(struct ctx *c, const struct app *app,
                      const struct row *row, double value)
{
    const struct threshold *t = &row->of;
    bool speaks = t->crossed_at ? value < t->level * 0.9 : value >= t->level;
    int64_t streak = speaks ? row->streak + 1 : 0;
    int64_t crossed_at = t->crossed_at;
    enum err e = OK;

    if (!t->is_on || streak == row->streak)
        return OK;
    /* room on the disk does not come back by waiting */
    bool is_at_once = t->measure == MEASURE_DISK && !t->crossed_at;
    if (streak >= (is_at_once ? 1 : THRESHOLD_STREAK)) {
        crossed_at = t->crossed_at ? 0 : c->now_us;
        streak = 0;
        if (crossed_at)
            e = warn(c, app, t, value);
    }
    if (e) /* with nobody to tell it is not told: the next sample tries */
        return e == ERR_NOT_FOUND ? OK : e;
    struct query *q = query(c, threshold_text[THRESHOLD_STATE]);
    bind_text(q, 1, measure_words[t->measure]);
    bind_int(q, 2, streak);
    bind_id(q, 3, crossed_at);
    return query_run(c, q);
}

enum err threshold_judge(struct ctx *c, const struct app *app,
                         const double values[MEASURE_COUNT])
{
    struct row rows[MEASURE_COUNT];
    size_t count;
    enum err e = fill(c);

    if (!e)
        e = list_rows(c, rows, &count);
    for (size_t i = 0; !e && i < count; i++)
        e = judge(c, app, &rows[i], values[rows[i].of.measure]);
    return e;
}

enum err threshold_list(struct ctx *c, struct threshold *out, size_t *count)
{
    struct row rows[MEASURE_COUNT];
    enum err e = list_rows(c, rows, count);

    for (size_t i = 0; !e && i < *count; i++)
        out[i] = rows[i].of;
    return e;
}

static enum err get(struct ctx *c, const char *name, struct threshold *out)
{
    struct query *q = query(c, threshold_text[THRESHOLD_GET]);
    struct row row;

    bind_text(q, 1, name);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "", "not_found", "しきい値が見つかりません",
                        "No such threshold");
    if (e)
        return e;
    bool is_known = read_row(q, &row);
    query_done(q);
    *out = row.of;
    return is_known ? OK : ERR_INTERNAL;
}

static const char *as_json(struct ctx *c, const struct threshold *t)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_double(&o, "level", t->level);
    json_bool(&o, "is_on", t->is_on);
    json_close(&o, '}');
    return b.data;
}

enum err threshold_set(struct ctx *c, const char *name, int64_t version,
                       const struct values *v, struct threshold *out)
{
    struct threshold before;
    enum err e = get(c, name, &before);

    if (e)
        return e;
    if (*measures[before.measure].unit == '%' &&
        values_int(v, "level", 1) > PERCENT_MAX)
        return ctx_fail(c, ERR_INVALID, "level", "range",
                        "「しきい値」は 1〜100 %% で入力してください",
                        "\"Threshold\" is 1 to 100 %%");
    struct query *q = query(c, threshold_text[THRESHOLD_SET]);
    bind_text(q, 1, name);
    bind_int(q, 2, version);
    bind_double(q, 3, (double)values_int(v, "level", (int64_t)before.level));
    bind_int(q, 4, values_bool(v, "is_on", before.is_on));
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    if ((e = get(c, name, out)))
        return e;
    return operation_log(c, &(struct operation){.action = "update",
                                                .kind = "threshold",
                                                .object_name = name,
                                                .before = as_json(c, &before),
                                                .after = as_json(c, out)});
}
