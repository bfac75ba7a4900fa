/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "api/log/log_reply.h"
#include "core/account/user.h"
#include "core/log/request_log_writer.h"

static const struct field list_fields[] = {
    {ID("user", OPTIONAL, "ユーザー", "Person")},
    {TEXT("ip", 1, 45, OPTIONAL, "IPアドレス", "Address")},
    {BOOL("refused", OPTIONAL, "拒否のみ", "Refused")},
    {DAY("from", OPTIONAL, "開始日", "From")},
    {DAY("to", OPTIONAL, "終了日", "To")},
    {TEXT("q", 1, 100, OPTIONAL, "検索", "Search")},
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form list_form = {"AccessQuery", list_fields,
                                      COUNT(list_fields)};
static const struct field reply_fields[] = {
    {OUT_INT("seq", REQUIRED)},         {OUT_TEXT("at", REQUIRED)},
    {OUT_TEXT("ip", REQUIRED)},         {OUT_TEXT("method", REQUIRED)},
    {OUT_TEXT("route", REQUIRED)},      {OUT_INT("status", REQUIRED)},
    {OUT_TEXT("request_id", REQUIRED)}, {OUT_TEXT("agent", REQUIRED)},
};
static const struct form reply_form = {"Access", reply_fields,
                                       COUNT(reply_fields)};

static enum err read_entries(struct call *k,
                             const struct request_log_row **list, size_t *count,
                             bool *more)
{
    const struct values *v = k->query;
    struct request_log_filter filter = {
        .user_id = values_int(v, "user", 0),
        .after_seq = values_int(v, "after", 0),
        .ip = values_text(v, "ip"),
        .q = values_text(v, "q"),
        .only_refused = values_bool(v, "refused", false),
        .limit = call_limit(k),
    };

    log_reply_days(v, &filter.from_us, &filter.to_us);
    enum err e = tx_begin_access(k->c, k->tenant, TX_READ);
    if (e)
        return e;
    return tx_end_access(k->c, k->tenant,
                         request_log_list(k->c, &filter, list, count, more));
}

/* NULL for whoever is not, or no longer, known. */
static enum err put_user(struct call *k, int64_t id)
{
    struct user u = {.name = NULL};
    enum err e = id ? user_get(k->c, id, &u) : OK;

    if (e && e != ERR_NOT_FOUND)
        return e;
    if (!id || !u.name) {
        json_null(&k->out, "user");
        return OK;
    }
    json_open(&k->out, "user", '{');
    json_id(&k->out, "id", id);
    json_text(&k->out, "name", u.name);
    json_close(&k->out, '}');
    return OK;
}

static enum err put_entry(struct call *k, const struct request_log_row *it)
{
    json_open(&k->out, NULL, '{');
    json_int(&k->out, "seq", it->seq);
    json_moment(&k->out, "at", it->at);
    enum err e = put_user(k, it->user_id);
    json_text(&k->out, "ip", it->ip);
    json_text(&k->out, "method", it->method);
    json_text(&k->out, "route", it->route);
    json_int(&k->out, "status", it->status);
    json_text(&k->out, "request_id", it->request_id);
    json_text(&k->out, "agent", it->agent);
    json_close(&k->out, '}');
    return e;
}

/* The rows are in one file, the names in another. */
static enum err list_accesses(struct call *k)
{
    const struct request_log_row *list = NULL;
    size_t count = 0;
    bool more = false;

    request_log_writer_flush(k->app->access_log);
    enum err e = read_entries(k, &list, &count, &more);
    if (e || (e = tx_begin(k->c, k->tenant, TX_READ)))
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; !e && i < count; i++)
        e = put_entry(k, &list[i]);
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].seq : 0);
    json_close(&k->out, '}');
    return tx_end(k->c, k->tenant, e);
}

static enum err verify_accesses(struct call *k)
{
    return log_reply_verify(k, LOG_ACCESS);
}

static enum err export_accesses(struct call *k)
{
    return log_reply_export(k, LOG_ACCESS);
}

static const struct route routes[] = {
    {GET("/accesses", list_accesses, RIGHT_ADMIN_LOG,
         "The access log, newest first", .query = &list_form,
         .reply = &reply_form, .flags = ROUTE_LIST | ROUTE_NO_TX)},
    {GET("/accesses/verify", verify_accesses, RIGHT_ADMIN_LOG,
         "Check the chain of the access log", .flags = ROUTE_NO_TX)},
    {POST("/accesses/export", export_accesses, RIGHT_ADMIN_LOG,
          "The access log of some days as a file with its proof",
          .form = &log_export_form, .flags = ROUTE_NO_TX | ROUTE_FRESH)},
};
const struct route_set request_log_writer_routes = {routes, COUNT(routes),
                                                    SET_TOKENS};
