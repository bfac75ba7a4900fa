/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing fixes whom a notice is for and owes them their mails; the round
 * of notice_mail.c writes these.  A correction and the withdrawal are further
 * revisions: what was read before them counts as unread. */
#include "core/notice/notice.h"

#include "base/buf.h"
#include "base/clock.h"
#include "core/core.h"
#include "core/notice/incident.h"
#include "core/notice/notice_period.h"
#include "core/trust_evidence.h"
#include "db/query.h"

#define US_PER_HOUR INT64_C(3600000000)
#define SPAN_US     (90 * 24 * US_PER_HOUR)
/* SQL: the notice period in force of a notice's kind; NULL: it is not planned */
#define LEAST_US                                                               \
    "iif(kind <= 1, coalesce((SELECT iif(notice.kind = 0, change_hours,"       \
    " maintenance_hours) FROM notice_setting WHERE id = 1), 72) * 3600000000," \
    " NULL)"
/* It was said in time, or named an emergency before it began. */
#define IS_LATE                                                                \
    "(kind <= 1 AND (lead_us <= 0 OR (is_emergency = 0"                        \
    " AND lead_us < coalesce(least_us, " LEAST_US "))))"

enum {
    PUBLISH_SCHEDULE,
    PUBLISH_UNSCHEDULE,
    PUBLISH_NOW,
    PUBLISH_HAS_CHOSEN,
    PUBLISH_HAS_CONCERNED,
    PUBLISH_TO_ALL,
    PUBLISH_TO_CONCERNED,
    PUBLISH_OWE,
    PUBLISH_OWE_TOLD,
    PUBLISH_CORRECT,
    PUBLISH_WITHDRAW,
    PUBLISH_DUE,
    PUBLISH_KEPT,
    PUBLISH_SILENT,
    PUBLISH_WAITING,
    PUBLISH_UNDELIVERED,
};
static const char *const publish_text[] = {
    [PUBLISH_SCHEDULE] =
        "UPDATE notice SET state = 1, publish_at = ?3, published_by = ?4,"
        " version = version + 1 WHERE id = ?1 AND version = ?2",
    [PUBLISH_UNSCHEDULE] =
        "UPDATE notice SET state = 0, publish_at = NULL, published_by = NULL,"
        " version = version + 1 WHERE id = ?1 AND version = ?2 AND state = 1",
    [PUBLISH_NOW] =
        "UPDATE notice SET state = 2, published_at = ?2,"
        " mail_revision = CASE WHEN mail_to > 0 THEN 1 ELSE 0 END,"
        " lead_us = starts_at - ?2, least_us = " LEAST_US ", begun_at ="
        " CASE WHEN starts_at <= ?2 THEN starts_at END,"
        " version = version + 1 WHERE id = ?1 AND state = 1",
    [PUBLISH_HAS_CHOSEN] =
        "SELECT EXISTS (SELECT 1 FROM notice_tenant t JOIN customer"
        " ON customer.id = t.customer_id WHERE t.notice_id = ?1"
        " AND customer.state = 1 AND NOT EXISTS (SELECT 1 FROM suspension s"
        " WHERE s.customer_id = t.customer_id) AND NOT EXISTS (SELECT 1"
        " FROM termination e WHERE e.customer_id = t.customer_id"
        " AND e.end_on < ?2))",
    [PUBLISH_HAS_CONCERNED] =
        "SELECT EXISTS (SELECT 1 FROM incident_tenant t JOIN customer"
        " ON customer.id = t.customer_id WHERE t.incident_id = ?1"
        " AND customer.state = 1)",
    [PUBLISH_TO_ALL] = "INSERT INTO notice_tenant (notice_id, customer_id)"
                       " SELECT ?1, id FROM customer WHERE state = 1"
                       " ON CONFLICT DO NOTHING",
    [PUBLISH_TO_CONCERNED] =
        "INSERT INTO notice_tenant (notice_id, customer_id)"
        " SELECT ?1, t.customer_id FROM incident_tenant t JOIN customer"
        " ON customer.id = t.customer_id WHERE t.incident_id = ?2"
        " AND customer.state = 1 ON CONFLICT DO NOTHING",
    [PUBLISH_OWE] = "UPDATE notice_tenant SET is_owed = 1, skipped = 0"
                    " WHERE notice_id = ?1",
    [PUBLISH_OWE_TOLD] =
        "UPDATE notice_tenant SET is_owed = ?2 AND told_at IS NOT NULL"
        " WHERE notice_id = ?1",
    [PUBLISH_CORRECT] =
        "UPDATE notice SET title_ja = ?3, title_en = ?4, body_ja = ?5,"
        " body_en = ?6, starts_at = ?7, ends_at = ?8, corrected_at = ?9,"
        " lead_us = CASE WHEN ?7 < starts_at OR lead_us IS NULL"
        " THEN min(?7 - ?9, coalesce(lead_us, ?7 - ?9)) ELSE lead_us END,"
        " begun_at = coalesce(begun_at, CASE WHEN starts_at <= ?9"
        " THEN starts_at WHEN ?7 <= ?9 THEN ?7 END),"
        " is_emergency = ?11, least_us = coalesce(least_us, " LEAST_US
        "), revision = revision + 1, mail_revision = CASE WHEN ?10"
        " THEN revision + 1 ELSE mail_revision END, version = version + 1"
        " WHERE id = ?1 AND version = ?2",
    [PUBLISH_WITHDRAW] =
        "UPDATE notice SET state = 3, withdrawn_at = ?3, reason_ja = ?4,"
        " reason_en = ?5, begun_at = coalesce(begun_at, CASE WHEN starts_at"
        " <= ?3 THEN starts_at END), revision = revision + 1, mail_revision ="
        " CASE WHEN ?6 THEN revision + 1 ELSE mail_revision END,"
        " version = version + 1 WHERE id = ?1 AND version = ?2",
    [PUBLISH_DUE] = "SELECT id FROM notice WHERE state = 1 AND publish_at <= ?1"
                    " ORDER BY publish_at LIMIT 100",
    [PUBLISH_KEPT] =
        "SELECT count(*), coalesce(sum(kind <= 1), 0),"
        " coalesce(min(CASE WHEN kind <= 1 THEN lead_us END), 0),"
        " coalesce(avg(CASE WHEN kind <= 1 THEN max(lead_us, 0) END), 0),"
        " coalesce(sum(kind <= 1 AND lead_us <= 0), 0),"
        " coalesce(sum(kind <= 1 AND mail_to = 0), 0),"
        " coalesce(sum(" IS_LATE "), 0),"
        " coalesce(sum(kind <= 1 AND is_emergency), 0)"
        " FROM notice WHERE state >= 2 AND published_at > ?1"
        " AND (state = 2 OR (kind <= 1 AND begun_at IS NOT NULL))",
    [PUBLISH_SILENT] =
        "SELECT count(*) FROM notice INDEXED BY notice_due WHERE state = 1"
        " AND publish_at > 0 AND kind <= 1 AND starts_at <= ?1",
    [PUBLISH_WAITING] =
        "SELECT count(*) FROM notice_tenant t INDEXED BY notice_owed"
        " JOIN notice n ON n.id = t.notice_id"
        " WHERE t.is_owed = 1 AND max(n.published_at,"
        " coalesce(n.corrected_at, 0), coalesce(n.withdrawn_at, 0)) < ?1",
    /* given up in the last 90 days; of those that wait, for an hour */
    [PUBLISH_UNDELIVERED] =
        "SELECT coalesce(sum(t.mails), 0),"
        " coalesce(sum(iif(t.waiting > 0 AND t.told_at < ?2, t.waiting, 0)),"
        " 0), coalesce(sum(t.failed), 0), coalesce(sum(t.waiting), 0)"
        " FROM notice n INDEXED BY notice_published JOIN notice_tenant t"
        " ON t.notice_id = n.id WHERE n.state >= 2 AND n.published_at > ?1"
        " AND (?3 < 0 OR n.kind = ?3)",
};
const struct query_set notice_publish_queries = {"notice_publish", publish_text,
                                                 COUNT(publish_text)};

/* ---- publishing ---- */

static enum err run_for(struct ctx *c, int statement, int64_t id, int64_t arg)
{
    struct query *q = query(c, publish_text[statement]);

    bind_int(q, 1, id);
    if (arg)
        bind_int(q, 2, arg);
    return query_run(c, q);
}

static enum err put_schedule(struct ctx *c, int64_t id, int64_t version,
                             int64_t at)
{
    struct query *q = query(c, publish_text[PUBLISH_SCHEDULE]);

    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_int(q, 3, at);
    bind_text(q, 4, c->actor->name);
    enum err e = query_run(c, q);
    return !e && db_changes(c) == 0 ? ctx_stale(c) : e;
}

static enum err read_count(struct ctx *c, int statement, int64_t arg,
                           int64_t *out)
{
    struct query *q = query(c, publish_text[statement]);

    bind_int(q, 1, arg);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = col_int(q, 0);
    query_done(q);
    return OK;
}

/* What is for all is also for who comes later. */
static enum err has_audience(struct ctx *c, const struct notice *n, bool *out)
{
    *out = true;
    if (n->is_for_all)
        return OK;
    struct query *q =
        query(c, publish_text[n->incident_id ? PUBLISH_HAS_CONCERNED
                                             : PUBLISH_HAS_CHOSEN]);
    bind_int(q, 1, n->incident_id ? n->incident_id : n->id);
    if (!n->incident_id)
        bind_int(q, 2, clock_today(c->now_us));
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = col_int(q, 0) != 0;
    query_done(q);
    return OK;
}

static enum err check_audience(struct ctx *c, const struct notice *n)
{
    bool is_there;
    enum err e = has_audience(c, n, &is_there);

    if (e || is_there)
        return e;
    if (n->incident_id)
        return ctx_fail(c, ERR_CONFLICT, "incident", "nobody",
                        "このインシデントには、知らせることのできるテナントが"
                        "ありません。関係するテナントを追加してください",
                        "No tenant of this incident can be told. Add the "
                        "tenants concerned");
    return ctx_fail(c, ERR_CONFLICT, "tenants", "nobody",
                    "対象のテナントは、すべて停止・契約終了・削除されています",
                    "All its tenants are suspended, over or deleted");
}

/* Of one that is scheduled. */
static enum err publish(struct ctx *c, int64_t id, struct notice_row *out)
{
    struct notice_row before;
    enum err e = notice_get(c, id, &before);

    if (e || (e = run_for(c, PUBLISH_NOW, id, c->now_us)))
        return e;
    const struct notice *n = &before.notice;
    if (n->is_for_all)
        e = run_for(c, PUBLISH_TO_ALL, id, 0);
    if (!e && n->incident_id)
        e = run_for(c, PUBLISH_TO_CONCERNED, id, n->incident_id);
    if (!e && n->mail_to != NOTICE_NOBODY)
        e = run_for(c, PUBLISH_OWE, id, 0);
    if (!e && n->incident_id && n->kind == NOTICE_RECOVERY)
        e = incident_note_recovery(c, n->incident_id);
    if (e || (e = notice_get(c, id, out)))
        return e;
    return notice_log(c, "publish", n, &out->notice);
}

static enum err check_time(struct ctx *c, const struct notice *n, int64_t at)
{
    if (at <= c->now_us)
        return ctx_fail(c, ERR_INVALID, "publish_at", "past",
                        "公開予定は未来の日時にしてください",
                        "It must be published in the future");
    if (n->kind <= NOTICE_MAINTENANCE && at >= n->starts_at)
        return ctx_fail(c, ERR_INVALID, "publish_at", "after_start",
                        "開始より前に公開してください",
                        "It must be published before it begins");
    return OK;
}

enum err notice_schedule(struct ctx *c, int64_t id, int64_t version,
                         const struct values *v, struct notice_row *out)
{
    struct notice_row before;
    int64_t at = values_int(v, "publish_at", 0);
    enum err e = notice_get(c, id, &before);

    if (e)
        return e;
    const struct notice *n = &before.notice;
    if (n->state > NOTICE_SCHEDULED)
        return ctx_fail(c, ERR_CONFLICT, "", "published",
                        "すでに公開されています", "It is published already");
    if ((e = notice_check(c, n)) || (at && (e = check_time(c, n, at))) ||
        (e = check_audience(c, n)))
        return e;
    if ((e = put_schedule(c, id, version, at ? at : c->now_us)))
        return e;
    if (!at)
        return publish(c, id, out);
    if ((e = notice_get(c, id, out)))
        return e;
    return notice_log(c, "schedule", n, &out->notice);
}

static enum err unschedule(struct ctx *c, const struct notice *n,
                           int64_t version, struct notice_row *out)
{
    enum err e = run_for(c, PUBLISH_UNSCHEDULE, n->id, version);

    if (e)
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    if ((e = notice_get(c, n->id, out)))
        return e;
    return notice_log(c, "unschedule", n, &out->notice);
}

enum err notice_unschedule(struct ctx *c, int64_t id, int64_t version,
                           struct notice_row *out)
{
    struct notice_row before;
    enum err e = notice_get(c, id, &before);

    if (e)
        return e;
    if (before.notice.state != NOTICE_SCHEDULED)
        return ctx_fail(c, ERR_CONFLICT, "", "not_scheduled",
                        "公開は予約されていません", "It is not scheduled");
    return unschedule(c, &before.notice, version, out);
}

static enum err publish_due(struct ctx *c, int64_t id)
{
    struct notice_row row;
    bool is_there = false;
    enum err e = notice_get(c, id, &row);

    if (e || (e = has_audience(c, &row.notice, &is_there)))
        return e;
    if (is_there)
        return publish(c, id, &row);
    struct notice before = row.notice;
    return unschedule(c, &before, before.version, &row);
}

enum err notice_publish_due(struct ctx *c, size_t *count)
{
    struct query *q = query(c, publish_text[PUBLISH_DUE]);
    struct buf due = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, c->now_us);
    while (query_next(c, q, &e)) {
        int64_t id = col_int(q, 0);
        buf_put(&due, &id, sizeof id);
    }
    const int64_t *ids = (const void *)due.data;
    *count = due.len / sizeof *ids;
    for (size_t i = 0; i < *count && !e; i++)
        e = publish_due(c, ids[i]);
    return e;
}

enum err notice_note_told(struct ctx *c, const struct notice *n,
                          const char *tenant)
{
    if (n->kind != NOTICE_INCIDENT || n->state != NOTICE_PUBLISHED)
        return OK;
    return incident_note_told(c, n->incident_id, tenant);
}

/* ---- afterwards ---- */

static enum err need_published(struct ctx *c, int64_t id,
                               struct notice_row *out)
{
    enum err e = notice_get(c, id, out);

    if (e || out->notice.state == NOTICE_PUBLISHED)
        return e;
    return ctx_fail(c, ERR_CONFLICT, "", "not_published",
                    "公開中のお知らせではありません",
                    "It is not published, or was withdrawn");
}

static void take_text(const struct values *v, const char *name,
                      const char **out)
{
    if (values_has(v, name))
        *out = values_text(v, name);
}

/* What was announced too late is not made an emergency by a word afterwards;
 * work that now begins earlier may be one. */
static enum err check_emergency(struct ctx *c, const struct notice *was,
                                const struct notice *n)
{
    if (n->is_emergency == was->is_emergency ||
        (n->is_emergency && n->kind <= NOTICE_MAINTENANCE &&
         n->starts_at < was->starts_at))
        return OK;
    return ctx_fail(
        c, ERR_INVALID, "is_emergency", "late",
        "緊急かどうかは公開のときに決まります。変えられるのは、開始"
        "を早める訂正で緊急とするときだけです",
        "Whether it is an emergency is said when it is published; "
        "a correction can only make it one by an earlier beginning");
}

enum err notice_correct(struct ctx *c, int64_t id, int64_t version,
                        const struct values *v, struct notice_row *out)
{
    struct notice_row before;
    bool is_mailed = values_bool(v, "is_mailed", false);
    enum err e = need_published(c, id, &before);

    if (e)
        return e;
    struct notice n = before.notice;
    take_text(v, "title_ja", &n.title_ja);
    take_text(v, "title_en", &n.title_en);
    take_text(v, "body_ja", &n.body_ja);
    take_text(v, "body_en", &n.body_en);
    if (values_has(v, "starts_at"))
        n.starts_at = values_int(v, "starts_at", 0);
    if (values_has(v, "ends_at"))
        n.ends_at = values_int(v, "ends_at", 0);
    n.is_emergency = values_bool(v, "is_emergency", n.is_emergency);
    if ((e = notice_check(c, &n)) ||
        (e = check_emergency(c, &before.notice, &n)))
        return e;
    struct query *q = query(c, publish_text[PUBLISH_CORRECT]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_text(q, 3, n.title_ja);
    bind_text(q, 4, n.title_en);
    bind_text(q, 5, n.body_ja);
    bind_text(q, 6, n.body_en);
    bind_id(q, 7, n.starts_at);
    bind_id(q, 8, n.ends_at);
    bind_int(q, 9, c->now_us);
    bind_int(q, 10, is_mailed && n.mail_to != NOTICE_NOBODY);
    bind_int(q, 11, n.is_emergency);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    if (is_mailed && n.mail_to != NOTICE_NOBODY)
        e = run_for(c, PUBLISH_OWE, id, 0);
    if (e || (e = notice_get(c, id, out)))
        return e;
    return notice_log(c, "correct", &before.notice, &out->notice);
}

/* Only who was told of it is told that it is void. */
enum err notice_withdraw(struct ctx *c, int64_t id, int64_t version,
                         const struct values *v, struct notice_row *out)
{
    struct notice_row before;
    enum err e = need_published(c, id, &before);

    if (e)
        return e;
    bool is_mailed = values_bool(v, "is_mailed", false) &&
                     before.notice.mail_to != NOTICE_NOBODY;
    struct query *q = query(c, publish_text[PUBLISH_WITHDRAW]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_int(q, 3, c->now_us);
    bind_text(q, 4, values_text(v, "reason_ja"));
    bind_text(q, 5, values_text(v, "reason_en"));
    bind_int(q, 6, is_mailed);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    q = query(c, publish_text[PUBLISH_OWE_TOLD]);
    bind_int(q, 1, id);
    bind_int(q, 2, is_mailed);
    if ((e = query_run(c, q)))
        return e;
    if (before.notice.kind == NOTICE_RECOVERY && before.notice.incident_id)
        e = incident_note_recovery(c, before.notice.incident_id);
    if (e || (e = notice_get(c, id, out)))
        return e;
    return notice_log(c, "withdraw", &before.notice, &out->notice);
}

/* ---- the trust page ---- */

static const char *hours_before(struct ctx *c, int64_t lead)
{
    if (lead <= 0)
        return ctx_text(c, "始まったあと", "after it had begun");
    long long hours = (long long)(lead / US_PER_HOUR);
    return arena_printf(c->mem, "%lld %s", hours, ctx_text(c, "時間", "h"));
}

static enum err say_periods(struct ctx *c, struct trust_list *out,
                            long long late, long long emergencies)
{
    struct notice_period p;
    enum err e = notice_period_get(c, &p);

    if (e)
        return e;
    trust_show(c, out, 17, late == 0,
               "予告期間の定め: 変更は %d 時間前まで、メンテナンスは %d 時間前"
               "まで。これより遅く予告した計画作業 %lld 件、緊急として予告した"
               "もの %lld 件",
               "Notice period set: changes %d hours, maintenance %d hours "
               "before; planned work announced later than that: %lld; "
               "announced as emergencies: %lld",
               p.change_hours, p.maintenance_hours, late, emergencies);
    return OK;
}

static enum err say_kept(struct ctx *c, struct trust_list *out, int64_t silent)
{
    struct query *q = query(c, publish_text[PUBLISH_KEPT]);

    bind_int(q, 1, c->now_us - SPAN_US);
    enum err e = query_one(c, q);
    if (e)
        return e;
    long long all = col_int(q, 0), planned = col_int(q, 1);
    int64_t shortest = col_int(q, 2), mean = col_int(q, 3);
    long long begun = col_int(q, 4) + silent, unmailed = col_int(q, 5);
    long long late = col_int(q, 6) + silent, emergencies = col_int(q, 7);
    query_done(q);
    if (planned)
        trust_show(c, out, 17, begun == 0,
                   "90日間のお知らせ %lld 件。計画作業 %lld 件の予告期間 最短 "
                   "%s、平均 %s。予告なしに始まった作業 %lld 件",
                   "Notices in 90 days: %lld. Planned work: %lld, announced "
                   "before it began: shortest %s, on average %s; begun "
                   "unannounced: %lld",
                   all, planned, hours_before(c, shortest),
                   hours_before(c, mean), begun);
    else
        trust_show(c, out, 17, begun == 0,
                   "90日間のお知らせ %lld 件。予告なしに始まった作業 %lld 件",
                   "Notices in 90 days: %lld; work begun unannounced: %lld",
                   all, begun);
    if (planned)
        trust_show(c, out, 17, unmailed == 0,
                   "メールでは予告しなかった計画作業 %lld 件",
                   "Planned work that was not announced by mail: %lld",
                   unmailed);
    return say_periods(c, out, late, emergencies);
}

struct undelivered {
    int64_t mails, late, failed, waiting;
};

/* Delivered is what the relay took.  kind -1: of all. */
static enum err read_undelivered(struct ctx *c, int kind,
                                 struct undelivered *out)
{
    struct query *q = query(c, publish_text[PUBLISH_UNDELIVERED]);

    bind_int(q, 1, c->now_us - SPAN_US);
    bind_int(q, 2, c->now_us - US_PER_HOUR);
    bind_int(q, 3, kind);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = (struct undelivered){col_int(q, 0), col_int(q, 1), col_int(q, 2),
                                col_int(q, 3)};
    query_done(q);
    return OK;
}

enum err notice_count_undelivered(struct ctx *c, enum notice_kind kind,
                                  int64_t *waiting, int64_t *failed)
{
    struct undelivered u = {0};
    enum err e = read_undelivered(c, (int)kind, &u);

    *waiting = u.late;
    *failed = u.failed;
    return e;
}

enum err notice_measure(struct ctx *c, struct trust_list *out)
{
    struct undelivered u = {0};
    int64_t silent, unwritten;
    enum err e = read_count(c, PUBLISH_SILENT, c->now_us, &silent);

    if (e || (e = say_kept(c, out, silent)) ||
        (e = read_count(c, PUBLISH_WAITING, c->now_us - US_PER_HOUR,
                        &unwritten)) ||
        (e = read_undelivered(c, -1, &u)))
        return e;
    trust_say(
        c, out, 17, unwritten == 0 && u.late == 0 && u.failed == 0,
        "90日間のお知らせメール %lld 通のうち中継サーバーが受け取ったもの "
        "%lld 通、1時間以上受け取られていないもの %lld 通、届けられなかった"
        "もの %lld 通、1時間以上メールを書けていないテナント %lld 件",
        "Mails of notices in 90 days: %lld; taken by the relay: %lld; "
        "waiting for it for more than an hour: %lld; given up: %lld; "
        "tenants whose mails could not be written for an hour: %lld",
        (long long)u.mails, (long long)(u.mails - u.waiting - u.failed),
        (long long)u.late, (long long)u.failed, (long long)unwritten);
    trust_tell_others(c, out, "お知らせメールの配信",
                      "The delivery of notices by mail");
    return OK;
}
