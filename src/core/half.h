/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_HALF_H
#define CORE_HALF_H

#include "core/sign_in.h"
#include "core/user.h"

/* A half session: the password was right, something is still owed.  These are
 * the steps that the proofs have in common, inside their transactions. */
struct half {
    int64_t id;
    unsigned owed;   /* bits of enum sign_in_owed */
    unsigned proved; /* of them OWES_CODE, OWES_FACTOR: what was given */
    int tries;       /* left for the further factor */
    struct user_secret user;
};

/* ERR_AUTH "code_expired" when it is not there, or no half session. */
MUST_USE enum err half_get(struct ctx *c, int64_t id, struct half *out);
MUST_USE enum err half_owes(struct ctx *c, int64_t id, unsigned owed);
/* This much of what was owed has been paid: a new token, and with nothing
 * left to pay the full session. */
MUST_USE enum err half_advance(struct ctx *c, const struct app *app,
                               struct half *half, unsigned paid,
                               const struct sign_in_from *from,
                               struct sign_in *out);
/* A wrong further factor is counted; *answer is what the caller hears. */
MUST_USE enum err half_miss(struct ctx *c, const struct half *half,
                            enum err *answer);
MUST_USE enum err half_log(struct ctx *c, const struct user_secret *u,
                           const char *action, const char *kind);

#endif
