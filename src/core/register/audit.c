/* SPDX-License-Identifier: Apache-2.0 */
/* control.db is written first: that a report was released is the operator's
 * record, and told_at says whether the tenant has heard of it. */
#include "core/register/audit.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "core/core.h"
#include "core/desk/helpdesk.h"
#include "core/log/operation.h"
#include "core/mail/outbox.h"
#include "core/register/audit_request.h"
#include "core/tenant/blob.h"
#include "core/tenant/tenant_directory.h"
#include "core/tenant/tenant_task.h"
#include "core/trust_evidence.h"
#include "db/query.h"

#include <string.h>

enum { REPORT_DAYS = 400 };
#define US_PER_DAY INT64_C(86400000000)
#define AUDIT_COLS                                                             \
    "r.id, r.title, r.issued_on, r.file, r.size, r.sha256, r.filed_by,"        \
    " r.filed_at, r.version"

enum {
    AUDIT_LIST,
    AUDIT_LIST_GIVEN,
    AUDIT_GET,
    AUDIT_GET_GIVEN,
    AUDIT_COUNT,
    AUDIT_ADD,
    AUDIT_DELETE,
    AUDIT_RELEASES,
    AUDIT_RELEASE,
    AUDIT_UNTOLD,
    AUDIT_TOLD,
    AUDIT_DOWNLOADED,
    AUDIT_SUMS,
};
static const char *const audit_text[] = {
    [AUDIT_LIST] = "SELECT " AUDIT_COLS ", 0, (SELECT count(*) FROM"
                   " audit_release WHERE report_id = r.id) FROM audit_report r"
                   " ORDER BY r.issued_on DESC, r.id DESC LIMIT 200",
    [AUDIT_LIST_GIVEN] =
        "SELECT " AUDIT_COLS ", g.released_at, 1 FROM audit_release g"
        " JOIN audit_report r ON r.id = g.report_id WHERE g.customer_id = ?1"
        " ORDER BY r.issued_on DESC, r.id DESC LIMIT 200",
    [AUDIT_GET] =
        "SELECT " AUDIT_COLS ", 0, (SELECT count(*) FROM audit_release"
        " WHERE report_id = r.id) FROM audit_report r WHERE r.id = ?1",
    [AUDIT_GET_GIVEN] =
        "SELECT " AUDIT_COLS ", g.released_at, 1 FROM audit_release g"
        " JOIN audit_report r ON r.id = g.report_id WHERE g.report_id = ?1"
        " AND g.customer_id = ?2",
    [AUDIT_COUNT] = "SELECT count(*) FROM audit_report",
    [AUDIT_ADD] = "INSERT INTO audit_report (title, issued_on, file, size,"
                  " sha256, filed_by, filed_at)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [AUDIT_DELETE] = "DELETE FROM audit_report WHERE id = ?1 AND version = ?2",
    [AUDIT_RELEASES] =
        "SELECT g.report_id, g.customer_id, coalesce(t.name, g.customer_id),"
        " g.released_by, g.released_at, g.downloads, g.downloaded_at"
        " FROM audit_release g LEFT JOIN customer t ON t.id = g.customer_id"
        " ORDER BY g.report_id, g.customer_id LIMIT 2000",
    [AUDIT_RELEASE] =
        "INSERT INTO audit_release (report_id, customer_id, released_by,"
        " released_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    [AUDIT_UNTOLD] = "SELECT report_id, customer_id FROM audit_release"
                     " WHERE told_at IS NULL ORDER BY report_id LIMIT 100",
    [AUDIT_TOLD] = "UPDATE audit_release SET told_at = ?3 WHERE report_id = ?1"
                   " AND customer_id = ?2 AND told_at IS NULL",
    [AUDIT_DOWNLOADED] =
        "UPDATE audit_release SET downloads = downloads + 1,"
        " downloaded_at = ?3 WHERE report_id = ?1 AND customer_id = ?2",
    [AUDIT_SUMS] =
        "SELECT (SELECT count(*) FROM audit_report),"
        " (SELECT max(issued_on) FROM audit_report),"
        " (SELECT count(*) FROM audit_release),"
        " (SELECT count(*) FROM desk WHERE category = 4 AND opened_at >= ?1),"
        " (SELECT count(*) FROM desk WHERE category = 4 AND due_at < ?2)",
};
const struct query_set audit_queries = {"audit", audit_text, COUNT(audit_text)};

enum { TOLD_ALREADY, TOLD_READERS };
static const char *const audit_told_text[] = {
    [TOLD_ALREADY] = "SELECT 1 FROM operation WHERE kind = 'audit_report'"
                     " AND object_id = ?1 AND action = 'release' LIMIT 1",
    [TOLD_READERS] =
        "SELECT email, name, lang FROM user WHERE is_admin = 1 AND state = 1",
};
const struct query_set audit_told_queries = {"audit_told", audit_told_text,
                                             COUNT(audit_told_text)};

static const struct field audit_fields[] = {
    {TEXT("title", 1, 200, REQUIRED, "題名", "Title")},
    {DAY_IN("issued_on", DAY_FIRST, DAY_LAST, REQUIRED, "発行日", "Issued on")},
    {TEXT("name", 1, 200, REQUIRED, "ファイル名", "File name")},
};
const struct form audit_form = {"AuditFile", audit_fields, COUNT(audit_fields)};
static const struct field release_fields[] = {
    {TEXT("tenant", 1, 32, REQUIRED, "テナント", "Tenant")},
};
const struct form audit_release_form = {"AuditRelease", release_fields,
                                        COUNT(release_fields)};

static void read_row(struct ctx *c, struct query *q, struct audit_report *out)
{
    size_t len;

    *out = (struct audit_report){
        .id = col_int(q, 0),
        .title = col_text(c, q, 1),
        .issued_on = col_day(q, 2),
        .file = col_text(c, q, 3),
        .size = col_int(q, 4),
        .filed_by = col_text(c, q, 6),
        .filed_at = col_int(q, 7),
        .version = col_int(q, 8),
        .released_at = col_int(q, 9),
        .releases = col_int(q, 10),
    };
    const void *hash = col_blob(c, q, 5, &len);
    if (len == sizeof out->sha256)
        memcpy(out->sha256, hash, len);
}

static enum err read_one(struct ctx *c, struct query *q,
                         struct audit_report *out)
{
    enum err e = query_one(c, q);

    if (e)
        return e == ERR_NOT_FOUND ? ctx_fail(c, e, "id", "not_found",
                                             "見つかりません", "Not found")
                                  : e;
    read_row(c, q, out);
    query_done(q);
    return OK;
}

static enum err read_all(struct ctx *c, struct query *q,
                         const struct audit_report **out, size_t *count)
{
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct audit_report r;
        read_row(c, q, &r);
        buf_put(&rows, &r, sizeof r);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

static enum err get(struct ctx *c, int64_t id, struct audit_report *out)
{
    struct query *q = query(c, audit_text[AUDIT_GET]);

    bind_int(q, 1, id);
    return read_one(c, q, out);
}

static enum err log_report(struct ctx *c, const char *action,
                           const struct audit_report *r, const char *tenant)
{
    char hash[2 * CRYPTO_HASH_BYTES + 1];
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    str_to_hex(r->sha256, sizeof r->sha256, hash);
    json_open(&o, NULL, '{');
    json_day(&o, "issued_on", r->issued_on);
    json_text(&o, "file", r->file);
    json_text(&o, "sha256", hash);
    if (tenant)
        json_text(&o, "tenant", tenant);
    json_close(&o, '}');
    return operation_log(c, &(struct operation){.action = action,
                                                .kind = "audit_report",
                                                .object_id = r->id,
                                                .object_name = r->title,
                                                .after = b.data});
}

/* ---- the console ---- */

enum err audit_list(struct ctx *c, const struct audit_report **out,
                    size_t *count)
{
    return read_all(c, query(c, audit_text[AUDIT_LIST]), out, count);
}

enum err audit_list_releases(struct ctx *c, const struct audit_release **out,
                             size_t *count)
{
    struct buf rows = buf_in(c->mem);
    struct query *q = query(c, audit_text[AUDIT_RELEASES]);
    enum err e;

    while (query_next(c, q, &e)) {
        struct audit_release g = {
            .report_id = col_int(q, 0),
            .tenant = col_text(c, q, 1),
            .tenant_name = col_text(c, q, 2),
            .released_by = col_text(c, q, 3),
            .released_at = col_int(q, 4),
            .downloads = col_int(q, 5),
            .downloaded_at = col_int(q, 6),
        };
        buf_put(&rows, &g, sizeof g);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

static enum err check_new(struct ctx *c, const struct values *v, size_t len)
{
    if (!len)
        return ctx_fail(c, ERR_INVALID, "", "empty", "ファイルが空です",
                        "The file is empty");
    if (values_int(v, "issued_on", 0) > clock_today(c->now_us))
        return ctx_fail(c, ERR_INVALID, "issued_on", "future", "未来の日付です",
                        "This day is in the future");
    struct query *q = query(c, audit_text[AUDIT_COUNT]);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t count = col_int(q, 0);
    query_done(q);
    if (count >= AUDIT_REPORTS_MAX)
        return ctx_fail(
            c, ERR_LIMIT, "", "reports", "監査報告書は %d 件までです",
            "There can be at most %d audit reports", AUDIT_REPORTS_MAX);
    return OK;
}

enum err audit_create(struct ctx *c, const struct values *v, const char *data,
                      size_t len, struct audit_report *out)
{
    uint8_t hash[CRYPTO_HASH_BYTES];
    enum err e = check_new(c, v, len);

    if (e)
        return e;
    crypto_sha256(data, len, hash);
    struct query *q = query(c, audit_text[AUDIT_ADD]);
    bind_text(q, 1, values_text(v, "title"));
    bind_int(q, 2, values_int(v, "issued_on", 0));
    bind_text(q, 3, values_text(v, "name"));
    bind_int(q, 4, (int64_t)len);
    bind_blob(q, 5, hash, sizeof hash);
    bind_text(q, 6, c->actor->name);
    bind_int(q, 7, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    int64_t id = db_last_id(c);
    if ((e = blob_write(c, BLOB_OF_AUDIT, id, data, len)) ||
        (e = get(c, id, out)))
        return e;
    return log_report(c, "create", out, NULL);
}

enum err audit_delete(struct ctx *c, int64_t id, int64_t version)
{
    struct audit_report r;
    enum err e = get(c, id, &r);

    if (e)
        return e;
    if (r.releases)
        return ctx_fail(c, ERR_CONFLICT, "", "released",
                        "開示した報告書は削除できません",
                        "A report that was released cannot be deleted");
    struct query *q = query(c, audit_text[AUDIT_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return log_report(c, "delete", &r, NULL);
}

enum err audit_read(struct ctx *c, int64_t id, struct audit_report *out,
                    struct buf *b)
{
    enum err e = get(c, id, out);

    return e ? e : blob_read(c, BLOB_OF_AUDIT, id, b);
}

/* ---- to a customer ---- */

struct telling {
    const struct app *app;
    const struct audit_report *report;
    struct support_request_side by;
    struct audit_requests requests; /* answered by it */
};

static enum err mail_admins(struct ctx *c, const struct app *app)
{
    struct query *q = query(c, audit_told_text[TOLD_READERS]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        bool ja = col_int(q, 2) == LANG_JA;
        const char *name = col_text(c, q, 1);
        struct outbox_mail letter = {
            .address = col_text(c, q, 0),
            .subject = ja ? "【櫓】監査報告書を開示しました"
                          : "[Yagura] An audit report was released to you",
            .text = arena_printf(
                c->mem,
                ja ? "%s 様\n\n運用者が監査報告書を開示しました。\n"
                     "次のページからダウンロードできます。\n\n%s/policies\n\n"
                     "-- \n櫓（Yagura）から自動で送信しています。"
                     "このメールには返信できません。\n"
                   : "Dear %s,\n\nThe operator has released an audit report to "
                     "you.\nDownload it here:\n\n%s/policies\n\n-- \nSent "
                     "automatically by Yagura. Replies are not read.\n",
                name, c->actor->base_url)};
        buf_put(&rows, &letter, sizeof letter);
    }
    const struct outbox_mail *list = (const void *)rows.data;
    for (size_t i = 0; !e && i < rows.len / sizeof *list; i++)
        e = outbox_add(c, app, &list[i]);
    return e;
}

/* The row of the tenant's log is how a second attempt knows of the first. */
static enum err tell_once(struct ctx *c, const struct telling *t)
{
    struct query *q = query(c, audit_told_text[TOLD_ALREADY]);

    bind_int(q, 1, t->report->id);
    enum err e = query_one(c, q);
    if (!e)
        query_done(q);
    if (e != ERR_NOT_FOUND)
        return e;
    e = mail_admins(c, t->app);
    return e ? e : log_report(c, "release", t->report, NULL);
}

/* What was released before answers what was asked since. */
static enum err tell(struct ctx *c, void *arg)
{
    struct telling *t = arg;
    enum err e = tell_once(c, t);

    return e ? e
             : audit_request_close(c, t->app, &t->by, t->report->title,
                                   &t->requests);
}

static enum err tell_customer(struct ctx *c, const struct app *app,
                              const struct audit_report *r, const char *tenant)
{
    struct telling *t = arena_new(c->mem, struct telling);
    const struct tenant_task errand = {
        .app = app, .tenant = tenant, .name = "desk"};

    *t = (struct telling){
        .app = app,
        .report = r,
        .by = {.is_desk = true,
               .operator_id = c->actor->user_id,
               .name = *c->actor->name ? c->actor->name : "desk"}};
    enum err e = tenant_task_run(c, &errand, TX_WRITE, tell, t);
    for (size_t i = 0; i < t->requests.count && !e; i++)
        e = helpdesk_tell(c, app, tenant, &t->requests.items[i], "close");
    if (e || (e = tx_begin_control(c, app->store, TX_WRITE)))
        return e;
    struct query *q = query(c, audit_text[AUDIT_TOLD]);
    bind_int(q, 1, r->id);
    bind_text(q, 2, tenant);
    bind_int(q, 3, c->now_us);
    return tx_end_control(c, app->store, query_run(c, q));
}

/* The release stands in any case; the daily round tries again. */
static void tell_or_log(struct ctx *c, const struct app *app,
                        const struct audit_report *r, const char *tenant)
{
    if (!tell_customer(c, app, r, tenant))
        return;
    log_error("audit report not told of tenant=%s id=%lld", tenant,
              (long long)r->id);
    c->fail = NULL;
}

static enum err give(struct ctx *c, int64_t id, const char *tenant,
                     struct audit_report *out)
{
    enum err e = get(c, id, out);

    if (e)
        return e;
    struct query *q = query(c, audit_text[AUDIT_RELEASE]);
    bind_int(q, 1, id);
    bind_text(q, 2, tenant);
    bind_text(q, 3, c->actor->name);
    bind_int(q, 4, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    return db_changes(c) > 0 ? log_report(c, "release", out, tenant) : OK;
}

enum err audit_give(struct ctx *c, const struct app *app, int64_t id,
                    const char *tenant)
{
    struct audit_report r;
    struct tenant_directory_row row;
    enum err e = tenant_directory_get(c, app->store, tenant, &row);

    if (e == ERR_NOT_FOUND || (!e && row.state != TENANT_DIRECTORY_OPEN))
        return ctx_fail(c, ERR_INVALID, "tenant", "tenant",
                        "テナントが見つかりません", "No such tenant");
    if (e || (e = tx_begin_control(c, app->store, TX_WRITE)) ||
        (e = tx_end_control(c, app->store, give(c, id, tenant, &r))))
        return e;
    tell_or_log(c, app, &r, tenant);
    return OK;
}

struct untold {
    int64_t id;
    const char *tenant;
    struct audit_report report;
};

static enum err list_untold(struct ctx *c, struct buf *rows)
{
    struct query *q = query(c, audit_text[AUDIT_UNTOLD]);
    enum err e;

    while (query_next(c, q, &e)) {
        struct untold u = {.id = col_int(q, 0), .tenant = col_text(c, q, 1)};
        buf_put(rows, &u, sizeof u);
    }
    struct untold *list = (void *)rows->data;
    for (size_t i = 0; !e && i < rows->len / sizeof *list; i++)
        e = get(c, list[i].id, &list[i].report);
    return e;
}

enum err audit_settle(struct ctx *c, const struct app *app)
{
    struct buf rows = buf_in(c->mem);
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e || (e = tx_end_control(c, app->store, list_untold(c, &rows))))
        return e;
    const struct untold *list = (const void *)rows.data;
    for (size_t i = 0; i < rows.len / sizeof *list; i++)
        tell_or_log(c, app, &list[i].report, list[i].tenant);
    return OK;
}

enum err audit_list_given(struct ctx *c, const struct app *app,
                          const char *tenant, const struct audit_report **out,
                          size_t *count)
{
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, audit_text[AUDIT_LIST_GIVEN]);
    bind_text(q, 1, tenant);
    return tx_end_control(c, app->store, read_all(c, q, out, count));
}

static enum err take(struct ctx *c, int64_t id, const char *tenant,
                     struct audit_report *out, struct buf *b)
{
    struct query *q = query(c, audit_text[AUDIT_GET_GIVEN]);

    bind_int(q, 1, id);
    bind_text(q, 2, tenant);
    enum err e = read_one(c, q, out);
    if (e || (e = blob_read(c, BLOB_OF_AUDIT, id, b)))
        return e;
    q = query(c, audit_text[AUDIT_DOWNLOADED]);
    bind_int(q, 1, id);
    bind_text(q, 2, tenant);
    bind_int(q, 3, c->now_us);
    e = query_run(c, q);
    return e ? e : log_report(c, "download", out, tenant);
}

enum err audit_download(struct ctx *c, const struct app *app, struct tenant *t,
                        int64_t id, struct audit_report *out, struct buf *b)
{
    /* in the operator's log a customer's person is a name, not an operator */
    const struct actor who = {
        .name = arena_printf(c->mem, "%s (%s)", c->actor->name, tenant_id(t)),
        .ip = c->actor->ip,
        .request_id = c->actor->request_id,
        .tenant = STORE_OPERATOR,
        .lang = c->actor->lang};
    struct ctx there = {.mem = c->mem, .actor = &who, .now_us = c->now_us};
    enum err e = tx_begin_control(&there, app->store, TX_WRITE);

    if (!e)
        e = tx_end_control(&there, app->store,
                           take(&there, id, tenant_id(t), out, b));
    c->fail = there.fail;
    if (e || (e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t, log_report(c, "download", out, NULL));
}

/* ---- the trust page ---- */

enum err audit_measure(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, audit_text[AUDIT_SUMS]);
    int32_t today = clock_today(c->now_us);

    bind_int(q, 1, c->now_us - 90 * US_PER_DAY);
    bind_int(q, 2, c->now_us);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int32_t day = col_day(q, 1);
    bool is_new = day != DAY_NONE && day >= today - REPORT_DAYS;
    trust_show(c, out, 38, is_new,
               "監査報告書 %lld 件、最新 %s、お客様への開示 %lld 件",
               "Audit reports: %lld, newest of %s, released to customers: %lld",
               (long long)col_int(q, 0), trust_day(c, day),
               (long long)col_int(q, 2));
    trust_show(c, out, 38, col_int(q, 4) == 0,
               "90日間の請求 %lld 件、回答の期限を過ぎたもの %lld 件",
               "Requests in 90 days: %lld, answers overdue: %lld",
               (long long)col_int(q, 3), (long long)col_int(q, 4));
    query_done(q);
    return OK;
}
