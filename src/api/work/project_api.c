/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/master/label.h"
#include "core/work/program.h"
#include "core/work/project.h"
#include "core/work/workday.h"

static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("key", REQUIRED)},
    {OUT_TEXT("name", REQUIRED)},
    {OUT_LINES("details", REQUIRED)},
    {OUT_ID("program", NULLABLE)},
    {OUT_CHOICE("approach", approach_words, REQUIRED)},
    {OUT_DAY("start", NULLABLE)},
    {OUT_DAY("end", NULLABLE)},
    {OUT_CHOICE("state", program_state_words, REQUIRED)},
    {OUT_BOOL("auto_dates", REQUIRED)},
    {OUT_BOOL("auto_parent", REQUIRED)},
    {OUT_INT("members", REQUIRED)},
    {OUT_INT("tickets", REQUIRED)},
    {OUT_INT("done", REQUIRED)},
    {OUT_INT("late", REQUIRED)},
    {OUT_INT("progress", REQUIRED)},
    {OUT_INT("version", REQUIRED)},
};
static const struct form project_reply_form = {"Project", reply_fields,
                                               COUNT(reply_fields)};

static void put_plain(struct call *k, const struct project *p)
{
    json_id(&k->out, "id", p->id);
    json_text(&k->out, "key", p->key);
    json_text(&k->out, "name", p->name);
    json_text(&k->out, "details", p->details);
    json_id(&k->out, "program", p->program_id);
    json_text(&k->out, "approach", approach_words[p->approach]);
    json_day(&k->out, "start", p->start_day);
    json_day(&k->out, "end", p->end_day);
    json_text(&k->out, "state", program_state_words[p->is_archived]);
    json_bool(&k->out, "auto_dates", p->auto_dates);
    json_bool(&k->out, "auto_parent", p->auto_parent);
    json_int(&k->out, "members", p->members);
    json_int(&k->out, "tickets", p->tickets);
    json_int(&k->out, "done", p->done);
    json_int(&k->out, "late", p->late);
    json_int(&k->out, "progress", p->progress);
    json_int(&k->out, "version", p->version);
}

static void put_manager(struct call *k, const struct project *p)
{
    if (!p->manager_id) {
        json_null(&k->out, "manager");
        return;
    }
    json_open(&k->out, "manager", '{');
    json_id(&k->out, "id", p->manager_id);
    json_text(&k->out, "name", p->manager_name);
    json_close(&k->out, '}');
}

static enum err reply_project(struct call *k, const struct project *p)
{
    struct workdays own;
    enum err e = OK;

    if (p->has_own_calendar && (e = workday_get(k->c, p->calendar_id, &own)))
        return e;
    call_etag(k, p->version);
    json_open(&k->out, NULL, '{');
    put_plain(k, p);
    put_manager(k, p);
    label_put_ids(&k->out, "labels", p->labels, p->label_count);
    label_put_ids(&k->out, "teams", p->teams, p->team_count);
    json_id(&k->out, "calendar_id", p->has_own_calendar ? 0 : p->calendar_id);
    access_put_rights(&k->out, "rights", p->rights);
    if (p->has_own_calendar)
        workday_put_json(&k->out, "calendar", &own);
    else
        json_null(&k->out, "calendar");
    json_close(&k->out, '}');
    return OK;
}

static enum err get_project(struct call *k)
{
    struct project p;
    enum err e = project_get(k->c, call_id(k, 0), &p);

    return e ? e : reply_project(k, &p);
}

static enum err post_project(struct call *k)
{
    struct project p;
    enum err e = project_create(k->c, k->body, &p);

    return e ? e : reply_project(k, &p);
}

static enum err patch_project(struct call *k)
{
    struct project p;
    enum err e = project_update(k->c, call_id(k, 0), k->if_match, k->body, &p);

    return e ? e : reply_project(k, &p);
}

static enum err delete_project(struct call *k)
{
    return project_delete(k->c, call_id(k, 0), k->if_match);
}

static enum err put_calendar(struct call *k)
{
    enum err e = workday_put_project(k->c, call_id(k, 0), k->body);

    return e ? e : get_project(k);
}

static enum err delete_calendar(struct call *k)
{
    enum err e = workday_drop_project(k->c, call_id(k, 0));

    return e ? e : get_project(k);
}

static const struct route routes[] = {
    {POST("/projects", post_project, RIGHT_SIGNED_IN, "Create a project",
          .form = &project_form, .reply = &project_reply_form,
          .flags = ROUTE_CREATED | ROUTE_ONCE)},
    {GET("/projects/:id", get_project, RIGHT_PROJECT_VIEW, "One project",
         .reply = &project_reply_form)},
    {PATCH("/projects/:id", patch_project, RIGHT_PROJECT_EDIT,
           "Change a project", .form = &project_edit_form,
           .reply = &project_reply_form, .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
    {DELETE("/projects/:id", delete_project, RIGHT_PROJECT_DELETE,
            "Put a project into the bin",
            .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
    {PUT("/projects/:id/calendar", put_calendar, RIGHT_PROJECT_EDIT,
         "Give a project a calendar of its own", .form = &workdays_form,
         .reply = &project_reply_form, .flags = ROUTE_SUPPORT)},
    {DELETE("/projects/:id/calendar", delete_calendar, RIGHT_PROJECT_EDIT,
            "Go back to the tenant's calendar", .reply = &project_reply_form,
            .flags = ROUTE_SUPPORT)},
};
const struct route_set project_routes = {routes, COUNT(routes), SET_TOKENS};
