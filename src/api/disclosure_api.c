/* SPDX-License-Identifier: Apache-2.0 */
/* Disclosures that the law demands: the operator's record, and what of it a
 * customer may know. */
#include "api/place.h"
#include "api/routes.h"
#include "core/disclosure.h"

static const struct field reply_fields[] = {
    {"id",           FIELD_ID,   0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"authority",    FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"basis",        FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"what",         FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"asked_on",     FIELD_DAY,  0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"disclosed_on", FIELD_DAY,  0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
    {"told_at",      FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
};
static const struct form reply_form = {"Disclosure", reply_fields,
                                       COUNT(reply_fields)};
static const struct field row_fields[] = {
    {"id",           FIELD_ID,   0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"tenant",       FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"tenant_name",  FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"authority",    FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"basis",        FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"what",         FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"asked_on",     FIELD_DAY,  0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"disclosed_on", FIELD_DAY,  0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
    {"may_tell",     FIELD_BOOL, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"told_at",      FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
    {"recorded_by",  FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"recorded_at",  FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"version",      FIELD_INT,  0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
};
static const struct form row_form = {"DisclosureRecord", row_fields,
                                     COUNT(row_fields)};
static const struct field page_fields[] = {
    {"limit", FIELD_INT, 1, 200, 0, NULL, NULL, "件数", "Limit"},
    {"after", FIELD_ID,  0, 0,   0, NULL, NULL, "続き", "After"},
};
static const struct form page_form = {"DisclosureQuery", page_fields,
                                      COUNT(page_fields)};

static void put_row(struct call *k, const struct disclosure *d)
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
    const struct disclosure *list;
    size_t count;
    bool more;
    enum err e = disclosure_list(k->c, k->app->store, tenant, tenant != NULL,
                                 values_int(k->query, "after", 0),
                                 call_limit(k), &list, &count, &more);

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

static enum err reply(struct call *k, enum err e, const struct disclosure *d)
{
    if (e)
        return e;
    call_etag(k, d->version);
    put_row(k, d);
    return OK;
}

static enum err post_record(struct call *k)
{
    struct disclosure d;

    return reply(k, disclosure_create(k->c, k->app, k->body, &d), &d);
}

static enum err patch_record(struct call *k)
{
    struct disclosure d;
    enum err e = disclosure_update(k->c, k->app, call_id(k, 0), k->if_match,
                                   k->body, &d);

    return reply(k, e, &d);
}

static const struct route routes[] = {
    {METHOD_GET,   "/api/v1/disclosures",          list_own,     RIGHT_ADMIN,    NULL, &page_form,
     &reply_form,                                                                                             ROUTE_LIST | ROUTE_NO_TX,
     "What of the tenant's data the law demanded"                  },
    {METHOD_GET,   "/api/v1/desk/disclosures",     list_all,     RIGHT_AUDITOR,  NULL,
     &page_form,                                                                                   &row_form, ROUTE_LIST | ROUTE_NO_TX,
     "The record of disclosures, newest first"                     },
    {METHOD_POST,  "/api/v1/desk/disclosures",     post_record,  RIGHT_OPERATOR,
     &disclosure_form,                                                                 NULL,       &row_form, ROUTE_NO_TX | ROUTE_CREATED,
     "Record a disclosure; the customer is told if that is allowed"},
    {METHOD_PATCH, "/api/v1/desk/disclosures/:id", patch_record, RIGHT_OPERATOR,
     &disclosure_edit_form,                                                            NULL,       &row_form, ROUTE_NO_TX | ROUTE_MATCH,
     "Correct or complete the record"                              },
};
const struct route_set disclosure_routes = {routes, COUNT(routes), SET_TOKENS};
