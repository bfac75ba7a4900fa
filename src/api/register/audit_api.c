/* SPDX-License-Identifier: Apache-2.0 */
/* Audit reports: filed and released in the console, downloaded by the tenant's
 * master administrators. */
#include "api/dispatch/download.h"
#include "api/dispatch/routes.h"
#include "base/str.h"
#include "core/register/audit.h"

static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("title", REQUIRED)},
    {OUT_DAY("issued_on", REQUIRED)},
    {OUT_TEXT("file", REQUIRED)},
    {OUT_INT("size", REQUIRED)},
    {OUT_TEXT("sha256", REQUIRED)},
    {OUT_TEXT("released_at", NULLABLE)},
    {OUT_TEXT("filed_by", OPTIONAL)},
    {OUT_TEXT("filed_at", OPTIONAL)},
    {OUT_INT("version", OPTIONAL)},
};
static const struct form reply_form = {"AuditReport", reply_fields,
                                       COUNT(reply_fields)};

static void put_report(struct call *k, const struct audit_report *r)
{
    char hash[2 * CRYPTO_HASH_BYTES + 1];
    struct json_out *o = &k->out;

    str_to_hex(r->sha256, sizeof r->sha256, hash);
    json_id(o, "id", r->id);
    json_text(o, "title", r->title);
    json_day(o, "issued_on", r->issued_on);
    json_text(o, "file", r->file);
    json_int(o, "size", r->size);
    json_text(o, "sha256", hash);
    json_moment(o, "released_at", r->released_at);
}

static void put_own(struct call *k, const struct audit_report *r)
{
    json_text(&k->out, "filed_by", r->filed_by);
    json_moment(&k->out, "filed_at", r->filed_at);
    json_int(&k->out, "version", r->version);
}

static void put_releases(struct call *k, int64_t id,
                         const struct audit_release *list, size_t count)
{
    struct json_out *o = &k->out;

    json_open(o, "releases", '[');
    for (size_t i = 0; i < count; i++) {
        if (list[i].report_id != id)
            continue;
        json_open(o, NULL, '{');
        json_text(o, "tenant", list[i].tenant);
        json_text(o, "tenant_name", list[i].tenant_name);
        json_text(o, "released_by", list[i].released_by);
        json_moment(o, "released_at", list[i].released_at);
        json_int(o, "downloads", list[i].downloads);
        json_moment(o, "downloaded_at", list[i].downloaded_at);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static enum err list_reports(struct call *k)
{
    const struct audit_report *list;
    const struct audit_release *given;
    size_t count, given_count;
    enum err e = audit_list(k->c, &list, &count);

    if (e || (e = audit_list_releases(k->c, &given, &given_count)))
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        put_report(k, &list[i]);
        put_own(k, &list[i]);
        put_releases(k, list[i].id, given, given_count);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err list_given(struct call *k)
{
    const struct audit_report *list;
    size_t count;
    enum err e =
        audit_list_given(k->c, k->app, tenant_id(k->tenant), &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        put_report(k, &list[i]);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

/* The body is read before the transaction begins. */
static enum err post_report(struct call *k)
{
    struct audit_report r;
    const char *data;
    size_t len;
    enum err e = call_read_body(k, AUDIT_FILE_BYTES, &data, &len);

    if (e == ERR_LIMIT)
        return ctx_fail(k->c, e, "", "file_size",
                        "ファイルが大きすぎます（上限 20 MB）",
                        "The file is larger than 20 MB");
    if (e)
        return e;
    if ((e = tx_begin_control(k->c, k->app->store, TX_WRITE)) ||
        (e = tx_end_control(k->c, k->app->store,
                            audit_create(k->c, k->query, data, len, &r))))
        return e;
    json_open(&k->out, NULL, '{');
    put_report(k, &r);
    put_own(k, &r);
    json_close(&k->out, '}');
    return OK;
}

static enum err delete_report(struct call *k)
{
    return audit_delete(k->c, call_id(k, 0), k->if_match);
}

static enum err post_release(struct call *k)
{
    k->reply->status = 204;
    return audit_give(k->c, k->app, call_id(k, 0),
                      values_text(k->body, "tenant"));
}

/* Whatever it is, it is only ever a download. */
static enum err send_file(struct call *k, enum err e,
                          const struct audit_report *r)
{
    if (e) {
        k->reply->body.len = 0;
        return e;
    }
    download_head(k, r->file);
    return OK;
}

static enum err get_file(struct call *k)
{
    struct audit_report r;
    enum err e = audit_read(k->c, call_id(k, 0), &r, &k->reply->body);

    return send_file(k, e, &r);
}

static enum err get_given(struct call *k)
{
    struct audit_report r;
    enum err e = audit_download(k->c, k->app, k->tenant, call_id(k, 0), &r,
                                &k->reply->body);

    return send_file(k, e, &r);
}

static const struct route routes[] = {
    {GET("/audits", list_reports, RIGHT_AUDITOR,
         "Audit reports, and to whom each was released", .reply = &reply_form,
         .flags = ROUTE_LIST)},
    {POST("/audits", post_report, RIGHT_OPERATOR,
          "File an audit report (20 MB)", .query = &audit_form,
          .reply = &reply_form,
          .flags = ROUTE_NO_TX | ROUTE_RAW | ROUTE_CREATED)},
    {DELETE("/audits/:id", delete_report, RIGHT_OPERATOR,
            "Remove one that was released to nobody", .flags = ROUTE_MATCH)},
    {GET("/audits/:id/file", get_file, RIGHT_AUDITOR, "The file")},
    {POST("/audits/:id/releases", post_release, RIGHT_OPERATOR,
          "Release it to a tenant, whose administrators are told",
          .form = &audit_release_form, .flags = ROUTE_NO_TX)},
    {GET("/audit-reports", list_given, RIGHT_ADMIN,
         "Audit reports the operator released to the tenant",
         .reply = &reply_form, .flags = ROUTE_LIST | ROUTE_NO_TX)},
    {GET("/audit-reports/:id/file", get_given, RIGHT_ADMIN,
         "The file; both logs note the download", .flags = ROUTE_NO_TX)},
};
const struct route_set audit_routes = {routes, COUNT(routes), SET_TOKENS};
