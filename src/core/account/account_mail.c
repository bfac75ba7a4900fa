/* SPDX-License-Identifier: Apache-2.0 */
#include "core/account/account_mail.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/str.h"
#include "core/mail/outbox.h"
#include "core/tenant/tenant_settings.h"

#include <string.h>

static const char *foot(enum lang lang)
{
    return lang == LANG_JA
               ? "\n-- \n櫓（Yagura）から自動で送信しています。"
                 "このメールには返信できません。\n"
               : "\n-- \nSent automatically by Yagura. Replies are not read.\n";
}

static bool is_console(const struct ctx *c)
{
    return str_equal(c->actor->tenant, STORE_OPERATOR);
}

/* "Tenant: Kaku Trading"; not for the console, which is none. */
static enum err tenant_line(struct ctx *c, enum lang lang, const char **out)
{
    struct tenant_settings t;
    enum err e = tenant_settings_get(c, &t);

    if (e)
        return e;
    *out = arena_join(c->mem, lang == LANG_JA ? "テナント" : "Tenant", ": ",
                      t.name);
    return OK;
}

/* Where the account is; in the console that is a role, not a tenant. */
static enum err account_line(struct ctx *c, const struct user *u,
                             const char **out)
{
    bool ja = u->lang == LANG_JA;

    if (!is_console(c))
        return tenant_line(c, u->lang, out);
    if (u->is_admin)
        *out = ja ? "運用者の画面での役割: 運用者"
                  : "Role in the operator's console: Operator";
    else
        *out = ja ? "運用者の画面での役割: 監査者（閲覧のみ）"
                  : "Role in the operator's console: Auditor (reads only)";
    return OK;
}

static enum err code_place(struct ctx *c, enum lang lang, const char **out)
{
    if (!is_console(c))
        return tenant_line(c, lang, out);
    *out = lang == LANG_JA ? "運用者の画面" : "The operator's console";
    return OK;
}

static enum err send(struct ctx *c, const struct app *app, const char *address,
                     const char *subject, const char *text, int minutes)
{
    return outbox_add(c, app,
                      &(struct outbox_mail){.address = address,
                                            .subject = subject,
                                            .text = text,
                                            .expires_minutes = minutes});
}

enum err account_mail_send_code(struct ctx *c, const struct app *app,
                                const struct user_secret *u, const char *code,
                                int minutes)
{
    const char *when = clock_say(c->mem, c->now_us, u->lang == LANG_JA);
    const char *text, *subject, *place;
    enum err e = code_place(c, u->lang, &place);

    if (e)
        return e;
    if (u->lang == LANG_JA) {
        subject = "【櫓】サインイン用の確認コード";
        text = arena_printf(
            c->mem,
            "%s 様\n\nサインインの確認コードです。%d分以内に入力してください。"
            "\n\n    %s\n\n%s\n日時: %s（日本時間）\n接続元: %s\n\n"
            "お心当たりがない場合は、パスワードを知られているおそれが"
            "あります。\nコードを入力せず、管理者に連絡してください。\n%s",
            u->name, minutes, code, place, when, c->actor->ip, foot(u->lang));
    } else {
        subject = "[Yagura] Your sign-in code";
        text = arena_printf(
            c->mem,
            "Dear %s,\n\nThis is your sign-in code. Enter it within %d "
            "minutes.\n\n    %s\n\n%s\nTime: %s (Japan)\nFrom: %s\n\n"
            "If this was not you, somebody may know your password.\n"
            "Do not enter the code; tell your administrator.\n%s",
            u->name, minutes, code, place, when, c->actor->ip, foot(u->lang));
    }
    return send(c, app, u->email, subject, text, minutes);
}

enum err account_mail_send_link(struct ctx *c, const struct app *app,
                                const struct user *u, bool is_first,
                                const char *token)
{
    const char *base = c->actor->base_url;
    const char *text, *subject, *account;
    enum err e = account_line(c, u, &account);

    if (e)
        return e;

    if (u->lang == LANG_JA) {
        subject = is_first ? "【櫓】ご招待：パスワードを設定してください"
                           : "【櫓】パスワードの再設定";
        text = arena_printf(
            c->mem,
            "%s 様\n\n%s\n次のリンクを開き、パスワードを設定してください。"
            "\nリンクは24時間、1回だけ有効です。\n\n%s/link#%s\n\n"
            "%s\n%s",
            u->name,
            is_first ? "櫓にご招待します。"
                     : "パスワードの再設定を受け付けました。"
                       "お心当たりがなければ何もする必要はありません。",
            base, token, account, foot(u->lang));
    } else {
        subject = is_first ? "[Yagura] You are invited: set your password"
                           : "[Yagura] Reset your password";
        text = arena_printf(
            c->mem,
            "Dear %s,\n\n%s\nOpen this link and set your password. It works "
            "once, for 24 hours.\n\n%s/link#%s\n\n%s\n%s",
            u->name,
            is_first ? "You are invited to Yagura."
                     : "A new password was asked for. If that was not you, "
                       "there is nothing to do.",
            base, token, account, foot(u->lang));
    }
    return send(c, app, u->email, subject, text, 24 * 60);
}

static const struct {
    const char *subject_ja, *subject_en, *ja, *en;
} warnings[] = {
    [ACCOUNT_MAIL_PASSWORD] = {"【櫓】パスワードが変更されました",
                               "[Yagura] Your password was changed",
                               "パスワードが変更されました。",
                               "Your password was changed."},
    [ACCOUNT_MAIL_DEVICE] =
        {"【櫓】新しい端末からのサインイン",
         "[Yagura] Sign-in from a new device",
         "これまで使われていない端末からサインインがありました。",
         "Somebody signed in with your account from a device"
         " that was not used before."},
    [ACCOUNT_MAIL_ADDRESS] =
        {"【櫓】メールアドレスが変更されました",
         "[Yagura] Your e-mail address was changed",
         "アカウントのメールアドレスが変更されました。",
         "The e-mail address of your account was changed."},
    [ACCOUNT_MAIL_FACTOR_ADDED] =
        {"【櫓】サインインの方法が追加されました",
         "[Yagura] A way to sign in was added",
         "サインインの方法が追加されました。",
         "A way to sign in was added to your account."},
    [ACCOUNT_MAIL_FACTOR_REMOVED] = {"【櫓】サインインの方法が削除されました",
                                     "[Yagura] A way to sign in was removed",
                                     "サインインの方法が削除されました。",
                                     "A way to sign in was removed from your"
                                     " account."},
};

/* A mail is plain text: a browser's name must not add lines to it. */
static const char *printable(struct ctx *c, const char *agent)
{
    char *text = arena_strdup(c->mem, agent);

    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
            *p = '?';
    return arena_strndup(c->mem, text, strnlen(text, 200));
}

enum err account_mail_send_warning(struct ctx *c, const struct app *app,
                                   enum account_mail_warning warning,
                                   const struct user_secret *u,
                                   const char *agent, const char *what)
{
    bool ja = u->lang == LANG_JA;
    struct tenant_settings t;
    enum err e = tenant_settings_get(c, &t);

    if (e)
        return e;
    const char *when = clock_say(c->mem, c->now_us, ja);
    const char *news = ja ? warnings[warning].ja : warnings[warning].en;
    const char *browser = printable(c, agent);
    const char *text =
        ja ? arena_printf(
                 c->mem,
                 "%s 様\n\n%s\n\n%s%sテナント: %s\n日時: %s（日本時間）\n"
                 "接続元: %s\nブラウザー: %s\n\n"
                 "お心当たりがない場合は、ほかの人がアカウントを使っている"
                 "おそれがあります。\nすぐに管理者へ連絡し、パスワードを"
                 "変更してください。\n%s",
                 u->name, news, what, *what ? "\n" : "", t.name, when,
                 c->actor->ip, browser, foot(u->lang))
           : arena_printf(
                 c->mem,
                 "Dear %s,\n\n%s\n\n%s%sTenant: %s\nTime: %s (Japan)\n"
                 "From: %s\nBrowser: %s\n\nIf this was not you, somebody "
                 "else may be using your account.\nTell your administrator "
                 "at once and change your password.\n%s",
                 u->name, news, what, *what ? "\n" : "", t.name, when,
                 c->actor->ip, browser, foot(u->lang));
    return send(c, app, u->email,
                ja ? warnings[warning].subject_ja
                   : warnings[warning].subject_en,
                text, 0);
}

enum err account_mail_send_expiry(struct ctx *c, const struct app *app,
                                  const struct user_secret *u, int32_t day)
{
    bool ja = u->lang == LANG_JA;
    char date[11];
    struct tenant_settings t;
    enum err e = tenant_settings_get(c, &t);

    if (e)
        return e;
    civil_format(day, date);
    const char *text = arena_printf(
        c->mem,
        ja ? "%s 様\n\nパスワードの有効期限は %s です。\nそれまでにサインイン"
             "し、「マイアカウント」で新しいパスワードに変更してください。\n"
             "期限を過ぎると、次のサインインのときに変更を求められます。\n\n"
             "テナント: %s\n%s"
           : "Dear %s,\n\nYour password ends on %s.\nSign in before then and "
             "choose a new one under My account.\nAfterwards you are asked for "
             "a new one at the next sign-in.\n\nTenant: %s\n%s",
        u->name, date, t.name, foot(u->lang));
    return send(c, app, u->email,
                ja ? "【櫓】パスワードの有効期限が近づいています"
                   : "[Yagura] Your password ends soon",
                text, 0);
}
