/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "api/log/log_reply.h"
#include "base/str.h"
#include "core/log/operation.h"

static const struct field list_fields[] = {
    {ID("user", OPTIONAL, "ユーザー", "Person")},
    {TEXT("kind", 1, 40, OPTIONAL, "対象", "Kind")},
    {TEXT("action", 1, 40, OPTIONAL, "操作", "Action")},
    {DAY("from", OPTIONAL, "開始日", "From")},
    {DAY("to", OPTIONAL, "終了日", "To")},
    {ID("object", OPTIONAL, "対象", "Object")},
    {TEXT("q", 1, 100, OPTIONAL, "検索", "Search")},
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form list_form = {"OperationQuery", list_fields,
                                      COUNT(list_fields)};
static const struct field reply_fields[] = {
    {OUT_INT("seq", REQUIRED)},          {OUT_TEXT("at", REQUIRED)},
    {OUT_TEXT("ip", REQUIRED)},          {OUT_TEXT("action", REQUIRED)},
    {OUT_TEXT("kind", REQUIRED)},        {OUT_ID("object_id", NULLABLE)},
    {OUT_TEXT("object_name", REQUIRED)}, {OUT_TEXT("hash", REQUIRED)},
};
static const struct form reply_form = {"Operation", reply_fields,
                                       COUNT(reply_fields)};

static void put_row(struct call *k, const struct operation_row *row)
{
    char hash[2 * CRYPTO_HASH_BYTES + 1];

    str_to_hex(row->hash, sizeof row->hash, hash);
    json_open(&k->out, NULL, '{');
    json_int(&k->out, "seq", row->seq);
    json_moment(&k->out, "at", row->at);
    json_open(&k->out, "user", '{');
    json_id(&k->out, "id", row->user_id);
    json_text(&k->out, "name", row->user_name);
    json_close(&k->out, '}');
    json_text(&k->out, "ip", row->ip);
    json_text(&k->out, "request_id", row->request_id);
    json_text(&k->out, "action", row->op.action);
    json_text(&k->out, "kind", row->op.kind);
    json_id(&k->out, "object_id", row->op.object_id);
    json_text(&k->out, "object_name", row->op.object_name);
    json_raw(&k->out, "before", row->op.before ? row->op.before : "null");
    json_raw(&k->out, "after", row->op.after ? row->op.after : "null");
    json_text(&k->out, "hash", hash);
    json_close(&k->out, '}');
}

static struct operation_filter filter_of(const struct call *k)
{
    const struct values *v = k->query;
    struct operation_filter filter = {
        .user_id = values_int(v, "user", 0),
        .object_id = values_int(v, "object", 0),
        .after_seq = values_int(v, "after", 0),
        .kind = values_text(v, "kind"),
        .action = values_text(v, "action"),
        .q = values_text(v, "q"),
        .limit = call_limit(k),
    };

    log_reply_days(v, &filter.from_us, &filter.to_us);
    return filter;
}

static enum err list_operations(struct call *k)
{
    struct operation_filter filter = filter_of(k);
    const struct operation_row *list;
    size_t count;
    bool more;
    enum err e = operation_list(k->c, &filter, &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_row(k, &list[i]);
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].seq : 0);
    json_close(&k->out, '}');
    return OK;
}

static enum err verify_operations(struct call *k)
{
    return log_reply_verify(k, LOG_OPERATION);
}

static enum err export_operations(struct call *k)
{
    return log_reply_export(k, LOG_OPERATION);
}

static const struct route routes[] = {
    {GET("/operations", list_operations, RIGHT_ADMIN_LOG,
         "The operation log, newest first", .query = &list_form,
         .reply = &reply_form, .flags = ROUTE_LIST)},
    {GET("/operations/verify", verify_operations, RIGHT_ADMIN_LOG,
         "Check the chain of the operation log", .flags = ROUTE_NO_TX)},
    {POST("/operations/export", export_operations, RIGHT_ADMIN_LOG,
          "The operation log of some days as a file with its proof",
          .form = &log_export_form, .flags = ROUTE_NO_TX | ROUTE_FRESH)},
};
const struct route_set operation_routes = {routes, COUNT(routes),
                                           SET_EVERYWHERE | SET_TOKENS};
