/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MAIL_OPERATOR_MAIL_H
#define CORE_MAIL_OPERATOR_MAIL_H

#include "base/ctx.h"
#include "core/app.h"

/* A word to everybody who runs the installation: a subject without its mark,
 * and the body without salutation and signature, in both languages. */
struct operator_news {
    const char *subject_ja, *subject_en, *ja, *en;
};

/* In a write transaction on control.db.  ERR_NOT_FOUND, with nothing recorded:
 * there is nobody yet. */
MUST_USE enum err operator_mail_all(struct ctx *c, const struct app *app,
                                    const struct operator_news *news);

/* The first of them by name, in a transaction on control.db; ERR_NOT_FOUND,
 * with nothing recorded. */
MUST_USE enum err operator_mail_first(struct ctx *c, const char **out);

#endif
