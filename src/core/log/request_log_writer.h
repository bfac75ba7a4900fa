/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LOG_REQUEST_LOG_WRITER_H
#define CORE_LOG_REQUEST_LOG_WRITER_H

#include "core/app.h"
#include "core/log/request_log.h"

/* Takes what is to be written in the access logs from the requests and writes
 * it in batches, one thread for all tenants.  A request only copies into a
 * bounded queue, and waits a moment where it is full; what finds no room then
 * is counted, and the count is a row of the log itself ("(dropped)").  About once a minute the thread signs where both
 * logs of a tenant stand. */
struct request_log_writer;

struct request_log_writer *request_log_writer_open(struct app *app);
/* Writes what is there and signs; NULL is allowed. */
void request_log_writer_close(struct request_log_writer *l);

/* Waits for a disk 250 ms at most.  route must be constant text, the others are
 * copied; texts that are too long are cut.  it->seq is not looked at. */
void request_log_writer_put(struct request_log_writer *l, const char *tenant,
                            const struct request_log_row *it);

/* How many wait to be written, and how many were dropped since the start. */
size_t request_log_writer_waiting(struct request_log_writer *l,
                                  int64_t *dropped);

/* What was given before this call is in the files when it returns. */
void request_log_writer_flush(struct request_log_writer *l);

#endif
