/* SPDX-License-Identifier: Apache-2.0 */
/* Support access as the tenant sees it: decide, watch, end; and the door by
 * which the supporter enters. */
#include "api/account/session_reply.h"
#include "api/account/support_access_reply.h"
#include "api/dispatch/routes.h"
#include "api/dispatch/tenant_resolver.h"
#include "core/account/session.h"

static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("operator", REQUIRED)},
    {OUT_TEXT("reason", REQUIRED)},
    {OUT_INT("hours", REQUIRED)},
    {OUT_BOOL("may_write", REQUIRED)},
    {OUT_CHOICE("state", support_access_state_words, REQUIRED)},
    {OUT_TEXT("asked_at", REQUIRED)},
    {OUT_TEXT("decided_at", NULLABLE)},
    {OUT_TEXT("decided_by", NULLABLE)},
    {OUT_TEXT("expires_at", NULLABLE)},
    {OUT_TEXT("ended_at", NULLABLE)},
    {OUT_TEXT("ended_by", NULLABLE)},
    {OUT_INT("version", REQUIRED)},
};
const struct form support_access_reply_form = {"Support", reply_fields,
                                               COUNT(reply_fields)};
static const struct field page_fields[] = {
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
const struct form support_access_page_form = {"SupportQuery", page_fields,
                                              COUNT(page_fields)};
static const struct field enter_fields[] = {
    {SECRET("token", 1, 128, REQUIRED, "リンク", "Link")},
};
static const struct form enter_form = {"SupportEnter", enter_fields,
                                       COUNT(enter_fields)};

void support_access_put(struct call *k, const struct support_access *s)
{
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "id", s->id);
    json_text(&k->out, "operator", s->operator_name);
    json_id(&k->out, "operator_id", s->operator_id);
    json_text(&k->out, "reason", s->reason);
    json_int(&k->out, "hours", s->hours);
    json_bool(&k->out, "may_write", s->may_write);
    json_text(&k->out, "state", support_access_state_words[s->state]);
    json_moment(&k->out, "asked_at", s->asked_at);
    json_moment(&k->out, "decided_at", s->decided_at);
    json_text(&k->out, "decided_by", s->decided_by);
    json_moment(&k->out, "expires_at", s->expires_at);
    json_moment(&k->out, "ended_at", s->ended_at);
    json_text(&k->out, "ended_by", s->ended_by);
    json_int(&k->out, "version", s->version);
    json_close(&k->out, '}');
}

void support_access_put_list(struct call *k, const struct support_access *list,
                             size_t count, bool more)
{
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        support_access_put(k, &list[i]);
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].id : 0);
    json_close(&k->out, '}');
}

enum err support_access_put_open(struct call *k, const char *name)
{
    const struct support_access *list;
    size_t count;
    enum err e = support_access_list_open(k->c, &list, &count);

    if (e)
        return e;
    json_open(&k->out, name, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        json_id(&k->out, "id", list[i].id);
        json_text(&k->out, "operator", list[i].operator_name);
        json_bool(&k->out, "may_write", list[i].may_write);
        json_moment(&k->out, "expires_at", list[i].expires_at);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    return OK;
}

static enum err list_support(struct call *k)
{
    const struct support_access *list;
    size_t count;
    bool more;
    enum err e = support_access_list(k->c, values_int(k->query, "after", 0),
                                     call_limit(k), &list, &count, &more);

    if (!e)
        support_access_put_list(k, list, count, more);
    return e;
}

static enum err list_open(struct call *k)
{
    json_open(&k->out, NULL, '{');
    enum err e = support_access_put_open(k, "items");

    if (e)
        return e;
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err reply(struct call *k, enum err e,
                      const struct support_access *s)
{
    if (e)
        return e;
    call_etag(k, s->version);
    support_access_put(k, s);
    return OK;
}

static enum err post_approve(struct call *k)
{
    struct support_access s;
    enum err e = support_access_approve(k->c, k->app, call_id(k, 0),
                                        k->if_match, k->body, &s);

    return reply(k, e, &s);
}

static enum err post_refuse(struct call *k)
{
    struct support_access s;
    enum err e =
        support_access_refuse(k->c, k->app, call_id(k, 0), k->if_match, &s);

    return reply(k, e, &s);
}

static enum err post_end(struct call *k)
{
    struct support_access s;
    enum err e = support_access_end(k->c, k->app, call_id(k, 0), &s);

    return reply(k, e, &s);
}

/* The supporter's own way out. */
static enum err post_leave(struct call *k)
{
    struct support_access s;

    if (!k->session->support)
        return ctx_fail(k->c, ERR_NOT_FOUND, "", "not_found", "見つかりません",
                        "Not found");
    enum err e = support_access_end(k->c, k->app, k->session->support->id, &s);

    if (!e)
        session_put_cookie(k, k->place->cookie, "", -1);
    return e;
}

static enum err post_enter(struct call *k)
{
    char token[SECRET_TOKEN_CHARS + 1];
    enum err e =
        support_access_enter(k->c, k->app, values_text(k->body, "token"),
                             session_from(k).agent, token);

    if (!e)
        session_put_cookie(k, k->place->cookie, arena_strdup(k->c->mem, token),
                           0);
    return e;
}

static const struct route routes[] = {
    {GET("/support", list_support, RIGHT_ADMIN,
         "Support access: asked, granted, over",
         .query = &support_access_page_form,
         .reply = &support_access_reply_form, .flags = ROUTE_LIST)},
    {GET("/support/now", list_open, RIGHT_SIGNED_IN,
         "Support access that is open now", .flags = ROUTE_LIST | ROUTE_QUIET)},
    {POST("/support/:id/approve", post_approve, RIGHT_ADMIN,
          "Grant support access, or less of it than was asked for",
          .form = &support_access_approve_form,
          .reply = &support_access_reply_form,
          .flags = ROUTE_MATCH | ROUTE_FRESH)},
    {POST("/support/:id/refuse", post_refuse, RIGHT_ADMIN,
          "Refuse support access", .reply = &support_access_reply_form,
          .flags = ROUTE_MATCH)},
    {POST("/support/:id/end", post_end, RIGHT_ADMIN,
          "End support access at once", .reply = &support_access_reply_form)},
    {POST("/support/leave", post_leave, RIGHT_HALF,
          "End the support access that one came in by")},
    {POST("/support/enter", post_enter, RIGHT_ANYONE,
          "Enter by the link the console gave", .form = &enter_form)},
};
const struct route_set support_access_routes = {routes, COUNT(routes), SET_OWN};
