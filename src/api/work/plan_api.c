/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/work/plan_edit.h"
#include "core/work/plan_view.h"

#include <stdlib.h>

static const struct field plan_fields[] = {
    {INT("since", 0, INT64_MAX, OPTIONAL, "版", "Revision")},
};
static const struct form plan_query = {"PlanQuery", plan_fields,
                                       COUNT(plan_fields)};

static enum err get_plan(struct call *k)
{
    return plan_view_write(k->c, call_id(k, 0),
                           values_int(k->query, "since", -1), &k->out);
}

static void put_created(struct json_out *o, const char *name,
                        const struct plan_edit_result *r)
{
    json_open(o, name, '[');
    for (size_t i = 0; i < r->created_count; i++) {
        json_open(o, NULL, '{');
        json_text(o, "ref", r->created[i].ref);
        json_id(o, "id", r->created[i].id);
        json_int(o, "no", r->created[i].no);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void put_result(struct call *k, const struct plan_edit_result *r)
{
    json_int(&k->out, "revision", r->revision);
    put_created(&k->out, "created", r);
    json_open(&k->out, "conflicts", '[');
    for (size_t i = 0; i < r->conflict_count; i++) {
        json_open(&k->out, NULL, '{');
        json_id(&k->out, "link", r->conflicts[i].link_id);
        json_id(&k->out, "ticket", r->conflicts[i].ticket_id);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
}

static enum err put_span(struct call *k, const char *name, int64_t since,
                         int64_t until)
{
    if (name)
        json_open(&k->out, name, '{');
    enum err e = plan_view_put_changes(
        k->c, &(struct plan_span){call_id(k, 0), since, until}, &k->out);
    if (name)
        json_close(&k->out, '}');
    return e;
}

/* Kept for a client that asks again: "SINCE REVISION [what was created]". */
static void keep_result(struct call *k, const struct plan_edit_result *r)
{
    struct buf b = buf_in(k->c->mem);

    buf_printf(&b, "%lld %lld ", (long long)r->since, (long long)r->revision);
    put_created(&(struct json_out){.b = &b}, NULL, r);
    k->keep = b.data;
}

/* Done before.  What the edits changed stands apart from what others changed
 * before ("missed") and since ("later"), so that undo takes back no more. */
static enum err retell_edits(struct call *k, int64_t seen)
{
    char *at;
    int64_t since = strtoll(k->kept, &at, 10);
    int64_t revision = strtoll(at, &at, 10);
    int64_t now;
    enum err e = plan_edit_revision(k->c, call_id(k, 0), &now);

    if (e)
        return e;
    must(*at == ' ');
    json_open(&k->out, NULL, '{');
    json_int(&k->out, "revision", now);
    json_raw(&k->out, "created", at + 1);
    json_raw(&k->out, "conflicts", "[]");
    if (seen >= 0 && seen < since)
        e = put_span(k, "missed", seen, since);
    if (!e)
        e = put_span(k, NULL, since, revision);
    if (!e && revision < now)
        e = put_span(k, "later", revision, now);
    json_close(&k->out, '}');
    return e;
}

/* With ?since=, the reply also tells what others changed from there up to these
 * edits ("missed"), as it was when they began. */
static enum err post_edits(struct call *k)
{
    int64_t seen = values_int(k->query, "since", -1), now = 0;
    struct plan_edit_result r;
    enum err e;

    if (k->kept)
        return retell_edits(k, seen);
    if ((e = plan_edit_revision(k->c, call_id(k, 0), &now)))
        return e;
    json_open(&k->out, NULL, '{');
    if (seen >= 0 && seen < now)
        e = put_span(k, "missed", seen, now);
    if (!e)
        e = plan_edit_apply_form(k->c, call_id(k, 0), k->body, seen, &r);
    if (e)
        return e;
    put_result(k, &r);
    e = put_span(k, NULL, r.since, r.revision);
    json_close(&k->out, '}');
    if (!e && k->once)
        keep_result(k, &r);
    return e;
}

static const struct route routes[] = {
    {GET("/projects/:id/plan", get_plan, RIGHT_PROJECT_TICKET_VIEW,
         "The plan as the Gantt takes it, or what changed since a revision",
         .query = &plan_query)},
    {POST("/projects/:id/edits", post_edits, RIGHT_PROJECT_TICKET_EDIT,
          "Change the plan: many edits at once, all or nothing",
          .form = &plan_edit_form, .query = &plan_query,
          .flags = ROUTE_ONCE | ROUTE_RETELL | ROUTE_SUPPORT,
          .frees = plan_edit_is_deleting)},
};
const struct route_set plan_routes = {routes, COUNT(routes), SET_TOKENS};
