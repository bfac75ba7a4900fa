/* SPDX-License-Identifier: Apache-2.0 */
/* What a tenant may take, and what it has taken. */
#include "api/dispatch/routes.h"
#include "core/tenant/quota.h"

static const struct field reply_fields[] = {
    {OUT_INT("bytes", NULLABLE)},
    {OUT_INT("users", NULLABLE)},
    {OUT_INT("requests", NULLABLE)},
    {OUT_INT("version", REQUIRED)},
};
static const struct form reply_form = {"Quota", reply_fields,
                                       COUNT(reply_fields)};
static const struct field usage_fields[] = {
    {OUT_INT("bytes", REQUIRED)},          {OUT_INT("bytes_limit", NULLABLE)},
    {OUT_INT("users", REQUIRED)},          {OUT_INT("users_limit", NULLABLE)},
    {OUT_INT("requests_limit", NULLABLE)},
};
static const struct form usage_form = {"Usage", usage_fields,
                                       COUNT(usage_fields)};

static void put_limit(struct call *k, const char *name, int64_t limit)
{
    if (limit)
        json_int(&k->out, name, limit);
    else
        json_null(&k->out, name);
}

static enum err reply(struct call *k, enum err e, const struct quota *q)
{
    if (e)
        return e;
    call_etag(k, q->version);
    json_open(&k->out, NULL, '{');
    put_limit(k, "bytes", q->bytes);
    put_limit(k, "users", q->users);
    put_limit(k, "requests", q->requests);
    json_int(&k->out, "version", q->version);
    json_close(&k->out, '}');
    return OK;
}

static enum err get_quota(struct call *k)
{
    struct quota q;
    enum err e = quota_get(k->c, k->params[0], &q);

    return reply(k, e, &q);
}

static enum err patch_quota(struct call *k)
{
    struct quota q;
    enum err e =
        quota_set(k->c, k->app, k->params[0], k->if_match, k->body, &q);

    return reply(k, e, &q);
}

static enum err get_usage(struct call *k)
{
    struct quota q;
    int64_t users;
    enum err e = quota_count_users(k->c, &users);

    if (e)
        return e;
    quota_find(k->app, tenant_id(k->tenant), &q);
    json_open(&k->out, NULL, '{');
    json_int(&k->out, "bytes", tenant_used_bytes(k->tenant));
    put_limit(k, "bytes_limit", q.bytes);
    json_int(&k->out, "users", users);
    put_limit(k, "users_limit", q.users);
    put_limit(k, "requests_limit", q.requests);
    json_close(&k->out, '}');
    return OK;
}

static const struct route routes[] = {
    {GET("/tenants/:id/quota", get_quota, RIGHT_AUDITOR,
         "What a tenant may take", .reply = &reply_form)},
    {PATCH("/tenants/:id/quota", patch_quota, RIGHT_OPERATOR,
           "Set what a tenant may take; null: no limit", .form = &quota_form,
           .reply = &reply_form, .flags = ROUTE_MATCH | ROUTE_NO_TX)},
    {GET("/tenant/usage", get_usage, RIGHT_ADMIN,
         "What the tenant has taken of what it may", .reply = &usage_form)},
};
const struct route_set quota_routes = {routes, COUNT(routes), SET_TOKENS};
