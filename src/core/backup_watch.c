/* SPDX-License-Identifier: Apache-2.0 */
/* Whether backups come about at all.  A server that was down for days makes
 * one within minutes of its start and need not write; so what is late is told
 * only when it was seen late an hour before. */
#include "core/backup.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/core.h"
#include "core/operator_mail.h"
#include "core/trust.h"
#include "db/query.h"

#define US_PER_HOUR INT64_C(3600000000)

enum { LATE_COUNT, LATE_GET, LATE_SEEN, LATE_TOLD, LATE_OVER };
static const char *const backup_watch_text[] = {
    [LATE_COUNT] = "SELECT count(*), min(customer.id) FROM customer"
                   " LEFT JOIN backup_tenant b ON b.tenant_id = customer.id"
                   " WHERE customer.state = 1 AND created_at < ?1"
                   " AND (b.at IS NULL OR b.at < ?1 OR b.at > ?2)",
    [LATE_GET] = "SELECT tried_at, told_on FROM backup_watch"
                 " WHERE name = 'late'",
    [LATE_SEEN] = "INSERT INTO backup_watch (name, tried_at)"
                  " VALUES ('late', ?1) ON CONFLICT (name) DO NOTHING",
    [LATE_TOLD] = "UPDATE backup_watch SET told_on = ?1 WHERE name = 'late'",
    [LATE_OVER] = "DELETE FROM backup_watch WHERE name = 'late'",
};
const struct query_set backup_watch_queries = {
    "backup_watch", backup_watch_text, COUNT(backup_watch_text)};

/* Tenants without a good copy that is younger. */
static enum err count_late(struct ctx *c, int hours, int64_t *count,
                           const char **first)
{
    struct query *q = query(c, backup_watch_text[LATE_COUNT]);

    bind_int(q, 1, c->now_us - hours * US_PER_HOUR);
    bind_int(q, 2, c->now_us + US_PER_HOUR);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *count = col_int(q, 0);
    *first = col_text(c, q, 1);
    query_done(q);
    return OK;
}

static enum err tell(struct ctx *c, const struct app *app, int64_t count,
                     const char *first)
{
    return operator_mail_all(
        c, app,
        &(struct operator_news){
            .subject_ja = "バックアップが26時間以上成功していません",
            .subject_en = "No backup has succeeded for 26 hours",
            .ja = arena_printf(
                c->mem,
                "過去26時間に正常なバックアップのないテナント: %lld 件（%s など"
                "）。\n\nディスクの空き容量と、運用者コンソールの「バックアップ"
                "」を確認してください。",
                (long long)count, first),
            .en = arena_printf(
                c->mem,
                "Tenants without a good backup in the last 26 hours: %lld (%s "
                "among them).\n\nPlease look at the room on the disk and at "
                "Backups in the operator's console.",
                (long long)count, first),
        });
}

static enum err look(struct ctx *c, const struct app *app)
{
    int64_t count = 0, seen_at = 0, told_on = 0;
    const char *first = NULL;
    struct query *q = query(c, backup_watch_text[LATE_GET]);
    enum err e = query_one(c, q);

    if (!e) {
        seen_at = col_int(q, 0);
        told_on = col_int(q, 1);
    }
    query_done(q);
    if (e && e != ERR_NOT_FOUND)
        return e;
    if ((e = count_late(c, BACKUP_LATE_HOURS - 1, &count, &first)))
        return e;
    if (count == 0)
        return seen_at ? query_run(c, query(c, backup_watch_text[LATE_OVER]))
                       : OK;
    if (!seen_at) {
        q = query(c, backup_watch_text[LATE_SEEN]);
        bind_int(q, 1, c->now_us);
        return query_run(c, q);
    }
    if ((e = count_late(c, BACKUP_LATE_HOURS, &count, &first)))
        return e;
    if (count == 0 || told_on || c->now_us - seen_at < US_PER_HOUR)
        return OK;
    log_error("backup late tenants=%lld first=%s", (long long)count, first);
    e = tell(c, app, count, first);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    q = query(c, backup_watch_text[LATE_TOLD]);
    bind_int(q, 1, clock_today(c->now_us));
    return query_run(c, q);
}

void backup_watch(struct app *app, struct arena *mem)
{
    static const struct actor actor = {.name = "",
                                       .ip = "",
                                       .request_id = "backup",
                                       .tenant = STORE_OPERATOR,
                                       .base_url = ""};
    struct ctx c = {.mem = mem, .actor = &actor, .now_us = clock_now_us()};
    enum err e = tx_begin_control(&c, app->store, TX_WRITE);

    if (!e)
        e = tx_end_control(&c, app->store, look(&c, app));
    if (e)
        log_error("backups are not watched err=%s", err_name(e));
}

enum err backup_measure_copies(struct ctx *c, const struct app *app,
                               struct trust_list *out)
{
    struct backup_copies copies[BACKUP_PLACES];
    size_t count;
    enum err e = backup_copy_read(c, app, copies, &count);

    for (size_t i = 0; i < count && !e; i++) {
        const struct backup_copies *p = &copies[i];
        bool holds =
            !p->why.en && p->count > 0 &&
            p->list[0].at > c->now_us - BACKUP_LATE_HOURS * US_PER_HOUR &&
            p->list[0].at <= c->now_us + US_PER_HOUR;
        bool is_dir = p->kind == BACKUP_DIR;
        trust_show(
            c, out, 20, holds, "別の場所（%s）の写し %zu 世代、最新 %s、失敗%s",
            "Copies elsewhere (%s), generations: %zu, newest %s, failure: "
            "%s",
            is_dir ? ctx_text(c, "フォルダー", "folder")
                   : ctx_text(c, "バケット", "bucket"),
            p->count, p->count ? trust_moment(c, p->list[0].at) : "-",
            p->why.en ? ctx_text(c, "あり", "yes")
                      : ctx_text(c, "なし", "none"));
    }
    return e;
}
