/* SPDX-License-Identifier: Apache-2.0 */
/* Passkeys on the wire: bytes are base64url, as the browser's own JSON form
 * of these messages has them. */
#include "api/account/session_reply.h"
#include "api/dispatch/routes.h"
#include "api/dispatch/tenant_resolver.h"
#include "base/crypto.h"
#include "base/str.h"
#include "core/account/passkey.h"
#include "core/account/sign_factor.h"
#include "core/tenant/tenant_settings.h"

#include <string.h>

static const struct field new_fields[] = {
    {TEXT("name", 0, 60, OPTIONAL, "名前", "Name")},
    {SECRET("client_data", 1, 6000, REQUIRED, "応答", "Reply")},
    {SECRET("attestation", 1, 6000, REQUIRED, "応答", "Reply")},
};
static const struct form new_form = {"PasskeyNew", new_fields,
                                     COUNT(new_fields)};
static const struct field proof_fields[] = {
    {SECRET("id", 1, 1400, REQUIRED, "応答", "Reply")},
    {SECRET("client_data", 1, 6000, REQUIRED, "応答", "Reply")},
    {SECRET("data", 1, 6000, REQUIRED, "応答", "Reply")},
    {SECRET("signature", 1, 1400, REQUIRED, "応答", "Reply")},
};
static const struct form proof_form = {"PasskeyProof", proof_fields,
                                       COUNT(proof_fields)};

/* The site as the browser knows it: the host of this very request, which was
 * found to be the tenant's. */
static struct webauthn_site site_of(struct call *k)
{
    const struct request *r = k->request;
    size_t len = strcspn(r->host, ":");

    return (struct webauthn_site){
        .origin = arena_printf(k->c->mem, "%s://%s",
                               r->is_tls ? "https" : "http", r->host),
        .rp_id = arena_strndup(k->c->mem, r->host, len),
    };
}

/* Empty when it is no base64url: no proof then. */
static struct webauthn_bytes bytes_of(struct call *k, const char *name)
{
    void *data = NULL;
    size_t len = 0;

    if (!str_from_base64url(k->c->mem, values_text(k->body, name), &data, &len))
        return (struct webauthn_bytes){(const uint8_t *)"", 0};
    return (struct webauthn_bytes){data, len};
}

static void put_question(struct call *k, const struct passkey_question *q)
{
    json_text(&k->out, "challenge",
              str_to_base64url(k->c->mem, q->challenge, sizeof q->challenge));
    json_text(&k->out, "rp_id", site_of(k).rp_id);
    json_open(&k->out, "ids", '[');
    for (size_t i = 0; i < q->count; i++)
        json_text(&k->out, NULL,
                  str_to_base64url(k->c->mem, q->ids[i].data, q->ids[i].len));
    json_close(&k->out, ']');
}

/* Names nobody: what an authenticator keeps of the account. */
static const char *handle_of(struct call *k)
{
    const char *text =
        arena_printf(k->c->mem, "passkey\n%s\n%lld", k->c->actor->tenant,
                     (long long)k->c->actor->user_id);
    uint8_t mac[32];

    crypto_hmac(k->app->code_key, text, strlen(text), mac);
    return str_to_base64url(k->c->mem, mac, sizeof mac);
}

static enum err post_offer(struct call *k)
{
    struct passkey_question q;
    struct tenant_settings t;
    enum err e = passkey_offer(k->c, k->app, &q);

    if (e || (e = tenant_settings_get(k->c, &t)))
        return e;
    json_open(&k->out, NULL, '{');
    put_question(k, &q);
    json_text(&k->out, "rp_name", t.name);
    json_text(&k->out, "user_id", handle_of(k));
    json_text(&k->out, "user_name", k->session->user_email);
    json_text(&k->out, "display_name", k->session->user_name);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_new(struct call *k)
{
    const struct webauthn_site site = site_of(k);
    const struct passkey_new new_one = {
        .name = values_text(k->body, "name"),
        .client_data = bytes_of(k, "client_data"),
        .attestation = bytes_of(k, "attestation"),
    };

    return passkey_add(k->c, k->app, k->tenant, &site, &new_one,
                       session_from(k).agent);
}

static enum err post_question(struct call *k)
{
    struct passkey_question q;
    enum err e = sign_in_ask_passkey(k->c, k->app, k->session->id, &q);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    put_question(k, &q);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_proof(struct call *k)
{
    const struct sign_in_from from = session_from(k);
    const struct webauthn_site site = site_of(k);
    const struct passkey_proof proof = {
        .id = bytes_of(k, "id"),
        .client_data = bytes_of(k, "client_data"),
        .data = bytes_of(k, "data"),
        .signature = bytes_of(k, "signature"),
    };
    struct sign_in s = {0};
    enum err e = sign_in_passkey(k->c, k->app, k->tenant, k->session->id, &site,
                                 &proof, &from, &s);

    return e ? e : session_reply_proof(k, &s);
}

static const struct route routes[] = {
    {POST("/me/factors/passkey", post_offer, RIGHT_SIGNED_IN,
          "Begin to add a passkey", .flags = ROUTE_FRESH)},
    {POST("/me/factors/passkey/confirm", post_new, RIGHT_SIGNED_IN,
          "Add the passkey the authenticator made", .form = &new_form,
          .flags = ROUTE_NO_TX | ROUTE_FRESH)},
    {POST("/sign-in/passkey/question", post_question, RIGHT_HALF,
          "What a passkey is to sign")},
    {POST("/sign-in/passkey", post_proof, RIGHT_HALF,
          "Give the signature of a passkey", .form = &proof_form,
          .flags = ROUTE_NO_TX)},
};
const struct route_set passkey_routes = {routes, COUNT(routes),
                                         SET_EVERYWHERE | SET_OWN};
