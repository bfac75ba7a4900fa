/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in control.db about backups, and what is due. */
#include "core/backup/backup.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/backup/backup_work.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/mail/outbox.h"
#include "db/query.h"

#include <string.h>

#define RUN_COLS                                                               \
    "id, date, state, asked_by, asked_at, ended_at, tenants, total, bytes,"    \
    " reason_ja, reason_en"
#define US_PER_HOUR INT64_C(3600000000)

const char *const backup_state_words[] = {"asked", "running", "good", "failed",
                                          NULL};
enum {
    BACKUP_RUNS,
    BACKUP_TENANTS,
    BACKUP_DRILLS,
    BACKUP_BUSY,
    BACKUP_ADD,
    BACKUP_NEXT,
    BACKUP_DONE_TODAY,
    BACKUP_RECENT,
    BACKUP_MISSING,
    BACKUP_STEP,
    BACKUP_END,
    BACKUP_BROKEN,
    BACKUP_RUNNING_NOW,
    BACKUP_BROKEN_BEFORE,
    BACKUP_SET_TENANT,
    BACKUP_SET_FAULT,
    BACKUP_DROP_FAULT,
    BACKUP_ADD_DRILL,
    BACKUP_DRILLED,
    BACKUP_UNTOLD,
    BACKUP_TOLD,
    BACKUP_OPERATORS,
    BACKUP_SINCE,
    BACKUP_FORGET,
};
static const char *const backup_text[] = {
    [BACKUP_RUNS] =
        "SELECT " RUN_COLS " FROM backup_run ORDER BY id DESC LIMIT 30",
    [BACKUP_TENANTS] =
        "SELECT customer.id, customer.name, b.date, b.at, b.bytes, b.row_count,"
        " d.at IS NOT NULL, f.reason_ja, f.reason_en"
        " FROM customer LEFT JOIN backup_tenant b ON b.tenant_id = customer.id"
        " LEFT JOIN backup_damage d ON d.date = b.date"
        " AND d.tenant_id = customer.id"
        " LEFT JOIN backup_fault f ON f.tenant_id = customer.id"
        " WHERE customer.state = 1 ORDER BY customer.id",
    [BACKUP_DRILLS] = "SELECT at, us, row_count, date, tenant_id, reason_ja,"
                      " reason_en FROM backup_drill ORDER BY id DESC LIMIT 12",
    [BACKUP_BUSY] = "SELECT 1 FROM backup_run WHERE state < 2",
    [BACKUP_ADD] = "INSERT INTO backup_run (date, state, asked_by, asked_at)"
                   " VALUES (?1, ?2, ?3, ?4)",
    [BACKUP_NEXT] = "SELECT id FROM backup_run WHERE state = 0"
                    " AND state < 2 ORDER BY id LIMIT 1",
    [BACKUP_DONE_TODAY] = "SELECT 1 FROM backup_run WHERE date = ?1 AND"
                          " (state < 3 OR (asked_at >= ?2 AND asked_at <= ?3))",
    [BACKUP_RECENT] = "SELECT 1 FROM backup_run WHERE date >= ?1"
                      " AND asked_at >= ?2 AND asked_at <= ?3",
    [BACKUP_MISSING] =
        "SELECT count(*), coalesce(sum(b.tenant_id IS NULL AND created_at <= ?1"
        "), 0) FROM customer LEFT JOIN backup_tenant b"
        " ON b.tenant_id = customer.id WHERE customer.state = 1",
    [BACKUP_STEP] = "UPDATE backup_run SET state = 1, tenants = ?2, total = ?3,"
                    " bytes = ?4, date = ?5 WHERE id = ?1",
    [BACKUP_END] = "UPDATE backup_run SET state = ?2, ended_at = ?3,"
                   " reason_ja = ?4, reason_en = ?5 WHERE id = ?1",
    [BACKUP_BROKEN] = "UPDATE backup_run SET state = 3, ended_at = ?1,"
                      " reason_ja = ?2, reason_en = ?3 WHERE state = 1"
                      " AND state < 2",
    [BACKUP_RUNNING_NOW] = "SELECT 1 FROM backup_run WHERE state = 1"
                           " AND state < 2",
    [BACKUP_BROKEN_BEFORE] = "SELECT 1 FROM backup_run WHERE id > (SELECT"
                             " max(id) FROM backup_run) - 20 AND state = 3"
                             " AND reason_en = ?1 AND asked_at >= ?2"
                             " AND asked_at <= ?3",
    [BACKUP_SET_TENANT] =
        "INSERT INTO backup_tenant (tenant_id, date, at, bytes, row_count)"
        " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (tenant_id) DO UPDATE SET"
        " date = ?2, at = ?3, bytes = ?4, row_count = ?5",
    [BACKUP_SET_FAULT] =
        "INSERT INTO backup_fault (tenant_id, at, reason_ja, reason_en)"
        " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (tenant_id) DO UPDATE SET"
        " at = ?2, reason_ja = ?3, reason_en = ?4",
    [BACKUP_DROP_FAULT] = "DELETE FROM backup_fault WHERE tenant_id = ?1",
    [BACKUP_ADD_DRILL] =
        "INSERT INTO backup_drill (at, date, tenant_id, us, row_count,"
        " reason_ja, reason_en) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [BACKUP_DRILLED] =
        "SELECT 1 FROM backup_drill WHERE at >= ?1 AND at <= ?2 LIMIT 1",
    [BACKUP_UNTOLD] =
        "SELECT id, reason_ja, reason_en FROM backup_run r WHERE r.date = ?1 "
        "AND r.state = 3"
        " AND NOT EXISTS (SELECT 1 FROM backup_run o WHERE o.date = ?1"
        " AND o.state = 3 AND o.is_mailed = 1) LIMIT 1",
    [BACKUP_TOLD] = "UPDATE backup_run SET is_mailed = 1 WHERE id = ?1",
    [BACKUP_OPERATORS] =
        "SELECT email, name, lang FROM user WHERE state = 1 AND is_admin = 1",
    [BACKUP_SINCE] =
        "SELECT count(DISTINCT date) FROM backup_run WHERE state = 2 AND id >"
        " coalesce((SELECT max(id) FROM backup_run WHERE date = ?1), 0)",
    [BACKUP_FORGET] = "DELETE FROM backup_run WHERE id < ?1 - 1000",
};
const struct query_set backup_queries = {"backup", backup_text,
                                         COUNT(backup_text)};

/* ---- reading ---- */

static enum err read_runs(struct ctx *c, struct backup_view *out)
{
    struct backup_run *list = arena_array(c->mem, struct backup_run, 30);
    struct query *q = query(c, backup_text[BACKUP_RUNS]);
    enum err e;

    while (query_next(c, q, &e))
        list[out->run_count++] = (struct backup_run){
            .id = col_int(q, 0),
            .date = col_text(c, q, 1),
            .state = (enum backup_state)(col_int(q, 2) & 3),
            .asked_by = col_text(c, q, 3),
            .asked_at = col_int(q, 4),
            .ended_at = col_int(q, 5),
            .tenants = col_int(q, 6),
            .total = col_int(q, 7),
            .bytes = col_int(q, 8),
            .why = {col_text(c, q, 9), col_text(c, q, 10)},
        };
    out->runs = list;
    return e;
}

static enum err read_tenants(struct ctx *c, const struct app *app,
                             struct backup_view *out)
{
    struct buf rows = buf_in(c->mem);
    struct query *q = query(c, backup_text[BACKUP_TENANTS]);
    enum err e;

    while (query_next(c, q, &e)) {
        struct backup_tenant t = {
            .id = col_text(c, q, 0),
            .name = col_text(c, q, 1),
            .date = col_text(c, q, 2),
            .at = col_int(q, 3),
            .bytes = col_int(q, 4),
            .rows = col_int(q, 5),
            .is_damaged = col_int(q, 6) != 0,
            .why = {col_text(c, q, 7), col_text(c, q, 8)},
        };
        t.is_there = t.date && generation_tenant_bytes(app->store, t.date,
                                                       t.id) == t.bytes;
        buf_put(&rows, &t, sizeof t);
    }
    out->tenants = (const void *)rows.data;
    out->tenant_count = rows.len / sizeof *out->tenants;
    return e;
}

enum err backup_read(struct ctx *c, const struct app *app,
                     struct backup_view *out)
{
    struct backup_drill *drills = arena_array(c->mem, struct backup_drill, 12);

    struct backup_stock *stock;

    *out = (struct backup_view){.drills = drills};
    out->name_count = generation_list(app->store, c->mem, &out->names);
    enum err e = read_runs(c, out);
    if (!e)
        e = read_tenants(c, app, out);
    if (!e)
        e = backup_list_gone(c, app, &out->gone, &out->gone_count);
    if (!e && !(e = backup_stock_read(c, app, &stock)))
        out->kept_count = backup_stock_kept(stock, &out->kept);
    if (!e)
        e = backup_check_list(c, &out->checks, &out->check_count);
    if (!e)
        e = backup_copy_read(c, app, out->copies, &out->copy_count);
    if (e)
        return e;
    struct query *q = query(c, backup_text[BACKUP_DRILLS]);
    while (query_next(c, q, &e))
        drills[out->drill_count++] = (struct backup_drill){
            .at = col_int(q, 0),
            .us = col_int(q, 1),
            .rows = col_int(q, 2),
            .date = col_text(c, q, 3),
            .tenant = col_text(c, q, 4),
            .why = {col_text(c, q, 5), col_text(c, q, 6)},
        };
    return e;
}

/* ---- asking ---- */

const char *backup_name_today(struct ctx *c)
{
    char *text = arena_alloc(c->mem, 11);

    civil_format(clock_today(c->now_us), text);
    return text;
}

static enum err add_run(struct ctx *c, enum backup_state state,
                        const char *asked_by, int64_t *id)
{
    struct query *q = query(c, backup_text[BACKUP_ADD]);

    bind_text(q, 1, backup_name_today(c));
    bind_int(q, 2, state);
    bind_text(q, 3, asked_by);
    bind_int(q, 4, c->now_us);
    enum err e = query_run(c, q);
    *id = db_last_id(c);
    if (e)
        return e;
    q = query(c, backup_text[BACKUP_FORGET]);
    bind_int(q, 1, *id);
    return query_run(c, q);
}

enum err backup_count_since(struct ctx *c, const char *date, int64_t *days)
{
    struct query *q = query(c, backup_text[BACKUP_SINCE]);

    bind_text(q, 1, date);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *days = col_int(q, 0);
    query_done(q);
    return OK;
}

enum err backup_ask(struct ctx *c)
{
    struct query *q = query(c, backup_text[BACKUP_BUSY]);
    enum err e = query_one(c, q);
    int64_t id;

    if (!e) {
        query_done(q);
        return ctx_fail(c, ERR_CONFLICT, "", "busy",
                        "バックアップはすでに実行中です",
                        "A backup is running already");
    }
    if (e != ERR_NOT_FOUND ||
        (e = add_run(c, BACKUP_ASKED, c->actor->name, &id)))
        return e;
    return operation_log(
        c, &(struct operation){.action = "start",
                               .kind = "backup",
                               .object_id = id,
                               .object_name = backup_name_today(c)});
}

enum err backup_ask_soon(struct ctx *c)
{
    struct query *q = query(c, backup_text[BACKUP_NEXT]);
    enum err e = query_one(c, q);
    int64_t id;

    query_done(q);
    return e == ERR_NOT_FOUND ? add_run(c, BACKUP_ASKED, NULL, &id) : e;
}

/* ---- what a run writes down ---- */

enum err backup_note_start(struct ctx *c, const char *asked_by, int64_t *id)
{
    return add_run(c, BACKUP_RUNNING, asked_by, id);
}

enum err backup_note_step(struct ctx *c, int64_t id, int64_t done,
                          int64_t total, int64_t bytes)
{
    struct query *q = query(c, backup_text[BACKUP_STEP]);

    bind_int(q, 1, id);
    bind_int(q, 2, done);
    bind_int(q, 3, total);
    bind_int(q, 4, bytes);
    bind_text(q, 5, backup_name_today(c));
    return query_run(c, q);
}

enum err backup_note_tenant(struct ctx *c, const char *tenant, const char *date,
                            int64_t bytes, int64_t rows)
{
    struct query *q = query(c, backup_text[BACKUP_SET_TENANT]);

    bind_text(q, 1, tenant);
    bind_text(q, 2, date);
    bind_int(q, 3, c->now_us);
    bind_int(q, 4, bytes);
    bind_int(q, 5, rows);
    enum err e = query_run(c, q);
    if (e)
        return e;
    q = query(c, backup_text[BACKUP_DROP_FAULT]);
    bind_text(q, 1, tenant);
    return query_run(c, q);
}

enum err backup_note_fault(struct ctx *c, const char *tenant,
                           const struct backup_reason *why)
{
    struct query *q = query(c, backup_text[BACKUP_SET_FAULT]);

    bind_text(q, 1, tenant);
    bind_int(q, 2, c->now_us);
    bind_text(q, 3, why->ja);
    bind_text(q, 4, why->en);
    return query_run(c, q);
}

enum err backup_note_end(struct ctx *c, int64_t id,
                         const struct backup_reason *why)
{
    struct query *q = query(c, backup_text[BACKUP_END]);

    bind_int(q, 1, id);
    bind_int(q, 2, why->en ? BACKUP_FAILED : BACKUP_GOOD);
    bind_int(q, 3, c->now_us);
    bind_text(q, 4, why->ja);
    bind_text(q, 5, why->en);
    enum err e = query_run(c, q);
    return e ? e : backup_copy_hurry(c); /* what is new is copied at once */
}

enum err backup_note_drill(struct ctx *c, const struct backup_drill *d)
{
    struct query *q = query(c, backup_text[BACKUP_ADD_DRILL]);

    bind_int(q, 1, d->at);
    bind_text(q, 2, d->date);
    bind_text(q, 3, d->tenant);
    bind_int(q, 4, d->us);
    bind_int(q, 5, d->rows);
    bind_text(q, 6, d->why.ja);
    bind_text(q, 7, d->why.en);
    return query_run(c, q);
}

/* ---- what is due ---- */

static enum err is_there(struct ctx *c, struct query *q, bool *out)
{
    enum err e = query_one(c, q);

    *out = !e;
    query_done(q);
    return e == ERR_NOT_FOUND ? OK : e;
}

/* One that was running when the server died will never end: it is made again
 * at once.  A second time within the hour it may be what the server dies of,
 * and waits for the hour as what failed does. */
static enum err end_broken(struct ctx *c)
{
    bool is_broken, was_broken;
    enum err e =
        is_there(c, query(c, backup_text[BACKUP_RUNNING_NOW]), &is_broken);

    if (e || !is_broken)
        return e;
    struct query *q = query(c, backup_text[BACKUP_BROKEN_BEFORE]);
    bind_text(q, 1, BACKUP_STOPPED_EN);
    bind_int(q, 2, c->now_us - US_PER_HOUR);
    bind_int(q, 3, c->now_us);
    if ((e = is_there(c, q, &was_broken)))
        return e;
    q = query(c, backup_text[BACKUP_BROKEN]);
    bind_int(q, 1, c->now_us);
    bind_text(q, 2, BACKUP_STOPPED_JA);
    bind_text(q, 3, BACKUP_STOPPED_EN);
    e = query_run(c, q);
    return e || was_broken ? e : backup_ask_soon(c);
}

/* Today's, once the hour has come; again for a tenant that has none at all,
 * when today's is gone from the disk or after a failure, but once an hour at
 * most. */
static enum err is_hour(struct ctx *c, const struct app *app, bool *out)
{
    int64_t hour_ago = c->now_us - US_PER_HOUR;
    const char *today = backup_name_today(c);
    bool has_today, is_recent;

    struct query *q = query(c, backup_text[BACKUP_DONE_TODAY]);
    bind_text(q, 1, today);
    bind_int(q, 2, hour_ago);
    bind_int(q, 3, c->now_us);
    enum err e = is_there(c, q, &has_today);
    if (e)
        return e;
    q = query(c, backup_text[BACKUP_RECENT]);
    bind_text(q, 1, today);
    bind_int(q, 2, hour_ago);
    bind_int(q, 3, c->now_us);
    if ((e = is_there(c, q, &is_recent)))
        return e;
    q = query(c, backup_text[BACKUP_MISSING]);
    bind_int(q, 1, hour_ago);
    if ((e = query_one(c, q)))
        return e;
    bool any = col_int(q, 0) > 0, is_missing = col_int(q, 1) > 0;
    is_missing = is_missing || !generation_tenant_bytes(app->store, today,
                                                        GENERATION_CONTROL);
    query_done(q);
    int64_t since = c->now_us - BACKUP_HOUR * US_PER_HOUR;
    *out = any && clock_today(since) == clock_today(c->now_us) &&
           (!has_today || (is_missing && !is_recent));
    return OK;
}

enum err backup_find_due(struct ctx *c, const struct app *app,
                         struct backup_due *out)
{
    bool has_drill;
    enum err e = end_broken(c);

    *out = (struct backup_due){.run_id = 0};
    if (e)
        return e;
    struct query *q = query(c, backup_text[BACKUP_NEXT]);
    e = query_one(c, q);
    if (!e)
        out->run_id = col_int(q, 0);
    query_done(q);
    if (e && e != ERR_NOT_FOUND)
        return e;
    if ((e = is_hour(c, app, &out->is_hour)))
        return e;
    out->is_hour = out->is_hour && !out->run_id;
    q = query(c, backup_text[BACKUP_DRILLED]);
    bind_int(q, 1, c->now_us - 30 * 24 * US_PER_HOUR);
    bind_int(q, 2, c->now_us);
    if ((e = is_there(c, q, &has_drill)))
        return e;
    out->is_drill = !has_drill;
    return OK;
}

/* ---- mail ---- */

static enum err mail_one(struct ctx *c, const struct app *app, struct query *q,
                         const struct backup_reason *why)
{
    bool ja = col_int(q, 2) == 0;
    const char *text = arena_printf(
        c->mem,
        ja ? "%s "
             "様\n\n本日のバックアップに失敗しました。1時間おきに再試行します。"
             "\n\n%s\n\n-- \n櫓（Yagura）から自動で送信しています。\n"
           : "Dear %s,\n\nToday's backup failed. It is tried again every hour."
             "\n\n%s\n\n-- \nSent automatically by Yagura.\n",
        col_text(c, q, 1), ja ? why->ja : why->en);

    return outbox_add(
        c, app,
        &(struct outbox_mail){.address = col_text(c, q, 0),
                              .subject = ja ? "【櫓】バックアップの失敗"
                                            : "[Yagura] The backup failed",
                              .text = text});
}

enum err backup_tell(struct ctx *c, const struct app *app)
{
    struct query *q = query(c, backup_text[BACKUP_UNTOLD]);

    bind_text(q, 1, backup_name_today(c));
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    int64_t id = col_int(q, 0);
    struct backup_reason why = {col_text(c, q, 1), col_text(c, q, 2)};
    query_done(q);
    q = query(c, backup_text[BACKUP_OPERATORS]);
    while (!e && query_next(c, q, &e))
        e = mail_one(c, app, q, &why);
    query_done(q);
    if (e)
        return e;
    q = query(c, backup_text[BACKUP_TOLD]);
    bind_int(q, 1, id);
    return query_run(c, q);
}
