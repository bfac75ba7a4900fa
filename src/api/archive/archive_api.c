/* SPDX-License-Identifier: Apache-2.0 */
/* The customer's exports of everything.  Open also while terms are not
 * accepted and while a contract ends; never to support access or a token. */
#include "api/dispatch/routes.h"
#include "base/clock.h"
#include "base/str.h"
#include "core/account/session.h"
#include "core/archive/archive.h"

#include <string.h>

static const struct field archive_fields[] = {
    {OUT_ID("id", REQUIRED)},           {OUT_TEXT("user_name", REQUIRED)},
    {OUT_TEXT("made_at", REQUIRED)},    {OUT_TEXT("expires_at", REQUIRED)},
    {OUT_TEXT("removed_at", NULLABLE)}, {OUT_INT("bytes", REQUIRED)},
    {OUT_TEXT("sha256", REQUIRED)},
};
static const struct form archive_form = {"Archive", archive_fields,
                                         COUNT(archive_fields)};

/* What holds a whole company goes to its own administrators alone. */
static enum err need_own(const struct call *k)
{
    if (k->session && !k->session->support)
        return OK;
    return ctx_fail(k->c, ERR_DENIED, "", "support_limited",
                    "サポートアクセスではデータを書き出せません",
                    "Support access does not reach exports");
}

static void put_archive(struct call *k, const struct archive *a)
{
    char hex[2 * CRYPTO_HASH_BYTES + 1];
    bool is_over = !a->removed_at && a->expires_at <= k->c->now_us;

    str_to_hex(a->sha256, sizeof a->sha256, hex);
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "id", a->id);
    json_text(&k->out, "user_name", a->user_name);
    json_moment(&k->out, "made_at", a->made_at);
    json_moment(&k->out, "expires_at", a->expires_at);
    json_moment(&k->out, "removed_at", is_over ? a->expires_at : a->removed_at);
    json_int(&k->out, "bytes", a->bytes);
    json_text(&k->out, "sha256", hex);
    json_close(&k->out, '}');
}

static enum err list_archives(struct call *k)
{
    const struct archive *list = NULL;
    size_t count = 0;
    enum err e = archive_list(k->c, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_archive(k, &list[i]);
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

/* The step before a download, which a link cannot repeat when it is told to
 * sign in again. */
static enum err get_archive(struct call *k)
{
    struct archive a;
    enum err e = need_own(k);

    if (e || (e = archive_get(k->c, call_id(k, 0), &a)))
        return e;
    put_archive(k, &a);
    return OK;
}

static enum err post_archive(struct call *k)
{
    struct job job = {0};
    enum err e = need_own(k);

    if (e || (e = tx_begin(k->c, k->tenant, TX_WRITE)))
        return e;
    if (!(e = access_check(k->c, k->route->right, 0)))
        e = archive_ask(k->c, k->app, k->tenant, &job);
    if ((e = tx_end(k->c, k->tenant, e)))
        return e;
    worker_wake(k->app->worker, k->c->actor->tenant);
    k->reply->status = 202;
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "job_id", job.id);
    json_close(&k->out, '}');
    return OK;
}

static enum err read_file(void *arg, int64_t at, void *data, size_t len)
{
    return archive_read(arg, at, data, len);
}

static void leave_file(void *arg)
{
    archive_leave(arg);
}

static void describe(struct call *k, const struct archive *a)
{
    char hex[2 * CRYPTO_HASH_BYTES + 1], day[CLOCK_CHARS + 1];

    str_to_hex(a->sha256, sizeof a->sha256, hex);
    clock_print(a->made_at, day);
    k->reply->type = "application/zip";
    k->reply->etag = arena_printf(k->c->mem, "\"%s\"", hex);
    k->reply->status = 200;
    reply_header(k->reply, "Content-Disposition",
                 arena_printf(k->c->mem,
                              "attachment; filename=\"yagura-%s-%.10s.zip\"",
                              k->c->actor->tenant, day));
}

/* Noted before a byte leaves. */
static enum err get_file(struct call *k)
{
    struct archive_file *file = NULL;
    struct archive a = {.id = 0};
    enum err e = need_own(k);
    bool is_taken = k->request->method == METHOD_GET;

    if (e || (e = tx_begin(k->c, k->tenant, is_taken ? TX_WRITE : TX_READ)))
        return e;
    if (!(e = access_check(k->c, k->route->right, 0)) &&
        !(e = archive_get(k->c, call_id(k, 0), &a)) && is_taken)
        e = archive_note_download(k->c, &a,
                                  request_header(k->request, "Range"));
    if ((e = tx_end(k->c, k->tenant, e)) ||
        (e = archive_open(k->tenant, &a, &file)))
        return e;
    arena_defer(k->request->mem, leave_file, file);
    struct reply_stream *s = arena_new(k->request->mem, struct reply_stream);
    *s = (struct reply_stream){a.bytes, read_file, file};
    k->reply->stream = s;
    describe(k, &a);
    return OK;
}

static enum err delete_archive(struct call *k)
{
    enum err e = need_own(k);

    return e ? e : archive_remove(k->c, k->tenant, call_id(k, 0));
}

static const struct route routes[] = {
    {GET("/archives", list_archives, RIGHT_ADMIN,
         "Exports of everything, newest first", .reply = &archive_form,
         .flags = ROUTE_LIST | ROUTE_TERMS)},
    {POST("/archives", post_archive, RIGHT_ADMIN, "Export everything, as a job",
          .flags = ROUTE_NO_TX | ROUTE_FRESH | ROUTE_TERMS)},
    {GET("/archives/:id", get_archive, RIGHT_ADMIN,
         "One of them, before it is downloaded", .reply = &archive_form,
         .flags = ROUTE_FRESH | ROUTE_TERMS)},
    {GET("/archives/:id/file", get_file, RIGHT_ADMIN,
         "The archive; takes ranges",
         .flags = ROUTE_NO_TX | ROUTE_FRESH | ROUTE_TERMS)},
    {DELETE("/archives/:id", delete_archive, RIGHT_ADMIN,
            "Remove one before its time", .flags = ROUTE_TERMS)},
};
const struct route_set archive_routes = {routes, COUNT(routes), SET_TOKENS};
