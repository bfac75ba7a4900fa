/* SPDX-License-Identifier: Apache-2.0 */
/* One row a person, two links.  A link is used up when its side has agreed;
 * whoever holds the other one may still stop it. */
#include "core/account/email_change.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/str.h"
#include "core/access/access.h"
#include "core/account/account_mail.h"
#include "core/account/invite.h"
#include "core/account/sign_in_throttle.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/mail/outbox.h"
#include "core/tenant/link_base.h"
#include "core/tenant/tenant_settings.h"

#define US_PER_HOUR INT64_C(3600000000)
#define CHANGE_COLS                                                            \
    "user_id, email, needs_old, old_at, new_at, created_at, expires_at"

enum {
    CHANGE_GET,
    CHANGE_FIND,
    TICKET_HISTORY_ADD,
    CHANGE_DROP,
    CHANGE_OLD,
    CHANGE_NEW
};
static const char *const ticket_history_text[] = {
    [CHANGE_GET] = "SELECT " CHANGE_COLS " FROM email_change"
                   " WHERE user_id = ?1 AND expires_at > ?2",
    [CHANGE_FIND] =
        "SELECT " CHANGE_COLS ", is_old, (SELECT name FROM user u"
        " WHERE u.id = user_id AND u.state < 2) FROM"
        " (SELECT *, 1 AS is_old FROM email_change WHERE old_hash = ?1"
        " UNION ALL SELECT *, 0 FROM email_change WHERE new_hash = ?1)"
        " WHERE expires_at > ?2",
    [TICKET_HISTORY_ADD] = "INSERT INTO email_change (user_id, email, old_hash,"
                           " new_hash, needs_old, created_at, expires_at)"
                           " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [CHANGE_DROP] = "DELETE FROM email_change WHERE user_id = ?1",
    [CHANGE_OLD] = "UPDATE email_change SET old_at = ?2 WHERE user_id = ?1",
    [CHANGE_NEW] = "UPDATE email_change SET new_at = ?2 WHERE user_id = ?1",
};
const struct query_set email_change_queries = {
    "email_change", ticket_history_text, COUNT(ticket_history_text)};

static const struct field email_fields[] = {
    {TEXT("email", 3, 254, REQUIRED, "メールアドレス", "E-mail")},
};
const struct form email_form = {"EmailChange", email_fields,
                                COUNT(email_fields)};

/* ---- mails ---- */

struct link_mail {
    const char *to, *subject, *news, *token;
};

static enum err send(struct ctx *c, const struct app *app, const struct user *u,
                     const struct link_mail *m)
{
    bool ja = u->lang == LANG_JA;
    struct tenant_settings t;
    enum err e = tenant_settings_get(c, &t);

    if (e)
        return e;
    const char *text = arena_printf(
        c->mem,
        ja ? "%s 様\n\n%s\nリンクは24時間、1回だけ有効です。\n\n%s/email#%s\n\n"
             "テナント: %s\n日時: %s（日本時間）\n接続元: %s\n\n-- \n"
             "櫓（Yagura）から自動で送信しています。このメールには返信"
             "できません。\n"
           : "Dear %s,\n\n%s\nThe link works once, for 24 hours.\n\n"
             "%s/email#%s\n\nTenant: %s\nTime: %s (Japan)\nFrom: %s\n\n-- \n"
             "Sent automatically by Yagura. Replies are not read.\n",
        u->name, m->news, c->actor->base_url, m->token, t.name,
        clock_say(c->mem, c->now_us, ja), c->actor->ip);
    return outbox_add(c, app,
                      &(struct outbox_mail){.address = m->to,
                                            .subject = m->subject,
                                            .text = text});
}

static enum err send_both(struct ctx *c, const struct app *app,
                          const struct user *u, const char *email,
                          bool needs_old, const char *old_token,
                          const char *new_token)
{
    bool ja = u->lang == LANG_JA;
    const char *old_news =
        needs_old
            ? arena_printf(c->mem,
                           ja ? "メールアドレスを %s へ変更する手続きが始まり"
                                "ました。\n次のリンクを開き、承認するか取り"
                                "消してください。\n承認するまで変更されません。"
                              : "Your e-mail address is about to become %s.\n"
                                "Open this link to allow or to stop it.\n"
                                "Nothing changes before you allow it.",
                           email)
            : arena_printf(c->mem,
                           ja ? "管理者が、メールアドレスを %s へ変更する手続き"
                                "を始めました。\nお心当たりがない場合は、次の"
                                "リンクで取り消せます。"
                              : "An administrator is changing your e-mail "
                                "address to %s.\nIf that is wrong, this link "
                                "stops it.",
                           email);
    enum err e = send(
        c, app, u,
        &(struct link_mail){.to = u->email,
                            .subject = ja ? "【櫓】メールアドレスの変更手続き"
                                          : "[Yagura] Your e-mail address is "
                                            "about to change",
                            .news = old_news,
                            .token = old_token});
    if (e)
        return e;
    return send(c, app, u,
                &(struct link_mail){
                    .to = email,
                    .subject = ja ? "【櫓】新しいメールアドレスの確認"
                                  : "[Yagura] Confirm your new e-mail "
                                    "address",
                    .news = ja ? "このアドレスを櫓のサインインに使うことを"
                                 "確認します。\n次のリンクを開き、確認して"
                                 "ください。"
                               : "This address is to be used for signing "
                                 "in to Yagura.\nOpen this link to confirm "
                                 "it.",
                    .token = new_token});
}

/* ---- asking ---- */

static enum err log_wish(struct ctx *c, const char *action,
                         const struct user *u, const char *email)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "email", email);
    json_close(&o, '}');
    return operation_log(c, &(struct operation){.action = action,
                                                .kind = "email_change",
                                                .object_id = u->id,
                                                .object_name = u->name,
                                                .after = b.data});
}

static enum err add(struct ctx *c, const struct user *u, const char *email,
                    bool needs_old, const char *old_token,
                    const char *new_token)
{
    uint8_t hash[32];
    enum err e = email_change_drop(c, u->id);

    if (e)
        return e;
    struct query *q = query(c, ticket_history_text[TICKET_HISTORY_ADD]);
    bind_int(q, 1, u->id);
    bind_text(q, 2, email);
    secret_hash_token(old_token, hash);
    bind_blob(q, 3, hash, sizeof(hash));
    secret_hash_token(new_token, hash);
    bind_blob(q, 4, hash, sizeof(hash));
    bind_int(q, 5, needs_old);
    bind_int(q, 6, c->now_us);
    bind_int(q, 7, c->now_us + EMAIL_CHANGE_HOURS * US_PER_HOUR);
    return query_run(c, q);
}

static enum err start(struct ctx *c, const struct app *app,
                      const struct user *u, const char *email, bool needs_old)
{
    char old_token[SECRET_TOKEN_CHARS + 1], new_token[SECRET_TOKEN_CHARS + 1];
    enum err e = link_base_check(c, app);

    if (e)
        return e;
    secret_make_token(old_token);
    secret_make_token(new_token);
    if ((e = add(c, u, email, needs_old, old_token, new_token)) ||
        (e = log_wish(c, "ask", u, email)))
        return e;
    return send_both(c, app, u, email, needs_old, old_token, new_token);
}

enum err email_change_ask(struct ctx *c, const struct app *app,
                          const char *email)
{
    struct user u;
    enum err e = user_get(c, c->actor->user_id, &u);

    if (e || (e = user_check_email(c, u.id, email)))
        return e;
    struct sign_in_throttle g =
        sign_in_throttle_of_session(THROTTLE_EMAIL, u.id);
    if ((e = sign_in_throttle_take(c, app, &g)))
        return e;
    return start(c, app, &u, email, true);
}

enum err email_change_ask_for(struct ctx *c, const struct app *app,
                              int64_t user_id, const char *email)
{
    struct user u;
    enum err e = user_get(c, user_id, &u);

    if (e || (e = access_need_over(c, user_id)) ||
        (e = user_check_email(c, user_id, email)))
        return e;
    if (u.state == USER_SUSPENDED)
        return ctx_fail(c, ERR_CONFLICT, "state", "suspended",
                        "停止中の人のアドレスは変更できません。先に再開して"
                        "ください",
                        "Resume this person first, then change the address");
    if (u.state == USER_ACTIVE)
        return start(c, app, &u, email, false);
    if ((e = user_set_email(c, user_id, email)))
        return e;
    return invite_send(c, app, user_id, INVITE_FIRST);
}

static void read_change(struct ctx *c, struct query *q,
                        struct email_change *out)
{
    *out = (struct email_change){
        .user_id = col_int(q, 0),
        .email = col_text(c, q, 1),
        .needs_old = col_int(q, 2) != 0,
        .old_done = !col_is_null(q, 3),
        .new_done = !col_is_null(q, 4),
        .created_at = col_int(q, 5),
        .expires_at = col_int(q, 6),
    };
}

enum err email_change_get(struct ctx *c, int64_t user_id,
                          struct email_change *out)
{
    struct query *q = query(c, ticket_history_text[CHANGE_GET]);

    bind_int(q, 1, user_id);
    bind_int(q, 2, c->now_us);
    enum err e = query_one(c, q);
    if (e)
        return e;
    read_change(c, q, out);
    query_done(q);
    return OK;
}

enum err email_change_drop(struct ctx *c, int64_t user_id)
{
    struct query *q = query(c, ticket_history_text[CHANGE_DROP]);

    bind_int(q, 1, user_id);
    return query_run(c, q);
}

/* ---- the links ---- */

static enum err no_link(struct ctx *c)
{
    return ctx_fail(c, ERR_NOT_FOUND, "token", "link",
                    "このリンクは使用済みか、期限（24時間）が切れています",
                    "This link has been used or is older than 24 hours");
}

enum err email_change_find(struct ctx *c, const struct app *app,
                           const char *token, struct email_change *out)
{
    uint8_t hash[32];
    enum err e = sign_in_throttle_link_wait(c, app);

    if (e)
        return e;
    struct query *q = query(c, ticket_history_text[CHANGE_FIND]);
    secret_hash_token(token, hash);
    bind_blob(q, 1, hash, sizeof(hash));
    bind_int(q, 2, c->now_us);
    e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        sign_in_throttle_link_wrong(c, app);
    if (e)
        return e == ERR_NOT_FOUND ? no_link(c) : e;
    read_change(c, q, out);
    out->is_old_side = col_int(q, 7) != 0;
    out->user_name = col_text(c, q, 8);
    query_done(q);
    if (!out->user_name || (out->is_old_side ? out->old_done : out->new_done))
        return no_link(c);
    return OK;
}

/* Links to set a password went to the old mailbox: they end with it. */
static enum err finish(struct ctx *c, const struct app *app,
                       const struct email_change *change, const char *agent)
{
    struct user_secret before;
    enum err e = user_get_secret(c, change->user_id, &before);

    if (e || (e = user_check_email(c, change->user_id, change->email)) ||
        (e = user_set_email(c, change->user_id, change->email)) ||
        (e = invite_drop(c, change->user_id)) ||
        (e = email_change_drop(c, change->user_id)))
        return e;
    return account_mail_send_warning(c, app, ACCOUNT_MAIL_ADDRESS, &before,
                                     agent, "");
}

enum err email_change_confirm(struct ctx *c, const struct app *app,
                              const char *token, const char *agent, bool *done)
{
    struct email_change change;
    enum err e = email_change_find(c, app, token, &change);

    if (e)
        return e;
    if (change.is_old_side)
        change.old_done = true;
    else
        change.new_done = true;
    *done = change.new_done && (change.old_done || !change.needs_old);
    if (*done)
        return finish(c, app, &change, agent);
    struct query *q = query(
        c, ticket_history_text[change.is_old_side ? CHANGE_OLD : CHANGE_NEW]);
    bind_int(q, 1, change.user_id);
    bind_int(q, 2, c->now_us);
    return query_run(c, q);
}

enum err email_change_cancel(struct ctx *c, const struct app *app,
                             const char *token)
{
    struct email_change change;
    struct user u;
    enum err e = email_change_find(c, app, token, &change);

    if (e || (e = user_get(c, change.user_id, &u)) ||
        (e = email_change_drop(c, change.user_id)))
        return e;
    return log_wish(c, "cancel", &u, change.email);
}
