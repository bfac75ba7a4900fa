/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_PASSWORD_H
#define CORE_ACCOUNT_PASSWORD_H

#include "base/ctx.h"
#include "core/account/auth_policy.h"
#include "core/account/user.h"
#include "core/app.h"

/* Checks a new password as typed against the tenant's policy; records every
 * broken rule on `field`.  context: words it may not contain (address, name),
 * NULL-terminated. */
MUST_USE enum err password_check(struct ctx *c,
                                 const struct auth_policy *policy,
                                 const char *field, const char *password,
                                 const char *const *context);

/* Whether the password is one of the user's last 5, or was set within
 * AUTH_POLICY_HISTORY_DAYS, so that quick changes bring none back.  Slow (argon2):
 * outside any transaction; hashes come from password_list_history(). */
MUST_USE enum err password_list_history(struct ctx *c, int64_t user_id,
                                        const char ***out, size_t *count);
MUST_USE enum err password_refuse_old(struct ctx *c, const struct app *app,
                                      const char *field, const char *password,
                                      const char *const *hashes, size_t count);
/* ERR_LIMIT "password_often": as many changes in that time as are
 * remembered. */
MUST_USE enum err password_check_pace(struct ctx *c, struct tenant *t,
                                      int64_t user_id);
/* All of it for one person's new password: policy, history, hash.  Opens its
 * own transactions; the caller stores the hash in a further one. */
MUST_USE enum err password_make(struct ctx *c, const struct app *app,
                                struct tenant *t, const struct user_secret *u,
                                const char *password, const char **hash);
/* Stores the new hash and remembers it; ends the user's other sessions. */
MUST_USE enum err password_store(struct ctx *c, int64_t user_id,
                                 const char *hash);

#endif
