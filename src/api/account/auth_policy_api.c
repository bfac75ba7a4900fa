/* SPDX-License-Identifier: Apache-2.0 */
/* How people of the tenant prove who they are: set by its administrators,
 * never below the operator's floor. */
#include "api/dispatch/routes.h"
#include "core/account/auth_policy.h"

static void put_rules(struct call *k, const char *name,
                      const struct auth_policy *p)
{
    json_open(&k->out, name, '{');
    json_text(&k->out, "profile", auth_policy_profile_words[p->profile]);
    json_int(&k->out, "min", p->min);
    json_int(&k->out, "max", p->max);
    json_int(&k->out, "classes", p->classes);
    json_int(&k->out, "days", p->days);
    json_close(&k->out, '}');
}

/* What would hold if nothing were chosen: the least the page may offer. */
static void put_floor(struct call *k, enum auth_policy_profile profile)
{
    struct auth_policy_choice choice = {.profile = profile};
    struct auth_policy p;

    auth_policy_work_out(&k->app->floor, &choice, &p);
    put_rules(k, auth_policy_profile_words[profile], &p);
}

static enum err reply_policy(struct call *k, const struct auth_policy *p)
{
    call_etag(k, p->version);
    json_open(&k->out, NULL, '{');
    put_rules(k, "password", p);
    json_open(&k->out, "floor", '{');
    if (!k->app->floor.is_modern)
        put_floor(k, AUTH_POLICY_WHITEPAPER);
    put_floor(k, AUTH_POLICY_MODERN);
    json_close(&k->out, '}');
    json_bool(&k->out, "totp", p->factors & AUTH_POLICY_TOTP);
    json_bool(&k->out, "passkey", p->factors & AUTH_POLICY_PASSKEY);
    json_bool(&k->out, "fresh_code", p->fresh_code);
    json_bool(&k->out, "tokens", p->tokens);
    json_int(&k->out, "version", p->version);
    json_close(&k->out, '}');
    return OK;
}

static enum err get_policy(struct call *k)
{
    struct auth_policy p;
    enum err e = auth_policy_get(k->c, k->app, &p);

    return e ? e : reply_policy(k, &p);
}

static enum err patch_policy(struct call *k)
{
    struct auth_policy p;
    enum err e = auth_policy_update(k->c, k->app, k->if_match, k->body, &p);

    return e ? e : reply_policy(k, &p);
}

static const struct route routes[] = {
    {GET("/security", get_policy, RIGHT_ADMIN_SECURITY,
         "Passwords and further factors of the tenant")},
    {PATCH("/security", patch_policy, RIGHT_ADMIN_SECURITY,
           "Make passwords and factors stricter", .form = &auth_policy_form,
           .flags = ROUTE_MATCH | ROUTE_FRESH)},
};
const struct route_set auth_policy_routes = {routes, COUNT(routes), SET_TOKENS};
