/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's registers: the path says which one. */
#include "api/routes.h"
#include "core/deadline.h"
#include "core/ledger.h"

#include <string.h>

static const struct ledger *ledger_of(const struct call *k)
{
    static const struct ledger *const all[] = {
        &supplier_ledger, &certification_ledger, &review_ledger,
        &advisory_ledger};
    const char *path = k->route->path + strlen("/api/v1/");

    for (size_t i = 0; i < COUNT(all); i++)
        if (strncmp(path, all[i]->path, strlen(all[i]->path)) == 0)
            return all[i];
    must(!"a route without its register");
    return NULL;
}

static enum err list_rows(struct call *k)
{
    const struct ledger *l = ledger_of(k);
    const struct ledger_row *list;
    size_t count;
    enum err e = ledger_list(k->c, l, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        ledger_put(&k->out, l, &list[i]);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err reply(struct call *k, enum err e, const struct ledger_row *row)
{
    if (e)
        return e;
    call_etag(k, row->version);
    json_open(&k->out, NULL, '{');
    ledger_put(&k->out, ledger_of(k), row);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_row(struct call *k)
{
    struct ledger_row row;

    return reply(k, ledger_create(k->c, ledger_of(k), k->body, &row), &row);
}

static enum err put_row(struct call *k)
{
    struct ledger_row row;
    enum err e = ledger_update(k->c, ledger_of(k), call_id(k, 0), k->if_match,
                               k->body, &row);

    return reply(k, e, &row);
}

static enum err delete_row(struct call *k)
{
    return ledger_delete(k->c, ledger_of(k), call_id(k, 0), k->if_match);
}

static const struct field look_fields[] = {
    {"looked_at", FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
    {"looked_by", FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
    {"due_at",    FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},
};
static const struct form look_form = {"AdvisoryLook", look_fields,
                                      COUNT(look_fields)};

static enum err get_look(struct call *k)
{
    struct advisory_look last;
    enum err e = deadline_read_look(k->c, &last);

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
    return deadline_note_look(k->c);
}

static const struct route routes[] = {
    {METHOD_GET,    "/api/v1/advisories/look",    get_look,   RIGHT_AUDITOR,  NULL,           NULL,
     &look_form,                                                                                                          0,
     "When the sources of advisories were last looked through, and by whom"                                                                                                                       },
    {METHOD_POST,   "/api/v1/advisories/look",    post_look,  RIGHT_OPERATOR, NULL,
     NULL,                                                                                          NULL,                 0,             "Note that the sources of advisories were looked through"},
    {METHOD_GET,    "/api/v1/suppliers",          list_rows,  RIGHT_AUDITOR,  NULL,           NULL,
     &supplier_shown,                                                                                                     ROUTE_LIST,    "Register of suppliers"                                  },
    {METHOD_POST,   "/api/v1/suppliers",          post_row,   RIGHT_OPERATOR, &supplier_form,
     NULL,                                                                                          &supplier_shown,      ROUTE_CREATED, "Enter a supplier"                                       },
    {METHOD_PUT,    "/api/v1/suppliers/:id",      put_row,    RIGHT_OPERATOR,
     &supplier_form,                                                                          NULL, &supplier_shown,      ROUTE_MATCH,   "Change a supplier"                                      },
    {METHOD_DELETE, "/api/v1/suppliers/:id",      delete_row, RIGHT_OPERATOR, NULL,
     NULL,                                                                                          NULL,                 ROUTE_MATCH,   "Take a supplier off the register"                       },
    {METHOD_GET,    "/api/v1/certifications",     list_rows,  RIGHT_AUDITOR,  NULL,           NULL,
     &certification_shown,                                                                                                ROUTE_LIST,    "Certifications held"                                    },
    {METHOD_POST,   "/api/v1/certifications",     post_row,   RIGHT_OPERATOR,
     &certification_form,                                                                     NULL, &certification_shown, ROUTE_CREATED,
     "Enter a certification"                                                                                                                                                                      },
    {METHOD_PUT,    "/api/v1/certifications/:id", put_row,    RIGHT_OPERATOR,
     &certification_form,                                                                     NULL, &certification_shown, ROUTE_MATCH,
     "Change a certification"                                                                                                                                                                     },
    {METHOD_DELETE, "/api/v1/certifications/:id", delete_row, RIGHT_OPERATOR,
     NULL,                                                                                    NULL, NULL,                 ROUTE_MATCH,   "Take a certification off the register"                  },
    {METHOD_GET,    "/api/v1/reviews",            list_rows,  RIGHT_AUDITOR,  NULL,           NULL,
     &review_shown,                                                                                                       ROUTE_LIST,    "Recurring reviews, those to be done first"              },
    {METHOD_POST,   "/api/v1/reviews",            post_row,   RIGHT_OPERATOR, &review_form,
     NULL,                                                                                          &review_shown,        ROUTE_CREATED, "Plan a review"                                          },
    {METHOD_PUT,    "/api/v1/reviews/:id",        put_row,    RIGHT_OPERATOR, &review_form,
     NULL,                                                                                          &review_shown,        ROUTE_MATCH,   "Change a planned review, or sign it"                    },
    {METHOD_DELETE, "/api/v1/reviews/:id",        delete_row, RIGHT_OPERATOR, NULL,
     NULL,                                                                                          NULL,                 ROUTE_MATCH,   "Drop a planned review"                                  },
    {METHOD_GET,    "/api/v1/advisories",         list_rows,  RIGHT_AUDITOR,  NULL,           NULL,
     &advisory_shown,                                                                                                     ROUTE_LIST,    "Register of advisories, open ones first"                },
    {METHOD_POST,   "/api/v1/advisories",         post_row,   RIGHT_OPERATOR,
     &advisory_form,                                                                          NULL, &advisory_shown,      ROUTE_CREATED, "Enter an advisory"                                      },
    {METHOD_PUT,    "/api/v1/advisories/:id",     put_row,    RIGHT_OPERATOR,
     &advisory_form,                                                                          NULL, &advisory_shown,      ROUTE_MATCH,
     "Judge, tell of or close an advisory"                                                                                                                                                        },
    {METHOD_DELETE, "/api/v1/advisories/:id",     delete_row, RIGHT_OPERATOR, NULL,
     NULL,                                                                                          NULL,                 ROUTE_MATCH,   "Remove an advisory that was not judged"                 },
};
const struct route_set ledger_routes = {routes, COUNT(routes), 0};
