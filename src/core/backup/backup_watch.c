/* SPDX-License-Identifier: Apache-2.0 */
/* Whether backups come about at all.  A server that was down for days makes
 * one within minutes of its start and need not write; so what is late is told
 * only when it was seen late an hour before. */
#include "core/backup/backup.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/core.h"
#include "core/mail/operator_mail.h"
#include "core/trust_evidence.h"
#include "db/query.h"

#define US_PER_HOUR INT64_C(3600000000)

enum {
    LATE_COUNT,
    LATE_LIST,
    LATE_GET,
    LATE_SEEN,
    LATE_TOLD,
    LATE_OVER,
    FIGURES_RUN,
    FIGURES_OLDEST
};
enum { NAMES_MAX = 20 };
#define LATE_FROM                                                              \
    " FROM customer LEFT JOIN backup_tenant b ON b.tenant_id = customer.id"    \
    " LEFT JOIN backup_damage d ON d.date = b.date"                            \
    " AND d.tenant_id = customer.id"                                           \
    " LEFT JOIN backup_fault f ON f.tenant_id = customer.id"                   \
    " WHERE customer.state = 1 AND created_at < ?1"                            \
    " AND (b.at IS NULL OR b.at < ?1 OR b.at > ?2 OR d.at IS NOT NULL)"
static const char *const backup_watch_text[] = {
    [LATE_COUNT] = "SELECT count(*)" LATE_FROM,
    [LATE_LIST] = "SELECT customer.id, b.date, b.at, d.at IS NOT NULL,"
                  " f.reason_ja, f.reason_en" LATE_FROM
                  " ORDER BY coalesce(b.at, 0), customer.id LIMIT ?3",
    [LATE_GET] = "SELECT tried_at, told_on FROM backup_watch"
                 " WHERE name = 'late'",
    [LATE_SEEN] = "INSERT INTO backup_watch (name, tried_at)"
                  " VALUES ('late', ?1) ON CONFLICT (name) DO NOTHING",
    [LATE_TOLD] = "UPDATE backup_watch SET told_on = ?1 WHERE name = 'late'",
    [FIGURES_RUN] =
        "SELECT coalesce((SELECT state = 2 FROM backup_run WHERE state > 1"
        " ORDER BY id DESC LIMIT 1), 0), coalesce((SELECT ended_at FROM"
        " backup_run WHERE state = 2 ORDER BY id DESC LIMIT 1), 0)",
    [FIGURES_OLDEST] = "SELECT coalesce(min(b.at), 0) FROM customer"
                       " JOIN backup_tenant b ON b.tenant_id = customer.id"
                       " WHERE customer.state = 1",
    [LATE_OVER] = "DELETE FROM backup_watch WHERE name = 'late'",
};
const struct query_set backup_watch_queries = {
    "backup_watch", backup_watch_text, COUNT(backup_watch_text)};

/* Tenants without a good copy that is younger. */
static enum err count_late(struct ctx *c, int hours, int64_t *count)
{
    struct query *q = query(c, backup_watch_text[LATE_COUNT]);

    bind_int(q, 1, c->now_us - hours * US_PER_HOUR);
    bind_int(q, 2, c->now_us + US_PER_HOUR);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *count = col_int(q, 0);
    query_done(q);
    return OK;
}

static void put_one(struct ctx *c, struct query *q, struct buf *ja,
                    struct buf *en)
{
    const char *id = col_text(c, q, 0), *date = col_text(c, q, 1);
    const char *why_ja = col_text(c, q, 4), *why_en = col_text(c, q, 5);
    long long hours = (c->now_us - col_int(q, 2)) / US_PER_HOUR;
    bool is_damaged = col_int(q, 3) != 0;

    if (!date) {
        buf_printf(ja, "- %s: 正常な写しがありません", id);
        buf_printf(en, "- %s: there is no good copy", id);
    } else {
        buf_printf(ja, "- %s: %s写しは世代 %s（%lld日と%lld時間前）", id,
                   is_damaged ? "正常な写しがなく、壊れた" : "最後の正常な",
                   date, hours / 24, hours % 24);
        buf_printf(en,
                   "- %s: the %s copy is of %s (%lld days and %lld "
                   "hours old)",
                   id, is_damaged ? "last, damaged" : "last good", date,
                   hours / 24, hours % 24);
    }
    if (why_en) {
        buf_printf(ja, "。直近の失敗: %s", why_ja);
        buf_printf(en, "; the last try failed: %s", why_en);
    }
    buf_putc(ja, '\n');
    buf_putc(en, '\n');
}

/* Each day while it lasts, with the age of what there is. */
static enum err tell(struct ctx *c, const struct app *app, int64_t count)
{
    struct buf ja = buf_in(c->mem), en = buf_in(c->mem);
    struct query *q = query(c, backup_watch_text[LATE_LIST]);
    enum err e;

    bind_int(q, 1, c->now_us - BACKUP_LATE_HOURS * US_PER_HOUR);
    bind_int(q, 2, c->now_us + US_PER_HOUR);
    bind_int(q, 3, NAMES_MAX);
    while (query_next(c, q, &e))
        put_one(c, q, &ja, &en);
    query_done(q);
    if (e)
        return e;
    return operator_mail_all(
        c, app,
        &(struct operator_news){
            .subject_ja = "バックアップが26時間以上成功していません",
            .subject_en = "No backup has succeeded for 26 hours",
            .ja = arena_printf(
                c->mem,
                "過去26時間に正常なバックアップのないテナント: %lld 件。\n\n"
                "%s\n最後の正常な写しは、新しい写しができるまで8日目を過ぎても"
                "残します。\nディスクの空き容量と、運用者コンソールの"
                "「バックアップ」を確認してください。このメールは解消するまで"
                "毎日届きます。",
                (long long)count, ja.data),
            .en = arena_printf(
                c->mem,
                "Tenants without a good backup in the last 26 hours: %lld.\n\n"
                "%s\nThe last good copy stays beyond day 8 until there is a "
                "newer one.\nPlease look at the room on the disk and at "
                "Backups in the operator's console. This mail comes each day "
                "until it is mended.",
                (long long)count, en.data),
        });
}

static enum err look(struct ctx *c, const struct app *app)
{
    int64_t count = 0, seen_at = 0, told_on = 0;
    struct query *q = query(c, backup_watch_text[LATE_GET]);
    enum err e = query_one(c, q);

    if (!e) {
        seen_at = col_int(q, 0);
        told_on = col_int(q, 1);
    }
    query_done(q);
    if (e && e != ERR_NOT_FOUND)
        return e;
    if ((e = count_late(c, BACKUP_LATE_HOURS - 1, &count)))
        return e;
    if (count == 0)
        return seen_at ? query_run(c, query(c, backup_watch_text[LATE_OVER]))
                       : OK;
    if (!seen_at) {
        q = query(c, backup_watch_text[LATE_SEEN]);
        bind_int(q, 1, c->now_us);
        return query_run(c, q);
    }
    if ((e = count_late(c, BACKUP_LATE_HOURS, &count)))
        return e;
    if (count == 0 || told_on == clock_today(c->now_us) ||
        c->now_us - seen_at < US_PER_HOUR)
        return OK;
    log_error("backup late tenants=%lld", (long long)count);
    e = tell(c, app, count);
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

static enum err read_figures(struct ctx *c, const struct app *app,
                             struct backup_figures *out)
{
    struct query *q = query(c, backup_watch_text[FIGURES_RUN]);
    enum err e = query_one(c, q);

    if (e)
        return e;
    out->is_last_good = col_int(q, 0) != 0;
    out->good_at = col_int(q, 1);
    query_done(q);
    q = query(c, backup_watch_text[FIGURES_OLDEST]);
    if ((e = query_one(c, q)))
        return e;
    out->oldest_at = col_int(q, 0);
    query_done(q);
    if ((e = count_late(c, BACKUP_LATE_HOURS, &out->late)))
        return e;
    return backup_copy_read(c, app, out->places, &out->place_count);
}

enum err backup_read_figures(struct ctx *c, const struct app *app,
                             struct backup_figures *out)
{
    const char *const *names;
    enum err e = tx_begin_control(c, app->store, TX_READ);

    *out = (struct backup_figures){
        .generations = (int64_t)generation_list(app->store, c->mem, &names)};
    return e ? e : tx_end_control(c, app->store, read_figures(c, app, out));
}

bool backup_copy_is_young(const struct backup_copies *p, int64_t now_us)
{
    return p->count > 0 &&
           p->list[0].at > now_us - BACKUP_LATE_HOURS * US_PER_HOUR &&
           p->list[0].at <= now_us + US_PER_HOUR; /* by a wrong clock */
}

enum err backup_measure_copies(struct ctx *c, const struct app *app,
                               struct trust_list *out)
{
    struct backup_copies copies[BACKUP_PLACES];
    size_t count;
    enum err e = backup_copy_read(c, app, copies, &count);

    for (size_t i = 0; i < count && !e; i++) {
        const struct backup_copies *p = &copies[i];
        bool holds = !p->why.en && backup_copy_is_young(p, c->now_us);
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
        if (p->count)
            trust_date(out, p->list[0].at, TRUST_OWN_AGE);
    }
    return e;
}
