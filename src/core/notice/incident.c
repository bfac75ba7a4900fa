/* SPDX-License-Identifier: Apache-2.0 */
/* due_at is kept in the row, so that what is overdue is found by an index: it
 * is worked out anew after each step that may change it. */
#include "core/notice/incident.h"

#include "base/buf.h"
#include "base/json.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/notice/notice.h"
#include "db/query.h"

#define US_PER_HOUR INT64_C(3600000000)
#define REPORT_US   (INCIDENT_REPORT_HOURS * US_PER_HOUR)

const char *const incident_severity_words[] = {"low", "medium", "high",
                                               "critical", NULL};

#define INCIDENT_SELECT                                                        \
    "SELECT i.id, i.detected_at, i.due_at, i.first_report_at, i.recovered_at," \
    " i.closed_at, i.recorded_at, i.version, i.severity, i.title, i.what,"     \
    " i.cause, i.measure, i.recorded_by, i.closed_by, count(t.customer_id),"   \
    " coalesce(sum(t.customer_id IS NOT NULL AND t.reported_at IS NULL"        \
    " AND t.gone_at IS NULL), 0), count(t.gone_at), i.nobody_reason"           \
    " FROM incident i LEFT JOIN incident_tenant t ON t.incident_id = i.id"

enum {
    INCIDENT_LIST,
    INCIDENT_LIST_OPEN,
    INCIDENT_GET,
    INCIDENT_TENANTS,
    INCIDENT_ADD,
    INCIDENT_UPDATE,
    INCIDENT_ADD_TENANT,
    INCIDENT_ADD_ALL,
    INCIDENT_MOVE_SINCE,
    INCIDENT_SET_DUE,
    INCIDENT_CLOSE,
    INCIDENT_REPORTED,
    INCIDENT_FIRST,
    INCIDENT_RECOVERED,
    INCIDENT_OWED_TO,
    INCIDENT_GONE,
    INCIDENT_SUMMARY,
};
static const char *const incident_text[] = {
    [INCIDENT_LIST] = INCIDENT_SELECT
    " WHERE i.id < ?1 GROUP BY i.id ORDER BY i.id DESC LIMIT ?2",
    [INCIDENT_LIST_OPEN] =
        INCIDENT_SELECT " WHERE i.closed_at IS NULL AND i.id < ?1 GROUP BY i.id"
                        " ORDER BY i.id DESC LIMIT ?2",
    [INCIDENT_GET] = INCIDENT_SELECT " WHERE i.id = ?1 GROUP BY i.id",
    [INCIDENT_TENANTS] =
        "SELECT t.customer_id, coalesce(customer.name, t.customer_id),"
        " t.since, t.reported_at, t.gone_at FROM incident_tenant t"
        " LEFT JOIN customer ON customer.id = t.customer_id"
        " WHERE t.incident_id = ?1 ORDER BY t.customer_id LIMIT 10000",
    [INCIDENT_ADD] =
        "INSERT INTO incident (title, what, severity, detected_at, recorded_by,"
        " recorded_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [INCIDENT_UPDATE] =
        "UPDATE incident SET title = ?3, what = ?4, severity = ?5,"
        " detected_at = ?6, version = version + 1"
        " WHERE id = ?1 AND version = ?2",
    [INCIDENT_ADD_TENANT] =
        "INSERT INTO incident_tenant (incident_id, customer_id, since)"
        " SELECT ?1, id, ?3 FROM customer WHERE id = ?2 AND state = 1"
        " ON CONFLICT DO NOTHING",
    [INCIDENT_ADD_ALL] =
        "INSERT INTO incident_tenant (incident_id, customer_id, since)"
        " SELECT ?1, id, ?2 FROM customer WHERE state = 1"
        " ON CONFLICT DO NOTHING",
    [INCIDENT_MOVE_SINCE] = "UPDATE incident_tenant SET since = ?3"
                            " WHERE incident_id = ?1 AND since = ?2",
    [INCIDENT_SET_DUE] =
        "UPDATE incident SET due_at = d.due,"
        " warned_at = CASE WHEN due_at IS d.due THEN warned_at END,"
        " overdue_at = CASE WHEN due_at IS d.due THEN overdue_at END"
        " FROM (SELECT CASE WHEN i.closed_at IS NOT NULL THEN NULL"
        " WHEN EXISTS (SELECT 1 FROM incident_tenant WHERE incident_id = ?1)"
        " THEN (SELECT min(since) FROM incident_tenant WHERE incident_id = ?1"
        " AND reported_at IS NULL AND gone_at IS NULL) + ?2"
        " ELSE i.detected_at + ?2 END AS due"
        " FROM incident i WHERE i.id = ?1) AS d WHERE id = ?1",
    [INCIDENT_CLOSE] =
        "UPDATE incident SET closed_at = ?3, cause = ?4, measure = ?5,"
        " closed_by = ?6, nobody_reason = ?7, version = version + 1"
        " WHERE id = ?1 AND version = ?2 AND closed_at IS NULL",
    [INCIDENT_REPORTED] =
        "UPDATE incident_tenant SET reported_at = ?2 WHERE incident_id = ?1"
        " AND customer_id = ?3 AND reported_at IS NULL AND gone_at IS NULL",
    [INCIDENT_FIRST] = "UPDATE incident SET first_report_at = ?2 WHERE id = ?1"
                       " AND first_report_at IS NULL",
    [INCIDENT_RECOVERED] =
        "UPDATE incident SET recovered_at = (SELECT min(published_at)"
        " FROM notice WHERE incident_id = ?1 AND kind = ?2 AND state = 2),"
        " version = version + 1 WHERE id = ?1",
    [INCIDENT_OWED_TO] =
        "SELECT incident_id FROM incident_tenant WHERE customer_id = ?1"
        " AND reported_at IS NULL AND gone_at IS NULL",
    [INCIDENT_GONE] =
        "UPDATE incident_tenant SET gone_at = ?2 WHERE customer_id = ?1"
        " AND reported_at IS NULL AND gone_at IS NULL",
    [INCIDENT_SUMMARY] =
        "SELECT (SELECT count(*) FROM incident WHERE closed_at IS NULL),"
        " count(*), coalesce(sum(due_at <= ?1), 0), coalesce(min(due_at), 0)"
        " FROM incident WHERE due_at IS NOT NULL",
};
const struct query_set incident_queries = {"incident", incident_text,
                                           COUNT(incident_text)};

enum { TENANTS_MAX = 2000 };
static const struct field pick_fields[] = {
    {TEXT("id", 1, 32, REQUIRED, "テナント", "Tenant")},
};
static const struct form pick_form = {"IncidentTenantPick", pick_fields,
                                      COUNT(pick_fields)};
#define EDIT_FIELDS(flags)                                                     \
    {TEXT("title", 1, 200, flags, "件名", "Title")},                           \
        {LINES("what", 1, 10000, flags, "内容", "What is known")},             \
        {CHOICE("severity", incident_severity_words, flags, "深刻度",          \
                "Severity")},                                                  \
    {                                                                          \
        MOMENT("detected_at", flags, "検知日時", "Detected at")                \
    }
#define TENANT_FIELDS                                                          \
    {ROWS("tenants", &pick_form, 0, TENANTS_MAX, OPTIONAL, "関係するテナント", \
          "Tenants concerned")},                                               \
    {                                                                          \
        BOOL("is_for_all", OPTIONAL, "すべてのテナント", "All tenants")        \
    }
static const struct field incident_fields[] = {
    EDIT_FIELDS(REQUIRED),
    TENANT_FIELDS,
};
const struct form incident_form = {"IncidentCreate", incident_fields,
                                   COUNT(incident_fields)};
static const struct field plan_edit_fields[] = {
    EDIT_FIELDS(0),
};
const struct form incident_edit_form = {"IncidentEdit", plan_edit_fields,
                                        COUNT(plan_edit_fields)};
static const struct field tenants_fields[] = {
    TENANT_FIELDS,
};
const struct form incident_tenants_form = {"IncidentTenants", tenants_fields,
                                           COUNT(tenants_fields)};
static const struct field close_fields[] = {
    {LINES("cause", 1, 10000, REQUIRED, "原因", "Cause")},
    {LINES("measure", 1, 10000, REQUIRED, "再発防止策", "Measure")},
    {LINES("nobody_reason", 1, 2000, OPTIONAL, "お客様に関係しない理由",
           "Why it concerns no customer")},
};
const struct form incident_close_form = {"IncidentClose", close_fields,
                                         COUNT(close_fields)};

/* ---- reading ---- */

static void read_row(struct ctx *c, struct query *q, struct incident *out)
{
    *out = (struct incident){
        .id = col_int(q, 0),
        .detected_at = col_int(q, 1),
        .due_at = col_int(q, 2),
        .first_report_at = col_int(q, 3),
        .recovered_at = col_int(q, 4),
        .closed_at = col_int(q, 5),
        .recorded_at = col_int(q, 6),
        .version = col_int(q, 7),
        .severity = (enum incident_severity)col_int(q, 8),
        .title = col_text(c, q, 9),
        .what = col_text(c, q, 10),
        .cause = col_text(c, q, 11),
        .measure = col_text(c, q, 12),
        .recorded_by = col_text(c, q, 13),
        .closed_by = col_text(c, q, 14),
        .tenants = col_int(q, 15),
        .unreported = col_int(q, 16),
        .gone = col_int(q, 17),
        .nobody_reason = col_text(c, q, 18),
    };
}

enum err incident_list(struct ctx *c, bool only_open, int64_t after_id,
                       int limit, const struct incident **out, size_t *count,
                       bool *more)
{
    struct query *q =
        query(c, incident_text[only_open ? INCIDENT_LIST_OPEN : INCIDENT_LIST]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, after_id ? after_id : INT64_MAX);
    bind_int(q, 2, limit + 1);
    while (query_next(c, q, &e)) {
        struct incident row;
        read_row(c, q, &row);
        buf_put(&rows, &row, sizeof row);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    *more = *count > (size_t)limit;
    if (*more)
        (*count)--;
    return e;
}

enum err incident_get(struct ctx *c, int64_t id, struct incident *out)
{
    struct query *q = query(c, incident_text[INCIDENT_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "", "not_found", "インシデントが見つかりません",
                        "No such incident");
    if (e)
        return e;
    read_row(c, q, out);
    query_done(q);
    return OK;
}

enum err incident_list_tenants(struct ctx *c, int64_t id,
                               const struct incident_tenant **out,
                               size_t *count)
{
    struct query *q = query(c, incident_text[INCIDENT_TENANTS]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, id);
    while (query_next(c, q, &e)) {
        struct incident_tenant row = {
            .tenant = col_text(c, q, 0),
            .name = col_text(c, q, 1),
            .since = col_int(q, 2),
            .reported_at = col_int(q, 3),
            .gone_at = col_int(q, 4),
        };
        buf_put(&rows, &row, sizeof row);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

/* ---- the log ---- */

static const char *as_json(struct ctx *c, const struct incident *i)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "title", i->title);
    json_text(&o, "what", i->what);
    json_text(&o, "severity", incident_severity_words[i->severity]);
    json_moment(&o, "detected_at", i->detected_at);
    json_moment(&o, "first_report_at", i->first_report_at);
    json_int(&o, "tenants", i->tenants);
    json_moment(&o, "closed_at", i->closed_at);
    json_text(&o, "cause", i->cause);
    json_text(&o, "measure", i->measure);
    json_text(&o, "nobody_reason", i->nobody_reason);
    json_close(&o, '}');
    return b.data;
}

static enum err log_it(struct ctx *c, const char *action,
                       const struct incident *before, const struct incident *i)
{
    return operation_log(
        c, &(struct operation){.action = action,
                               .kind = "incident",
                               .object_id = i->id,
                               .object_name = i->title,
                               .before = before ? as_json(c, before) : NULL,
                               .after = as_json(c, i)});
}

/* ---- steps ---- */

static enum err run_id(struct ctx *c, int statement, int64_t id, int64_t arg)
{
    struct query *q = query(c, incident_text[statement]);

    bind_int(q, 1, id);
    bind_int(q, 2, arg);
    return query_run(c, q);
}

/* Works out what is owed, reads the row again and logs the step. */
static enum err finish(struct ctx *c, int64_t id, const char *action,
                       const struct incident *before, struct incident *out)
{
    enum err e = run_id(c, INCIDENT_SET_DUE, id, REPORT_US);

    if (e || (e = incident_get(c, id, out)))
        return e;
    return log_it(c, action, before, out);
}

static void read_form(const struct values *v, struct incident *i)
{
    if (values_has(v, "title"))
        i->title = values_text(v, "title");
    if (values_has(v, "what"))
        i->what = values_text(v, "what");
    i->severity =
        (enum incident_severity)values_int(v, "severity", i->severity);
    i->detected_at = values_int(v, "detected_at", i->detected_at);
}

static enum err check_moment(struct ctx *c, const struct incident *i)
{
    if (i->detected_at <= c->now_us)
        return OK;
    return ctx_fail(c, ERR_INVALID, "detected_at", "future", "未来の日時です",
                    "This moment is in the future");
}

static enum err add_tenant(struct ctx *c, int64_t id, const char *tenant,
                           int64_t since)
{
    struct query *q = query(c, incident_text[INCIDENT_ADD_TENANT]);

    bind_int(q, 1, id);
    bind_text(q, 2, tenant);
    bind_int(q, 3, since);
    enum err e = query_run(c, q);
    if (e || db_changes(c))
        return e;
    return ctx_fail(c, ERR_INVALID, "tenants", "tenant",
                    "テナント「%s」が見つからないか、すでに入っています",
                    "No such tenant, or it is there already: %s", tenant);
}

static enum err add_tenants(struct ctx *c, int64_t id, const struct values *v,
                            int64_t since)
{
    const struct values *const *rows;
    size_t count = values_rows(v, "tenants", &rows);
    enum err e = OK;

    if (values_bool(v, "is_for_all", false))
        return run_id(c, INCIDENT_ADD_ALL, id, since);
    for (size_t i = 0; i < count && !e; i++)
        e = add_tenant(c, id, values_text(rows[i], "id"), since);
    return e;
}

enum err incident_create(struct ctx *c, const struct values *v,
                         struct incident *out)
{
    struct incident i = {.id = 0};
    enum err e;

    read_form(v, &i);
    if ((e = check_moment(c, &i)))
        return e;
    struct query *q = query(c, incident_text[INCIDENT_ADD]);
    bind_text(q, 1, i.title);
    bind_text(q, 2, i.what);
    bind_int(q, 3, i.severity);
    bind_int(q, 4, i.detected_at);
    bind_text(q, 5, c->actor->name);
    bind_int(q, 6, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    i.id = db_last_id(c);
    if ((e = add_tenants(c, i.id, v, i.detected_at)))
        return e;
    return finish(c, i.id, "create", NULL, out);
}

static enum err need_open(struct ctx *c, const struct incident *i)
{
    if (!i->closed_at)
        return OK;
    return ctx_fail(c, ERR_CONFLICT, "", "closed",
                    "このインシデントは完了しています",
                    "This incident is closed");
}

static enum err put_fields(struct ctx *c, int64_t version,
                           const struct incident *i)
{
    struct query *q = query(c, incident_text[INCIDENT_UPDATE]);

    bind_int(q, 1, i->id);
    bind_int(q, 2, version);
    bind_text(q, 3, i->title);
    bind_text(q, 4, i->what);
    bind_int(q, 5, i->severity);
    bind_int(q, 6, i->detected_at);
    enum err e = query_run(c, q);
    return !e && db_changes(c) == 0 ? ctx_stale(c) : e;
}

enum err incident_update(struct ctx *c, int64_t id, int64_t version,
                         const struct values *v, struct incident *out)
{
    struct incident before;
    enum err e = incident_get(c, id, &before);

    if (e || (e = need_open(c, &before)))
        return e;
    struct incident i = before;
    read_form(v, &i);
    if (i.detected_at != before.detected_at && before.first_report_at)
        return ctx_fail(c, ERR_CONFLICT, "detected_at", "reported",
                        "第一報のあとで検知日時は変えられません",
                        "It was reported: when it was detected stays");
    if (i.detected_at > before.detected_at)
        return ctx_fail(c, ERR_CONFLICT, "detected_at", "later",
                        "検知日時は早めることだけができます。誤りは「内容」に"
                        "書き添えてください",
                        "When it was detected can only be moved earlier: say "
                        "in the text what was wrong");
    if ((e = check_moment(c, &i)) || (e = put_fields(c, version, &i)))
        return e;
    /* those known from the beginning */
    struct query *q = query(c, incident_text[INCIDENT_MOVE_SINCE]);
    bind_int(q, 1, id);
    bind_int(q, 2, before.detected_at);
    bind_int(q, 3, i.detected_at);
    if ((e = query_run(c, q)))
        return e;
    return finish(c, id, "update", &before, out);
}

enum err incident_add_tenants(struct ctx *c, int64_t id, int64_t version,
                              const struct values *v, struct incident *out)
{
    struct incident before;
    enum err e = incident_get(c, id, &before);

    if (e || (e = need_open(c, &before)) ||
        (e = put_fields(c, version, &before)) ||
        (e = add_tenants(c, id, v,
                         before.tenants ? c->now_us : before.detected_at)))
        return e;
    return finish(c, id, "add_tenants", &before, out);
}

static enum err check_end(struct ctx *c, const struct incident *i,
                          const char *nobody_reason)
{
    if (i->unreported)
        return ctx_fail(c, ERR_CONFLICT, "", "unreported",
                        "第一報を受けていないテナントが %lld 件あります",
                        "Tenants that have no first report yet: %lld",
                        (long long)i->unreported);
    if (!i->tenants && !nobody_reason)
        return ctx_fail(
            c, ERR_INVALID, "nobody_reason", "required",
            "関係するテナントがありません。お客様に関係しない理由"
            "を書いてください",
            "No tenants are in it: say why it concerns no customer");
    if (i->tenants && nobody_reason)
        return ctx_fail(c, ERR_INVALID, "nobody_reason", "tenants",
                        "関係するテナントがあるときは書けません",
                        "There are tenants that it concerns");
    return OK;
}

enum err incident_close(struct ctx *c, int64_t id, int64_t version,
                        const struct values *v, struct incident *out)
{
    struct incident before;
    const char *nobody_reason = values_text(v, "nobody_reason");
    enum err e = incident_get(c, id, &before);

    if (e || (e = need_open(c, &before)) ||
        (e = check_end(c, &before, nobody_reason)))
        return e;
    struct query *q = query(c, incident_text[INCIDENT_CLOSE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_int(q, 3, c->now_us);
    bind_text(q, 4, values_text(v, "cause"));
    bind_text(q, 5, values_text(v, "measure"));
    bind_text(q, 6, c->actor->name);
    bind_text(q, 7, nobody_reason);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return finish(c, id, "close", &before, out);
}

/* In the log are the first that was told and the last. */
enum err incident_note_told(struct ctx *c, int64_t id, const char *tenant)
{
    struct incident before, after;
    struct query *q = query(c, incident_text[INCIDENT_REPORTED]);
    enum err e = incident_get(c, id, &before);

    if (e)
        return e;
    bind_int(q, 1, id);
    bind_int(q, 2, c->now_us);
    bind_text(q, 3, tenant);
    if ((e = query_run(c, q)) || db_changes(c) == 0)
        return e;
    if ((e = run_id(c, INCIDENT_FIRST, id, c->now_us)) ||
        (e = run_id(c, INCIDENT_SET_DUE, id, REPORT_US)) ||
        (e = incident_get(c, id, &after)))
        return e;
    if (before.first_report_at && after.unreported)
        return OK;
    return log_it(c, "report", &before, &after);
}

enum err incident_note_recovery(struct ctx *c, int64_t id)
{
    return run_id(c, INCIDENT_RECOVERED, id, NOTICE_RECOVERY);
}

enum err incident_note_gone(struct ctx *c, const char *tenant)
{
    struct query *q = query(c, incident_text[INCIDENT_OWED_TO]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_text(q, 1, tenant);
    while (query_next(c, q, &e)) {
        int64_t id = col_int(q, 0);
        buf_put(&rows, &id, sizeof id);
    }
    if (e)
        return e;
    q = query(c, incident_text[INCIDENT_GONE]);
    bind_text(q, 1, tenant);
    bind_int(q, 2, c->now_us);
    e = query_run(c, q);
    const int64_t *ids = (const void *)rows.data;
    for (size_t i = 0; !e && i < rows.len / sizeof *ids; i++)
        e = run_id(c, INCIDENT_SET_DUE, ids[i], REPORT_US);
    return e;
}

enum err incident_summary(struct ctx *c, struct incident_summary *out)
{
    struct query *q = query(c, incident_text[INCIDENT_SUMMARY]);

    bind_int(q, 1, c->now_us);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = (struct incident_summary){.open = col_int(q, 0),
                                     .unreported = col_int(q, 1),
                                     .overdue = col_int(q, 2),
                                     .next_due_at = col_int(q, 3)};
    query_done(q);
    return OK;
}
