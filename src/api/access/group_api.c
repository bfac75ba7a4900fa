/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/access/access.h"
#include "core/access/group.h"
#include "core/account/user.h"

static const struct field list_fields[] = {
    {TEXT("q", 0, 100, OPTIONAL, "検索", "Search")},
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form list_form = {"GroupQuery", list_fields,
                                      COUNT(list_fields)};

static const struct field delete_fields[] = {
    {BOOL("with_grants", OPTIONAL, "権限も削除", "With its grants")},
};
static const struct form delete_form = {"GroupDelete", delete_fields,
                                        COUNT(delete_fields)};

static void put_group(struct call *k, const struct group *g)
{
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "id", g->id);
    json_text(&k->out, "name", g->name);
    json_text(&k->out, "details", g->details);
    json_int(&k->out, "members", g->members);
    json_int(&k->out, "grants", g->grants);
    json_int(&k->out, "version", g->version);
    json_close(&k->out, '}');
}

static enum err list_groups(struct call *k)
{
    const struct group *list;
    size_t count;
    bool more;
    enum err e =
        access_need_somewhere(k->c, MAY_MEMBER_EDIT | MAY_ADMIN_ACCESS);

    if (!e)
        e = group_list(k->c, values_text(k->query, "q"),
                       values_int(k->query, "after", 0), call_limit(k), &list,
                       &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_group(k, &list[i]);
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].id : 0);
    json_close(&k->out, '}');
    return OK;
}

static enum err reply_group(struct call *k, enum err e, const struct group *g)
{
    if (e)
        return e;
    call_etag(k, g->version);
    put_group(k, g);
    return OK;
}

static enum err get_group(struct call *k)
{
    struct group g;

    return reply_group(k, group_get(k->c, call_id(k, 0), &g), &g);
}

static enum err post_group(struct call *k)
{
    struct group g;

    return reply_group(k, group_create(k->c, k->body, &g), &g);
}

static enum err patch_group(struct call *k)
{
    struct group g;

    return reply_group(
        k, group_update(k->c, call_id(k, 0), k->if_match, k->body, &g), &g);
}

static enum err delete_group(struct call *k)
{
    return group_delete(k->c, call_id(k, 0), k->if_match,
                        values_bool(k->query, "with_grants", false));
}

static enum err list_members(struct call *k)
{
    const struct group_member *list;
    size_t count;
    bool more;
    enum err e =
        group_members(k->c, call_id(k, 0), values_int(k->query, "after", 0),
                      call_limit(k), &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        json_id(&k->out, "id", list[i].user_id);
        json_text(&k->out, "name", list[i].name);
        json_text(&k->out, "email", list[i].email);
        json_text(&k->out, "state", user_state_words[list[i].state]);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].user_id : 0);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_members(struct call *k)
{
    struct group g;

    return reply_group(k, group_add_members(k->c, call_id(k, 0), k->body, &g),
                       &g);
}

static enum err delete_member(struct call *k)
{
    return group_remove_member(k->c, call_id(k, 0), call_id(k, 1));
}

static const struct route routes[] = {
    {GET("/groups", list_groups, RIGHT_SIGNED_IN, "Groups, for who gives roles",
         .query = &list_form, .flags = ROUTE_LIST)},
    {GET("/groups/:id", get_group, RIGHT_ADMIN_ACCESS, "One group")},
    {POST("/groups", post_group, RIGHT_ADMIN_ACCESS, "Add a group",
          .form = &group_form, .flags = ROUTE_CREATED)},
    {PATCH("/groups/:id", patch_group, RIGHT_ADMIN_ACCESS, "Change a group",
           .form = &group_edit_form, .flags = ROUTE_MATCH)},
    {DELETE("/groups/:id", delete_group, RIGHT_ADMIN_ACCESS,
            "Delete a group; with_grants when it holds any",
            .query = &delete_form, .flags = ROUTE_MATCH | ROUTE_FRESH)},
    {GET("/groups/:id/members", list_members, RIGHT_ADMIN_ACCESS,
         "Who is in it", .query = &list_form, .flags = ROUTE_LIST)},
    {POST("/groups/:id/members", post_members, RIGHT_ADMIN_ACCESS,
          "Put people in", .form = &group_members_form, .flags = ROUTE_FRESH)},
    {DELETE("/groups/:id/members/:user", delete_member, RIGHT_ADMIN_ACCESS,
            "Take a person out", .flags = ROUTE_FRESH)},
};
const struct route_set group_routes = {routes, COUNT(routes), SET_TOKENS};
