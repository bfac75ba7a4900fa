/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/work/workday.h"

static enum err list_calendars(struct call *k)
{
    json_open(&k->out, NULL, '{');
    enum err e = workday_put_list(k->c, &k->out);
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return e;
}

static enum err post_calendar(struct call *k)
{
    int64_t id;
    enum err e = workday_create(k->c, k->body, &id);

    return e ? e : list_calendars(k);
}

static enum err put_calendar(struct call *k)
{
    enum err e = workday_update(k->c, call_id(k, 0), k->if_match, k->body);

    return e ? e : list_calendars(k);
}

static enum err delete_calendar(struct call *k)
{
    return workday_delete(k->c, call_id(k, 0), k->if_match);
}

static const struct route routes[] = {
    {GET("/calendars", list_calendars, RIGHT_SIGNED_IN,
         "Work calendars of the tenant")},
    {POST("/calendars", post_calendar, RIGHT_ADMIN_MASTER,
          "Add a work calendar", .form = &workday_named_form,
          .flags = ROUTE_CREATED | ROUTE_SUPPORT)},
    {PUT("/calendars/:id", put_calendar, RIGHT_ADMIN_MASTER,
         "Replace a work calendar; plans that follow it are worked out anew",
         .form = &workday_named_form, .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
    {DELETE("/calendars/:id", delete_calendar, RIGHT_ADMIN_MASTER,
            "Delete a work calendar that is not in use",
            .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
};
const struct route_set workday_routes = {routes, COUNT(routes), SET_TOKENS};
