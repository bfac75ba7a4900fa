/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/access/role.h"

static enum err list_roles(struct call *k)
{
    const struct role *list;
    size_t count;
    enum err e = role_list(k->c, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        role_put_json(&k->out, NULL, &list[i]);
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err reply_role(struct call *k, const struct role *r)
{
    call_etag(k, r->version);
    role_put_json(&k->out, NULL, r);
    return OK;
}

static enum err post_role(struct call *k)
{
    struct role r;
    enum err e = role_create(k->c, k->body, &r);

    return e ? e : reply_role(k, &r);
}

static enum err patch_role(struct call *k)
{
    struct role r;
    enum err e = role_update(k->c, call_id(k, 0), k->if_match, k->body, &r);

    return e ? e : reply_role(k, &r);
}

static enum err delete_role(struct call *k)
{
    return role_delete(k->c, call_id(k, 0), k->if_match);
}

static const struct route routes[] = {
    {GET("/roles", list_roles, RIGHT_ADMIN_ACCESS,
         "Roles, those of the product first", .flags = ROUTE_LIST)},
    {POST("/roles", post_role, RIGHT_ADMIN_ACCESS, "Add a role of one's own",
          .form = &role_form, .flags = ROUTE_CREATED | ROUTE_FRESH)},
    {PATCH("/roles/:id", patch_role, RIGHT_ADMIN_ACCESS,
           "Change one's own role", .form = &role_edit_form,
           .flags = ROUTE_MATCH | ROUTE_FRESH)},
    {DELETE("/roles/:id", delete_role, RIGHT_ADMIN_ACCESS,
            "Delete a role that no grant names",
            .flags = ROUTE_MATCH | ROUTE_FRESH)},
};
const struct route_set role_routes = {routes, COUNT(routes), SET_TOKENS};
