/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's own people. */
#include "api/dispatch/routes.h"
#include "core/account/invite.h"
#include "core/console/operator.h"

static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("name", REQUIRED)},
    {OUT_TEXT("email", REQUIRED)},
    {OUT_CHOICE("lang", lang_words, REQUIRED)},
    {OUT_CHOICE("role", operator_role_words, REQUIRED)},
    {OUT_CHOICE("state", user_state_words, REQUIRED)},
    {OUT_TEXT("signed_in_at", NULLABLE)},
    {OUT_INT("version", REQUIRED)},
    {OUT_TEXT("mail_refused_at", NULLABLE)},
    {OUT_TEXT("mail_refused", NULLABLE)},
};
static const struct form reply_form = {"Operator", reply_fields,
                                       COUNT(reply_fields)};

static void put_operator(struct call *k, const struct user *u)
{
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "id", u->id);
    json_text(&k->out, "name", u->name);
    json_text(&k->out, "email", u->email);
    json_text(&k->out, "lang", lang_words[u->lang]);
    json_text(&k->out, "role", operator_role_words[u->is_admin]);
    json_text(&k->out, "state", user_state_words[u->state]);
    json_moment(&k->out, "signed_in_at", u->signed_in_at);
    json_int(&k->out, "version", u->version);
    json_moment(&k->out, "mail_refused_at", u->refused_at);
    json_text(&k->out, "mail_refused", u->refused_why);
    json_close(&k->out, '}');
}

static enum err get_setup(struct call *k)
{
    bool is_needed;
    enum err e = operator_is_needed(k->c, &is_needed);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_bool(&k->out, "needed", is_needed);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_setup(struct call *k)
{
    return operator_set_up(k->c, k->app, k->tenant, k->body);
}

static enum err list_operators(struct call *k)
{
    const struct user *list;
    size_t count;
    enum err e = operator_list(k->c, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_operator(k, &list[i]);
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err reply_operator(struct call *k, const struct user *u)
{
    call_etag(k, u->version);
    put_operator(k, u);
    return OK;
}

static enum err post_operator(struct call *k)
{
    struct user u;
    enum err e = operator_create(k->c, k->app, k->body, &u);

    return e ? e : reply_operator(k, &u);
}

static enum err patch_operator(struct call *k)
{
    struct user u;
    enum err e =
        operator_update(k->c, k->app, call_id(k, 0), k->if_match, k->body, &u);

    return e ? e : reply_operator(k, &u);
}

static enum err delete_operator(struct call *k)
{
    return user_delete(k->c, call_id(k, 0), k->if_match);
}

static enum err post_invitation(struct call *k)
{
    struct user u;
    enum err e = user_get(k->c, call_id(k, 0), &u);

    if (e)
        return e;
    if (u.state == USER_SUSPENDED)
        return ctx_fail(k->c, ERR_CONFLICT, "state", "suspended",
                        "停止中の人には送れません。先に再開してください",
                        "Resume this person first, then send it");
    k->reply->status = 202;
    return invite_send(k->c, k->app, u.id,
                       u.state == USER_INVITED ? INVITE_FIRST : INVITE_RESET);
}

static const struct route routes[] = {
    {GET("/setup", get_setup, RIGHT_ANYONE,
         "Whether the first operator is missing", .flags = ROUTE_OPERATOR)},
    {POST("/setup", post_setup, RIGHT_ANYONE,
          "The first operator, by the token the server printed",
          .form = &operator_setup_form, .flags = ROUTE_OPERATOR | ROUTE_NO_TX)},
    {GET("/operators", list_operators, RIGHT_AUDITOR, "The operator's people",
         .reply = &reply_form, .flags = ROUTE_LIST)},
    {POST("/operators", post_operator, RIGHT_OPERATOR,
          "Add and invite an operator or auditor", .form = &operator_form,
          .reply = &reply_form, .flags = ROUTE_CREATED | ROUTE_FRESH)},
    {PATCH("/operators/:id", patch_operator, RIGHT_OPERATOR,
           "Change or suspend one", .form = &operator_edit_form,
           .reply = &reply_form, .flags = ROUTE_MATCH | ROUTE_FRESH)},
    {DELETE("/operators/:id", delete_operator, RIGHT_OPERATOR, "Delete one",
            .flags = ROUTE_MATCH | ROUTE_FRESH)},
    {POST("/operators/:id/invitation", post_invitation, RIGHT_OPERATOR,
          "Send the invitation or a reset link again")},
};
const struct route_set operator_routes = {routes, COUNT(routes), SET_TOKENS};
