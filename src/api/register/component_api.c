/* SPDX-License-Identifier: Apache-2.0 */
/* What the binary is made of, and how it was built. */
#include "api/dispatch/routes.h"
#include "core/register/component.h"

static const struct field reply_fields[] = {
    {OUT_TEXT("name", REQUIRED)},     {OUT_TEXT("version", REQUIRED)},
    {OUT_TEXT("license", REQUIRED)},  {OUT_TEXT("source", REQUIRED)},
    {OUT_TEXT("checksum", REQUIRED)}, {OUT_DAY("released", REQUIRED)},
    {OUT_INT("days", REQUIRED)},      {OUT_BOOL("is_old", REQUIRED)},
    {OUT_TEXT("why_old", NULLABLE)},
};
static const struct form reply_form = {"Component", reply_fields,
                                       COUNT(reply_fields)};
static const struct field build_fields[] = {
    {OUT_TEXT("version", REQUIRED)}, {OUT_TEXT("compiler", REQUIRED)},
    {OUT_TEXT("commit", NULLABLE)},  {OUT_BOOL("is_clean", REQUIRED)},
    {OUT_TEXT("sources", NULLABLE)}, {OUT_TEXT("tested", NULLABLE)},
    {OUT_TEXT("checked", NULLABLE)}, {OUT_INT("commits", NULLABLE)},
    {OUT_INT("reviewed", NULLABLE)}, {OUT_TEXT("notes", NULLABLE)},
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
    {GET("/components", list_components, RIGHT_AUDITOR,
         "What the binary is made of", .reply = &reply_form,
         .flags = ROUTE_LIST)},
    {GET("/build", get_build, RIGHT_AUDITOR,
         "How the binary was built, and what was checked",
         .reply = &build_form)},
};
const struct route_set component_routes = {routes, COUNT(routes), 0};
