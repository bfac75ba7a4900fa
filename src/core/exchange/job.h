/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_EXCHANGE_JOB_H
#define CORE_EXCHANGE_JOB_H

#include "core/app.h"

#include <stddef.h>

/* Long work: a row in the tenant's file, done by core/exchange/worker; the transaction
 * with what it made also says that it is done, so that a restart neither loses
 * a job nor does it twice.  A person sees the own jobs only. */
enum job_kind { JOB_PEOPLE_IMPORT, JOB_ARCHIVE };
enum job_state {
    JOB_WAITING,
    JOB_RUNNING,
    JOB_DONE,
    JOB_FAILED,
    JOB_CANCELLED
};
enum { JOB_KEEP_DAYS = 30 };

struct job {
    int64_t id, user_id;
    enum job_kind kind;
    enum job_state state;
    int64_t done, total;
    const char *result; /* JSON, NULL until over */
    int64_t created_at, ended_at;
};

/* What the worker needs to act as the person who asked. */
struct job_order {
    struct job job;
    const void *input;
    size_t input_len;
    const char *ip, *request_id, *base_url;
};

extern const char *const job_kind_words[];
extern const char *const job_state_words[];

/* ERR_CONFLICT "job_active": the person has one of this kind already.  Call
 * worker_wake() after the commit. */
MUST_USE enum err job_add(struct ctx *c, enum job_kind kind, const void *input,
                          size_t len, int64_t total, struct job *out);
MUST_USE enum err job_get(struct ctx *c, int64_t id, struct job *out);
/* Newest first; after_id pages downwards. */
MUST_USE enum err job_list(struct ctx *c, int64_t after_id, int limit,
                           const struct job **out, size_t *count, bool *more);
/* A waiting job is over at once; a running one when the worker notices. */
MUST_USE enum err job_cancel(struct ctx *c, int64_t id, struct job *out);

/* For the worker.  ERR_NOT_FOUND: nothing waits. */
MUST_USE enum err job_take(struct ctx *c, struct job_order *out);
MUST_USE enum err job_end(struct ctx *c, int64_t id, enum job_state state,
                          int64_t done, const char *result);
/* After a start: what ran when the server stopped waits again. */
MUST_USE enum err job_requeue(struct ctx *c);

#endif
