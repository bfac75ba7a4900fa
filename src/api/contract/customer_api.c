/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's list of tenants. */
#include "api/dispatch/routes.h"
#include "core/contract/customer.h"

static const struct field reply_fields[] = {
    {OUT_TEXT("id", REQUIRED)},
    {OUT_TEXT("name", REQUIRED)},
    {OUT_TEXT("host", NULLABLE)},
    {OUT_CHOICE("state", tenant_directory_state_words, REQUIRED)},
    {OUT_TEXT("created_at", REQUIRED)},
    {OUT_CHOICE("standing", tenant_directory_status_words, REQUIRED)},
    {OUT_BOOL("is_suspended", OPTIONAL)},
    {OUT_DAY("end_on", NULLABLE)},
    {OUT_DAY("delete_on", NULLABLE)},
    {OUT_INT("quota_bytes", OPTIONAL)},
    {OUT_INT("quota_users", OPTIONAL)},
    {OUT_INT("users", OPTIONAL)},
    {OUT_INT("admins", OPTIONAL)},
    {OUT_INT("invited", OPTIONAL)},
    {OUT_INT("suspended", OPTIONAL)},
    {OUT_INT("projects", OPTIONAL)},
    {OUT_INT("tickets", OPTIONAL)},
    {OUT_INT("size_bytes", OPTIONAL)},
    {OUT_INT("used_bytes", OPTIONAL)},
    {OUT_TEXT("signed_in_at", NULLABLE)},
    {OUT_INT("terms_no", OPTIONAL)},
    {OUT_TEXT("terms_at", NULLABLE)},
};
static const struct form reply_form = {"Customer", reply_fields,
                                       COUNT(reply_fields)};

static void put_row(struct call *k, const struct tenant_directory_row *row)
{
    json_text(&k->out, "id", row->id);
    json_text(&k->out, "name", row->name);
    json_text(&k->out, "host", row->host);
    json_text(&k->out, "state", tenant_directory_state_words[row->state]);
    json_moment(&k->out, "created_at", row->created_at);
    json_text(&k->out, "standing",
              tenant_directory_status_words[tenant_directory_status(
                  row, k->c->now_us)]);
    json_bool(&k->out, "is_suspended", row->is_suspended);
    json_day(&k->out, "end_on", row->end_on);
    json_day(&k->out, "delete_on", row->delete_on);
    json_int(&k->out, "quota_bytes", row->quota_bytes);
    json_int(&k->out, "quota_users", row->quota_users);
}

static enum err list_tenants(struct call *k)
{
    const struct tenant_directory_row *list;
    size_t count;
    enum err e = tenant_directory_list(k->c, k->app->store, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        put_row(k, &list[i]);
        json_int(&k->out, "used_bytes", list[i].use_bytes);
        json_int(&k->out, "users", list[i].use_users);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err get_tenant(struct call *k)
{
    struct customer_figures f;
    struct tenant_directory_row row;
    enum err e = customer_get(k->c, k->app, k->params[0], &row, &f);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    put_row(k, &row);
    json_int(&k->out, "users", f.users);
    json_int(&k->out, "admins", f.admins);
    json_int(&k->out, "invited", f.invited);
    json_int(&k->out, "suspended", f.suspended);
    json_int(&k->out, "projects", f.projects);
    json_int(&k->out, "tickets", f.tickets);
    json_int(&k->out, "size_bytes", f.size_bytes);
    json_int(&k->out, "used_bytes", f.used_bytes);
    json_moment(&k->out, "signed_in_at", f.signed_in_at);
    json_int(&k->out, "terms_no", f.terms_no);
    json_moment(&k->out, "terms_at", f.terms_at);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_tenant(struct call *k)
{
    struct tenant_directory_row row;
    enum err e = customer_create(k->c, k->app, k->body, &row);
    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    put_row(k, &row);
    json_close(&k->out, '}');
    return OK;
}

static const struct route routes[] = {
    {GET("/tenants", list_tenants, RIGHT_AUDITOR, "All tenants",
         .reply = &reply_form, .flags = ROUTE_LIST | ROUTE_NO_TX)},
    {GET("/tenants/:id", get_tenant, RIGHT_AUDITOR,
         "One tenant, in counts and sizes", .reply = &reply_form,
         .flags = ROUTE_NO_TX)},
    {POST("/tenants", post_tenant, RIGHT_OPERATOR,
          "Found a tenant and invite its first administrator",
          .form = &customer_form, .reply = &reply_form,
          .flags = ROUTE_NO_TX | ROUTE_CREATED)},
};
const struct route_set customer_routes = {routes, COUNT(routes), 0};
