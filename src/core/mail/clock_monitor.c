/* SPDX-License-Identifier: Apache-2.0 */
/* The moment of the last look is a row of control.db, so that a clock set back
 * while the server was down is seen too.  Set forward, it looks like a longer
 * night: after one of two days the clock is doubted until the kernel says that
 * it is synchronised.  How long destroying still waits is counted by the
 * machine's time and kept in the row, for a restart. */
#include "core/mail/clock_monitor.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/mail/operator_mail.h"
#include "db/query.h"

#include <pthread.h>
#include <stdlib.h>

#define US_PER_SECOND INT64_C(1000000)
#define STEP_US       (2 * US_PER_SECOND)
#define MAIL_US       (60 * US_PER_SECOND)
#define LARGE_US      (23 * 3600 * US_PER_SECOND) /* about a day */
#define NIGHT_US      (48 * 3600 * US_PER_SECOND)
enum { HOLD_MS = 86400 * 1000 };

enum { CLOCK_GET, CLOCK_PUT };
static const char *const clock_monitor_text[] = {
    [CLOCK_GET] = "SELECT seen_at, hold_ms FROM clock WHERE id = 1",
    [CLOCK_PUT] = "INSERT INTO clock (id, seen_at, hold_ms) VALUES (1, ?1, ?2)"
                  " ON CONFLICT (id) DO UPDATE SET seen_at = ?1, hold_ms = ?2",
};
const struct query_set clock_monitor_queries = {
    "timekeeper", clock_monitor_text, COUNT(clock_monitor_text)};

struct clock_monitor {
    pthread_mutex_t lock;     /* guards all below */
    int64_t wall_us, boot_ms; /* of the last look; 0: none yet */
    int64_t hold_ms;
    bool is_doubted; /* held for a long night alone */
    struct clock_monitor_figures figures;
};

struct clock_monitor *clock_monitor_open(void)
{
    struct clock_monitor *t = calloc(1, sizeof(*t));

    must(t && pthread_mutex_init(&t->lock, NULL) == 0);
    return t;
}

void clock_monitor_close(struct clock_monitor *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* How far the clock went by itself since the last look; 0 at the first. */
static int64_t measure(struct clock_monitor *t, int64_t wall_us)
{
    int64_t boot_ms = clock_boot_ms(), moved = 0;

    pthread_mutex_lock(&t->lock);
    if (t->wall_us) {
        int64_t gone_ms = boot_ms - t->boot_ms;
        moved = wall_us - t->wall_us - gone_ms * 1000;
        t->hold_ms = t->hold_ms > gone_ms ? t->hold_ms - gone_ms : 0;
    }
    t->wall_us = wall_us;
    t->boot_ms = boot_ms;
    pthread_mutex_unlock(&t->lock);
    return moved;
}

static void note_step(struct clock_monitor *t, int64_t at, int64_t moved)
{
    pthread_mutex_lock(&t->lock);
    t->figures.steps++;
    t->figures.stepped_at = at;
    t->figures.step_us = moved;
    if (moved >= LARGE_US || moved <= -LARGE_US) {
        t->hold_ms = HOLD_MS;
        t->is_doubted = false;
    }
    pthread_mutex_unlock(&t->lock);
}

/* Whether the hold of a long night was not needed. */
static void trust_again(struct clock_monitor *t)
{
    struct clock_kernel kernel;

    clock_read_kernel(&kernel);
    pthread_mutex_lock(&t->lock);
    if (t->is_doubted && kernel.is_synchronised) {
        t->hold_ms = 0;
        t->is_doubted = false;
    }
    pthread_mutex_unlock(&t->lock);
}

static enum err log_step(struct ctx *c, int64_t moved)
{
    struct buf was = buf_in(c->mem), is = buf_in(c->mem);
    struct json_out o = {.b = &was};

    json_open(&o, NULL, '{');
    json_moment(&o, "at", c->now_us - moved);
    json_close(&o, '}');
    o = (struct json_out){.b = &is};
    json_open(&o, NULL, '{');
    json_moment(&o, "at", c->now_us);
    json_int(&o, "seconds", moved / US_PER_SECOND);
    json_close(&o, '}');
    return operation_log(c, &(struct operation){.action = "step",
                                                .kind = "clock",
                                                .object_name = "",
                                                .before = was.data,
                                                .after = is.data});
}

static enum err mail_step(struct ctx *c, const struct app *app, int64_t moved)
{
    const char *was = clock_format(c->mem, c->now_us - moved);
    const char *is = clock_format(c->mem, c->now_us);
    long long s = (long long)(moved / US_PER_SECOND);
    bool is_large = moved >= LARGE_US || moved <= -LARGE_US;

    return operator_mail_all(
        c, app,
        &(struct operator_news){
            .subject_ja = "サーバーの時計が飛びました",
            .subject_en = "The server's clock has jumped",
            .ja = arena_printf(
                c->mem,
                "サーバーの時計が %lld 秒動きました。\n\n前: %s\n後: %s\n\n%s"
                "時刻同期（NTP/chrony）の状態を確認してください。",
                s, was, is,
                is_large ? "1日以上のずれのため、期限の過ぎたデータの消去を"
                           "24時間見合わせます。\n"
                         : ""),
            .en = arena_printf(
                c->mem,
                "The clock of the server moved by %lld s.\n\nBefore: %s\n"
                "After: %s\n\n%sPlease look at its synchronisation "
                "(NTP, chrony).",
                s, was, is,
                is_large ? "Because it is a day or more, nothing that is past "
                           "its time is erased for 24 hours.\n"
                         : ""),
        });
}

/* The server was off for long, or its clock is ahead: nobody can tell yet. */
static enum err doubt(struct ctx *c, const struct app *app, int64_t seen_at)
{
    struct clock_monitor *t = app->clock_monitor;
    const char *was = clock_format(c->mem, seen_at);
    const char *is = clock_format(c->mem, c->now_us);
    struct clock_kernel kernel;

    clock_read_kernel(&kernel);
    if (kernel.is_synchronised)
        return OK;
    pthread_mutex_lock(&t->lock);
    t->hold_ms = HOLD_MS;
    t->is_doubted = true;
    pthread_mutex_unlock(&t->lock);
    log_warn("the clock may be ahead, or the server was off: last=%s now=%s",
             was, is);
    enum err e = operator_mail_all(
        c, app,
        &(struct operator_news){
            .subject_ja = "サーバーの時計を確認してください",
            .subject_en = "Please look at the server's clock",
            .ja = arena_printf(
                c->mem,
                "前回の確認から2日以上たっています。サーバーが止"
                "まっていたか、時計が進みすぎています。\n\n前回: %s\n今回: "
                "%s\n\n時計の同期をカーネルが告げるまで（長くとも24時間）、期"
                "限の過ぎたデータの消去を見合わせます。\n時刻同期（NTP/chrony"
                "）の状態を確認してください。",
                was, is),
            .en = arena_printf(
                c->mem,
                "Two days or more have passed since the last look: the "
                "server was off, or its clock is ahead.\n\nLast: %s\nNow: "
                "%s\n\nUntil the kernel says that the clock is synchronised, "
                "24 hours at most, nothing that is past its time is erased.\n"
                "Please look at its synchronisation (NTP, chrony).",
                was, is),
        });
    return e == ERR_NOT_FOUND ? OK : e;
}

/* The row of the last look, and of the hold that a restart must not end. */
static enum err read_row(struct ctx *c, const struct app *app, int64_t *moved)
{
    struct clock_monitor *t = app->clock_monitor;
    struct query *q = query(c, clock_monitor_text[CLOCK_GET]);
    enum err e = query_one(c, q);

    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    int64_t seen_at = col_int(q, 0), hold_ms = col_int(q, 1);
    query_done(q);
    if (c->now_us < seen_at - STEP_US)
        *moved = c->now_us - seen_at;
    pthread_mutex_lock(&t->lock);
    t->hold_ms = hold_ms;
    pthread_mutex_unlock(&t->lock);
    return c->now_us - seen_at >= NIGHT_US ? doubt(c, app, seen_at) : OK;
}

static enum err write_row(struct ctx *c, struct clock_monitor *t)
{
    struct query *q = query(c, clock_monitor_text[CLOCK_PUT]);

    bind_int(q, 1, c->now_us);
    pthread_mutex_lock(&t->lock);
    bind_int(q, 2, t->hold_ms);
    pthread_mutex_unlock(&t->lock);
    return query_run(c, q);
}

static enum err look(struct ctx *c, const struct app *app, bool is_first,
                     int64_t moved)
{
    struct clock_monitor *t = app->clock_monitor;
    enum err e = is_first ? read_row(c, app, &moved) : OK;

    if (e)
        return e;
    trust_again(t);
    if (moved >= STEP_US || moved <= -STEP_US) {
        note_step(t, c->now_us, moved);
        log_warn("the clock moved seconds=%lld",
                 (long long)(moved / US_PER_SECOND));
        e = log_step(c, moved);
        if (!e && (moved >= MAIL_US || moved <= -MAIL_US))
            e = mail_step(c, app, moved);
        if (e == ERR_NOT_FOUND)
            e = OK;
    } else {
        pthread_mutex_lock(&t->lock);
        t->figures.drift_us += moved;
        pthread_mutex_unlock(&t->lock);
    }
    return e ? e : write_row(c, t);
}

void clock_monitor_look(struct app *app, struct arena *mem)
{
    static const struct actor system = {.name = "",
                                        .ip = "",
                                        .request_id = "clock",
                                        .tenant = STORE_OPERATOR,
                                        .base_url = ""};
    struct clock_monitor *t = app->clock_monitor;

    if (!t)
        return;
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    bool is_first = t->wall_us == 0;
    int64_t moved = measure(t, c.now_us);
    enum err e = tx_begin_control(&c, app->store, TX_WRITE);
    if (!e)
        e = tx_end_control(&c, app->store, look(&c, app, is_first, moved));
    if (e)
        log_error("the clock's row is not written err=%s", err_name(e));
}

bool clock_monitor_may_destroy(const struct app *app)
{
    struct clock_monitor_figures f;

    clock_monitor_stats(app, &f);
    return f.held_s == 0;
}

void clock_monitor_stats(const struct app *app,
                         struct clock_monitor_figures *out)
{
    struct clock_monitor *t = app->clock_monitor;

    *out = (struct clock_monitor_figures){0};
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    *out = t->figures;
    out->held_s = (t->hold_ms + 999) / 1000;
    pthread_mutex_unlock(&t->lock);
}
