/* SPDX-License-Identifier: Apache-2.0 */
/* Decided by days, not by when the round last ran: what was due while the
 * server stood still is done once, when it runs again. */
#include "base/civil.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/backup/backup.h"
#include "core/contract/contract.h"
#include "core/contract/contract_mail.h"
#include "core/contract/deletion.h"
#include "core/core.h"
#include "core/mail/clock_monitor.h"
#include "core/mail/operator_mail.h"
#include "db/query.h"

enum { ROUND_LIST, ROUND_TOLD };
static const char *const round_text[] = {
    [ROUND_LIST] = "SELECT x.id, x.name, " TERMINATION_COLS
                   " FROM termination t JOIN customer x ON x.id ="
                   " t.customer_id WHERE x.state = 1 AND t.customer_id >= ''",
    [ROUND_TOLD] = "UPDATE termination SET told = told | ?2"
                   " WHERE customer_id = ?1",
};
const struct query_set contract_round_queries = {"contract_round", round_text,
                                                 COUNT(round_text)};

enum { TOLD_END = 1, TOLD_SOON = 2, TOLD_CLOSED = 4, TOLD_OPERATORS = 8 };

struct due {
    const char *tenant, *name;
    struct termination t;
};

static enum err list(struct ctx *c, const struct app *app, struct buf *out)
{
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, round_text[ROUND_LIST]);
    while (query_next(c, q, &e)) {
        struct due d = {.tenant = col_text(c, q, 0), .name = col_text(c, q, 1)};
        termination_read(c, q, 2, &d.t);
        buf_put(out, &d, sizeof d);
    }
    return tx_end_control(c, app->store, e);
}

static enum err set_told(struct ctx *c, const struct due *d, int64_t bits)
{
    struct query *q = query(c, round_text[ROUND_TOLD]);

    bind_text(q, 1, d->tenant);
    bind_int(q, 2, bits);
    return query_run(c, q);
}

static void tell(struct ctx *c, const struct app *app, struct due *d,
                 unsigned bit, enum contract_news news)
{
    if ((d->t.told & bit) || !contract_tell(c, app, d->tenant, news, &d->t) ||
        tx_begin_control(c, app->store, TX_WRITE))
        return;
    if (tx_end_control(c, app->store, set_told(c, d, bit)))
        log_error("contract: told, but not noted tenant=%s", d->tenant);
    d->t.told |= bit;
}

/* The deletion of a tenant needs somebody. */
static enum err mail_operators(struct ctx *c, const struct app *app,
                               const struct due *d)
{
    char day[11];

    civil_format(d->t.delete_on, day);
    enum err e = operator_mail_all(
        c, app,
        &(struct operator_news){
            .subject_ja =
                arena_printf(c->mem, "%s の削除の確認が必要です", d->name),
            .subject_en = arena_printf(
                c->mem, "The deletion of %s has to be confirmed", d->name),
            .ja = arena_printf(c->mem,
                               "テナント %s（%s）は %s に削除する約束ですが、"
                               "まだ確認されていません。\n管理コンソールの"
                               "テナントの画面で確認してください。",
                               d->name, d->tenant, day),
            .en = arena_printf(c->mem,
                               "The tenant %s (%s) is to be deleted on %s, "
                               "but nobody has confirmed it yet.\nPlease do "
                               "so at the tenant's page of the console.",
                               d->name, d->tenant, day)});
    if (e == ERR_NOT_FOUND)
        e = OK;
    return e ? e : set_told(c, d, TOLD_OPERATORS);
}

static void warn_operators(struct ctx *c, const struct app *app,
                           const struct due *d)
{
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    if (!e)
        e = tx_end_control(c, app->store, mail_operators(c, app, d));
    if (e)
        log_error("contract: operators not told tenant=%s err=%s", d->tenant,
                  err_name(e));
}

static void look_at(struct ctx *c, struct app *app, struct due *d)
{
    int32_t today = clock_today(c->now_us);
    int32_t asked = clock_today(d->t.asked_at);
    const struct termination *t = &d->t;

    tell(c, app, d, TOLD_END, CONTRACT_SET_END);
    /* set within the last 7 days: the first mail says it all */
    if (today >= t->end_on - CONTRACT_WARN_DAYS && today <= t->end_on &&
        asked < t->end_on - CONTRACT_WARN_DAYS)
        tell(c, app, d, TOLD_SOON, CONTRACT_SOON);
    if (today > t->end_on)
        tell(c, app, d, TOLD_CLOSED, CONTRACT_CLOSED);
    if (!(d->t.told & TOLD_OPERATORS) && !termination_is_confirmed(t) &&
        today >= t->delete_on - CONTRACT_WARN_DAYS)
        warn_operators(c, app, d);
    if (today < t->delete_on || !termination_is_confirmed(t))
        return;
    if (!clock_monitor_may_destroy(app)) {
        log_warn("tenant=%s is not deleted now: the clock stepped", d->tenant);
        return;
    }
    if (!backup_try_hold())
        return; /* a copy may be on its way: the next look */
    enum err e = deletion_begin(c, app, d->tenant);
    backup_let();
    if (e)
        log_error("deletion not begun tenant=%s err=%s", d->tenant,
                  err_name(e));
}

void contract_round(struct app *app, struct arena *mem)
{
    static const struct actor system = {.name = "",
                                        .ip = "",
                                        .request_id = "contract",
                                        .tenant = STORE_OPERATOR,
                                        .base_url = ""};
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    struct buf rows = buf_in(mem);
    enum err e = list(&c, app, &rows);
    struct due *due = (void *)rows.data;

    if (e)
        log_error("contract: not looked at err=%s", err_name(e));
    for (size_t i = 0; !e && i < rows.len / sizeof *due; i++)
        look_at(&c, app, &due[i]);
}
