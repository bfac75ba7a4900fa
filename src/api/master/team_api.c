/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/master/team.h"

static enum err reply_team(struct call *k, const struct team *t)
{
    call_etag(k, t->version);
    team_put_json(&k->out, t);
    return OK;
}

static enum err list_teams(struct call *k)
{
    const struct team *list;
    size_t count;
    enum err e = team_list(k->c, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        team_put_json(&k->out, &list[i]);
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err post_team(struct call *k)
{
    struct team t;
    enum err e = team_create(k->c, k->body, &t);

    return e ? e : reply_team(k, &t);
}

static enum err patch_team(struct call *k)
{
    struct team t;
    enum err e = team_update(k->c, call_id(k, 0), k->if_match, k->body, &t);

    return e ? e : reply_team(k, &t);
}

static enum err delete_team(struct call *k)
{
    return team_delete(k->c, call_id(k, 0), k->if_match);
}

static const struct route routes[] = {
    {GET("/teams", list_teams, RIGHT_ADMIN_MASTER, "Teams with their people",
         .reply = &team_reply_form, .flags = ROUTE_LIST)},
    {POST("/teams", post_team, RIGHT_ADMIN_MASTER, "Add a team",
          .form = &team_form, .reply = &team_reply_form,
          .flags = ROUTE_CREATED | ROUTE_SUPPORT)},
    {PATCH("/teams/:id", patch_team, RIGHT_ADMIN_MASTER, "Change a team",
           .form = &team_edit_form, .reply = &team_reply_form,
           .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
    {DELETE("/teams/:id", delete_team, RIGHT_ADMIN_MASTER,
            "Delete a team that is named nowhere",
            .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
};
const struct route_set team_routes = {routes, COUNT(routes), SET_TOKENS};
