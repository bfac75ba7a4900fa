/* SPDX-License-Identifier: Apache-2.0 */
/* Disclosures that the law demands: the operator's record, and what of it a
 * customer may know. */
#include "api/dispatch/routes.h"
#include "api/dispatch/tenant_resolver.h"
#include "core/register/authority_request.h"

static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},        {OUT_TEXT("authority", REQUIRED)},
    {OUT_TEXT("basis", REQUIRED)},   {OUT_TEXT("what", REQUIRED)},
    {OUT_DAY("asked_on", REQUIRED)}, {OUT_DAY("disclosed_on", NULLABLE)},
    {OUT_TEXT("told_at", NULLABLE)},
};
static const struct form reply_form = {"Disclosure", reply_fields,
                                       COUNT(reply_fields)};
static const struct field row_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("tenant", REQUIRED)},
    {OUT_TEXT("tenant_name", REQUIRED)},
    {OUT_TEXT("authority", REQUIRED)},
    {OUT_TEXT("basis", REQUIRED)},
    {OUT_TEXT("what", REQUIRED)},
    {OUT_DAY("asked_on", REQUIRED)},
    {OUT_DAY("disclosed_on", NULLABLE)},
    {OUT_BOOL("may_tell", REQUIRED)},
    {OUT_TEXT("told_at", NULLABLE)},
    {OUT_TEXT("recorded_by", REQUIRED)},
    {OUT_TEXT("recorded_at", REQUIRED)},
    {OUT_INT("version", REQUIRED)},
};
static const struct form row_form = {"DisclosureRecord", row_fields,
                                     COUNT(row_fields)};
static const struct field page_fields[] = {
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form page_form = {"DisclosureQuery", page_fields,
                                      COUNT(page_fields)};

static void put_row(struct call *k, const struct authority_request *d)
{
    struct json_out *o = &k->out;

    json_open(o, NULL, '{');
    json_id(o, "id", d->id);
    json_text(o, "authority", d->authority);
    json_text(o, "basis", d->basis);
    json_text(o, "what", d->what);
    json_day(o, "asked_on", d->asked_on);
    json_day(o, "disclosed_on", d->disclosed_on);
    json_moment(o, "told_at", d->told_at);
    if (k->place->is_operator) {
        json_text(o, "tenant", d->tenant);
        json_text(o, "tenant_name", d->tenant_name);
        json_bool(o, "may_tell", d->may_tell);
        json_text(o, "recorded_by", d->recorded_by);
        json_moment(o, "recorded_at", d->recorded_at);
        json_int(o, "version", d->version);
    }
    json_close(o, '}');
}

static enum err put_list(struct call *k, const char *tenant)
{
    const struct authority_request *list;
    size_t count;
    bool more;
    enum err e = authority_request_list(
        k->c, k->app->store, tenant, tenant != NULL,
        values_int(k->query, "after", 0), call_limit(k), &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_row(k, &list[i]);
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].id : 0);
    json_close(&k->out, '}');
    return OK;
}

static enum err list_own(struct call *k)
{
    return put_list(k, k->c->actor->tenant);
}

static enum err list_all(struct call *k)
{
    return put_list(k, NULL);
}

static enum err reply(struct call *k, enum err e,
                      const struct authority_request *d)
{
    if (e)
        return e;
    call_etag(k, d->version);
    put_row(k, d);
    return OK;
}

static enum err post_record(struct call *k)
{
    struct authority_request d;

    return reply(k, authority_request_create(k->c, k->app, k->body, &d), &d);
}

static enum err patch_record(struct call *k)
{
    struct authority_request d;
    enum err e = authority_request_update(k->c, k->app, call_id(k, 0),
                                          k->if_match, k->body, &d);

    return reply(k, e, &d);
}

static const struct route routes[] = {
    {GET("/disclosures", list_own, RIGHT_ADMIN,
         "What of the tenant's data the law demanded", .query = &page_form,
         .reply = &reply_form, .flags = ROUTE_LIST | ROUTE_NO_TX)},
    {GET("/desk/disclosures", list_all, RIGHT_AUDITOR,
         "The record of disclosures, newest first", .query = &page_form,
         .reply = &row_form, .flags = ROUTE_LIST | ROUTE_NO_TX)},
    {POST("/desk/disclosures", post_record, RIGHT_OPERATOR,
          "Record a disclosure; the customer is told if that is allowed",
          .form = &authority_request_form, .reply = &row_form,
          .flags = ROUTE_NO_TX | ROUTE_CREATED)},
    {PATCH("/desk/disclosures/:id", patch_record, RIGHT_OPERATOR,
           "Correct or complete the record",
           .form = &authority_request_edit_form, .reply = &row_form,
           .flags = ROUTE_NO_TX | ROUTE_MATCH)},
};
const struct route_set authority_request_routes = {routes, COUNT(routes),
                                                   SET_TOKENS};
