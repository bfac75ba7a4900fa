/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/work/comment.h"

static const struct field list_fields[] = {
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form list_form = {"CommentQuery", list_fields,
                                      COUNT(list_fields)};
static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},           {OUT_LINES("body", REQUIRED)},
    {OUT_TEXT("created_at", REQUIRED)}, {OUT_TEXT("updated_at", REQUIRED)},
    {OUT_INT("version", REQUIRED)},
};
static const struct form reply_form = {"Comment", reply_fields,
                                       COUNT(reply_fields)};

static void put_comment(struct call *k, const struct comment *m)
{
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "id", m->id);
    json_open(&k->out, "user", '{');
    json_id(&k->out, "id", m->user_id);
    json_text(&k->out, "name", m->user_name);
    json_close(&k->out, '}');
    json_text(&k->out, "body", m->body);
    json_moment(&k->out, "created_at", m->created_at);
    json_moment(&k->out, "updated_at", m->updated_at);
    json_int(&k->out, "version", m->version);
    json_close(&k->out, '}');
}

static enum err list_comments(struct call *k)
{
    const struct comment *list;
    size_t count;
    bool more;
    enum err e =
        comment_list(k->c, call_id(k, 0), values_int(k->query, "after", 0),
                     call_limit(k), &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_comment(k, &list[i]);
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].id : 0);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_comment(struct call *k)
{
    struct comment m;
    enum err e = comment_create(k->c, call_id(k, 0), k->body, &m);

    if (!e)
        put_comment(k, &m);
    return e;
}

static enum err delete_comment(struct call *k)
{
    return comment_delete(k->c, call_id(k, 0));
}

static const struct route routes[] = {
    {GET("/tickets/:id/comments", list_comments, RIGHT_TICKET_VIEW,
         "Comments, oldest first", .query = &list_form, .reply = &reply_form,
         .flags = ROUTE_LIST)},
    {POST("/tickets/:id/comments", post_comment, RIGHT_TICKET_COMMENT,
          "Comment on a ticket", .form = &comment_form, .reply = &reply_form,
          .flags = ROUTE_CREATED | ROUTE_ONCE | ROUTE_SUPPORT)},
    {DELETE("/comments/:id", delete_comment, RIGHT_SIGNED_IN,
            "Delete a comment", .flags = ROUTE_NARROW)},
};
const struct route_set comment_routes = {routes, COUNT(routes), SET_TOKENS};
