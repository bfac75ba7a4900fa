/* SPDX-License-Identifier: Apache-2.0 */
/* Deletions under way and the certificates of those that are done. */
#include "api/dispatch/routes.h"
#include "core/contract/deletion.h"
#include "core/contract/deletion_certificate.h"

static const struct field page_fields[] = {
    {INT("limit", 1, 200, OPTIONAL, "", "")},
    {OUT_ID("after", OPTIONAL)},
};
static const struct form page_form = {"CertificateQuery", page_fields,
                                      COUNT(page_fields)};
static const struct field row_fields[] = {
    {OUT_ID("id", REQUIRED)},     {OUT_TEXT("tenant", REQUIRED)},
    {OUT_TEXT("name", REQUIRED)}, {OUT_INT("revision", REQUIRED)},
    {OUT_TEXT("at", REQUIRED)},
};
static const struct form row_form = {"CertificateRow", row_fields,
                                     COUNT(row_fields)};
static const struct field open_fields[] = {
    {OUT_TEXT("tenant", REQUIRED)},
    {OUT_TEXT("name", REQUIRED)},
    {OUT_CHOICE("step", deletion_step_words, REQUIRED)},
    {OUT_TEXT("started_at", REQUIRED)},
    {OUT_TEXT("error", NULLABLE)},
    {OUT_DAY("backups_on", NULLABLE)},
    {OUT_TEXT("backups_at", NULLABLE)},
    {OUT_DAY("logs_on", NULLABLE)},
};
static const struct form open_form = {"Deletion", open_fields,
                                      COUNT(open_fields)};

static enum err list_open(struct call *k)
{
    const struct deletion *list = NULL;
    size_t count = 0;
    enum err e = deletion_list_open(k->c, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        json_text(&k->out, "tenant", list[i].tenant);
        json_text(&k->out, "name", list[i].name);
        json_text(&k->out, "step", deletion_step_words[list[i].step]);
        json_moment(&k->out, "started_at", list[i].started_at);
        json_text(&k->out, "error", list[i].error);
        json_day(&k->out, "backups_on", list[i].backups_on);
        json_moment(&k->out, "backups_at", list[i].backups_at);
        json_day(&k->out, "logs_on", list[i].logs_on);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err list_certificates(struct call *k)
{
    const struct deletion_certificate *list = NULL;
    size_t count = 0;
    bool more = false;
    enum err e =
        deletion_certificate_list(k->c, values_int(k->query, "after", 0),
                                  call_limit(k), &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        json_id(&k->out, "id", list[i].id);
        json_text(&k->out, "tenant", list[i].tenant);
        json_text(&k->out, "name", list[i].name);
        json_int(&k->out, "revision", list[i].revision);
        json_moment(&k->out, "at", list[i].at);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].id : 0);
    json_close(&k->out, '}');
    return OK;
}

/* The document as it was signed, byte by byte. */
static enum err get_certificate(struct call *k)
{
    struct deletion_certificate it;
    enum err e = deletion_certificate_get(k->c, k->params[0], &it);

    if (e)
        return e;
    k->reply->type = "application/json";
    reply_header(k->reply, "Content-Disposition",
                 arena_printf(k->c->mem,
                              "attachment; filename=\"certificate-%s-%lld.json"
                              "\"",
                              it.tenant, (long long)it.revision));
    buf_puts(&k->reply->body, it.text);
    return OK;
}

static const struct route routes[] = {
    {GET("/deletions", list_open, RIGHT_AUDITOR,
         "Deletions that are not over, and what of them is due",
         .reply = &open_form, .flags = ROUTE_LIST)},
    {GET("/certificates", list_certificates, RIGHT_AUDITOR,
         "Certificates of deletion, newest first", .query = &page_form,
         .reply = &row_form, .flags = ROUTE_LIST)},
    {GET("/certificates/:id", get_certificate, RIGHT_AUDITOR,
         "The newest certificate of a tenant, as it was signed")},
};
const struct route_set deletion_certificate_routes = {routes, COUNT(routes), 0};
