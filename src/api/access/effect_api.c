/* SPDX-License-Identifier: Apache-2.0 */
/* What a change of rights would do, by the address that makes it and "/effect":
 * with the right of the change, which is not made. */
#include "api/dispatch/routes.h"
#include "core/access/access.h"
#include "core/access/effect.h"

enum { SHOWN_MAX = 200 };

static const struct field grant_fields[] = {
    {TEXT("role", 1, 64, OPTIONAL, "ロール", "Role")},
};
static const struct form grant_form = {"EffectQuery", grant_fields,
                                       COUNT(grant_fields)};
static const struct field role_fields[] = {
    {TEXT("rights", 1, 400, REQUIRED, "権限", "Permissions")},
};
static const struct form role_form = {"EffectOfRoleQuery", role_fields,
                                      COUNT(role_fields)};

/* Those with some rights lost (or gained): how many, and the first of them. */
static void put_side(struct call *k, const char *name, const char *total,
                     const struct effect *effect, bool is_lost)
{
    int64_t n = 0;

    json_open(&k->out, name, '[');
    for (size_t i = 0; i < effect->count; i++) {
        const struct effect_person *p = &effect->people[i];
        unsigned rights = is_lost ? p->lost : p->gained;
        if (!rights || n++ >= SHOWN_MAX)
            continue;
        json_open(&k->out, NULL, '{');
        json_open(&k->out, "user", '{');
        json_id(&k->out, "id", p->user_id);
        json_text(&k->out, "name", p->name);
        json_close(&k->out, '}');
        access_put_rights(&k->out, "rights", rights);
        json_int(&k->out, "projects", is_lost ? p->lost_in : p->gained_in);
        json_int(&k->out, "unseen", is_lost ? p->unseen : 0);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_int(&k->out, total, n);
}

static enum err put_effect(struct call *k, enum err e, const struct effect *x)
{
    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    put_side(k, "loses", "loses_total", x, true);
    put_side(k, "gains", "gains_total", x, false);
    json_int(&k->out, "projects_total", x->lost_in);
    json_close(&k->out, '}');
    return OK;
}

static enum err of_grant(struct call *k, enum member_of of, int64_t principal)
{
    struct member_place at = {of, of == MEMBER_OF_TENANT ? 0 : call_id(k, 0)};
    struct effect x;
    enum err e =
        principal < 0 ? OK : access_check_user(k->c, "user", principal);

    if (e)
        return e;
    return put_effect(
        k,
        effect_of_grant(k->c, at, principal, values_text(k->query, "role"), &x),
        &x);
}

static enum err get_project(struct call *k)
{
    return of_grant(k, MEMBER_OF_PROJECT, call_id(k, 1));
}

static enum err get_project_group(struct call *k)
{
    return of_grant(k, MEMBER_OF_PROJECT, -call_id(k, 1));
}

static enum err get_program(struct call *k)
{
    return of_grant(k, MEMBER_OF_PROGRAM, call_id(k, 1));
}

static enum err get_program_group(struct call *k)
{
    return of_grant(k, MEMBER_OF_PROGRAM, -call_id(k, 1));
}

static enum err get_tenant(struct call *k)
{
    return of_grant(k, MEMBER_OF_TENANT, call_id(k, 0));
}

static enum err get_tenant_group(struct call *k)
{
    return of_grant(k, MEMBER_OF_TENANT, -call_id(k, 0));
}

static enum err get_group(struct call *k)
{
    struct effect x;

    return put_effect(k, effect_of_group(k->c, call_id(k, 0), 0, &x), &x);
}

static enum err get_group_member(struct call *k)
{
    struct effect x;

    return put_effect(
        k, effect_of_group(k->c, call_id(k, 0), call_id(k, 1), &x), &x);
}

static enum err get_role(struct call *k)
{
    struct effect x;

    return put_effect(k,
                      effect_of_role(k->c, call_id(k, 0),
                                     values_text(k->query, "rights"), &x),
                      &x);
}

#define TAKEN "Whose rights change when it is taken away, or the role changes"
static const struct route routes[] = {
    {GET("/projects/:id/members/:user/effect", get_project, RIGHT_MEMBER_EDIT,
         TAKEN, .query = &grant_form)},
    {GET("/projects/:id/groups/:group/effect", get_project_group,
         RIGHT_MEMBER_EDIT, TAKEN, .query = &grant_form)},
    {GET("/programs/:id/members/:user/effect", get_program,
         RIGHT_PROGRAM_MEMBER_EDIT, TAKEN, .query = &grant_form)},
    {GET("/programs/:id/groups/:group/effect", get_program_group,
         RIGHT_PROGRAM_MEMBER_EDIT, TAKEN, .query = &grant_form)},
    {GET("/tenant/members/:user/effect", get_tenant, RIGHT_ADMIN_ACCESS, TAKEN,
         .query = &grant_form)},
    {GET("/tenant/groups/:group/effect", get_tenant_group, RIGHT_ADMIN_ACCESS,
         TAKEN, .query = &grant_form)},
    {GET("/groups/:id/effect", get_group, RIGHT_ADMIN_ACCESS,
         "Whose rights change when the group is deleted")},
    {GET("/groups/:id/members/:user/effect", get_group_member,
         RIGHT_ADMIN_ACCESS,
         "Which rights the person loses outside the group")},
    {GET("/roles/:id/effect", get_role, RIGHT_ADMIN_ACCESS,
         "Whose rights change when the role has these", .query = &role_form)},
};
const struct route_set effect_routes = {routes, COUNT(routes), SET_TOKENS};
