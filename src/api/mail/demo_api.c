/* SPDX-License-Identifier: Apache-2.0 */
/* The mail that a demo captures instead of sending.  Only there: everywhere
 * else the route answers as if it did not exist. */
#include "api/dispatch/routes.h"
#include "core/mail/outbox.h"

static enum err list_mail(struct call *k)
{
    const struct captured_mail *list;

    if (!k->app->is_demo)
        return ctx_fail(k->c, ERR_NOT_FOUND, "", "route", "このURLはありません",
                        "There is no such URL");
    size_t count = outbox_list_captured(k->app->outbox, k->c->mem, &list);
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        json_text(&k->out, "to", list[i].to);
        json_text(&k->out, "subject", list[i].subject);
        json_text(&k->out, "text", list[i].text);
        json_moment(&k->out, "at", list[i].at_us);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static const struct route routes[] = {
    {GET("/demo/mail", list_mail, RIGHT_ANYONE,
         "Captured mail of an evaluation", .flags = ROUTE_LIST)},
};
const struct route_set demo_routes = {routes, COUNT(routes),
                                      SET_EVERYWHERE | SET_TOKENS};
