/* SPDX-License-Identifier: Apache-2.0 */
#include "core/desk/helpdesk.h"

#include "base/buf.h"
#include "base/json.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/mail/operator_mail.h"
#include "core/tenant/link_base.h"
#include "db/query.h"

#define US_PER_DAY INT64_C(86400000000)
enum { ANSWER_HOURS = 48, SUMMARY_DAYS = 90 };

enum {
    HELPDESK_LIST,
    HELPDESK_OVERDUE,
    HELPDESK_COUNT,
    HELPDESK_COUNT_OVERDUE,
    HELPDESK_ANSWERS,
    HELPDESK_PUT,
    SETTING_GET,
    SETTING_ADD,
    SETTING_UPDATE,
};
#define HELPDESK_SELECT                                                        \
    "SELECT d.id, d.enquiry_id, d.opened_at, d.updated_at, d.due_at,"          \
    " d.answered_at, d.customer_id, coalesce(t.name, d.customer_id),"          \
    " d.category, d.state, d.decision"                                         \
    " FROM desk d LEFT JOIN customer t ON t.id = d.customer_id"                \
    " WHERE d.id < ?1 AND (?2 < 0 OR d.state = ?2)"                            \
    " AND (?3 < 0 OR d.category = ?3)"                                         \
    " AND (?4 IS NULL OR d.customer_id = ?4)"
static const char *const helpdesk_text[] = {
    [HELPDESK_LIST] = HELPDESK_SELECT " ORDER BY d.id DESC LIMIT ?5",
    [HELPDESK_OVERDUE] =
        HELPDESK_SELECT " AND d.due_at < ?6 ORDER BY d.id DESC LIMIT ?5",
    [HELPDESK_COUNT] = "SELECT count(*) FROM desk WHERE state = ?1",
    [HELPDESK_COUNT_OVERDUE] = "SELECT count(*) FROM desk WHERE due_at < ?1",
    [HELPDESK_ANSWERS] =
        "SELECT count(*), coalesce(avg(answered_at - opened_at), 0) / 60000000"
        " FROM desk WHERE opened_at >= ?1 AND answered_at IS NOT NULL",
    [HELPDESK_PUT] =
        "INSERT INTO desk (customer_id, enquiry_id, category, state, decision,"
        " opened_at, updated_at, due_at, answered_at, version)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        " ON CONFLICT DO UPDATE SET state = ?4, decision = ?5, updated_at = ?7,"
        " due_at = ?8, answered_at = ?9, version = ?10 WHERE version < ?10",
    [SETTING_GET] = "SELECT answer_hours, contact_ja, contact_en, version"
                    " FROM desk_setting WHERE id = 1",
    [SETTING_ADD] = "INSERT INTO desk_setting (id, answer_hours, contact_ja,"
                    " contact_en) VALUES (1, ?1, ?2, ?3)",
    [SETTING_UPDATE] =
        "UPDATE desk_setting SET answer_hours = ?1, contact_ja = ?2,"
        " contact_en = ?3, version = version + 1 WHERE id = 1",
};
const struct query_set helpdesk_queries = {"desk", helpdesk_text,
                                           COUNT(helpdesk_text)};

static const struct field setting_fields[] = {
    {INT("answer_hours", 1, 720, REQUIRED, "回答の目標時間",
         "Hours to an answer")},
    {LINES("contact_ja", 0, 2000, REQUIRED, "知的財産権の窓口",
           "Intellectual property contact (Japanese)")},
    {LINES("contact_en", 0, 2000, REQUIRED, "知的財産権の窓口（英語）",
           "Intellectual property contact")},
};
const struct form helpdesk_setting_form = {"DeskSetting", setting_fields,
                                           COUNT(setting_fields)};

/* ---- looking ---- */

static enum err read_list(struct ctx *c, const struct helpdesk_filter *filter,
                          struct buf *rows)
{
    struct query *q = query(
        c,
        helpdesk_text[filter->only_overdue ? HELPDESK_OVERDUE : HELPDESK_LIST]);
    enum err e;

    bind_int(q, 1, filter->after_id ? filter->after_id : INT64_MAX);
    bind_int(q, 2, filter->state);
    bind_int(q, 3, filter->category);
    bind_text(q, 4, filter->tenant);
    bind_int(q, 5, filter->limit + 1);
    if (filter->only_overdue)
        bind_int(q, 6, c->now_us);
    while (query_next(c, q, &e)) {
        struct helpdesk_row row = {
            .id = col_int(q, 0),
            .support_request_id = col_int(q, 1),
            .opened_at = col_int(q, 2),
            .updated_at = col_int(q, 3),
            .due_at = col_int(q, 4),
            .answered_at = col_int(q, 5),
            .tenant = col_text(c, q, 6),
            .tenant_name = col_text(c, q, 7),
            .category = (enum support_request_category)col_int(q, 8),
            .state = (enum support_request_state)col_int(q, 9),
            .decision = (enum support_request_decision)col_int(q, 10),
        };
        buf_put(rows, &row, sizeof row);
    }
    return e;
}

enum err helpdesk_list(struct ctx *c, struct store *s,
                       const struct helpdesk_filter *filter,
                       const struct helpdesk_row **out, size_t *count,
                       bool *more)
{
    struct buf rows = buf_in(c->mem);
    enum err e = tx_begin_control(c, s, TX_READ);

    if (e || (e = tx_end_control(c, s, read_list(c, filter, &rows))))
        return e;
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    *more = *count > (size_t)filter->limit;
    if (*more)
        (*count)--;
    return OK;
}

static enum err count_one(struct ctx *c, const char *text, int64_t arg,
                          int64_t *out, int64_t *second)
{
    struct query *q = query(c, text);

    bind_int(q, 1, arg);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = col_int(q, 0);
    if (second)
        *second = col_int(q, 1);
    query_done(q);
    return OK;
}

static enum err sum_up(struct ctx *c, struct helpdesk_summary *out)
{
    enum err e = count_one(c, helpdesk_text[HELPDESK_COUNT],
                           SUPPORT_REQUEST_OPEN, &out->open, NULL);

    if (!e)
        e = count_one(c, helpdesk_text[HELPDESK_COUNT],
                      SUPPORT_REQUEST_ANSWERED, &out->answered, NULL);
    if (!e)
        e = count_one(c, helpdesk_text[HELPDESK_COUNT], SUPPORT_REQUEST_CLOSED,
                      &out->closed, NULL);
    if (!e)
        e = count_one(c, helpdesk_text[HELPDESK_COUNT_OVERDUE], c->now_us,
                      &out->overdue, NULL);
    if (!e)
        e = count_one(c, helpdesk_text[HELPDESK_ANSWERS],
                      c->now_us - SUMMARY_DAYS * US_PER_DAY, &out->answers,
                      &out->answer_minutes);
    return e;
}

enum err helpdesk_summary(struct ctx *c, struct store *s,
                          struct helpdesk_summary *out)
{
    enum err e = tx_begin_control(c, s, TX_READ);

    return e ? e : tx_end_control(c, s, sum_up(c, out));
}

/* ---- settings ---- */

static enum err read_setting(struct ctx *c, struct helpdesk_setting *out)
{
    struct query *q = query(c, helpdesk_text[SETTING_GET]);
    enum err e = query_one(c, q);

    *out = (struct helpdesk_setting){
        .answer_hours = ANSWER_HOURS, .contact_ja = "", .contact_en = ""};
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    out->answer_hours = (int)col_int(q, 0);
    out->contact_ja = col_text(c, q, 1);
    out->contact_en = col_text(c, q, 2);
    out->version = col_int(q, 3);
    query_done(q);
    return OK;
}

enum err helpdesk_setting_get(struct ctx *c, struct store *s,
                              struct helpdesk_setting *out)
{
    enum err e = tx_begin_control(c, s, TX_READ);

    return e ? e : tx_end_control(c, s, read_setting(c, out));
}

static const char *setting_json(struct ctx *c, const struct helpdesk_setting *s)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_int(&o, "answer_hours", s->answer_hours);
    json_text(&o, "contact_ja", s->contact_ja);
    json_text(&o, "contact_en", s->contact_en);
    json_close(&o, '}');
    return b.data;
}

static const char *text_of(const struct values *v, const char *name)
{
    const char *text = values_text(v, name);

    return text ? text : "";
}

static enum err write_setting(struct ctx *c, int64_t version,
                              const struct values *v,
                              struct helpdesk_setting *out)
{
    struct helpdesk_setting before;
    enum err e = read_setting(c, &before);

    if (e)
        return e;
    if (before.version != version)
        return ctx_stale(c);
    *out = (struct helpdesk_setting){
        .answer_hours = (int)values_int(v, "answer_hours", ANSWER_HOURS),
        .contact_ja = text_of(v, "contact_ja"),
        .contact_en = text_of(v, "contact_en"),
        .version = version + 1,
    };
    struct query *q =
        query(c, helpdesk_text[version ? SETTING_UPDATE : SETTING_ADD]);
    bind_int(q, 1, out->answer_hours);
    bind_text(q, 2, out->contact_ja);
    bind_text(q, 3, out->contact_en);
    if ((e = query_run(c, q)))
        return e;
    return operation_log(c,
                         &(struct operation){.action = "update",
                                             .kind = "desk_setting",
                                             .object_name = "",
                                             .before = setting_json(c, &before),
                                             .after = setting_json(c, out)});
}

enum err helpdesk_setting_set(struct ctx *c, struct store *s, int64_t version,
                              const struct values *v,
                              struct helpdesk_setting *out)
{
    enum err e = tx_begin_control(c, s, TX_WRITE);

    return e ? e : tx_end_control(c, s, write_setting(c, version, v, out));
}

/* ---- telling control.db ---- */

static enum err put(struct ctx *c, const char *tenant,
                    const struct support_request *it, bool *is_news)
{
    struct query *q = query(c, helpdesk_text[HELPDESK_PUT]);

    bind_text(q, 1, tenant);
    bind_int(q, 2, it->id);
    bind_int(q, 3, it->category);
    bind_int(q, 4, it->state);
    bind_int(q, 5, it->decision);
    bind_int(q, 6, it->opened_at);
    bind_int(q, 7, it->updated_at);
    bind_id(q, 8, it->due_at);
    bind_id(q, 9, it->answered_at);
    bind_int(q, 10, it->version);
    enum err e = query_run(c, q);
    *is_news = !e && db_changes(c) > 0;
    return e;
}

static enum err tell(struct ctx *c, const struct app *app, const char *tenant,
                     const struct support_request *it, const char *action)
{
    struct actor desk = *c->actor;
    struct ctx there = *c;
    bool is_news = false;
    enum err e = put(c, tenant, it, &is_news);

    if (!e && action)
        e = operation_log(c, &(struct operation){.action = action,
                                                 .kind = "enquiry",
                                                 .object_id = it->id,
                                                 .object_name = arena_printf(
                                                     c->mem, "%s #%lld", tenant,
                                                     (long long)it->id)});
    if (e || !is_news || it->state != SUPPORT_REQUEST_OPEN)
        return e;
    desk.tenant = STORE_OPERATOR;
    desk.base_url = LINK_BASE;
    there.actor = &desk;
    return support_request_mail_desk(&there, app, tenant, it);
}

static enum err note_told(struct ctx *c, const struct app *app,
                          const char *tenant, const struct support_request *it)
{
    struct actor who = *c->actor;
    struct ctx there = *c;
    struct tenant *t;
    enum err e = tenant_open(app->store, tenant, &t);

    if (e)
        return e;
    who.tenant = tenant;
    there.actor = &who;
    if (!(e = tx_begin(&there, t, TX_WRITE)))
        e = tx_end(&there, t, support_request_set_told(&there, it));
    tenant_close(t);
    return e;
}

enum err helpdesk_tell(struct ctx *c, const struct app *app, const char *tenant,
                       const struct support_request *it, const char *action)
{
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    if (e ||
        (e = tx_end_control(c, app->store, tell(c, app, tenant, it, action))))
        return e;
    return note_told(c, app, tenant, it);
}

enum err helpdesk_settle(struct ctx *c, const struct app *app,
                         const char *tenant)
{
    const struct support_request *list = NULL;
    size_t count = 0;
    struct tenant *t;
    enum err e = tenant_open(app->store, tenant, &t);

    if (e)
        return e;
    if (!(e = tx_begin(c, t, TX_READ)))
        e = tx_end(c, t, support_request_list_untold(c, &list, &count));
    tenant_close(t);
    for (size_t i = 0; !e && i < count; i++)
        e = helpdesk_tell(c, app, tenant, &list[i], NULL);
    return e;
}
