/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/access/access.h"
#include "core/work/move.h"
#include "core/work/program.h"
#include "core/work/project.h"

enum { SHOWN_MAX = 200 };

static const struct field query_fields[] = {
    {ID("to", OPTIONAL, "移動先", "To")},
};
static const struct form query_form = {"MoveQuery", query_fields,
                                       COUNT(query_fields)};

/* Those with some rights lost (or gained): how many, and the first of them. */
static void put_side(struct call *k, const char *name, const char *total,
                     const struct moved_person *list, size_t count,
                     bool is_lost)
{
    size_t n = 0;

    json_open(&k->out, name, '[');
    for (size_t i = 0; i < count; i++) {
        unsigned rights = is_lost ? list[i].lost : list[i].gained;
        if (!rights || n++ >= SHOWN_MAX)
            continue;
        json_open(&k->out, NULL, '{');
        json_open(&k->out, "user", '{');
        json_id(&k->out, "id", list[i].user_id);
        json_text(&k->out, "name", list[i].name);
        json_close(&k->out, '}');
        access_put_rights(&k->out, "rights", rights);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_int(&k->out, total, (int64_t)n);
}

static enum err put_preview(struct call *k, struct member_place at, int64_t to)
{
    const struct moved_person *list;
    size_t count;
    enum err e = move_preview(k->c, at, to, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    put_side(k, "loses", "loses_total", list, count, true);
    put_side(k, "gains", "gains_total", list, count, false);
    json_close(&k->out, '}');
    return OK;
}

static enum err get_project(struct call *k)
{
    int64_t to = values_int(k->query, "to", 0);
    enum err e = project_check_program(k->c, to);

    if (e)
        return e;
    return put_preview(
        k, (struct member_place){MEMBER_OF_PROJECT, call_id(k, 0)}, to);
}

static enum err get_program(struct call *k)
{
    int64_t to = values_int(k->query, "to", 0);
    enum err e = program_check_parent(k->c, call_id(k, 0), to);

    if (e)
        return e;
    return put_preview(
        k, (struct member_place){MEMBER_OF_PROGRAM, call_id(k, 0)}, to);
}

static const struct route routes[] = {
    {GET("/projects/:id/move", get_project, RIGHT_PROJECT_EDIT,
         "Whose rights a move under another program changes",
         .query = &query_form)},
    {GET("/programs/:id/move", get_program, RIGHT_PROGRAM_EDIT,
         "Whose rights a move under another program changes",
         .query = &query_form)},
};
const struct route_set move_routes = {routes, COUNT(routes), SET_TOKENS};
