/* SPDX-License-Identifier: Apache-2.0 */
#include "api/routes.h"
#include "core/member.h"

static void put_member(struct call *k, const struct member *m)
{
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "user", '{');
    json_id(&k->out, "id", m->user_id);
    json_text(&k->out, "name", m->user_name);
    json_text(&k->out, "email", m->user_email);
    json_close(&k->out, '}');
    json_open(&k->out, "role", '{');
    json_id(&k->out, "id", m->role_id);
    json_text(&k->out, "key", m->role_key);
    json_close(&k->out, '}');
    if (m->from_id) {
        json_open(&k->out, "inherited", '{');
        json_id(&k->out, "id", m->from_id);
        json_text(&k->out, "name", m->from_name);
        json_close(&k->out, '}');
    } else {
        json_null(&k->out, "inherited");
    }
    json_close(&k->out, '}');
}

static enum err list_of(struct call *k, enum member_of of)
{
    const struct member *list;
    size_t count;
    enum err e = member_list(k->c, of, call_id(k, 0), &list, &count);

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

static enum err list_project(struct call *k)
{
    return list_of(k, MEMBER_OF_PROJECT);
}

static enum err list_program(struct call *k)
{
    return list_of(k, MEMBER_OF_PROGRAM);
}

static enum err put_project(struct call *k)
{
    enum err e = member_put(k->c, MEMBER_OF_PROJECT, call_id(k, 0),
                            call_id(k, 1), values_text(k->body, "role"));

    return e ? e : list_project(k);
}

static enum err put_program(struct call *k)
{
    enum err e = member_put(k->c, MEMBER_OF_PROGRAM, call_id(k, 0),
                            call_id(k, 1), values_text(k->body, "role"));

    return e ? e : list_program(k);
}

static enum err delete_project(struct call *k)
{
    return member_delete(k->c, MEMBER_OF_PROJECT, call_id(k, 0), call_id(k, 1));
}

static enum err delete_program(struct call *k)
{
    return member_delete(k->c, MEMBER_OF_PROGRAM, call_id(k, 0), call_id(k, 1));
}

static const struct route routes[] = {
    {METHOD_GET,    "/api/v1/projects/:id/members",       list_project,
     RIGHT_PROJECT_VIEW,        NULL,         NULL, NULL, ROUTE_LIST, "Who works on it"     },
    {METHOD_PUT,    "/api/v1/projects/:id/members/:user", put_project,
     RIGHT_MEMBER_EDIT,         &member_form, NULL, NULL, 0,          "Give a person a role"},
    {METHOD_DELETE, "/api/v1/projects/:id/members/:user", delete_project,
     RIGHT_MEMBER_EDIT,         NULL,         NULL, NULL, 0,          "Take a person off"   },
    {METHOD_GET,    "/api/v1/programs/:id/members",       list_program,
     RIGHT_PROGRAM_VIEW,        NULL,         NULL, NULL, ROUTE_LIST,
     "Who works on everything below it"                                                     },
    {METHOD_PUT,    "/api/v1/programs/:id/members/:user", put_program,
     RIGHT_PROGRAM_MEMBER_EDIT, &member_form, NULL, NULL, 0,
     "Give a person a role in all below"                                                    },
    {METHOD_DELETE, "/api/v1/programs/:id/members/:user", delete_program,
     RIGHT_PROGRAM_MEMBER_EDIT, NULL,         NULL, NULL, 0,          "Take a person off"   },
};
const struct route_set member_routes = {routes, COUNT(routes)};
