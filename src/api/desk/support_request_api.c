/* SPDX-License-Identifier: Apache-2.0 */
/* Enquiries as a tenant's people see them.  Changes open their own
 * transactions: control.db is told after the tenant's file has them. */
#include "api/desk/support_request_reply.h"
#include "api/dispatch/download.h"
#include "api/dispatch/routes.h"
#include "base/log.h"

static const struct field list_fields[] = {
    {CHOICE("state", support_request_state_words, OPTIONAL, "状態", "State")},
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form list_form = {"EnquiryQuery", list_fields,
                                      COUNT(list_fields)};
static const struct field contact_fields[] = {
    {OUT_INT("answer_hours", REQUIRED)},
    {OUT_TEXT("property_contact", REQUIRED)},
};
static const struct form contact_form = {"EnquiryContact", contact_fields,
                                         COUNT(contact_fields)};

static enum err list_enquiries(struct call *k)
{
    const struct support_request *list;
    size_t count;
    bool more;
    enum err e = support_request_list(
        k->c, (int)values_int(k->query, "state", -1),
        values_int(k->query, "after", 0), call_limit(k), &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        support_request_put(k, &list[i]);
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].id : 0);
    json_close(&k->out, '}');
    return OK;
}

static enum err get_enquiry(struct call *k)
{
    const struct support_request_side by = {.is_desk = false};
    struct support_request_view v;
    enum err e = support_request_view_read(k->c, &by, call_id(k, 0), &v);

    if (!e)
        support_request_put_view(k, &v);
    return e;
}

/* The side of the actor, with what the desk promises. */
static enum err side_of(struct call *k, struct support_request_side *by)
{
    struct helpdesk_setting setting;
    enum err e = helpdesk_setting_get(k->c, k->app->store, &setting);

    *by = (struct support_request_side){.answer_hours = setting.answer_hours};
    return e;
}

typedef enum err step_fn(struct call *k, const struct support_request_side *by,
                         struct support_request *out);

/* A step in the tenant's file, then in control.db: if only that fails, the
 * step is done all the same, and told by the next daily round. */
static enum err run_step(struct call *k, step_fn *step)
{
    struct support_request_side by;
    struct support_request_view v = {.message_count = 0};
    enum err e = side_of(k, &by);

    if (e || (e = tx_begin(k->c, k->tenant, TX_WRITE)))
        return e;
    if (!(e = access_check(k->c, k->route->right, 0)))
        e = step(k, &by, &v.it);
    if (!e)
        e = support_request_view_read(k->c, &by, v.it.id, &v);
    if ((e = tx_end(k->c, k->tenant, e)))
        return e;
    if (helpdesk_tell(k->c, k->app, k->c->actor->tenant, &v.it, NULL)) {
        log_error("desk not told tenant=%s enquiry=%lld", k->c->actor->tenant,
                  (long long)v.it.id);
        k->c->fail = NULL;
    }
    support_request_put_view(k, &v);
    return OK;
}

static enum err open_it(struct call *k, const struct support_request_side *by,
                        struct support_request *out)
{
    return support_request_open(k->c, by, k->body, out);
}

static enum err post_enquiry(struct call *k)
{
    return run_step(k, open_it);
}

static enum err say(struct call *k, const struct support_request_side *by,
                    struct support_request *out)
{
    int64_t message;

    return support_request_say(k->c, by, call_id(k, 0),
                               values_text(k->body, "body"), out, &message);
}

static enum err post_message(struct call *k)
{
    return run_step(k, say);
}

static enum err close_it(struct call *k, const struct support_request_side *by,
                         struct support_request *out)
{
    return support_request_close(k->c, by, call_id(k, 0), k->if_match, out);
}

static enum err post_close(struct call *k)
{
    return run_step(k, close_it);
}

static enum err post_file(struct call *k)
{
    const struct support_request_side by = {.is_desk = false};
    struct support_request_file file, out;
    const char *data;
    enum err e = support_request_read_upload(k, &file, &data);

    file.support_request_id = call_id(k, 0);
    if (e || (e = tx_begin(k->c, k->tenant, TX_WRITE)))
        return e;
    if (!(e = access_check(k->c, k->route->right, 0)))
        e = support_request_file_add(k->c, &by, &file, data, &out);
    if ((e = tx_end(k->c, k->tenant, e)))
        return e;
    support_request_put_file(k, &out);
    return OK;
}

/* What the operator released is as sensitive as an export of one's own. */
static enum err get_file(struct call *k)
{
    const struct support_request_side by = {.is_desk = false};
    struct support_request_file f;
    struct support_request it;
    enum err e = support_request_get(k->c, &by, call_id(k, 0), &it);

    if (!e && it.category == SUPPORT_REQUEST_ACCESS_LOG)
        e = call_need_fresh(k);
    if (!e)
        e = support_request_file_read(k->c, &by, it.id, call_id(k, 1), &f,
                                      &k->reply->body);
    if (e) {
        k->reply->body.len = 0;
        return e;
    }
    download_head(k, f.name);
    return OK;
}

static enum err get_contact(struct call *k)
{
    struct helpdesk_setting s;
    enum err e = helpdesk_setting_get(k->c, k->app->store, &s);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_int(&k->out, "answer_hours", s.answer_hours);
    json_text(&k->out, "property_contact",
              ctx_text(k->c, s.contact_ja, s.contact_en));
    json_close(&k->out, '}');
    return OK;
}

static const struct route routes[] = {
    {GET("/enquiries", list_enquiries, RIGHT_SIGNED_IN,
         "Enquiries to the operator: one's own; an administrator's all, newest "
         "first",
         .query = &list_form, .reply = &support_request_reply_form,
         .flags = ROUTE_LIST | ROUTE_DESK)},
    {POST("/enquiries", post_enquiry, RIGHT_SIGNED_IN, "Ask the operator",
          .form = &support_request_form, .reply = &support_request_reply_form,
          .flags = ROUTE_DESK | ROUTE_NO_TX | ROUTE_CREATED)},
    {GET("/enquiries/contact", get_contact, RIGHT_SIGNED_IN,
         "What the desk promises, and whom to write to about intellectual "
         "property",
         .reply = &contact_form,
         .flags = ROUTE_DESK | ROUTE_NO_TX | ROUTE_QUIET)},
    {GET("/enquiries/:id", get_enquiry, RIGHT_SIGNED_IN,
         "A thread with its messages", .reply = &support_request_reply_form,
         .flags = ROUTE_DESK)},
    {POST("/enquiries/:id/messages", post_message, RIGHT_SIGNED_IN,
          "Write into a thread; opens it again",
          .form = &support_request_say_form,
          .reply = &support_request_reply_form,
          .flags = ROUTE_DESK | ROUTE_NO_TX | ROUTE_CREATED)},
    {POST("/enquiries/:id/close", post_close, RIGHT_SIGNED_IN, "Close a thread",
          .reply = &support_request_reply_form,
          .flags = ROUTE_DESK | ROUTE_NO_TX | ROUTE_MATCH)},
    {POST("/enquiries/:id/files", post_file, RIGHT_SIGNED_IN,
          "Hang a file (10 MB) on one's own message",
          .query = &support_request_upload_form,
          .reply = &support_request_file_form,
          .flags = ROUTE_DESK | ROUTE_NO_TX | ROUTE_RAW | ROUTE_CREATED)},
    {GET("/enquiries/:id/files/:file", get_file, RIGHT_SIGNED_IN, "The file",
         .flags = ROUTE_DESK)},
};
const struct route_set support_request_routes = {routes, COUNT(routes),
                                                 SET_TOKENS};
