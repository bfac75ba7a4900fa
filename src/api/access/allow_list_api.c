/* SPDX-License-Identifier: Apache-2.0 */
/* Where requests to the tenant may come from. */
#include "api/dispatch/routes.h"
#include "core/access/allow_list.h"

static void put_range(struct call *k, const struct allow_range *r)
{
    char cidr[ALLOW_TEXT_BYTES];

    allow_list_format(&r->range, cidr);
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "id", r->id);
    json_text(&k->out, "cidr", cidr);
    json_text(&k->out, "note", r->note);
    json_moment(&k->out, "created_at", r->created_at);
    json_close(&k->out, '}');
}

static enum err list_ranges(struct call *k)
{
    const struct allow_range *list;
    size_t count;
    enum err e = allow_list_get(k->c, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_text(&k->out, "address", k->c->actor->ip);
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_range(k, &list[i]);
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err post_range(struct call *k)
{
    struct allow_range r;
    enum err e = allow_list_add(k->c, k->body, &r);

    if (!e)
        put_range(k, &r);
    return e;
}

static enum err delete_range(struct call *k)
{
    return allow_list_remove(k->c, call_id(k, 0));
}

static const struct route routes[] = {
    {GET("/security/addresses", list_ranges, RIGHT_ADMIN_SECURITY,
         "Where requests may come from, and where this one does",
         .reply = &allow_list_reply_form, .flags = ROUTE_LIST)},
    {POST("/security/addresses", post_range, RIGHT_ADMIN_SECURITY,
          "Let requests from a range of addresses in", .form = &allow_list_form,
          .reply = &allow_list_reply_form,
          .flags = ROUTE_CREATED | ROUTE_FRESH)},
    {DELETE("/security/addresses/:id", delete_range, RIGHT_ADMIN_SECURITY,
            "Take a range off the list", .flags = ROUTE_FRESH)},
};
const struct route_set allow_list_routes = {routes, COUNT(routes), SET_TOKENS};
