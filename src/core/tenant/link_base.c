/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tenant/link_base.h"

#include "base/str.h"
#include "core/tenant/tenant_directory.h"

#include <string.h>

enum err link_base_check(struct ctx *c, const struct app *app)
{
    if (!app->is_base_guessed)
        return OK;
    return ctx_fail(c, ERR_CONFLICT, "", "base_url",
                    "このサーバーのアドレスが設定されていないため、リンクを"
                    "含むメールを送れません。運用者が base_url を設定して"
                    "ください",
                    "No mail with a link can be sent: this server does not "
                    "know its address. The operator has to set base_url");
}

/* As tenant_resolver_find() in api/dispatch/tenant_resolver.c answers it. */
static const char *find_console(struct ctx *c, const struct app *app)
{
    const char *base = app->base_url;

    if (app->operator_host)
        base = tenant_directory_url(c->mem, base, "", app->operator_host);
    else if (app->operator_listener >= 0 &&
             app->listener_urls[app->operator_listener])
        base = app->listener_urls[app->operator_listener];
    return arena_join(c->mem, base, "/operator", "");
}

enum err link_base_find(struct ctx *c, const struct app *app,
                        const char *tenant, bool is_root, const char **out)
{
    struct tenant_directory_row row;

    if (str_equal(tenant, STORE_OPERATOR)) {
        *out = find_console(c, app);
        return OK;
    }
    enum err e = tenant_directory_get(c, app->store, tenant, &row);
    if (e)
        return e;
    if (tenant_directory_own_port(app, tenant))
        *out = tenant_directory_place(c->mem, app, app->base_url, tenant,
                                      row.host);
    else if (is_root && !row.host && str_equal(app->sole_tenant, tenant))
        *out = app->base_url;
    else
        *out = tenant_directory_url(c->mem, app->base_url, tenant, row.host);
    return OK;
}

enum err link_base_fill(struct ctx *c, const struct app *app,
                        const char *tenant, const char *text, const char **out)
{
    static const char marks[] = LINK_BASE LINK_BASE_ROOT;
    struct buf b = buf_in(c->mem);
    const char *bases[2] = {NULL, NULL};

    *out = text;
    if (!strpbrk(text, marks))
        return OK;
    enum err e = link_base_check(c, app);
    for (int i = 0; i < 2 && !e; i++)
        e = link_base_find(c, app, tenant, i == 1, &bases[i]);
    if (e)
        return e;
    for (size_t n; *text; text += n) {
        n = strcspn(text, marks);
        buf_put(&b, text, n);
        if (!text[n])
            break;
        buf_puts(&b, bases[text[n++] == *LINK_BASE_ROOT]);
    }
    buf_put(&b, "", 0);
    *out = b.data;
    return OK;
}
