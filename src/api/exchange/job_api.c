/* SPDX-License-Identifier: Apache-2.0 */
/* Long work of the person who asks, and the one kind there is: people from a
 * file, tried in the request, written by the worker. */
#include "api/dispatch/routes.h"
#include "core/exchange/people_import.h"

static const struct field list_fields[] = {
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form list_form = {"JobQuery", list_fields,
                                      COUNT(list_fields)};
static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_CHOICE("kind", job_kind_words, REQUIRED)},
    {OUT_CHOICE("state", job_state_words, REQUIRED)},
    {OUT_INT("done", REQUIRED)},
    {OUT_INT("total", REQUIRED)},
    {OUT_TEXT("created_at", REQUIRED)},
    {OUT_TEXT("ended_at", NULLABLE)},
};
static const struct form reply_form = {"Job", reply_fields,
                                       COUNT(reply_fields)};
static const struct field import_fields[] = {
    {BOOL("dry", OPTIONAL, "試行", "Dry run")},
};
static const struct form import_form = {"PeopleImportQuery", import_fields,
                                        COUNT(import_fields)};

static void put_job(struct call *k, const char *name, struct job *job)
{
    worker_look(k->app->worker, k->c->actor->tenant, job);
    json_open(&k->out, name, '{');
    json_id(&k->out, "id", job->id);
    json_text(&k->out, "kind", job_kind_words[job->kind]);
    json_text(&k->out, "state", job_state_words[job->state]);
    json_int(&k->out, "done", job->done);
    json_int(&k->out, "total", job->total);
    json_raw(&k->out, "result", job->result ? job->result : "null");
    json_moment(&k->out, "created_at", job->created_at);
    json_moment(&k->out, "ended_at", job->ended_at);
    json_close(&k->out, '}');
}

static enum err list_jobs(struct call *k)
{
    const struct job *list;
    size_t count;
    bool more;
    enum err e = job_list(k->c, values_int(k->query, "after", 0), call_limit(k),
                          &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        struct job job = list[i];
        put_job(k, NULL, &job);
    }
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].id : 0);
    json_close(&k->out, '}');
    return OK;
}

static enum err get_job(struct call *k)
{
    struct job job;
    enum err e = job_get(k->c, call_id(k, 0), &job);

    if (!e)
        put_job(k, NULL, &job);
    return e;
}

/* The write that a running job holds is not waited for. */
static enum err post_cancel(struct call *k)
{
    struct job job;
    enum err e = tx_begin(k->c, k->tenant, TX_READ);

    if (e)
        return e;
    if ((e = tx_end(k->c, k->tenant, job_get(k->c, call_id(k, 0), &job))))
        return e;
    worker_cancel(k->app->worker, k->c->actor->tenant, job.id);
    if (job.state == JOB_WAITING) {
        if ((e = tx_begin(k->c, k->tenant, TX_WRITE)))
            return e;
        if ((e = tx_end(k->c, k->tenant, job_cancel(k->c, job.id, &job))))
            return e;
    }
    k->reply->status = 202;
    put_job(k, NULL, &job);
    return OK;
}

/* ---- people ---- */

static enum err try_file(struct call *k, const char *data, size_t len,
                         struct people_file *f)
{
    people_csv_read(k->c, data, len, f);
    if (f->error_count)
        return OK;
    enum err e = tx_begin(k->c, k->tenant, TX_READ);
    return e ? e : tx_end(k->c, k->tenant, people_csv_check(k->c, f));
}

static enum err start_job(struct call *k, const char *data, size_t len,
                          const struct people_file *f)
{
    struct job job;
    enum err e = f->has_admins ? call_need_fresh(k) : OK;

    if (e || (e = tx_begin(k->c, k->tenant, TX_WRITE)))
        return e;
    if (!(e = access_check(k->c, k->route->right, 0)))
        e = job_add(k->c, JOB_PEOPLE_IMPORT, data, len, (int64_t)f->count,
                    &job);
    if ((e = tx_end(k->c, k->tenant, e)))
        return e;
    worker_wake(k->app->worker, k->c->actor->tenant);
    k->reply->status = 202;
    json_open(&k->out, NULL, '{');
    put_job(k, "job", &job);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_people(struct call *k)
{
    struct people_file f;
    const char *data;
    size_t len;
    bool dry = values_bool(k->query, "dry", false);
    enum err e = call_read_body(k, PEOPLE_MAX_BYTES, &data, &len);

    if (e == ERR_LIMIT)
        return ctx_fail(k->c, e, "", "file_size",
                        "ファイルが大きすぎます（上限 2 MB）",
                        "The file is larger than 2 MB");
    if (e)
        return e;
    if ((e = try_file(k, data, len, &f)))
        return e;
    if (!dry && f.error_count == 0)
        return start_job(k, data, len, &f);
    k->reply->status = f.error_count ? 422 : 200;
    json_open(&k->out, NULL, '{');
    json_bool(&k->out, "dry", dry);
    people_import_put(&k->out, &f);
    json_close(&k->out, '}');
    return OK;
}

static void name_file(struct call *k, const char *disposition)
{
    k->reply->type = "text/csv; charset=utf-8";
    reply_header(k->reply, "Content-Disposition", disposition);
}

static enum err get_sample(struct call *k)
{
    name_file(k, "attachment; filename=\"yagura-people-sample.csv\"");
    people_csv_sample(&k->reply->body, k->c->actor->lang);
    return OK;
}

static enum err get_people(struct call *k)
{
    name_file(k, "attachment; filename=\"yagura-people.csv\"");
    return people_csv_export(k->c, &k->reply->body);
}

static const struct route routes[] = {
    {GET("/jobs", list_jobs, RIGHT_SIGNED_IN,
         "The caller's own long work, newest first", .query = &list_form,
         .reply = &reply_form, .flags = ROUTE_LIST | ROUTE_TERMS)},
    {GET("/jobs/:id", get_job, RIGHT_SIGNED_IN, "One job and how far it is",
         .reply = &reply_form, .flags = ROUTE_TERMS)},
    {POST("/jobs/:id/cancel", post_cancel, RIGHT_SIGNED_IN,
          "Cancel a job that is not over", .reply = &reply_form,
          .flags = ROUTE_NO_TX | ROUTE_TERMS)},
    {POST("/people/imports", post_people, RIGHT_ADMIN_USERS,
          "People from a CSV file, as a job", .query = &import_form,
          .flags = ROUTE_NO_TX | ROUTE_RAW)},
    {GET("/people/sample", get_sample, RIGHT_ADMIN_USERS,
         "A sample CSV file of people")},
    {GET("/people/csv", get_people, RIGHT_ADMIN_USERS, "Everybody as CSV",
         .flags = ROUTE_TERMS)},
};
const struct route_set job_routes = {routes, COUNT(routes), SET_TOKENS};
