/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine: nobody -> half session (password) -> full session (code)
 * -> locked (idle) -> full again (password).  Each step up makes a new token
 * in the same transaction that ends the old one.  The one hard idea is the
 * order: throttle, then read, then argon2 with nothing held, then write. */
#include "core/sign_in.h"

#include "base/crypto.h"
#include "base/log.h"
#include "base/str.h"
#include "core/core.h"
#include "core/letter.h"
#include "core/limiter.h"
#include "core/operation.h"
#include "core/password.h"
#include "core/user.h"
#include "db/query.h"

#include <ctype.h>
#include <string.h>

#define US_PER_MINUTE INT64_C(60000000)

enum { CODE_PUT, CODE_GET, CODE_MISS, CODE_RESEND, USER_OF, USER_REHASH };
static const char *const sign_in_text[] = {
    [CODE_PUT] = "INSERT INTO code (session_id, mac, expires_at, tries, sends)"
                 " VALUES (?1, ?2, ?3, ?4, ?5)",
    [CODE_GET] = "SELECT c.mac, c.expires_at, c.tries, c.sends, s.user_id,"
                 " u.name, u.email, u.lang FROM code c"
                 " JOIN session s ON s.id = c.session_id"
                 " JOIN user u ON u.id = s.user_id WHERE c.session_id = ?1",
    [CODE_MISS] = "UPDATE code SET tries = tries - 1 WHERE session_id = ?1",
    [CODE_RESEND] = "UPDATE code SET mac = ?2, expires_at = ?3, tries = ?4,"
                    " sends = sends - 1 WHERE session_id = ?1",
    [USER_OF] = "SELECT u.id, u.name, u.email, u.password, u.lang, u.state"
                " FROM session s JOIN user u ON u.id = s.user_id"
                " WHERE s.id = ?1",
    [USER_REHASH] = "UPDATE user SET password = ?2 WHERE id = ?1",
};
const struct query_set sign_in_queries = {"sign_in", sign_in_text,
                                          COUNT(sign_in_text)};

/* ---- throttling ---- */

struct buckets {
    const char *account, *address, *device; /* device NULL: a stranger */
};

/* IPv4 whole, IPv6 by its first 64 bits as text. */
static const char *address_bucket(struct ctx *c)
{
    const char *ip = c->actor->ip, *p = ip;

    for (int colons = 0; *p; p++)
        if (*p == ':' && ++colons == 4)
            return arena_strndup(c->mem, ip, (size_t)(p - ip));
    return ip;
}

/* The mark of a known device: HMAC over tenant and address, so it is worth
 * nothing for another account. */
static const char *device_mark(struct ctx *c, const struct app *app,
                               const char *email)
{
    uint8_t key[32], mac[32];
    char *text = arena_printf(c->mem, "%s\n%s", c->actor->tenant, email);

    for (char *p = text; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    crypto_derive(app->code_key, "known device", key);
    crypto_hmac(key, text, strlen(text), mac);
    return str_to_base64url(c->mem, mac, sizeof(mac));
}

static struct buckets buckets_of(struct ctx *c, const struct app *app,
                                 const char *email, const char *device)
{
    struct buckets b = {
        .account = arena_printf(c->mem, "%s\n%s", c->actor->tenant,
                                str_fold(c->mem, email)),
        .address = address_bucket(c),
    };
    const char *mark = device_mark(c, app, email);

    if (device && strlen(device) == strlen(mark) &&
        crypto_equal(device, mark, strlen(mark)))
        b.device = arena_printf(c->mem, "%s\n%s", b.account, mark);
    return b;
}

static enum err throttle(struct ctx *c, const struct app *app,
                         const struct buckets *b)
{
    int wait = b->device
                   ? limiter_wait_s(app->limiter, LIMIT_DEVICE, b->device)
                   : limiter_wait_s(app->limiter, LIMIT_ACCOUNT, b->account);
    int other =
        b->device ? 0 : limiter_wait_s(app->limiter, LIMIT_ADDRESS, b->address);

    if (other > wait)
        wait = other;
    if (wait == 0)
        return OK;
    enum err e =
        ctx_fail(c, ERR_LIMIT, "", "throttled",
                 "試行回数が多すぎます。%d秒後にもう一度お試しください",
                 "Too many tries. Try again in %d seconds", wait);
    ctx_fail_detail(c, arena_printf(c->mem, "\"retry_after\":%d", wait));
    return e;
}

static void count_failure(const struct app *app, const struct buckets *b)
{
    if (b->device) {
        limiter_fail(app->limiter, LIMIT_DEVICE, b->device);
        return;
    }
    limiter_fail(app->limiter, LIMIT_ACCOUNT, b->account);
    limiter_fail(app->limiter, LIMIT_ADDRESS, b->address);
}

static void count_success(const struct app *app, const struct buckets *b)
{
    limiter_forget(app->limiter, LIMIT_ACCOUNT, b->account);
    if (b->device)
        limiter_forget(app->limiter, LIMIT_DEVICE, b->device);
}

/* ---- password ---- */

static enum err refuse(struct ctx *c)
{
    return ctx_fail(c, ERR_AUTH, "", "credentials",
                    "メールアドレスまたはパスワードが正しくありません",
                    "The e-mail address or the password is wrong");
}

/* Verifies against the user's hash, or a dummy of the same cost. */
static enum err verify(struct ctx *c, const struct app *app,
                       const struct user_secret *u, bool is_known,
                       const char *password, const char **new_hash)
{
    bool right = false, old = false;
    bool usable = is_known && u->state == USER_ACTIVE && u->password;
    enum err e = secret_verify(app->pepper, password,
                               usable ? u->password : NULL, &right, &old);

    *new_hash = NULL;
    if (e == ERR_BUSY)
        return ctx_fail(c, ERR_BUSY, "", "busy",
                        "混み合っています。少し待ってからお試しください",
                        "The server is busy; try again in a moment");
    if (e)
        return e;
    if (!usable || !right)
        return refuse(c);
    return old ? secret_hash(c->mem, app->pepper, password, new_hash) : OK;
}

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

static enum err begin_half(struct ctx *c, const struct app *app,
                           const struct user_secret *u,
                           const struct sign_in_from *from, struct sign_in *out)
{
    int64_t id;
    uint8_t mac[32];
    char code[9];
    enum err e = OK;

    if (from->session_id && (e = session_delete(c, from->session_id)))
        return e;
    if ((e = session_create(c, u->id, SESSION_HALF, from->agent, out->token,
                            &id)))
        return e;
    secret_make_code(code);
    make_mac(c, app, id, code, mac);
    out->expires_at = c->now_us + SIGN_IN_CODE_MINUTES * US_PER_MINUTE;
    out->sends_left = SIGN_IN_CODE_SENDS;
    out->email = u->email;
    struct query *q = query(c, sign_in_text[CODE_PUT]);
    bind_int(q, 1, id);
    bind_blob(q, 2, mac, sizeof(mac));
    bind_int(q, 3, out->expires_at);
    bind_int(q, 4, SIGN_IN_CODE_TRIES);
    bind_int(q, 5, SIGN_IN_CODE_SENDS);
    if ((e = query_run(c, q)))
        return e;
    e = letter_send_code(c, app, u, code, SIGN_IN_CODE_MINUTES);
    crypto_wipe(code, sizeof(code));
    return e;
}

enum err sign_in_password(struct ctx *c, const struct app *app,
                          struct tenant *t, const char *email,
                          const char *password, const struct sign_in_from *from,
                          struct sign_in *out)
{
    struct buckets b = buckets_of(c, app, email, from->device);
    struct user_secret u = {0};
    const char *new_hash;
    enum err e = throttle(c, app, &b);

    if (e)
        return e;
    if ((e = tx_begin(c, t, TX_READ)))
        return e;
    enum err found = user_find_secret(c, email, &u);
    if ((e = tx_end(c, t, found == ERR_NOT_FOUND ? OK : found)))
        return e;
    if ((e = verify(c, app, &u, found == OK, password, &new_hash))) {
        if (e == ERR_AUTH)
            count_failure(app, &b);
        return e;
    }
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    e = rehash(c, u.id, new_hash);
    if (!e)
        e = begin_half(c, app, &u, from, out);
    return tx_end(c, t, e);
}

/* ---- code ---- */

struct code {
    uint8_t mac[32];
    int64_t expires_at, tries, sends;
    struct user_secret user;
};

static enum err code_over(struct ctx *c)
{
    return ctx_fail(
        c, ERR_AUTH, "code", "code_expired",
        "確認コードは無効になりました。もう一度サインインしてください",
        "The code is no longer valid; sign in again");
}

static enum err get_code(struct ctx *c, int64_t session_id, struct code *out)
{
    struct query *q = query(c, sign_in_text[CODE_GET]);
    size_t len;

    bind_int(q, 1, session_id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? code_over(c) : e;
    const void *mac = col_blob(c, q, 0, &len);
    must(len == sizeof(out->mac));
    memcpy(out->mac, mac, len);
    out->expires_at = col_int(q, 1);
    out->tries = col_int(q, 2);
    out->sends = col_int(q, 3);
    out->user = (struct user_secret){
        .id = col_int(q, 4),
        .name = col_text(c, q, 5),
        .email = col_text(c, q, 6),
        .lang = col_int(q, 7) ? LANG_EN : LANG_JA,
        .state = USER_ACTIVE,
    };
    query_done(q);
    return OK;
}

static enum err wrong_code(struct ctx *c, int64_t tries_left)
{
    if (tries_left == 0)
        return code_over(c);
    enum err e = ctx_fail(c, ERR_AUTH, "code", "code",
                          "確認コードが違います。あと%d回入力できます",
                          "The code is wrong; %d tries left", (int)tries_left);
    ctx_fail_detail(c,
                    arena_printf(c->mem, "\"tries_left\":%d", (int)tries_left));
    return e;
}

static enum err step_up(struct ctx *c, int64_t half_id,
                        const struct user_secret *u,
                        const struct sign_in_from *from, struct sign_in *out)
{
    int64_t id;
    enum err e = session_delete(c, half_id);

    if (e)
        return e;
    if ((e = session_create(c, u->id, SESSION_FULL, from->agent, out->token,
                            &id)))
        return e;
    if ((e = user_note_sign_in(c, u->id)))
        return e;
    struct actor who = *c->actor;
    who.user_id = u->id;
    who.name = u->name;
    struct ctx as_user = *c;
    as_user.actor = &who;
    return operation_log(&as_user, &(struct operation){.action = "sign_in",
                                                       .kind = "session",
                                                       .object_id = u->id,
                                                       .object_name = u->name});
}

/* Inside the write transaction.  A miss is an answer, not a failure of the
 * transaction: *answer is what the caller hears after the commit. */
static enum err try_code(struct ctx *c, const struct app *app, int64_t half_id,
                         const char *text, const struct sign_in_from *from,
                         struct sign_in *out, enum err *answer)
{
    struct code code;
    uint8_t mac[32];
    enum err e = get_code(c, half_id, &code);

    if (e)
        return e;
    if (c->now_us >= code.expires_at || code.tries <= 0)
        return code_over(c);
    make_mac(c, app, half_id, text, mac);
    if (!crypto_equal(mac, code.mac, sizeof(mac))) {
        *answer = wrong_code(c, code.tries - 1);
        struct query *q = query(c, sign_in_text[CODE_MISS]);
        bind_int(q, 1, half_id);
        return query_run(c, q);
    }
    out->email = code.user.email;
    out->expires_at = c->now_us + SESSION_HOURS * 60 * US_PER_MINUTE;
    out->device = device_mark(c, app, code.user.email);
    return step_up(c, half_id, &code.user, from, out);
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
        struct buckets b = buckets_of(c, app, out->email, out->device);
        count_success(app, &b);
    } else {
        limiter_fail(app->limiter, LIMIT_ADDRESS, address_bucket(c));
    }
    return answer;
}

static enum err resend(struct ctx *c, const struct app *app, int64_t half_id,
                       struct sign_in *out)
{
    struct code code;
    uint8_t mac[32];
    char text[9];
    enum err e = get_code(c, half_id, &code);

    if (e)
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
    out->email = code.user.email;
    struct query *q = query(c, sign_in_text[CODE_RESEND]);
    bind_int(q, 1, half_id);
    bind_blob(q, 2, mac, sizeof(mac));
    bind_int(q, 3, out->expires_at);
    bind_int(q, 4, code.tries); /* a new code gives no new tries */
    if ((e = query_run(c, q)))
        return e;
    e = letter_send_code(c, app, &code.user, text, SIGN_IN_CODE_MINUTES);
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

/* ---- with a session: unlock, change password ---- */

static enum err user_of_session(struct ctx *c, struct tenant *t,
                                int64_t session_id, struct user_secret *u)
{
    enum err e = tx_begin(c, t, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, sign_in_text[USER_OF]);
    bind_int(q, 1, session_id);
    e = query_one(c, q);
    if (!e) {
        *u = (struct user_secret){
            .id = col_int(q, 0),
            .name = col_text(c, q, 1),
            .email = col_text(c, q, 2),
            .password = col_text(c, q, 3),
            .lang = col_int(q, 4) ? LANG_EN : LANG_JA,
            .state = (enum user_state)col_int(q, 5),
        };
        query_done(q);
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
    struct buckets b = buckets_of(c, app, u->email, NULL);
    b.device = arena_printf(c->mem, "%s\nsession", b.account);
    if ((e = throttle(c, app, &b)))
        return e;
    if ((e = verify(c, app, u, true, password, &new_hash)) == ERR_AUTH) {
        count_failure(app, &b);
        c->fail = NULL;
        return ctx_fail(c, ERR_INVALID, field, "password_wrong",
                        "現在のパスワードが違います",
                        "The current password is wrong");
    }
    return e;
}

enum err sign_in_unlock(struct ctx *c, const struct app *app, struct tenant *t,
                        int64_t session_id, const char *password,
                        struct sign_in *out)
{
    struct user_secret u = {0};
    enum err e = verify_own(c, app, t, session_id, "password", password, &u);

    if (e)
        return e;
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t, session_renew(c, session_id, out->token));
}

enum err sign_in_freshen(struct ctx *c, const struct app *app, struct tenant *t,
                         int64_t session_id, const char *password,
                         struct sign_in *out)
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
                              const struct user_secret *u, const char *hash)
{
    enum err e = password_store(c, u->id, hash);

    if (e)
        return e;
    if ((e = letter_send_password_changed(c, app, u->email, u->name, u->lang)))
        return e;
    return operation_log(c, &(struct operation){.action = "set_password",
                                                .kind = "user",
                                                .object_id = u->id,
                                                .object_name = u->name});
}

enum err sign_in_change_password(struct ctx *c, const struct app *app,
                                 struct tenant *t, const char *current,
                                 const char *password)
{
    struct user_secret u = {0};
    const char **old = NULL, *hash;
    size_t count = 0;
    enum err e =
        verify_own(c, app, t, c->actor->session_id, "current", current, &u);

    if (e)
        return e;
    const char *context[] = {u.email, u.name, NULL};
    if ((e = password_check(c, "password", password, context)))
        return e;
    if ((e = tx_begin(c, t, TX_READ)))
        return e;
    if ((e = tx_end(c, t, password_list_history(c, u.id, &old, &count))))
        return e;
    if ((e = password_refuse_old(c, app, "password", password, old, count)))
        return e;
    if ((e = secret_hash(c->mem, app->pepper, password, &hash)))
        return e;
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t, store_changed(c, app, &u, hash));
}
