/* SPDX-License-Identifier: Apache-2.0 */
/* The tenant's file is committed first, control.db after it: what a crash
 * leaves between them desk_settle() mends. */
#include "core/desk_thread.h"

#include "core/access_log.h"
#include "core/errand.h"
#include "core/log_export.h"

enum { RELEASE_MAX_BYTES = 24 << 20 };
#define US_PER_DAY INT64_C(86400000000)

struct work {
    const struct desk_thread *d;
    struct enquiry_side by;
    const struct values *v;
    const char *body;
    int64_t version;
    struct enquiry_view *out;
    const struct enquiry_file *file; /* of attach and read */
    const char *data;
    size_t len;
    struct enquiry_file *file_out;
    struct buf *b;
    enum enquiry_decision decision;
};

enum err enquiry_view_read(struct ctx *c, const struct enquiry_side *by,
                           int64_t id, struct enquiry_view *out)
{
    enum err e = enquiry_get(c, by, id, &out->it);

    if (!e)
        e = enquiry_list_messages(c, id, &out->messages, &out->message_count);
    return e ? e : enquiry_file_list(c, id, &out->files, &out->file_count);
}

static enum err run(struct ctx *c, enum tx_mode mode, errand_fn *step,
                    struct work *w)
{
    const struct desk_thread *d = w->d;
    const struct errand errand = {
        .app = d->app,
        .tenant = d->tenant,
        .name = arena_printf(c->mem, "desk: %s", d->operator_name),
    };
    struct desk_setting setting;
    enum err e = desk_setting_get(c, d->app->store, &setting);

    if (e)
        return e;
    w->by = (struct enquiry_side){.is_desk = true,
                                  .operator_id = d->operator_id,
                                  .name = d->operator_name,
                                  .answer_hours = setting.answer_hours};
    return errand_run(c, &errand, mode, step, w);
}

static enum err run_and_tell(struct ctx *c, errand_fn *step, struct work *w,
                             const char *action)
{
    enum err e = run(c, TX_WRITE, step, w);

    return e ? e : desk_tell(c, w->d->app, w->d->tenant, &w->out->it, action);
}

static enum err view(struct ctx *c, struct work *w)
{
    return enquiry_view_read(c, &w->by, w->out->it.id, w->out);
}

/* What is owed to the customer after the desk has spoken. */
static enum err finish(struct ctx *c, struct work *w)
{
    enum err e = enquiry_mail_customer(c, w->d->app, &w->out->it);

    return e ? e : view(c, w);
}

static enum err get(struct ctx *c, void *arg)
{
    struct work *w = arg;

    w->out->it.id = w->d->id;
    return view(c, w);
}

enum err desk_thread_get(struct ctx *c, const struct desk_thread *d,
                         struct enquiry_view *out)
{
    struct work w = {.d = d, .out = out};

    return run(c, TX_READ, get, &w);
}

static enum err say(struct ctx *c, void *arg)
{
    struct work *w = arg;
    int64_t message;
    enum err e =
        enquiry_say(c, &w->by, w->d->id, w->body, &w->out->it, &message);

    return e ? e : finish(c, w);
}

enum err desk_thread_say(struct ctx *c, const struct desk_thread *d,
                         const char *body, struct enquiry_view *out)
{
    struct work w = {.d = d, .body = body, .out = out};

    return run_and_tell(c, say, &w, "answer");
}

static enum err close_it(struct ctx *c, void *arg)
{
    struct work *w = arg;
    enum err e = enquiry_close(c, &w->by, w->d->id, w->version, &w->out->it);

    return e ? e : view(c, w);
}

enum err desk_thread_close(struct ctx *c, const struct desk_thread *d,
                           int64_t version, struct enquiry_view *out)
{
    struct work w = {.d = d, .version = version, .out = out};

    return run_and_tell(c, close_it, &w, "close");
}

static enum err take_mail(struct ctx *c, void *arg)
{
    struct work *w = arg;
    enum err e = enquiry_take_mail(c, &w->by, w->v, &w->out->it);

    return e ? e : view(c, w);
}

enum err desk_thread_mail(struct ctx *c, const struct desk_thread *d,
                          const struct values *v, struct enquiry_view *out)
{
    struct work w = {.d = d, .v = v, .out = out};

    return run_and_tell(c, take_mail, &w, "mail");
}

static enum err attach(struct ctx *c, void *arg)
{
    struct work *w = arg;
    enum err e = enquiry_file_add(c, &w->by, w->file, w->data, w->file_out);

    return e ? e : enquiry_get(c, &w->by, w->d->id, &w->out->it);
}

enum err desk_thread_attach(struct ctx *c, const struct desk_thread *d,
                            const struct enquiry_file *file, const char *data,
                            struct enquiry_file *out)
{
    struct enquiry_view seen;
    struct work w = {
        .d = d, .out = &seen, .file = file, .data = data, .file_out = out};

    return run_and_tell(c, attach, &w, "attach");
}

static enum err read_file(struct ctx *c, void *arg)
{
    struct work *w = arg;

    return enquiry_file_read(c, &w->by, w->d->id, w->version, w->file_out,
                             w->b);
}

enum err desk_thread_read(struct ctx *c, const struct desk_thread *d,
                          int64_t file_id, struct enquiry_file *out,
                          struct buf *b)
{
    struct work w = {.d = d, .version = file_id, .file_out = out, .b = b};

    return run(c, TX_READ, read_file, &w);
}

/* ---- access-log requests ---- */

static enum err look_at_request(struct ctx *c, void *arg)
{
    struct work *w = arg;
    enum err e = enquiry_get(c, &w->by, w->d->id, &w->out->it);

    return e ? e : enquiry_need_undecided(c, &w->out->it);
}

/* Midnight in Japan. */
static int64_t day_us(int32_t day)
{
    return day * US_PER_DAY - INT64_C(9 * 3600) * 1000000;
}

static enum err make_file(struct ctx *c, const struct desk_thread *d,
                          const struct enquiry *it, struct buf *b)
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
    access_log_flush(d->app->access_log);
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
    struct enquiry_file file = {.enquiry_id = w->d->id,
                                .size = (int64_t)w->len},
                        done;
    enum err e = enquiry_decide(c, &w->by, w->d->id, w->decision, w->body,
                                &w->out->it, &file.message_id);

    if (!e && w->data) {
        file.name = w->out->it.format == LOG_CSV ? "yagura-access-log.csv"
                                                 : "yagura-access-log.ndjson";
        e = enquiry_file_add(c, &w->by, &file, w->data, &done);
    }
    return e ? e : finish(c, w);
}

enum err desk_thread_release(struct ctx *c, const struct desk_thread *d,
                             const char *body, struct enquiry_view *out)
{
    struct work w = {
        .d = d, .body = body, .out = out, .decision = ENQUIRY_RELEASED};
    struct buf b = buf_in(c->mem);
    enum err e = run(c, TX_READ, look_at_request, &w);

    if (e || (e = make_file(c, d, &out->it, &b)))
        return e;
    w.data = b.data;
    w.len = b.len;
    return run_and_tell(c, decide, &w, "release");
}

enum err desk_thread_refuse(struct ctx *c, const struct desk_thread *d,
                            const char *body, struct enquiry_view *out)
{
    struct work w = {
        .d = d, .body = body, .out = out, .decision = ENQUIRY_REFUSED};

    return run_and_tell(c, decide, &w, "refuse");
}
