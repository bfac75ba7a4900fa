/* SPDX-License-Identifier: Apache-2.0 */
/* The rows are in control.db; what concerns the customer is noted in the
 * tenant's own log first, so that no step of the operator's is without it. */
#include "core/contract/contract.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "core/access/access.h"
#include "core/contract/contract_mail.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/tenant/tenant_status.h"
#include "core/tenant/tenant_task.h"
#include "db/query.h"

#include <string.h>

enum {
    CONTRACT_GET,
    CONTRACT_ADD,
    CONTRACT_SET,
    CONTRACT_SUSPEND,
    CONTRACT_RESUME,
    CONTRACT_END,
    CONTRACT_WITHDRAW,
    CONTRACT_BY_OPERATOR,
    CONTRACT_BY_CUSTOMER,
};
static const char *const contract_text[] = {
    [CONTRACT_GET] =
        "SELECT x.name, r.number, r.starts_on, r.ends_on, r.place,"
        " coalesce(r.version, 0), s.at, s.by, s.reason, " TERMINATION_COLS
        " FROM customer x LEFT JOIN contract r ON r.customer_id = x.id"
        " LEFT JOIN suspension s ON s.customer_id = x.id"
        " LEFT JOIN termination t ON t.customer_id = x.id"
        " WHERE x.id = ?1 AND x.state = 1",
    [CONTRACT_ADD] = "INSERT INTO contract (customer_id, number, starts_on,"
                     " ends_on, place) VALUES (?1, ?2, ?3, ?4, ?5)"
                     " ON CONFLICT DO NOTHING",
    [CONTRACT_SET] =
        "UPDATE contract SET number = ?2, starts_on = ?3, ends_on = ?4,"
        " place = ?5, version = version + 1 WHERE customer_id = ?1"
        " AND version = ?6",
    [CONTRACT_SUSPEND] = "INSERT INTO suspension (customer_id, reason, by, at)"
                         " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    [CONTRACT_RESUME] = "DELETE FROM suspension WHERE customer_id = ?1",
    [CONTRACT_END] =
        "INSERT INTO termination (customer_id, end_on, delete_on,"
        " is_customers, asked_by, asked_at, operator_by, operator_at,"
        " customer_by, customer_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
        " ?9, ?10) ON CONFLICT (customer_id) DO UPDATE SET end_on = ?2,"
        " delete_on = ?3, is_customers = ?4, asked_by = ?5, asked_at = ?6,"
        " operator_by = ?7, operator_at = ?8, customer_by = ?9,"
        " customer_at = ?10, told = 0, version = version + 1",
    [CONTRACT_WITHDRAW] = "DELETE FROM termination WHERE customer_id = ?1",
    [CONTRACT_BY_OPERATOR] =
        "UPDATE termination SET operator_by = ?2, operator_at = ?3,"
        " version = version + 1 WHERE customer_id = ?1",
    [CONTRACT_BY_CUSTOMER] =
        "UPDATE termination SET customer_by = ?2, customer_at = ?3,"
        " delete_on = ?4,"
        " operator_by = CASE WHEN delete_on = ?4 THEN operator_by END,"
        " operator_at = CASE WHEN delete_on = ?4 THEN operator_at END,"
        " version = version + 1 WHERE customer_id = ?1",
};
const struct query_set contract_queries = {"contract", contract_text,
                                           COUNT(contract_text)};

static const struct field contract_fields[] = {
    {TEXT("number", 0, 60, OPTIONAL, "契約番号", "Contract number")},
    {DAY_IN("starts_on", DAY_FIRST, DAY_LAST, NULLABLE, "契約開始日", "Start")},
    {DAY_IN("ends_on", DAY_FIRST, DAY_LAST, NULLABLE, "契約終了日", "End")},
    {TEXT("place", 0, 200, OPTIONAL, "データの保管場所", "Place of the data")},
};
const struct form contract_form = {"ContractEdit", contract_fields,
                                   COUNT(contract_fields)};
#define TYPED_NAME                                                             \
    {                                                                          \
        TEXT("name", 1, 200, REQUIRED, "名称の入力", "The typed name")         \
    }
static const struct field suspension_fields[] = {
    {TEXT("reason", 1, 500, REQUIRED, "理由", "Reason")},
    TYPED_NAME,
};
const struct form suspension_form = {"TenantSuspend", suspension_fields,
                                     COUNT(suspension_fields)};
static const struct field termination_fields[] = {
    {DAY_IN("end_on", DAY_FIRST, DAY_LAST, REQUIRED, "最終利用日",
            "Last day of use")},
    {DAY_IN("delete_on", DAY_FIRST, DAY_LAST, NULLABLE, "削除日",
            "Day of deletion")},
    TYPED_NAME,
};
const struct form termination_form = {"TerminationSet", termination_fields,
                                      COUNT(termination_fields)};
static const struct field confirmation_fields[] = {
    {DAY_IN("delete_on", DAY_FIRST, DAY_LAST, NULLABLE, "削除日",
            "Day of deletion")},
    TYPED_NAME,
};
const struct form confirmation_form = {
    "TerminationConfirm", confirmation_fields, COUNT(confirmation_fields)};

/* ---- reading ---- */

void termination_read(struct ctx *c, struct query *q, int first,
                      struct termination *out)
{
    *out = (struct termination){
        .end_on = col_day(q, first),
        .delete_on = col_day(q, first + 1),
        .is_customers = col_int(q, first + 2) != 0,
        .asked_by = col_text(c, q, first + 3),
        .asked_at = col_int(q, first + 4),
        .operator_by = col_text(c, q, first + 5),
        .operator_at = col_int(q, first + 6),
        .customer_by = col_text(c, q, first + 7),
        .customer_at = col_int(q, first + 8),
        .told = (unsigned)col_int(q, first + 9),
        .version = col_int(q, first + 10),
    };
}

bool termination_is_confirmed(const struct termination *t)
{
    return t->operator_at &&
           (t->customer_at ||
            t->operator_at >= t->asked_at + CONTRACT_ALONE_US);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* In a transaction of control.db. */
static enum err get(struct ctx *c, const char *tenant,
                    struct contract_view *out)
{
    struct query *q = query(c, contract_text[CONTRACT_GET]);

    bind_text(q, 1, tenant);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "", "tenant", "テナントが見つかりません",
                        "No such tenant");
    if (e)
        return e;
    *out = (struct contract_view){
        .name = col_text(c, q, 0),
        .contract = {.number = or_empty(col_text(c, q, 1)),
                     .starts_on = col_day(q, 2),
                     .ends_on = col_day(q, 3),
                     .place = or_empty(col_text(c, q, 4)),
                     .version = col_int(q, 5)},
        .suspended_at = col_int(q, 6),
        .suspended_by = col_text(c, q, 7),
        .suspended_why = col_text(c, q, 8),
    };
    termination_read(c, q, 9, &out->termination);
    query_done(q);
    return OK;
}

enum err contract_get(struct ctx *c, const struct app *app, const char *tenant,
                      struct contract_view *out)
{
    enum err e = tx_begin_control(c, app->store, TX_READ);

    return e ? e : tx_end_control(c, app->store, get(c, tenant, out));
}

/* ---- logs ---- */

static const char *as_json(struct ctx *c, const struct contract *r)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "number", r->number);
    json_day(&o, "starts_on", r->starts_on);
    json_day(&o, "ends_on", r->ends_on);
    json_text(&o, "place", r->place);
    json_close(&o, '}');
    return b.data;
}

static const char *end_as_json(struct ctx *c, const struct termination *t)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    if (t->end_on == DAY_NONE)
        return NULL;
    json_open(&o, NULL, '{');
    json_day(&o, "end_on", t->end_on);
    json_day(&o, "delete_on", t->delete_on);
    json_text(&o, "asked_by", t->asked_by);
    json_text(&o, "operator_by", t->operator_by);
    json_text(&o, "customer_by", t->customer_by);
    json_close(&o, '}');
    return b.data;
}

/* One row, in the log of the transaction at hand. */
struct note {
    const char *action, *tenant;
    const char *before, *after; /* JSON */
};

static enum err log_note(struct ctx *c, void *arg)
{
    const struct note *n = arg;

    return operation_log(c, &(struct operation){.action = n->action,
                                                .kind = "contract",
                                                .object_name = n->tenant,
                                                .before = n->before,
                                                .after = n->after});
}

static enum err log_as_person(struct ctx *c, const struct app *app,
                              struct note *n)
{
    struct tenant *t;
    enum err e = tenant_open(app->store, n->tenant, &t);

    if (e)
        return e;
    if (!(e = tx_begin(c, t, TX_WRITE))) {
        e = access_check(c, RIGHT_ADMIN, 0); /* still one, in this moment */
        e = tx_end(c, t, e ? e : log_note(c, n));
    }
    tenant_close(t);
    return e;
}

/* In the tenant's own log.  One whose key or file is lost must still be able
 * to end. */
static enum err log_there(struct ctx *c, const struct app *app,
                          enum contract_side side, struct note *n)
{
    const struct tenant_task d = {
        .app = app,
        .tenant = n->tenant,
        .name = arena_printf(c->mem, "operator: %s", c->actor->name)};

    if (side == CONTRACT_CUSTOMER)
        return log_as_person(c, app, n);
    enum err e = tenant_task_run(c, &d, TX_WRITE, log_note, n);
    if (e != ERR_INTERNAL)
        return e;
    log_warn("tenant=%s cannot be opened: its log lacks action=%s", n->tenant,
             n->action);
    c->fail = NULL;
    return OK;
}

/* In the operator's: a customer's person is named with its tenant. */
static enum err log_here(struct ctx *c, enum contract_side side, struct note *n)
{
    struct actor who = *c->actor;
    struct ctx as = *c;

    if (side == CONTRACT_CUSTOMER) {
        who.user_id = 0;
        who.name = arena_printf(c->mem, "%s: %s", n->tenant, c->actor->name);
        as.actor = &who;
    }
    return log_note(&as, n);
}

/* ---- changing ---- */

/* A step is worked out on what stands, and done in the same transaction. */
struct step {
    const struct app *app;
    const char *tenant;
    enum contract_side side;
    const struct values *values;
    int64_t version;
    struct contract_view view;
    struct note note;
};
typedef enum err step_fn(struct ctx *c, struct step *s);

static enum err in_control(struct ctx *c, struct step *s, step_fn *check,
                           step_fn *change)
{
    enum err e =
        tx_begin_control(c, s->app->store, change ? TX_WRITE : TX_READ);

    if (e)
        return e;
    e = get(c, s->tenant, &s->view);
    if (!e)
        e = check(c, s);
    if (!e && change && !(e = change(c, s)))
        e = log_here(c, s->side, &s->note);
    return tx_end_control(c, s->app->store, e);
}

/* Checked, noted at the customer's, checked again and done. */
static enum err run(struct ctx *c, struct step *s, step_fn *check,
                    step_fn *change)
{
    s->note.tenant = s->tenant;
    enum err e = in_control(c, s, check, NULL);

    if (!e)
        e = log_there(c, s->app, s->side, &s->note);
    if (!e)
        e = in_control(c, s, check, change);
    return e ? e : tenant_status_load(c, s->app);
}

static enum err check_name(struct ctx *c, const struct step *s)
{
    const char *typed = values_text(s->values, "name");

    if (typed &&
        (strcmp(typed, s->view.name) == 0 || strcmp(typed, s->tenant) == 0))
        return OK;
    return ctx_fail(c, ERR_INVALID, "name", "name_typed",
                    "確認のため「%s」と入力してください",
                    "Type \"%s\" to confirm", s->view.name);
}

/* ---- the record ---- */

static enum err check_record(struct ctx *c, struct step *s)
{
    struct contract r = s->view.contract;
    const struct values *v = s->values;

    if (s->version != r.version)
        return ctx_stale(c);
    s->note.before = r.version ? as_json(c, &r) : NULL;
    if (values_has(v, "number"))
        r.number = or_empty(values_text(v, "number"));
    if (values_has(v, "starts_on"))
        r.starts_on = (int32_t)values_int(v, "starts_on", DAY_NONE);
    if (values_has(v, "ends_on"))
        r.ends_on = (int32_t)values_int(v, "ends_on", DAY_NONE);
    if (values_has(v, "place"))
        r.place = or_empty(values_text(v, "place"));
    if (r.starts_on != DAY_NONE && r.ends_on != DAY_NONE &&
        r.ends_on < r.starts_on)
        return ctx_fail(c, ERR_INVALID, "ends_on", "order",
                        "契約終了日が契約開始日より前です",
                        "The contract cannot end before it starts");
    s->view.contract = r;
    s->note.after = as_json(c, &r);
    return OK;
}

static enum err save_record(struct ctx *c, struct step *s)
{
    const struct contract *r = &s->view.contract;
    struct query *q =
        query(c, contract_text[r->version ? CONTRACT_SET : CONTRACT_ADD]);

    bind_text(q, 1, s->tenant);
    bind_text(q, 2, r->number);
    bind_day(q, 3, r->starts_on);
    bind_day(q, 4, r->ends_on);
    bind_text(q, 5, r->place);
    if (r->version)
        bind_int(q, 6, s->version);
    enum err e = query_run(c, q);
    return e ? e : db_changes(c) ? OK : ctx_stale(c);
}

enum err contract_set(struct ctx *c, const struct app *app, const char *tenant,
                      int64_t version, const struct values *v)
{
    struct step s = {.app = app,
                     .tenant = tenant,
                     .values = v,
                     .version = version,
                     .note = {.action = "update", .tenant = tenant}};

    return in_control(c, &s, check_record, save_record);
}

/* ---- suspending ---- */

static enum err check_suspend(struct ctx *c, struct step *s)
{
    if (s->view.suspended_at)
        return ctx_fail(c, ERR_CONFLICT, "", "suspended",
                        "すでに停止しています", "It is suspended already");
    return check_name(c, s);
}

static enum err suspend(struct ctx *c, struct step *s)
{
    struct query *q = query(c, contract_text[CONTRACT_SUSPEND]);

    bind_text(q, 1, s->tenant);
    bind_text(q, 2, values_text(s->values, "reason"));
    bind_text(q, 3, c->actor->name);
    bind_int(q, 4, c->now_us);
    return query_run(c, q);
}

enum err contract_suspend(struct ctx *c, const struct app *app,
                          const char *tenant, const struct values *v)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "reason", values_text(v, "reason"));
    json_close(&o, '}');
    struct step s = {.app = app,
                     .tenant = tenant,
                     .values = v,
                     .note = {.action = "suspend", .after = b.data}};
    return run(c, &s, check_suspend, suspend);
}

static enum err check_resume(struct ctx *c, struct step *s)
{
    if (s->view.suspended_at)
        return OK;
    return ctx_fail(c, ERR_CONFLICT, "", "not_suspended", "停止していません",
                    "It is not suspended");
}

static enum err resume(struct ctx *c, struct step *s)
{
    struct query *q = query(c, contract_text[CONTRACT_RESUME]);

    bind_text(q, 1, s->tenant);
    return query_run(c, q);
}

enum err contract_resume(struct ctx *c, const struct app *app,
                         const char *tenant)
{
    struct step s = {
        .app = app, .tenant = tenant, .note = {.action = "resume"}};

    return run(c, &s, check_resume, resume);
}

/* ---- the end ---- */

/* Between the day after the last one and 30 days later. */
static enum err check_delete_on(struct ctx *c, const struct termination *t)
{
    char first[11], last[11];

    if (t->delete_on > t->end_on &&
        t->delete_on <= t->end_on + CONTRACT_GRACE_DAYS)
        return OK;
    civil_format(t->end_on + 1, first);
    civil_format(t->end_on + CONTRACT_GRACE_DAYS, last);
    return ctx_fail(c, ERR_INVALID, "delete_on", "range",
                    "削除日は %s から %s までの間にしてください",
                    "The day of deletion is from %s to %s", first, last);
}

static enum err check_end(struct ctx *c, struct step *s)
{
    const struct termination *old = &s->view.termination;
    struct termination t = {.is_customers = s->side == CONTRACT_CUSTOMER,
                            .asked_by = c->actor->name,
                            .asked_at = c->now_us};
    enum err e = check_name(c, s);

    if (e)
        return e;
    if (t.is_customers && old->end_on != DAY_NONE)
        return ctx_fail(c, ERR_CONFLICT, "", "ending",
                        "契約の終了はすでに決まっています",
                        "The end of the contract is set already");
    t.end_on = (int32_t)values_int(s->values, "end_on", DAY_NONE);
    if (t.end_on < clock_today(c->now_us))
        return ctx_fail(c, ERR_INVALID, "end_on", "past",
                        "最終利用日は今日以降にしてください",
                        "The last day of use cannot be in the past");
    t.delete_on = (int32_t)values_int(s->values, "delete_on", DAY_NONE);
    if (t.delete_on == DAY_NONE)
        t.delete_on = t.end_on + CONTRACT_GRACE_DAYS;
    if ((e = check_delete_on(c, &t)))
        return e;
    *(t.is_customers ? &t.customer_by : &t.operator_by) = t.asked_by;
    *(t.is_customers ? &t.customer_at : &t.operator_at) = t.asked_at;
    s->note.before = end_as_json(c, old);
    s->note.after = end_as_json(c, &t);
    s->view.termination = t;
    return OK;
}

static enum err save_end(struct ctx *c, struct step *s)
{
    const struct termination *t = &s->view.termination;
    struct query *q = query(c, contract_text[CONTRACT_END]);

    bind_text(q, 1, s->tenant);
    bind_day(q, 2, t->end_on);
    bind_day(q, 3, t->delete_on);
    bind_int(q, 4, t->is_customers);
    bind_text(q, 5, t->asked_by);
    bind_int(q, 6, t->asked_at);
    bind_text(q, 7, t->operator_by);
    bind_id(q, 8, t->operator_at);
    bind_text(q, 9, t->customer_by);
    bind_id(q, 10, t->customer_at);
    return query_run(c, q);
}

enum err contract_end(struct ctx *c, const struct app *app, const char *tenant,
                      enum contract_side side, const struct values *v)
{
    struct step s = {.app = app,
                     .tenant = tenant,
                     .side = side,
                     .values = v,
                     .note = {.action = "terminate"}};

    return run(c, &s, check_end, save_end);
}

static enum err need_ending(struct ctx *c, const struct step *s)
{
    if (s->view.termination.end_on != DAY_NONE)
        return OK;
    return ctx_fail(c, ERR_CONFLICT, "", "not_ending",
                    "契約の終了は決まっていません",
                    "The contract does not end");
}

static enum err check_withdraw(struct ctx *c, struct step *s)
{
    const struct termination *t = &s->view.termination;
    enum err e = need_ending(c, s);

    if (e)
        return e;
    if (t->is_customers != (s->side == CONTRACT_CUSTOMER))
        return ctx_fail(c, ERR_CONFLICT, "", "not_yours",
                        "取り消せるのは、申し出た側だけです",
                        "Only the side that asked for it can withdraw it");
    if (t->is_customers && clock_today(c->now_us) > t->end_on)
        return ctx_fail(c, ERR_CONFLICT, "", "closed",
                        "最終利用日を過ぎたため、取り消せません",
                        "The last day of use is over: it cannot be withdrawn");
    s->note.before = end_as_json(c, t);
    return OK;
}

static enum err withdraw(struct ctx *c, struct step *s)
{
    struct query *q = query(c, contract_text[CONTRACT_WITHDRAW]);

    bind_text(q, 1, s->tenant);
    return query_run(c, q);
}

enum err contract_withdraw(struct ctx *c, const struct app *app,
                           const char *tenant, enum contract_side side)
{
    struct step s = {.app = app,
                     .tenant = tenant,
                     .side = side,
                     .note = {.action = "withdraw"}};
    enum err e = run(c, &s, check_withdraw, withdraw);

    if (!e)
        contract_tell(c, app, tenant, CONTRACT_WITHDRAWN, &s.view.termination);
    return e;
}

/* Alone, the operator needs a night's sleep over it. */
static enum err check_alone(struct ctx *c, const struct termination *t)
{
    int64_t from = t->asked_at + CONTRACT_ALONE_US;

    if (t->customer_at || c->now_us >= from)
        return OK;
    const char *at = clock_format(c->mem, from);
    return ctx_fail(c, ERR_CONFLICT, "", "too_early",
                    "お客様がまだ確認していません。運用者だけで確認できるのは "
                    "%.10s %.8s（日本時間）からです",
                    "The customer has not confirmed yet: the operator alone "
                    "may from %.10s %.8s (Japan time) on",
                    at, at + 11);
}

static enum err check_confirm(struct ctx *c, struct step *s)
{
    struct termination *t = &s->view.termination;
    enum err e = need_ending(c, s);

    if (e || (e = check_name(c, s)))
        return e;
    int32_t earlier = (int32_t)values_int(s->values, "delete_on", DAY_NONE);
    s->note.before = end_as_json(c, t);
    if (s->side == CONTRACT_OPERATOR) {
        if ((e = check_alone(c, t)))
            return e;
        if (earlier != DAY_NONE && earlier != t->delete_on)
            return ctx_fail(c, ERR_INVALID, "delete_on", "side",
                            "削除日を変えられるのは、お客様の確認だけです",
                            "Only the customer's confirmation can change the "
                            "day of deletion");
        t->operator_by = c->actor->name;
        t->operator_at = c->now_us;
    } else {
        t->customer_by = c->actor->name;
        t->customer_at = c->now_us;
        if (earlier != DAY_NONE && earlier != t->delete_on) {
            if (earlier > t->delete_on)
                return ctx_fail(c, ERR_INVALID, "delete_on", "later",
                                "削除日は早めることだけができます",
                                "The day of deletion can only be made earlier");
            t->delete_on = earlier;
            t->operator_by = NULL;
            t->operator_at = 0;
        }
        if ((e = check_delete_on(c, t)))
            return e;
    }
    s->note.after = end_as_json(c, t);
    return OK;
}

static enum err confirm(struct ctx *c, struct step *s)
{
    bool is_customer = s->side == CONTRACT_CUSTOMER;
    struct query *q =
        query(c, contract_text[is_customer ? CONTRACT_BY_CUSTOMER
                                           : CONTRACT_BY_OPERATOR]);

    bind_text(q, 1, s->tenant);
    bind_text(q, 2, c->actor->name);
    bind_int(q, 3, c->now_us);
    if (is_customer)
        bind_day(q, 4, s->view.termination.delete_on);
    return query_run(c, q);
}

enum err contract_confirm(struct ctx *c, const struct app *app,
                          const char *tenant, enum contract_side side,
                          const struct values *v)
{
    struct step s = {.app = app,
                     .tenant = tenant,
                     .side = side,
                     .values = v,
                     .note = {.action = "confirm"}};

    return run(c, &s, check_confirm, confirm);
}
