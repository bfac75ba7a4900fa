/* SPDX-License-Identifier: Apache-2.0 */
#include "api/routes.h"
#include "core/workday.h"

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
    {METHOD_GET,    "/api/v1/calendars",     list_calendars,  RIGHT_SIGNED_IN,    NULL,
     NULL,                                                                                    NULL, 0,             "Work calendars of the tenant"},
    {METHOD_POST,   "/api/v1/calendars",     post_calendar,   RIGHT_ADMIN_MASTER,
     &workday_named_form,                                                               NULL, NULL, ROUTE_CREATED, "Add a work calendar"         },
    {METHOD_PUT,    "/api/v1/calendars/:id", put_calendar,    RIGHT_ADMIN_MASTER,
     &workday_named_form,                                                               NULL, NULL, ROUTE_MATCH,
     "Replace a work calendar; plans that follow it are worked out anew"                                                                         },
    {METHOD_DELETE, "/api/v1/calendars/:id", delete_calendar,
     RIGHT_ADMIN_MASTER,                                                          NULL, NULL, NULL, ROUTE_MATCH,
     "Delete a work calendar that is not in use"                                                                                                 },
};
const struct route_set workday_routes = {routes, COUNT(routes), SET_TOKENS};
