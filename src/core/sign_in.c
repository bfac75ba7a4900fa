/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine: nobody -> half session (password), which owes a code and
 * perhaps a new password -> full session when nothing is owed any more.  Each
 * step makes a new token in the same transaction that ends the old one.  The
 * one hard idea is the order: throttle, then read, then argon2 with nothing
 * held, then write. */
#include "core/sign_in.h"

#include "base/crypto.h"
#include "base/log.h"
#include "base/str.h"
#include "core/core.h"
#include "core/guard.h"
#include "core/letter.h"
#include "core/limiter.h"
#include "core/operation.h"
#include "core/password.h"
#include "core/user.h"
#include "db/query.h"

#include <string.h>

#define US_PER_MINUTE INT64_C(60000000)

enum {
    CODE_PUT,
    CODE_GET,
    CODE_MISS,
    CODE_RESEND,
    CODE_DROP,
    HALF_GET,
    HALF_OWES,
    USER_REHASH
};
static const char *const sign_in_text[] = {
    [CODE_PUT] = "INSERT INTO code (session_id, mac, expires_at, tries, sends)"
                 " VALUES (?1, ?2, ?3, ?4, ?5)",
    [CODE_GET] = "SELECT mac, expires_at, tries, sends FROM code"
                 " WHERE session_id = ?1",
    [CODE_MISS] = "UPDATE code SET tries = tries - 1 WHERE session_id = ?1",
    [CODE_RESEND] = "UPDATE code SET mac = ?2, expires_at = ?3, tries = ?4,"
                    " sends = sends - 1 WHERE session_id = ?1",
    [CODE_DROP] = "DELETE FROM code WHERE session_id = ?1",
    [HALF_GET] =
        "SELECT owed, user_id FROM session WHERE id = ?1 AND level = 0",
    [HALF_OWES] = "UPDATE session SET owed = ?2 WHERE id = ?1",
    [USER_REHASH] = "UPDATE user SET password = ?2 WHERE id = ?1",
};
const struct query_set sign_in_queries = {"sign_in", sign_in_text,
                                          COUNT(sign_in_text)};

static void make_mac(struct ctx *c, const struct app *app, int64_t session_id,
                     const char *code, uint8_t mac[32])
{
    const char *text = arena_printf(c->mem, "%s\n%lld\n%s", c->actor->tenant,
                                    (long long)session_id, code);

    crypto_hmac(app->code_key, text, strlen(text), mac);
}

static enum err rehash(struct ctx *c, int64_t user_id, const char *hash)
{
    if (!hash)
        return OK;
    struct query *q = query(c, sign_in_text[USER_REHASH]);
    bind_int(q, 1, user_id);
    bind_text(q, 2, hash);
    return query_run(c, q);
}

static enum err put_code(struct ctx *c, const struct app *app, int64_t half_id,
                         const struct user_secret *u, struct sign_in *out)
{
    uint8_t mac[32];
    char code[9];

    secret_make_code(code);
    make_mac(c, app, half_id, code, mac);
    out->expires_at = c->now_us + SIGN_IN_CODE_MINUTES * US_PER_MINUTE;
    out->sends_left = SIGN_IN_CODE_SENDS;
    struct query *q = query(c, sign_in_text[CODE_PUT]);
    bind_int(q, 1, half_id);
    bind_blob(q, 2, mac, sizeof(mac));
    bind_int(q, 3, out->expires_at);
    bind_int(q, 4, SIGN_IN_CODE_TRIES);
    bind_int(q, 5, SIGN_IN_CODE_SENDS);
    enum err e = query_run(c, q);
    if (!e)
        e = letter_send_code(c, app, u, code, SIGN_IN_CODE_MINUTES);
    crypto_wipe(code, sizeof(code));
    return e;
}

static enum err set_owed(struct ctx *c, int64_t half_id, unsigned owed)
{
    struct query *q = query(c, sign_in_text[HALF_OWES]);

    bind_int(q, 1, half_id);
    bind_int(q, 2, owed);
    return query_run(c, q);
}

static enum err begin_half(struct ctx *c, const struct app *app,
                           const struct user_secret *u, unsigned owed,
                           const struct sign_in_from *from, struct sign_in *out)
{
    int64_t id;
    enum err e = OK;

    out->email = u->email;
    out->owed = owed;
    if (from->session_id && (e = session_delete(c, from->session_id)))
        return e;
    if ((e = session_create(c, u->id, SESSION_HALF, from->agent, out->token,
                            &id)) ||
        (e = set_owed(c, id, owed)))
        return e;
    return put_code(c, app, id, u, out);
}

/* A password that is too old, or that the policy of today would refuse. */
static bool is_outdated(struct ctx *c, const struct policy *policy,
                        const struct user_secret *u, const char *password)
{
    if (policy_is_expired(policy, u->password_at, c->now_us))
        return true;
    if (!password_check(c, policy, "", password, NULL))
        return false;
    c->fail = NULL; /* not said here, but where the new one is asked for */
    return true;
}

enum err sign_in_password(struct ctx *c, const struct app *app,
                          struct tenant *t, const char *email,
                          const char *password, const struct sign_in_from *from,
                          struct sign_in *out)
{
    struct guard g = guard_of(c, app, email, from->device);
    struct user_secret u = {0};
    struct policy policy;
    const char *new_hash;
    enum err e = guard_wait(c, app, &g);

    if (e)
        return e;
    if ((e = tx_begin(c, t, TX_READ)))
        return e;
    enum err found = user_find_secret(c, email, &u);
    e = policy_get(c, app, &policy);
    if ((e = tx_end(c, t, found == ERR_NOT_FOUND || found == OK ? e : found)))
        return e;
    if ((e = guard_check_password(c, app, &u, found == OK, password,
                                  &new_hash))) {
        if (e == ERR_AUTH)
            guard_failed(app, &g);
        return e;
    }
    unsigned owed = OWES_CODE;
    if (is_outdated(c, &policy, &u, password))
        owed |= OWES_PASSWORD;
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    e = rehash(c, u.id, new_hash);
    if (!e)
        e = begin_half(c, app, &u, owed, from, out);
    return tx_end(c, t, e);
}

/* ---- the steps of a half session ---- */

struct half {
    int64_t id;
    unsigned owed;
    struct user_secret user;
};

static enum err over(struct ctx *c)
{
    return ctx_fail(
        c, ERR_AUTH, "code", "code_expired",
        "確認コードは無効になりました。もう一度サインインしてください",
        "The code is no longer valid; sign in again");
}

static enum err get_half(struct ctx *c, int64_t id, struct half *out)
{
    struct query *q = query(c, sign_in_text[HALF_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? over(c) : e;
    out->id = id;
    out->owed = (unsigned)col_int(q, 0);
    int64_t user_id = col_int(q, 1);
    query_done(q);
    return user_get_secret(c, user_id, &out->user);
}

static enum err log_as(struct ctx *c, const struct user_secret *u,
                       const char *action, const char *kind)
{
    struct actor who = *c->actor;
    struct ctx as_user = *c;

    who.user_id = u->id;
    who.name = u->name;
    as_user.actor = &who;
    return operation_log(&as_user, &(struct operation){.action = action,
                                                       .kind = kind,
                                                       .object_id = u->id,
                                                       .object_name = u->name});
}

/* Nothing is owed any more: a full session takes the place of the half one.
 * The first sign-in of all is no news to anybody. */
static enum err step_up(struct ctx *c, const struct app *app,
                        const struct half *half,
                        const struct sign_in_from *from, struct sign_in *out)
{
    const struct user_secret *u = &half->user;
    bool is_known = str_equal(from->device, out->device);
    int64_t id;
    enum err e = session_delete(c, half->id);

    if (e)
        return e;
    out->expires_at = c->now_us + SESSION_HOURS * 60 * US_PER_MINUTE;
    if ((e = session_create(c, u->id, SESSION_FULL, from->agent, out->token,
                            &id)) ||
        (e = user_note_sign_in(c, u->id)))
        return e;
    if (!is_known && u->signed_in_at &&
        (e = letter_send_notice(c, app, NOTICE_DEVICE, u, from->agent, "")))
        return e;
    return log_as(c, u, "sign_in", "session");
}

/* This much of what was owed has been paid. */
static enum err advance(struct ctx *c, const struct app *app, struct half *half,
                        unsigned paid, const struct sign_in_from *from,
                        struct sign_in *out)
{
    half->owed &= ~paid;
    out->owed = half->owed;
    out->email = half->user.email;
    out->device = guard_device_mark(c, app, half->user.email);
    if (!half->owed)
        return step_up(c, app, half, from, out);
    enum err e = set_owed(c, half->id, half->owed);
    return e ? e : session_renew(c, half->id, out->token);
}

struct code {
    uint8_t mac[32];
    int64_t expires_at, tries, sends;
};

static enum err get_code(struct ctx *c, int64_t session_id, struct code *out)
{
    struct query *q = query(c, sign_in_text[CODE_GET]);
    size_t len;

    bind_int(q, 1, session_id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? over(c) : e;
    const void *mac = col_blob(c, q, 0, &len);
    must(len == sizeof(out->mac));
    memcpy(out->mac, mac, len);
    out->expires_at = col_int(q, 1);
    out->tries = col_int(q, 2);
    out->sends = col_int(q, 3);
    query_done(q);
    return OK;
}

static enum err wrong_code(struct ctx *c, int64_t tries_left)
{
    if (tries_left == 0)
        return over(c);
    enum err e = ctx_fail(c, ERR_AUTH, "code", "code",
                          "確認コードが違います。あと%d回入力できます",
                          "The code is wrong; %d tries left", (int)tries_left);
    ctx_fail_detail(c,
                    arena_printf(c->mem, "\"tries_left\":%d", (int)tries_left));
    return e;
}

/* With the code's row: what a code was right for is right once. */
static enum err run_on_half(struct ctx *c, const char *text, int64_t half_id)
{
    struct query *q = query(c, text);

    bind_int(q, 1, half_id);
    return query_run(c, q);
}

/* Inside the write transaction.  A miss is an answer, not a failure of the
 * transaction: *answer is what the caller hears after the commit. */
static enum err try_code(struct ctx *c, const struct app *app, int64_t half_id,
                         const char *text, const struct sign_in_from *from,
                         struct sign_in *out, enum err *answer)
{
    struct half half;
    struct code code;
    uint8_t mac[32];
    enum err e = get_half(c, half_id, &half);

    if (e || (e = get_code(c, half_id, &code)))
        return e;
    if (c->now_us >= code.expires_at || code.tries <= 0)
        return over(c);
    make_mac(c, app, half_id, text, mac);
    if (!crypto_equal(mac, code.mac, sizeof(mac))) {
        *answer = wrong_code(c, code.tries - 1);
        return run_on_half(c, sign_in_text[CODE_MISS], half_id);
    }
    e = run_on_half(c, sign_in_text[CODE_DROP], half_id);
    return e ? e : advance(c, app, &half, OWES_CODE, from, out);
}

static void count_passed(struct ctx *c, const struct app *app,
                         const struct sign_in *s)
{
    struct guard g = guard_of(c, app, s->email, s->device);

    if (!s->owed)
        guard_passed(app, &g);
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
    if ((e = tx_end(c, t, e)))
        return e;
    if (!answer) {
        count_passed(c, app, out);
    } else {
        struct guard g = guard_of(c, app, "", NULL);
        limiter_fail(app->limiter, LIMIT_ADDRESS, g.address);
    }
    return answer;
}

static enum err resend(struct ctx *c, const struct app *app, int64_t half_id,
                       struct sign_in *out)
{
    struct half half;
    struct code code;
    uint8_t mac[32];
    char text[9];
    enum err e = get_half(c, half_id, &half);

    if (e || (e = get_code(c, half_id, &code)))
        return e;
    if (code.sends <= 0)
        return ctx_fail(
            c, ERR_LIMIT, "", "sends",
            "再送の回数を超えました。もう一度サインインしてください",
            "No more codes can be sent; sign in again");
    secret_make_code(text);
    make_mac(c, app, half_id, text, mac);
    out->expires_at = c->now_us + SIGN_IN_CODE_MINUTES * US_PER_MINUTE;
    out->sends_left = (int)code.sends - 1;
    out->email = half.user.email;
    out->owed = half.owed;
    struct query *q = query(c, sign_in_text[CODE_RESEND]);
    bind_int(q, 1, half_id);
    bind_blob(q, 2, mac, sizeof(mac));
    bind_int(q, 3, out->expires_at);
    bind_int(q, 4, code.tries); /* a new code gives no new tries */
    if ((e = query_run(c, q)))
        return e;
    e = letter_send_code(c, app, &half.user, text, SIGN_IN_CODE_MINUTES);
    crypto_wipe(text, sizeof(text));
    return e;
}

enum err sign_in_resend(struct ctx *c, const struct app *app, struct tenant *t,
                        int64_t half_session_id, struct sign_in *out)
{
    enum err e = tx_begin(c, t, TX_WRITE);

    if (e)
        return e;
    return tx_end(c, t, resend(c, app, half_session_id, out));
}

enum err sign_in_get(struct ctx *c, int64_t half_session_id,
                     struct sign_in *out)
{
    struct half half;
    struct code code;
    enum err e = get_half(c, half_session_id, &half);

    if (e)
        return e;
    *out = (struct sign_in){.email = half.user.email, .owed = half.owed};
    if (!(half.owed & OWES_CODE))
        return OK;
    if ((e = get_code(c, half_session_id, &code)))
        return e;
    out->expires_at = code.expires_at;
    out->sends_left = (int)code.sends;
    return OK;
}

/* ---- a new password before anything else ---- */

static enum err may_set_password(struct ctx *c, const struct half *half)
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
    struct half half;
    enum err e = get_half(c, half_id, &half);

    if (e || (e = may_set_password(c, &half)))
        return e;
    if ((e = password_store(c, half.user.id, hash)) ||
        (e = letter_send_notice(c, app, NOTICE_PASSWORD, &half.user,
                                from->agent, "")) ||
        (e = log_as(c, &half.user, "set_password", "user")))
        return e;
    return advance(c, app, &half, OWES_PASSWORD, from, out);
}

enum err sign_in_new_password(struct ctx *c, const struct app *app,
                              struct tenant *t, int64_t half_session_id,
                              const char *password,
                              const struct sign_in_from *from,
                              struct sign_in *out)
{
    struct half half;
    const char *hash;
    enum err e = tx_begin(c, t, TX_READ);

    if (e)
        return e;
    if (!(e = get_half(c, half_session_id, &half)))
        e = may_set_password(c, &half);
    if ((e = tx_end(c, t, e)))
        return e;
    if ((e = password_make(c, app, t, &half.user, password, &hash)))
        return e;
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    e = store_new(c, app, half_session_id, hash, from, out);
    if (!(e = tx_end(c, t, e)))
        count_passed(c, app, out);
    return e;
}
