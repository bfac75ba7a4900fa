/* SPDX-License-Identifier: Apache-2.0 */
/* The tenant's file is committed first, control.db after it: what a crash
 * leaves between them helpdesk_settle() mends. */
#include "core/desk/helpdesk_thread.h"

#include "core/log/log_export.h"
#include "core/log/request_log_writer.h"
#include "core/tenant/tenant_task.h"

enum { RELEASE_MAX_BYTES = 24 << 20 };
#define US_PER_DAY INT64_C(86400000000)

struct work {
    const struct helpdesk_thread *d;
    struct support_request_side by;
    const struct values *v;
    const char *body;
    int64_t version;
    struct support_request_view *out;
    const struct support_request_file *file; /* of attach and read */
    const char *data;
    size_t len;
    struct support_request_file *file_out;
    struct buf *b;
    enum support_request_decision decision;
};

enum err support_request_view_read(struct ctx *c,
                                   const struct support_request_side *by,
                                   int64_t id, struct support_request_view *out)
{
    enum err e = support_request_get(c, by, id, &out->it);

    if (!e)
        e = support_request_list_messages(c, id, &out->messages,
                                          &out->message_count);
    return e ? e
             : support_request_file_list(c, id, &out->files, &out->file_count);
}

static enum err run(struct ctx *c, enum tx_mode mode, tenant_task_fn *step,
                    struct work *w)
{
    const struct helpdesk_thread *d = w->d;
    const struct tenant_task errand = {
        .app = d->app,
        .tenant = d->tenant,
        .name = arena_printf(c->mem, "desk: %s", d->operator_name),
    };
    struct helpdesk_setting setting;
    enum err e = helpdesk_setting_get(c, d->app->store, &setting);

    if (e)
        return e;
    w->by = (struct support_request_side){.is_desk = true,
                                          .operator_id = d->operator_id,
                                          .name = d->operator_name,
                                          .answer_hours = setting.answer_hours};
    return tenant_task_run(c, &errand, mode, step, w);
}

static enum err run_and_tell(struct ctx *c, tenant_task_fn *step,
                             struct work *w, const char *action)
{
    enum err e = run(c, TX_WRITE, step, w);

    return e ? e
             : helpdesk_tell(c, w->d->app, w->d->tenant, &w->out->it, action);
}

static enum err view(struct ctx *c, struct work *w)
{
    return support_request_view_read(c, &w->by, w->out->it.id, w->out);
}

/* What is owed to the customer after the desk has spoken. */
static enum err finish(struct ctx *c, struct work *w)
{
    enum err e = support_request_mail_customer(c, w->d->app, &w->out->it);

    return e ? e : view(c, w);
}

static enum err get(struct ctx *c, void *arg)
{
    struct work *w = arg;

    w->out->it.id = w->d->id;
    return view(c, w);
}

enum err helpdesk_thread_get(struct ctx *c, const struct helpdesk_thread *d,
                             struct support_request_view *out)
{
    struct work w = {.d = d, .out = out};

    return run(c, TX_READ, get, &w);
}

static enum err say(struct ctx *c, void *arg)
{
    struct work *w = arg;
    int64_t message;
    enum err e = support_request_say(c, &w->by, w->d->id, w->body, &w->out->it,
                                     &message);

    return e ? e : finish(c, w);
}

enum err helpdesk_thread_say(struct ctx *c, const struct helpdesk_thread *d,
                             const char *body, struct support_request_view *out)
{
    struct work w = {.d = d, .body = body, .out = out};

    return run_and_tell(c, say, &w, "answer");
}

static enum err close_it(struct ctx *c, void *arg)
{
    struct work *w = arg;
    enum err e =
        support_request_close(c, &w->by, w->d->id, w->version, &w->out->it);

    return e ? e : view(c, w);
}

enum err helpdesk_thread_close(struct ctx *c, const struct helpdesk_thread *d,
                               int64_t version,
                               struct support_request_view *out)
{
    struct work w = {.d = d, .version = version, .out = out};

    return run_and_tell(c, close_it, &w, "close");
}

static enum err take_mail(struct ctx *c, void *arg)
{
    struct work *w = arg;
    enum err e = support_request_take_mail(c, &w->by, w->v, &w->out->it);

    return e ? e : view(c, w);
}

enum err helpdesk_thread_mail(struct ctx *c, const struct helpdesk_thread *d,
                              const struct values *v,
                              struct support_request_view *out)
{
    struct work w = {.d = d, .v = v, .out = out};

    return run_and_tell(c, take_mail, &w, "mail");
}

static enum err attach(struct ctx *c, void *arg)
{
    struct work *w = arg;
    enum err e =
        support_request_file_add(c, &w->by, w->file, w->data, w->file_out);

    return e ? e : support_request_get(c, &w->by, w->d->id, &w->out->it);
}

enum err helpdesk_thread_attach(struct ctx *c, const struct helpdesk_thread *d,
                                const struct support_request_file *file,
                                const char *data,
                                struct support_request_file *out)
{
    struct support_request_view seen;
    struct work w = {
        .d = d, .out = &seen, .file = file, .data = data, .file_out = out};

    return run_and_tell(c, attach, &w, "attach");
}

static enum err read_file(struct ctx *c, void *arg)
{
    struct work *w = arg;

    return support_request_file_read(c, &w->by, w->d->id, w->version,
                                     w->file_out, w->b);
}

enum err helpdesk_thread_read(struct ctx *c, const struct helpdesk_thread *d,
                              int64_t file_id, struct support_request_file *out,
                              struct buf *b)
{
    struct work w = {.d = d, .version = file_id, .file_out = out, .b = b};

    return run(c, TX_READ, read_file, &w);
}

/* ---- access-log requests ---- */

static enum err look_at_request(struct ctx *c, void *arg)
{
    struct work *w = arg;
    enum err e = support_request_get(c, &w->by, w->d->id, &w->out->it);

    return e ? e : support_request_need_undecided(c, &w->out->it);
}

/* Midnight in Japan. */
static int64_t day_us(int32_t day)
{
    return day * US_PER_DAY - INT64_C(9 * 3600) * 1000000;
}

static enum err make_file(struct ctx *c, const struct helpdesk_thread *d,
                          const struct support_request *it, struct buf *b)
{
    const struct log_export what = {.kind = LOG_ACCESS,
                                    .format = (enum log_format)it->format,
                                    .from_us = day_us(it->from_day),
                                    .to_us = day_us(it->to_day + 1),
                                    .max_bytes = RELEASE_MAX_BYTES};
    struct actor who = *c->actor;
    struct ctx there = *c;
    struct tenant *t;
    int64_t rows;
    enum err e = tenant_open(d->app->store, d->tenant, &t);

    if (e)
        return e;
    who.tenant = d->tenant;
    there.actor = &who;
    request_log_writer_flush(d->app->access_log);
    e = log_export(&there, t, &what, b, &rows);
    tenant_close(t);
    if (e == ERR_LIMIT)
        return ctx_fail(
            c, ERR_CONFLICT, "from", "export_size",
            "記録が多すぎます（上限 24 MB）。期間を短くした依頼が必要です",
            "Too many records (limit 24 MB): shorter times must be asked for");
    return e;
}

static enum err decide(struct ctx *c, void *arg)
{
    struct work *w = arg;
    struct support_request_file file = {.support_request_id = w->d->id,
                                        .size = (int64_t)w->len},
                                done;
    enum err e = support_request_decide(c, &w->by, w->d->id, w->decision,
                                        w->body, &w->out->it, &file.message_id);

    if (!e && w->data) {
        file.name = w->out->it.format == LOG_CSV ? "yagura-access-log.csv"
                                                 : "yagura-access-log.ndjson";
        e = support_request_file_add(c, &w->by, &file, w->data, &done);
    }
    return e ? e : finish(c, w);
}

enum err helpdesk_thread_release(struct ctx *c, const struct helpdesk_thread *d,
                                 const char *body,
                                 struct support_request_view *out)
{
    struct work w = {
        .d = d, .body = body, .out = out, .decision = SUPPORT_REQUEST_RELEASED};
    struct buf b = buf_in(c->mem);
    enum err e = run(c, TX_READ, look_at_request, &w);

    if (e || (e = make_file(c, d, &out->it, &b)))
        return e;
    w.data = b.data;
    w.len = b.len;
    return run_and_tell(c, decide, &w, "release");
}

enum err helpdesk_thread_refuse(struct ctx *c, const struct helpdesk_thread *d,
                                const char *body,
                                struct support_request_view *out)
{
    struct work w = {
        .d = d, .body = body, .out = out, .decision = SUPPORT_REQUEST_REFUSED};

    return run_and_tell(c, decide, &w, "refuse");
}
