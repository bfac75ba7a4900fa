/* SPDX-License-Identifier: Apache-2.0 */
/* The checks a request passes before its handler, in their order. */
#include "api/dispatch/gate.h"

#include "api/dispatch/bearer.h"
#include "api/dispatch/route_match.h"
#include "api/dispatch/tenant_resolver.h"
#include "base/str.h"
#include "core/account/support_access.h"
#include "core/console/operator.h"
#include "core/document/consent.h"
#include "core/tenant/quota.h"
#include "http/if_match.h"

#include <string.h>

enum { BODY_MAX = 1 << 20 };

enum err gate_origin(const struct call *k)
{
    const struct request *r = k->request;
    struct ctx *c = k->c;
    const char *origin = request_header(r, "Origin");
    const char *site = request_header(r, "Sec-Fetch-Site");
    const char *own =
        arena_join(c->mem, r->is_tls ? "https" : "http", "://", r->host);

    if (str_equal(request_header(r, "X-Req"), "1") &&
        (!origin || str_equal(origin, own)) &&
        (!site || str_equal(site, "same-origin")))
        return OK;
    return ctx_fail(c, ERR_DENIED, "", "csrf",
                    "このページ以外からの変更は受け付けません",
                    "Changes are accepted only from this application's own "
                    "pages (header X-Req: 1)");
}

/* ---- rights ---- */

/* A contract that is over: its administrators come in for what they may take
 * along, and for their own account. */
static enum err check_contract(struct call *k, const struct visitor *v)
{
    if (!tenant_status_is_closed(&k->standing, k->c->now_us) ||
        k->place->is_operator)
        return OK;
    if (v->actor.is_admin && !(v->has_session && v->session.support) &&
        ((k->set->flags & SET_OWN) ||
         (k->route->flags & (ROUTE_TERMS | ROUTE_CLOSED))))
        return OK;
    return tenant_status_refuse_closed(k->c, &k->standing);
}

static enum err check_terms(struct call *k, const struct visitor *v)
{
    if ((k->route->flags & (ROUTE_TERMS | ROUTE_DESK)) || v->session.support)
        return OK;
    return consent_check(k->c, k->terms.owed);
}

static enum err check_support(struct call *k, const struct visitor *v)
{
    if (!v->session.support)
        return OK;
    /* the body is known when rights are asked the second time */
    bool is_work = (k->route->flags & ROUTE_SUPPORT) &&
                   !(k->body && values_give_rights(k->body));
    return support_access_may(k->c, v->session.support,
                              route_is_reading(k->route), is_work);
}

static enum err check_right(struct call *k, const struct visitor *v)
{
    enum right right = k->route->right;

    (void)v;
    return k->place->is_operator
               ? operator_check(k->c, right, route_is_reading(k->route))
               : access_check(k->c, right, call_id(k, 0));
}

static enum err check_fresh(struct call *k, const struct visitor *v)
{
    (void)v;
    return k->route->flags & ROUTE_FRESH ? call_need_fresh(k) : OK;
}

enum err gate_rights(struct call *k, const struct visitor *v)
{
    static enum err (*const checks[])(struct call *, const struct visitor *) = {
        check_contract, check_terms, check_support, check_right, check_fresh,
    };
    enum right right = k->route->right;
    enum err e;

    if (right == RIGHT_ANYONE)
        return OK;
    e = v->has_token ? bearer_check(k, &v->token, route_is_reading(k->route))
                     : visitor_need_session(k->c, v, right);
    if (e || right == RIGHT_HALF)
        return e;
    for (size_t i = 0; i < COUNT(checks); i++)
        if ((e = checks[i](k, v)))
            return e;
    return OK;
}

enum err gate_supporter(struct call *k, const struct visitor *v)
{
    const struct support_access *s = v->has_session ? v->session.support : NULL;
    struct ctx *c = k->c;
    enum err e;

    if (!s)
        return OK;
    if ((e = support_access_check_operator(c, k->app, s->operator_id)))
        return e;
    const char *what =
        arena_printf(c->mem, "%s%s%.300s", k->place->path,
                     *k->request->query ? "?" : "", k->request->query);
    if (!route_is_reading(k->route) || (k->route->flags & ROUTE_QUIET) ||
        support_access_is_noted(c, s, what))
        return OK;
    if ((e = tx_begin(c, k->tenant, TX_WRITE)))
        return e;
    return tx_end(c, k->tenant, support_access_note_read(c, s, what));
}

/* ---- what was sent ---- */

static enum err check_type(struct call *k)
{
    const char *type = request_header(k->request, "Content-Type");

    if (k->route->flags & ROUTE_RAW)
        return OK;
    if (!k->route->form || (type && str_starts(type, "application/json")))
        return OK;
    return ctx_fail(k->c, ERR_INVALID, "", "content_type",
                    "Content-Type は application/json にしてください",
                    "Content-Type must be application/json");
}

static enum err read_if_match(struct call *k)
{
    if (!(k->route->flags & ROUTE_MATCH))
        return OK;
    switch (
        if_match_read(request_header(k->request, "If-Match"), &k->if_match)) {
    case IF_MATCH_VERSION:
        return OK;
    case IF_MATCH_NEVER:
        return ctx_fail(
            k->c, ERR_STALE, "", "if_match_weak",
            "If-Match の値はどの版とも一致しません（W/ の付いた値は"
            "常に不一致です）。版番号を \"3\" の形で指定してください",
            "If-Match names no version (a tag with W/ never "
            "matches): give the version as \"3\"");
    case IF_MATCH_MISSING:
        break;
    }
    return ctx_fail(k->c, ERR_INVALID, "", "if_match",
                    "If-Match に版番号を指定してください",
                    "If-Match must name the version: \"3\"");
}

/* The form's count where it has none of that name. */
static size_t find_field(const struct form *form, const char *name)
{
    size_t i = 0;

    while (i < form->count && strcmp(form->fields[i].name, name) != 0)
        i++;
    return i;
}

/* Each once, and none that is not known: "?dyr=1" must not turn a dry run into
 * the change itself, nor "?form=" a list of some days into that of all. */
static enum err read_query(struct call *k)
{
    static const struct form none = {NULL, NULL, 0};
    const struct form *form = k->route->query ? k->route->query : &none;
    const char *cells[32] = {0}, *name;
    bool is_given[COUNT(cells)] = {false};

    must(form->count <= COUNT(cells));
    for (size_t i = 0; (name = request_param_name(k->request, i)); i++) {
        size_t n = find_field(form, name);
        if (n == form->count) {
            name = arena_printf(k->c->mem, "%.60s", name);
            return ctx_fail(k->c, ERR_INVALID, name, "unknown_parameter",
                            "URLの「%s」という指定はありません",
                            "The address names a parameter that is not known: "
                            "%s",
                            name);
        }
        if (is_given[n])
            return ctx_fail(k->c, ERR_INVALID, name, "twice",
                            "この指定は一度だけにしてください",
                            "This may be given only once");
        is_given[n] = true;
        cells[n] = request_param(k->request, name);
        if (cells[n] && !*cells[n])
            cells[n] = NULL;
    }
    if (!k->route->query)
        return OK;
    return values_parse_cells(k->c, form, cells, &k->query);
}

/* The key, and a mark of what is asked: the query is no part of it. */
static enum err read_once(struct call *k, const char *data, size_t len)
{
    const char *key = request_header(k->request, "Idempotency-Key");
    struct crypto_hash h;

    if (!key || !(k->route->flags & ROUTE_ONCE))
        return OK;
    size_t n = strnlen(key, ONCE_KEY_MAX + 1);
    for (size_t i = 0; i < n; i++)
        if (key[i] < '!' || key[i] > '~')
            n = 0;
    if (n == 0 || n > ONCE_KEY_MAX)
        return ctx_fail(k->c, ERR_INVALID, "Idempotency-Key", "idempotency_key",
                        "Idempotency-Key は %d 文字以内の英数字と記号で"
                        "指定してください",
                        "Idempotency-Key takes up to %d letters, digits and"
                        " signs",
                        ONCE_KEY_MAX);
    struct once *o = arena_new(k->c->mem, struct once);
    o->key = key;
    crypto_hash_begin(&h);
    crypto_hash_add(&h, &k->route->method, sizeof k->route->method);
    crypto_hash_add(&h, k->place->path, strlen(k->place->path) + 1);
    crypto_hash_add(&h, data, len);
    crypto_hash_end(&h, o->mark);
    k->once = o;
    return OK;
}

static enum err read_body(struct call *k)
{
    const char *data;
    size_t len;
    enum err e;

    if (!k->route->form || (k->route->flags & ROUTE_RAW))
        return OK;
    e = call_read_body(k, BODY_MAX, &data, &len);
    if (e == ERR_LIMIT)
        return ctx_fail(k->c, e, "", "body_size",
                        "データが大きすぎます（上限 1 MB）",
                        "The body is larger than 1 MB");
    if (e)
        return e;
    if ((e = read_once(k, data, len)))
        return e;
    return values_parse_json(k->c, k->route->form, data, len, &k->body);
}

bool gate_is_adding(const struct call *k)
{
    const struct route *r = k->route;

    return !route_is_reading(r) && r->method != METHOD_DELETE &&
           !(k->set->flags & SET_OWN) && !k->place->is_operator &&
           !(r->flags & (ROUTE_TERMS | ROUTE_CLOSED)) &&
           r->right != RIGHT_ANYONE && r->right != RIGHT_HALF &&
           !(r->frees && r->frees(k->body));
}

static enum err check_room(struct call *k)
{
    const char *text = request_header(k->request, "Content-Length");
    int64_t coming = 0;

    if (!gate_is_adding(k))
        return OK;
    if (text && !str_parse_int(text, 0, INT64_MAX >> 1, &coming))
        coming = 0;
    return quota_check_bytes(k->c, k->app, k->tenant, coming);
}

enum err gate_reading(struct call *k)
{
    enum err e = read_query(k);

    return e ? e : read_if_match(k);
}

enum err gate_change(struct call *k)
{
    static enum err (*const checks[])(struct call *) = {
        check_type, read_if_match, read_query, read_body, check_room,
    };
    enum err e;

    for (size_t i = 0; i < COUNT(checks); i++)
        if ((e = checks[i](k)))
            return e;
    return OK;
}
