/* SPDX-License-Identifier: Apache-2.0 */
#include "core/exchange/job.h"

#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

#define US_PER_DAY INT64_C(86400000000)
#define JOB_COLS                                                               \
    "id, user_id, kind, state, done, total, result, created_at, ended_at"

enum {
    JOB_GET,
    JOB_LIST,
    JOB_ACTIVE,
    JOB_ADD,
    JOB_FORGET,
    JOB_NEXT,
    JOB_START,
    JOB_END,
    JOB_REQUEUE
};
static const char *const job_text[] = {
    [JOB_GET] = "SELECT " JOB_COLS " FROM job WHERE id = ?1 AND user_id = ?2",
    [JOB_LIST] = "SELECT " JOB_COLS " FROM job WHERE user_id = ?1 AND id < ?2"
                 " ORDER BY id DESC LIMIT ?3",
    [JOB_ACTIVE] = "SELECT id FROM job WHERE state = ?1 AND user_id = ?2 AND"
                   " kind = ?3 LIMIT 1",
    [JOB_ADD] = "INSERT INTO job (kind, user_id, input, total, ip, request_id,"
                " base_url, created_at)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [JOB_FORGET] = "DELETE FROM job WHERE user_id = ?1 AND ended_at < ?2",
    [JOB_NEXT] = "SELECT " JOB_COLS ", input, ip, request_id, base_url"
                 " FROM job WHERE state = 0 ORDER BY id LIMIT 1",
    [JOB_START] = "UPDATE job SET state = 1 WHERE id = ?1",
    [JOB_END] = "UPDATE job SET state = ?2, done = ?3, result = ?4,"
                " ended_at = ?5, input = NULL WHERE id = ?1 AND state < 2",
    [JOB_REQUEUE] = "UPDATE job SET state = 0 WHERE state = 1",
};
const struct query_set job_queries = {"job", job_text, COUNT(job_text)};

const char *const job_kind_words[] = {"people_import", "archive", NULL};
const char *const job_state_words[] = {"waiting", "running",   "done",
                                       "failed",  "cancelled", NULL};

static void read_job(struct ctx *c, struct query *q, struct job *out)
{
    *out = (struct job){
        .id = col_int(q, 0),
        .user_id = col_int(q, 1),
        .kind = (enum job_kind)col_int(q, 2),
        .state = (enum job_state)col_int(q, 3),
        .done = col_int(q, 4),
        .total = col_int(q, 5),
        .result = col_text(c, q, 6),
        .created_at = col_int(q, 7),
        .ended_at = col_int(q, 8),
    };
}

enum err job_get(struct ctx *c, int64_t id, struct job *out)
{
    struct query *q = query(c, job_text[JOB_GET]);

    bind_int(q, 1, id);
    bind_int(q, 2, c->actor->user_id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "id", "not_found", "処理が見つかりません",
                        "No such job");
    if (e)
        return e;
    read_job(c, q, out);
    query_done(q);
    return OK;
}

enum err job_list(struct ctx *c, int64_t after_id, int limit,
                  const struct job **out, size_t *count, bool *more)
{
    struct job *list = arena_array(c->mem, struct job, (size_t)limit + 1);
    struct query *q = query(c, job_text[JOB_LIST]);
    enum err e;

    *count = 0;
    bind_int(q, 1, c->actor->user_id);
    bind_int(q, 2, after_id ? after_id : INT64_MAX);
    bind_int(q, 3, limit + 1);
    while (query_next(c, q, &e))
        read_job(c, q, &list[(*count)++]);
    *more = *count > (size_t)limit;
    if (*more)
        (*count)--;
    *out = list;
    return e;
}

static enum err check_none_active(struct ctx *c, enum job_kind kind)
{
    for (int state = JOB_WAITING; state <= JOB_RUNNING; state++) {
        struct query *q = query(c, job_text[JOB_ACTIVE]);
        bind_int(q, 1, state);
        bind_int(q, 2, c->actor->user_id);
        bind_int(q, 3, kind);
        enum err e = query_one(c, q);
        if (!e) {
            query_done(q);
            return ctx_fail(c, ERR_CONFLICT, "", "job_active",
                            "前の処理がまだ終わっていません",
                            "The job before is not over yet");
        }
        if (e != ERR_NOT_FOUND)
            return e;
    }
    return OK;
}

enum err job_add(struct ctx *c, enum job_kind kind, const void *input,
                 size_t len, int64_t total, struct job *out)
{
    enum err e = check_none_active(c, kind);

    if (e)
        return e;
    struct query *q = query(c, job_text[JOB_FORGET]);
    bind_int(q, 1, c->actor->user_id);
    bind_int(q, 2, c->now_us - JOB_KEEP_DAYS * US_PER_DAY);
    if ((e = query_run(c, q)))
        return e;
    q = query(c, job_text[JOB_ADD]);
    bind_int(q, 1, kind);
    bind_int(q, 2, c->actor->user_id);
    bind_blob(q, 3, input, len);
    bind_int(q, 4, total);
    bind_text(q, 5, c->actor->ip);
    bind_text(q, 6, c->actor->request_id);
    bind_text(q, 7, c->actor->base_url);
    bind_int(q, 8, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    if ((e = job_get(c, db_last_id(c), out)))
        return e;
    return operation_log(
        c, &(struct operation){.action = "start",
                               .kind = "job",
                               .object_id = out->id,
                               .object_name = job_kind_words[kind]});
}

enum err job_end(struct ctx *c, int64_t id, enum job_state state, int64_t done,
                 const char *result)
{
    struct query *q = query(c, job_text[JOB_END]);

    bind_int(q, 1, id);
    bind_int(q, 2, state);
    bind_int(q, 3, done);
    bind_text(q, 4, result);
    bind_int(q, 5, c->now_us);
    return query_run(c, q);
}

enum err job_cancel(struct ctx *c, int64_t id, struct job *out)
{
    enum err e = job_get(c, id, out);

    if (e || out->state != JOB_WAITING)
        return e;
    if ((e = job_end(c, id, JOB_CANCELLED, 0, NULL)))
        return e;
    if ((e = job_get(c, id, out)))
        return e;
    return operation_log(
        c, &(struct operation){.action = "cancel",
                               .kind = "job",
                               .object_id = id,
                               .object_name = job_kind_words[out->kind]});
}

enum err job_take(struct ctx *c, struct job_order *out)
{
    struct query *q = query(c, job_text[JOB_NEXT]);
    enum err e = query_one(c, q);

    if (e)
        return e;
    read_job(c, q, &out->job);
    out->input = col_blob(c, q, 9, &out->input_len);
    out->ip = col_text(c, q, 10);
    out->request_id = col_text(c, q, 11);
    out->base_url = col_text(c, q, 12);
    query_done(q);
    q = query(c, job_text[JOB_START]);
    bind_int(q, 1, out->job.id);
    return query_run(c, q);
}

enum err job_requeue(struct ctx *c)
{
    return query_run(c, query(c, job_text[JOB_REQUEUE]));
}
