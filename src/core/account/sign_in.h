/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_SIGN_IN_H
#define CORE_ACCOUNT_SIGN_IN_H

#include "core/account/pending_sign_in.h"

/* Signing in: password, then the mailed code, for everyone, always; in profile
 * "modern" a further factor may stand in for the code.  Every
 * function opens its own transactions: argon2 runs outside any, and a wrong
 * code must be counted although the reply is an error. */

/* ERR_AUTH "credentials" says nothing about which part was wrong and takes
 * the same time; ERR_LIMIT "throttled". */
MUST_USE enum err sign_in_password(struct ctx *c, const struct app *app,
                                   struct tenant *t, const char *email,
                                   const char *password,
                                   const struct sign_in_from *from,
                                   struct sign_in *out);
/* ERR_AUTH "code" (detail tries_left) or "code_expired". */
MUST_USE enum err sign_in_code(struct ctx *c, const struct app *app,
                               struct tenant *t, int64_t half_session_id,
                               const char *code,
                               const struct sign_in_from *from,
                               struct sign_in *out);
MUST_USE enum err sign_in_resend(struct ctx *c, const struct app *app,
                                 struct tenant *t, int64_t half_session_id,
                                 struct sign_in *out);
/* Where a half session stands, for a page that was loaded anew. */
MUST_USE enum err sign_in_get(struct ctx *c, const struct app *app,
                              int64_t half_session_id, struct sign_in *out);
/* The last step of whose password is too old, or weaker than the policy of
 * today: only after all proofs were given. */
MUST_USE enum err
sign_in_new_password(struct ctx *c, const struct app *app, struct tenant *t,
                     int64_t half_session_id, const char *password,
                     const struct sign_in_from *from, struct sign_in *out);

#endif
