/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_DUE_MAIL_H
#define CORE_WORK_DUE_MAIL_H

#include "core/app.h"

/* The morning's mail of who wants one: one's own open tickets that end within
 * three days or should have ended, by key, day and link.  Sent once a day, from
 * seven o'clock on; who has none gets none. */
enum { DUE_MAIL_HOUR = 7, DUE_MAIL_DAYS = 3 };

/* One tenant's, in a write transaction; doing it twice sends nothing more. */
MUST_USE enum err due_mail_send(struct ctx *c, const struct app *app);

#endif
