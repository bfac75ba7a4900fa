/* SPDX-License-Identifier: Apache-2.0 */
/* Telling is a step in the tenant's file: mails and a row of its log, which is
 * also how a second attempt knows that the first one got there. */
#include "core/register/authority_request.h"

#include "base/buf.h"
#include "base/civil.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/mail/outbox.h"
#include "core/tenant/tenant_directory.h"
#include "core/tenant/tenant_task.h"
#include "db/query.h"

#define AUTHORITY_REQUEST_COLS                                                 \
    "d.id, d.customer_id, coalesce(t.name, d.customer_id), d.authority,"       \
    " d.basis, d.what, d.asked_on, d.disclosed_on, d.may_tell, d.told_at,"     \
    " d.recorded_by, d.recorded_at, d.version FROM disclosure d"               \
    " LEFT JOIN customer t ON t.id = d.customer_id"

enum {
    AUTHORITY_REQUEST_LIST,
    AUTHORITY_REQUEST_LIST_OF,
    AUTHORITY_REQUEST_GET,
    AUTHORITY_REQUEST_ADD,
    AUTHORITY_REQUEST_UPDATE,
    AUTHORITY_REQUEST_UNTOLD,
    AUTHORITY_REQUEST_TOLD,
};
static const char *const authority_request_text[] = {
    [AUTHORITY_REQUEST_LIST] =
        "SELECT " AUTHORITY_REQUEST_COLS " WHERE d.id < ?1"
        " ORDER BY d.id DESC LIMIT ?2",
    [AUTHORITY_REQUEST_LIST_OF] = "SELECT " AUTHORITY_REQUEST_COLS
                                  " WHERE d.customer_id = ?3 AND d.id < ?1"
                                  " AND (?4 = 0 OR d.may_tell = 1)"
                                  " ORDER BY d.id DESC LIMIT ?2",
    [AUTHORITY_REQUEST_GET] =
        "SELECT " AUTHORITY_REQUEST_COLS " WHERE d.id = ?1",
    [AUTHORITY_REQUEST_ADD] =
        "INSERT INTO disclosure (customer_id, authority, basis, what, asked_on,"
        " disclosed_on, may_tell, recorded_by, recorded_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [AUTHORITY_REQUEST_UPDATE] =
        "UPDATE disclosure SET authority = ?3, basis = ?4, what = ?5,"
        " asked_on = ?6, disclosed_on = ?7, may_tell = ?8,"
        " version = version + 1 WHERE id = ?1 AND version = ?2",
    [AUTHORITY_REQUEST_UNTOLD] =
        "SELECT " AUTHORITY_REQUEST_COLS " WHERE d.may_tell = 1"
        " AND d.told_at IS NULL ORDER BY d.id LIMIT 100",
    [AUTHORITY_REQUEST_TOLD] =
        "UPDATE disclosure SET told_at = ?2 WHERE id = ?1 AND told_at IS NULL",
};
const struct query_set authority_request_queries = {
    "disclosure", authority_request_text, COUNT(authority_request_text)};

enum { TOLD_ALREADY, TOLD_READERS };
static const char *const authority_request_told_text[] = {
    [TOLD_ALREADY] = "SELECT 1 FROM operation WHERE kind = 'disclosure'"
                     " AND object_id = ?1 LIMIT 1",
    [TOLD_READERS] =
        "SELECT email, name, lang FROM user WHERE is_admin = 1 AND state = 1",
};
const struct query_set authority_request_told_queries = {
    "disclosure_told", authority_request_told_text,
    COUNT(authority_request_told_text)};

#define AUTHORITY_REQUEST_FIELDS(flags)                                        \
    {TEXT("authority", 1, 200, flags, "開示先", "Authority")},                 \
        {TEXT("basis", 1, 500, flags, "法的根拠", "Legal basis")},             \
        {LINES("what", 1, 4000, flags, "開示する内容", "What")},               \
        {DAY_IN("asked_on", DAY_FIRST, DAY_LAST, flags, "要請日",              \
                "Asked on")},                                                  \
        {DAY_IN("disclosed_on", DAY_FIRST, DAY_LAST, NULLABLE, "開示日",       \
                "Given out on")},                                              \
    {                                                                          \
        BOOL("may_tell", flags, "お客様への通知", "Customer may know")         \
    }
static const struct field authority_request_fields[] = {
    AUTHORITY_REQUEST_FIELDS(REQUIRED),
    {TEXT("tenant", 1, 32, REQUIRED, "テナント", "Tenant")},
};
const struct form authority_request_form = {"DisclosureCreate",
                                            authority_request_fields,
                                            COUNT(authority_request_fields)};
static const struct field plan_edit_fields[] = {
    AUTHORITY_REQUEST_FIELDS(0),
};
const struct form authority_request_edit_form = {
    "DisclosureEdit", plan_edit_fields, COUNT(plan_edit_fields)};

static void read_row(struct ctx *c, struct query *q,
                     struct authority_request *out)
{
    *out = (struct authority_request){
        .id = col_int(q, 0),
        .tenant = col_text(c, q, 1),
        .tenant_name = col_text(c, q, 2),
        .authority = col_text(c, q, 3),
        .basis = col_text(c, q, 4),
        .what = col_text(c, q, 5),
        .asked_on = col_day(q, 6),
        .disclosed_on = col_day(q, 7),
        .may_tell = col_int(q, 8) != 0,
        .told_at = col_int(q, 9),
        .recorded_by = col_text(c, q, 10),
        .recorded_at = col_int(q, 11),
        .version = col_int(q, 12),
    };
}

static enum err read_all(struct ctx *c, struct query *q, struct buf *rows)
{
    enum err e;

    while (query_next(c, q, &e)) {
        struct authority_request d;
        read_row(c, q, &d);
        buf_put(rows, &d, sizeof d);
    }
    return e;
}

enum err authority_request_list(struct ctx *c, struct store *s,
                                const char *tenant, bool only_told,
                                int64_t after_id, int limit,
                                const struct authority_request **out,
                                size_t *count, bool *more)
{
    struct buf rows = buf_in(c->mem);
    enum err e = tx_begin_control(c, s, TX_READ);

    if (e)
        return e;
    struct query *q =
        query(c, authority_request_text[tenant ? AUTHORITY_REQUEST_LIST_OF
                                               : AUTHORITY_REQUEST_LIST]);
    bind_int(q, 1, after_id ? after_id : INT64_MAX);
    bind_int(q, 2, limit + 1);
    if (tenant) {
        bind_text(q, 3, tenant);
        bind_int(q, 4, only_told);
    }
    if ((e = tx_end_control(c, s, read_all(c, q, &rows))))
        return e;
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    *more = *count > (size_t)limit;
    if (*more)
        (*count)--;
    return OK;
}

static enum err get(struct ctx *c, int64_t id, struct authority_request *out)
{
    struct query *q = query(c, authority_request_text[AUTHORITY_REQUEST_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "id", "not_found", "見つかりません", "Not found");
    if (e)
        return e;
    read_row(c, q, out);
    query_done(q);
    return OK;
}

/* ---- telling the customer ---- */

struct telling {
    const struct app *app;
    const struct authority_request *d;
};

static enum err mail_admins(struct ctx *c, const struct app *app)
{
    struct query *q = query(c, authority_request_told_text[TOLD_READERS]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        bool ja = col_int(q, 2) == LANG_JA;
        const char *name = col_text(c, q, 1);
        struct outbox_mail letter = {
            .address = col_text(c, q, 0),
            .subject = ja ? "【櫓】法令に基づく開示のお知らせ"
                          : "[Yagura] A disclosure demanded by law",
            .text = arena_printf(
                c->mem,
                ja ? "%s 様\n\n運用者が、法令に基づく開示を記録しました。\n"
                     "次のページでご確認ください。\n\n%s/enquiries\n\n-- \n"
                     "櫓（Yagura）から自動で送信しています。"
                     "このメールには返信できません。\n"
                   : "Dear %s,\n\nThe operator has recorded a disclosure that "
                     "the law demands.\nPlease read it here:\n\n%s/enquiries"
                     "\n\n-- \nSent automatically by Yagura. Replies are not "
                     "read.\n",
                name, c->actor->base_url)};
        buf_put(&rows, &letter, sizeof letter);
    }
    const struct outbox_mail *list = (const void *)rows.data;
    for (size_t i = 0; !e && i < rows.len / sizeof *list; i++)
        e = outbox_add(c, app, &list[i]);
    return e;
}

static enum err tell(struct ctx *c, void *arg)
{
    const struct telling *t = arg;
    struct query *q = query(c, authority_request_told_text[TOLD_ALREADY]);

    bind_int(q, 1, t->d->id);
    enum err e = query_one(c, q);
    if (!e)
        query_done(q);
    if (e != ERR_NOT_FOUND)
        return e;
    if ((e = mail_admins(c, t->app)))
        return e;
    return operation_log(c,
                         &(struct operation){.action = "tell",
                                             .kind = "disclosure",
                                             .object_id = t->d->id,
                                             .object_name = t->d->authority});
}

static enum err tell_customer(struct ctx *c, const struct app *app,
                              struct authority_request *d)
{
    struct telling t = {app, d};
    const struct tenant_task errand = {
        .app = app, .tenant = d->tenant, .name = "desk"};
    enum err e = tenant_task_run(c, &errand, TX_WRITE, tell, &t);

    if (e || (e = tx_begin_control(c, app->store, TX_WRITE)))
        return e;
    struct query *q = query(c, authority_request_text[AUTHORITY_REQUEST_TOLD]);
    bind_int(q, 1, d->id);
    bind_int(q, 2, c->now_us);
    if (!(e = tx_end_control(c, app->store, query_run(c, q))))
        d->told_at = c->now_us;
    return e;
}

/* The record stands in any case; the daily round tries again. */
static void tell_if_owed(struct ctx *c, const struct app *app,
                         struct authority_request *d)
{
    if (!d->may_tell || d->told_at || !tell_customer(c, app, d))
        return;
    log_error("disclosure not told tenant=%s id=%lld", d->tenant,
              (long long)d->id);
    c->fail = NULL;
}

enum err authority_request_settle(struct ctx *c, const struct app *app)
{
    struct buf rows = buf_in(c->mem);
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e)
        return e;
    struct query *q =
        query(c, authority_request_text[AUTHORITY_REQUEST_UNTOLD]);
    if ((e = tx_end_control(c, app->store, read_all(c, q, &rows))))
        return e;
    struct authority_request *list = (void *)rows.data;
    for (size_t i = 0; i < rows.len / sizeof *list; i++)
        tell_if_owed(c, app, &list[i]);
    return OK;
}

/* ---- the record ---- */

static const char *as_json(struct ctx *c, const struct authority_request *d)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "tenant", d->tenant);
    json_text(&o, "authority", d->authority);
    json_text(&o, "basis", d->basis);
    json_text(&o, "what", d->what);
    json_day(&o, "asked_on", d->asked_on);
    json_day(&o, "disclosed_on", d->disclosed_on);
    json_bool(&o, "may_tell", d->may_tell);
    json_close(&o, '}');
    return b.data;
}

static enum err log_record(struct ctx *c,
                           const struct authority_request *before,
                           const struct authority_request *d)
{
    return operation_log(
        c, &(struct operation){.action = before ? "update" : "create",
                               .kind = "disclosure",
                               .object_id = d->id,
                               .object_name = arena_printf(
                                   c->mem, "%s %s", d->tenant, d->authority),
                               .before = before ? as_json(c, before) : NULL,
                               .after = as_json(c, d)});
}

static enum err check_days(struct ctx *c, const struct authority_request *d)
{
    int32_t today = clock_today(c->now_us);

    if (d->asked_on > today ||
        (d->disclosed_on != DAY_NONE && d->disclosed_on > today))
        return ctx_fail(
            c, ERR_INVALID, d->asked_on > today ? "asked_on" : "disclosed_on",
            "future", "未来の日付です", "This day is in the future");
    if (d->disclosed_on != DAY_NONE && d->disclosed_on < d->asked_on)
        return ctx_fail(c, ERR_INVALID, "disclosed_on", "order",
                        "開示日が要請日より前です",
                        "It cannot be given out before it was asked for");
    return OK;
}

static void read_form(const struct values *v, struct authority_request *d)
{
    if (values_has(v, "authority"))
        d->authority = values_text(v, "authority");
    if (values_has(v, "basis"))
        d->basis = values_text(v, "basis");
    if (values_has(v, "what"))
        d->what = values_text(v, "what");
    d->asked_on = (int32_t)values_int(v, "asked_on", d->asked_on);
    if (values_has(v, "disclosed_on"))
        d->disclosed_on = (int32_t)values_int(v, "disclosed_on", DAY_NONE);
    d->may_tell = values_bool(v, "may_tell", d->may_tell);
}

static void bind_fields(struct query *q, int n,
                        const struct authority_request *d)
{
    bind_text(q, n, d->authority);
    bind_text(q, n + 1, d->basis);
    bind_text(q, n + 2, d->what);
    bind_day(q, n + 3, d->asked_on);
    bind_day(q, n + 4, d->disclosed_on);
    bind_int(q, n + 5, d->may_tell);
}

static enum err add(struct ctx *c, const struct authority_request *d,
                    struct authority_request *out)
{
    struct query *q = query(c, authority_request_text[AUTHORITY_REQUEST_ADD]);

    bind_text(q, 1, d->tenant);
    bind_fields(q, 2, d);
    bind_text(q, 8, c->actor->name);
    bind_int(q, 9, c->now_us);
    enum err e = query_run(c, q);
    if (e || (e = get(c, db_last_id(c), out)))
        return e;
    return log_record(c, NULL, out);
}

enum err authority_request_create(struct ctx *c, const struct app *app,
                                  const struct values *v,
                                  struct authority_request *out)
{
    struct authority_request d = {.tenant = values_text(v, "tenant"),
                                  .disclosed_on = DAY_NONE};
    struct tenant_directory_row row;
    enum err e = tenant_directory_get(c, app->store, d.tenant, &row);

    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, ERR_INVALID, "tenant", "tenant",
                        "テナントが見つかりません", "No such tenant");
    if (e)
        return e;
    read_form(v, &d);
    if ((e = check_days(c, &d)) ||
        (e = tx_begin_control(c, app->store, TX_WRITE)) ||
        (e = tx_end_control(c, app->store, add(c, &d, out))))
        return e;
    tell_if_owed(c, app, out);
    return OK;
}

static enum err change(struct ctx *c, int64_t id, int64_t version,
                       const struct values *v, struct authority_request *out)
{
    struct authority_request before;
    enum err e = get(c, id, &before);

    if (e)
        return e;
    struct authority_request d = before;
    read_form(v, &d);
    if (before.told_at && !d.may_tell)
        return ctx_fail(c, ERR_CONFLICT, "may_tell", "told",
                        "お客様にはすでに通知されています",
                        "The customer has been told already");
    if ((e = check_days(c, &d)))
        return e;
    struct query *q =
        query(c, authority_request_text[AUTHORITY_REQUEST_UPDATE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_fields(q, 3, &d);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    e = get(c, id, out);
    return e ? e : log_record(c, &before, out);
}

enum err authority_request_update(struct ctx *c, const struct app *app,
                                  int64_t id, int64_t version,
                                  const struct values *v,
                                  struct authority_request *out)
{
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    if (e ||
        (e = tx_end_control(c, app->store, change(c, id, version, v, out))))
        return e;
    tell_if_owed(c, app, out);
    return OK;
}
