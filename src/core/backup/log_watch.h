/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BACKUP_LOG_WATCH_H
#define CORE_BACKUP_LOG_WATCH_H

#include "base/ctx.h"
#include "core/app.h"

/* The scheduler's, each minute: signs the logs that moved, and raises the alarm
 * (log_break.h) for those that do not go on from where they stood.  Nothing is
 * signed while log_head_hold() is in force. */
void log_watch_look(struct app *app, struct arena *mem);

/* In a write transaction on control.db: an older copy took the tenant's
 * place on purpose.  *seq: the last row known of the operation log. */
MUST_USE enum err log_watch_forget(struct ctx *c, const char *tenant,
                                   int64_t *seq);

#endif
