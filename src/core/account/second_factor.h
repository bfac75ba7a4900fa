/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_SECOND_FACTOR_H
#define CORE_ACCOUNT_SECOND_FACTOR_H

#include "core/account/auth_policy.h"
#include "core/account/user.h"
#include "core/app.h"

#include <stddef.h>

/* What a person proves beside password and mailed code: an authenticator app
 * (one), passkeys (up to ten).  The tenant says which kinds may be added; one
 * that it allows no longer is not asked for.  Every change is logged and told
 * to its owner by mail. */
enum second_factor_kind { SECOND_FACTOR_TOTP, SECOND_FACTOR_PASSKEY };
enum { SECOND_FACTOR_PASSKEYS_MAX = 10 };

struct second_factor {
    int64_t id, user_id;
    enum second_factor_kind kind;
    const char *name;
    int64_t created_at, used_at; /* used_at 0: never */
};

extern const char *const second_factor_kind_words[];

/* A person's own, in use. */
MUST_USE enum err second_factor_list(struct ctx *c, int64_t user_id,
                                     const struct second_factor **out,
                                     size_t *count);
/* Bits of enum auth_policy_factor: what the person has and the tenant allows. */
MUST_USE enum err second_factor_find_allowed(struct ctx *c,
                                             const struct app *app,
                                             int64_t user_id, unsigned *out);

/* An authenticator app: offered with its secret, which is shown this once;
 * in use from the first right code on.  ERR_CONFLICT "factor_exists". */
struct second_factor_offer {
    const char *secret, *uri;
};
MUST_USE enum err second_factor_offer_totp(struct ctx *c, const struct app *app,
                                           struct tenant *t,
                                           struct second_factor_offer *out);
MUST_USE enum err second_factor_confirm_totp(struct ctx *c,
                                             const struct app *app,
                                             struct tenant *t, const char *code,
                                             const char *name,
                                             const char *agent);
/* *right: the code of the person's app, not used before; it is now. */
MUST_USE enum err second_factor_try_totp(struct ctx *c, struct tenant *t,
                                         int64_t user_id, const char *code,
                                         bool *right);

/* One of the actor's own: ERR_NOT_FOUND otherwise. */
MUST_USE enum err second_factor_delete(struct ctx *c, const struct app *app,
                                       int64_t id, const char *agent);
/* All of a person's, with the recovery codes: by an administrator, for who
 * lost them. */
MUST_USE enum err second_factor_reset(struct ctx *c, const struct app *app,
                                      int64_t user_id, const char *agent);
/* After a factor came: log and mail. */
MUST_USE enum err second_factor_tell(struct ctx *c, const struct app *app,
                                     const char *action,
                                     const struct second_factor *f,
                                     const char *agent);

/* Who has factors, for the administrator; pages by user id. */
struct second_factor_owner {
    int64_t user_id;
    const char *name, *email;
    int totp, passkeys;
};
MUST_USE enum err
second_factor_list_owners(struct ctx *c, int64_t after_id, int limit,
                          const struct second_factor_owner **out, size_t *count,
                          bool *more);

#endif
