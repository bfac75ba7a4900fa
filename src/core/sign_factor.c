/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sign_factor.h"

#include "core/factor.h"
#include "core/guard.h"
#include "core/half.h"
#include "core/mail_code.h"

/* The half session, if it still owes a factor of this kind. */
static enum err need_factor(struct ctx *c, const struct app *app,
                            int64_t half_id, unsigned kind, struct half *out)
{
    unsigned allowed;
    enum err e = half_get(c, half_id, out);

    if (e || (e = factor_find_allowed(c, app, out->user.id, &allowed)))
        return e;
    if ((out->owed & OWES_FACTOR) && (allowed & kind))
        return OK;
    return mail_code_over(c);
}

/* One of the two proofs. */
struct proof {
    const char *code;
    const struct webauthn_site *site;
    const struct passkey_proof *passkey; /* NULL: the code */
};

static enum err try_proof(struct ctx *c, const struct app *app,
                          struct tenant *t, const struct proof *p,
                          const struct sign_in_from *from, struct half *half,
                          struct sign_in *out, enum err *answer)
{
    bool right = false;
    unsigned kind = p->passkey ? POLICY_PASSKEY : POLICY_TOTP;
    enum err e = need_factor(c, app, half->id, kind, half);

    if (e)
        return e;
    struct guard g = guard_of_step(c, app, &half->user, from->device);
    if ((e = guard_take(c, app, &g)))
        return e;
    e = p->passkey ? passkey_try(c, half->id, half->user.id, p->site,
                                 p->passkey, &right)
                   : factor_try_totp(c, t, half->user.id, p->code, &right);
    if (e)
        return e;
    if (!right)
        return half_miss(c, half, answer);
    e = guard_return(c, app, &g);
    return e ? e : half_advance(c, app, half, OWES_FACTOR, from, out);
}

static enum err prove(struct ctx *c, const struct app *app, struct tenant *t,
                      int64_t half_id, const struct proof *p,
                      const struct sign_in_from *from, struct sign_in *out)
{
    enum err answer = OK;
    struct half half = {.id = half_id};
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
    struct half half;
    enum err e = need_factor(c, app, half_session_id, POLICY_PASSKEY, &half);

    return e ? e : passkey_ask(c, half_session_id, half.user.id, out);
}
