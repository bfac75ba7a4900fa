/* SPDX-License-Identifier: Apache-2.0 */
#include "core/account/invite.h"

#include "base/clock.h"
#include "base/secret.h"
#include "core/account/account_mail.h"
#include "core/account/password.h"
#include "core/account/session.h"
#include "core/account/sign_in_throttle.h"
#include "core/account/user.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/mail/outbox.h"
#include "core/tenant/link_base.h"
#include "db/query.h"

#define US_PER_HOUR INT64_C(3600000000)

enum { WISHES_MAX = 1000 };
enum {
    LINK_DROP,
    LINK_TIDY,
    LINK_ADD,
    LINK_FIND,
    LINK_USE,
    LINK_OTHERS,
    WISH_ADD,
    WISH_COUNT,
    WISH_NEXT,
    WISH_DROP
};
static const char *const invite_text[] = {
    [LINK_DROP] = "DELETE FROM link WHERE user_id = ?1",
    [LINK_TIDY] = "DELETE FROM link WHERE user_id = ?1 AND (used_at IS NOT NULL"
                  " OR expires_at <= ?2)",
    [LINK_ADD] = "INSERT INTO link (token_hash, purpose, user_id, created_at,"
                 " expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    [LINK_FIND] =
        "SELECT l.id, l.user_id, l.purpose, u.name, u.email, u.lang FROM link"
        " l JOIN user u ON u.id = l.user_id WHERE l.token_hash = ?1 AND"
        " l.used_at IS NULL AND l.expires_at > ?2 AND u.state < 2",
    [LINK_USE] = "UPDATE link SET used_at = ?2 WHERE id = ?1 AND used_at IS"
                 " NULL",
    [LINK_OTHERS] = "DELETE FROM link WHERE user_id = ?1 AND id <> ?2",
    [WISH_ADD] = "INSERT INTO reset_wish (email, base_url, ip, request_id)"
                 " VALUES (?1, ?2, ?3, ?4)",
    [WISH_COUNT] = "SELECT count(*) FROM reset_wish",
    [WISH_NEXT] = "SELECT id, email, base_url, ip, request_id FROM reset_wish"
                  " ORDER BY id LIMIT 1",
    [WISH_DROP] = "DELETE FROM reset_wish WHERE id = ?1",
};
const struct query_set invite_queries = {"invite", invite_text,
                                         COUNT(invite_text)};

/* What others may ask for leaves the links already mailed alone. */
static enum err send_link(struct ctx *c, const struct app *app, int64_t user_id,
                          enum invite_purpose purpose, bool keeps_others)
{
    char token[SECRET_TOKEN_CHARS + 1];
    uint8_t hash[32];
    struct user u;
    enum err e = user_get(c, user_id, &u);

    if (e || (e = link_base_check(c, app)))
        return e;
    struct query *q =
        query(c, invite_text[keeps_others ? LINK_TIDY : LINK_DROP]);
    bind_int(q, 1, user_id);
    if (keeps_others)
        bind_int(q, 2, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    secret_make_token(token);
    secret_hash_token(token, hash);
    q = query(c, invite_text[LINK_ADD]);
    bind_blob(q, 1, hash, sizeof(hash));
    bind_int(q, 2, purpose);
    bind_int(q, 3, user_id);
    bind_int(q, 4, c->now_us);
    bind_int(q, 5, c->now_us + INVITE_HOURS * US_PER_HOUR);
    if ((e = query_run(c, q)))
        return e;
    return account_mail_send_link(c, app, &u, purpose == INVITE_FIRST, token);
}

enum err invite_send(struct ctx *c, const struct app *app, int64_t user_id,
                     enum invite_purpose purpose)
{
    return send_link(c, app, user_id, purpose, false);
}

enum err invite_drop(struct ctx *c, int64_t user_id)
{
    struct query *q = query(c, invite_text[LINK_DROP]);

    bind_int(q, 1, user_id);
    return query_run(c, q);
}

enum err invite_find(struct ctx *c, const struct app *app, const char *token,
                     struct invite *out)
{
    uint8_t hash[32];
    enum err e = sign_in_throttle_link_wait(c, app);

    if (e)
        return e;
    struct query *q = query(c, invite_text[LINK_FIND]);
    secret_hash_token(token, hash);
    bind_blob(q, 1, hash, sizeof(hash));
    bind_int(q, 2, c->now_us);
    e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        sign_in_throttle_link_wrong(c, app);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, ERR_NOT_FOUND, "token", "link",
                        "このリンクは使用済みか、期限（24時間）が切れています",
                        "This link has been used or is older than 24 hours");
    if (e)
        return e;
    *out = (struct invite){
        .id = col_int(q, 0),
        .user_id = col_int(q, 1),
        .purpose = col_int(q, 2) ? INVITE_RESET : INVITE_FIRST,
        .user_name = col_text(c, q, 3),
        .user_email = col_text(c, q, 4),
        .user_lang = col_int(q, 5) ? LANG_EN : LANG_JA,
    };
    query_done(q);
    return OK;
}

static enum err spend(struct ctx *c, const struct app *app, const char *token,
                      const char *hash, const char *agent)
{
    struct invite link;
    enum err e = invite_find(c, app, token, &link);

    if (e)
        return e;
    struct query *q = query(c, invite_text[LINK_USE]);
    bind_int(q, 1, link.id);
    bind_int(q, 2, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    q = query(c, invite_text[LINK_OTHERS]); /* the other links end with it */
    bind_int(q, 1, link.user_id);
    bind_int(q, 2, link.id);
    if ((e = query_run(c, q)))
        return e;
    if ((e = password_store(c, link.user_id, hash)) ||
        (e = session_end_all(c, link.user_id)) ||
        (e = sign_in_throttle_clear(c, link.user_id)))
        return e;
    const struct user_secret u = {.name = link.user_name,
                                  .email = link.user_email,
                                  .lang = link.user_lang};
    if (link.purpose == INVITE_RESET &&
        (e = account_mail_send_warning(c, app, ACCOUNT_MAIL_PASSWORD, &u, agent,
                                       "")))
        return e;
    return operation_log(c, &(struct operation){.action = "set_password",
                                                .kind = "user",
                                                .object_id = link.user_id,
                                                .object_name = link.user_name});
}

enum err invite_accept(struct ctx *c, const struct app *app, struct tenant *t,
                       const char *token, const char *password,
                       const char *agent, const char **device)
{
    struct invite link = {0};
    const char *hash;
    enum err e = tx_begin(c, t, TX_READ);

    if (e)
        return e;
    if ((e = tx_end(c, t, invite_find(c, app, token, &link))))
        return e;
    const struct user_secret u = {
        .id = link.user_id, .name = link.user_name, .email = link.user_email};
    if ((e = password_make(c, app, t, &u, password, &hash)))
        return e;
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    if ((e = tx_end(c, t, spend(c, app, token, hash, agent))))
        return e;
    /* Whoever opens the mail is the person: guesses of others slow nobody who
     * comes with this cookie. */
    *device = sign_in_throttle_make_mark(c, app, u.email);
    return OK;
}

/* The worker answers in the order of asking; who asks faster than it answers
 * must wait. */
static enum err check_queue(struct ctx *c)
{
    struct query *q = query(c, invite_text[WISH_COUNT]);
    enum err e = query_one(c, q);

    if (e)
        return e;
    bool is_full = col_int(q, 0) >= WISHES_MAX;
    query_done(q);
    return is_full ? sign_in_throttle_throttled(c, 60) : OK;
}

/* The same row whether anybody has the address or not, so that the time of
 * the reply says nothing. */
enum err invite_reset(struct ctx *c, const struct app *app, const char *email,
                      const char *device)
{
    bool is_dropped;
    enum err e =
        sign_in_throttle_take_reset(c, app, email, device, &is_dropped);

    if (e || is_dropped || (e = check_queue(c)))
        return e;
    struct query *q = query(c, invite_text[WISH_ADD]);
    bind_text(q, 1, email);
    bind_text(q, 2, c->actor->base_url);
    bind_text(q, 3, c->actor->ip);
    bind_text(q, 4, c->actor->request_id);
    if ((e = query_run(c, q)))
        return e;
    outbox_wake(c, app);
    return OK;
}

static enum err answer(struct ctx *c, const struct app *app, const char *email)
{
    struct user_secret u;
    enum err e = user_find_secret(c, email, &u);

    if (e == ERR_NOT_FOUND || (!e && u.state == USER_SUSPENDED))
        return OK;
    if (e)
        return e;
    return send_link(c, app, u.id,
                     u.state == USER_ACTIVE ? INVITE_RESET : INVITE_FIRST,
                     true);
}

static enum err answer_next(struct ctx *c, const struct app *app)
{
    struct query *q = query(c, invite_text[WISH_NEXT]);
    struct actor who = *c->actor;
    struct ctx asked = *c;
    enum err e = query_one(c, q);

    if (e)
        return e;
    int64_t id = col_int(q, 0);
    const char *email = col_text(c, q, 1);
    who.base_url = col_text(c, q, 2);
    who.ip = col_text(c, q, 3);
    who.request_id = col_text(c, q, 4);
    query_done(q);
    asked.actor = &who;
    q = query(c, invite_text[WISH_DROP]);
    bind_int(q, 1, id);
    e = query_run(c, q);
    return e ? e : answer(&asked, app, email);
}

/* ERR_NOT_FOUND: none; so that who has nothing to write does not queue. */
static enum err is_any(struct ctx *c)
{
    struct query *q = query(c, invite_text[WISH_NEXT]);
    enum err e = query_one(c, q);

    if (!e)
        query_done(q);
    return e;
}

enum err invite_answer_wish(struct ctx *c, const struct app *app,
                            struct tenant *t)
{
    enum err e = tx_begin(c, t, TX_READ);

    if (e || (e = tx_end(c, t, is_any(c))))
        return e;
    c->now_us = clock_now_us();
    e = tx_begin(c, t, TX_WRITE);
    return e ? e : tx_end(c, t, answer_next(c, app));
}
