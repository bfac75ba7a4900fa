/* SPDX-License-Identifier: Apache-2.0 */
#include "api/place.h"

#include "base/str.h"
#include "core/registry.h"

#include <string.h>

/* "/t/acme/x" -> tenant "acme", path "/x"; "/t/acme" -> path "". */
static bool split_path(struct ctx *c, const char *path, struct place *out)
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

/* __Host- needs Secure and Path=/; in path mode the cookie has its tenant's
 * path; the demo speaks plain HTTP on loopback. */
static void name_cookies(struct ctx *c, const struct request *r,
                         struct place *out)
{
    const char *kind = !r->is_tls ? "" : *out->prefix ? "__Secure-" : "__Host-";
    const char *tail =
        *out->prefix ? arena_printf(c->mem, "-%s", out->tenant) : "";

    out->cookie = arena_printf(c->mem, "%ss%s", kind, tail);
    out->device_cookie = arena_printf(c->mem, "%sd%s", kind, tail);
    out->cookie_path = *out->prefix ? out->prefix : "/";
}

/* ---- the operator's place ---- */

static const char operator_prefix[] = "/operator";

static bool is_operator_path(const char *path)
{
    size_t len = strlen(operator_prefix);

    return str_starts(path, operator_prefix) &&
           (path[len] == '/' || !path[len]);
}

/* Whether the request came to where the console may be. */
static enum err find_console(struct ctx *c, const struct app *app,
                             const struct request *r, bool *out)
{
    const char *host = host_name(c, r->host), *id;

    *out = true;
    if (app->operator_host || app->operator_listener >= 0) {
        *out = (app->operator_host && str_equal(host, app->operator_host)) ||
               r->listener == app->operator_listener;
        return OK;
    }
    enum err e = registry_find_host(c, app->store, host, &id);
    *out = e == ERR_NOT_FOUND;
    return e == ERR_NOT_FOUND ? OK : e;
}

static void be_operator(struct ctx *c, const struct request *r,
                        struct place *out)
{
    const char *kind = r->is_tls ? "__Host-" : "";

    out->tenant = STORE_OPERATOR;
    out->prefix = operator_prefix;
    out->path = r->path + strlen(operator_prefix);
    out->base_url =
        arena_printf(c->mem, "%s://%s%s", r->is_tls ? "https" : "http", r->host,
                     operator_prefix);
    out->cookie = arena_printf(c->mem, "%so", kind);
    out->device_cookie = arena_printf(c->mem, "%sod", kind);
    out->cookie_path = r->is_tls ? "/" : operator_prefix;
    out->is_operator = true;
}

static enum err place_operator(struct ctx *c, const struct app *app,
                               const struct request *r, struct place *out)
{
    bool is_here;
    enum err e = find_console(c, app, r, &is_here);

    if (e)
        return e;
    if (!is_here)
        return ctx_fail(c, ERR_NOT_FOUND, "", "route", "このURLはありません",
                        "There is no such URL");
    be_operator(c, r, out);
    return OK;
}

enum err place_find(struct ctx *c, const struct app *app,
                    const struct request *r, struct place *out)
{
    *out = (struct place){.prefix = "", .path = r->path};
    if (is_operator_path(r->path))
        return place_operator(c, app, r, out);
    if (split_path(c, r->path, out)) {
        /* named in the path */
    } else if (app->sole_tenant) {
        out->tenant = app->sole_tenant;
    } else {
        enum err e = registry_find_host(c, app->store, host_name(c, r->host),
                                        &out->tenant);
        if (e && e != ERR_NOT_FOUND)
            return e;
    }
    const char *base = app->base_url;
    if (!base)
        base = arena_printf(c->mem, "%s://%s", r->is_tls ? "https" : "http",
                            r->host);
    out->base_url = arena_printf(c->mem, "%s%s", base, out->prefix);
    name_cookies(c, r, out);
    return OK;
}
