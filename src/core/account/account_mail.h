/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_ACCOUNT_MAIL_H
#define CORE_ACCOUNT_ACCOUNT_MAIL_H

#include "core/account/user.h"
#include "core/app.h"

/* The words of every mail, in the language of the person it goes to.  No mail
 * holds business data; the code mail holds no link. */
MUST_USE enum err account_mail_send_code(struct ctx *c, const struct app *app,
                                         const struct user_secret *u,
                                         const char *code, int minutes);
MUST_USE enum err account_mail_send_link(struct ctx *c, const struct app *app,
                                         const struct user *u, bool is_first,
                                         const char *token);
/* That the password ends on that day. */
MUST_USE enum err account_mail_send_expiry(struct ctx *c, const struct app *app,
                                           const struct user_secret *u,
                                           int32_t day);
/* What the person should know happened to the account: when, from where, by
 * which browser, and whom to tell if it was somebody else.  No links.  what:
 * the factor's name, or "". */
enum account_mail_warning {
    ACCOUNT_MAIL_PASSWORD,
    ACCOUNT_MAIL_DEVICE,
    ACCOUNT_MAIL_ADDRESS,
    ACCOUNT_MAIL_FACTOR_ADDED,
    ACCOUNT_MAIL_FACTOR_REMOVED,
};
MUST_USE enum err account_mail_send_warning(
    struct ctx *c, const struct app *app, enum account_mail_warning warning,
    const struct user_secret *u, const char *agent, const char *what);

#endif
