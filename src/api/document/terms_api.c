/* SPDX-License-Identifier: Apache-2.0 */
/* The terms of use as their operator writes and publishes them. */
#include "api/dispatch/routes.h"
#include "core/document/terms.h"

static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_INT("no", NULLABLE)},
    {OUT_TEXT("ja", OPTIONAL)},
    {OUT_TEXT("en", OPTIONAL)},
    {OUT_DAY("valid_from", REQUIRED)},
    {OUT_BOOL("is_material", REQUIRED)},
    {OUT_TEXT("published_at", NULLABLE)},
    {OUT_TEXT("published_by", NULLABLE)},
    {OUT_INT("version", REQUIRED)},
};
static const struct form reply_form = {"TermsVersion", reply_fields,
                                       COUNT(reply_fields)};

static void put_terms(struct call *k, const struct terms *t, bool with_text)
{
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "id", t->id);
    if (t->no)
        json_int(&k->out, "no", t->no);
    else
        json_null(&k->out, "no");
    if (with_text) {
        json_text(&k->out, "ja", t->ja);
        json_text(&k->out, "en", t->en);
    }
    json_day(&k->out, "valid_from", t->valid_from);
    json_bool(&k->out, "is_material", t->is_material);
    json_moment(&k->out, "published_at", t->published_at);
    json_text(&k->out, "published_by", t->published_by);
    json_int(&k->out, "version", t->version);
    json_close(&k->out, '}');
}

static enum err reply(struct call *k, enum err e, const struct terms *t)
{
    if (e)
        return e;
    call_etag(k, t->version);
    put_terms(k, t, true);
    return OK;
}

static enum err list_versions(struct call *k)
{
    const struct terms *list;
    size_t count;
    enum err e = terms_list(k->c, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_terms(k, &list[i], false);
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err get_version(struct call *k)
{
    struct terms t;
    enum err e = terms_get(k->c, call_id(k, 0), &t);

    return reply(k, e, &t);
}

static enum err post_version(struct call *k)
{
    struct terms t;
    enum err e = terms_create(k->c, k->body, &t);

    return reply(k, e, &t);
}

static enum err patch_version(struct call *k)
{
    struct terms t;
    enum err e = terms_update(k->c, call_id(k, 0), k->if_match, k->body, &t);

    return reply(k, e, &t);
}

static enum err delete_version(struct call *k)
{
    return terms_delete(k->c, call_id(k, 0), k->if_match);
}

static enum err post_publish(struct call *k)
{
    struct terms t;
    enum err e = terms_publish(k->c, k->app, call_id(k, 0), k->if_match, &t);

    return reply(k, e, &t);
}

static const struct route routes[] = {
    {GET("/terms/versions", list_versions, RIGHT_AUDITOR,
         "Drafts and versions of the terms of use", .reply = &reply_form,
         .flags = ROUTE_LIST)},
    {GET("/terms/versions/:id", get_version, RIGHT_AUDITOR,
         "One of them, with its texts", .reply = &reply_form)},
    {POST("/terms/versions", post_version, RIGHT_OPERATOR, "Write a draft",
          .form = &terms_form, .reply = &reply_form, .flags = ROUTE_CREATED)},
    {PATCH("/terms/versions/:id", patch_version, RIGHT_OPERATOR,
           "Change a draft", .form = &terms_edit_form, .reply = &reply_form,
           .flags = ROUTE_MATCH)},
    {DELETE("/terms/versions/:id", delete_version, RIGHT_OPERATOR,
            "Throw a draft away", .flags = ROUTE_MATCH)},
    {POST("/terms/versions/:id/publish", post_publish, RIGHT_OPERATOR,
          "Publish a draft as the next version", .reply = &reply_form,
          .flags = ROUTE_MATCH | ROUTE_FRESH | ROUTE_NO_TX)},
};
const struct route_set terms_routes = {routes, COUNT(routes), 0};
