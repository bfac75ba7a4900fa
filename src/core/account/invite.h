/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_INVITE_H
#define CORE_ACCOUNT_INVITE_H

#include "core/app.h"

/* Single-use links sent by mail: to set the first password, or a new one.
 * Valid for 24 hours; a newer link of the same person replaces the older.
 * The token stands in the link's fragment, so no request line holds it. */
enum invite_purpose { INVITE_FIRST, INVITE_RESET };
enum { INVITE_HOURS = 24 };

struct invite {
    int64_t id, user_id;
    enum invite_purpose purpose;
    const char *user_name, *user_email;
    enum lang user_lang;
};

/* Makes the link and puts the mail into the outbox. */
MUST_USE enum err invite_send(struct ctx *c, const struct app *app,
                              int64_t user_id, enum invite_purpose purpose);
/* Links already mailed to this person end. */
MUST_USE enum err invite_drop(struct ctx *c, int64_t user_id);
/* ERR_NOT_FOUND (rule "link") when unknown, used or expired. */
MUST_USE enum err invite_find(struct ctx *c, const struct app *app,
                              const char *token, struct invite *out);
/* Sets the password and spends the link; takes its own transactions because
 * of argon2.  Ends every session of the user. */
MUST_USE enum err invite_accept(struct ctx *c, const struct app *app,
                                struct tenant *t, const char *token,
                                const char *password, const char *agent,
                                const char **device);
/* A reset link to the address if there is such an active user; the caller
 * cannot tell, neither by the reply nor by its time: the wish is written down
 * and answered by the mail worker.  ERR_LIMIT "throttled" says only that the
 * asker's network asks too often; device: the cookie of a known one, or NULL. */
MUST_USE enum err invite_reset(struct ctx *c, const struct app *app,
                               const char *email, const char *device);
/* For that worker: answers the oldest wish in transactions of its own.
 * ERR_NOT_FOUND: there is none. */
MUST_USE enum err invite_answer_wish(struct ctx *c, const struct app *app,
                                     struct tenant *t);

#endif
