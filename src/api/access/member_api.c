/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/access/member.h"

static void put_member(struct call *k, const struct member *m)
{
    bool is_user = m->principal > 0;

    json_open(&k->out, NULL, '{');
    if (is_user) {
        json_open(&k->out, "user", '{');
        json_id(&k->out, "id", m->principal);
        json_text(&k->out, "name", m->name);
        json_text(&k->out, "email", m->email);
        json_close(&k->out, '}');
        json_null(&k->out, "group");
    } else {
        json_null(&k->out, "user");
        json_open(&k->out, "group", '{');
        json_id(&k->out, "id", -m->principal);
        json_text(&k->out, "name", m->name);
        json_int(&k->out, "members", m->size);
        json_close(&k->out, '}');
    }
    json_open(&k->out, "role", '{');
    json_id(&k->out, "id", m->role_id);
    json_text(&k->out, "key", m->role_key);
    json_close(&k->out, '}');
    if (m->is_inherited) {
        json_open(&k->out, "inherited", '{');
        json_id(&k->out, "id", m->from_id);
        json_text(&k->out, "name", m->from_name);
        json_close(&k->out, '}');
    } else {
        json_null(&k->out, "inherited");
    }
    json_close(&k->out, '}');
}

static enum err list_at(struct call *k, struct member_place at)
{
    const struct member *list;
    size_t count;
    enum err e = member_list(k->c, at, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_member(k, &list[i]);
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err put_at(struct call *k, struct member_place at,
                       int64_t principal)
{
    enum err e = member_put(k->c, at, principal, values_text(k->body, "role"));

    return e ? e : list_at(k, at);
}

/* ---- one handler a place and kind of principal ---- */

static struct member_place project(const struct call *k)
{
    return (struct member_place){MEMBER_OF_PROJECT, call_id(k, 0)};
}

static struct member_place program(const struct call *k)
{
    return (struct member_place){MEMBER_OF_PROGRAM, call_id(k, 0)};
}

static const struct member_place whole = {MEMBER_OF_TENANT, 0};

static enum err list_project(struct call *k)
{
    return list_at(k, project(k));
}

static enum err list_program(struct call *k)
{
    return list_at(k, program(k));
}

static enum err list_tenant(struct call *k)
{
    return list_at(k, whole);
}

static enum err put_project(struct call *k)
{
    return put_at(k, project(k), call_id(k, 1));
}

static enum err put_project_group(struct call *k)
{
    return put_at(k, project(k), -call_id(k, 1));
}

static enum err put_program(struct call *k)
{
    return put_at(k, program(k), call_id(k, 1));
}

static enum err put_program_group(struct call *k)
{
    return put_at(k, program(k), -call_id(k, 1));
}

static enum err put_tenant(struct call *k)
{
    return put_at(k, whole, call_id(k, 0));
}

static enum err put_tenant_group(struct call *k)
{
    return put_at(k, whole, -call_id(k, 0));
}

static enum err delete_project(struct call *k)
{
    return member_delete(k->c, project(k), call_id(k, 1));
}

static enum err delete_project_group(struct call *k)
{
    return member_delete(k->c, project(k), -call_id(k, 1));
}

static enum err delete_program(struct call *k)
{
    return member_delete(k->c, program(k), call_id(k, 1));
}

static enum err delete_program_group(struct call *k)
{
    return member_delete(k->c, program(k), -call_id(k, 1));
}

static enum err delete_tenant(struct call *k)
{
    return member_delete(k->c, whole, call_id(k, 0));
}

static enum err delete_tenant_group(struct call *k)
{
    return member_delete(k->c, whole, -call_id(k, 0));
}

static const struct route routes[] = {
    {GET("/projects/:id/members", list_project, RIGHT_PROJECT_VIEW,
         "Who works on it", .flags = ROUTE_LIST)},
    {PUT("/projects/:id/members/:user", put_project, RIGHT_MEMBER_EDIT,
         "Give a person a role", .form = &member_form)},
    {DELETE("/projects/:id/members/:user", delete_project, RIGHT_MEMBER_EDIT,
            "Take a person off")},
    {PUT("/projects/:id/groups/:group", put_project_group, RIGHT_MEMBER_EDIT,
         "Give a group a role", .form = &member_form)},
    {DELETE("/projects/:id/groups/:group", delete_project_group,
            RIGHT_MEMBER_EDIT, "Take a group off")},
    {GET("/programs/:id/members", list_program, RIGHT_PROGRAM_VIEW,
         "Who works on everything below it", .flags = ROUTE_LIST)},
    {PUT("/programs/:id/members/:user", put_program, RIGHT_PROGRAM_MEMBER_EDIT,
         "Give a person a role in all below", .form = &member_form)},
    {DELETE("/programs/:id/members/:user", delete_program,
            RIGHT_PROGRAM_MEMBER_EDIT, "Take a person off")},
    {PUT("/programs/:id/groups/:group", put_program_group,
         RIGHT_PROGRAM_MEMBER_EDIT, "Give a group a role in all below",
         .form = &member_form)},
    {DELETE("/programs/:id/groups/:group", delete_program_group,
            RIGHT_PROGRAM_MEMBER_EDIT, "Take a group off")},
    {GET("/tenant/members", list_tenant, RIGHT_ADMIN_ACCESS,
         "Who holds a role on everything", .flags = ROUTE_LIST)},
    {PUT("/tenant/members/:user", put_tenant, RIGHT_ADMIN_ACCESS,
         "Give a person a role on everything", .form = &member_form,
         .flags = ROUTE_FRESH)},
    {DELETE("/tenant/members/:user", delete_tenant, RIGHT_ADMIN_ACCESS,
            "Take it away", .flags = ROUTE_FRESH)},
    {PUT("/tenant/groups/:group", put_tenant_group, RIGHT_ADMIN_ACCESS,
         "Give a group a role on everything", .form = &member_form,
         .flags = ROUTE_FRESH)},
    {DELETE("/tenant/groups/:group", delete_tenant_group, RIGHT_ADMIN_ACCESS,
            "Take it away", .flags = ROUTE_FRESH)},
};
const struct route_set member_routes = {routes, COUNT(routes), SET_TOKENS};
