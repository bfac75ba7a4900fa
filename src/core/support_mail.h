/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SUPPORT_MAIL_H
#define CORE_SUPPORT_MAIL_H

#include "core/support.h"

/* What the steps of a support access tell the people they concern, in the
 * current write transaction. */
enum support_mail {
    SUPPORT_MAIL_ASKED,
    SUPPORT_MAIL_GRANTED,
    SUPPORT_MAIL_REFUSED,
    SUPPORT_MAIL_ENDED,
};
/* To every active master administrator. */
MUST_USE enum err support_mail_admins(struct ctx *c, const struct app *app,
                                      enum support_mail news,
                                      const struct support *s);
/* To the operator it is about. */
MUST_USE enum err support_mail_operator(struct ctx *c, const struct app *app,
                                        enum support_mail news,
                                        const struct support *s);

#endif
