/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_NOTICE_NOTICE_MAIL_H
#define CORE_NOTICE_NOTICE_MAIL_H

#include "core/app.h"

/* A round of the scheduler: publishes what is due and writes the mails that
 * published notices owe, tenant by tenant, into each tenant's outbox.  A stop
 * at any moment loses nothing and repeats nothing.  A tenant that is gone or
 * not open is passed over, which is recorded. */
void notice_look(struct app *app, struct arena *mem);
/* The mails that are owed, in the moment and the arena of c; opens its own
 * transactions.  At most 200 tenants. */
MUST_USE enum err notice_tell_owed(struct ctx *c, const struct app *app);

#endif
