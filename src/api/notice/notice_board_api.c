/* SPDX-License-Identifier: Apache-2.0 */
/* The service dashboard of one tenant. */
#include "api/dispatch/routes.h"
#include "api/notice/notice_reply.h"
#include "core/notice/notice_board.h"

static const struct field page_fields[] = {
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form page_form = {"NoticePage", page_fields,
                                      COUNT(page_fields)};
#define MARK_FIELDS                                                            \
    {OUT_BOOL("is_read", REQUIRED)},                                           \
    {                                                                          \
        OUT_BOOL("is_current", REQUIRED)                                       \
    }
static const struct field row_fields[] = {
    NOTICE_FACT_FIELDS,
    MARK_FIELDS,
};
static const struct form row_form = {"Notice", row_fields, COUNT(row_fields)};
static const struct field view_fields[] = {
    NOTICE_FACT_FIELDS,
    MARK_FIELDS,
    NOTICE_TEXT_FIELDS,
    {OUT_TEXT("contact_ja", NULLABLE)},
    {OUT_TEXT("contact_en", NULLABLE)},
    {OUT_INT("readers", NULLABLE)},
    {OUT_ROWS("related", &row_form, 0, REQUIRED)},
};
static const struct form view_form = {"NoticeView", view_fields,
                                      COUNT(view_fields)};
static const struct field now_fields[] = {
    {OUT_INT("unread", REQUIRED)},
    {OUT_ROWS("banners", &row_form, 0, REQUIRED)},
};
static const struct form now_form = {"NoticeNow", now_fields,
                                     COUNT(now_fields)};
static const struct field reader_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("name", REQUIRED)},
    {OUT_TEXT("read_at", REQUIRED)},
    {OUT_BOOL("is_current", REQUIRED)},
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
    {GET("/notices", list_notices, RIGHT_SIGNED_IN,
         "The operator's notices for this tenant, newest first",
         .query = &page_form, .reply = &row_form,
         .flags = ROUTE_LIST | ROUTE_NO_TX | ROUTE_QUIET)},
    {GET("/notices/now", get_now, RIGHT_SIGNED_IN,
         "Banners of the moment, and how many one has not read",
         .reply = &now_form, .flags = ROUTE_NO_TX | ROUTE_QUIET)},
    {GET("/notices/:id", get_notice, RIGHT_SIGNED_IN,
         "A notice with its text and what belongs to it", .reply = &view_form,
         .flags = ROUTE_NO_TX | ROUTE_QUIET)},
    {POST("/notices/:id/read", post_read, RIGHT_SIGNED_IN, "One has read it",
          .flags = ROUTE_NO_TX)},
    {POST("/notices/:id/dismiss", post_dismiss, RIGHT_SIGNED_IN,
          "Put its banner away", .flags = ROUTE_NO_TX)},
    {GET("/notices/:id/readers", list_readers, RIGHT_ADMIN,
         "Who of the tenant has read it", .query = &page_form,
         .reply = &reader_form, .flags = ROUTE_LIST | ROUTE_NO_TX)},
};
const struct route_set notice_board_routes = {routes, COUNT(routes),
                                              SET_TOKENS};
