/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CARETAKER_H
#define CORE_CARETAKER_H

#include "core/app.h"

/* What is done by the day: a thread that goes through the tenants one by one,
 * never inside a request.  Rows of the operation log go 3 months after they
 * were written, what lies in the bin after 30 days, sessions that are over. */
struct caretaker;

struct caretaker *caretaker_open(struct app *app);
void caretaker_wake(struct caretaker *t);  /* looks now */
void caretaker_close(struct caretaker *t); /* NULL is allowed */

/* One tenant's round, in a write transaction; log_key as operation_prune
 * wants it.  Doing it twice does nothing more. */
MUST_USE enum err caretaker_tidy(struct ctx *c, const uint8_t log_key[32]);

#endif
