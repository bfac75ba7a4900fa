/* SPDX-License-Identifier: Apache-2.0 */
/* Two files no transaction spans: the tenant's keeps which notice's mails were
 * written, in the transaction that writes them; control.db hears of it
 * afterwards, and asks again if it did not. */
#include "core/notice/notice_mail.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/mail/outbox.h"
#include "core/notice/incident.h"
#include "core/notice/notice.h"
#include "core/tenant/tenant_directory.h"
#include "core/tenant/tenant_status.h"
#include "core/tenant/tenant_task.h"
#include "db/query.h"

enum { TENANTS_AT_ONCE = 200, EXPIRES_MINUTES = 3 * 24 * 60 };

enum { OWED_NEXT, OWED_DONE, WAITING_NEXT, WAITING_SET };
static const char *const owed_text[] = {
    [OWED_NEXT] = "SELECT notice_id, customer_id FROM notice_tenant"
                  " WHERE is_owed = 1 AND (notice_id, customer_id) > (?1, ?2)"
                  " ORDER BY notice_id, customer_id LIMIT ?3",
    [OWED_DONE] =
        "UPDATE notice_tenant SET is_owed = 0, mails = ?4, skipped = ?5,"
        " told_at = CASE WHEN ?5 = 0 THEN ?6 ELSE told_at END, waiting = ?7,"
        " failed = ?8"
        " WHERE notice_id = ?1 AND customer_id = ?2 AND EXISTS (SELECT 1"
        " FROM notice WHERE id = ?1 AND mail_revision = ?3)",
    [WAITING_NEXT] =
        "SELECT notice_id, customer_id FROM notice_tenant"
        " INDEXED BY notice_waiting WHERE waiting > 0 AND (notice_id,"
        " customer_id) > (?1, ?2) ORDER BY notice_id, customer_id LIMIT ?3",
    [WAITING_SET] = "UPDATE notice_tenant SET waiting = ?3, failed = ?4"
                    " WHERE notice_id = ?1 AND customer_id = ?2"
                    " AND (waiting <> ?3 OR failed <> ?4)",
};
const struct query_set notice_owed_queries = {"notice_owed", owed_text,
                                              COUNT(owed_text)};

enum { MAIL_SUM, MAIL_LEFT, MAIL_IS_WRITTEN, MAIL_READERS, MAIL_ADD };
static const char *const mail_text[] = {
    [MAIL_SUM] =
        "SELECT coalesce(sum(mails), 0) FROM notice_mail WHERE notice_id = ?1",
    /* what the relay has taken is no row any more */
    [MAIL_LEFT] = "SELECT coalesce(sum(state = 0), 0), coalesce(sum(state = 1),"
                  " 0) FROM mail INDEXED BY mail_notice WHERE notice_id = ?1",
    [MAIL_IS_WRITTEN] =
        "SELECT 1 FROM notice_mail WHERE notice_id = ?1 AND revision = ?2",
    /* an incident is told to who is invited too: nobody else may be there */
    [MAIL_READERS] = "SELECT email, name, lang FROM user u WHERE (state = 1"
                     " OR (?2 AND state = 0)) AND (?1 OR is_admin = 1)"
                     " ORDER BY id",
    [MAIL_ADD] = "INSERT INTO notice_mail (notice_id, revision, mails, at)"
                 " VALUES (?1, ?2, ?3, ?4)",
};
const struct query_set notice_mail_queries = {"notice_mail", mail_text,
                                              COUNT(mail_text)};

/* ---- one mail ---- */

struct reader {
    const char *address, *name;
    bool is_ja;
};

static const char *const kinds_ja[] = {"変更", "メンテナンス", "ぜい弱性",
                                       "インシデント", "復旧"};
static const char *const kinds_en[] = {"Change", "Maintenance", "Vulnerability",
                                       "Incident", "Recovery"};

/* What is new about it; "" of one just published. */
static const char *news_of(const struct notice *n, bool ja)
{
    if (n->state == NOTICE_WITHDRAWN)
        return ja ? "取り消し: " : "Withdrawn: ";
    if (n->corrected_at)
        return ja ? "訂正: " : "Corrected: ";
    return "";
}

/* In the words of the screens (www/src/lib/words: notice_emergency_KIND). */
static const char *kind_of(const struct notice *n, bool ja)
{
    bool is_change = n->kind == NOTICE_CHANGE;

    if (!n->is_emergency)
        return ja ? kinds_ja[n->kind] : kinds_en[n->kind];
    if (ja)
        return is_change ? "緊急変更" : "緊急メンテナンス";
    return is_change ? "Emergency change" : "Emergency maintenance";
}

static void put_period(struct ctx *c, struct buf *b, const struct notice *n,
                       bool ja)
{
    if (n->starts_at && n->ends_at)
        buf_printf(b,
                   ja ? "期間: %s ～ %s（日本時間）\n"
                      : "Period: %s to %s (Japan time)\n",
                   clock_say(c->mem, n->starts_at, ja),
                   clock_say(c->mem, n->ends_at, ja));
    else if (n->starts_at)
        buf_printf(b,
                   ja ? "開始: %s（日本時間）\n" : "Begins: %s (Japan time)\n",
                   clock_say(c->mem, n->starts_at, ja));
    else if (n->ends_at)
        buf_printf(b, ja ? "終了: %s（日本時間）\n" : "Ends: %s (Japan time)\n",
                   clock_say(c->mem, n->ends_at, ja));
}

static void put_facts(struct ctx *c, struct buf *b, const struct notice *n,
                      bool ja)
{
    buf_printf(b, "%s%s\n%s%s\n", ja ? "種別: " : "Kind: ", kind_of(n, ja),
               ja ? "件名: " : "Title: ", ja ? n->title_ja : n->title_en);
    put_period(c, b, n, ja);
    if (n->state == NOTICE_WITHDRAWN)
        buf_printf(b, "%s%s\n", ja ? "取り消しの理由: " : "Why withdrawn: ",
                   ja ? n->reason_ja : n->reason_en);
}

static const char *body_of(struct ctx *c, const struct notice *n,
                           const struct incident_setting *setting,
                           const struct reader *r)
{
    struct buf b = buf_in(c->mem);
    bool ja = r->is_ja;
    const char *contact = ja ? setting->contact_ja : setting->contact_en;

    buf_printf(&b,
               ja ? "%s 様\n\n運用者からのお知らせです。\n\n"
                  : "Dear %s,\n\nA notice of the operator.\n\n",
               r->name);
    put_facts(c, &b, n, ja);
    buf_printf(&b, "\n%s\n\n%s/notices/%lld\n", ja ? n->body_ja : n->body_en,
               c->actor->base_url, (long long)n->id);
    if (n->incident_id && *contact)
        buf_printf(&b, "\n%s\n%s\n", ja ? "ご連絡先:" : "Contact:", contact);
    buf_puts(&b, ja ? "\n-- \n櫓（Yagura）から自動で送信しています。"
                      "このメールには返信できません。\n"
                    : "\n-- \nSent automatically by Yagura. Replies are not "
                      "read.\n");
    return b.data;
}

static enum err send(struct ctx *c, const struct app *app,
                     const struct notice *n,
                     const struct incident_setting *setting,
                     const struct reader *r)
{
    bool ja = r->is_ja;
    const char *subject = arena_printf(
        c->mem, ja ? "【櫓】%s%s: %s" : "[Yagura] %s%s: %s", news_of(n, ja),
        kind_of(n, ja), ja ? n->title_ja : n->title_en);

    return outbox_add(
        c, app,
        &(struct outbox_mail){.address = r->address,
                              .subject = subject,
                              .text = body_of(c, n, setting, r),
                              .notice_id = n->id,
                              .expires_minutes = EXPIRES_MINUTES});
}

/* ---- one tenant ---- */

struct telling {
    const struct app *app;
    const struct notice *n;
    struct incident_setting setting;
    int64_t mails; /* of all its revisions, afterwards */
    int64_t waiting, failed;
};

static enum err count_left(struct ctx *c, int64_t id, int64_t *waiting,
                           int64_t *failed)
{
    struct query *q = query(c, mail_text[MAIL_LEFT]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *waiting = col_int(q, 0);
    *failed = col_int(q, 1);
    query_done(q);
    return OK;
}

static enum err is_written(struct ctx *c, const struct notice *n, bool *out)
{
    struct query *q = query(c, mail_text[MAIL_IS_WRITTEN]);

    bind_int(q, 1, n->id);
    bind_int(q, 2, n->mail_revision);
    enum err e = query_one(c, q);
    *out = e == OK;
    if (!e)
        query_done(q);
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err write_mails(struct ctx *c, const struct telling *t,
                            size_t *count)
{
    struct query *q = query(c, mail_text[MAIL_READERS]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, t->n->mail_to == NOTICE_EVERYBODY);
    bind_int(q, 2, t->n->incident_id != 0);
    while (query_next(c, q, &e)) {
        struct reader r = {.address = col_text(c, q, 0),
                           .name = col_text(c, q, 1),
                           .is_ja = col_int(q, 2) == LANG_JA};
        buf_put(&rows, &r, sizeof r);
    }
    const struct reader *list = (const void *)rows.data;
    *count = rows.len / sizeof *list;
    for (size_t i = 0; !e && i < *count; i++)
        e = send(c, t->app, t->n, &t->setting, &list[i]);
    return e;
}

static enum err note_written(struct ctx *c, const struct notice *n,
                             size_t mails)
{
    struct query *q = query(c, mail_text[MAIL_ADD]);

    bind_int(q, 1, n->id);
    bind_int(q, 2, n->mail_revision);
    bind_int(q, 3, (int64_t)mails);
    bind_int(q, 4, c->now_us);
    enum err e = query_run(c, q);
    if (e)
        return e;
    return operation_log(c, &(struct operation){.action = "tell",
                                                .kind = "notice",
                                                .object_id = n->id,
                                                .object_name = n->title_ja});
}

static enum err tell(struct ctx *c, void *arg)
{
    struct telling *t = arg;
    bool done;
    size_t mails;
    enum err e = is_written(c, t->n, &done);

    if (!e && !done && !(e = write_mails(c, t, &mails)))
        e = note_written(c, t->n, mails);
    if (e)
        return e;
    struct query *q = query(c, mail_text[MAIL_SUM]);
    bind_int(q, 1, t->n->id);
    if ((e = query_one(c, q)))
        return e;
    t->mails = col_int(q, 0);
    query_done(q);
    return count_left(c, t->n->id, &t->waiting, &t->failed);
}

/* What keeps a tenant from being told, or NOTICE_TOLD. */
static enum err find_obstacle(struct ctx *c, const struct app *app,
                              const struct notice *n, const char *tenant,
                              enum notice_skipped *out)
{
    struct tenant_directory_row row;
    struct tenant_status standing;
    enum err e = tenant_directory_get(c, app->store, tenant, &row);

    tenant_status_find(app, tenant, &standing);
    *out = NOTICE_TOLD;
    if (e == ERR_NOT_FOUND || (!e && row.state != TENANT_DIRECTORY_OPEN))
        *out = NOTICE_TENANT_GONE;
    else if (!e && !n->incident_id &&
             (standing.is_suspended ||
              tenant_status_is_closed(&standing, c->now_us)))
        *out = NOTICE_TENANT_CLOSED;
    return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- the round ---- */

struct owed {
    int64_t notice_id;
    const char *tenant;
};

static enum err read_notice(struct ctx *c, struct store *s, int64_t id,
                            struct telling *t, struct notice_row *out)
{
    enum err e = tx_begin_control(c, s, TX_READ);

    if (e)
        return e;
    if (!(e = notice_get(c, id, out)))
        e = incident_setting_get(c, &t->setting);
    t->n = &out->notice;
    return tx_end_control(c, s, e);
}

static enum err settle(struct ctx *c, const struct app *app,
                       const struct owed *it)
{
    struct telling t = {.app = app};
    struct notice_row row;
    enum notice_skipped skipped;
    const struct tenant_task errand = {
        .app = app, .tenant = it->tenant, .name = "notices"};
    enum err e = read_notice(c, app->store, it->notice_id, &t, &row);

    if (e || (e = find_obstacle(c, app, &row.notice, it->tenant, &skipped)))
        return e;
    if (skipped == NOTICE_TOLD &&
        (e = tenant_task_run(c, &errand, TX_WRITE, tell, &t)))
        return e;
    if ((e = tx_begin_control(c, app->store, TX_WRITE)))
        return e;
    struct query *q = query(c, owed_text[OWED_DONE]);
    bind_int(q, 1, it->notice_id);
    bind_text(q, 2, it->tenant);
    bind_int(q, 3, row.notice.mail_revision);
    bind_int(q, 4, t.mails);
    bind_int(q, 5, skipped);
    bind_int(q, 6, c->now_us);
    bind_int(q, 7, t.waiting);
    bind_int(q, 8, t.failed);
    e = query_run(c, q);
    if (!e && skipped == NOTICE_TOLD && t.mails > 0) /* else to nobody */
        e = notice_note_told(c, &row.notice, it->tenant);
    return tx_end_control(c, app->store, e);
}

static enum err read_owed(struct ctx *c, struct store *s, int statement,
                          const struct owed *after, struct buf *rows)
{
    enum err e = tx_begin_control(c, s, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, owed_text[statement]);
    bind_int(q, 1, after->notice_id);
    bind_text(q, 2, after->tenant);
    bind_int(q, 3, TENANTS_AT_ONCE);
    while (query_next(c, q, &e)) {
        struct owed it = {col_int(q, 0), col_text(c, q, 1)};
        buf_put(rows, &it, sizeof it);
    }
    return tx_end_control(c, s, e);
}

enum err notice_tell_owed(struct ctx *c, const struct app *app)
{
    const struct owed first = {0, ""};
    struct buf rows = buf_in(c->mem);
    enum err e = read_owed(c, app->store, OWED_NEXT, &first, &rows);
    const struct owed *list = (const void *)rows.data;
    size_t count = rows.len / sizeof *list;

    for (size_t i = 0; i < count && !e; i++)
        e = settle(c, app, &list[i]);
    return e;
}

static const struct actor system_actor = {.name = "",
                                          .ip = "",
                                          .request_id = "notices",
                                          .tenant = STORE_OPERATOR,
                                          .base_url = ""};

struct left {
    int64_t id, waiting, failed;
};

static enum err look_at_left(struct ctx *c, void *arg)
{
    struct left *l = arg;

    return count_left(c, l->id, &l->waiting, &l->failed);
}

/* Asks the tenant's outbox what has become of the mails; of a tenant that is
 * gone none waits any more. */
static enum err settle_left(struct ctx *c, const struct app *app,
                            const struct owed *it)
{
    const struct tenant_task errand = {
        .app = app, .tenant = it->tenant, .name = "notices"};
    struct left l = {.id = it->notice_id};
    enum err e = tenant_task_run(c, &errand, TX_READ, look_at_left, &l);

    if ((e && e != ERR_NOT_FOUND) ||
        (e = tx_begin_control(c, app->store, TX_WRITE)))
        return e;
    struct query *q = query(c, owed_text[WAITING_SET]);
    bind_int(q, 1, it->notice_id);
    bind_text(q, 2, it->tenant);
    bind_int(q, 3, l.waiting);
    bind_int(q, 4, l.failed);
    return tx_end_control(c, app->store, query_run(c, q));
}

/* One after the other, each in an arena of its own; what fails is tried again
 * in the next round. */
static void do_all(struct app *app, struct arena *mem, int statement,
                   enum err (*do_one)(struct ctx *c, const struct app *app,
                                      const struct owed *it))
{
    struct arena *own = arena_open(0);
    struct owed last = {0, ""};
    size_t count;

    do {
        struct ctx all = {
            .mem = own, .actor = &system_actor, .now_us = clock_now_us()};
        struct buf rows = buf_in(own);
        enum err e = read_owed(&all, app->store, statement, &last, &rows);
        const struct owed *list = (const void *)rows.data;
        count = e ? 0 : rows.len / sizeof *list;
        for (size_t i = 0; i < count && !app->is_stopping; i++) {
            struct ctx c = {
                .mem = mem, .actor = &system_actor, .now_us = clock_now_us()};
            if ((e = do_one(&c, app, &list[i])))
                log_error("notice not told id=%lld tenant=%s err=%s",
                          (long long)list[i].notice_id, list[i].tenant,
                          err_name(e));
            arena_reset(mem);
        }
        if (count)
            last = list[count - 1];
    } while (count == TENANTS_AT_ONCE && !app->is_stopping);
    arena_close(own);
}

void notice_look(struct app *app, struct arena *mem)
{
    struct ctx c = {
        .mem = mem, .actor = &system_actor, .now_us = clock_now_us()};
    size_t count = 0;
    enum err e = tx_begin_control(&c, app->store, TX_WRITE);

    if (!e)
        e = tx_end_control(&c, app->store, notice_publish_due(&c, &count));
    if (e)
        log_error("notices not published err=%s", err_name(e));
    else if (count)
        log_info("notices published count=%zu", count);
    arena_reset(mem);
    do_all(app, mem, OWED_NEXT, settle);
    do_all(app, mem, WAITING_NEXT, settle_left);
}
