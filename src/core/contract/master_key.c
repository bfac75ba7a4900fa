/* SPDX-License-Identifier: Apache-2.0 */
/* Every rewrap makes the copy of the master key that lies elsewhere worthless,
 * so nobody may miss one: it is in the log, in a mail to the operators, and
 * doctor asks for the new copy until it is confirmed. */
#include "core/contract/master_key.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "core/backup/backup_copy.h"
#include "core/backup/backup_work.h"
#include "core/contract/deletion.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/mail/operator_mail.h"
#include "core/tenant/tenant_directory.h"
#include "db/query.h"
#include "db/rotate.h"

#define RETRY_US INT64_C(3600000000)

enum { MASTER_DUE, MASTER_LAST, MASTER_DONE, MASTER_FAILED };
static const char *const master_text[] = {
    [MASTER_DUE] = "SELECT count(*), min(key_gone_at) FROM erasure"
                   " WHERE key_gone_at > 0 AND rewrap_at IS NULL",
    [MASTER_LAST] = "SELECT done_at, tried_at, error FROM rewrap WHERE id = 1",
    [MASTER_DONE] =
        "INSERT INTO rewrap (id, done_at, keys, unopened)"
        " VALUES (1, ?1, ?2, ?3) ON CONFLICT DO UPDATE SET done_at = ?1,"
        " keys = ?2, unopened = ?3, tried_at = NULL, error = NULL",
    [MASTER_FAILED] = "INSERT INTO rewrap (id, tried_at, error)"
                      " VALUES (1, ?1, ?2) ON CONFLICT DO UPDATE SET"
                      " tried_at = ?1, error = ?2",
};
const struct query_set master_key_queries = {"master_key", master_text,
                                             COUNT(master_text)};

enum err master_key_read(struct ctx *c, const struct app *app,
                         struct master_key_state *out)
{
    struct query *q = query(c, master_text[MASTER_DUE]);
    enum err e = query_one(c, q);

    *out =
        (struct master_key_state){.is_possible = rewrap_is_possible(app->store),
                                  .is_broken = rewrap_is_pending(app->store)};
    if (e)
        return e;
    out->waiting = col_int(q, 0);
    out->since = col_int(q, 1);
    query_done(q);
    q = query(c, master_text[MASTER_LAST]);
    if ((e = query_one(c, q)))
        return e == ERR_NOT_FOUND ? OK : e;
    out->done_at = col_int(q, 0);
    out->failed_at = col_int(q, 1);
    out->error = col_text(c, q, 2);
    query_done(q);
    return OK;
}

/* ---- doing it ---- */

static enum err tell(struct ctx *c, const struct app *app, const char *mark)
{
    enum err e = operator_mail_all(
        c, app,
        &(struct operator_news){
            .subject_ja = "主鍵が新しくなりました：控えを取り直してください",
            .subject_en = "The master key is a new one: copy it again",
            .ja = arena_printf(
                c->mem,
                "すべての鍵を新しい主鍵で包み直しました。以前の主鍵の控えでは、"
                "いまのデータもバックアップも開けません。\n\n主鍵のファイルを"
                "この機械の外に写し、写しの sha256sum が %s で始まることを確か"
                "めて、管理画面の「点検」か yagura doctor --confirm-key-copy "
                "で確認してください。以前の控えは破棄してください。",
                mark),
            .en = arena_printf(
                c->mem,
                "Every key has been wrapped by a fresh master key. Copies of "
                "the one before open neither today's data nor the backups."
                "\n\nCopy the master key's file off this machine, see that the "
                "copy's sha256sum begins with %s, and confirm it under Doctor "
                "in the console or by yagura doctor --confirm-key-copy. "
                "Destroy the copies of the one before.",
                mark)});

    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err log_done(struct ctx *c, const struct rewrap_done *done,
                         const char *mark)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_int(&o, "keys", (int64_t)done->keys);
    json_int(&o, "wrapped", (int64_t)done->wrapped);
    json_int(&o, "unopened", (int64_t)done->unopened);
    json_close(&o, '}');
    return operation_log(c, &(struct operation){.action = "rewrap",
                                                .kind = "master_key",
                                                .object_name = mark,
                                                .after = b.data});
}

static enum err note_done(struct ctx *c, struct app *app,
                          const struct rewrap_done *done)
{
    char mark[17];
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    if (e)
        return e;
    store_key_mark(app->store, mark);
    struct query *q = query(c, master_text[MASTER_DONE]);
    bind_int(q, 1, c->now_us);
    bind_int(q, 2, (int64_t)done->keys);
    bind_int(q, 3, (int64_t)done->unopened);
    e = query_run(c, q);
    if (!e)
        e = log_done(c, done, mark);
    if (!e)
        e = deletion_note_rewrap(c, app);
    if (!e)
        e = backup_copy_hurry(c);
    if (!e)
        e = tell(c, app, mark);
    return tx_end_control(c, app->store, e);
}

static enum err note_failed(struct ctx *c, struct app *app, enum err failed)
{
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    if (e)
        return e;
    struct query *q = query(c, master_text[MASTER_FAILED]);
    bind_int(q, 1, c->now_us);
    bind_text(q, 2, err_name(failed));
    return tx_end_control(c, app->store, query_run(c, q));
}

/* The backups are held. */
static enum err rewrap(struct ctx *c, struct app *app, struct rewrap_done *out)
{
    const char *const copies[] = {app->backup.dir, NULL};

    backup_copy_hold();
    enum err e = rewrap_run(app->store, copies, out);
    backup_copy_let();
    return e ? e : note_done(c, app, out);
}

static enum err explain(struct ctx *c, const struct app *app, enum err e)
{
    if (e == ERR_DENIED)
        return ctx_fail(
            c, e, "master_key", "read_only",
            "主鍵のファイルに書き込めません。サーバーを止め、書き込める利用者"
            "で --master_key に元のファイルを指定して実行してください",
            "The master key's file cannot be written by this process: stop "
            "the server and run this as a user who may, with --master_key "
            "naming the file it comes from");
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "backup_dir", "not_there",
                        "バックアップの写しの場所 %s がありません。そこにある"
                        "鍵も包み直すため、接続してから実行してください",
                        "The folder of copies %s is not there: the keys in it "
                        "are wrapped anew too, so mount it first",
                        app->backup.dir ? app->backup.dir : "");
    return e;
}

enum err master_key_rewrap(struct ctx *c, struct app *app,
                           struct rewrap_done *out)
{
    backup_hold();
    enum err e = rewrap(c, app, out);
    backup_let();
    return explain(c, app, e);
}

/* ---- after a deletion ---- */

static bool is_due(struct ctx *c, struct app *app)
{
    struct master_key_state m;
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e || tx_end_control(c, app->store, master_key_read(c, app, &m)))
        return false;
    bool is_early = m.failed_at && m.failed_at > c->now_us - RETRY_US &&
                    m.failed_at <= c->now_us;
    return (m.waiting || m.is_broken) && m.is_possible && !is_early;
}

static struct actor system_actor(void)
{
    return (struct actor){.name = "",
                          .ip = "",
                          .request_id = "rewrap",
                          .tenant = STORE_OPERATOR,
                          .base_url = ""};
}

bool master_key_is_due(struct app *app, struct arena *mem)
{
    struct actor system = system_actor();
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};

    return is_due(&c, app);
}

void master_key_follow_up(struct app *app, struct arena *mem)
{
    struct actor system = system_actor();
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    struct rewrap_done done;

    if (!is_due(&c, app))
        return;
    enum err e = rewrap(&c, app, &done);
    if (e)
        log_error("keys not wrapped anew err=%s", err_name(e));
    if (e && note_failed(&c, app, e))
        log_error("rewrap: the reason is not noted");
}

/* ---- a tenant's own keys ---- */

static enum err log_rotation(struct ctx *c, struct app *app, const char *tenant)
{
    const struct operation what = {
        .action = "rotate", .kind = "tenant_key", .object_name = tenant};
    struct actor own = *c->actor;
    struct ctx there = {.mem = c->mem, .actor = &own, .now_us = c->now_us};
    struct tenant *t;
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    if (!e)
        e = tx_end_control(c, app->store, operation_log(c, &what));
    if (e)
        return e;
    own.tenant = tenant;
    if ((e = tenant_open(app->store, tenant, &t)))
        return e;
    if (!(e = tx_begin(&there, t, TX_WRITE)))
        e = tx_end(&there, t, operation_log(&there, &what));
    tenant_close(t);
    return e;
}

static enum err explain_rotation(struct ctx *c, enum err e)
{
    if (e == ERR_BUSY)
        return ctx_fail(
            c, e, "tenant", "in_use",
            "テナントが使用中です。空いたときに再度実行してください",
            "The tenant is in use: try again when it is quieter");
    if (e == ERR_CONFLICT)
        return ctx_fail(c, e, "tenant", "deleted", "テナントは削除されています",
                        "The tenant is being deleted");
    return e;
}

enum err master_key_rotate(struct ctx *c, struct app *app, const char *tenant)
{
    struct tenant_directory_row row;
    enum err e = tenant_directory_get(c, app->store, tenant, &row);

    if (!e && row.state != TENANT_DIRECTORY_OPEN)
        e = ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "tenant", "not_found", "テナントが見つかりません",
                        "There is no such tenant");
    if (e)
        return e;
    backup_hold(); /* none is copied, restored or deleted meanwhile */
    e = rotate_tenant(app->store, tenant);
    backup_let();
    return e ? explain_rotation(c, e) : log_rotation(c, app, tenant);
}
