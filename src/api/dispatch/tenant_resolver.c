/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/tenant_resolver.h"

#include "base/asset.h"
#include "base/str.h"
#include "core/tenant/tenant_directory.h"

#include <string.h>

/* "/t/acme/x" -> tenant "acme", path "/x"; "/t/acme" -> path "". */
static bool split_path(struct ctx *c, const char *path,
                       struct tenant_place *out)
{
    if (!str_starts(path, "/t/"))
        return false;
    const char *id = path + 3;
    size_t len = strcspn(id, "/");
    const char *name = arena_strndup(c->mem, id, len);
    out->tenant = tenant_is_id(name) ? name : NULL;
    out->prefix = arena_strndup(c->mem, path, 3 + len);
    out->path = id + len;
    return true;
}

static const char *host_name(struct ctx *c, const char *host)
{
    const char *end = host[0] == '[' ? strchr(host, ']') : NULL;

    if (end)
        return arena_strndup(c->mem, host, (size_t)(end - host) + 1);
    return arena_strndup(c->mem, host, strcspn(host, ":"));
}

static bool is_loopback(const char *host)
{
    return str_equal(host, "localhost") || str_equal(host, "127.0.0.1") ||
           str_equal(host, "[::1]");
}

/* Host and port of "https://pm.example.jp:8443". */
static const char *authority(const char *url)
{
    const char *name = strstr(url, "://");

    return name ? name + 3 : url;
}

/* __Host- needs Secure and Path=/; in path mode the cookie has its tenant's
 * path; the demo speaks plain HTTP on loopback. */
static void name_cookies(struct ctx *c, const struct request *r,
                         struct tenant_place *out)
{
    const char *kind = !r->is_tls ? "" : *out->prefix ? "__Secure-" : "__Host-";
    const char *id = out->tenant ? out->tenant : "";

    out->cookie = arena_join(c->mem, kind, *id ? "s-" : "s", id);
    out->device_cookie = arena_join(c->mem, kind, *id ? "d-" : "d", id);
    out->cookie_path = *out->prefix ? out->prefix : "/";
}

static bool parts(struct ctx *c, bool is_tls, bool by_path)
{
    const struct request r = {.is_tls = is_tls};
    struct tenant_place a = {.tenant = "a", .prefix = by_path ? "/t/a" : ""};
    struct tenant_place b = {.tenant = "b", .prefix = by_path ? "/t/b" : ""};

    name_cookies(c, &r, &a);
    name_cookies(c, &r, &b);
    if (str_equal(a.cookie, b.cookie) ||
        str_equal(a.device_cookie, b.device_cookie))
        return false;
    return by_path ? !str_equal(a.cookie_path, b.cookie_path)
                   : !is_tls || (str_starts(a.cookie, "__Host-") &&
                                 str_starts(b.cookie, "__Host-"));
}

bool tenant_resolver_parts_cookies(void)
{
    struct arena *mem = arena_open(0);
    struct ctx c = {.mem = mem};
    bool holds = true;

    for (int way = 0; way < 4 && holds; way++)
        holds = parts(&c, way & 1, way & 2);
    arena_close(mem);
    return holds;
}

/* ---- the operator's place ---- */

static const char operator_prefix[] = "/operator";

static bool is_operator_path(const char *path)
{
    size_t len = strlen(operator_prefix);

    return str_starts(path, operator_prefix) &&
           (path[len] == '/' || !path[len]);
}

static enum err misdirected(struct ctx *c)
{
    return ctx_fail(c, ERR_NOT_FOUND, "host", "host",
                    "このホスト名では提供していません",
                    "This host name is not served here");
}

static enum err no_such_url(struct ctx *c)
{
    return ctx_fail(c, ERR_NOT_FOUND, "", "route", "このURLはありません",
                    "There is no such URL");
}

/* The console's own host or listener, else base_url. */
static bool is_console(struct ctx *c, const struct app *app,
                       const struct request *r, bool is_base)
{
    const char *host = host_name(c, r->host);
    const char *own = app->operator_host;
    bool is_own = own && str_equal(host, own);

    if (r->listener == app->operator_listener)
        return is_own || is_base || is_loopback(host);
    if (own)
        return is_own;
    return is_base && app->operator_listener < 0;
}

static enum err tenant_resolver_operator(struct ctx *c, const struct app *app,
                                         const struct request *r, bool is_base,
                                         struct tenant_place *out)
{
    const char *kind = r->is_tls ? "__Host-" : "";

    if (!is_console(c, app, r, is_base))
        return no_such_url(c);
    out->tenant = STORE_OPERATOR;
    out->prefix = operator_prefix;
    out->path = r->path + strlen(operator_prefix);
    out->cookie = arena_printf(c->mem, "%so", kind);
    out->device_cookie = arena_printf(c->mem, "%sod", kind);
    out->cookie_path = r->is_tls ? "/" : operator_prefix;
    out->is_operator = true;
    return OK;
}

/* At base_url: the tenant of the path, or the only one. */
static enum err find_by_path(struct ctx *c, const struct app *app,
                             const struct request *r, struct tenant_place *out)
{
    if (split_path(c, r->path, out)) {
        enum err e =
            out->tenant && !tenant_directory_own_port(app, out->tenant)
                ? tenant_directory_check_path(c, app->store, out->tenant)
                : ERR_NOT_FOUND;
        if (e && e != ERR_NOT_FOUND)
            return e;
        if (e) /* the page asks for the right one */
            out->tenant = NULL;
    } else {
        *out = (struct tenant_place){.prefix = "",
                                     .path = r->path,
                                     .is_root = true,
                                     .tenant = app->sole_tenant};
        if (out->tenant && tenant_directory_own_port(app, out->tenant))
            out->tenant = NULL;
    }
    return OK;
}

/* A listener of its own answers to its tenant's name and to that of base_url,
 * at its own port. */
static enum err find_by_listener(struct ctx *c, const struct request *r,
                                 const char *tenant, struct tenant_place *out)
{
    out->tenant = tenant;
    return str_starts(r->path, "/t/") ? no_such_url(c) : OK;
}

static enum err find_by_host(struct ctx *c, const struct app *app,
                             const struct request *r, const char *host,
                             struct tenant_place *out)
{
    enum err e = tenant_directory_find_host(c, app->store, host, &out->tenant);

    if (e)
        return e == ERR_NOT_FOUND ? misdirected(c) : e;
    return str_starts(r->path, "/t/") ? no_such_url(c) : OK;
}

enum err tenant_resolver_find(struct ctx *c, const struct app *app,
                              const struct request *r, struct tenant_place *out)
{
    const char *host = host_name(c, r->host);
    const char *base = host_name(c, authority(app->base_url));
    const char *own = app->listener_tenants[r->listener];
    bool is_base =
        str_equal(host, base) || (is_loopback(base) && is_loopback(host));
    enum err e;

    *out = (struct tenant_place){.prefix = "", .path = r->path};
    if (*r->tls_name && !r->is_proxied && !str_equal(r->tls_name, host))
        return misdirected(c);
    if (is_operator_path(r->path))
        return tenant_resolver_operator(c, app, r, is_base, out);
    if (r->listener == app->operator_listener ||
        (app->operator_host && str_equal(host, app->operator_host)))
        return str_equal(r->path, "/") || asset_find(r->path)
                   ? OK /* what leads to the console, and its files */
                   : no_such_url(c);
    if (own && is_base)
        e = find_by_listener(c, r, own, out);
    else if (is_base)
        e = find_by_path(c, app, r, out);
    else
        e = find_by_host(c, app, r, host, out);
    /* its own listener serves a tenant alone, and no other listener does */
    if (!e && !str_equal(own, out->tenant) &&
        (own || (out->tenant && tenant_directory_own_port(app, out->tenant))))
        e = misdirected(c);
    name_cookies(c, r, out);
    return e;
}
