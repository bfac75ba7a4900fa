/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LETTER_H
#define CORE_LETTER_H

#include "core/app.h"
#include "core/user.h"

/* The words of every mail, in the language of the person it goes to.  No mail
 * holds business data; the code mail holds no link. */
MUST_USE enum err letter_send_code(struct ctx *c, const struct app *app,
                                   const struct user_secret *u,
                                   const char *code, int minutes);
MUST_USE enum err letter_send_link(struct ctx *c, const struct app *app,
                                   const struct user *u, bool is_first,
                                   const char *token);
MUST_USE enum err letter_send_password_changed(struct ctx *c,
                                               const struct app *app,
                                               const char *email,
                                               const char *name,
                                               enum lang lang);

#endif
