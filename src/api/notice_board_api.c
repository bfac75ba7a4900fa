/* SPDX-License-Identifier: Apache-2.0 */
/* The service dashboard of one tenant. */
#include "api/notice_reply.h"
#include "api/routes.h"
#include "core/notice_board.h"

static const struct field page_fields[] = {
    {"limit", FIELD_INT, 1, 200, 0, NULL, NULL, "件数", "Limit"},
    {"after", FIELD_ID,  0, 0,   0, NULL, NULL, "続き", "After"},
};
static const struct form page_form = {"NoticePage", page_fields,
                                      COUNT(page_fields)};
#define MARK_FIELDS                                                            \
    {"is_read", FIELD_BOOL, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},         \
    {                                                                          \
        "is_current", FIELD_BOOL, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""     \
    }
static const struct field row_fields[] = {NOTICE_FACT_FIELDS, MARK_FIELDS};
static const struct form row_form = {"Notice", row_fields, COUNT(row_fields)};
static const struct field view_fields[] = {
    NOTICE_FACT_FIELDS,
    MARK_FIELDS,
    NOTICE_TEXT_FIELDS,
    {"contact_ja", FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL,      "", ""},
    {"contact_en", FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL,      "", ""},
    {"readers",    FIELD_INT,  0, 0, FIELD_NULLABLE, NULL, NULL,      "", ""},
    {"related",    FIELD_ROWS, 0, 0, FIELD_REQUIRED, NULL, &row_form, "", ""},
};
static const struct form view_form = {"NoticeView", view_fields,
                                      COUNT(view_fields)};
static const struct field now_fields[] = {
    {"unread",  FIELD_INT,  0, 0, FIELD_REQUIRED, NULL, NULL,      "", ""},
    {"banners", FIELD_ROWS, 0, 0, FIELD_REQUIRED, NULL, &row_form, "", ""},
};
static const struct form now_form = {"NoticeNow", now_fields,
                                     COUNT(now_fields)};
static const struct field reader_fields[] = {
    {"id",         FIELD_ID,   0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"name",       FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"read_at",    FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"is_current", FIELD_BOOL, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
};
static const struct form reader_form = {"NoticeReader", reader_fields,
                                        COUNT(reader_fields)};

static void put_facts(struct call *k, const struct board_row *row)
{
    notice_put_facts(k, &row->notice);
    json_bool(&k->out, "is_read", row->is_read);
    json_bool(&k->out, "is_current", row->is_current);
}

static void put_rows(struct call *k, const char *name,
                     const struct board_row *list, size_t count)
{
    json_open(&k->out, name, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        put_facts(k, &list[i]);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
}

static enum err list_notices(struct call *k)
{
    const struct board_row *list;
    size_t count;
    bool more;
    enum err e =
        board_list(k->c, k->app, k->tenant, values_int(k->query, "after", 0),
                   call_limit(k), &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    put_rows(k, "items", list, count);
    json_id(&k->out, "next", more ? list[count - 1].notice.id : 0);
    json_close(&k->out, '}');
    return OK;
}

static enum err get_now(struct call *k)
{
    struct board_now now;
    enum err e = board_now(k->c, k->app, k->tenant, &now);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_int(&k->out, "unread", now.unread);
    put_rows(k, "banners", now.banners, now.banner_count);
    json_close(&k->out, '}');
    return OK;
}

/* Who read it, and how many, is for administrators. */
static enum err get_notice(struct call *k)
{
    struct board_page page;
    enum err e = board_get(k->c, k->app, k->tenant, call_id(k, 0), &page);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    put_facts(k, &page.row);
    notice_put_texts(k, &page.row.notice);
    if (page.row.notice.incident_id) {
        json_text(&k->out, "contact_ja", page.contact_ja);
        json_text(&k->out, "contact_en", page.contact_en);
    }
    if (k->c->actor->is_admin)
        json_int(&k->out, "readers", page.readers);
    put_rows(k, "related", page.related, page.related_count);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_read(struct call *k)
{
    return board_read(k->c, k->app, k->tenant, call_id(k, 0));
}

static enum err post_dismiss(struct call *k)
{
    return board_dismiss(k->c, k->app, k->tenant, call_id(k, 0));
}

static enum err list_readers(struct call *k)
{
    struct json_out *o = &k->out;
    const struct board_reader *list;
    size_t count;
    bool more;
    enum err e = board_list_readers(k->c, k->app, k->tenant, call_id(k, 0),
                                    values_int(k->query, "after", 0),
                                    call_limit(k), &list, &count, &more);

    if (e)
        return e;
    json_open(o, NULL, '{');
    json_open(o, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(o, NULL, '{');
        json_id(o, "id", list[i].id);
        json_text(o, "name", list[i].name);
        json_moment(o, "read_at", list[i].read_at);
        json_bool(o, "is_current", list[i].is_current);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_id(o, "next", more ? list[count - 1].id : 0);
    json_close(o, '}');
    return OK;
}

static const struct route routes[] = {
    {METHOD_GET,  "/api/v1/notices",             list_notices, RIGHT_SIGNED_IN, NULL,
     &page_form,                                                                            &row_form,    ROUTE_LIST | ROUTE_NO_TX | ROUTE_QUIET,
     "The operator's notices for this tenant, newest first"                                                                                                            },
    {METHOD_GET,  "/api/v1/notices/now",         get_now,      RIGHT_SIGNED_IN, NULL, NULL,
     &now_form,                                                                                           ROUTE_NO_TX | ROUTE_QUIET,
     "Banners of the moment, and how many one has not read"                                                                                                            },
    {METHOD_GET,  "/api/v1/notices/:id",         get_notice,   RIGHT_SIGNED_IN, NULL, NULL,
     &view_form,                                                                                          ROUTE_NO_TX | ROUTE_QUIET,
     "A notice with its text and what belongs to it"                                                                                                                   },
    {METHOD_POST, "/api/v1/notices/:id/read",    post_read,    RIGHT_SIGNED_IN, NULL,
     NULL,                                                                                  NULL,         ROUTE_NO_TX,                            "One has read it"    },
    {METHOD_POST, "/api/v1/notices/:id/dismiss", post_dismiss, RIGHT_SIGNED_IN,
     NULL,                                                                            NULL, NULL,         ROUTE_NO_TX,                            "Put its banner away"},
    {METHOD_GET,  "/api/v1/notices/:id/readers", list_readers, RIGHT_ADMIN,     NULL,
     &page_form,                                                                            &reader_form, ROUTE_LIST | ROUTE_NO_TX,
     "Who of the tenant has read it"                                                                                                                                   },
};
const struct route_set notice_board_routes = {routes, COUNT(routes),
                                              SET_TOKENS};
