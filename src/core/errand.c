/* SPDX-License-Identifier: Apache-2.0 */
#include "core/errand.h"

#include "core/link_base.h"
#include "core/registry.h"

static enum err need_open(struct ctx *c, const struct errand *d)
{
    struct registry_row row;
    enum err e = registry_get(c, d->app->store, d->tenant, &row);

    if (e == ERR_NOT_FOUND || (!e && row.state != REGISTRY_OPEN))
        return ctx_fail(c, ERR_NOT_FOUND, "", "tenant",
                        "テナントが見つかりません", "No such tenant");
    return e;
}

enum err errand_run(struct ctx *c, const struct errand *d, enum tx_mode mode,
                    errand_fn *step, void *arg)
{
    struct actor who = {
        .name = d->name,
        .ip = c->actor->ip,
        .request_id = c->actor->request_id,
        .tenant = d->tenant,
        .base_url = LINK_BASE,
        .lang = c->actor->lang,
    };
    struct ctx there = {.mem = c->mem, .actor = &who, .now_us = c->now_us};
    struct tenant *t;
    enum err e = need_open(c, d);

    if (e || (e = tenant_open(d->app->store, d->tenant, &t)))
        return e;
    if (!(e = tx_begin(&there, t, mode)))
        e = tx_end(&there, t, step(&there, arg));
    tenant_close(t);
    c->fail = there.fail;
    return e;
}
