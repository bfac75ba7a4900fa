/* SPDX-License-Identifier: Apache-2.0 */
/* What the binary is made of, and how it was built. */
#include "api/routes.h"
#include "core/component.h"

static const struct field reply_fields[] = {
    {"name",     FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"version",  FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"license",  FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"source",   FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"checksum", FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"released", FIELD_DAY,  0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"days",     FIELD_INT,  0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"is_old",   FIELD_BOOL, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"why_old",  FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
};
static const struct form reply_form = {"Component", reply_fields,
                                       COUNT(reply_fields)};
static const struct field build_fields[] = {
    {"version",  FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"compiler", FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"commit",   FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
    {"is_clean", FIELD_BOOL, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"sources",  FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
    {"tested",   FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
    {"checked",  FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
    {"commits",  FIELD_INT,  0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
    {"reviewed", FIELD_INT,  0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
    {"notes",    FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
};
static const struct form build_form = {"Build", build_fields,
                                       COUNT(build_fields)};

static enum err list_components(struct call *k)
{
    struct json_out *o = &k->out;

    json_open(o, NULL, '{');
    json_open(o, "items", '[');
    for (int i = 0; i < build_component_count; i++) {
        const struct build_part *p = &build_parts[i];
        struct component_age age = component_age(p, k->c->now_us);
        json_open(o, NULL, '{');
        json_text(o, "name", p->name);
        json_text(o, "version", p->version);
        json_text(o, "license", p->license);
        json_text(o, "source", p->source);
        json_text(o, "checksum", p->checksum);
        json_text(o, "released", p->released);
        json_int(o, "days", age.days);
        json_bool(o, "is_old", age.is_old);
        json_text(o, "why_old", ctx_text(k->c, p->why_old_ja, p->why_old_en));
        json_close(o, '}');
    }
    json_close(o, ']');
    json_null(o, "next");
    json_close(o, '}');
    return OK;
}

static enum err get_build(struct call *k)
{
    static const struct build_record none = {.commits = -1, .reviewed = -1};
    const struct build_record *r = k->app->record ? k->app->record : &none;
    struct json_out *o = &k->out;

    json_open(o, NULL, '{');
    json_text(o, "version", YAGURA_VERSION);
    json_text(o, "compiler", "gcc " __VERSION__);
    json_text(o, "commit", r->commit);
    json_bool(o, "is_clean", r->is_clean);
    json_text(o, "sources", r->sources);
    json_text(o, "tested", r->tested);
    json_text(o, "checked", r->checked);
    if (r->commits < 0) {
        json_null(o, "commits");
        json_null(o, "reviewed");
    } else {
        json_int(o, "commits", r->commits);
        json_int(o, "reviewed", r->reviewed);
    }
    json_text(o, "notes", ctx_text(k->c, r->notes_ja, r->notes_en));
    json_close(o, '}');
    return OK;
}

static const struct route routes[] = {
    {METHOD_GET, "/api/v1/components", list_components, RIGHT_AUDITOR, NULL,
     NULL,                                                                         &reply_form, ROUTE_LIST, "What the binary is made of"                    },
    {METHOD_GET, "/api/v1/build",      get_build,       RIGHT_AUDITOR, NULL, NULL,
     &build_form,                                                                               0,          "How the binary was built, and what was checked"},
};
const struct route_set component_routes = {routes, COUNT(routes), 0};
