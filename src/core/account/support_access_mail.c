/* SPDX-License-Identifier: Apache-2.0 */
#include "core/account/support_access_mail.h"

#include "base/buf.h"
#include "base/clock.h"
#include "core/core.h"
#include "core/mail/outbox.h"
#include "db/query.h"

enum { MAIL_ADMINS };
static const char *const support_access_mail_text[] = {
    [MAIL_ADMINS] =
        "SELECT email, name, lang FROM user WHERE is_admin = 1 AND state = 1",
};
const struct query_set support_access_mail_queries = {
    "support_mail", support_access_mail_text, COUNT(support_access_mail_text)};

static const struct {
    const char *subject_ja, *subject_en, *ja, *en;
} news_texts[] = {
    [SUPPORT_ACCESS_MAIL_ASKED] =
        {"【櫓】サポートアクセスの依頼", "[Yagura] Support access is asked for",
         "運用者からサポートアクセスの依頼がありました。"
         "承認するまで、データは見られません。",
         "An operator asks for support access. Nothing can be seen until you "
         "grant it."},
    [SUPPORT_ACCESS_MAIL_GRANTED] =
        {"【櫓】サポートアクセスの承認", "[Yagura] Support access was granted",
         "サポートアクセスが承認されました。"
         "いつでも終了できます。",
         "Support access was granted. It can be ended at any time."},
    [SUPPORT_ACCESS_MAIL_REFUSED] = {"【櫓】サポートアクセスの却下",
                                     "[Yagura] Support access was refused",
                                     "サポートアクセスは承認されませんでした。",
                                     "Support access was refused."},
    [SUPPORT_ACCESS_MAIL_ENDED] = {"【櫓】サポートアクセスの終了",
                                   "[Yagura] Support access has ended",
                                   "サポートアクセスが終了しました。",
                                   "Support access has ended."},
};

struct reader {
    const char *email, *name;
    enum lang lang;
};

static enum err send(struct ctx *c, const struct app *app,
                     enum support_access_mail news,
                     const struct support_access *s, const struct reader *to,
                     const char *link)
{
    bool ja = to->lang == LANG_JA;
    const char *until =
        !s->expires_at
            ? "-"
            : arena_printf(c->mem, ja ? "%s（日本時間）" : "%s (Japan)",
                           clock_say(c->mem, s->expires_at, ja));
    const char *text = arena_printf(
        c->mem,
        ja ? "%s 様\n\n%s\n\nテナント: %s\n運用者: %s\n時間: %d時間（%s）\n"
             "期限: %s\n理由:\n%s\n\n%s\n\n-- \n櫓（Yagura）から自動で"
             "送信しています。このメールには返信できません。\n"
           : "Dear %s,\n\n%s\n\nTenant: %s\nOperator: %s\nHours: %d (%s)\n"
             "Until: %s\nReason:\n%s\n\n%s\n\n-- \nSent automatically by "
             "Yagura. Replies are not read.\n",
        to->name, ja ? news_texts[news].ja : news_texts[news].en,
        c->actor->tenant, s->operator_name, s->hours,
        s->may_write ? (ja ? "閲覧と変更" : "read and change")
                     : (ja ? "閲覧のみ" : "read only"),
        until, s->reason, link);

    return outbox_add(
        c, app,
        &(struct outbox_mail){.address = to->email,
                              .subject = ja ? news_texts[news].subject_ja
                                            : news_texts[news].subject_en,
                              .text = text});
}

enum err support_access_mail_admins(struct ctx *c, const struct app *app,
                                    enum support_access_mail news,
                                    const struct support_access *s)
{
    struct buf rows = buf_in(c->mem);
    struct query *q = query(c, support_access_mail_text[MAIL_ADMINS]);
    const char *link = arena_printf(c->mem, "%s/support", c->actor->base_url);
    enum err e;

    while (query_next(c, q, &e)) {
        struct reader r = {.email = col_text(c, q, 0),
                           .name = col_text(c, q, 1),
                           .lang = col_int(q, 2) ? LANG_EN : LANG_JA};
        buf_put(&rows, &r, sizeof r);
    }
    const struct reader *list = (const void *)rows.data;
    for (size_t i = 0; !e && i < rows.len / sizeof *list; i++)
        e = send(c, app, news, s, &list[i], link);
    return e;
}

enum err support_access_mail_operator(struct ctx *c, const struct app *app,
                                      enum support_access_mail news,
                                      const struct support_access *s)
{
    const struct reader to = {.email = s->operator_email,
                              .name = s->operator_name,
                              .lang = c->actor->lang};

    return send(c, app, news, s, &to, "");
}
