/* SPDX-License-Identifier: Apache-2.0 */
/* Authenticator apps, passkeys and recovery codes: one's own, and what an
 * administrator may take away from who lost them. */
#include "api/routes.h"
#include "core/factor.h"
#include "core/recovery.h"

static const struct field confirm_fields[] = {
    {"code", FIELD_TEXT, 1, 16, FIELD_REQUIRED, NULL, NULL, "コード", "Code"},
    {"name", FIELD_TEXT, 0, 60, 0,              NULL, NULL, "名前",    "Name"},
};
static const struct form confirm_form = {"FactorConfirm", confirm_fields,
                                         COUNT(confirm_fields)};
static const struct field owner_fields[] = {
    {"limit", FIELD_INT, 1, 200, 0, NULL, NULL, "件数", "Limit"},
    {"after", FIELD_ID,  0, 0,   0, NULL, NULL, "続き", "After"},
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
    const struct factor *list;
    struct policy policy;
    size_t count;
    int left = 0;
    enum err e = policy_get(k->c, k->app, &policy);

    if (e || (e = factor_list(k->c, k->c->actor->user_id, &list, &count)) ||
        (e = recovery_count(k->c, k->c->actor->user_id, &left)))
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        json_id(&k->out, "id", list[i].id);
        json_text(&k->out, "kind", factor_kind_words[list[i].kind]);
        json_text(&k->out, "name", list[i].name);
        json_moment(&k->out, "created_at", list[i].created_at);
        json_moment(&k->out, "used_at", list[i].used_at);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_bool(&k->out, "totp", policy.factors & POLICY_TOTP);
    json_bool(&k->out, "passkey", policy.factors & POLICY_PASSKEY);
    json_text(&k->out, "profile", policy_profile_words[policy.profile]);
    json_int(&k->out, "recovery_left", left);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_totp(struct call *k)
{
    struct factor_offer offer;
    enum err e = factor_offer_totp(k->c, k->app, k->tenant, &offer);

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
    return factor_confirm_totp(k->c, k->app, k->tenant,
                               values_text(k->body, "code"),
                               values_text(k->body, "name"), agent_of(k));
}

static enum err delete_factor(struct call *k)
{
    return factor_delete(k->c, k->app, call_id(k, 0), agent_of(k));
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
    const struct factor_owner *list;
    size_t count;
    bool more;
    enum err e = factor_list_owners(k->c, values_int(k->query, "after", 0),
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
    return factor_reset(k->c, k->app, call_id(k, 0), agent_of(k));
}

static const struct route routes[] = {
    {METHOD_GET,    "/api/v1/me/factors",              get_factors,   RIGHT_SIGNED_IN,      NULL,          NULL,
     NULL,                                                                                                                    ROUTE_LIST,                "One's own factors, and what the tenant allows"},
    {METHOD_POST,   "/api/v1/me/factors/totp",         post_totp,     RIGHT_SIGNED_IN,      NULL,
     NULL,                                                                                                              NULL, ROUTE_FRESH,
     "Offer an authenticator app: its secret, shown once"                                                                                                                                               },
    {METHOD_POST,   "/api/v1/me/factors/totp/confirm", post_confirm,
     RIGHT_SIGNED_IN,                                                                       &confirm_form, NULL,        NULL, ROUTE_FRESH,
     "Its first code puts it in use"                                                                                                                                                                    },
    {METHOD_DELETE, "/api/v1/me/factors/:id",          delete_factor, RIGHT_SIGNED_IN,
     NULL,                                                                                                 NULL,        NULL, ROUTE_FRESH,               "Remove one of one's own factors"              },
    {METHOD_POST,   "/api/v1/me/recovery-codes",       post_recovery, RIGHT_SIGNED_IN,
     NULL,                                                                                                 NULL,        NULL, ROUTE_NO_TX | ROUTE_FRESH,
     "New recovery codes, shown once (profile modern)"                                                                                                                                                  },
    {METHOD_GET,    "/api/v1/security/factors",        list_owners,   RIGHT_ADMIN_SECURITY,
     NULL,                                                                                                 &owner_form, NULL, ROUTE_LIST,                "Who has further factors"                      },
    {METHOD_DELETE, "/api/v1/users/:id/factors",       reset_factors,
     RIGHT_ADMIN_SECURITY,                                                                  NULL,          NULL,        NULL, ROUTE_FRESH,
     "Remove all factors of a person who lost them"                                                                                                                                                     },
};
const struct route_set factor_routes = {routes, COUNT(routes),
                                        SET_EVERYWHERE | SET_OWN};
