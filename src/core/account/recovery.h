/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_RECOVERY_H
#define CORE_ACCOUNT_RECOVERY_H

#include "core/account/sign_in.h"

/* Recovery codes: eight one-time codes on paper, in profile "modern" only.
 * One stands in for the mailed code or the factor, never for the password.
 * A code begins with its number, so that one argon2id is enough to check it:
 * "3-k7qm2-x9d4t". */
enum { RECOVERY_CODES = 8, RECOVERY_CHARS = 13 };

/* New codes for the actor; the old ones are void.  Opens its own
 * transactions.  ERR_DENIED "recovery_off" in profile whitepaper. */
MUST_USE enum err recovery_make(struct ctx *c, const struct app *app,
                                struct tenant *t,
                                char out[RECOVERY_CODES][RECOVERY_CHARS + 1]);
MUST_USE enum err recovery_count(struct ctx *c, int64_t user_id, int *left);
/* A step of signing in; refusals as in sign_in_code(). */
MUST_USE enum err recovery_sign_in(struct ctx *c, const struct app *app,
                                   struct tenant *t, int64_t half_session_id,
                                   const char *code,
                                   const struct sign_in_from *from,
                                   struct sign_in *out);

#endif
