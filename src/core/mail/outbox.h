/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MAIL_OUTBOX_H
#define CORE_MAIL_OUTBOX_H

#include "core/app.h"

/* Mail leaves in two steps: a row in the tenant's file, committed with the
 * change it tells of, and threads that hand them to the relay.  Nothing
 * is lost on restart: every tenant is looked through at the start.
 * Retries after 1, 2, 4 … 30 minutes until the mail expires. */
struct outbox;

struct outbox_mail {
    const char *address;
    const char *subject;
    const char *text;
    int expires_minutes; /* a code is dropped with it; 0: 24 hours */
    /* Dropped unless this person sees the project's tickets when it leaves;
     * 0: it goes in any case. */
    int64_t user_id, project_id;
    int64_t alert_id;  /* the rule that told by it; 0: none */
    int64_t notice_id; /* the notice that is told by it; 0: none */
};

/* In the current write transaction; wakes the worker after the reply. */
MUST_USE enum err outbox_add(struct ctx *c, const struct app *app,
                             const struct outbox_mail *letter);

/* The worker looks at the actor's tenant after the reply. */
void outbox_wake(struct ctx *c, const struct app *app);

/* What the outbox asks of modules that write mail; it knows none of them.
 * Both are called by the worker's threads. */
struct outbox_hooks {
    /* In a read transaction of the tenant's file: whether a mail about tickets
     * of this project may go to this person now. */
    enum err (*may_go)(struct ctx *c, int64_t user_id, int64_t project_id,
                       bool *out);
    /* Writes the mails of the oldest wish that was only written down, in
     * transactions of its own.  ERR_NOT_FOUND: there is none. */
    enum err (*answer_wish)(struct ctx *c, const struct app *app,
                            struct tenant *t);
};
/* Starts and stops the worker; hooks must outlive it. */
struct outbox *outbox_open(struct app *app, const struct outbox_hooks *hooks);
void outbox_close(struct outbox *o);

/* Tenants that have mail waiting; tries since the start; when the oldest of
 * the waiting mails was written, as of the last look at each, 0: none. */
struct outbox_stats {
    int64_t tenants, sent, failed, oldest_us;
};
void outbox_stats(struct outbox *o, struct outbox_stats *out);

/* demo: the last 100 mails, newest first, kept in memory. */
struct captured_mail {
    const char *to, *subject, *text;
    int64_t at_us;
};
size_t outbox_list_captured(struct outbox *o, struct arena *mem,
                            const struct captured_mail **out);

#endif
