/* SPDX-License-Identifier: Apache-2.0 */
/* control.db is written first, in one transaction with the operators' mails;
 * tenant_at says whether the tenant's administrators have heard of it. */
#include "core/backup/log_break.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "core/backup/log_verify.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/mail/operator_mail.h"
#include "core/mail/outbox.h"
#include "core/tenant/tenant_task.h"
#include "db/query.h"

#include <string.h>

#define AGAIN_US INT64_C(3600000000)

enum {
    BREAK_GET,
    BREAK_PUT,
    BREAK_WHOLE,
    BREAK_FORGET,
    BREAK_SET_OPERATOR,
    BREAK_SET_TENANT,
    BREAK_UNTOLD,
    BREAK_LIST,
    BREAK_COUNT,
};
static const char *const break_text[] = {
    [BREAK_GET] = "SELECT seq, seen_at FROM log_break WHERE tenant_id = ?1"
                  " AND kind = ?2",
    [BREAK_PUT] =
        "INSERT INTO log_break (tenant_id, kind, seq, found_at, seen_at)"
        " VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (tenant_id, kind) DO UPDATE"
        " SET seen_at = ?4, found_at = iif(seq = ?3, found_at, ?4),"
        " operator_at = iif(seq = ?3, operator_at, NULL),"
        " tenant_at = iif(seq = ?3, tenant_at, NULL), seq = ?3",
    [BREAK_WHOLE] = "DELETE FROM log_break WHERE tenant_id = ?1 AND kind = ?2",
    [BREAK_FORGET] = "DELETE FROM log_break WHERE tenant_id = ?1",
    [BREAK_SET_OPERATOR] = "UPDATE log_break SET operator_at = ?3"
                           " WHERE tenant_id = ?1 AND kind = ?2",
    [BREAK_SET_TENANT] = "UPDATE log_break SET tenant_at = ?3"
                         " WHERE tenant_id = ?1 AND kind = ?2",
    [BREAK_UNTOLD] = "SELECT tenant_id, kind, seq, operator_at IS NULL,"
                     " tenant_at IS NULL FROM log_break WHERE tenant_id >= ''"
                     " AND (operator_at IS NULL OR tenant_at IS NULL)"
                     " LIMIT ?1",
    [BREAK_LIST] = "SELECT tenant_id, kind, seq, found_at FROM log_break"
                   " WHERE tenant_id >= '' AND (?1 IS NULL OR tenant_id = ?1)"
                   " ORDER BY found_at DESC, tenant_id, kind LIMIT ?2",
    [BREAK_COUNT] = "SELECT count(*) FROM log_break WHERE tenant_id >= ''"
                    " AND (?1 IS NULL OR tenant_id = ?1)",
};
const struct query_set log_break_queries = {"log_break", break_text,
                                            COUNT(break_text)};

enum { TOLD_ADMINS };
static const char *const told_text[] = {
    [TOLD_ADMINS] =
        "SELECT email, name, lang FROM user WHERE is_admin = 1 AND state = 1",
};
const struct query_set log_break_told_queries = {"log_break_told", told_text,
                                                 COUNT(told_text)};

static const struct actor system_actor = {.name = "",
                                          .ip = "",
                                          .request_id = "log_break",
                                          .tenant = STORE_OPERATOR,
                                          .base_url = ""};

static bool is_operators(const char *tenant)
{
    return strcmp(tenant, STORE_OPERATOR) == 0;
}

static const char *name_of(enum log_kind kind, bool ja)
{
    if (kind == LOG_ACCESS)
        return ja ? "アクセスログ" : "access log";
    return ja ? "操作ログ" : "operation log";
}

const char *log_break_name(struct ctx *c, enum log_kind kind)
{
    return name_of(kind, c->actor->lang != LANG_EN);
}

/* ---- the mails ---- */

static enum err mail_operators(struct ctx *c, const struct app *app,
                               const struct log_break *b)
{
    const char *whose = is_operators(b->tenant) ? NULL : b->tenant;

    return operator_mail_all(
        c, app,
        &(struct operator_news){
            .subject_ja = "ログの連鎖が途切れています",
            .subject_en = "The chain of a log is broken",
            .ja = arena_printf(
                c->mem,
                "%s%sの%sの連鎖が %lld 番で途切れています。この行が失われたか、"
                "書かれたときと違っています。\n\n改ざん、ファイルの差し替え、"
                "または媒体の故障が考えられます。ファイルを保全し、原因を調べて"
                "ください。確かめるには: yagura log verify --tenant %s",
                whose ? "テナント " : "運用者", whose ? whose : "",
                name_of(b->kind, true), (long long)b->seq, b->tenant),
            .en = arena_printf(
                c->mem,
                "The chain of the %s of %s is broken at row %lld: it is "
                "missing, or not as it was written.\n\nIt was tampered with, "
                "a file was put back, or the medium fails. Please keep the "
                "files as they are and look for the cause. To check: yagura "
                "log verify --tenant %s",
                name_of(b->kind, false), whose ? whose : "the operator",
                (long long)b->seq, b->tenant),
        });
}

/* In the tenant's file. */
static enum err mail_admins(struct ctx *c, const struct app *app,
                            const struct log_break *b)
{
    struct query *q = query(c, told_text[TOLD_ADMINS]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        bool ja = col_int(q, 2) == LANG_JA;
        const char *name = col_text(c, q, 1), *log = name_of(b->kind, ja);
        struct outbox_mail letter = {
            .address = col_text(c, q, 0),
            .subject = ja ? "【櫓】ログの連鎖が途切れています"
                          : "[Yagura] The chain of a log is broken",
            .text = arena_printf(
                c->mem,
                ja ? "%s 様\n\n%sの連鎖が %lld 番で途切れています。この行が"
                     "失われたか、書かれたときと違っています。\n運用者にも"
                     "知らせました。ログの画面の「改ざんの検証」と、信頼の"
                     "ページの 33・36 項で確かめられます。\n\n%s/trust\n\n-- \n"
                     "櫓（Yagura）から自動で送信しています。このメールには"
                     "返信できません。\n"
                   : "Dear %s,\n\nThe chain of the %s is broken at row %lld: "
                     "it "
                     "is missing, or not as it was written.\nThe operator was "
                     "told too. You can check it on the log's screen, and in "
                     "rows 33 and 36 of the trust page.\n\n%s/trust\n\n-- \n"
                     "Sent automatically by Yagura. Replies are not read.\n",
                name, log, (long long)b->seq, c->actor->base_url)};
        buf_put(&rows, &letter, sizeof letter);
    }
    const struct outbox_mail *list = (const void *)rows.data;
    for (size_t i = 0; !e && i < rows.len / sizeof *list; i++)
        e = outbox_add(c, app, &list[i]);
    return e;
}

struct telling {
    const struct app *app;
    const struct log_break *b;
};

static enum err tell(struct ctx *c, void *arg)
{
    const struct telling *t = arg;

    return mail_admins(c, t->app, t->b);
}

static enum err set_told(struct ctx *c, int statement,
                         const struct log_break *b)
{
    struct query *q = query(c, break_text[statement]);

    bind_text(q, 1, b->tenant);
    bind_int(q, 2, b->kind);
    bind_int(q, 3, c->now_us);
    return query_run(c, q);
}

/* Nobody is left to tell of a tenant that is gone. */
static enum err tell_tenant(struct ctx *c, const struct app *app,
                            const struct log_break *b)
{
    struct telling t = {app, b};
    const struct tenant_task errand = {
        .app = app, .tenant = b->tenant, .name = "log_break"};
    enum err e = is_operators(b->tenant)
                     ? OK
                     : tenant_task_run(c, &errand, TX_WRITE, tell, &t);

    if ((e && e != ERR_NOT_FOUND) ||
        (e = tx_begin_control(c, app->store, TX_WRITE)))
        return e;
    return tx_end_control(c, app->store, set_told(c, BREAK_SET_TENANT, b));
}

/* In a write transaction of control.db; ERR_NOT_FOUND: nobody is there yet. */
static enum err tell_operators(struct ctx *c, const struct app *app,
                               const struct log_break *b)
{
    enum err e = mail_operators(c, app, b);

    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    return set_told(c, BREAK_SET_OPERATOR, b);
}

/* ---- what was found ---- */

static enum err read_known(struct ctx *c, const char *tenant,
                           enum log_kind kind, int64_t *seq, int64_t *seen_at)
{
    struct query *q = query(c, break_text[BREAK_GET]);

    *seq = *seen_at = 0;
    bind_text(q, 1, tenant);
    bind_int(q, 2, kind);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    *seq = col_int(q, 0);
    *seen_at = col_int(q, 1);
    query_done(q);
    return OK;
}

bool log_break_is_known(struct ctx *c, const struct app *app,
                        const char *tenant, enum log_kind kind)
{
    int64_t seq = 0, seen_at = 0;
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (!e)
        e = tx_end_control(c, app->store,
                           read_known(c, tenant, kind, &seq, &seen_at));
    return !e && seq && seen_at > c->now_us - AGAIN_US && seen_at <= c->now_us;
}

static enum err log_it(struct ctx *c, const char *action,
                       const struct log_break *b)
{
    struct buf after = buf_in(c->mem);
    struct json_out o = {.b = &after};

    json_open(&o, NULL, '{');
    json_text(&o, "log", log_shape(b->kind)->name);
    json_int(&o, "row", b->seq);
    json_close(&o, '}');
    return operation_log(c, &(struct operation){.action = action,
                                                .kind = "log",
                                                .object_name = b->tenant,
                                                .after = after.data});
}

static enum err put_whole(struct ctx *c, const struct log_break *b)
{
    struct query *q = query(c, break_text[BREAK_WHOLE]);

    bind_text(q, 1, b->tenant);
    bind_int(q, 2, b->kind);
    enum err e = query_run(c, q);
    return e ? e : log_it(c, "whole", b);
}

static enum err put_broken(struct ctx *c, const struct app *app,
                           const struct log_break *b, bool is_news)
{
    struct query *q = query(c, break_text[BREAK_PUT]);

    bind_text(q, 1, b->tenant);
    bind_int(q, 2, b->kind);
    bind_int(q, 3, b->seq);
    bind_int(q, 4, c->now_us);
    enum err e = query_run(c, q);
    if (e || !is_news)
        return e;
    log_error("the %s log is broken tenant=%s row=%lld",
              log_shape(b->kind)->name, b->tenant, (long long)b->seq);
    e = log_it(c, "broken", b);
    return e ? e : tell_operators(c, app, b);
}

static enum err note(struct ctx *c, const struct app *app,
                     const struct log_break *b)
{
    int64_t known = 0, seen_at;
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e || (e = tx_end_control(
                  c, app->store,
                  read_known(c, b->tenant, b->kind, &known, &seen_at))))
        return e;
    if (!b->seq && !known)
        return OK;
    bool is_news = b->seq && b->seq != known;
    if ((e = tx_begin_control(c, app->store, TX_WRITE)))
        return e;
    e = tx_end_control(c, app->store,
                       b->seq ? put_broken(c, app, b, is_news)
                              : put_whole(c, b));
    return e || !is_news ? e : tell_tenant(c, app, b);
}

enum err log_check(struct ctx *c, const struct app *app, struct tenant *t,
                   enum log_kind kind, struct log_proof *out)
{
    struct ctx system = {
        .mem = c->mem, .actor = &system_actor, .now_us = c->now_us};
    enum err e = log_verify(c, app->store, t, kind, out);

    if (e)
        return e;
    const struct log_break b = {
        .tenant = tenant_id(t), .kind = kind, .seq = out->broken_seq};
    if ((e = note(&system, app, &b)))
        log_error("a broken log is not told of tenant=%s err=%s", b.tenant,
                  err_name(e));
    return OK;
}

struct untold {
    struct log_break b;
    bool operators, tenant;
};

static enum err list_untold(struct ctx *c, struct buf *rows)
{
    struct query *q = query(c, break_text[BREAK_UNTOLD]);
    enum err e;

    bind_int(q, 1, LOG_BREAKS_MAX);
    while (query_next(c, q, &e)) {
        struct untold u = {.b = {.tenant = col_text(c, q, 0),
                                 .kind = (enum log_kind)col_int(q, 1),
                                 .seq = col_int(q, 2)},
                           .operators = col_int(q, 3) != 0,
                           .tenant = col_int(q, 4) != 0};
        buf_put(rows, &u, sizeof u);
    }
    return e;
}

void log_break_settle(struct app *app, struct arena *mem)
{
    struct ctx c = {
        .mem = mem, .actor = &system_actor, .now_us = clock_now_us()};
    struct buf rows = buf_in(mem);
    enum err e = tx_begin_control(&c, app->store, TX_READ);

    if (!e)
        e = tx_end_control(&c, app->store, list_untold(&c, &rows));
    const struct untold *list = (const void *)rows.data;
    for (size_t i = 0; i < rows.len / sizeof *list && !e; i++) {
        if (list[i].operators &&
            !(e = tx_begin_control(&c, app->store, TX_WRITE)))
            e = tx_end_control(&c, app->store,
                               tell_operators(&c, app, &list[i].b));
        if (!e && list[i].tenant)
            e = tell_tenant(&c, app, &list[i].b);
    }
    if (e)
        log_error("a broken log is not told of err=%s", err_name(e));
}

/* ---- for the trust page ---- */

enum err log_break_list(struct ctx *c, const char *tenant,
                        const struct log_break **out, size_t *count,
                        int64_t *all)
{
    struct query *q = query(c, break_text[BREAK_COUNT]);
    struct buf rows = buf_in(c->mem);

    bind_text(q, 1, tenant);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *all = col_int(q, 0);
    query_done(q);
    q = query(c, break_text[BREAK_LIST]);
    bind_text(q, 1, tenant);
    bind_int(q, 2, LOG_BREAKS_MAX);
    while (query_next(c, q, &e)) {
        struct log_break b = {.tenant = col_text(c, q, 0),
                              .kind = (enum log_kind)col_int(q, 1),
                              .seq = col_int(q, 2),
                              .found_at = col_int(q, 3)};
        buf_put(&rows, &b, sizeof b);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

enum err log_break_forget(struct ctx *c, const char *tenant)
{
    struct query *q = query(c, break_text[BREAK_FORGET]);

    bind_text(q, 1, tenant);
    return query_run(c, q);
}
