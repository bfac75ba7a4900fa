/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_PENDING_SIGN_IN_H
#define CORE_ACCOUNT_PENDING_SIGN_IN_H

#include "core/account/session.h"
#include "core/account/user.h"
#include "core/app.h"

/* What a half session still owes (column session.owed). */
enum sign_in_owed {
    OWES_CODE = 1,     /* the mailed one */
    OWES_FACTOR = 2,   /* authenticator app or passkey */
    OWES_PASSWORD = 4, /* a new one, when all else is paid */
    OWES_EITHER = 8,   /* of code and factor one will do */
};

/* What the next step needs; token is the new cookie. */
struct sign_in {
    char token[SECRET_TOKEN_CHARS + 1];
    unsigned owed;      /* bits of enum sign_in_owed, 0: signed in */
    int64_t expires_at; /* of the code, or of the session once full */
    int sends_left;
    unsigned factors; /* bits of enum auth_policy_factor the person may prove */
    const char *email;
    const char *device; /* cookie that marks this browser as known, or NULL */
};

struct sign_in_from {
    const char *agent;  /* User-Agent, "" when none */
    const char *device; /* cookie of a known device, or NULL */
    int64_t session_id; /* session the browser came with, 0: none */
};

/* A half session: the password was right, something is still owed.  These are
 * the steps that the proofs have in common, inside their transactions. */
struct pending_sign_in {
    int64_t id;
    unsigned owed;   /* bits of enum sign_in_owed */
    unsigned proved; /* of them OWES_CODE, OWES_FACTOR: what was given */
    int tries;       /* left for the further factor */
    struct user_secret user;
};

/* ERR_AUTH "code_expired" when it is not there, or no half session. */
MUST_USE enum err pending_sign_in_get(struct ctx *c, int64_t id,
                                      struct pending_sign_in *out);
MUST_USE enum err pending_sign_in_owes(struct ctx *c, int64_t id,
                                       unsigned owed);
/* This much of what was owed has been paid: a new token, and with nothing
 * left to pay the full session. */
MUST_USE enum err pending_sign_in_advance(struct ctx *c, const struct app *app,
                                          struct pending_sign_in *half,
                                          unsigned paid,
                                          const struct sign_in_from *from,
                                          struct sign_in *out);
/* A wrong further factor is counted; *answer is what the caller hears. */
MUST_USE enum err pending_sign_in_miss(struct ctx *c,
                                       const struct pending_sign_in *half,
                                       enum err *answer);
MUST_USE enum err pending_sign_in_log(struct ctx *c,
                                      const struct user_secret *u,
                                      const char *action, const char *kind);

#endif
