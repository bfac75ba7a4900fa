/* SPDX-License-Identifier: Apache-2.0 */
#include "core/contract/contract_mail.h"

#include "base/civil.h"
#include "base/json.h"
#include "base/log.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/mail/outbox.h"
#include "core/tenant/tenant_task.h"
#include "db/query.h"

enum { MAIL_ADMINS, MAIL_ALREADY };
static const char *const mail_text[] = {
    [MAIL_ADMINS] = "SELECT email, name, lang FROM user"
                    " WHERE is_admin = 1 AND state = 1 ORDER BY id",
    [MAIL_ALREADY] = "SELECT 1 FROM operation WHERE kind = 'contract'"
                     " AND object_id = ?1 AND action = ?2 LIMIT 1",
};
const struct query_set contract_mail_queries = {"contract_mail", mail_text,
                                                COUNT(mail_text)};

static const struct {
    const char *action, *subject_ja, *subject_en, *ja, *en;
} texts[CONTRACT_NEWS] = {
    [CONTRACT_SET_END] =
        {"tell_end", "契約の終了日が決まりました",
         "The end of your contract is set",
         "契約の終了日が決まりました。最終利用日までにデータを書き出してくださ"
         "い。",
         "The end of your contract is set. Please export your data by the last "
         "day of use."},
    [CONTRACT_SOON] =
        {"tell_soon", "契約の終了まで7日です", "Your contract ends in 7 days",
         "まもなく契約が終了します。まだ書き出していないデータがないか、確認し"
         "てください。",
         "Your contract ends soon. Please make sure that everything you need "
         "is exported."},
    [CONTRACT_CLOSED] =
        {"tell_closed", "契約が終了しました", "Your contract has ended",
         "契約が終了しました。マスター管理者は、削除日の前日までサインインして"
         "デ"
         "ータを書き出せます。それ以外の操作はできません。",
         "Your contract has ended. Until the day of deletion master "
         "administrators can sign in and export the data; nothing else works."},
    [CONTRACT_WITHDRAWN] =
        {"tell_withdrawn", "契約の終了は取り消されました",
         "The end of your contract is withdrawn",
         "契約の終了は取り消されました。このまま利用できます。",
         "The end of your contract is withdrawn. Everything goes on as "
         "before."},
};

struct telling {
    const struct app *app;
    enum contract_news news;
    const struct termination *t;
};

static const char *write_letter(struct ctx *c, const struct telling *it,
                                const char *name, bool ja)
{
    char end[11], gone[11];

    civil_format(it->t->end_on, end);
    civil_format(it->t->delete_on, gone);
    return arena_printf(
        c->mem,
        ja ? "%s 様\n\n%s\n\n最終利用日: %s\nデータの削除日: %s\n\n"
             "削除したデータは、だれにも戻せません。\n%s/ending\n\n-- \n"
             "櫓（Yagura）から自動で送信しています。"
             "このメールには返信できません。\n"
           : "Dear %s,\n\n%s\n\nLast day of use: %s\nDay of deletion: %s\n\n"
             "Nobody can bring back what was deleted.\n%s/ending\n\n-- \n"
             "Sent automatically by Yagura. Replies are not read.\n",
        name, ja ? texts[it->news].ja : texts[it->news].en, end, gone,
        c->actor->base_url);
}

static enum err mail_admins(struct ctx *c, const struct telling *it)
{
    struct query *q = query(c, mail_text[MAIL_ADMINS]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        bool ja = col_int(q, 2) == LANG_JA;
        struct outbox_mail letter = {
            .address = col_text(c, q, 0),
            .subject = arena_printf(c->mem, ja ? "【櫓】%s" : "[Yagura] %s",
                                    ja ? texts[it->news].subject_ja
                                       : texts[it->news].subject_en),
            .text = write_letter(c, it, col_text(c, q, 1), ja)};
        buf_put(&rows, &letter, sizeof letter);
    }
    const struct outbox_mail *list = (const void *)rows.data;
    for (size_t i = 0; !e && i < rows.len / sizeof *list; i++)
        e = outbox_add(c, it->app, &list[i]);
    return e;
}

/* The row of the log is how a second attempt knows of the first. */
static enum err tell(struct ctx *c, void *arg)
{
    const struct telling *it = arg;
    const char *action = texts[it->news].action;
    struct query *q = query(c, mail_text[MAIL_ALREADY]);

    bind_int(q, 1, it->t->asked_at);
    bind_text(q, 2, action);
    enum err e = query_one(c, q);
    query_done(q);
    if (e != ERR_NOT_FOUND)
        return e;
    if ((e = mail_admins(c, it)))
        return e;
    return operation_log(c, &(struct operation){.action = action,
                                                .kind = "contract",
                                                .object_id = it->t->asked_at,
                                                .object_name = ""});
}

bool contract_tell(struct ctx *c, const struct app *app, const char *tenant,
                   enum contract_news news, const struct termination *t)
{
    struct telling it = {app, news, t};
    const struct tenant_task d = {
        .app = app, .tenant = tenant, .name = "contract"};
    enum err e = tenant_task_run(c, &d, TX_WRITE, tell, &it);

    if (e) {
        log_error("contract: not told tenant=%s action=%s err=%s", tenant,
                  texts[news].action, err_name(e));
        c->fail = NULL;
    }
    return !e;
}

enum err contract_list_admins(struct ctx *c, const char **out)
{
    struct query *q = query(c, mail_text[MAIL_ADMINS]);
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};
    enum err e;

    json_open(&o, NULL, '[');
    while (query_next(c, q, &e)) {
        json_open(&o, NULL, '{');
        json_text(&o, "email", col_peek(q, 0));
        json_text(&o, "name", col_peek(q, 1));
        json_text(&o, "lang", col_int(q, 2) == LANG_JA ? "ja" : "en");
        json_close(&o, '}');
    }
    json_close(&o, ']');
    *out = b.data;
    return e;
}
