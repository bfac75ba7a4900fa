/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's desk: enquiries of all tenants. */
#include "api/desk/support_request_reply.h"
#include "api/dispatch/download.h"
#include "api/dispatch/routes.h"
#include "core/account/session.h"

static const struct field list_fields[] = {
    {CHOICE("state", support_request_state_words, OPTIONAL, "状態", "State")},
    {CHOICE("category", support_request_category_words, OPTIONAL, "種別",
            "Category")},
    {TEXT("tenant", 1, 32, OPTIONAL, "テナント", "Tenant")},
    {BOOL("overdue", OPTIONAL, "期限切れ", "Overdue")},
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form list_form = {"DeskQuery", list_fields,
                                      COUNT(list_fields)};
static const struct field row_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("tenant", REQUIRED)},
    {OUT_TEXT("tenant_name", REQUIRED)},
    {OUT_ID("enquiry", REQUIRED)},
    {OUT_CHOICE("category", support_request_category_words, REQUIRED)},
    {OUT_CHOICE("state", support_request_state_words, REQUIRED)},
    {OUT_CHOICE("decision", support_request_decision_words, REQUIRED)},
    {OUT_TEXT("opened_at", REQUIRED)},
    {OUT_TEXT("updated_at", REQUIRED)},
    {OUT_TEXT("due_at", NULLABLE)},
    {OUT_TEXT("answered_at", NULLABLE)},
    {OUT_BOOL("is_overdue", REQUIRED)},
};
static const struct form row_form = {"DeskRow", row_fields, COUNT(row_fields)};
static const struct field summary_fields[] = {
    {OUT_INT("open", REQUIRED)},    {OUT_INT("answered", REQUIRED)},
    {OUT_INT("closed", REQUIRED)},  {OUT_INT("overdue", REQUIRED)},
    {OUT_INT("answers", REQUIRED)}, {OUT_INT("answer_minutes", REQUIRED)},
};
static const struct form summary_form = {"DeskSummary", summary_fields,
                                         COUNT(summary_fields)};
static const struct field setting_fields[] = {
    {OUT_INT("answer_hours", REQUIRED)},
    {OUT_TEXT("contact_ja", REQUIRED)},
    {OUT_TEXT("contact_en", REQUIRED)},
    {OUT_INT("version", REQUIRED)},
};
static const struct form setting_form = {"DeskSettings", setting_fields,
                                         COUNT(setting_fields)};

static void put_row(struct call *k, const struct helpdesk_row *row)
{
    struct json_out *o = &k->out;

    json_open(o, NULL, '{');
    json_id(o, "id", row->id);
    json_text(o, "tenant", row->tenant);
    json_text(o, "tenant_name", row->tenant_name);
    json_id(o, "enquiry", row->support_request_id);
    json_text(o, "category", support_request_category_words[row->category]);
    json_text(o, "state", support_request_state_words[row->state]);
    json_text(o, "decision", support_request_decision_words[row->decision]);
    json_moment(o, "opened_at", row->opened_at);
    json_moment(o, "updated_at", row->updated_at);
    json_moment(o, "due_at", row->due_at);
    json_moment(o, "answered_at", row->answered_at);
    json_bool(o, "is_overdue", row->due_at && row->due_at < k->c->now_us);
    json_close(o, '}');
}

static enum err list_desk(struct call *k)
{
    const struct values *v = k->query;
    const struct helpdesk_filter filter = {
        .state = (int)values_int(v, "state", -1),
        .category = (int)values_int(v, "category", -1),
        .tenant = values_text(v, "tenant"),
        .only_overdue = values_bool(v, "overdue", false),
        .after_id = values_int(v, "after", 0),
        .limit = call_limit(k),
    };
    const struct helpdesk_row *list;
    size_t count;
    bool more;
    enum err e =
        helpdesk_list(k->c, k->app->store, &filter, &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_row(k, &list[i]);
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].id : 0);
    json_close(&k->out, '}');
    return OK;
}

static enum err get_summary(struct call *k)
{
    struct helpdesk_summary s;
    enum err e = helpdesk_summary(k->c, k->app->store, &s);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_int(&k->out, "open", s.open);
    json_int(&k->out, "answered", s.answered);
    json_int(&k->out, "closed", s.closed);
    json_int(&k->out, "overdue", s.overdue);
    json_int(&k->out, "answers", s.answers);
    json_int(&k->out, "answer_minutes", s.answer_minutes);
    json_close(&k->out, '}');
    return OK;
}

static enum err reply_setting(struct call *k, enum err e,
                              const struct helpdesk_setting *s)
{
    if (e)
        return e;
    call_etag(k, s->version);
    json_open(&k->out, NULL, '{');
    json_int(&k->out, "answer_hours", s->answer_hours);
    json_text(&k->out, "contact_ja", s->contact_ja);
    json_text(&k->out, "contact_en", s->contact_en);
    json_int(&k->out, "version", s->version);
    json_close(&k->out, '}');
    return OK;
}

static enum err get_setting(struct call *k)
{
    struct helpdesk_setting s;

    return reply_setting(k, helpdesk_setting_get(k->c, k->app->store, &s), &s);
}

static enum err put_setting(struct call *k)
{
    struct helpdesk_setting s;

    return reply_setting(
        k, helpdesk_setting_set(k->c, k->app->store, k->if_match, k->body, &s),
        &s);
}

/* ---- one thread ---- */

static struct helpdesk_thread thread_of(const struct call *k)
{
    return (struct helpdesk_thread){
        .app = k->app,
        .tenant = k->params[0],
        .id = call_id(k, 1),
        .operator_id = k->c->actor->user_id,
        .operator_name = k->c->actor->name,
    };
}

static enum err reply(struct call *k, enum err e,
                      const struct support_request_view *v)
{
    if (!e)
        support_request_put_view(k, v);
    return e;
}

static enum err get_thread(struct call *k)
{
    struct helpdesk_thread d = thread_of(k);
    struct support_request_view v;

    return reply(k, helpdesk_thread_get(k->c, &d, &v), &v);
}

static enum err post_message(struct call *k)
{
    struct helpdesk_thread d = thread_of(k);
    struct support_request_view v;

    return reply(
        k, helpdesk_thread_say(k->c, &d, values_text(k->body, "body"), &v), &v);
}

static enum err post_close(struct call *k)
{
    struct helpdesk_thread d = thread_of(k);
    struct support_request_view v;

    return reply(k, helpdesk_thread_close(k->c, &d, k->if_match, &v), &v);
}

static enum err post_mail(struct call *k)
{
    struct helpdesk_thread d = thread_of(k);
    struct support_request_view v;

    d.tenant = values_text(k->body, "tenant");
    return reply(k, helpdesk_thread_mail(k->c, &d, k->body, &v), &v);
}

static enum err post_release(struct call *k)
{
    struct helpdesk_thread d = thread_of(k);
    struct support_request_view v;

    return reply(
        k, helpdesk_thread_release(k->c, &d, values_text(k->body, "body"), &v),
        &v);
}

static enum err post_refuse(struct call *k)
{
    struct helpdesk_thread d = thread_of(k);
    struct support_request_view v;

    return reply(
        k, helpdesk_thread_refuse(k->c, &d, values_text(k->body, "body"), &v),
        &v);
}

static enum err post_file(struct call *k)
{
    struct helpdesk_thread d = thread_of(k);
    struct support_request_file file, out;
    const char *data;
    enum err e = support_request_read_upload(k, &file, &data);

    if (e)
        return e;
    file.support_request_id = d.id;
    if (!(e = helpdesk_thread_attach(k->c, &d, &file, data, &out)))
        support_request_put_file(k, &out);
    return e;
}

static enum err get_file(struct call *k)
{
    struct helpdesk_thread d = thread_of(k);
    struct support_request_file f;
    enum err e =
        helpdesk_thread_read(k->c, &d, call_id(k, 2), &f, &k->reply->body);

    if (e) {
        k->reply->body.len = 0;
        return e;
    }
    download_head(k, f.name);
    return OK;
}

static const struct route routes[] = {
    {GET("/desk", list_desk, RIGHT_AUDITOR,
         "Enquiries of all tenants, newest first", .query = &list_form,
         .reply = &row_form, .flags = ROUTE_LIST | ROUTE_NO_TX)},
    {GET("/desk/summary", get_summary, RIGHT_AUDITOR,
         "How many wait, and how long a first answer takes",
         .reply = &summary_form, .flags = ROUTE_NO_TX)},
    {GET("/desk/setting", get_setting, RIGHT_AUDITOR, "What the desk promises",
         .reply = &setting_form, .flags = ROUTE_NO_TX)},
    {PUT("/desk/setting", put_setting, RIGHT_OPERATOR,
         "Change what the desk promises", .form = &helpdesk_setting_form,
         .reply = &setting_form, .flags = ROUTE_NO_TX | ROUTE_MATCH)},
    {POST("/desk/mail", post_mail, RIGHT_OPERATOR,
          "Enter a mail that came, as a thread or into one",
          .form = &support_request_mail_form,
          .reply = &support_request_reply_form,
          .flags = ROUTE_NO_TX | ROUTE_CREATED)},
    {GET("/desk/threads/:tenant/:id", get_thread, RIGHT_AUDITOR,
         "A tenant's thread with its messages",
         .reply = &support_request_reply_form, .flags = ROUTE_NO_TX)},
    {POST("/desk/threads/:tenant/:id/messages", post_message, RIGHT_OPERATOR,
          "Answer", .form = &support_request_say_form,
          .reply = &support_request_reply_form,
          .flags = ROUTE_NO_TX | ROUTE_CREATED)},
    {POST("/desk/threads/:tenant/:id/close", post_close, RIGHT_OPERATOR,
          "Close a thread", .reply = &support_request_reply_form,
          .flags = ROUTE_NO_TX | ROUTE_MATCH)},
    {POST("/desk/threads/:tenant/:id/release", post_release, RIGHT_OPERATOR,
          "Give out the access log that was asked for",
          .form = &support_request_say_form,
          .reply = &support_request_reply_form,
          .flags = ROUTE_NO_TX | ROUTE_FRESH)},
    {POST("/desk/threads/:tenant/:id/refuse", post_refuse, RIGHT_OPERATOR,
          "Refuse it, with the reason", .form = &support_request_say_form,
          .reply = &support_request_reply_form, .flags = ROUTE_NO_TX)},
    {POST("/desk/threads/:tenant/:id/files", post_file, RIGHT_OPERATOR,
          "Hang a file (10 MB) on one's own answer",
          .query = &support_request_upload_form,
          .reply = &support_request_file_form,
          .flags = ROUTE_NO_TX | ROUTE_RAW | ROUTE_CREATED)},
    {GET("/desk/threads/:tenant/:id/files/:file", get_file, RIGHT_AUDITOR,
         "The file", .flags = ROUTE_NO_TX)},
};
const struct route_set helpdesk_routes = {routes, COUNT(routes), 0};
