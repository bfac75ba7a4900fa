/* SPDX-License-Identifier: Apache-2.0 */
/* Policies and statements: as the operator writes them, and as everybody or a
 * master administrator reads what is published. */
#include "api/dispatch/optional_session.h"
#include "api/dispatch/routes.h"
#include "base/str.h"
#include "core/document/document.h"

static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_CHOICE("kind", document_kind_words, REQUIRED)},
    {OUT_TEXT("title", REQUIRED)},
    {OUT_INT("no", NULLABLE)},
    {OUT_TEXT("ja", OPTIONAL)},
    {OUT_TEXT("en", OPTIONAL)},
    {OUT_TEXT("regions", REQUIRED)},
    {OUT_BOOL("is_public", REQUIRED)},
    {OUT_DAY("review_on", REQUIRED)},
    {OUT_TEXT("published_at", NULLABLE)},
    {OUT_TEXT("published_by", NULLABLE)},
    {OUT_TEXT("reviewed_at", NULLABLE)},
    {OUT_TEXT("reviewed_by", NULLABLE)},
    {OUT_INT("version", REQUIRED)},
};
static const struct form reply_form = {"Document", reply_fields,
                                       COUNT(reply_fields)};

static void put_title(struct call *k, enum document_kind kind)
{
    json_text(&k->out, "kind", document_kind_words[kind]);
    json_text(
        &k->out, "title",
        ctx_text(k->c, document_titles[kind][0], document_titles[kind][1]));
}

static void put_document(struct call *k, const struct document *d,
                         bool with_text)
{
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "id", d->id);
    put_title(k, d->kind);
    if (d->no)
        json_int(&k->out, "no", d->no);
    else
        json_null(&k->out, "no");
    if (with_text) {
        json_text(&k->out, "ja", d->ja);
        json_text(&k->out, "en", d->en);
    }
    json_text(&k->out, "regions", d->regions);
    json_bool(&k->out, "is_public", d->is_public);
    json_day(&k->out, "review_on", d->review_on);
    json_moment(&k->out, "published_at", d->published_at);
    json_text(&k->out, "published_by", d->published_by);
    json_moment(&k->out, "reviewed_at", d->reviewed_at);
    json_text(&k->out, "reviewed_by", d->reviewed_by);
    json_int(&k->out, "version", d->version);
    json_close(&k->out, '}');
}

static enum err reply(struct call *k, enum err e, const struct document *d)
{
    if (e)
        return e;
    call_etag(k, d->version);
    put_document(k, d, true);
    return OK;
}

static enum err list_documents(struct call *k)
{
    const struct document *list;
    size_t count;
    enum err e = document_list(k->c, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_document(k, &list[i], false);
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err get_document(struct call *k)
{
    struct document d;

    return reply(k, document_get(k->c, call_id(k, 0), &d), &d);
}

static enum err post_document(struct call *k)
{
    struct document d;

    return reply(k, document_create(k->c, k->body, &d), &d);
}

static enum err patch_document(struct call *k)
{
    struct document d;

    return reply(
        k, document_update(k->c, call_id(k, 0), k->if_match, k->body, &d), &d);
}

static enum err delete_document(struct call *k)
{
    return document_delete(k->c, call_id(k, 0), k->if_match);
}

static enum err post_publish(struct call *k)
{
    struct document d;

    return reply(k, document_publish(k->c, call_id(k, 0), k->if_match, &d), &d);
}

static enum err post_review(struct call *k)
{
    struct document d;
    int32_t day = (int32_t)values_int(k->body, "review_on", 0);

    return reply(k, document_confirm(k->c, call_id(k, 0), k->if_match, day, &d),
                 &d);
}

static const struct route routes[] = {
    {GET("/documents", list_documents, RIGHT_AUDITOR,
         "Drafts and versions of policies and statements", .reply = &reply_form,
         .flags = ROUTE_LIST)},
    {GET("/documents/:id", get_document, RIGHT_AUDITOR,
         "One of them, with its texts", .reply = &reply_form)},
    {POST("/documents", post_document, RIGHT_OPERATOR, "Write a draft",
          .form = &document_form, .reply = &reply_form,
          .flags = ROUTE_CREATED)},
    {PATCH("/documents/:id", patch_document, RIGHT_OPERATOR, "Change a draft",
           .form = &document_edit_form, .reply = &reply_form,
           .flags = ROUTE_MATCH)},
    {DELETE("/documents/:id", delete_document, RIGHT_OPERATOR,
            "Throw a draft away", .flags = ROUTE_MATCH)},
    {POST("/documents/:id/publish", post_publish, RIGHT_OPERATOR,
          "Publish a draft as the next version of its kind",
          .reply = &reply_form, .flags = ROUTE_MATCH | ROUTE_FRESH)},
    {POST("/documents/:id/review", post_review, RIGHT_OPERATOR,
          "A published version was looked at and is still right",
          .form = &document_review_form, .reply = &reply_form,
          .flags = ROUTE_MATCH)},
};
const struct route_set document_routes = {routes, COUNT(routes), 0};

/* ---- readers ---- */

static const struct field published_fields[] = {
    {OUT_TEXT("kind", REQUIRED)},
    {OUT_TEXT("title", REQUIRED)},
    {OUT_INT("no", REQUIRED)},
    {OUT_BOOL("is_public", REQUIRED)},
    {OUT_TEXT("published_at", REQUIRED)},
    {OUT_TEXT("regions", REQUIRED)},
    {OUT_TEXT("reviewed_at", NULLABLE)},
    {OUT_DAY("review_on", NULLABLE)},
    {OUT_TEXT("ja", OPTIONAL)},
    {OUT_TEXT("en", OPTIONAL)},
};
static const struct form published_form = {"Published", published_fields,
                                           COUNT(published_fields)};
static const struct field version_fields[] = {
    {INT("no", 1, 1000000, OPTIONAL, "版", "Version")},
};
static const struct form version_form = {"PublishedQuery", version_fields,
                                         COUNT(version_fields)};

static void put_published(struct call *k, const struct document *d)
{
    put_title(k, d->kind);
    json_int(&k->out, "no", d->no);
    json_bool(&k->out, "is_public", d->is_public);
    json_moment(&k->out, "published_at", d->published_at);
    json_text(&k->out, "regions", d->regions);
    json_moment(&k->out, "reviewed_at", d->reviewed_at);
    json_day(&k->out, "review_on", d->review_on);
}

static void put_terms(struct call *k, const struct terms *t)
{
    json_text(&k->out, "kind", "terms");
    json_text(&k->out, "title", ctx_text(k->c, "利用規約", "Terms of use"));
    json_int(&k->out, "no", t->no);
    json_bool(&k->out, "is_public", true);
    json_moment(&k->out, "published_at", t->published_at);
    json_text(&k->out, "regions", "");
    json_null(&k->out, "reviewed_at");
    json_null(&k->out, "review_on");
}

static void put_version(struct call *k, int64_t no, int64_t published_at)
{
    json_open(&k->out, NULL, '{');
    json_int(&k->out, "no", no);
    json_moment(&k->out, "published_at", published_at);
    json_close(&k->out, '}');
}

static enum err list_published(struct call *k)
{
    const struct document *list;
    const struct terms *terms;
    size_t count, terms_count;
    enum reader reader;
    enum err e = optional_session_find(k, &reader);

    if (e || (e = document_list_current(k->c, k->app, reader == READER_ANYONE,
                                        &list, &count)))
        return e;
    if ((e = terms_list_published(k->c, k->app, &terms, &terms_count)))
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        put_published(k, &list[i]);
        json_close(&k->out, '}');
    }
    if (terms_count) {
        json_open(&k->out, NULL, '{');
        put_terms(k, &terms[0]);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

/* no 0: the newest in force. */
static enum err get_terms(struct call *k, int64_t no)
{
    const struct terms *list;
    struct terms t;
    size_t count, i = 0;
    enum err e = terms_list_published(k->c, k->app, &list, &count);

    if (e)
        return e;
    while (no && i < count && list[i].no != no)
        i++;
    if (i == count)
        return ctx_fail(k->c, ERR_NOT_FOUND, "", "not_found", "見つかりません",
                        "Not found");
    if ((e = terms_read(k->c, k->app, list[i].no, &t)))
        return e;
    json_open(&k->out, NULL, '{');
    put_terms(k, &t);
    json_text(&k->out, "ja", t.ja);
    json_text(&k->out, "en", t.en);
    json_open(&k->out, "versions", '[');
    for (i = 0; i < count; i++)
        put_version(k, list[i].no, list[i].published_at);
    json_close(&k->out, ']');
    json_close(&k->out, '}');
    return OK;
}

static enum err get_kind(struct call *k, enum document_kind kind, int64_t no)
{
    const struct document *list;
    struct document d;
    size_t count;
    enum reader reader;
    enum err e = optional_session_find(k, &reader);
    bool only_public = reader == READER_ANYONE;

    if (e || (e = document_read(k->c, k->app, kind, no, only_public, &d)) ||
        (e = document_list_versions(k->c, k->app, kind, only_public, &list,
                                    &count)))
        return e;
    json_open(&k->out, NULL, '{');
    put_published(k, &d);
    json_text(&k->out, "ja", d.ja);
    json_text(&k->out, "en", d.en);
    json_open(&k->out, "versions", '[');
    for (size_t i = 0; i < count; i++)
        put_version(k, list[i].no, list[i].published_at);
    json_close(&k->out, ']');
    json_close(&k->out, '}');
    return OK;
}

static enum err get_published(struct call *k)
{
    int64_t no = values_int(k->query, "no", 0);

    if (str_equal(k->params[0], "terms"))
        return get_terms(k, no);
    for (int i = 0; i < DOCUMENT_KINDS; i++)
        if (str_equal(k->params[0], document_kind_words[i]))
            return get_kind(k, (enum document_kind)i, no);
    return ctx_fail(k->c, ERR_NOT_FOUND, "", "not_found", "見つかりません",
                    "Not found");
}

static const struct route optional_session_routes[] = {
    {GET("/policies", list_published, RIGHT_ANYONE,
         "Policies, statements and terms in force that the reader may see",
         .reply = &published_form,
         .flags = ROUTE_LIST | ROUTE_NO_TX | ROUTE_QUIET)},
    {GET("/policies/:kind", get_published, RIGHT_ANYONE,
         "One of them, with its texts and versions", .query = &version_form,
         .reply = &published_form, .flags = ROUTE_NO_TX | ROUTE_QUIET)},
};
const struct route_set published_routes = {optional_session_routes,
                                           COUNT(optional_session_routes),
                                           SET_EVERYWHERE | SET_TOKENS};
