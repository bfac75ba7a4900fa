/* SPDX-License-Identifier: Apache-2.0 */
#include "api/routes.h"
#include "core/comment.h"

static const struct field list_fields[] = {
    {"limit", FIELD_INT, 1, 200, 0, NULL, NULL, "件数", "Limit"},
    {"after", FIELD_ID,  0, 0,   0, NULL, NULL, "続き", "After"},
};
static const struct form list_form = {"CommentQuery", list_fields,
                                      COUNT(list_fields)};
static const struct field reply_fields[] = {
    {"id",         FIELD_ID,    0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"body",       FIELD_LINES, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"created_at", FIELD_TEXT,  0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"updated_at", FIELD_TEXT,  0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"version",    FIELD_INT,   0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
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
    {METHOD_GET,    "/api/v1/tickets/:id/comments", list_comments,
     RIGHT_TICKET_VIEW,                                                              NULL,          &list_form, &reply_form, ROUTE_LIST,
     "Comments, oldest first"                                                                                                                                   },
    {METHOD_POST,   "/api/v1/tickets/:id/comments", post_comment,
     RIGHT_TICKET_COMMENT,                                                           &comment_form, NULL,       &reply_form,
     ROUTE_CREATED | ROUTE_ONCE,                                                                                                           "Comment on a ticket"},
    {METHOD_DELETE, "/api/v1/comments/:id",         delete_comment, RIGHT_SIGNED_IN,
     NULL,                                                                                          NULL,       NULL,        ROUTE_NARROW, "Delete a comment"   },
};
const struct route_set comment_routes = {routes, COUNT(routes), SET_TOKENS};
