/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BACKUP_LOG_BREAK_H
#define CORE_BACKUP_LOG_BREAK_H

#include "core/app.h"
#include "core/log/log_chain.h"

/* The alarm: a log whose chain was found broken is written down in control.db,
 * with a row of the operator's log, and told by mail to the operators and to
 * the tenant's master administrators, once for each place where it breaks.
 * The trust page reads it from there at once.  It stands until the same log is
 * found whole, or an older copy of the tenant takes its place on purpose. */
struct log_break {
    const char *tenant; /* STORE_OPERATOR: the operator's own log */
    enum log_kind kind;
    int64_t seq, found_at;
};
enum { LOG_BREAKS_MAX = 20 };

/* log_verify(), and the alarm or its end.  Opens its own transactions; what
 * keeps the alarm from being raised is logged, not returned. */
MUST_USE enum err log_check(struct ctx *c, const struct app *app,
                            struct tenant *t, enum log_kind kind,
                            struct log_proof *out);
/* Raised before, within the last hour. */
bool log_break_is_known(struct ctx *c, const struct app *app,
                        const char *tenant, enum log_kind kind);
/* By the scheduler: mails that could not be written then. */
void log_break_settle(struct app *app, struct arena *mem);

/* In a transaction of control.db.  tenant NULL: of all, the newest first, at
 * most LOG_BREAKS_MAX; all: how many there are. */
MUST_USE enum err log_break_list(struct ctx *c, const char *tenant,
                                 const struct log_break **out, size_t *count,
                                 int64_t *all);
MUST_USE enum err log_break_forget(struct ctx *c, const char *tenant);

/* As a reader knows the log: "操作ログ", "access log". */
const char *log_break_name(struct ctx *c, enum log_kind kind);

#endif
