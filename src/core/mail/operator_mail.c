/* SPDX-License-Identifier: Apache-2.0 */
#include "core/mail/operator_mail.h"

#include "core/core.h"
#include "core/mail/outbox.h"
#include "db/query.h"

static const char *const operator_mail_text[] = {
    "SELECT email, name, lang FROM user WHERE is_admin = 1 AND state = 1"
    " ORDER BY name, id",
};
const struct query_set operator_mail_queries = {
    "operator_mail", operator_mail_text, COUNT(operator_mail_text)};

static enum err send(struct ctx *c, const struct app *app,
                     const struct operator_news *news, struct query *q)
{
    bool ja = col_int(q, 2) == LANG_JA;
    const char *text = arena_printf(
        c->mem,
        ja ? "%s 様\n\n%s\n\n-- \n櫓（Yagura）から自動で送信しています。\n"
           : "Dear %s,\n\n%s\n\n-- \nSent automatically by Yagura.\n",
        col_peek(q, 1), ja ? news->ja : news->en);

    return outbox_add(
        c, app,
        &(struct outbox_mail){
            .address = col_text(c, q, 0),
            .subject = arena_printf(c->mem, ja ? "【櫓】%s" : "[Yagura] %s",
                                    ja ? news->subject_ja : news->subject_en),
            .text = text});
}

enum err operator_mail_all(struct ctx *c, const struct app *app,
                           const struct operator_news *news)
{
    struct query *q = query(c, operator_mail_text[0]);
    enum err e = OK, sent = ERR_NOT_FOUND;

    while ((!sent || sent == ERR_NOT_FOUND) && query_next(c, q, &e))
        sent = send(c, app, news, q);
    query_done(q);
    return e ? e : sent;
}

enum err operator_mail_first(struct ctx *c, const char **out)
{
    struct query *q = query(c, operator_mail_text[0]);
    enum err e = OK;

    if (query_next(c, q, &e))
        *out = col_text(c, q, 0);
    else if (!e)
        e = ERR_NOT_FOUND;
    query_done(q);
    return e;
}
