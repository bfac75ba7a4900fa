/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's registers: the path says which one. */
#include "api/dispatch/routes.h"
#include "core/register/register.h"
#include "core/register/review_due.h"

#include <string.h>

static const struct register_kind *ledger_of(const struct call *k)
{
    static const struct register_kind *const all[] = {
        &supplier_register, &certification_register, &review_register,
        &advisory_register};
    const char *path = k->route->path + strlen("/api/v1/");

    for (size_t i = 0; i < COUNT(all); i++)
        if (strncmp(path, all[i]->path, strlen(all[i]->path)) == 0)
            return all[i];
    must(!"a route without its register");
    return NULL;
}

static enum err list_rows(struct call *k)
{
    const struct register_kind *l = ledger_of(k);
    const struct register_row *list;
    size_t count;
    enum err e = register_list(k->c, l, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        register_put(&k->out, l, &list[i]);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err reply(struct call *k, enum err e,
                      const struct register_row *row)
{
    if (e)
        return e;
    call_etag(k, row->version);
    json_open(&k->out, NULL, '{');
    register_put(&k->out, ledger_of(k), row);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_row(struct call *k)
{
    struct register_row row;

    return reply(k, register_create(k->c, ledger_of(k), k->body, &row), &row);
}

static enum err put_row(struct call *k)
{
    struct register_row row;
    enum err e = register_update(k->c, ledger_of(k), call_id(k, 0), k->if_match,
                                 k->body, &row);

    return reply(k, e, &row);
}

static enum err delete_row(struct call *k)
{
    return register_delete(k->c, ledger_of(k), call_id(k, 0), k->if_match);
}

static const struct field look_fields[] = {
    {OUT_TEXT("looked_at", NULLABLE)},
    {OUT_TEXT("looked_by", NULLABLE)},
    {OUT_TEXT("due_at", NULLABLE)},
};
static const struct form look_form = {"AdvisoryLook", look_fields,
                                      COUNT(look_fields)};

static enum err get_look(struct call *k)
{
    struct advisory_look last;
    enum err e = review_due_read_look(k->c, &last);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_moment(&k->out, "looked_at", last.at);
    json_text(&k->out, "looked_by", last.at ? last.by : NULL);
    json_moment(&k->out, "due_at", last.due_at);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_look(struct call *k)
{
    k->reply->status = 204;
    return review_due_note_look(k->c);
}

static const struct route routes[] = {
    {GET("/advisories/look", get_look, RIGHT_AUDITOR,
         "When the sources of advisories were last looked through, and by whom",
         .reply = &look_form)},
    {POST("/advisories/look", post_look, RIGHT_OPERATOR,
          "Note that the sources of advisories were looked through")},
    {GET("/suppliers", list_rows, RIGHT_AUDITOR, "Register of suppliers",
         .reply = &supplier_shown, .flags = ROUTE_LIST)},
    {POST("/suppliers", post_row, RIGHT_OPERATOR, "Enter a supplier",
          .form = &supplier_form, .reply = &supplier_shown,
          .flags = ROUTE_CREATED)},
    {PUT("/suppliers/:id", put_row, RIGHT_OPERATOR, "Change a supplier",
         .form = &supplier_form, .reply = &supplier_shown,
         .flags = ROUTE_MATCH)},
    {DELETE("/suppliers/:id", delete_row, RIGHT_OPERATOR,
            "Take a supplier off the register", .flags = ROUTE_MATCH)},
    {GET("/certifications", list_rows, RIGHT_AUDITOR, "Certifications held",
         .reply = &certification_shown, .flags = ROUTE_LIST)},
    {POST("/certifications", post_row, RIGHT_OPERATOR, "Enter a certification",
          .form = &certification_form, .reply = &certification_shown,
          .flags = ROUTE_CREATED)},
    {PUT("/certifications/:id", put_row, RIGHT_OPERATOR,
         "Change a certification", .form = &certification_form,
         .reply = &certification_shown, .flags = ROUTE_MATCH)},
    {DELETE("/certifications/:id", delete_row, RIGHT_OPERATOR,
            "Take a certification off the register", .flags = ROUTE_MATCH)},
    {GET("/reviews", list_rows, RIGHT_AUDITOR,
         "Recurring reviews, those to be done first", .reply = &review_shown,
         .flags = ROUTE_LIST)},
    {POST("/reviews", post_row, RIGHT_OPERATOR, "Plan a review",
          .form = &review_form, .reply = &review_shown,
          .flags = ROUTE_CREATED)},
    {PUT("/reviews/:id", put_row, RIGHT_OPERATOR,
         "Change a planned review, or sign it", .form = &review_form,
         .reply = &review_shown, .flags = ROUTE_MATCH)},
    {DELETE("/reviews/:id", delete_row, RIGHT_OPERATOR, "Drop a planned review",
            .flags = ROUTE_MATCH)},
    {GET("/advisories", list_rows, RIGHT_AUDITOR,
         "Register of advisories, open ones first", .reply = &advisory_shown,
         .flags = ROUTE_LIST)},
    {POST("/advisories", post_row, RIGHT_OPERATOR, "Enter an advisory",
          .form = &advisory_form, .reply = &advisory_shown,
          .flags = ROUTE_CREATED)},
    {PUT("/advisories/:id", put_row, RIGHT_OPERATOR,
         "Judge, tell of or close an advisory", .form = &advisory_form,
         .reply = &advisory_shown, .flags = ROUTE_MATCH)},
    {DELETE("/advisories/:id", delete_row, RIGHT_OPERATOR,
            "Remove an advisory that was not judged", .flags = ROUTE_MATCH)},
};
const struct route_set register_routes = {routes, COUNT(routes), 0};
