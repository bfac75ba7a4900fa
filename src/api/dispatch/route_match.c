/* SPDX-License-Identifier: Apache-2.0 */
/* Which route a request is for. */
#include "api/dispatch/route_match.h"

#include "api/dispatch/tenant_resolver.h"
#include "base/str.h"

#include <string.h>

enum { PARAM_MAX = COUNT(((struct call *)NULL)->params) };

static bool match_path(const char *pattern, const char *path,
                       const char *params[PARAM_MAX], size_t lens[PARAM_MAX])
{
    int n = 0;

    for (;;) {
        if (*pattern == ':') {
            size_t len = strcspn(path, "/");
            if (len == 0)
                return false;
            params[n] = path;
            lens[n++] = len;
            path += len;
            pattern += strcspn(pattern, "/");
        } else if (*pattern != *path) {
            return false;
        } else if (!*pattern) {
            return true;
        } else {
            pattern++;
            path++;
        }
    }
}

static bool fixed_first(const struct route *a, const struct route *b)
{
    return !b || (strchr(b->path, ':') && !strchr(a->path, ':'));
}

/* The operator's place answers its own routes and those of one's account; a
 * tenant never answers the operator's. */
static bool is_here(const struct call *k, const struct route_set *set,
                    const struct route *r)
{
    bool of_operator = r->right == RIGHT_AUDITOR ||
                       r->right == RIGHT_OPERATOR ||
                       (r->flags & ROUTE_OPERATOR);

    return (set->flags & SET_EVERYWHERE) ||
           of_operator == k->place->is_operator;
}

/* A route with fixed words wins over one with a parameter in that place. */
const struct route *route_find(struct call *k, const char *path,
                               unsigned *allowed)
{
    const struct route *best = NULL;
    const char *params[PARAM_MAX] = {0};
    size_t lens[PARAM_MAX] = {0};
    enum method method = k->request->method;

    if (method == METHOD_HEAD)
        method = METHOD_GET;
    *allowed = 0;
    if (!str_starts(path, ROUTE_ROOT))
        return NULL;
    path += sizeof ROUTE_ROOT - 1;
    for (size_t s = 0; s < route_set_count; s++)
        for (size_t i = 0; i < route_sets[s]->count; i++) {
            const struct route *r = &route_sets[s]->routes[i];
            if (!match_path(r->path + sizeof ROUTE_ROOT - 1, path, params,
                            lens) ||
                !is_here(k, route_sets[s], r))
                continue;
            *allowed |= 1U << r->method;
            if (r->method != method || !fixed_first(r, best))
                continue;
            best = r;
            k->set = route_sets[s];
            for (int n = 0; n < PARAM_MAX; n++)
                k->params[n] =
                    params[n] ? arena_strndup(k->c->mem, params[n], lens[n])
                              : NULL;
        }
    return best;
}

bool route_is_reading(const struct route *r)
{
    return r->method == METHOD_GET || (r->flags & ROUTE_READ);
}

static bool is_read_at(const struct call *k, const char *path)
{
    const char *params[PARAM_MAX];
    size_t lens[PARAM_MAX];

    for (size_t s = 0; s < route_set_count; s++)
        for (size_t i = 0; i < route_sets[s]->count; i++) {
            const struct route *r = &route_sets[s]->routes[i];
            if (r->method == METHOD_GET &&
                match_path(r->path, path, params, lens) &&
                is_here(k, route_sets[s], r))
                return true;
        }
    return false;
}

/* Below the place it was posted to, or below that place's name alone. */
void route_tell_location(struct call *k)
{
    static const char begin[] = "{\"id\":\"";
    const char *body = k->reply->body.data;
    struct arena *mem = k->c->mem;

    if (!body || !str_starts(body, begin))
        return;
    body += sizeof begin - 1;
    const char *id = arena_strndup(mem, body, strcspn(body, "\""));
    const char *path = arena_join(mem, k->place->path, "/", id);
    if (!is_read_at(k, path))
        path = arena_printf(mem, ROUTE_ROOT "%s/%s",
                            strrchr(k->place->path, '/') + 1, id);
    if (is_read_at(k, path))
        reply_header(k->reply, "Location",
                     arena_join(mem, k->place->prefix, path, ""));
}

enum err route_fail_method(struct call *k, unsigned allowed)
{
    static const struct {
        enum method method;
        const char *name;
    } known[] = {
        {METHOD_GET, "GET, HEAD"}, {METHOD_POST, "POST"},
        {METHOD_PUT, "PUT"},       {METHOD_PATCH, "PATCH"},
        {METHOD_DELETE, "DELETE"},
    };
    struct buf names = buf_in(k->c->mem);

    for (size_t i = 0; i < COUNT(known); i++)
        if (allowed & 1U << known[i].method)
            buf_printf(&names, "%s%s", names.len ? ", " : "", known[i].name);
    reply_header(k->reply, "Allow", names.data);
    return ctx_fail(k->c, ERR_INVALID, "", "method", "このメソッドは使えません",
                    "This method is not allowed here");
}
