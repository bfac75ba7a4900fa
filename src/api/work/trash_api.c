/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/work/trash.h"

static const struct field page_fields[] = {
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form page_form = {"BinQuery", page_fields,
                                      COUNT(page_fields)};
static const struct field item_fields[] = {
    {OUT_ID("id", REQUIRED)},          {OUT_TEXT("key", REQUIRED)},
    {OUT_TEXT("name", REQUIRED)},      {OUT_TEXT("deleted_at", REQUIRED)},
    {OUT_TEXT("erased_at", REQUIRED)}, {OUT_INT("tickets", REQUIRED)},
};
static const struct form item_form = {"BinItem", item_fields,
                                      COUNT(item_fields)};

static enum err list_projects(struct call *k)
{
    return trash_put_projects(k->c, values_int(k->query, "after", 0),
                              call_limit(k), &k->out);
}

static enum err restore_project(struct call *k)
{
    return trash_restore_project(k->c, call_id(k, 0));
}

static enum err list_tickets(struct call *k)
{
    return trash_put_tickets(k->c, call_id(k, 0),
                             values_int(k->query, "after", 0), call_limit(k),
                             &k->out);
}

static const struct route routes[] = {
    {GET("/bin/projects", list_projects, RIGHT_ADMIN,
         "Deleted projects, not erased yet", .query = &page_form,
         .reply = &item_form, .flags = ROUTE_LIST)},
    {POST("/bin/projects/:id/restore", restore_project, RIGHT_ADMIN,
          "Take a project out of the bin")},
    {GET("/projects/:id/bin", list_tickets, RIGHT_PROJECT_TICKET_VIEW,
         "Deleted tickets of a project; an edit restores them",
         .query = &page_form, .reply = &item_form, .flags = ROUTE_LIST)},
};
const struct route_set trash_routes = {routes, COUNT(routes), SET_TOKENS};
