/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCESS_LOG_H
#define CORE_ACCESS_LOG_H

#include "core/app.h"
#include "core/entry.h"

/* Takes what is to be written in the access logs from the requests and writes
 * it in batches, one thread for all tenants.  A request only copies into a
 * bounded queue, and waits a moment where it is full; what finds no room then
 * is counted, and the count is a row of the log itself ("(dropped)").  About once a minute the thread signs where both
 * logs of a tenant stand. */
struct access_log;

struct access_log *access_log_open(struct app *app);
/* Writes what is there and signs; NULL is allowed. */
void access_log_close(struct access_log *l);

/* Waits for a disk 250 ms at most.  route must be constant text, the others are
 * copied; texts that are too long are cut.  it->seq is not looked at. */
void access_log_put(struct access_log *l, const char *tenant,
                    const struct entry *it);

/* How many wait to be written, and how many were dropped since the start. */
size_t access_log_waiting(struct access_log *l, int64_t *dropped);

/* What was given before this call is in the files when it returns. */
void access_log_flush(struct access_log *l);

#endif
