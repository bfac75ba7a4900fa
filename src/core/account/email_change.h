/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_EMAIL_CHANGE_H
#define CORE_ACCOUNT_EMAIL_CHANGE_H

#include "core/account/user.h"
#include "core/app.h"

/* A person's address changes when both mailboxes agree: the new one confirms
 * that it is there, the old one allows it.  Where an administrator of people
 * asks for it, the person may have lost the old mailbox: its word is not
 * waited for, but it is told and may stop it.  Links work once, for 24 hours;
 * a newer wish replaces the older. */
enum { EMAIL_CHANGE_HOURS = 24 };

struct email_change {
    int64_t user_id;
    const char *email; /* the new address */
    bool needs_old;    /* its mailbox must allow it */
    bool old_done, new_done;
    int64_t created_at, expires_at;
    /* of email_change_find: */
    bool is_old_side;
    const char *user_name;
};

extern const struct form email_form; /* {email} */

/* The actor's own wish; ERR_LIMIT "throttled" after a few. */
MUST_USE enum err email_change_ask(struct ctx *c, const struct app *app,
                                   const char *email);
/* An administrator's.  Who never came yet gets the new address at once, and
 * the invitation again. */
MUST_USE enum err email_change_ask_for(struct ctx *c, const struct app *app,
                                       int64_t user_id, const char *email);
/* What is open for this person; ERR_NOT_FOUND, with nothing recorded, when
 * nothing is. */
MUST_USE enum err email_change_get(struct ctx *c, int64_t user_id,
                                   struct email_change *out);
MUST_USE enum err email_change_drop(struct ctx *c, int64_t user_id);

/* By a mailed link: ERR_NOT_FOUND "link" when unknown, used or over. */
MUST_USE enum err email_change_find(struct ctx *c, const struct app *app,
                                    const char *token,
                                    struct email_change *out);
/* This mailbox agrees; *done: the address is changed now. */
MUST_USE enum err email_change_confirm(struct ctx *c, const struct app *app,
                                       const char *token, const char *agent,
                                       bool *done);
MUST_USE enum err email_change_cancel(struct ctx *c, const struct app *app,
                                      const char *token);

#endif
