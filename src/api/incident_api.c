/* SPDX-License-Identifier: Apache-2.0 */
/* The register of incidents. */
#include "core/incident.h"

#include "api/notice_reply.h"
#include "api/routes.h"

static const struct field list_fields[] = {
    {"open",  FIELD_BOOL, 0, 0,   0, NULL, NULL, "対応中", "Open" },
    {"limit", FIELD_INT,  1, 200, 0, NULL, NULL, "件数",    "Limit"},
    {"after", FIELD_ID,   0, 0,   0, NULL, NULL, "続き",    "After"},
};
static const struct form list_form = {"IncidentQuery", list_fields,
                                      COUNT(list_fields)};
static const struct field tenant_fields[] = {
    {"tenant",      FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"name",        FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"since",       FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"reported_at", FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
    {"gone_at",     FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
};
static const struct form tenant_form = {"IncidentTenant", tenant_fields,
                                        COUNT(tenant_fields)};
static const struct field row_fields[] = {
    {"id",              FIELD_ID,     0, 0, FIELD_REQUIRED, NULL,                    NULL,                       "", ""},
    {"title",           FIELD_TEXT,   0, 0, FIELD_REQUIRED, NULL,                    NULL,                       "", ""},
    {"what",            FIELD_TEXT,   0, 0, FIELD_REQUIRED, NULL,                    NULL,                       "", ""},
    {"severity",        FIELD_CHOICE, 0, 0, FIELD_REQUIRED, incident_severity_words,
     NULL,                                                                                                       "", ""},
    {"detected_at",     FIELD_TEXT,   0, 0, FIELD_REQUIRED, NULL,                    NULL,                       "", ""},
    {"due_at",          FIELD_TEXT,   0, 0, FIELD_NULLABLE, NULL,                    NULL,                       "", ""},
    {"seconds_left",    FIELD_INT,    0, 0, FIELD_NULLABLE, NULL,                    NULL,                       "", ""},
    {"is_overdue",      FIELD_BOOL,   0, 0, FIELD_REQUIRED, NULL,                    NULL,                       "", ""},
    {"first_report_at", FIELD_TEXT,   0, 0, FIELD_NULLABLE, NULL,                    NULL,                       "", ""},
    {"recovered_at",    FIELD_TEXT,   0, 0, FIELD_NULLABLE, NULL,                    NULL,                       "", ""},
    {"closed_at",       FIELD_TEXT,   0, 0, FIELD_NULLABLE, NULL,                    NULL,                       "", ""},
    {"cause",           FIELD_TEXT,   0, 0, FIELD_NULLABLE, NULL,                    NULL,                       "", ""},
    {"measure",         FIELD_TEXT,   0, 0, FIELD_NULLABLE, NULL,                    NULL,                       "", ""},
    {"nobody_reason",   FIELD_TEXT,   0, 0, FIELD_NULLABLE, NULL,                    NULL,                       "", ""},
    {"recorded_by",     FIELD_TEXT,   0, 0, FIELD_REQUIRED, NULL,                    NULL,                       "", ""},
    {"recorded_at",     FIELD_TEXT,   0, 0, FIELD_REQUIRED, NULL,                    NULL,                       "", ""},
    {"closed_by",       FIELD_TEXT,   0, 0, FIELD_NULLABLE, NULL,                    NULL,                       "", ""},
    {"tenant_count",    FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,                    NULL,                       "", ""},
    {"unreported",      FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,                    NULL,                       "", ""},
    {"gone",            FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,                    NULL,                       "", ""},
    {"version",         FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,                    NULL,                       "", ""},
    {"tenants",         FIELD_ROWS,   0, 0, 0,              NULL,                    &tenant_form,               "", ""},
    {"direct_contacts", FIELD_ROWS,   0, 0, 0,              NULL,                    &direct_contact_reply_form,
     "",                                                                                                             ""},
};
static const struct form row_form = {"Incident", row_fields, COUNT(row_fields)};
static const struct field summary_fields[] = {
    {"open",        FIELD_INT,  0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"unreported",  FIELD_INT,  0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"overdue",     FIELD_INT,  0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"next_due_at", FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
};
static const struct form summary_form = {"IncidentSummary", summary_fields,
                                         COUNT(summary_fields)};
static const struct field setting_fields[] = {
    {"contact_ja", FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"contact_en", FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"warn_hours", FIELD_INT,  0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"version",    FIELD_INT,  0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
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
    {METHOD_GET,   "/api/v1/service/incidents",              list_incidents, RIGHT_AUDITOR,
     NULL,                                                                                                           &list_form, &row_form,                  ROUTE_LIST,
     "The register of incidents, newest first"                                                                                                                                                                    },
    {METHOD_GET,   "/api/v1/service/incidents/summary",      get_summary,
     RIGHT_AUDITOR,                                                                          NULL,                   NULL,       &summary_form,              0,
     "How many are open, and what is owed"                                                                                                                                                                        },
    {METHOD_GET,   "/api/v1/service/incidents/setting",      get_setting,
     RIGHT_AUDITOR,                                                                          NULL,                   NULL,       &setting_form,              0,
     "Whom customers reach, when operators are warned"                                                                                                                                                            },
    {METHOD_PUT,   "/api/v1/service/incidents/setting",      put_setting,
     RIGHT_OPERATOR,                                                                         &incident_setting_form, NULL,       &setting_form,              ROUTE_MATCH,
     "Change that"                                                                                                                                                                                                },
    {METHOD_GET,   "/api/v1/service/incidents/:id",          get_incident,   RIGHT_AUDITOR,
     NULL,                                                                                                           NULL,       &row_form,                  0,
     "An incident, whom it concerns, who was spoken to"                                                                                                                                                           },
    {METHOD_POST,  "/api/v1/service/incidents",              post_incident,  RIGHT_OPERATOR,
     &incident_form,                                                                                                 NULL,       &row_form,                  ROUTE_CREATED, "Enter an incident"                   },
    {METHOD_PATCH, "/api/v1/service/incidents/:id",          patch_incident,
     RIGHT_OPERATOR,                                                                         &incident_edit_form,    NULL,       &row_form,                  ROUTE_MATCH,
     "Complete or correct it"                                                                                                                                                                                     },
    {METHOD_POST,  "/api/v1/service/incidents/:id/tenants",  post_tenants,
     RIGHT_OPERATOR,                                                                         &incident_tenants_form, NULL,       &row_form,                  ROUTE_MATCH,
     "Tenants found to be concerned too"                                                                                                                                                                          },
    {METHOD_POST,  "/api/v1/service/incidents/:id/close",    post_close,
     RIGHT_OPERATOR,                                                                         &incident_close_form,   NULL,       &row_form,                  ROUTE_MATCH,
     "Close it with cause and measure"                                                                                                                                                                            },
    {METHOD_POST,  "/api/v1/service/incidents/:id/contacts", post_contact,
     RIGHT_OPERATOR,                                                                         &direct_contact_form,   NULL,       &direct_contact_reply_form,
     ROUTE_CREATED,                                                                                                                                                         "Record that a customer was spoken to"},
};
const struct route_set incident_routes = {routes, COUNT(routes), 0};
