/* SPDX-License-Identifier: Apache-2.0 */
/* The register of incidents. */
#include "core/notice/incident.h"

#include "api/dispatch/routes.h"
#include "api/notice/notice_reply.h"

static const struct field list_fields[] = {
    {BOOL("open", OPTIONAL, "対応中", "Open")},
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form list_form = {"IncidentQuery", list_fields,
                                      COUNT(list_fields)};
static const struct field tenant_fields[] = {
    {OUT_TEXT("tenant", REQUIRED)},  {OUT_TEXT("name", REQUIRED)},
    {OUT_TEXT("since", REQUIRED)},   {OUT_TEXT("reported_at", NULLABLE)},
    {OUT_TEXT("gone_at", NULLABLE)},
};
static const struct form tenant_form = {"IncidentTenant", tenant_fields,
                                        COUNT(tenant_fields)};
static const struct field row_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("title", REQUIRED)},
    {OUT_TEXT("what", REQUIRED)},
    {OUT_CHOICE("severity", incident_severity_words, REQUIRED)},
    {OUT_TEXT("detected_at", REQUIRED)},
    {OUT_TEXT("due_at", NULLABLE)},
    {OUT_INT("seconds_left", NULLABLE)},
    {OUT_BOOL("is_overdue", REQUIRED)},
    {OUT_TEXT("first_report_at", NULLABLE)},
    {OUT_TEXT("recovered_at", NULLABLE)},
    {OUT_TEXT("closed_at", NULLABLE)},
    {OUT_TEXT("cause", NULLABLE)},
    {OUT_TEXT("measure", NULLABLE)},
    {OUT_TEXT("nobody_reason", NULLABLE)},
    {OUT_TEXT("recorded_by", REQUIRED)},
    {OUT_TEXT("recorded_at", REQUIRED)},
    {OUT_TEXT("closed_by", NULLABLE)},
    {OUT_INT("tenant_count", REQUIRED)},
    {OUT_INT("unreported", REQUIRED)},
    {OUT_INT("gone", REQUIRED)},
    {OUT_INT("version", REQUIRED)},
    {OUT_ROWS("tenants", &tenant_form, 0, OPTIONAL)},
    {OUT_ROWS("direct_contacts", &direct_contact_reply_form, 0, OPTIONAL)},
};
static const struct form row_form = {"Incident", row_fields, COUNT(row_fields)};
static const struct field summary_fields[] = {
    {OUT_INT("open", REQUIRED)},
    {OUT_INT("unreported", REQUIRED)},
    {OUT_INT("overdue", REQUIRED)},
    {OUT_TEXT("next_due_at", NULLABLE)},
};
static const struct form summary_form = {"IncidentSummary", summary_fields,
                                         COUNT(summary_fields)};
static const struct field setting_fields[] = {
    {OUT_TEXT("contact_ja", REQUIRED)},
    {OUT_TEXT("contact_en", REQUIRED)},
    {OUT_INT("warn_hours", REQUIRED)},
    {OUT_INT("version", REQUIRED)},
};
static const struct form setting_form = {"IncidentSetting", setting_fields,
                                         COUNT(setting_fields)};

static void put_row(struct call *k, const struct incident *i)
{
    struct json_out *o = &k->out;

    json_id(o, "id", i->id);
    json_text(o, "title", i->title);
    json_text(o, "what", i->what);
    json_text(o, "severity", incident_severity_words[i->severity]);
    json_moment(o, "detected_at", i->detected_at);
    json_moment(o, "due_at", i->due_at);
    if (i->due_at)
        json_int(o, "seconds_left", (i->due_at - k->c->now_us) / 1000000);
    else
        json_null(o, "seconds_left");
    json_bool(o, "is_overdue", i->due_at && i->due_at <= k->c->now_us);
    json_moment(o, "first_report_at", i->first_report_at);
    json_moment(o, "recovered_at", i->recovered_at);
    json_moment(o, "closed_at", i->closed_at);
    json_text(o, "cause", i->cause);
    json_text(o, "measure", i->measure);
    json_text(o, "nobody_reason", i->nobody_reason);
    json_text(o, "recorded_by", i->recorded_by);
    json_moment(o, "recorded_at", i->recorded_at);
    json_text(o, "closed_by", i->closed_by);
    json_int(o, "tenant_count", i->tenants);
    json_int(o, "unreported", i->unreported);
    json_int(o, "gone", i->gone);
    json_int(o, "version", i->version);
}

static enum err list_incidents(struct call *k)
{
    const struct incident *list;
    size_t count;
    bool more;
    enum err e = incident_list(k->c, values_bool(k->query, "open", false),
                               values_int(k->query, "after", 0), call_limit(k),
                               &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        put_row(k, &list[i]);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].id : 0);
    json_close(&k->out, '}');
    return OK;
}

static void put_tenants(struct call *k, const struct incident_tenant *list,
                        size_t count)
{
    struct json_out *o = &k->out;

    json_open(o, "tenants", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(o, NULL, '{');
        json_text(o, "tenant", list[i].tenant);
        json_text(o, "name", list[i].name);
        json_moment(o, "since", list[i].since);
        json_moment(o, "reported_at", list[i].reported_at);
        json_moment(o, "gone_at", list[i].gone_at);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static enum err reply(struct call *k, enum err e, const struct incident *i)
{
    const struct incident_tenant *tenants;
    const struct direct_contact *contacts;
    size_t tenant_count, contact_count;

    if (e)
        return e;
    const struct direct_contact_of of = {.incident_id = i->id};
    if ((e = incident_list_tenants(k->c, i->id, &tenants, &tenant_count)) ||
        (e = direct_contact_list(k->c, of, &contacts, &contact_count)))
        return e;
    call_etag(k, i->version);
    json_open(&k->out, NULL, '{');
    put_row(k, i);
    put_tenants(k, tenants, tenant_count);
    notice_put_contacts(k, contacts, contact_count);
    json_close(&k->out, '}');
    return OK;
}

static enum err get_incident(struct call *k)
{
    struct incident i;

    return reply(k, incident_get(k->c, call_id(k, 0), &i), &i);
}

static enum err post_incident(struct call *k)
{
    struct incident i;

    return reply(k, incident_create(k->c, k->body, &i), &i);
}

static enum err patch_incident(struct call *k)
{
    struct incident i;

    return reply(
        k, incident_update(k->c, call_id(k, 0), k->if_match, k->body, &i), &i);
}

static enum err post_tenants(struct call *k)
{
    struct incident i;

    return reply(
        k, incident_add_tenants(k->c, call_id(k, 0), k->if_match, k->body, &i),
        &i);
}

static enum err post_close(struct call *k)
{
    struct incident i;

    return reply(
        k, incident_close(k->c, call_id(k, 0), k->if_match, k->body, &i), &i);
}

static enum err post_contact(struct call *k)
{
    const struct direct_contact_of of = {.incident_id = call_id(k, 0)};
    struct direct_contact d;
    enum err e = direct_contact_add(k->c, of, k->body, &d);

    if (!e)
        notice_put_contact(k, &d);
    return e;
}

static enum err get_summary(struct call *k)
{
    struct incident_summary s;
    enum err e = incident_summary(k->c, &s);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_int(&k->out, "open", s.open);
    json_int(&k->out, "unreported", s.unreported);
    json_int(&k->out, "overdue", s.overdue);
    json_moment(&k->out, "next_due_at", s.next_due_at);
    json_close(&k->out, '}');
    return OK;
}

static enum err reply_setting(struct call *k, enum err e,
                              const struct incident_setting *s)
{
    if (e)
        return e;
    call_etag(k, s->version);
    json_open(&k->out, NULL, '{');
    json_text(&k->out, "contact_ja", s->contact_ja);
    json_text(&k->out, "contact_en", s->contact_en);
    json_int(&k->out, "warn_hours", s->warn_hours);
    json_int(&k->out, "version", s->version);
    json_close(&k->out, '}');
    return OK;
}

static enum err get_setting(struct call *k)
{
    struct incident_setting s;

    return reply_setting(k, incident_setting_get(k->c, &s), &s);
}

static enum err put_setting(struct call *k)
{
    struct incident_setting s;

    return reply_setting(
        k, incident_setting_set(k->c, k->if_match, k->body, &s), &s);
}

static const struct route routes[] = {
    {GET("/service/incidents", list_incidents, RIGHT_AUDITOR,
         "The register of incidents, newest first", .query = &list_form,
         .reply = &row_form, .flags = ROUTE_LIST)},
    {GET("/service/incidents/summary", get_summary, RIGHT_AUDITOR,
         "How many are open, and what is owed", .reply = &summary_form)},
    {GET("/service/incidents/setting", get_setting, RIGHT_AUDITOR,
         "Whom customers reach, when operators are warned",
         .reply = &setting_form)},
    {PUT("/service/incidents/setting", put_setting, RIGHT_OPERATOR,
         "Change that", .form = &incident_setting_form, .reply = &setting_form,
         .flags = ROUTE_MATCH)},
    {GET("/service/incidents/:id", get_incident, RIGHT_AUDITOR,
         "An incident, whom it concerns, who was spoken to",
         .reply = &row_form)},
    {POST("/service/incidents", post_incident, RIGHT_OPERATOR,
          "Enter an incident", .form = &incident_form, .reply = &row_form,
          .flags = ROUTE_CREATED)},
    {PATCH("/service/incidents/:id", patch_incident, RIGHT_OPERATOR,
           "Complete or correct it", .form = &incident_edit_form,
           .reply = &row_form, .flags = ROUTE_MATCH)},
    {POST("/service/incidents/:id/tenants", post_tenants, RIGHT_OPERATOR,
          "Tenants found to be concerned too", .form = &incident_tenants_form,
          .reply = &row_form, .flags = ROUTE_MATCH)},
    {POST("/service/incidents/:id/close", post_close, RIGHT_OPERATOR,
          "Close it with cause and measure", .form = &incident_close_form,
          .reply = &row_form, .flags = ROUTE_MATCH)},
    {POST("/service/incidents/:id/contacts", post_contact, RIGHT_OPERATOR,
          "Record that a customer was spoken to", .form = &direct_contact_form,
          .reply = &direct_contact_reply_form, .flags = ROUTE_CREATED)},
};
const struct route_set incident_routes = {routes, COUNT(routes), 0};
