/* SPDX-License-Identifier: Apache-2.0 */
/* Mails of the desk name a thread by its number, to the operators also its
 * category, and lead to it; what is said in it stays inside. */
#include "base/buf.h"
#include "core/core.h"
#include "core/desk/support_request.h"
#include "core/mail/outbox.h"
#include "db/query.h"

enum { MAIL_ASKER, MAIL_ADMINS };
static const char *const support_request_mail_text[] = {
    [MAIL_ASKER] = "SELECT email, name, lang FROM user WHERE id = ?1"
                   " AND state = 1 AND (?2 = 0 OR is_admin = 1)",
    [MAIL_ADMINS] =
        "SELECT email, name, lang FROM user WHERE is_admin = 1 AND state = 1",
};
const struct query_set support_request_mail_queries = {
    "enquiry_mail", support_request_mail_text,
    COUNT(support_request_mail_text)};

struct reader {
    const char *email, *name;
    bool is_ja;
};

static enum err read_readers(struct ctx *c, struct query *q,
                             const struct reader **out, size_t *count)
{
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct reader r = {.email = col_text(c, q, 0),
                           .name = col_text(c, q, 1),
                           .is_ja = col_int(q, 2) == LANG_JA};
        buf_put(&rows, &r, sizeof r);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

enum err support_request_mail_customer(struct ctx *c, const struct app *app,
                                       const struct support_request *it)
{
    struct query *q = query(c, support_request_mail_text[MAIL_ASKER]);
    const struct reader *list;
    size_t count;

    bind_int(q, 1, it->user_id);
    bind_int(q, 2, it->category > SUPPORT_REQUEST_EVENT);
    enum err e = read_readers(c, q, &list, &count);
    if (!e && count == 0)
        e = read_readers(c, query(c, support_request_mail_text[MAIL_ADMINS]),
                         &list, &count);
    for (size_t i = 0; !e && i < count; i++) {
        bool ja = list[i].is_ja;
        const char *text = arena_printf(
            c->mem,
            ja ? "%s 様\n\nお問い合わせ #%lld に運用者から回答がありました。\n"
                 "次のページでご確認ください。\n\n%s/enquiries/%lld\n\n-- \n"
                 "櫓（Yagura）から自動で送信しています。"
                 "このメールには返信できません。\n"
               : "Dear %s,\n\nThe operator has answered enquiry #%lld.\n"
                 "Please read it here:\n\n%s/enquiries/%lld\n\n-- \n"
                 "Sent automatically by Yagura. Replies are not read.\n",
            list[i].name, (long long)it->id, c->actor->base_url,
            (long long)it->id);
        e = outbox_add(c, app,
                       &(struct outbox_mail){
                           .address = list[i].email,
                           .subject = arena_printf(
                               c->mem,
                               ja ? "【櫓】お問い合わせ #%lld への回答"
                                  : "[Yagura] An answer to enquiry #%lld",
                               (long long)it->id),
                           .text = text});
    }
    return e;
}

static const char *const categories_ja[] = {
    "サポート",   "出来事の報告",     "知的財産権",
    "開示の相談", "監査報告書の依頼", "アクセスログの開示依頼"};
static const char *const categories_en[] = {
    "Support",    "Event report",         "Intellectual property",
    "Disclosure", "Audit report request", "Access-log request"};

enum err support_request_mail_desk(struct ctx *c, const struct app *app,
                                   const char *tenant,
                                   const struct support_request *it)
{
    const struct reader *list;
    size_t count;
    enum err e = read_readers(
        c, query(c, support_request_mail_text[MAIL_ADMINS]), &list, &count);

    for (size_t i = 0; !e && i < count; i++) {
        bool ja = list[i].is_ja;
        const char *category =
            ja ? categories_ja[it->category] : categories_en[it->category];
        const char *text = arena_printf(
            c->mem,
            ja ? "%s 様\n\nお問い合わせ %s #%lld が回答を待っています。\n"
                 "種別: %s\n\n"
                 "%s/desk/%s/%lld\n\n-- \n"
                 "櫓（Yagura）から自動で送信しています。\n"
               : "Dear %s,\n\nEnquiry %s #%lld waits for an answer.\n"
                 "Category: %s\n\n"
                 "%s/desk/%s/%lld\n\n-- \nSent automatically by Yagura.\n",
            list[i].name, tenant, (long long)it->id, category,
            c->actor->base_url, tenant, (long long)it->id);
        e = outbox_add(
            c, app,
            &(struct outbox_mail){
                .address = list[i].email,
                .subject = arena_printf(c->mem,
                                        ja ? "【櫓】お問い合わせ（%s） "
                                             "%s #%lld"
                                           : "[Yagura] Enquiry (%s) "
                                             "%s #%lld",
                                        category, tenant, (long long)it->id),
                .text = text});
    }
    return e;
}
