/* SPDX-License-Identifier: Apache-2.0 */
#include "core/account/reauthenticate.h"

#include "core/account/account_mail.h"
#include "core/account/email_code.h"
#include "core/account/password.h"
#include "core/account/second_factor.h"
#include "core/account/sign_in_throttle.h"
#include "core/account/user.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

enum { OWNER_OF };
static const char *const reauthenticate_text[] = {
    [OWNER_OF] = "SELECT user_id FROM session WHERE id = ?1",
};
const struct query_set reauthenticate_queries = {
    "sign_again", reauthenticate_text, COUNT(reauthenticate_text)};

static enum err user_of_session(struct ctx *c, struct tenant *t,
                                int64_t session_id, struct user_secret *u)
{
    enum err e = tx_begin(c, t, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, reauthenticate_text[OWNER_OF]);
    bind_int(q, 1, session_id);
    if (!(e = query_one(c, q))) {
        int64_t user_id = col_int(q, 0);
        query_done(q);
        e = user_get_secret(c, user_id, u);
    }
    return tx_end(c, t, e == ERR_NOT_FOUND ? ERR_AUTH : e);
}

/* Throttled like a sign-in: a stolen session must not become a place to guess
 * the password from. */
static enum err verify_own(struct ctx *c, const struct app *app,
                           struct tenant *t, int64_t session_id,
                           const char *field, const char *password,
                           struct user_secret *u)
{
    const char *new_hash;
    enum err e = user_of_session(c, t, session_id, u);

    if (e)
        return e;
    struct sign_in_throttle g =
        sign_in_throttle_of_session(THROTTLE_SESSION, u->id);
    if ((e = sign_in_throttle_enter(c, app, t, &g)))
        return e;
    e = sign_in_throttle_check_password(c, app, u, true, password, &new_hash);
    if ((e = sign_in_throttle_answer(c, app, t, &g, e)) != ERR_AUTH)
        return e;
    c->fail = NULL;
    return ctx_fail(c, ERR_INVALID, field, "password_wrong",
                    "現在のパスワードが違います",
                    "The current password is wrong");
}

enum err reauthenticate_unlock(struct ctx *c, const struct app *app,
                               struct tenant *t, int64_t session_id,
                               const char *password, struct sign_in *out)
{
    struct user_secret u = {0};
    enum err e = verify_own(c, app, t, session_id, "password", password, &u);

    if (e)
        return e;
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t, session_renew(c, session_id, out->token));
}

/* The code's row says that the password was given for it. */
static enum err freshen_or_send(struct ctx *c, const struct app *app,
                                int64_t session_id, const struct user_secret *u,
                                struct sign_in *out)
{
    struct email_code code;
    struct auth_policy policy;
    enum err e = auth_policy_get(c, app, &policy);

    if (e)
        return e;
    if (!policy.fresh_code)
        return session_freshen(c, session_id, out->token);
    if ((e = second_factor_find_allowed(c, app, u->id, &out->factors)) ||
        (e = email_code_send(c, app, session_id, u, &code)))
        return e;
    out->email = u->email;
    out->owed = OWES_CODE;
    out->expires_at = code.expires_at;
    out->sends_left = (int)code.sends;
    return OK;
}

enum err reauthenticate_freshen(struct ctx *c, const struct app *app,
                                struct tenant *t, int64_t session_id,
                                const char *password, struct sign_in *out)
{
    struct user_secret u = {0};
    enum err e = verify_own(c, app, t, session_id, "password", password, &u);

    if (e)
        return e;
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t, freshen_or_send(c, app, session_id, &u, out));
}

/* Six digits are the app's, eight the mail's; both need the code's row. */
static enum err try_proof(struct ctx *c, const struct app *app,
                          struct tenant *t, int64_t session_id,
                          const char *text, enum err *answer)
{
    struct email_code code;
    unsigned factors;
    bool right = false;
    enum err e =
        second_factor_find_allowed(c, app, c->actor->user_id, &factors);

    if (!e && (factors & AUTH_POLICY_TOTP) &&
        !(e = email_code_get(c, session_id, &code)) && code.tries > 0)
        e = second_factor_try_totp(c, t, c->actor->user_id, text, &right);
    if ((e && e != ERR_NOT_FOUND) || right)
        return e;
    return email_code_try(c, app, session_id, text, answer);
}

enum err reauthenticate_code(struct ctx *c, const struct app *app,
                             struct tenant *t, int64_t session_id,
                             const char *code, struct sign_in *out)
{
    struct sign_in_throttle g =
        sign_in_throttle_of_session(THROTTLE_PROOF, c->actor->user_id);
    enum err answer = OK;
    enum err e = tx_begin(c, t, TX_WRITE);

    if (e)
        return e;
    if (!(e = sign_in_throttle_take(c, app, &g)))
        e = try_proof(c, app, t, session_id, code, &answer);
    if (!e && !answer && !(e = sign_in_throttle_return(c, app, &g)))
        e = session_freshen(c, session_id, out->token);
    if ((e = tx_end(c, t, e)) || !answer)
        return e;
    c->fail = NULL; /* the session itself goes on */
    return ctx_fail(c, ERR_INVALID, "code", "code", "確認コードが違います",
                    "The code is wrong");
}

/* Other sessions end, one's own goes on under a new token. */
static enum err store_changed(struct ctx *c, const struct app *app,
                              const struct user_secret *u, const char *hash,
                              const char *agent, struct sign_in *out)
{
    enum err e = password_store(c, u->id, hash);

    if (e || (e = session_renew(c, c->actor->session_id, out->token)))
        return e;
    if ((e = account_mail_send_warning(c, app, ACCOUNT_MAIL_PASSWORD, u, agent,
                                       "")))
        return e;
    return operation_log(c, &(struct operation){.action = "set_password",
                                                .kind = "user",
                                                .object_id = u->id,
                                                .object_name = u->name});
}

enum err reauthenticate_change_password(struct ctx *c, const struct app *app,
                                        struct tenant *t, const char *current,
                                        const char *password, const char *agent,
                                        struct sign_in *out)
{
    struct user_secret u = {0};
    const char *hash;
    enum err e =
        verify_own(c, app, t, c->actor->session_id, "current", current, &u);

    if (e)
        return e;
    if ((e = password_check_pace(c, t, u.id)) ||
        (e = password_make(c, app, t, &u, password, &hash)))
        return e;
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t, store_changed(c, app, &u, hash, agent, out));
}
