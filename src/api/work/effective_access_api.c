/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/account/user.h"
#include "core/work/effective_access.h"

static const struct field people_fields[] = {
    {TEXT("q", 0, 100, OPTIONAL, "検索", "Search")},
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form people_form = {"ReachQuery", people_fields,
                                        COUNT(people_fields)};
static const struct field object_fields[] = {
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {TEXT("after", 0, 10, OPTIONAL, "続き", "After")},
};
static const struct form object_form = {"ReachOfUserQuery", object_fields,
                                        COUNT(object_fields)};

static void put_named(struct call *k, const char *field, int64_t id,
                      const char *name)
{
    if (!id) {
        json_null(&k->out, field);
        return;
    }
    json_open(&k->out, field, '{');
    json_id(&k->out, "id", id);
    json_text(&k->out, "name", name);
    json_close(&k->out, '}');
}

static void put_reason(struct call *k, const struct effective_access *r)
{
    json_open(&k->out, NULL, '{');
    json_text(&k->out, "via", effective_access_via_words[r->via]);
    put_named(k, "program", r->program_id, r->program_name);
    put_named(k, "group", r->group_id, r->group_name);
    if (r->role_key) {
        json_open(&k->out, "role", '{');
        json_text(&k->out, "key", r->role_key);
        json_text(&k->out, "ja", r->role_ja);
        json_text(&k->out, "en", r->role_en);
        json_close(&k->out, '}');
    } else {
        json_null(&k->out, "role");
    }
    json_close(&k->out, '}');
}

static void open_subject(struct call *k, const struct effective_access *r)
{
    json_open(&k->out, NULL, '{');
    if (r->user_name) {
        json_open(&k->out, "user", '{');
        json_id(&k->out, "id", r->user_id);
        json_text(&k->out, "name", r->user_name);
        json_text(&k->out, "email", r->user_email);
        json_text(&k->out, "state", user_state_words[r->user_state]);
        json_close(&k->out, '}');
    } else {
        json_text(&k->out, "kind", r->is_program ? "program" : "project");
        json_id(&k->out, "id", r->object_id);
        json_text(&k->out, "key", r->object_key);
        json_text(&k->out, "name", r->object_name);
    }
}

/* Rows of one subject follow each other: its reasons, then what they add up
 * to.  next: the id or KEY that asks for the following page. */
static enum err put_page(struct call *k, const struct effective_access *list,
                         size_t count, const char *next)
{
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count;) {
        const struct effective_access *first = &list[i];
        unsigned rights = 0;
        open_subject(k, first);
        json_open(&k->out, "reasons", '[');
        for (; i < count && list[i].user_id == first->user_id &&
               list[i].object_id == first->object_id &&
               list[i].is_program == first->is_program;
             i++) {
            rights |= list[i].rights;
            put_reason(k, &list[i]);
        }
        json_close(&k->out, ']');
        access_put_rights(&k->out, "rights", access_settle(rights));
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_text(&k->out, "next", next);
    json_close(&k->out, '}');
    return OK;
}

static enum err of_place(struct call *k, enum member_of of)
{
    const struct effective_access *list;
    size_t count;
    bool more;
    enum err e = effective_access_of_place(
        k->c, (struct member_place){of, call_id(k, 0)},
        values_text(k->query, "q"), values_int(k->query, "after", 0),
        call_limit(k), &list, &count, &more);

    if (e)
        return e;
    return put_page(k, list, count,
                    more ? arena_printf(k->c->mem, "%lld",
                                        (long long)list[count - 1].user_id)
                         : NULL);
}

static enum err get_project(struct call *k)
{
    return of_place(k, MEMBER_OF_PROJECT);
}

static enum err get_program(struct call *k)
{
    return of_place(k, MEMBER_OF_PROGRAM);
}

static enum err of_user(struct call *k, int64_t user_id)
{
    const struct effective_access *list;
    size_t count;
    bool more;
    enum err e =
        effective_access_of_user(k->c, user_id, values_text(k->query, "after"),
                                 call_limit(k), &list, &count, &more);

    if (e)
        return e;
    return put_page(k, list, count, more ? list[count - 1].object_key : NULL);
}

static enum err get_user(struct call *k)
{
    return of_user(k, call_id(k, 0));
}

static const struct route routes[] = {
    {GET("/projects/:id/reach", get_project, RIGHT_MEMBER_EDIT,
         "Who can see it, and why", .query = &people_form,
         .flags = ROUTE_LIST)},
    {GET("/programs/:id/reach", get_program, RIGHT_PROGRAM_MEMBER_EDIT,
         "Who can see it, and why", .query = &people_form,
         .flags = ROUTE_LIST)},
    {GET("/users/:id/reach", get_user, RIGHT_ADMIN_ACCESS,
         "What this person can see, and why", .query = &object_form,
         .flags = ROUTE_LIST)},
};
const struct route_set effective_access_routes = {routes, COUNT(routes),
                                                  SET_TOKENS};
