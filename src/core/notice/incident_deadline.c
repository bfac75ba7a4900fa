/* SPDX-License-Identifier: Apache-2.0 */
/* The 24 hours: whom to warn and when, and what of it is on the trust page.
 * That operators were mailed is a moment in the row.  One that lies in the
 * future was written by a clock that has been set back since: it counts for
 * nothing, so that the real hour is not passed over in silence. */
#include "core/notice/incident.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/mail/operator_mail.h"
#include "core/notice/notice.h"
#include "core/tenant/link_base.h"
#include "core/trust_evidence.h"
#include "db/query.h"

#define US_PER_HOUR INT64_C(3600000000)
#define REPORT_US   (INCIDENT_REPORT_HOURS * US_PER_HOUR)
#define SPAN_US     (90 * 24 * US_PER_HOUR)
enum { WARN_HOURS = 6 };

enum {
    CLOCK_DUE,
    CLOCK_WARNED,
    CLOCK_OVERDUE,
    CLOCK_LATE,
    SETTING_GET,
    SETTING_ADD,
    SETTING_UPDATE,
};
static const char *const clock_text[] = {
    [CLOCK_DUE] = "SELECT id, due_at, title FROM incident WHERE due_at IS NOT"
                  " NULL AND due_at <= ?1 + ?2 AND (CASE WHEN due_at <= ?1"
                  " THEN overdue_at ELSE warned_at END IS NULL OR CASE WHEN"
                  " due_at <= ?1 THEN overdue_at ELSE warned_at END > ?1)"
                  " ORDER BY due_at LIMIT 100",
    [CLOCK_WARNED] = "UPDATE incident SET warned_at = ?2 WHERE id = ?1",
    [CLOCK_OVERDUE] = "UPDATE incident SET overdue_at = ?2 WHERE id = ?1",
    [CLOCK_LATE] =
        "SELECT count(*), coalesce(sum(first_report_at IS NOT NULL), 0),"
        " coalesce(avg(first_report_at - detected_at), 0),"
        " coalesce(max(first_report_at - detected_at), 0),"
        " coalesce(sum(CASE WHEN EXISTS (SELECT 1 FROM incident_tenant t"
        " WHERE t.incident_id = id) THEN EXISTS (SELECT 1 FROM incident_tenant"
        " t WHERE t.incident_id = id AND coalesce(t.reported_at, t.gone_at, ?3)"
        " > t.since + ?2) ELSE coalesce(closed_at, ?3) > detected_at + ?2 END),"
        " 0), count(nobody_reason) FROM incident WHERE recorded_at > ?1",
    [SETTING_GET] = "SELECT contact_ja, contact_en, warn_hours, version"
                    " FROM notice_setting WHERE id = 1",
    [SETTING_ADD] = "INSERT INTO notice_setting (id, contact_ja, contact_en,"
                    " warn_hours) VALUES (1, ?1, ?2, ?3)",
    [SETTING_UPDATE] =
        "UPDATE notice_setting SET contact_ja = ?1, contact_en = ?2,"
        " warn_hours = ?3, version = version + 1 WHERE id = 1",
};
const struct query_set incident_deadline_queries = {
    "incident_clock", clock_text, COUNT(clock_text)};

static const struct field setting_fields[] = {
    {LINES("contact_ja", 0, 2000, REQUIRED, "インシデントの連絡先",
           "Incident contact (Japanese)")},
    {LINES("contact_en", 0, 2000, REQUIRED, "インシデントの連絡先（英語）",
           "Incident contact")},
    {INT("warn_hours", 1, 23, REQUIRED, "第一報の期限前の警告",
         "Hours of warning")},
};
const struct form incident_setting_form = {"IncidentSettingSet", setting_fields,
                                           COUNT(setting_fields)};

/* ---- settings ---- */

enum err incident_setting_get(struct ctx *c, struct incident_setting *out)
{
    struct query *q = query(c, clock_text[SETTING_GET]);
    enum err e = query_one(c, q);

    *out = (struct incident_setting){
        .contact_ja = "", .contact_en = "", .warn_hours = WARN_HOURS};
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    out->contact_ja = col_text(c, q, 0);
    out->contact_en = col_text(c, q, 1);
    out->warn_hours = (int)col_int(q, 2);
    out->version = col_int(q, 3);
    query_done(q);
    return OK;
}

static const char *setting_json(struct ctx *c, const struct incident_setting *s)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "contact_ja", s->contact_ja);
    json_text(&o, "contact_en", s->contact_en);
    json_int(&o, "warn_hours", s->warn_hours);
    json_close(&o, '}');
    return b.data;
}

enum err incident_setting_set(struct ctx *c, int64_t version,
                              const struct values *v,
                              struct incident_setting *out)
{
    struct incident_setting before;
    enum err e = incident_setting_get(c, &before);

    if (e)
        return e;
    if (before.version != version)
        return ctx_stale(c);
    const char *ja = values_text(v, "contact_ja");
    const char *en = values_text(v, "contact_en");
    *out = (struct incident_setting){
        .contact_ja = ja ? ja : "",
        .contact_en = en ? en : "",
        .warn_hours = (int)values_int(v, "warn_hours", WARN_HOURS),
        .version = version + 1,
    };
    struct query *q =
        query(c, clock_text[version ? SETTING_UPDATE : SETTING_ADD]);
    bind_text(q, 1, out->contact_ja);
    bind_text(q, 2, out->contact_en);
    bind_int(q, 3, out->warn_hours);
    if ((e = query_run(c, q)))
        return e;
    return operation_log(c,
                         &(struct operation){.action = "update",
                                             .kind = "incident_setting",
                                             .object_name = "",
                                             .before = setting_json(c, &before),
                                             .after = setting_json(c, out)});
}

/* ---- warnings ---- */

struct due {
    int64_t id, due_at;
    const char *title;
};

static enum err warn(struct ctx *c, const struct app *app, const struct due *d)
{
    bool over = d->due_at <= c->now_us;
    const char *url =
        arena_printf(c->mem, "%s/incidents/%lld", LINK_BASE, (long long)d->id);
    const struct operator_news news = {
        .subject_ja =
            over ? "第一報の期限を過ぎました" : "第一報の期限が近づいています",
        .subject_en =
            over ? "A first report is overdue" : "A first report is due soon",
        .ja = arena_printf(
            c->mem,
            "インシデント #%lld の第一報は %s（日本時間）までに必要です。\n"
            "関係するテナントへのお知らせを公開してください。"
            "\n\n%s\n\n%s",
            (long long)d->id, clock_say(c->mem, d->due_at, true), d->title,
            url),
        .en = arena_printf(
            c->mem,
            "The first report of incident #%lld is due by %s (Japan time).\n"
            "Publish a notice to the tenants concerned.\n\n%s"
            "\n\n%s",
            (long long)d->id, clock_say(c->mem, d->due_at, false), d->title,
            url),
    };
    enum err e = operator_mail_all(c, app, &news);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e; /* nobody to tell yet */
    struct query *q = query(c, clock_text[over ? CLOCK_OVERDUE : CLOCK_WARNED]);
    bind_int(q, 1, d->id);
    bind_int(q, 2, c->now_us);
    return query_run(c, q);
}

static enum err find_due(struct ctx *c, struct buf *rows)
{
    struct incident_setting setting;
    enum err e = incident_setting_get(c, &setting);

    if (e)
        return e;
    struct query *q = query(c, clock_text[CLOCK_DUE]);
    bind_int(q, 1, c->now_us);
    bind_int(q, 2, setting.warn_hours * US_PER_HOUR);
    while (query_next(c, q, &e)) {
        struct due d = {col_int(q, 0), col_int(q, 1), col_text(c, q, 2)};
        buf_put(rows, &d, sizeof d);
    }
    return e;
}

static enum err warn_all(struct ctx *c, const struct app *app)
{
    struct buf rows = buf_in(c->mem);
    enum err e = find_due(c, &rows);
    const struct due *list = (const void *)rows.data;

    for (size_t i = 0; i < rows.len / sizeof *list && !e; i++)
        e = warn(c, app, &list[i]);
    return e;
}

void incident_look(struct app *app, struct arena *mem)
{
    static const struct actor system = {.name = "",
                                        .ip = "",
                                        .request_id = "incidents",
                                        .tenant = STORE_OPERATOR,
                                        .base_url = ""};
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    enum err e = tx_begin_control(&c, app->store, TX_WRITE);

    if (!e)
        e = tx_end_control(&c, app->store, warn_all(&c, app));
    if (e)
        log_error("incidents not looked at err=%s", err_name(e));
}

/* ---- the trust page ---- */

enum err incident_measure(struct ctx *c, struct trust_list *out)
{
    struct incident_summary sum;
    struct incident_setting setting;
    enum err e = incident_summary(c, &sum);

    if (e || (e = incident_setting_get(c, &setting)))
        return e;
    trust_show(c, out, 31, sum.overdue == 0,
               "対応中のインシデント %lld 件、第一報待ち %lld 件、"
               "うち24時間を過ぎたもの %lld 件",
               "Open incidents: %lld; waiting for their first report: %lld; "
               "past 24 hours: %lld",
               (long long)sum.open, (long long)sum.unreported,
               (long long)sum.overdue);
    struct query *q = query(c, clock_text[CLOCK_LATE]);
    bind_int(q, 1, c->now_us - SPAN_US);
    bind_int(q, 2, REPORT_US);
    bind_int(q, 3, c->now_us);
    if ((e = query_one(c, q)))
        return e;
    long long all = col_int(q, 0), reported = col_int(q, 1);
    long long mean = col_int(q, 2) / 60000000, most = col_int(q, 3) / 60000000;
    long long late = col_int(q, 4), nobody = col_int(q, 5);
    query_done(q);
    trust_show(c, out, 31, late == 0,
               "90日間のインシデント %lld 件、第一報 %lld 件（検知から平均 "
               "%lld 分、最長 %lld 分）、24時間より遅れたもの %lld 件、"
               "お客様に関係しないとして完了 %lld 件",
               "Incidents in 90 days: %lld; first reports: %lld (after %lld "
               "minutes on average, %lld at most); later than 24 hours: %lld; "
               "closed as of no concern to customers: %lld",
               all, reported, mean, most, late, nobody);
    int64_t waiting, failed;
    if ((e = notice_count_undelivered(c, NOTICE_INCIDENT, &waiting, &failed)))
        return e;
    trust_say(c, out, 31, waiting == 0 && failed == 0,
              "インシデントのお知らせメールのうち、1時間以上中継サーバーに受け"
              "取られていないもの %lld 通、届けられなかったもの %lld 通",
              "Mails of incidents that wait for the relay for more than an "
              "hour: %lld; given up: %lld",
              (long long)waiting, (long long)failed);
    trust_tell_others(c, out, "インシデントのお知らせメールの配信",
                      "The delivery of reports of incidents by mail");
    bool is_stated = *setting.contact_ja && *setting.contact_en;
    trust_show(c, out, 31, is_stated, "お客様への連絡先の掲示: %s",
               "Contact address shown to customers: %s",
               is_stated
                   ? ctx_text(c, "掲示しています", "stated")
                   : ctx_text(c, "まだ書かれていません", "not written yet"));
    return OK;
}
