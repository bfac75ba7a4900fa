/* SPDX-License-Identifier: Apache-2.0 */
#include "api/routes.h"
#include "core/edit.h"
#include "core/plan_view.h"

static const struct field plan_fields[] = {
    {"since", FIELD_INT, 0, INT64_MAX, 0, NULL, NULL, "版", "Revision"},
};
static const struct form plan_query = {"PlanQuery", plan_fields,
                                       COUNT(plan_fields)};

static enum err get_plan(struct call *k)
{
    return plan_view_write(k->c, call_id(k, 0),
                           values_int(k->query, "since", -1), &k->out);
}

static void put_result(struct call *k, const struct edit_result *r)
{
    json_int(&k->out, "revision", r->revision);
    json_open(&k->out, "created", '[');
    for (size_t i = 0; i < r->created_count; i++) {
        json_open(&k->out, NULL, '{');
        json_text(&k->out, "ref", r->created[i].ref);
        json_id(&k->out, "id", r->created[i].id);
        json_int(&k->out, "no", r->created[i].no);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_open(&k->out, "conflicts", '[');
    for (size_t i = 0; i < r->conflict_count; i++) {
        json_open(&k->out, NULL, '{');
        json_id(&k->out, "link", r->conflicts[i].link_id);
        json_id(&k->out, "ticket", r->conflicts[i].ticket_id);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
}

static enum err post_edits(struct call *k)
{
    struct edit_result r;
    enum err e = edit_apply_form(k->c, call_id(k, 0), k->body, &r);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    put_result(k, &r);
    e = plan_view_put_changes(k->c, call_id(k, 0), r.since, &k->out);
    json_close(&k->out, '}');
    return e;
}

static const struct route routes[] = {
    {METHOD_GET,  "/api/v1/projects/:id/plan",  get_plan,
     RIGHT_PROJECT_TICKET_VIEW, NULL,       &plan_query, NULL, 0,
     "The plan as the Gantt takes it, or what changed since a revision"},
    {METHOD_POST, "/api/v1/projects/:id/edits", post_edits,
     RIGHT_PROJECT_TICKET_EDIT, &edit_form, NULL,        NULL, 0,
     "Change the plan: many edits at once, all or nothing"             },
};
const struct route_set plan_routes = {routes, COUNT(routes)};
