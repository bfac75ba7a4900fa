/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_SUPPORT_ACCESS_MAIL_H
#define CORE_ACCOUNT_SUPPORT_ACCESS_MAIL_H

#include "core/account/support_access.h"

/* What the steps of a support access tell the people they concern, in the
 * current write transaction. */
enum support_access_mail {
    SUPPORT_ACCESS_MAIL_ASKED,
    SUPPORT_ACCESS_MAIL_GRANTED,
    SUPPORT_ACCESS_MAIL_REFUSED,
    SUPPORT_ACCESS_MAIL_ENDED,
};
/* To every active master administrator. */
MUST_USE enum err support_access_mail_admins(struct ctx *c,
                                             const struct app *app,
                                             enum support_access_mail news,
                                             const struct support_access *s);
/* To the operator it is about. */
MUST_USE enum err support_access_mail_operator(struct ctx *c,
                                               const struct app *app,
                                               enum support_access_mail news,
                                               const struct support_access *s);

#endif
