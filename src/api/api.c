/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a request, once, in this order: route -> tenant -> session ->
 * rights -> body against its form -> transaction -> handler -> commit -> the
 * reply.  Handlers contain none of this.  A change is decided twice: before
 * its body is read, and again inside its transaction, where nobody can take
 * the right away meanwhile. */
#include "api/api.h"

#include "api/bearer.h"
#include "api/page.h"
#include "api/place.h"
#include "api/problem.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "core/access_log.h"
#include "core/allow_list.h"
#include "core/consent.h"
#include "core/edit.h"
#include "core/gauge.h"
#include "core/link_base.h"
#include "core/operator.h"
#include "core/quota.h"
#include "core/registry.h"
#include "core/session.h"
#include "core/support.h"
#include "core/work_mail.h"
#include "http/if_match.h"
#include "http/language.h"

#include <string.h>

enum { BODY_MAX = 1 << 20, PARAM_MAX = 4, TOUCH_US = 60 * 1000000 };

/* ---- routes ---- */

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

    return routes_are_everywhere(set) || of_operator == k->place->is_operator;
}

/* A route with fixed words wins over one with a parameter in that place;
 * allowed: a bit for each method the path has. */
static const struct route *find_route(struct call *k, const char *path,
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
            k->is_personal = routes_are_personal(route_sets[s]);
            for (int n = 0; n < PARAM_MAX; n++)
                k->params[n] =
                    params[n] ? arena_strndup(k->c->mem, params[n], lens[n])
                              : NULL;
        }
    return best;
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

/* Where what was made can be read, by the id its reply begins with: below the
 * place it was posted to, or below that place's name alone. */
static void tell_location(struct call *k)
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

/* ---- helpers for handlers ---- */

int64_t call_id(const struct call *k, int n)
{
    int64_t id = 0;

    if (!k->params[n] || !str_parse_int(k->params[n], 1, INT64_MAX, &id))
        return 0;
    return id;
}

void call_etag(struct call *k, int64_t version)
{
    struct buf b = buf_in(k->c->mem);

    buf_putc(&b, '"');
    buf_put_int(&b, version);
    buf_putc(&b, '"');
    k->reply->etag = b.data;
}

enum err call_read_body(struct call *k, size_t limit_bytes, const char **data,
                        size_t *len)
{
    enum err e = request_body(k->request, limit_bytes, data, len);

    if (e == ERR_BUSY)
        return ctx_fail(k->c, e, "", "slow_body",
                        "データが時間内に届きませんでした",
                        "The body did not arrive in time");
    if (e == ERR_INVALID)
        return ctx_fail(k->c, e, "", "cut_short", "データが途中で切れています",
                        "The body was cut short");
    return e;
}

int call_limit(const struct call *k)
{
    int64_t limit = k->query ? values_int(k->query, "limit", 50) : 50;

    return limit < 1 ? 1 : limit > 200 ? 200 : (int)limit;
}

/* ---- checks ---- */

static enum err check_origin(struct ctx *c, const struct request *r)
{
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

/* ---- session ---- */

/* What the client says it reads; false when it says nothing of ours. */
static bool wants_lang(const struct request *r, enum lang *out)
{
    static const char *const words[] = {[LANG_JA] = "ja", [LANG_EN] = "en"};
    int chosen = language_choose(request_header(r, "Accept-Language"), words,
                                 COUNT(words));

    if (chosen >= 0)
        *out = (enum lang)chosen;
    return chosen >= 0;
}

struct visitor {
    struct actor actor;
    struct session session;
    struct token token;
    bool has_session, has_token;
};

static enum err find_token(struct ctx *c, struct call *k, struct visitor *v)
{
    enum err e = bearer_find(c, k->app, k->request, &v->token);

    if (e)
        return e;
    v->has_token = true;
    v->actor.user_id = v->token.user_id;
    v->actor.name = v->token.user_name;
    if (!wants_lang(k->request, &v->actor.lang))
        v->actor.lang = v->token.user_lang;
    v->actor.is_admin = v->token.user_is_admin;
    v->actor.limit_token_id = v->token.is_limited ? v->token.id : 0;
    return OK;
}

static enum err find_session(struct ctx *c, struct call *k,
                             const struct place *place, struct visitor *v)
{
    const char *token = request_cookie(k->request, place->cookie);

    if (bearer_header(k->request))
        return k->place->is_operator ? OK : find_token(c, k, v);
    if (!token)
        return OK;
    enum err e = session_find(c, token, &v->session);
    if (e)
        return e == ERR_AUTH ? OK : e;
    v->has_session = true;
    k->session = &v->session;
    v->actor.user_id = v->session.user_id;
    v->actor.session_id = v->session.id;
    v->actor.name = v->session.user_name;
    if (v->session.level == SESSION_FULL)
        v->actor.lang = v->session.user_lang;
    v->actor.is_admin = v->session.user_is_admin;
    v->actor.is_reader = v->session.support && !v->session.support->may_write;
    return OK;
}

static enum err need_session(struct ctx *c, const struct visitor *v,
                             enum right right)
{
    bool half = right == RIGHT_HALF;

    if (!v->has_session)
        return ctx_fail(c, ERR_AUTH, "", "session", "サインインしてください",
                        "Please sign in");
    if (half)
        return OK;
    if (v->session.level == SESSION_HALF)
        return ctx_fail(c, ERR_AUTH, "", "code_required",
                        "確認コードを入力してください",
                        "The code sent by mail is still needed");
    if (v->session.is_locked)
        return ctx_fail(c, ERR_AUTH, "", "locked",
                        "しばらく操作がなかったためロックしました",
                        "Locked because nothing was done for a while");
    return OK;
}

enum err call_need_fresh(const struct call *k)
{
    if (k->session && k->session->is_fresh)
        return OK;
    return ctx_fail(k->c, ERR_AUTH, "", "fresh_sign_in",
                    "本人確認のため、もう一度パスワードを入力してください",
                    "Give your password again before this step");
}

static bool is_reading(const struct route *r)
{
    return r->method == METHOD_GET || (r->flags & ROUTE_READ);
}

/* What support access may change, if it may change anything: the work, not
 * the people, the rights or the security. */
static bool is_work(const struct route *r)
{
    return !(r->flags & ROUTE_FRESH) && r->right != RIGHT_MEMBER_EDIT &&
           r->right != RIGHT_PROGRAM_MEMBER_EDIT &&
           (r->right == RIGHT_ADMIN_MASTER ||
            (r->right >= RIGHT_PROGRAM_VIEW &&
             r->right <= RIGHT_TICKET_COMMENT));
}

/* A contract that is over: its administrators come in for what they may take
 * along, and for their own account. */
static enum err check_closed(struct call *k, const struct visitor *v)
{
    if (!standing_is_closed(&k->standing, k->c->now_us) ||
        k->place->is_operator)
        return OK;
    if (v->actor.is_admin && !(v->has_session && v->session.support) &&
        (k->is_personal || (k->route->flags & (ROUTE_TERMS | ROUTE_CLOSED))))
        return OK;
    return standing_refuse_closed(k->c, &k->standing);
}

static enum err check_rights(struct call *k, const struct visitor *v)
{
    enum right right = k->route->right;
    enum err e;

    if (right == RIGHT_ANYONE)
        return OK;
    e = v->has_token ? bearer_check(k, &v->token, is_reading(k->route))
                     : need_session(k->c, v, right);
    if (e)
        return e;
    if (right == RIGHT_HALF)
        return OK;
    if ((e = check_closed(k, v)))
        return e;
    if (!(k->route->flags & (ROUTE_TERMS | ROUTE_DESK)) &&
        !v->session.support && (e = consent_check(k->c, k->terms.owed)))
        return e;
    if (v->session.support &&
        (e = support_may(k->c, v->session.support, is_reading(k->route),
                         is_work(k->route))))
        return e;
    e = k->place->is_operator
            ? operator_check(k->c, right, is_reading(k->route))
            : access_check(k->c, right, call_id(k, 0));
    if (!e && (k->route->flags & ROUTE_FRESH))
        e = call_need_fresh(k);
    return e;
}

/* Of a supporter: the operator is still one, and what is read is noted before
 * it leaves. */
static enum err watch_supporter(struct call *k, const struct visitor *v)
{
    const struct support *s = v->has_session ? v->session.support : NULL;
    struct ctx *c = k->c;
    enum err e;

    if (!s)
        return OK;
    if ((e = support_check_operator(c, k->app, s->operator_id)))
        return e;
    const char *what =
        arena_printf(c->mem, "%s%s%.300s", k->place->path,
                     *k->request->query ? "?" : "", k->request->query);
    if (!is_reading(k->route) || (k->route->flags & ROUTE_QUIET) ||
        support_is_noted(c, s, what))
        return OK;
    if ((e = tx_begin(c, k->tenant, TX_WRITE)))
        return e;
    return tx_end(c, k->tenant, support_note_read(c, s, what));
}

static bool is_due(const struct ctx *c, const struct visitor *v)
{
    if (v->has_token)
        return c->now_us - v->token.used_at >= TOUCH_US;
    return v->has_session && v->session.level == SESSION_FULL &&
           !v->session.is_locked && c->now_us - v->session.seen_at >= TOUCH_US;
}

/* Marks the session or token as used, at most once a minute. */
static void touch_session(struct call *k, const struct visitor *v)
{
    struct ctx *c = k->c;

    if (!is_due(c, v) || tx_begin(c, k->tenant, TX_WRITE))
        return;
    if (tx_end(c, k->tenant,
               v->has_token ? token_touch(c, v->token.id)
                            : session_touch(c, v->session.id)))
        log_warn("session not touched request=%s", c->actor->request_id);
}

/* ---- running ---- */

/* Not what one signs in, deletes or exports with. */
static bool is_adding(const struct call *k)
{
    const struct route *r = k->route;

    return !is_reading(r) && r->method != METHOD_DELETE && !k->is_personal &&
           !k->place->is_operator &&
           !(r->flags & (ROUTE_TERMS | ROUTE_CLOSED)) &&
           r->right != RIGHT_ANYONE && r->right != RIGHT_HALF &&
           !(r->form == &edit_form && edit_is_deleting(k->body));
}

static enum err run_handler(struct call *k)
{
    enum err e;

    k->out = (struct json_out){.b = &k->reply->body};
    k->reply->status = 0; /* a handler may choose its own */
    e = k->route->handle(k);
    if (!e && k->reply->status == 0)
        k->reply->status = k->route->flags & ROUTE_CREATED ? 201
                           : k->reply->body.len            ? 200
                                                           : 204;
    if (!e && k->reply->status == 201)
        tell_location(k);
    return e;
}

/* Of a request done before: its reply once more. */
static enum err retell(struct call *k, int status)
{
    k->reply->status = status;
    buf_puts(&k->reply->body, k->kept);
    return OK;
}

static enum err run_once(struct call *k)
{
    int status = 0;
    enum err e = k->once ? once_find(k->c, k->once, &status, &k->kept) : OK;

    if (e)
        return e;
    if (k->kept)
        reply_header(k->reply, "Idempotency-Replayed", "true");
    if (k->kept && !(k->route->flags & ROUTE_RETELL))
        return retell(k, status);
    if ((e = run_handler(k)) || !k->once || k->kept)
        return e;
    const char *text = k->keep ? k->keep
                               : arena_strndup(k->c->mem, k->reply->body.data,
                                               k->reply->body.len);
    return strlen(text) > ONCE_BYTES_MAX
               ? OK
               : once_keep(k->c, k->once, k->reply->status, text);
}

static enum err run_in_tx(struct call *k, const struct visitor *v)
{
    enum err e = tx_begin(k->c, k->tenant, TX_WRITE);

    if (e)
        return e;
    e = check_rights(k, v);
    if (!e)
        e = run_once(k);
    if (!e)
        e = work_mail_flush(k->c, k->app);
    if (!e && is_adding(k))
        e = quota_check_written(k->c, k->app);
    return tx_end(k->c, k->tenant, e);
}

/* Session and rights; a reading handler runs in the same transaction. */
static enum err look_up(struct call *k, const struct place *place,
                        struct visitor *v, bool run)
{
    struct ctx *c = k->c;
    enum err e = tx_begin(c, k->tenant, TX_READ);

    if (e)
        return e;
    e = k->place->is_operator ? OK : allow_list_check(c);
    if (!e)
        e = find_session(c, k, place, v);
    if (!e)
        e = check_rights(k, v);
    if (!e && run && !(e = read_query(k)) && !(e = read_if_match(k)))
        e = run_handler(k);
    return tx_end(c, k->tenant, e);
}

static enum err check_room(struct call *k)
{
    const char *text = request_header(k->request, "Content-Length");
    int64_t coming = 0;

    if (!is_adding(k))
        return OK;
    if (text && !str_parse_int(text, 0, INT64_MAX >> 1, &coming))
        coming = 0;
    return quota_check_bytes(k->c, k->app, k->tenant, coming);
}

static enum err run_route(struct call *k, const struct place *place,
                          struct visitor *v)
{
    const struct route *r = k->route;
    bool reading = is_reading(r) && !(r->flags & ROUTE_NO_TX) && !r->form;
    enum err e;

    if (r->method != METHOD_GET && !bearer_header(k->request) &&
        (e = check_origin(k->c, k->request)))
        return e;
    e = look_up(k, place, v, reading);
    if (!e)
        e = watch_supporter(k, v);
    if (e || reading)
        return e;
    touch_session(k, v);
    if ((e = check_type(k)) || (e = read_if_match(k)) || (e = read_query(k)) ||
        (e = read_body(k)) || (e = check_room(k)))
        return e;
    return r->flags & ROUTE_NO_TX ? run_handler(k) : run_in_tx(k, v);
}

static enum err fail_method(struct call *k, unsigned allowed)
{
    static const struct {
        enum method method;
        const char *name;
    } known[] = {
        {METHOD_GET,    "GET, HEAD"},
        {METHOD_POST,   "POST"     },
        {METHOD_PUT,    "PUT"      },
        {METHOD_PATCH,  "PATCH"    },
        {METHOD_DELETE, "DELETE"   },
    };
    struct buf names = buf_in(k->c->mem);

    for (size_t i = 0; i < COUNT(known); i++)
        if (allowed & 1U << known[i].method)
            buf_printf(&names, "%s%s", names.len ? ", " : "", known[i].name);
    reply_header(k->reply, "Allow", names.data);
    return ctx_fail(k->c, ERR_INVALID, "", "method", "このメソッドは使えません",
                    "This method is not allowed here");
}

static enum err serve_api(struct call *k, const struct place *place,
                          struct visitor *v)
{
    unsigned allowed;
    enum err e;

    k->route = find_route(k, place->path, &allowed);
    if (!k->route && allowed)
        return fail_method(k, allowed);
    if (!k->route)
        return ctx_fail(k->c, ERR_NOT_FOUND, "", "route", "このURLはありません",
                        "There is no such URL");
    if (!place->is_operator) {
        standing_find(k->app, place->tenant, &k->standing);
        if ((e = standing_check(k->c, &k->standing)))
            return e;
    }
    if (place->tenant && (e = quota_take_request(k->c, k->app, place->tenant)))
        return e;
    e = place->tenant ? tenant_open(k->app->store, place->tenant, &k->tenant)
                      : ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND)
        return ctx_fail(k->c, e, "", "tenant", "テナントが見つかりません",
                        "No such tenant");
    if (e)
        return registry_explain_open(k->c, e);
    if (!place->is_operator)
        e = terms_find_now(k->c, k->app, &k->terms);
    if (!e)
        e = run_route(k, place, v);
    if (!e && is_reading(k->route))
        touch_session(k, v);
    tenant_close(k->tenant);
    return e;
}

static const char *method_word(enum method method)
{
    static const char *const words[] = {
        [METHOD_GET] = "GET",     [METHOD_HEAD] = "HEAD",
        [METHOD_POST] = "POST",   [METHOD_PUT] = "PUT",
        [METHOD_PATCH] = "PATCH", [METHOD_DELETE] = "DELETE",
        [METHOD_OTHER] = "OTHER",
    };

    return words[method];
}

/* One line of the tenant's access log: the route's pattern, never what stands
 * in its place.  Pages and their parts say nothing of use, unless refused. */
static void note_access(const struct call *k)
{
    const struct place *place = k->place;
    const struct reply *out = k->reply;
    bool is_api = place && str_starts(place->path, "/api/");

    if (!place || !place->tenant || place->is_operator ||
        (!is_api && out->status < 400))
        return;
    access_log_put(
        k->app->access_log, place->tenant,
        &(struct entry){.at = k->c->now_us,
                        .user_id = k->c->actor->user_id,
                        .status = out->status,
                        .ip = k->request->ip,
                        .method = method_word(k->request->method),
                        .agent = request_header(k->request, "User-Agent"),
                        .request_id = k->request->id,
                        .route = k->route ? k->route->path
                                 : is_api ? "(unknown)"
                                          : "(page)"});
}

void api_handle(void *arg, struct request *r, struct reply *out)
{
    struct visitor v = {
        .actor = {.name = "",
                  .ip = r->ip,
                  .request_id = r->id,
                  .tenant = "",
                  .base_url = "",
                  .lang = LANG_JA}
    };
    struct ctx c = {.mem = r->mem, .actor = &v.actor, .now_us = clock_now_us()};
    struct call k = {.c = &c, .app = arg, .request = r, .reply = out};
    struct place place;
    enum err e = OK;

    (void)wants_lang(r, &v.actor.lang);
    if (page_serve_system(&k))
        return;
    if (!(e = place_find(&c, k.app, r, &place))) {
        v.actor.tenant = place.tenant ? place.tenant : "";
        v.actor.base_url = place.is_root ? LINK_BASE_ROOT : LINK_BASE;
        k.place = &place;
        if (!str_starts(place.path, "/api/"))
            e = page_serve(&k);
        else
            e = serve_api(&k, &place, &v);
    }
    if (e)
        problem_write(&c, e, out);
    note_access(&k);
    gauge_note_request(k.app->gauges, out->status,
                       clock_monotonic_ms() - r->started_ms);
}
