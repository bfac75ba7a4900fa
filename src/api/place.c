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
    out->tenant = arena_strndup(c->mem, id, len);
    out->prefix = arena_strndup(c->mem, path, 3 + len);
    out->path = id + len;
    return tenant_is_id(out->tenant);
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
}

enum err place_find(struct ctx *c, const struct app *app,
                    const struct request *r, struct place *out)
{
    *out = (struct place){.prefix = "", .path = r->path};
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
