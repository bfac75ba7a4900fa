/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_LOG_LOG_REPLY_H
#define API_LOG_LOG_REPLY_H

#include "api/dispatch/call.h"
#include "core/log/log_chain.h"

/* What both logs answer alike. */
extern const struct form log_export_form; /* format, from, to */

/* A file with its proof, noted in the operation log before it leaves. */
MUST_USE enum err log_reply_export(struct call *k, enum log_kind kind);
MUST_USE enum err log_reply_verify(struct call *k, enum log_kind kind);
/* The days of a query or body as moments in Japan, 0: not given; *to is the
 * beginning of the day after. */
void log_reply_days(const struct values *v, int64_t *from_us, int64_t *to_us);

#endif
