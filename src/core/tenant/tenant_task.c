/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tenant/tenant_task.h"

#include "core/tenant/link_base.h"
#include "core/tenant/tenant_directory.h"

static enum err need_open(struct ctx *c, const struct tenant_task *d)
{
    struct tenant_directory_row row;
    enum err e = tenant_directory_get(c, d->app->store, d->tenant, &row);

    if (e == ERR_NOT_FOUND || (!e && row.state != TENANT_DIRECTORY_OPEN))
        return ctx_fail(c, ERR_NOT_FOUND, "", "tenant",
                        "テナントが見つかりません", "No such tenant");
    return e;
}

enum err tenant_task_run(struct ctx *c, const struct tenant_task *d,
                         enum tx_mode mode, tenant_task_fn *step, void *arg)
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
