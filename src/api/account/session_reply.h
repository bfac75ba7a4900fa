/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_ACCOUNT_SESSION_REPLY_H
#define API_ACCOUNT_SESSION_REPLY_H

#include "api/dispatch/call.h"
#include "core/account/sign_in.h"

/* What the ways to sign in have in common on the wire: cookies, the step that
 * comes next, the session. */
void session_put_cookie(struct call *k, const char *name, const char *value,
                        int max_age_s);
struct sign_in_from session_from(struct call *k);
void session_put_step(struct call *k, const struct sign_in *s);
MUST_USE enum err session_put(struct call *k, const struct session *s);
/* The session behind a new token, as its owner sees it; in a transaction of
 * its own. */
MUST_USE enum err session_put_new(struct call *k, const char *token);
/* After a proof: the next step, or the session with its cookies. */
MUST_USE enum err session_reply_proof(struct call *k, const struct sign_in *s);

#endif
