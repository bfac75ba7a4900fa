/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_EMAIL_CODE_H
#define CORE_ACCOUNT_EMAIL_CODE_H

#include "core/account/user.h"
#include "core/app.h"

/* The mailed one-time code of a session: 8 digits, 10 minutes, 5 tries, sent
 * at most 3 times.  Kept as an HMAC that binds it to tenant and session.  All
 * of it inside the caller's write transaction. */
enum {
    EMAIL_CODE_MINUTES = 10,
    EMAIL_CODE_TRIES = 5,
    EMAIL_CODE_SENDS = 3,
};

struct email_code {
    uint8_t mac[32];
    int64_t expires_at, tries, sends; /* sends: left */
};

/* A first code; whatever the session had before is void. */
MUST_USE enum err email_code_send(struct ctx *c, const struct app *app,
                                  int64_t session_id,
                                  const struct user_secret *u,
                                  struct email_code *out);
/* A new code, no new tries; the first one where there was none.  ERR_LIMIT
 * "sends". */
MUST_USE enum err email_code_resend(struct ctx *c, const struct app *app,
                                    int64_t session_id,
                                    const struct user_secret *u,
                                    struct email_code *out);
/* ERR_NOT_FOUND (not recorded) when none was sent. */
MUST_USE enum err email_code_get(struct ctx *c, int64_t session_id,
                                 struct email_code *out);
/* OK with *answer OK: right, and used up.  A miss is an answer, not a failure
 * of the transaction that counts it: *answer is ERR_AUTH "code" (detail
 * tries_left).  ERR_AUTH "code_expired" when there is nothing left to try. */
MUST_USE enum err email_code_try(struct ctx *c, const struct app *app,
                                 int64_t session_id, const char *text,
                                 enum err *answer);

/* The two refusals, for other proofs that are counted the same way. */
MUST_USE enum err email_code_over(struct ctx *c);
MUST_USE enum err email_code_wrong(struct ctx *c, int64_t tries_left);

#endif
