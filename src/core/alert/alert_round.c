/* SPDX-License-Identifier: Apache-2.0 */
/* A rule counts rows after from_seq; so many of them within an hour, and its
 * readers are told, after which counting begins anew.  A rule that has told
 * just now waits a while: what happens meanwhile is told together. */
#include "core/alert/alert.h"
#include "core/log/request_log.h"

#include "base/buf.h"
#include "base/log.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/log/request_log_writer.h"
#include "core/mail/outbox.h"
#include "db/query.h"

#define US_PER_HOUR INT64_C(3600000000)
#define QUIET_US    (ALERT_QUIET_MINUTES * INT64_C(60000000))
#define WATCH_US    (ALERT_WATCH_MINUTES * INT64_C(60000000))
enum {
    ROWS_AT_ONCE = 20000,
    LAG_MAX = 1000,    /* rows that match nothing are passed over in steps */
    GO_BACK_MAX = 1000 /* when the access log lost its last batch */
};

enum { ROUND_ROWS, ROUND_OLD, ROUND_LAST, ROUND_READER };
static const char *const alert_round_text[] = {
    [ROUND_ROWS] = "SELECT seq, at FROM operation WHERE seq > ?1"
                   " AND (?2 IS NULL OR kind = ?2)"
                   " AND (?3 IS NULL OR action = ?3)"
                   " AND (?4 IS NULL OR user_id = ?4) ORDER BY seq LIMIT ?5",
    [ROUND_OLD] = "SELECT seq FROM operation WHERE at < ?1"
                  " ORDER BY at DESC, seq DESC LIMIT 1",
    [ROUND_LAST] = "SELECT coalesce(max(seq), 0) FROM operation",
    [ROUND_READER] = "SELECT u.id, u.email, u.name, u.lang FROM alert_reader a"
                     " JOIN user u ON u.id = a.user_id"
                     " WHERE a.rule_id = ?1 AND u.state = 1",
};
const struct query_set alert_round_queries = {"alert_round", alert_round_text,
                                              COUNT(alert_round_text)};

static const char *const alert_entry_text[] = {
    [ROUND_ROWS] = "SELECT seq, at FROM entry WHERE seq > ?1 AND status >= 400"
                   " AND method = 'POST' AND substr(route, 1, 15) ="
                   " '/api/v1/sign-in' ORDER BY seq LIMIT ?5",
    [ROUND_OLD] = "SELECT seq FROM " REQUEST_LOG_AMONG_MINUTES(
        "entry_row") " AND minute <= ?1 / " REQUEST_LOG_MINUTE " AND at < ?1"
                     " ORDER BY minute DESC, first_seq DESC, seq DESC LIMIT 1",
    [ROUND_LAST] = "SELECT coalesce(max(seq), 0) FROM entry_row",
};
const struct query_set alert_entry_queries = {"alert_entry", alert_entry_text,
                                              COUNT(alert_entry_text)};

enum { WATCH_ADD, WATCH_DROP, WATCH_LIST, WATCH_LOOKED };
static const char *const alert_watch_text[] = {
    [WATCH_ADD] = "INSERT INTO alert_watch (customer_id) VALUES (?1)"
                  " ON CONFLICT DO UPDATE SET looked_at = 0",
    [WATCH_DROP] = "DELETE FROM alert_watch WHERE customer_id = ?1",
    [WATCH_LIST] = "SELECT customer.id, looked_at FROM customer"
                   " JOIN alert_watch ON customer_id = customer.id"
                   " WHERE state = 1",
    [WATCH_LOOKED] =
        "UPDATE alert_watch SET looked_at = ?2 WHERE customer_id = ?1",
};
const struct query_set alert_watch_queries = {"alert_watch", alert_watch_text,
                                              COUNT(alert_watch_text)};

/* ---- what one rule finds ---- */

struct finding {
    const struct alert_rule *rule;
    int64_t from_seq, seen_seq;         /* where the rule stands afterwards */
    int64_t count, first_seq, last_seq; /* rows that match */
    bool is_told, is_moved;
};

static enum err read_number(struct ctx *c, const char *text, const int64_t *arg,
                            int64_t *out)
{
    struct query *q = query(c, text);

    if (arg)
        bind_int(q, 1, *arg);
    enum err e = query_one(c, q);
    *out = 0;
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    *out = col_int(q, 0);
    query_done(q);
    return OK;
}

/* times: of the last threshold rows, as a ring. */
static void count_row(struct finding *f, int64_t *times, int64_t seq,
                      int64_t at)
{
    int n = f->rule->threshold;
    int64_t oldest;

    times[f->count % n] = at;
    if (f->count++ == 0)
        f->first_seq = seq;
    f->last_seq = seq;
    if (f->count < n)
        return;
    oldest = times[f->count % n]; /* n == 1: this row itself */
    if (at - oldest < US_PER_HOUR)
        f->is_told = true;
}

static enum err walk(struct ctx *c, const char *const *text, struct finding *f)
{
    const struct alert_rule *r = f->rule;
    int64_t *times = arena_array(c->mem, int64_t, (size_t)r->threshold);
    struct query *q = query(c, text[ROUND_ROWS]);
    enum err e;
    int rows = 0;

    bind_int(q, 1, f->from_seq);
    if (r->source == ALERT_OPERATION) {
        bind_text(q, 2, r->kind);
        bind_text(q, 3, r->action);
        bind_id(q, 4, r->user_id);
    }
    bind_int(q, 5, ROWS_AT_ONCE);
    while (query_next(c, q, &e)) {
        count_row(f, times, col_int(q, 0), col_int(q, 1));
        rows++;
    }
    if (!e && rows == ROWS_AT_ONCE)
        f->seen_seq = f->last_seq; /* the rest in the next round */
    return e;
}

static enum err look_at(struct ctx *c, const struct alert_rule *r,
                        struct finding *f)
{
    const char *const *text =
        r->source == ALERT_OPERATION ? alert_round_text : alert_entry_text;
    int64_t hour_ago = c->now_us - US_PER_HOUR, last, old;
    enum err e = read_number(c, text[ROUND_LAST], NULL, &last);

    if (!e)
        e = read_number(c, text[ROUND_OLD], &hour_ago, &old);
    if (e)
        return e;
    int64_t seen = r->seen_seq, from = r->from_seq;
    if (last < seen) /* an unclean stop cost the log its last rows */
        from = seen = last > GO_BACK_MAX ? last - GO_BACK_MAX : 0;
    if (old > seen)
        old = seen;
    *f = (struct finding){
        .rule = r, .from_seq = from > old ? from : old, .seen_seq = last};
    if ((e = walk(c, text, f)))
        return e;
    if (f->is_told)
        f->from_seq = f->seen_seq;
    f->is_moved =
        f->is_told || f->seen_seq - r->seen_seq > LAG_MAX || last < r->seen_seq;
    return OK;
}

/* A mail went just now: the rows wait, uncounted. */
static bool is_quiet(const struct ctx *c, const struct alert_rule *r)
{
    return r->mailed_at && c->now_us >= r->mailed_at &&
           c->now_us - r->mailed_at < QUIET_US;
}

/* ---- mails ---- */

static const char *link_of(struct ctx *c, const struct alert_rule *r)
{
    struct buf b = buf_in(c->mem);

    buf_printf(&b, "%s/log?%s", c->actor->base_url,
               r->source == ALERT_SIGN_IN ? "tab=access_log&refused=1"
                                          : "tab=operation_log");
    if (r->kind)
        buf_printf(&b, "&kind=%s", r->kind);
    if (r->action)
        buf_printf(&b, "&action=%s", r->action);
    if (r->user_id)
        buf_printf(&b, "&user=%lld", (long long)r->user_id);
    return b.data;
}

struct reader {
    int64_t id;
    const char *email, *name;
    bool is_ja;
};

static enum err send(struct ctx *c, const struct app *app,
                     const struct finding *f, const struct reader *to)
{
    const char *text = arena_printf(
        c->mem,
        to->is_ja
            ? "%s 様\n\nアラート「%s」に当てはまる記録が %lld 件あります"
              "（番号 %lld から %lld）。\nログでご確認ください。\n\n%s\n\n-- \n"
              "櫓（Yagura）から自動で送信しています。"
              "このメールには返信できません。\n"
            : "Dear %s,\n\nFor the alert \"%s\" there are %lld records"
              " (numbers %lld to %lld).\nPlease look at the log.\n\n%s\n\n-- \n"
              "Sent automatically by Yagura. Replies are not read.\n",
        to->name, f->rule->name, (long long)f->count, (long long)f->first_seq,
        (long long)f->last_seq, link_of(c, f->rule));

    return outbox_add(
        c, app,
        &(struct outbox_mail){
            .address = to->email,
            .subject = arena_printf(
                c->mem, to->is_ja ? "【櫓】アラート: %s" : "[Yagura] Alert: %s",
                f->rule->name),
            .text = text,
            .alert_id = f->rule->id});
}

static enum err tell(struct ctx *c, const struct app *app,
                     const struct finding *f)
{
    struct query *q = query(c, alert_round_text[ROUND_READER]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, f->rule->id);
    while (query_next(c, q, &e)) {
        struct reader r = {.id = col_int(q, 0),
                           .email = col_text(c, q, 1),
                           .name = col_text(c, q, 2),
                           .is_ja = col_int(q, 3) == LANG_JA};
        buf_put(&rows, &r, sizeof r);
    }
    const struct reader *list = (const void *)rows.data;
    for (size_t i = 0; !e && i < rows.len / sizeof *list; i++) {
        e = alert_check_reader(c, list[i].id);
        if (e == ERR_DENIED || e == ERR_NOT_FOUND)
            e = OK; /* the right was taken away since */
        else if (!e)
            e = send(c, app, f, &list[i]);
    }
    return e;
}

static enum err settle(struct ctx *c, const struct app *app,
                       const struct finding *list, size_t count)
{
    enum err e = OK;

    for (size_t i = 0; !e && i < count; i++) {
        bool won = false;
        e = alert_set_seen(c, list[i].rule, list[i].from_seq, list[i].seen_seq,
                           list[i].is_told, &won);
        if (!e && won && list[i].is_told)
            e = tell(c, app, &list[i]);
    }
    return e;
}

/* ---- the round ---- */

static enum err look_at_all(struct ctx *c, enum alert_source source,
                            const struct alert_rule *rules, size_t count,
                            struct buf *out)
{
    enum err e = OK;

    for (size_t i = 0; !e && i < count; i++) {
        struct finding f;
        if (!rules[i].is_on || rules[i].source != source ||
            is_quiet(c, &rules[i]))
            continue;
        e = look_at(c, &rules[i], &f);
        if (!e && f.is_moved)
            buf_put(out, &f, sizeof f);
    }
    return e;
}

static enum err read_rules(struct ctx *c, const struct alert_rule **rules,
                           size_t *count, struct buf *found)
{
    enum err e = alert_list(c, rules, count);

    return e ? e : look_at_all(c, ALERT_OPERATION, *rules, *count, found);
}

static bool has_source(const struct alert_rule *rules, size_t count,
                       enum alert_source source)
{
    for (size_t i = 0; i < count; i++)
        if (rules[i].source == source && rules[i].is_on)
            return true;
    return false;
}

enum err alert_look(struct ctx *c, const struct app *app, struct tenant *t)
{
    struct buf found = buf_in(c->mem);
    const struct alert_rule *rules = NULL;
    size_t count = 0;
    enum err e = tx_begin(c, t, TX_READ);

    if (e || (e = tx_end(c, t, read_rules(c, &rules, &count, &found))))
        return e;
    if (has_source(rules, count, ALERT_SIGN_IN)) {
        if (app->access_log)
            request_log_writer_flush(app->access_log);
        if ((e = tx_begin_access(c, t, TX_READ)))
            return e;
        e = tx_end_access(c, t,
                          look_at_all(c, ALERT_SIGN_IN, rules, count, &found));
    }
    if (e || found.len == 0 || (e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t,
                  settle(c, app, (const void *)found.data,
                         found.len / sizeof(struct finding)));
}

enum err alert_last_entry(struct ctx *c, const struct app *app,
                          struct tenant *t, int64_t *out)
{
    *out = 0;
    if (app->access_log)
        request_log_writer_flush(app->access_log);
    enum err e = tx_begin_access(c, t, TX_READ);
    if (e)
        return e;
    return tx_end_access(
        c, t, read_number(c, alert_entry_text[ROUND_LAST], NULL, out));
}

/* ---- whom to look at ---- */

enum err alert_watch(struct ctx *c, const struct app *app, const char *tenant,
                     bool on)
{
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    if (e)
        return e;
    struct query *q = query(c, alert_watch_text[on ? WATCH_ADD : WATCH_DROP]);
    bind_text(q, 1, tenant);
    return tx_end_control(c, app->store, query_run(c, q));
}

enum err alert_settle(struct ctx *c, const struct app *app, const char *tenant)
{
    bool on = false;
    struct tenant *t;
    enum err e = tenant_open(app->store, tenant, &t);

    if (e)
        return e;
    if (!(e = tx_begin(c, t, TX_READ)))
        e = tx_end(c, t, alert_has_rules(c, &on));
    tenant_close(t);
    return e ? e : alert_watch(c, app, tenant, on);
}

/* A file that is not open has nothing new, but for what came just before it
 * was closed: that is looked at now and then, by its age. */
static enum err read_watched(struct ctx *c, struct store *s, struct buf *out)
{
    struct query *q = query(c, alert_watch_text[WATCH_LIST]);
    enum err e;

    while (query_next(c, q, &e)) {
        struct alert_watched row = {.tenant = col_text(c, q, 0)};
        int64_t ago = c->now_us - col_int(q, 1);
        row.is_due = ago < 0 || ago >= WATCH_US;
        if (row.is_due || tenant_is_open(s, row.tenant))
            buf_put(out, &row, sizeof row);
    }
    return e;
}

size_t alert_list_watched(struct store *s, struct arena *mem, int64_t now_us,
                          const struct alert_watched **out)
{
    static const struct actor system = {
        .name = "", .ip = "", .request_id = "", .tenant = "", .base_url = ""};
    struct ctx c = {.mem = mem, .actor = &system, .now_us = now_us};
    struct buf rows = buf_in(mem);
    enum err e = tx_begin_control(&c, s, TX_READ);

    if (!e)
        e = tx_end_control(&c, s, read_watched(&c, s, &rows));
    if (e)
        log_error("alerts not looked for err=%s", err_name(e));
    *out = (const void *)rows.data;
    return e ? 0 : rows.len / sizeof **out;
}

enum err alert_set_looked(struct ctx *c, const struct app *app,
                          const char *tenant)
{
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    if (e)
        return e;
    struct query *q = query(c, alert_watch_text[WATCH_LOOKED]);
    bind_text(q, 1, tenant);
    bind_int(q, 2, c->now_us);
    return tx_end_control(c, app->store, query_run(c, q));
}
