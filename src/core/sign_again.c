/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sign_again.h"

#include "core/core.h"
#include "core/factor.h"
#include "core/guard.h"
#include "core/letter.h"
#include "core/mail_code.h"
#include "core/operation.h"
#include "core/password.h"
#include "core/user.h"
#include "db/query.h"

enum { OWNER_OF };
static const char *const sign_again_text[] = {
    [OWNER_OF] = "SELECT user_id FROM session WHERE id = ?1",
};
const struct query_set sign_again_queries = {"sign_again", sign_again_text,
                                             COUNT(sign_again_text)};

static enum err user_of_session(struct ctx *c, struct tenant *t,
                                int64_t session_id, struct user_secret *u)
{
    enum err e = tx_begin(c, t, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, sign_again_text[OWNER_OF]);
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
    struct guard g = guard_of_session(THROTTLE_SESSION, u->id);
    if ((e = guard_enter(c, app, t, &g)))
        return e;
    e = guard_check_password(c, app, u, true, password, &new_hash);
    if ((e = guard_answer(c, app, t, &g, e)) != ERR_AUTH)
        return e;
    c->fail = NULL;
    return ctx_fail(c, ERR_INVALID, field, "password_wrong",
                    "現在のパスワードが違います",
                    "The current password is wrong");
}

enum err sign_again_unlock(struct ctx *c, const struct app *app,
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
    struct mail_code code;
    struct policy policy;
    enum err e = policy_get(c, app, &policy);

    if (e)
        return e;
    if (!policy.fresh_code)
        return session_freshen(c, session_id, out->token);
    if ((e = factor_find_allowed(c, app, u->id, &out->factors)) ||
        (e = mail_code_send(c, app, session_id, u, &code)))
        return e;
    out->email = u->email;
    out->owed = OWES_CODE;
    out->expires_at = code.expires_at;
    out->sends_left = (int)code.sends;
    return OK;
}

enum err sign_again_freshen(struct ctx *c, const struct app *app,
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
    struct mail_code code;
    unsigned factors;
    bool right = false;
    enum err e = factor_find_allowed(c, app, c->actor->user_id, &factors);

    if (!e && (factors & POLICY_TOTP) &&
        !(e = mail_code_get(c, session_id, &code)) && code.tries > 0)
        e = factor_try_totp(c, t, c->actor->user_id, text, &right);
    if ((e && e != ERR_NOT_FOUND) || right)
        return e;
    return mail_code_try(c, app, session_id, text, answer);
}

enum err sign_again_code(struct ctx *c, const struct app *app, struct tenant *t,
                         int64_t session_id, const char *code,
                         struct sign_in *out)
{
    struct guard g = guard_of_session(THROTTLE_PROOF, c->actor->user_id);
    enum err answer = OK;
    enum err e = tx_begin(c, t, TX_WRITE);

    if (e)
        return e;
    if (!(e = guard_take(c, app, &g)))
        e = try_proof(c, app, t, session_id, code, &answer);
    if (!e && !answer && !(e = guard_return(c, app, &g)))
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
    if ((e = letter_send_warning(c, app, LETTER_PASSWORD, u, agent, "")))
        return e;
    return operation_log(c, &(struct operation){.action = "set_password",
                                                .kind = "user",
                                                .object_id = u->id,
                                                .object_name = u->name});
}

enum err sign_again_change_password(struct ctx *c, const struct app *app,
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
