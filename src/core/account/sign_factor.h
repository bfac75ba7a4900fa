/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_SIGN_FACTOR_H
#define CORE_ACCOUNT_SIGN_FACTOR_H

#include "core/account/passkey.h"
#include "core/account/sign_in.h"

/* The step of signing in that the authenticator app or a passkey answers.  Refusals as in
 * sign_in_code(); a wrong one counts against the account, too, as six digits
 * are few. */
MUST_USE enum err sign_in_totp(struct ctx *c, const struct app *app,
                               struct tenant *t, int64_t half_session_id,
                               const char *code,
                               const struct sign_in_from *from,
                               struct sign_in *out);
/* Inside the caller's write transaction. */
MUST_USE enum err sign_in_ask_passkey(struct ctx *c, const struct app *app,
                                      int64_t half_session_id,
                                      struct passkey_question *out);
MUST_USE enum err sign_in_passkey(struct ctx *c, const struct app *app,
                                  struct tenant *t, int64_t half_session_id,
                                  const struct webauthn_site *site,
                                  const struct passkey_proof *proof,
                                  const struct sign_in_from *from,
                                  struct sign_in *out);

#endif
