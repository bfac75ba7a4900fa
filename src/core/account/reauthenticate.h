/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_REAUTHENTICATE_H
#define CORE_ACCOUNT_REAUTHENTICATE_H

#include "core/account/sign_in.h"

/* Steps of somebody who has a session already and proves once more to be the
 * one who began it.  Throttled like a sign-in: a stolen session must not
 * become a place to guess the password from.  ERR_INVALID "password_wrong". */

/* A session locked by idleness: the password alone resumes it. */
MUST_USE enum err reauthenticate_unlock(struct ctx *c, const struct app *app,
                                        struct tenant *t, int64_t session_id,
                                        const char *password,
                                        struct sign_in *out);
/* A sensitive step was asked for: the password again, so soon before it that
 * nobody else can have taken the chair.  Where the tenant says so a code is
 * mailed and owed then (out->owed, no token yet): reauthenticate_code() takes it,
 * or the one of the authenticator app.  ERR_INVALID "code". */
MUST_USE enum err reauthenticate_freshen(struct ctx *c, const struct app *app,
                                         struct tenant *t, int64_t session_id,
                                         const char *password,
                                         struct sign_in *out);
MUST_USE enum err reauthenticate_code(struct ctx *c, const struct app *app,
                                      struct tenant *t, int64_t session_id,
                                      const char *code, struct sign_in *out);
/* The actor's own password, with the current one; other sessions end. */
MUST_USE enum err reauthenticate_change_password(
    struct ctx *c, const struct app *app, struct tenant *t, const char *current,
    const char *password, const char *agent, struct sign_in *out);

#endif
