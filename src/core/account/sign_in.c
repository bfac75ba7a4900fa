/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine: nobody -> half session (password), which owes a code, a
 * further factor, perhaps a new password -> full session when nothing is owed
 * any more.  The one hard idea is the order: throttle, then read, then argon2
 * with nothing held, then write. */
#include "core/account/sign_in.h"

#include "core/account/account_mail.h"
#include "core/account/email_code.h"
#include "core/account/password.h"
#include "core/account/pending_sign_in.h"
#include "core/account/second_factor.h"
#include "core/account/sign_in_throttle.h"
#include "core/core.h"
#include "db/query.h"

enum { USER_REHASH };
static const char *const sign_in_text[] = {
    [USER_REHASH] = "UPDATE user SET password = ?2 WHERE id = ?1",
};
const struct query_set sign_in_queries = {"sign_in", sign_in_text,
                                          COUNT(sign_in_text)};

static enum err rehash(struct ctx *c, int64_t user_id, const char *hash)
{
    if (!hash)
        return OK;
    struct query *q = query(c, sign_in_text[USER_REHASH]);
    bind_int(q, 1, user_id);
    bind_text(q, 2, hash);
    return query_run(c, q);
}

static void tell_code(const struct email_code *code, struct sign_in *out)
{
    out->expires_at = code->expires_at;
    out->sends_left = (int)code->sends;
}

static enum err begin_half(struct ctx *c, const struct app *app,
                           const struct user_secret *u, unsigned owed,
                           const struct sign_in_from *from, struct sign_in *out)
{
    struct email_code code;
    int64_t id;
    enum err e = OK;

    out->email = u->email;
    out->owed = owed;
    if (from->session_id && (e = session_delete(c, from->session_id)))
        return e;
    if ((e = session_create(c, u->id, SESSION_HALF, from->agent, out->token,
                            &id)) ||
        (e = pending_sign_in_owes(c, id, owed)))
        return e;
    if ((owed & OWES_EITHER) || (e = email_code_send(c, app, id, u, &code)))
        return e;
    tell_code(&code, out);
    return OK;
}

/* A password that is too old, or that the policy of today would refuse. */
static bool is_outdated(struct ctx *c, const struct auth_policy *policy,
                        const struct user_secret *u, const char *password)
{
    if (auth_policy_is_expired(policy, u->password_at, c->now_us))
        return true;
    if (!password_check(c, policy, "", password, NULL))
        return false;
    c->fail = NULL; /* not said here, but where the new one is asked for */
    return true;
}

/* In profile whitepaper a factor comes on top of the mailed code, in modern it
 * may stand in for it. */
static enum err work_out_owed(struct ctx *c, const struct app *app,
                              const struct auth_policy *policy,
                              const struct user_secret *u, struct sign_in *out)
{
    enum err e = second_factor_find_allowed(c, app, u->id, &out->factors);

    out->owed = OWES_CODE;
    if (out->factors)
        out->owed |= OWES_FACTOR;
    if (out->factors && policy->profile == AUTH_POLICY_MODERN)
        out->owed |= OWES_EITHER;
    return e;
}

/* Whom the address belongs to, if anybody, and what the try counts against. */
struct who {
    struct user_secret user;
    struct auth_policy policy;
    bool is_known, is_outdated;
    struct sign_in_throttle guard;
};

static enum err find_who(struct ctx *c, const struct app *app,
                         const char *email, const struct sign_in_from *from,
                         struct who *out)
{
    enum err e = user_find_secret(c, email, &out->user);

    if (e && e != ERR_NOT_FOUND)
        return e;
    out->is_known = e == OK;
    out->guard = sign_in_throttle_of(c, app, email, out->user.id, from->device);
    return auth_policy_get(c, app, &out->policy);
}

/* In a write transaction: the password was right. */
static enum err go_on(struct ctx *c, const struct app *app,
                      const struct who *who, const char *new_hash,
                      const struct sign_in_from *from, struct sign_in *out)
{
    const struct user_secret *u = &who->user;
    enum err e = sign_in_throttle_return(c, app, &who->guard);

    if (e || (e = rehash(c, u->id, new_hash)) ||
        (e = work_out_owed(c, app, &who->policy, u, out)))
        return e;
    if (who->is_outdated)
        out->owed |= OWES_PASSWORD;
    return begin_half(c, app, u, out->owed, from, out);
}

enum err sign_in_password(struct ctx *c, const struct app *app,
                          struct tenant *t, const char *email,
                          const char *password, const struct sign_in_from *from,
                          struct sign_in *out)
{
    struct who who = {.is_known = false};
    const char *new_hash;
    enum err e = tx_begin(c, t, TX_READ);

    if (e)
        return e;
    if ((e = tx_end(c, t, find_who(c, app, email, from, &who))))
        return e;
    if ((e = sign_in_throttle_enter(c, app, t, &who.guard)))
        return e;
    if ((e = sign_in_throttle_check_password(c, app, &who.user, who.is_known,
                                             password, &new_hash)))
        return sign_in_throttle_answer(c, app, t, &who.guard, e);
    who.is_outdated = is_outdated(c, &who.policy, &who.user, password);
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t, go_on(c, app, &who, new_hash, from, out));
}

/* ---- the mailed code ---- */

/* Inside the write transaction: *answer is what the caller hears after it. */
static enum err try_code(struct ctx *c, const struct app *app, int64_t half_id,
                         const char *text, const struct sign_in_from *from,
                         struct sign_in *out, enum err *answer)
{
    struct sign_in_throttle g;
    struct pending_sign_in half;
    enum err e = pending_sign_in_get(c, half_id, &half);

    if (e)
        return e;
    g = sign_in_throttle_of_step(c, app, &half.user, from->device);
    if ((e = sign_in_throttle_take(c, app, &g)) ||
        (e = email_code_try(c, app, half_id, text, answer)) || *answer)
        return e;
    if ((e = sign_in_throttle_return(c, app, &g)))
        return e;
    return pending_sign_in_advance(c, app, &half, OWES_CODE, from, out);
}

enum err sign_in_code(struct ctx *c, const struct app *app, struct tenant *t,
                      int64_t half_session_id, const char *code,
                      const struct sign_in_from *from, struct sign_in *out)
{
    enum err answer = OK;
    enum err e = tx_begin(c, t, TX_WRITE);

    if (e)
        return e;
    e = try_code(c, app, half_session_id, code, from, out, &answer);
    e = tx_end(c, t, e);
    return e ? e : answer;
}

static enum err resend(struct ctx *c, const struct app *app, int64_t half_id,
                       struct sign_in *out)
{
    struct email_code code;
    struct pending_sign_in half;
    enum err e = pending_sign_in_get(c, half_id, &half);

    if (!e && !(half.owed & OWES_CODE))
        e = email_code_over(c);
    if (e || (e = email_code_resend(c, app, half_id, &half.user, &code)))
        return e;
    tell_code(&code, out);
    out->email = half.user.email;
    out->owed = half.owed;
    return OK;
}

enum err sign_in_resend(struct ctx *c, const struct app *app, struct tenant *t,
                        int64_t half_session_id, struct sign_in *out)
{
    enum err e = tx_begin(c, t, TX_WRITE);

    if (e)
        return e;
    return tx_end(c, t, resend(c, app, half_session_id, out));
}

enum err sign_in_get(struct ctx *c, const struct app *app,
                     int64_t half_session_id, struct sign_in *out)
{
    struct email_code code = {0};
    struct pending_sign_in half;
    enum err e = pending_sign_in_get(c, half_session_id, &half);

    if (e)
        return e;
    *out = (struct sign_in){.email = half.user.email, .owed = half.owed};
    if ((e = second_factor_find_allowed(c, app, half.user.id, &out->factors)))
        return e;
    e = email_code_get(c, half_session_id, &code);
    tell_code(&code, out);
    return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- a new password before anything else ---- */

static enum err may_set_password(struct ctx *c,
                                 const struct pending_sign_in *half)
{
    if (half->owed == OWES_PASSWORD)
        return OK;
    return ctx_fail(c, ERR_AUTH, "", "code_required",
                    "確認コードを入力してください",
                    "The code sent by mail is still needed");
}

static enum err store_new(struct ctx *c, const struct app *app, int64_t half_id,
                          const char *hash, const struct sign_in_from *from,
                          struct sign_in *out)
{
    struct pending_sign_in half;
    enum err e = pending_sign_in_get(c, half_id, &half);

    if (e || (e = may_set_password(c, &half)))
        return e;
    if ((e = password_store(c, half.user.id, hash)) ||
        (e = account_mail_send_warning(c, app, ACCOUNT_MAIL_PASSWORD,
                                       &half.user, from->agent, "")) ||
        (e = pending_sign_in_log(c, &half.user, "set_password", "user")))
        return e;
    return pending_sign_in_advance(c, app, &half, OWES_PASSWORD, from, out);
}

enum err sign_in_new_password(struct ctx *c, const struct app *app,
                              struct tenant *t, int64_t half_session_id,
                              const char *password,
                              const struct sign_in_from *from,
                              struct sign_in *out)
{
    struct pending_sign_in half;
    const char *hash;
    enum err e = tx_begin(c, t, TX_READ);

    if (e)
        return e;
    if (!(e = pending_sign_in_get(c, half_session_id, &half)))
        e = may_set_password(c, &half);
    if ((e = tx_end(c, t, e)))
        return e;
    if ((e = password_make(c, app, t, &half.user, password, &hash)))
        return e;
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t, store_new(c, app, half_session_id, hash, from, out));
}
