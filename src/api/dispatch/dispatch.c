/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a request, once, in this order: route -> tenant -> session ->
 * rights -> body against its form -> transaction -> handler -> commit -> the
 * reply.  Handlers contain none of this.  A change is decided twice: before
 * its body is read, and again inside its transaction, where nobody can take
 * the right away meanwhile. */
#include "api/dispatch/call.h"

#include "api/dispatch/bearer.h"
#include "api/dispatch/gate.h"
#include "api/dispatch/page.h"
#include "api/dispatch/problem.h"
#include "api/dispatch/route_match.h"
#include "api/dispatch/tenant_resolver.h"
#include "base/clock.h"
#include "base/str.h"
#include "core/access/allow_list.h"
#include "core/health/process_stats.h"
#include "core/log/request_log_writer.h"
#include "core/tenant/link_base.h"
#include "core/tenant/quota.h"
#include "core/tenant/tenant_directory.h"
#include "core/work/work_mail.h"

#include <string.h>

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
        route_tell_location(k);
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
    e = gate_rights(k, v);
    if (!e)
        e = run_once(k);
    if (!e)
        e = work_mail_flush(k->c, k->app);
    if (!e && gate_is_adding(k))
        e = quota_check_written(k->c, k->app);
    return tx_end(k->c, k->tenant, e);
}

/* Session and rights; a reading handler runs in the same transaction. */
static enum err look_up(struct call *k, struct visitor *v, bool run)
{
    struct ctx *c = k->c;
    enum err e = tx_begin(c, k->tenant, TX_READ);

    if (e)
        return e;
    e = k->place->is_operator ? OK : allow_list_check(c);
    if (!e)
        e = visitor_find(c, k, v);
    if (!e)
        e = gate_rights(k, v);
    if (!e && run && !(e = gate_reading(k)))
        e = run_handler(k);
    return tx_end(c, k->tenant, e);
}

static enum err run_route(struct call *k, struct visitor *v)
{
    const struct route *r = k->route;
    bool reading = route_is_reading(r) && !(r->flags & ROUTE_NO_TX) && !r->form;
    enum err e;

    if (r->method != METHOD_GET && !bearer_header(k->request) &&
        (e = gate_origin(k)))
        return e;
    e = look_up(k, v, reading);
    if (!e)
        e = gate_supporter(k, v);
    if (e || reading)
        return e;
    visitor_touch(k, v);
    if ((e = gate_change(k)))
        return e;
    return r->flags & ROUTE_NO_TX ? run_handler(k) : run_in_tx(k, v);
}

static enum err serve_api(struct call *k, struct visitor *v)
{
    const struct tenant_place *place = k->place;
    unsigned allowed;
    enum err e;

    k->route = route_find(k, place->path, &allowed);
    if (!k->route && allowed)
        return route_fail_method(k, allowed);
    if (!k->route)
        return ctx_fail(k->c, ERR_NOT_FOUND, "", "route", "このURLはありません",
                        "There is no such URL");
    if (!place->is_operator) {
        tenant_status_find(k->app, place->tenant, &k->standing);
        if ((e = tenant_status_check(k->c, &k->standing)))
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
        return tenant_directory_explain_open(k->c, e);
    if (!place->is_operator)
        e = terms_find_now(k->c, k->app, &k->terms);
    if (!e)
        e = run_route(k, v);
    if (!e && route_is_reading(k->route))
        visitor_touch(k, v);
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
    const struct tenant_place *place = k->place;
    const struct reply *out = k->reply;
    bool is_api = place && str_starts(place->path, "/api/");

    if (!place || !place->tenant || place->is_operator ||
        (!is_api && out->status < 400))
        return;
    request_log_writer_put(
        k->app->access_log, place->tenant,
        &(struct request_log_row){.at = k->c->now_us,
                                  .user_id = k->c->actor->user_id,
                                  .status = out->status,
                                  .ip = k->request->ip,
                                  .method = method_word(k->request->method),
                                  .agent =
                                      request_header(k->request, "User-Agent"),
                                  .request_id = k->request->id,
                                  .route = k->route ? k->route->path
                                           : is_api ? "(unknown)"
                                                    : "(page)"});
}

void dispatch_handle(void *arg, struct request *r, struct reply *out)
{
    struct visitor v = {.actor = {.name = "",
                                  .ip = r->ip,
                                  .request_id = r->id,
                                  .tenant = "",
                                  .base_url = "",
                                  .lang = LANG_JA}};
    struct ctx c = {.mem = r->mem, .actor = &v.actor, .now_us = clock_now_us()};
    struct call k = {.c = &c, .app = arg, .request = r, .reply = out};
    struct tenant_place place;
    enum err e = OK;

    (void)visitor_lang(r, &v.actor.lang);
    if (page_serve_system(&k))
        return;
    if (!(e = tenant_resolver_find(&c, k.app, r, &place))) {
        v.actor.tenant = place.tenant ? place.tenant : "";
        v.actor.base_url = place.is_root ? LINK_BASE_ROOT : LINK_BASE;
        k.place = &place;
        if (!str_starts(place.path, "/api/"))
            e = page_serve(&k);
        else
            e = serve_api(&k, &v);
    }
    if (e)
        problem_write(&c, e, out);
    note_access(&k);
    process_stats_note_request(k.app->gauges, out->status,
                               clock_monotonic_ms() - r->started_ms);
}
