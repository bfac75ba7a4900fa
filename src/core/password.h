/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_PASSWORD_H
#define CORE_PASSWORD_H

#include "base/ctx.h"
#include "core/app.h"

/* The password policy of profile "whitepaper" (controls.md row 10): 8-16
 * characters, at least 3 of lower case, upper case, digit, symbol; expires
 * after 3 months; the last 5 are refused. */
struct password_policy {
    const char *profile;
    int min, max, classes;
    const char *symbols; /* UTF-8 */
    int expiry_days;
    int history;
};

const struct password_policy *password_policy(void);

/* Checks a new password as typed; records every broken rule on `field`.
 * context: words it may not contain (address, name), NULL-terminated. */
MUST_USE enum err password_check(struct ctx *c, const char *field,
                                 const char *password,
                                 const char *const *context);

/* Whether the password is one of the user's last 5.  Slow (argon2): outside
 * any transaction; hashes come from password_list_history(). */
MUST_USE enum err password_list_history(struct ctx *c, int64_t user_id,
                                        const char ***out, size_t *count);
MUST_USE enum err password_refuse_old(struct ctx *c, const struct app *app,
                                      const char *field, const char *password,
                                      const char *const *hashes, size_t count);
/* Stores the new hash and remembers it; ends the user's other sessions. */
MUST_USE enum err password_store(struct ctx *c, int64_t user_id,
                                 const char *hash);
bool password_is_expired(int64_t set_at_us, int64_t now_us);

#endif
