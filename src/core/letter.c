/* SPDX-License-Identifier: Apache-2.0 */
#include "core/letter.h"

#include "base/clock.h"
#include "core/outbox.h"

static const char *foot(enum lang lang)
{
    return lang == LANG_JA
               ? "\n-- \n櫓（Yagura）から自動で送信しています。"
                 "このメールには返信できません。\n"
               : "\n-- \nSent automatically by Yagura. Replies are not read.\n";
}

static enum err send(struct ctx *c, const struct app *app, const char *address,
                     const char *subject, const char *text, int minutes)
{
    return outbox_add(c, app,
                      &(struct letter){.address = address,
                                       .subject = subject,
                                       .text = text,
                                       .expires_minutes = minutes});
}

enum err letter_send_code(struct ctx *c, const struct app *app,
                          const struct user_secret *u, const char *code,
                          int minutes)
{
    const char *when = clock_format(c->mem, c->now_us);
    const char *text, *subject;

    if (u->lang == LANG_JA) {
        subject = "【櫓】サインイン用の確認コード";
        text = arena_printf(
            c->mem,
            "%s 様\n\nサインインの確認コードです。%d分以内に入力してください。"
            "\n\n    %s\n\nテナント: %s\n日時: %s\n接続元: %s\n\n"
            "お心当たりがない場合は、パスワードを知られているおそれが"
            "あります。\nコードを入力せず、管理者に連絡してください。\n%s",
            u->name, minutes, code, c->actor->tenant, when, c->actor->ip,
            foot(u->lang));
    } else {
        subject = "[Yagura] Your sign-in code";
        text = arena_printf(
            c->mem,
            "Dear %s,\n\nThis is your sign-in code. Enter it within %d "
            "minutes.\n\n    %s\n\nTenant: %s\nTime: %s\nFrom: %s\n\n"
            "If this was not you, somebody may know your password.\n"
            "Do not enter the code; tell your administrator.\n%s",
            u->name, minutes, code, c->actor->tenant, when, c->actor->ip,
            foot(u->lang));
    }
    return send(c, app, u->email, subject, text, minutes);
}

enum err letter_send_link(struct ctx *c, const struct app *app,
                          const struct user *u, bool is_first,
                          const char *token)
{
    const char *base = c->actor->base_url;
    const char *text, *subject;

    if (u->lang == LANG_JA) {
        subject = is_first ? "【櫓】ご招待：パスワードを設定してください"
                           : "【櫓】パスワードの再設定";
        text = arena_printf(
            c->mem,
            "%s 様\n\n%s\n次のリンクを開き、パスワードを設定してください。"
            "\nリンクは24時間、1回だけ有効です。\n\n%s/link#%s\n\n"
            "テナント: %s\n%s",
            u->name,
            is_first ? "櫓にご招待します。"
                     : "パスワードの再設定を受け付けました。"
                       "お心当たりがなければ何もする必要はありません。",
            base, token, c->actor->tenant, foot(u->lang));
    } else {
        subject = is_first ? "[Yagura] You are invited: set your password"
                           : "[Yagura] Reset your password";
        text = arena_printf(
            c->mem,
            "Dear %s,\n\n%s\nOpen this link and set your password. It works "
            "once, for 24 hours.\n\n%s/link#%s\n\nTenant: %s\n%s",
            u->name,
            is_first ? "You are invited to Yagura."
                     : "A new password was asked for. If that was not you, "
                       "there is nothing to do.",
            base, token, c->actor->tenant, foot(u->lang));
    }
    return send(c, app, u->email, subject, text, 24 * 60);
}

enum err letter_send_password_changed(struct ctx *c, const struct app *app,
                                      const char *email, const char *name,
                                      enum lang lang)
{
    const char *when = clock_format(c->mem, c->now_us);

    if (lang == LANG_JA)
        return send(c, app, email, "【櫓】パスワードが変更されました",
                    arena_printf(c->mem,
                                 "%s 様\n\nパスワードが変更されました。\n"
                                 "日時: %s\n接続元: %s\n\n"
                                 "お心当たりがない場合は、すぐに管理者へ"
                                 "連絡してください。\n%s",
                                 name, when, c->actor->ip, foot(lang)),
                    0);
    return send(c, app, email, "[Yagura] Your password was changed",
                arena_printf(c->mem,
                             "Dear %s,\n\nYour password was changed.\n"
                             "Time: %s\nFrom: %s\n\nIf this was not you, tell "
                             "your administrator at once.\n%s",
                             name, when, c->actor->ip, foot(lang)),
                0);
}
