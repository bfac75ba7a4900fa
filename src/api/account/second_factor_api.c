/* SPDX-License-Identifier: Apache-2.0 */
/* Authenticator apps, passkeys and recovery codes: one's own, and what an
 * administrator may take away from who lost them. */
#include "api/dispatch/routes.h"
#include "core/account/recovery.h"
#include "core/account/second_factor.h"

static const struct field confirm_fields[] = {
    {TEXT("code", 1, 16, REQUIRED, "コード", "Code")},
    {TEXT("name", 0, 60, OPTIONAL, "名前", "Name")},
};
static const struct form confirm_form = {"FactorConfirm", confirm_fields,
                                         COUNT(confirm_fields)};
static const struct field owner_fields[] = {
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form owner_form = {"FactorOwnerQuery", owner_fields,
                                       COUNT(owner_fields)};

static const char *agent_of(struct call *k)
{
    const char *agent = request_header(k->request, "User-Agent");

    return agent ? agent : "";
}

static enum err get_factors(struct call *k)
{
    const struct second_factor *list;
    struct auth_policy policy;
    size_t count;
    int left = 0;
    enum err e = auth_policy_get(k->c, k->app, &policy);

    if (e ||
        (e = second_factor_list(k->c, k->c->actor->user_id, &list, &count)) ||
        (e = recovery_count(k->c, k->c->actor->user_id, &left)))
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        json_id(&k->out, "id", list[i].id);
        json_text(&k->out, "kind", second_factor_kind_words[list[i].kind]);
        json_text(&k->out, "name", list[i].name);
        json_moment(&k->out, "created_at", list[i].created_at);
        json_moment(&k->out, "used_at", list[i].used_at);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_bool(&k->out, "totp", policy.factors & AUTH_POLICY_TOTP);
    json_bool(&k->out, "passkey", policy.factors & AUTH_POLICY_PASSKEY);
    json_text(&k->out, "profile", auth_policy_profile_words[policy.profile]);
    json_int(&k->out, "recovery_left", left);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_totp(struct call *k)
{
    struct second_factor_offer offer;
    enum err e = second_factor_offer_totp(k->c, k->app, k->tenant, &offer);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_text(&k->out, "secret", offer.secret);
    json_text(&k->out, "uri", offer.uri);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_confirm(struct call *k)
{
    return second_factor_confirm_totp(
        k->c, k->app, k->tenant, values_text(k->body, "code"),
        values_text(k->body, "name"), agent_of(k));
}

static enum err delete_factor(struct call *k)
{
    return second_factor_delete(k->c, k->app, call_id(k, 0), agent_of(k));
}

static enum err post_recovery(struct call *k)
{
    char codes[RECOVERY_CODES][RECOVERY_CHARS + 1];
    enum err e = recovery_make(k->c, k->app, k->tenant, codes);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "codes", '[');
    for (int i = 0; i < RECOVERY_CODES; i++)
        json_text(&k->out, NULL, codes[i]);
    json_close(&k->out, ']');
    json_close(&k->out, '}');
    return OK;
}

static enum err list_owners(struct call *k)
{
    const struct second_factor_owner *list;
    size_t count;
    bool more;
    enum err e =
        second_factor_list_owners(k->c, values_int(k->query, "after", 0),
                                  call_limit(k), &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        json_id(&k->out, "id", list[i].user_id);
        json_text(&k->out, "name", list[i].name);
        json_text(&k->out, "email", list[i].email);
        json_int(&k->out, "totp", list[i].totp);
        json_int(&k->out, "passkeys", list[i].passkeys);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].user_id : 0);
    json_close(&k->out, '}');
    return OK;
}

static enum err reset_factors(struct call *k)
{
    return second_factor_reset(k->c, k->app, call_id(k, 0), agent_of(k));
}

static const struct route routes[] = {
    {GET("/me/factors", get_factors, RIGHT_SIGNED_IN,
         "One's own factors, and what the tenant allows", .flags = ROUTE_LIST)},
    {POST("/me/factors/totp", post_totp, RIGHT_SIGNED_IN,
          "Offer an authenticator app: its secret, shown once",
          .flags = ROUTE_FRESH)},
    {POST("/me/factors/totp/confirm", post_confirm, RIGHT_SIGNED_IN,
          "Its first code puts it in use", .form = &confirm_form,
          .flags = ROUTE_FRESH)},
    {DELETE("/me/factors/:id", delete_factor, RIGHT_SIGNED_IN,
            "Remove one of one's own factors", .flags = ROUTE_FRESH)},
    {POST("/me/recovery-codes", post_recovery, RIGHT_SIGNED_IN,
          "New recovery codes, shown once (profile modern)",
          .flags = ROUTE_NO_TX | ROUTE_FRESH)},
    {GET("/security/factors", list_owners, RIGHT_ADMIN_SECURITY,
         "Who has further factors", .query = &owner_form, .flags = ROUTE_LIST)},
    {DELETE("/users/:id/factors", reset_factors, RIGHT_ADMIN_SECURITY,
            "Remove all factors of a person who lost them",
            .flags = ROUTE_FRESH)},
};
const struct route_set second_factor_routes = {routes, COUNT(routes),
                                               SET_EVERYWHERE | SET_OWN};
