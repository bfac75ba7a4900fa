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

static enum err try_totp(struct ctx *c, const struct app *app, struct tenant *t,
                         int64_t half_id, const char *code,
                         const struct sign_in_from *from, struct half *half,
                         struct sign_in *out, enum err *answer)
{
    bool right = false;
    enum err e = need_factor(c, app, half_id, POLICY_TOTP, half);

    if (e || (e = factor_try_totp(c, t, half->user.id, code, &right)))
        return e;
    return right ? half_advance(c, app, half, OWES_FACTOR, from, out)
                 : half_miss(c, half, answer);
}

enum err sign_in_totp(struct ctx *c, const struct app *app, struct tenant *t,
                      int64_t half_session_id, const char *code,
                      const struct sign_in_from *from, struct sign_in *out)
{
    enum err answer = OK;
    struct half half;
    enum err e = tx_begin(c, t, TX_READ);

    if (e)
        return e;
    if ((e = tx_end(c, t, half_get(c, half_session_id, &half))))
        return e;
    struct guard g = guard_of(c, app, half.user.email, from->device);
    if ((e = guard_wait(c, app, &g)) || (e = tx_begin(c, t, TX_WRITE)))
        return e;
    e = try_totp(c, app, t, half_session_id, code, from, &half, out, &answer);
    if ((e = tx_end(c, t, e)))
        return e;
    if (answer)
        guard_failed(app, &g);
    else
        half_passed(c, app, out);
    return answer;
}
