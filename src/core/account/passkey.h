/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_PASSKEY_H
#define CORE_ACCOUNT_PASSKEY_H

#include "core/account/second_factor.h"
#include "core/account/webauthn.h"

/* Passkeys of the tenant's people.  A challenge belongs to one session and is
 * gone with the first answer, right or wrong. */

/* What an authenticator is asked: to sign, or to make a key other than
 * these. */
struct passkey_question {
    uint8_t challenge[WEBAUTHN_CHALLENGE_BYTES];
    struct webauthn_bytes ids[SECOND_FACTOR_PASSKEYS_MAX];
    size_t count;
};
MUST_USE enum err passkey_ask(struct ctx *c, int64_t session_id,
                              int64_t user_id, struct passkey_question *out);
/* For the actor; ERR_DENIED "factor_off", ERR_CONFLICT "factor_count". */
MUST_USE enum err passkey_offer(struct ctx *c, const struct app *app,
                                struct passkey_question *out);

/* A new one for the actor.  Opens its own transactions: the challenge is gone
 * whatever comes of it.  ERR_INVALID "passkey". */
struct passkey_new {
    const char *name;
    struct webauthn_bytes client_data, attestation;
};
MUST_USE enum err passkey_add(struct ctx *c, const struct app *app,
                              struct tenant *t,
                              const struct webauthn_site *site,
                              const struct passkey_new *new_one,
                              const char *agent);

/* *right: signed by one of the person's, whose counter went up. */
struct passkey_proof {
    struct webauthn_bytes id, client_data, data, signature;
};
MUST_USE enum err passkey_try(struct ctx *c, int64_t session_id,
                              int64_t user_id, const struct webauthn_site *site,
                              const struct passkey_proof *proof, bool *right);

#endif
