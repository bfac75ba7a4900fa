/* SPDX-License-Identifier: Apache-2.0 */
#include "core/console/support_access_console.h"

#include "base/crypto.h"
#include "core/log/operation.h"
#include "core/tenant/link_base.h"
#include "core/tenant/tenant_task.h"

static enum err run_there(struct ctx *c, const struct support_access_console *d,
                          enum tx_mode mode, tenant_task_fn *step, void *arg)
{
    const struct tenant_task errand = {
        .app = d->app,
        .tenant = d->tenant,
        .name = arena_printf(c->mem, "support: %s", d->who.name),
    };

    return tenant_task_run(c, &errand, mode, step, arg);
}

static enum err log_here(struct ctx *c, const struct support_access_console *d,
                         const char *action, int64_t id)
{
    enum err e = tx_begin_control(c, d->app->store, TX_WRITE);

    if (e)
        return e;
    e = operation_log(c, &(struct operation){.action = action,
                                             .kind = "support",
                                             .object_id = id,
                                             .object_name = d->tenant});
    return tx_end_control(c, d->app->store, e);
}

/* ---- steps ---- */

struct asking {
    const struct support_access_console *d;
    const struct values *v;
    struct support_access *out;
};

static enum err ask(struct ctx *c, void *arg)
{
    struct asking *a = arg;

    return support_access_ask(c, a->d->app, &a->d->who, a->v, a->out);
}

enum err support_access_console_ask(struct ctx *c,
                                    const struct support_access_console *d,
                                    const struct values *v,
                                    struct support_access *out)
{
    struct asking a = {d, v, out};
    enum err e = run_there(c, d, TX_WRITE, ask, &a);

    return e ? e : log_here(c, d, "support_ask", out->id);
}

struct listing {
    int64_t after_id;
    int limit;
    const struct support_access **out;
    size_t *count;
    bool *more;
};

static enum err list(struct ctx *c, void *arg)
{
    struct listing *l = arg;

    return support_access_list(c, l->after_id, l->limit, l->out, l->count,
                               l->more);
}

enum err support_access_console_list(struct ctx *c,
                                     const struct support_access_console *d,
                                     int64_t after_id, int limit,
                                     const struct support_access **out,
                                     size_t *count, bool *more)
{
    struct listing l = {after_id, limit, out, count, more};

    return run_there(c, d, TX_READ, list, &l);
}

struct opening {
    int64_t id, operator_id;
    const char *link;
};

static enum err make_link(struct ctx *c, void *arg)
{
    char token[SECRET_TOKEN_CHARS + 1];
    struct opening *o = arg;
    enum err e = support_access_make_token(c, o->id, o->operator_id, token);

    if (!e)
        o->link = arena_join(c->mem, "/enter#", token, "");
    crypto_wipe(token, sizeof token);
    return e;
}

enum err support_access_console_open(struct ctx *c,
                                     const struct support_access_console *d,
                                     int64_t id, const char **link)
{
    struct opening o = {.id = id, .operator_id = d->who.id};
    const char *base = "";
    enum err e = link_base_check(c, d->app);

    if (e || (e = link_base_find(c, d->app, d->tenant, false, &base)) ||
        (e = run_there(c, d, TX_WRITE, make_link, &o)))
        return e;
    *link = arena_join(c->mem, base, o.link, "");
    return log_here(c, d, "support_enter", id);
}

struct ending {
    const struct support_access_console *d;
    int64_t id;
    struct support_access *out;
};

static enum err end(struct ctx *c, void *arg)
{
    struct ending *x = arg;
    enum err e = support_access_get(c, x->id, x->out);

    if (!e && x->out->operator_id != x->d->who.id)
        return ctx_fail(c, ERR_DENIED, "", "denied",
                        "この操作の権限がありません", "You may not do this");
    return e ? e : support_access_end(c, x->d->app, x->id, x->out);
}

enum err support_access_console_end(struct ctx *c,
                                    const struct support_access_console *d,
                                    int64_t id, struct support_access *out)
{
    struct ending x = {d, id, out};
    enum err e = run_there(c, d, TX_WRITE, end, &x);

    return e ? e : log_here(c, d, "support_end", id);
}
