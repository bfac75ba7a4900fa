/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_OUTBOX_H
#define CORE_OUTBOX_H

#include "core/app.h"

/* Mail leaves in two steps: a row in the tenant's file, committed with the
 * change it tells of, and threads that hand them to the relay.  Nothing
 * is lost on restart: every tenant is looked through at the start.
 * Retries after 1, 2, 4 … 30 minutes until the mail expires. */
struct outbox;

struct letter {
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
                             const struct letter *letter);

/* The worker looks at the actor's tenant after the reply. */
void outbox_wake(struct ctx *c, const struct app *app);

/* Starts and stops the worker. */
struct outbox *outbox_open(struct app *app);
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
