/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/account/user.h"
#include "core/tenant/tenant_settings.h"
#include "core/work/workday.h"

static enum err reply_tenant(struct call *k, const struct tenant_settings *t)
{
    struct workdays w;
    enum err e = workday_get(k->c, t->calendar_id, &w);

    if (e)
        return e;
    call_etag(k, t->version);
    json_open(&k->out, NULL, '{');
    json_text(&k->out, "id", k->c->actor->tenant);
    json_text(&k->out, "name", t->name);
    json_text(&k->out, "lang", lang_words[t->lang]);
    json_int(&k->out, "first_weekday", t->first_weekday);
    json_int(&k->out, "fiscal_month", t->fiscal_month);
    workday_put_json(&k->out, "calendar", &w);
    json_int(&k->out, "version", t->version);
    json_close(&k->out, '}');
    return OK;
}

static enum err get_tenant(struct call *k)
{
    struct tenant_settings t;
    enum err e = tenant_settings_get(k->c, &t);

    return e ? e : reply_tenant(k, &t);
}

static enum err patch_tenant(struct call *k)
{
    struct tenant_settings t;
    enum err e = tenant_settings_update(k->c, k->if_match, k->body, &t);

    return e ? e : reply_tenant(k, &t);
}

static enum err put_calendar(struct call *k)
{
    struct tenant_settings t;
    enum err e = tenant_settings_get(k->c, &t);

    if (!e)
        e = workday_put(k->c, t.calendar_id, k->if_match, k->body);
    return e ? e : reply_tenant(k, &t);
}

static const struct route routes[] = {
    {GET("/tenant", get_tenant, RIGHT_SIGNED_IN,
         "The tenant and its calendar")},
    {PATCH("/tenant", patch_tenant, RIGHT_ADMIN, "Change the tenant's settings",
           .form = &tenant_settings_form, .flags = ROUTE_MATCH)},
    {PUT("/calendar", put_calendar, RIGHT_ADMIN_MASTER,
         "Replace the tenant's calendar (If-Match: the calendar's version)",
         .form = &workdays_form, .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
};
const struct route_set tenant_routes = {routes, COUNT(routes), SET_TOKENS};
