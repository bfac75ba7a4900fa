/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_EXPIRY_MAIL_H
#define CORE_ACCOUNT_EXPIRY_MAIL_H

#include "core/app.h"

/* Tells by mail, once a password, that it ends within a week (sooner where the
 * policy gives passwords less than four); nobody where they do not end. */
enum { EXPIRY_MAIL_DAYS = 7 };

/* One tenant's, in a write transaction; doing it twice sends nothing more. */
MUST_USE enum err expiry_mail_send(struct ctx *c, const struct app *app);

#endif
