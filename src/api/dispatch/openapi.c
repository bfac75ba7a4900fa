/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI 3.1 description, printed from the tables the server runs by. */
#include "api/dispatch/call.h"
#include "base/str.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const method_names[] = {
    [METHOD_GET] = "get",     [METHOD_HEAD] = "head",
    [METHOD_POST] = "post",   [METHOD_PUT] = "put",
    [METHOD_PATCH] = "patch", [METHOD_DELETE] = "delete",
    [METHOD_OTHER] = "other"};

/* Who may call: "signed_in" sees what one's own grants show. */
static const char *const right_words[] = {
    [RIGHT_NONE] = "nobody",
    [RIGHT_ANYONE] = "anyone",
    [RIGHT_HALF] = "half_signed_in",
    [RIGHT_SIGNED_IN] = "signed_in",
    [RIGHT_ADMIN] = "master_administrator",
    [RIGHT_ADMIN_USERS] = "admin_users",
    [RIGHT_ADMIN_ACCESS] = "admin_access",
    [RIGHT_ADMIN_MASTER] = "admin_master",
    [RIGHT_ADMIN_SECURITY] = "admin_security",
    [RIGHT_ADMIN_LOG] = "admin_log",
    [RIGHT_PROGRAM_VIEW] = "program_view",
    [RIGHT_PROGRAM_ADD] = "program_add",
    [RIGHT_PROGRAM_EDIT] = "program_edit",
    [RIGHT_PROGRAM_DELETE] = "program_delete",
    [RIGHT_PROJECT_VIEW] = "project_view",
    [RIGHT_PROJECT_EDIT] = "project_edit",
    [RIGHT_PROJECT_DELETE] = "project_delete",
    [RIGHT_MEMBER_EDIT] = "member_edit",
    [RIGHT_PROJECT_TICKET_VIEW] = "ticket_view",
    [RIGHT_PROJECT_TICKET_ADD] = "ticket_add",
    [RIGHT_PROJECT_TICKET_EDIT] = "ticket_edit",
    [RIGHT_TICKET_VIEW] = "ticket_view",
    [RIGHT_TICKET_EDIT] = "ticket_edit",
    [RIGHT_TICKET_DELETE] = "ticket_delete",
    [RIGHT_TICKET_ATTACH] = "comment_or_ticket_edit",
    [RIGHT_TICKET_COMMENT] = "comment",
    [RIGHT_PROGRAM_MEMBER_EDIT] = "member_edit",
    [RIGHT_AUDITOR] = "auditor",
    [RIGHT_OPERATOR] = "operator",
};

static void put_ref(struct json_out *o, const char *name,
                    const struct form *form)
{
    char ref[96];

    snprintf(ref, sizeof(ref), "#/components/schemas/%s", form->name);
    json_open(o, name, '{');
    json_text(o, "$ref", ref);
    json_close(o, '}');
}

static void put_limits(struct json_out *o, const struct field *f,
                       const char *min, const char *max)
{
    if (f->min)
        json_int(o, min, f->min);
    if (f->max)
        json_int(o, max, f->max);
}

static void put_choices(struct json_out *o, const struct field *f)
{
    json_open(o, "enum", '[');
    for (const char *const *w = f->choices; *w; w++)
        json_text(o, NULL, *w);
    json_close(o, ']');
}

static void put_type(struct json_out *o, const struct field *f)
{
    static const char *const types[] = {
        [FIELD_TEXT] = "string",   [FIELD_LINES] = "string",
        [FIELD_SECRET] = "string", [FIELD_INT] = "integer",
        [FIELD_BOOL] = "boolean",  [FIELD_DAY] = "string",
        [FIELD_MOMENT] = "string", [FIELD_ID] = "string",
        [FIELD_CHOICE] = "string", [FIELD_IDS] = "array",
        [FIELD_WORDS] = "array",   [FIELD_ROWS] = "array"};

    if (f->flags & NULLABLE) {
        json_open(o, "type", '[');
        json_text(o, NULL, types[f->kind]);
        json_text(o, NULL, "null");
        json_close(o, ']');
        return;
    }
    json_text(o, "type", types[f->kind]);
}

static void put_items(struct json_out *o, const struct field *f)
{
    if (f->kind == FIELD_ROWS) {
        put_ref(o, "items", f->rows);
    } else {
        json_open(o, "items", '{');
        json_text(o, "type", "string");
        if (f->kind == FIELD_WORDS)
            put_choices(o, f);
        json_close(o, '}');
    }
    if (f->kind != FIELD_WORDS)
        put_limits(o, f, "minItems", "maxItems");
}

static void put_field(struct json_out *o, const struct field *f)
{
    json_open(o, f->name, '{');
    put_type(o, f);
    if (f->kind == FIELD_TEXT || f->kind == FIELD_LINES ||
        f->kind == FIELD_SECRET)
        put_limits(o, f, "minLength", "maxLength");
    else if (f->kind == FIELD_INT)
        put_limits(o, f, "minimum", "maximum");
    else if (f->kind == FIELD_DAY)
        json_text(o, "format", "date");
    else if (f->kind == FIELD_MOMENT)
        json_text(o, "format", "date-time");
    else if (f->kind == FIELD_ID)
        json_text(o, "pattern", "^[0-9]+$");
    else if (f->kind == FIELD_CHOICE)
        put_choices(o, f);
    else if (f->kind == FIELD_IDS || f->kind == FIELD_WORDS ||
             f->kind == FIELD_ROWS)
        put_items(o, f);
    if (f->en && *f->en)
        json_text(o, "description", f->en);
    json_close(o, '}');
}

static void put_schema(struct json_out *o, const struct form *form)
{
    json_open(o, form->name, '{');
    json_text(o, "type", "object");
    json_bool(o, "additionalProperties", false);
    json_open(o, "required", '[');
    for (size_t i = 0; i < form->count; i++)
        if (form->fields[i].flags & REQUIRED)
            json_text(o, NULL, form->fields[i].name);
    json_close(o, ']');
    json_open(o, "properties", '{');
    for (size_t i = 0; i < form->count; i++)
        put_field(o, &form->fields[i]);
    json_close(o, '}');
    json_close(o, '}');
}

/* ---- the set of forms in use, each once ---- */

enum { FORM_MAX = 256 };
struct form_set {
    const struct form *list[FORM_MAX];
    size_t count;
};

static void add_form(struct form_set *set, const struct form *form)
{
    if (!form)
        return;
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->list[i]->name, form->name) == 0)
            return;
    must(set->count < FORM_MAX);
    set->list[set->count++] = form;
    for (size_t i = 0; i < form->count; i++)
        add_form(set, form->fields[i].rows);
}

/* Queries are parameters in OpenAPI, and types in TypeScript. */
static void collect(struct form_set *set, bool with_queries)
{
    for (size_t s = 0; s < route_set_count; s++)
        for (size_t i = 0; i < route_sets[s]->count; i++) {
            must(str_starts(route_sets[s]->routes[i].path, ROUTE_ROOT));
            add_form(set, route_sets[s]->routes[i].form);
            if (with_queries)
                add_form(set, route_sets[s]->routes[i].query);
            add_form(set, route_sets[s]->routes[i].reply);
        }
}

/* ---- paths ---- */

static void put_parameter(struct json_out *o, const char *name,
                          const char *place, const struct field *f)
{
    json_open(o, NULL, '{');
    json_text(o, "name", name);
    json_text(o, "in", place);
    bool is_own = strcmp(name, "X-Req") == 0;
    bool is_optional = f ? strcmp(place, "query") == 0 && !(f->flags & REQUIRED)
                         : is_own || strcmp(name, "Idempotency-Key") == 0;
    if (is_own)
        json_text(o, "description",
                  "1 with a session's cookie; not asked of tokens");
    json_bool(o, "required", !is_optional);
    json_open(o, "schema", '{');
    json_text(o, "type", f && f->kind == FIELD_INT ? "integer" : "string");
    if (f && f->kind == FIELD_CHOICE)
        put_choices(o, f);
    else if (f && f->kind == FIELD_ID)
        json_text(o, "pattern", "^[0-9]+$");
    json_close(o, '}');
    json_close(o, '}');
}

static void put_parameters(struct json_out *o, const struct route *r)
{
    json_open(o, "parameters", '[');
    for (const char *p = strchr(r->path, ':'); p; p = strchr(p + 1, ':')) {
        char name[32];
        size_t len = strcspn(p + 1, "/");

        must(len < sizeof(name));
        memcpy(name, p + 1, len);
        name[len] = 0;
        put_parameter(o, name, "path", NULL);
    }
    for (size_t i = 0; r->query && i < r->query->count; i++)
        put_parameter(o, r->query->fields[i].name, "query",
                      &r->query->fields[i]);
    if (r->flags & ROUTE_MATCH)
        put_parameter(o, "If-Match", "header", NULL);
    if (r->method != METHOD_GET)
        put_parameter(o, "X-Req", "header", NULL);
    if (r->flags & ROUTE_ONCE)
        put_parameter(o, "Idempotency-Key", "header", NULL);
    json_close(o, ']');
}

static void put_content(struct json_out *o, const char *type,
                        const struct form *form, bool list)
{
    json_open(o, "content", '{');
    json_open(o, type, '{');
    if (form && list) {
        json_open(o, "schema", '{');
        json_text(o, "type", "object");
        json_open(o, "properties", '{');
        json_open(o, "items", '{');
        json_text(o, "type", "array");
        put_ref(o, "items", form);
        json_close(o, '}');
        json_open(o, "next", '{');
        json_raw(o, "type", "[\"string\",\"null\"]");
        json_close(o, '}');
        json_close(o, '}');
        json_close(o, '}');
    } else if (form) {
        put_ref(o, "schema", form);
    }
    json_close(o, '}');
    json_close(o, '}');
}

/* "get", "/api/v1/tickets/:id/files" -> "getTicketsByIdFiles": unique, since
 * method and path together are, and the same as long as they are. */
static void put_operation_id(struct json_out *o, const struct route *r)
{
    char id[128];
    size_t n = (size_t)snprintf(id, sizeof(id), "%s", method_names[r->method]);
    bool is_begin = true;

    for (const char *p = r->path + strlen(ROUTE_ROOT); *p; p++) {
        must(n + 4 < sizeof(id));
        if (*p == ':') {
            memcpy(id + n, "By", 2);
            n += 2;
        } else if (isalnum((unsigned char)*p)) {
            bool is_lower = *p >= 'a' && *p <= 'z';
            id[n++] = (char)(is_begin && is_lower ? *p - 'a' + 'A' : *p);
        }
        is_begin = !isalnum((unsigned char)*p);
    }
    id[n] = 0;
    json_text(o, "operationId", id);
}

/* The noun: the first word of the path. */
static size_t tag_length(const struct route *r)
{
    return strcspn(r->path + strlen(ROUTE_ROOT), "/");
}

static void put_tag(struct json_out *o, const char *name, const struct route *r)
{
    char tag[64];
    size_t len = tag_length(r);

    must(len < sizeof(tag));
    memcpy(tag, r->path + strlen(ROUTE_ROOT), len);
    tag[len] = 0;
    json_text(o, name, tag);
}

static void put_scheme(struct json_out *o, const char *name)
{
    json_open(o, NULL, '{');
    json_open(o, name, '[');
    json_close(o, ']');
    json_close(o, '}');
}

/* One of these is enough; none: anybody may call. */
static void put_security(struct json_out *o, const struct route_set *set,
                         const struct route *r)
{
    json_open(o, "security", '[');
    if (r->right != RIGHT_ANYONE)
        put_scheme(o, "session");
    if (r->right != RIGHT_ANYONE && r->right != RIGHT_HALF &&
        (set->flags & SET_TOKENS) && !(r->flags & ROUTE_FRESH))
        put_scheme(o, "token");
    json_close(o, ']');
}

static void put_body(struct json_out *o, const struct route *r)
{
    json_open(o, "requestBody", '{');
    json_bool(o, "required", true);
    if (r->flags & ROUTE_RAW) {
        json_text(o, "description", "The bytes of the file");
        json_open(o, "content", '{');
        json_open(o, "application/octet-stream", '{');
        json_open(o, "schema", '{');
        json_text(o, "type", "string");
        json_text(o, "format", "binary");
        json_close(o, '}');
        json_close(o, '}');
        json_close(o, '}');
    } else {
        put_content(o, "application/json", r->form, false);
    }
    json_close(o, '}');
}

static void put_responses(struct json_out *o, const struct route *r)
{
    static const char *const refusals[] = {"4XX", "5XX"};

    json_open(o, "responses", '{');
    json_open(o, r->flags & ROUTE_CREATED ? "201" : "200", '{');
    json_text(o, "description", "Done");
    if (r->reply)
        put_content(o, "application/json", r->reply, r->flags & ROUTE_LIST);
    json_close(o, '}');
    for (size_t i = 0; i < COUNT(refusals); i++) {
        json_open(o, refusals[i], '{');
        json_text(o, "$ref", "#/components/responses/Problem");
        json_close(o, '}');
    }
    json_close(o, '}');
}

static void put_operation(struct json_out *o, const struct route_set *set,
                          const struct route *r)
{
    json_open(o, method_names[r->method], '{');
    put_operation_id(o, r);
    json_open(o, "tags", '[');
    put_tag(o, NULL, r);
    json_close(o, ']');
    json_text(o, "summary", r->summary);
    json_text(o, "x-right", right_words[r->right]);
    put_security(o, set, r);
    put_parameters(o, r);
    if (r->form || (r->flags & ROUTE_RAW))
        put_body(o, r);
    put_responses(o, r);
    json_close(o, '}');
}

/* "/projects/:id" -> "/projects/{id}" */
static void format_path(const char *path, char *out, size_t size)
{
    size_t n = 0;
    bool inside = false;

    for (; *path && n + 3 < size; path++) {
        if (*path == '/' && inside) {
            out[n++] = '}';
            inside = false;
        }
        out[n++] = *path == ':' ? '{' : *path;
        inside = inside || *path == ':';
    }
    if (inside)
        out[n++] = '}';
    out[n] = 0;
}

static bool is_first(size_t set, size_t index)
{
    const char *path = route_sets[set]->routes[index].path;

    for (size_t s = 0; s <= set; s++)
        for (size_t i = 0; i < route_sets[s]->count; i++) {
            if (s == set && i == index)
                return true;
            if (strcmp(route_sets[s]->routes[i].path, path) == 0)
                return false;
        }
    return true;
}

static void put_path(struct json_out *o, const char *path)
{
    char name[256];

    format_path(path, name, sizeof(name));
    json_open(o, name, '{');
    for (size_t s = 0; s < route_set_count; s++)
        for (size_t i = 0; i < route_sets[s]->count; i++)
            if (strcmp(route_sets[s]->routes[i].path, path) == 0)
                put_operation(o, route_sets[s], &route_sets[s]->routes[i]);
    json_close(o, '}');
}

/* Each noun once, in the order of the tables. */
static bool is_first_tag(size_t set, size_t index)
{
    const struct route *own = &route_sets[set]->routes[index];
    size_t begin = strlen(ROUTE_ROOT), len = tag_length(own);

    for (size_t s = 0; s <= set; s++)
        for (size_t i = 0; i < route_sets[s]->count; i++) {
            const struct route *r = &route_sets[s]->routes[i];
            if (s == set && i == index)
                return true;
            if (tag_length(r) == len &&
                memcmp(r->path + begin, own->path + begin, len) == 0)
                return false;
        }
    return true;
}

static void put_tags(struct json_out *o)
{
    json_open(o, "tags", '[');
    for (size_t s = 0; s < route_set_count; s++)
        for (size_t i = 0; i < route_sets[s]->count; i++)
            if (is_first_tag(s, i)) {
                json_open(o, NULL, '{');
                put_tag(o, "name", &route_sets[s]->routes[i]);
                json_close(o, '}');
            }
    json_close(o, ']');
}

/* A tenant without a host name of its own is below its path. */
static void put_servers(struct json_out *o)
{
    json_open(o, "servers", '[');
    json_open(o, NULL, '{');
    json_text(o, "url", "/");
    json_close(o, '}');
    json_open(o, NULL, '{');
    json_text(o, "url", "/t/{tenant}");
    json_open(o, "variables", '{');
    json_open(o, "tenant", '{');
    json_text(o, "default", "main");
    json_close(o, '}');
    json_close(o, '}');
    json_close(o, '}');
    json_close(o, ']');
}

static void put_schemes(struct json_out *o)
{
    json_open(o, "securitySchemes", '{');
    json_open(o, "session", '{');
    json_text(o, "type", "apiKey");
    json_text(o, "in", "cookie");
    json_text(o, "name", "__Host-s-ID");
    json_text(o, "description",
              "Set by signing in; ID is the tenant's; without TLS, or below "
              "/t/ID/, it begins"
              " otherwise. Changes need the header X-Req: 1 besides.");
    json_close(o, '}');
    json_open(o, "token", '{');
    json_text(o, "type", "http");
    json_text(o, "scheme", "bearer");
    json_text(o, "description", "A token that a person has made (ygr_...)");
    json_close(o, '}');
    json_close(o, '}');
}

/* What dispatch/problem.c writes; an error may have members of its own. */
static void put_problem(struct json_out *o)
{
    json_raw(o, "responses",
             "{\"Problem\":{\"description\":\"Problem details, RFC 9457\","
             "\"content\":{\"application/problem+json\":{\"schema\":{"
             "\"type\":\"object\",\"required\":[\"title\",\"status\"],"
             "\"properties\":{\"type\":{\"type\":\"string\"},"
             "\"title\":{\"type\":\"string\"},"
             "\"status\":{\"type\":\"integer\"},"
             "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
             "\"required\":[\"field\",\"rule\",\"message\"],\"properties\":{"
             "\"field\":{\"type\":\"string\"},\"rule\":{\"type\":\"string\"},"
             "\"message\":{\"type\":\"string\"}}}}}}}}}}");
}

void openapi_print(struct buf *b)
{
    struct json_out o = {.b = b};
    struct form_set set = {.count = 0};

    collect(&set, false);
    json_open(&o, NULL, '{');
    json_text(&o, "openapi", "3.1.0");
    json_open(&o, "info", '{');
    json_text(&o, "title", "Yagura");
    json_text(&o, "version", YAGURA_VERSION);
    json_open(&o, "license", '{');
    json_text(&o, "name", "Apache 2.0");
    json_text(&o, "identifier", "Apache-2.0");
    json_close(&o, '}');
    json_close(&o, '}');
    put_servers(&o);
    put_tags(&o);
    json_open(&o, "paths", '{');
    for (size_t s = 0; s < route_set_count; s++)
        for (size_t i = 0; i < route_sets[s]->count; i++)
            if (is_first(s, i))
                put_path(&o, route_sets[s]->routes[i].path);
    json_close(&o, '}');
    json_open(&o, "components", '{');
    json_open(&o, "schemas", '{');
    for (size_t i = 0; i < set.count; i++)
        put_schema(&o, set.list[i]);
    json_close(&o, '}');
    put_schemes(&o);
    put_problem(&o);
    json_close(&o, '}');
    json_close(&o, '}');
}

/* ---- TypeScript ---- */

static void print_field(struct buf *b, const struct field *f)
{
    buf_printf(b, "  %s%s: ", f->name, f->flags & REQUIRED ? "" : "?");
    switch (f->kind) {
    case FIELD_INT:
        buf_puts(b, "number");
        break;
    case FIELD_BOOL:
        buf_puts(b, "boolean");
        break;
    case FIELD_CHOICE:
        for (const char *const *w = f->choices; *w; w++)
            buf_printf(b, "%s\"%s\"", w == f->choices ? "" : " | ", *w);
        break;
    case FIELD_IDS:
        buf_puts(b, "string[]");
        break;
    case FIELD_WORDS:
        for (const char *const *w = f->choices; *w; w++)
            buf_printf(b, "%s\"%s\"", w == f->choices ? "(" : " | ", *w);
        buf_puts(b, ")[]");
        break;
    case FIELD_ROWS:
        buf_printf(b, "%s[]", f->rows->name);
        break;
    case FIELD_TEXT:
    case FIELD_LINES:
    case FIELD_SECRET:
    case FIELD_DAY:
    case FIELD_MOMENT:
    case FIELD_ID:
        buf_puts(b, "string");
        break;
    }
    buf_puts(b, f->flags & NULLABLE ? " | null;\n" : ";\n");
}

void openapi_print_types(struct buf *b)
{
    struct form_set set = {.count = 0};

    collect(&set, true);
    buf_puts(b, "// Printed by `yagura types` from the form tables.\n");
    for (size_t i = 0; i < set.count; i++) {
        buf_printf(b, "export interface %s {\n", set.list[i]->name);
        for (size_t n = 0; n < set.list[i]->count; n++)
            print_field(b, &set.list[i]->fields[n]);
        buf_puts(b, "}\n");
    }
}
