/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SCHEDULER_H
#define CORE_SCHEDULER_H

#include "core/app.h"

/* What is done by the day: a thread that goes through the tenants one by one,
 * never inside a request.  Rows of the operation log go 3 months after they
 * were written, what lies in the bin after 30 days, sessions that are over. */
struct scheduler;

struct scheduler *scheduler_open(struct app *app);
void scheduler_wake(struct scheduler *t);  /* looks now */
void scheduler_close(struct scheduler *t); /* NULL is allowed */

/* One tenant's round, in a write transaction; log_key as operation_prune
 * wants it.  Doing it twice does nothing more. */
MUST_USE enum err scheduler_tidy(struct ctx *c, const uint8_t log_key[32]);

#endif
