/* SPDX-License-Identifier: Apache-2.0 */
/* Support access as the operator sees it. */
#include "api/account/support_access_reply.h"
#include "api/dispatch/routes.h"
#include "core/account/session.h"
#include "core/console/support_access_console.h"

static const struct field link_fields[] = {
    {OUT_TEXT("link", REQUIRED)},
};
static const struct form link_form = {"SupportLink", link_fields,
                                      COUNT(link_fields)};

static struct support_access_console desk_of(const struct call *k)
{
    return (struct support_access_console){
        .app = k->app,
        .tenant = k->params[0],
        .who = {.id = k->c->actor->user_id,
                .name = k->c->actor->name,
                .email = k->session->user_email},
    };
}

static enum err list_support(struct call *k)
{
    struct support_access_console d = desk_of(k);
    const struct support_access *list;
    size_t count;
    bool more;
    enum err e =
        support_access_console_list(k->c, &d, values_int(k->query, "after", 0),
                                    call_limit(k), &list, &count, &more);

    if (!e)
        support_access_put_list(k, list, count, more);
    return e;
}

static enum err post_support(struct call *k)
{
    struct support_access_console d = desk_of(k);
    struct support_access s;
    enum err e = support_access_console_ask(k->c, &d, k->body, &s);

    if (!e)
        support_access_put(k, &s);
    return e;
}

static enum err post_open(struct call *k)
{
    struct support_access_console d = desk_of(k);
    const char *link = NULL;
    enum err e = support_access_console_open(k->c, &d, call_id(k, 1), &link);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_text(&k->out, "link", link);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_end(struct call *k)
{
    struct support_access_console d = desk_of(k);
    struct support_access s;
    enum err e = support_access_console_end(k->c, &d, call_id(k, 1), &s);

    if (!e)
        support_access_put(k, &s);
    return e;
}

static const struct route routes[] = {
    {GET("/tenants/:id/support", list_support, RIGHT_AUDITOR,
         "Support access to a tenant", .query = &support_access_page_form,
         .reply = &support_access_reply_form,
         .flags = ROUTE_LIST | ROUTE_NO_TX)},
    {POST("/tenants/:id/support", post_support, RIGHT_OPERATOR,
          "Ask a tenant for support access", .form = &support_access_form,
          .reply = &support_access_reply_form,
          .flags = ROUTE_NO_TX | ROUTE_CREATED)},
    {POST("/tenants/:id/support/:grant/open", post_open, RIGHT_OPERATOR,
          "A link to enter by a grant, good once", .reply = &link_form,
          .flags = ROUTE_NO_TX | ROUTE_FRESH)},
    {POST("/tenants/:id/support/:grant/end", post_end, RIGHT_OPERATOR,
          "Withdraw a request, or end one's own access",
          .reply = &support_access_reply_form, .flags = ROUTE_NO_TX)},
};
const struct route_set support_access_console_routes = {routes, COUNT(routes),
                                                        0};
