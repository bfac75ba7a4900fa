/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/page.h"

#include "api/dispatch/metrics.h"
#include "api/dispatch/tenant_resolver.h"
#include "base/asset.h"
#include "base/str.h"

#include <string.h>

/* Printed and packed when the binary is made, as the UI is. */
#define OPENAPI "/api/openapi.json"

static void plain(struct call *k, int status, const char *text)
{
    k->reply->status = status;
    k->reply->type = "text/plain; charset=utf-8";
    buf_puts(&k->reply->body, text);
}

static bool is_get(const struct call *k)
{
    return k->request->method == METHOD_GET ||
           k->request->method == METHOD_HEAD;
}

static void serve_asset(struct call *k, const struct asset *a)
{
    bool hashed = str_starts(a->path, "/assets/");

    k->reply->status = 200;
    k->reply->type = a->mime;
    k->reply->etag = arena_printf(k->c->mem, "\"%s\"", a->etag);
    k->reply->cache =
        hashed ? "public, max-age=31536000, immutable" : "no-cache";
    k->reply->is_gzip = true;
    k->reply->body.data = (char *)(uintptr_t)a->gzip; /* only read */
    k->reply->body.len = a->gzip_size;
}

/* The store is asked first, as it costs nothing. */
static void tell_ready(struct call *k)
{
    const struct app *app = k->app;
    const char *why;

    if (!store_is_ready(k->c, app->store, &why))
        plain(k, 503, arena_printf(k->c->mem, "%s\n", why));
    else if (app->is_reached && !app->is_reached(app))
        plain(k, 503, "no TLS connection comes about\n");
    else
        plain(k, 200, "ok\n");
}

bool page_serve_system(struct call *k)
{
    const char *path = k->request->path;

    if (!is_get(k))
        return false;
    if (str_equal(path, "/livez")) {
        plain(k, 200, "ok\n");
    } else if (str_equal(path, "/readyz")) {
        tell_ready(k);
    } else if (str_equal(path, OPENAPI) && asset_find(path)) {
        serve_asset(k, asset_find(path));
    } else if (str_equal(path, "/metrics")) {
        if (k->request->listener != k->app->operator_listener) {
            plain(k, 404, "only on operator_listen\n");
            return true;
        }
        k->reply->status = 200;
        k->reply->type = METRICS_TYPE;
        metrics_put(k->c, k->app, &k->reply->body);
    } else {
        return false;
    }
    return true;
}

/* "/" of the operator's own host or listener leads to the console. */
static bool leads_to_console(struct call *k)
{
    const char *host = k->request->host, *own = k->app->operator_host;
    size_t len = own ? strlen(own) : 0;

    bool is_own =
        own && strncmp(host, own, len) == 0 && (!host[len] || host[len] == ':');

    if (!str_equal(k->request->path, "/") ||
        (!is_own && k->request->listener != k->app->operator_listener))
        return false;
    k->reply->status = 302;
    k->reply->type = "text/plain; charset=utf-8";
    reply_header(k->reply, "Location", "/operator/");
    return true;
}

enum err page_serve(struct call *k)
{
    const char *path = k->place->path;
    const struct asset *a = asset_find(k->request->path);
    const char *name = strrchr(path, '/');

    if (!is_get(k))
        return ctx_fail(k->c, ERR_INVALID, "", "method",
                        "このメソッドは使えません",
                        "This method is not allowed here");
    if (leads_to_console(k))
        return OK;
    if (!a && !strchr(name ? name : path, '.') && !strstr(path, "/."))
        a = asset_find("/index.html");
    if (!a)
        return ctx_fail(k->c, ERR_NOT_FOUND, "", "route", "このURLはありません",
                        "There is no such URL");
    serve_asset(k, a);
    tenant_status_find(k->app, k->place->tenant, &k->standing);
    if (k->standing.is_suspended && !k->place->is_operator &&
        a == asset_find("/index.html"))
        k->reply->status = 403; /* the page says so in the reader's language */
    return OK;
}
