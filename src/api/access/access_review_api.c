/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/access/access_review.h"

static enum err list_reviews(struct call *k)
{
    const struct access_review *list;
    size_t count;
    enum err e = access_review_list(k->c, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        access_review_put_json(&k->out, &list[i]);
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err post_review(struct call *k)
{
    struct access_review r;
    enum err e = access_review_add(k->c, k->body, &r);

    if (!e)
        access_review_put_json(&k->out, &r);
    return e;
}

static const struct route routes[] = {
    {GET("/access-reviews", list_reviews, RIGHT_ADMIN_ACCESS,
         "When rights were gone through", .reply = &access_review_reply_form,
         .flags = ROUTE_LIST)},
    {POST("/access-reviews", post_review, RIGHT_ADMIN_ACCESS,
          "Note that they were gone through now", .form = &access_review_form,
          .reply = &access_review_reply_form,
          .flags = ROUTE_CREATED | ROUTE_FRESH)},
};
const struct route_set access_review_routes = {routes, COUNT(routes),
                                               SET_TOKENS};
