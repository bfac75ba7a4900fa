/* SPDX-License-Identifier: Apache-2.0 */
#include "api/routes.h"
#include "core/bin.h"

static const struct field page_fields[] = {
    {"limit", FIELD_INT, 1, 200, 0, NULL, NULL, "件数", "Limit"},
    {"after", FIELD_ID,  0, 0,   0, NULL, NULL, "続き", "After"},
};
static const struct form page_form = {"BinQuery", page_fields,
                                      COUNT(page_fields)};
static const struct field item_fields[] = {
    {"id",         FIELD_ID,   0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"key",        FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"name",       FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"deleted_at", FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"erased_at",  FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"tickets",    FIELD_INT,  0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
};
static const struct form item_form = {"BinItem", item_fields,
                                      COUNT(item_fields)};

static enum err list_projects(struct call *k)
{
    return bin_put_projects(k->c, values_int(k->query, "after", 0),
                            call_limit(k), &k->out);
}

static enum err restore_project(struct call *k)
{
    return bin_restore_project(k->c, call_id(k, 0));
}

static enum err list_tickets(struct call *k)
{
    return bin_put_tickets(k->c, call_id(k, 0),
                           values_int(k->query, "after", 0), call_limit(k),
                           &k->out);
}

static const struct route routes[] = {
    {METHOD_GET,  "/api/v1/bin/projects",             list_projects,   RIGHT_ADMIN, NULL,
     &page_form,                                                                                      &item_form, ROUTE_LIST, "Deleted projects, not erased yet"},
    {METHOD_POST, "/api/v1/bin/projects/:id/restore", restore_project,
     RIGHT_ADMIN,                                                                   NULL, NULL,       NULL,       0,          "Take a project out of the bin"   },
    {METHOD_GET,  "/api/v1/projects/:id/bin",         list_tickets,
     RIGHT_PROJECT_TICKET_VIEW,                                                     NULL, &page_form, &item_form, ROUTE_LIST,
     "Deleted tickets of a project; an edit restores them"                                                                                                      },
};
const struct route_set bin_routes = {routes, COUNT(routes), SET_TOKENS};
