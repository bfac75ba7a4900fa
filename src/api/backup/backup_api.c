/* SPDX-License-Identifier: Apache-2.0 */
/* Backups as the operator follows them. */
#include "api/dispatch/routes.h"
#include "core/backup/backup.h"
#include "core/scheduler.h"

static const struct field verify_fields[] = {
    {TEXT("date", 10, 10, REQUIRED, "日付", "Date")},
};
static const struct form verify_form = {"BackupVerify", verify_fields,
                                        COUNT(verify_fields)};

static void put_run(const struct ctx *c, struct json_out *o,
                    const struct backup_run *r)
{
    json_open(o, NULL, '{');
    json_id(o, "id", r->id);
    json_text(o, "date", r->date);
    json_text(o, "state", backup_state_words[r->state]);
    json_text(o, "asked_by", r->asked_by);
    json_moment(o, "asked_at", r->asked_at);
    json_moment(o, "ended_at", r->ended_at);
    json_int(o, "tenants", r->tenants);
    json_int(o, "total", r->total);
    json_int(o, "bytes", r->bytes);
    json_text(o, "reason", backup_reason_text(c, &r->why));
    json_close(o, '}');
}

static void put_tenant(const struct ctx *c, struct json_out *o,
                       const struct backup_tenant *t)
{
    json_open(o, NULL, '{');
    json_text(o, "id", t->id);
    json_text(o, "name", t->name);
    json_text(o, "date", t->date);
    json_moment(o, "at", t->at);
    json_int(o, "bytes", t->bytes);
    json_int(o, "rows", t->rows);
    json_bool(o, "is_there", t->is_there);
    json_bool(o, "is_damaged", t->is_damaged);
    json_text(o, "reason", backup_reason_text(c, &t->why));
    json_close(o, '}');
}

static void put_kept(struct json_out *o, const struct backup_kept *x)
{
    json_open(o, NULL, '{');
    json_text(o, "date", x->date);
    json_open(o, "tenants", '[');
    for (size_t i = 0; i < x->count; i++)
        json_text(o, NULL, x->tenants[i]);
    json_close(o, ']');
    json_close(o, '}');
}

static void put_drill(const struct ctx *c, struct json_out *o,
                      const struct backup_drill *d)
{
    json_open(o, NULL, '{');
    json_moment(o, "at", d->at);
    json_text(o, "date", d->date);
    json_text(o, "tenant", d->tenant);
    json_int(o, "us", d->us);
    json_int(o, "rows", d->rows);
    json_text(o, "reason", backup_reason_text(c, &d->why));
    json_close(o, '}');
}

static void put_copies(const struct ctx *c, struct json_out *o,
                       const struct backup_copies *p)
{
    json_open(o, NULL, '{');
    json_text(o, "place", backup_place_words[p->kind]);
    json_text(o, "name", p->name);
    json_moment(o, "tried_at", p->tried_at);
    json_moment(o, "good_at", p->good_at);
    json_text(o, "reason", backup_reason_text(c, &p->why));
    json_open(o, "generations", '[');
    for (size_t i = 0; i < p->count; i++) {
        json_open(o, NULL, '{');
        json_text(o, "date", p->list[i].date);
        json_int(o, "files", p->list[i].files);
        json_int(o, "bytes", p->list[i].bytes);
        json_moment(o, "at", p->list[i].at);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_close(o, '}');
}

static void put_check(const struct ctx *c, struct json_out *o,
                      const struct backup_check *x)
{
    json_open(o, NULL, '{');
    json_id(o, "id", x->id);
    json_text(o, "date", x->date);
    json_text(o, "state", backup_state_words[x->state]);
    json_text(o, "asked_by", x->asked_by);
    json_moment(o, "asked_at", x->asked_at);
    json_moment(o, "ended_at", x->ended_at);
    json_int(o, "done", x->done);
    json_int(o, "total", x->total);
    json_text(o, "reason", backup_reason_text(c, &x->why));
    json_close(o, '}');
}

static enum err get_backups(struct call *k)
{
    struct backup_view v;
    enum err e = backup_read(k->c, k->app, &v);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "generations", '[');
    for (size_t i = 0; i < v.name_count; i++)
        json_text(&k->out, NULL, v.names[i]);
    json_close(&k->out, ']');
    json_open(&k->out, "gone", '[');
    for (size_t i = 0; i < v.gone_count; i++)
        json_text(&k->out, NULL, v.gone[i]);
    json_close(&k->out, ']');
    json_open(&k->out, "kept", '[');
    for (size_t i = 0; i < v.kept_count; i++)
        put_kept(&k->out, &v.kept[i]);
    json_close(&k->out, ']');
    json_open(&k->out, "runs", '[');
    for (size_t i = 0; i < v.run_count; i++)
        put_run(k->c, &k->out, &v.runs[i]);
    json_close(&k->out, ']');
    json_open(&k->out, "tenants", '[');
    for (size_t i = 0; i < v.tenant_count; i++)
        put_tenant(k->c, &k->out, &v.tenants[i]);
    json_close(&k->out, ']');
    json_open(&k->out, "drills", '[');
    for (size_t i = 0; i < v.drill_count; i++)
        put_drill(k->c, &k->out, &v.drills[i]);
    json_close(&k->out, ']');
    json_open(&k->out, "checks", '[');
    for (size_t i = 0; i < v.check_count; i++)
        put_check(k->c, &k->out, &v.checks[i]);
    json_close(&k->out, ']');
    json_open(&k->out, "copies", '[');
    for (size_t i = 0; i < v.copy_count; i++)
        put_copies(k->c, &k->out, &v.copies[i]);
    json_close(&k->out, ']');
    json_close(&k->out, '}');
    return OK;
}

static enum err post_run(struct call *k)
{
    enum err e = tx_begin_control(k->c, k->app->store, TX_WRITE);

    if (e || (e = tx_end_control(k->c, k->app->store, backup_ask(k->c))))
        return e;
    scheduler_wake(k->app->scheduler);
    k->reply->status = 202;
    return OK;
}

static enum err post_verify(struct call *k)
{
    int64_t id = 0;
    enum err e =
        backup_check_ask(k->c, k->app, values_text(k->body, "date"), &id);

    if (e)
        return e;
    scheduler_wake(k->app->scheduler);
    k->reply->status = 202;
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "id", id);
    json_close(&k->out, '}');
    return OK;
}

static const struct route routes[] = {
    {GET("/backups", get_backups, RIGHT_AUDITOR,
         "Generations, runs, checks, tenants' last copies and drills")},
    {POST("/backups", post_run, RIGHT_OPERATOR, "Back up all tenants now",
          .flags = ROUTE_NO_TX)},
    {POST("/backups/verify", post_verify, RIGHT_OPERATOR, "Check a generation",
          .form = &verify_form, .flags = ROUTE_NO_TX)},
};
const struct route_set backup_routes = {routes, COUNT(routes), 0};
