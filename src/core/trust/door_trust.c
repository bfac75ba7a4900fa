/* SPDX-License-Identifier: Apache-2.0 */
/* By which doors tenants are reached.  A host name is checked when it is given,
 * but the configuration may change afterwards: a base_url or operator_host that
 * has a tenant's name takes its door away, and a listener may stay behind when
 * its tenant is gone. */
#include "core/trust/door_trust.h"

#include "base/buf.h"
#include "base/str.h"
#include "core/core.h"
#include "core/tenant/tenant_directory.h"
#include "core/trust/trust.h"
#include "db/query.h"

enum { DOOR_LIST };
static const char *const door_text[] = {
    [DOOR_LIST] = "SELECT id, coalesce(host, '') FROM customer WHERE state = 1"
                  " ORDER BY id",
};
const struct query_set door_queries = {"door", door_text, COUNT(door_text)};

struct doors {
    const struct app *app;
    int64_t all, hosts;
    int listeners;
    bool is_known[LISTENERS_MAX]; /* the tenant of each listener is there */
    struct buf astray;            /* whose door leads elsewhere; operator's */
};

static void note_astray(struct doors *d, const char *tenant)
{
    buf_printf(&d->astray, "%s%s", d->astray.len ? ", " : "", tenant);
}

static void look_at(struct doors *d, const char *tenant, const char *host)
{
    d->all++;
    d->hosts += *host != 0;
    if (*host && tenant_directory_is_own_host(d->app, host))
        note_astray(d, tenant);
    for (int i = 0; i < LISTENERS_MAX; i++)
        d->is_known[i] =
            d->is_known[i] || str_equal(d->app->listener_tenants[i], tenant);
}

static void look_at_listeners(struct doors *d)
{
    for (int i = 0; i < LISTENERS_MAX; i++) {
        const char *tenant = d->app->listener_tenants[i];
        d->listeners += tenant != NULL;
        if (tenant && !d->is_known[i])
            note_astray(d, tenant);
    }
}

static void say_own(struct ctx *c, const struct app *app, const char *tenant,
                    const char *host, struct trust_list *out)
{
    bool is_astray = *host && tenant_directory_is_own_host(app, host);

    trust_show(
        c, out, 25, !is_astray,
        "このテナントの専用のホスト名: %s、専用の待ち受け: %s。設定と"
        "照らし合わせ、ほかの入口との重なり: %s",
        "This tenant's own host name: %s, own listener: %s; held against "
        "the configuration, shared with another door: %s",
        *host ? host : ctx_text(c, "なし", "none"),
        tenant_directory_own_port(app, tenant) ? ctx_text(c, "あり", "yes")
                                               : ctx_text(c, "なし", "none"),
        is_astray ? ctx_text(c, "あり", "yes") : ctx_text(c, "なし", "no"));
}

enum err door_measure(struct ctx *c, const struct app *app, const char *tenant,
                      struct trust_list *out, int64_t *number)
{
    struct doors d = {.app = app, .astray = buf_in(c->mem)};
    struct query *q = query(c, door_text[DOOR_LIST]);
    const char *own = "";
    enum err e;

    while (query_next(c, q, &e)) {
        look_at(&d, col_peek(q, 0), col_peek(q, 1));
        if (str_equal(tenant, col_peek(q, 0)))
            own = col_text(c, q, 1);
    }
    if (e)
        return e;
    look_at_listeners(&d);
    *number = d.all;
    if (tenant) {
        say_own(c, app, tenant, own, out);
        return OK;
    }
    trust_say(c, out, 25, d.astray.len == 0,
              "テナント %lld 件の入口（専用のホスト名 %lld 件、専用の待ち受け "
              "%d 件、残りは専用のパス）を設定と照らし合わせました。ほかの入口"
              "と重なるか、テナントのないもの: %s",
              "The doors of %lld tenants (%lld have a host name and %d a "
              "listener of their own, the others a path) were held against the "
              "configuration; shared with another door, or of no tenant: %s",
              (long long)d.all, (long long)d.hosts, d.listeners,
              d.astray.len ? d.astray.data : ctx_text(c, "なし", "none"));
    trust_tell_others(c, out, "お客様ごとの入口が分かれていること",
                      "Each customer has doors of its own");
    return OK;
}
