/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_EXCHANGE_WORKER_H
#define CORE_EXCHANGE_WORKER_H

#include "core/exchange/job.h"

/* The thread that does jobs, one after the other, each in the name of the
 * person who asked.  How far it is lives in memory only: the one transaction
 * of a job is all or nothing. */
struct worker;

/* How a kind of job is done, with the person who asked as the actor; *result
 * is the job's JSON, also when it fails.  One of the two. */
struct worker_kind {
    /* In a write transaction of the tenant's file, which also ends the job. */
    enum err (*run)(struct ctx *c, const struct app *app, struct worker *w,
                    const struct job_order *order, const char **result);
    /* In transactions of its own, for work that mostly reads: nobody who
     * writes waits for it.  It ends the job itself. */
    enum err (*run_apart)(struct ctx *c, const struct app *app,
                          struct worker *w, struct tenant *t,
                          const struct job_order *order, const char **result);
};

/* kinds: by enum job_kind, all of them; must outlive the worker. */
struct worker *worker_open(struct app *app, const struct worker_kind *kinds);
void worker_close(struct worker *w); /* NULL is allowed */
/* There is a new job in this tenant, committed. */
void worker_wake(struct worker *w, const char *tenant);
/* Puts the live figure into a running job. */
void worker_look(struct worker *w, const char *tenant, struct job *job);
/* Tenants with jobs that wait, and the one that runs. */
size_t worker_waiting(struct worker *w);
/* A running job is to stop; it may be too late. */
void worker_cancel(struct worker *w, const char *tenant, int64_t job_id);
/* By the work itself, after each piece: false when it must stop. */
bool worker_step(struct worker *w, int64_t done);

#endif
