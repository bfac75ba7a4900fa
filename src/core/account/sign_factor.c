/* SPDX-License-Identifier: Apache-2.0 */
#include "core/account/sign_factor.h"

#include "core/account/email_code.h"
#include "core/account/pending_sign_in.h"
#include "core/account/second_factor.h"
#include "core/account/sign_in_throttle.h"

/* The half session, if it still owes a factor of this kind. */
static enum err need_factor(struct ctx *c, const struct app *app,
                            int64_t half_id, unsigned kind,
                            struct pending_sign_in *out)
{
    unsigned allowed;
    enum err e = pending_sign_in_get(c, half_id, out);

    if (e || (e = second_factor_find_allowed(c, app, out->user.id, &allowed)))
        return e;
    if ((out->owed & OWES_FACTOR) && (allowed & kind))
        return OK;
    return email_code_over(c);
}

/* One of the two proofs. */
struct proof {
    const char *code;
    const struct webauthn_site *site;
    const struct passkey_proof *passkey; /* NULL: the code */
};

static enum err try_proof(struct ctx *c, const struct app *app,
                          struct tenant *t, const struct proof *p,
                          const struct sign_in_from *from,
                          struct pending_sign_in *half, struct sign_in *out,
                          enum err *answer)
{
    bool right = false;
    unsigned kind = p->passkey ? AUTH_POLICY_PASSKEY : AUTH_POLICY_TOTP;
    enum err e = need_factor(c, app, half->id, kind, half);

    if (e)
        return e;
    struct sign_in_throttle g =
        sign_in_throttle_of_step(c, app, &half->user, from->device);
    if ((e = sign_in_throttle_take(c, app, &g)))
        return e;
    e = p->passkey
            ? passkey_try(c, half->id, half->user.id, p->site, p->passkey,
                          &right)
            : second_factor_try_totp(c, t, half->user.id, p->code, &right);
    if (e)
        return e;
    if (!right)
        return pending_sign_in_miss(c, half, answer);
    e = sign_in_throttle_return(c, app, &g);
    return e ? e
             : pending_sign_in_advance(c, app, half, OWES_FACTOR, from, out);
}

static enum err prove(struct ctx *c, const struct app *app, struct tenant *t,
                      int64_t half_id, const struct proof *p,
                      const struct sign_in_from *from, struct sign_in *out)
{
    enum err answer = OK;
    struct pending_sign_in half = {.id = half_id};
    enum err e = tx_begin(c, t, TX_WRITE);

    if (e)
        return e;
    e = try_proof(c, app, t, p, from, &half, out, &answer);
    e = tx_end(c, t, e);
    return e ? e : answer;
}

enum err sign_in_totp(struct ctx *c, const struct app *app, struct tenant *t,
                      int64_t half_session_id, const char *code,
                      const struct sign_in_from *from, struct sign_in *out)
{
    const struct proof p = {.code = code};

    return prove(c, app, t, half_session_id, &p, from, out);
}

enum err sign_in_passkey(struct ctx *c, const struct app *app, struct tenant *t,
                         int64_t half_session_id,
                         const struct webauthn_site *site,
                         const struct passkey_proof *proof,
                         const struct sign_in_from *from, struct sign_in *out)
{
    const struct proof p = {.site = site, .passkey = proof};

    return prove(c, app, t, half_session_id, &p, from, out);
}

enum err sign_in_ask_passkey(struct ctx *c, const struct app *app,
                             int64_t half_session_id,
                             struct passkey_question *out)
{
    struct pending_sign_in half;
    enum err e =
        need_factor(c, app, half_session_id, AUTH_POLICY_PASSKEY, &half);

    return e ? e : passkey_ask(c, half_session_id, half.user.id, out);
}
