/* SPDX-License-Identifier: Apache-2.0 */
/* A customer asks for an audit report by an enquiry; the release is the answer
 * to it. */
#include "core/register/audit_request.h"

static enum err answer(struct ctx *c, const struct app *app,
                       const struct support_request_side *by, int64_t id,
                       const char *text, struct support_request *out)
{
    int64_t message;
    enum err e = support_request_say(c, by, id, text, out, &message);

    if (!e)
        e = support_request_mail_customer(c, app, out);
    if (e == ERR_CONFLICT) { /* the thread is full: closed without a word */
        c->fail = NULL;
        e = OK;
    }
    return e ? e : support_request_close(c, by, id, out->version, out);
}

enum err audit_request_close(struct ctx *c, const struct app *app,
                             const struct support_request_side *by,
                             const char *title, struct audit_requests *out)
{
    const char *text = arena_printf(
        c->mem,
        "監査報告書「%s」を開示しました。「方針と声明」のページからダウンロード"
        "できます。\n\nThe audit report \"%s\" was released to you. It can be "
        "downloaded from the page of policies.",
        title, title);
    const struct support_request *list;
    size_t count;
    enum err e =
        support_request_list_unclosed(c, SUPPORT_REQUEST_AUDIT, &list, &count);

    out->count = 0;
    for (size_t i = 0; i < count && i < AUDIT_REQUESTS_MAX && !e; i++)
        e = answer(c, app, by, list[i].id, text, &out->items[out->count++]);
    return e;
}
