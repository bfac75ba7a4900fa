/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/download.h"
#include "api/dispatch/routes.h"
#include "base/str.h"
#include "core/tenant/quota.h"
#include "core/work/ticket_file.h"

static const struct field list_fields[] = {
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form list_form = {"TicketFileQuery", list_fields,
                                      COUNT(list_fields)};
static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},           {OUT_TEXT("name", REQUIRED)},
    {OUT_TEXT("type", REQUIRED)},       {OUT_BOOL("picture", REQUIRED)},
    {OUT_INT("size", REQUIRED)},        {OUT_TEXT("sha256", REQUIRED)},
    {OUT_TEXT("created_at", REQUIRED)},
};
static const struct form reply_form = {"TicketFile", reply_fields,
                                       COUNT(reply_fields)};

static void put_file(struct call *k, const struct ticket_file *f)
{
    char hash[2 * CRYPTO_HASH_BYTES + 1];
    struct json_out *o = &k->out;

    str_to_hex(f->sha256, sizeof f->sha256, hash);
    json_open(o, NULL, '{');
    json_id(o, "id", f->id);
    json_text(o, "name", f->name);
    json_text(o, "type", f->type);
    json_bool(o, "picture", f->is_picture);
    json_int(o, "size", f->size);
    json_text(o, "sha256", hash);
    json_open(o, "user", '{');
    json_id(o, "id", f->user_id);
    json_text(o, "name", f->user_name);
    json_close(o, '}');
    json_moment(o, "created_at", f->created_at);
    json_close(o, '}');
}

static enum err list_files(struct call *k)
{
    const struct ticket_file *list;
    size_t count;
    bool more;
    enum err e =
        ticket_file_list(k->c, call_id(k, 0), values_int(k->query, "after", 0),
                         call_limit(k), &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_file(k, &list[i]);
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].id : 0);
    json_close(&k->out, '}');
    return OK;
}

/* The body is read, cleaned and hashed before the transaction begins: a slow
 * sender holds up nobody.  Its one commit makes the file visible, so that an
 * upload that breaks off leaves nothing. */
static enum err post_file(struct call *k)
{
    struct ticket_file f = {.id = 0};
    struct ticket_upload up;
    const char *data;
    size_t len;
    enum err e = call_read_body(k, TICKET_FILE_BYTES, &data, &len);

    if (e == ERR_LIMIT)
        return ctx_fail(k->c, e, "", "file_size",
                        "ファイルが大きすぎます（上限 25 MB）",
                        "The file is larger than 25 MB");
    if (e)
        return e;
    if ((e = ticket_file_prepare(k->c, k->query, data, len, &up)) ||
        (e = tx_begin(k->c, k->tenant, TX_WRITE)))
        return e;
    if (!(e = access_check(k->c, k->route->right, call_id(k, 0))) &&
        !(e = ticket_file_add(k->c, call_id(k, 0), &up, &f)))
        e = quota_check_written(k->c, k->app);
    if ((e = tx_end(k->c, k->tenant, e)))
        return e;
    put_file(k, &f);
    return OK;
}

static enum err get_file(struct call *k)
{
    struct ticket_file f;
    enum err e = ticket_file_read(k->c, call_id(k, 0), call_id(k, 1), &f,
                                  &k->reply->body);

    if (e) {
        k->reply->body.len = 0;
        return e;
    }
    char hash[2 * CRYPTO_HASH_BYTES + 1];
    str_to_hex(f.sha256, sizeof f.sha256, hash);
    k->reply->etag = arena_printf(k->c->mem, "\"%s\"", hash);
    if (f.is_picture)
        download_head_picture(k, f.name, f.type);
    else
        download_head(k, f.name);
    return OK;
}

static enum err delete_file(struct call *k)
{
    return ticket_file_delete(k->c, call_id(k, 0), call_id(k, 1));
}

static const struct route routes[] = {
    {GET("/tickets/:id/files", list_files, RIGHT_TICKET_VIEW,
         "Files attached to a ticket, oldest first", .query = &list_form,
         .reply = &reply_form, .flags = ROUTE_LIST)},
    {POST("/tickets/:id/files", post_file, RIGHT_TICKET_ATTACH,
          "Attach a file (25 MB) to a ticket: the body is its bytes",
          .query = &ticket_file_upload_form, .reply = &reply_form,
          .flags = ROUTE_NO_TX | ROUTE_RAW | ROUTE_CREATED | ROUTE_SUPPORT)},
    {GET("/tickets/:id/files/:file", get_file, RIGHT_TICKET_VIEW,
         "The file; pictures may be shown, all else is a download")},
    {DELETE("/tickets/:id/files/:file", delete_file, RIGHT_TICKET_ATTACH,
            "Delete one's own file, or any with the right to edit the ticket",
            .flags = ROUTE_SUPPORT)},
};
const struct route_set ticket_file_routes = {routes, COUNT(routes), SET_TOKENS};
