/* SPDX-License-Identifier: Apache-2.0 */
#include "core/sign_again.h"

#include "core/core.h"
#include "core/guard.h"
#include "core/letter.h"
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
    struct guard g = guard_of_session(c, u->email);
    if ((e = guard_wait(c, app, &g)))
        return e;
    if ((e = guard_check_password(c, app, u, true, password, &new_hash)) ==
        ERR_AUTH) {
        guard_failed(app, &g);
        c->fail = NULL;
        return ctx_fail(c, ERR_INVALID, field, "password_wrong",
                        "現在のパスワードが違います",
                        "The current password is wrong");
    }
    return e;
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
    return tx_end(c, t, session_freshen(c, session_id, out->token));
}

static enum err store_changed(struct ctx *c, const struct app *app,
                              const struct user_secret *u, const char *hash,
                              const char *agent)
{
    enum err e = password_store(c, u->id, hash);

    if (e)
        return e;
    if ((e = letter_send_notice(c, app, NOTICE_PASSWORD, u, agent, "")))
        return e;
    return operation_log(c, &(struct operation){.action = "set_password",
                                                .kind = "user",
                                                .object_id = u->id,
                                                .object_name = u->name});
}

enum err sign_again_change_password(struct ctx *c, const struct app *app,
                                    struct tenant *t, const char *current,
                                    const char *password, const char *agent)
{
    struct user_secret u = {0};
    const char *hash;
    enum err e =
        verify_own(c, app, t, c->actor->session_id, "current", current, &u);

    if (e)
        return e;
    if ((e = password_make(c, app, t, &u, password, &hash)))
        return e;
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t, store_changed(c, app, &u, hash, agent));
}
