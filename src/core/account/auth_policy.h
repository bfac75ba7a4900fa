/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_AUTH_POLICY_H
#define CORE_ACCOUNT_AUTH_POLICY_H

#include "base/form.h"
#include "core/app.h"

/* What a password must be like and what else proves who one is, in one
 * tenant.  Two profiles (controls.md row 10): "whitepaper" 8-16 characters, 3
 * of 4 kinds, 3 months; "modern" 15-128 characters of any script, no expiry,
 * guessable ones refused.  The operator's floor (struct app) names the weaker
 * profile allowed and may be stricter within it; a tenant only adds to that.
 * What counts is worked out at each use, so a raised floor holds at once. */
enum auth_policy_profile { AUTH_POLICY_WHITEPAPER, AUTH_POLICY_MODERN };
enum auth_policy_factor { AUTH_POLICY_TOTP = 1, AUTH_POLICY_PASSKEY = 2 };
enum {
    AUTH_POLICY_WARN_DAYS = 14,
    AUTH_POLICY_HISTORY =
        5, /* passwords that may not come again, and beside them */
    AUTH_POLICY_HISTORY_DAYS = 30, /* those set within so many days, of which */
    AUTH_POLICY_HISTORY_MAX = 20   /* there can be no more than these */
};

/* What the tenant's administrator chose; 0: nothing beyond the floor. */
struct auth_policy_choice {
    enum auth_policy_profile profile;
    int min, classes, days;
    unsigned factors; /* bits of enum auth_policy_factor that people may add */
    bool fresh_code;  /* a sensitive step wants a mailed code too */
    bool tokens;      /* people may make API tokens, and use them */
};

struct auth_policy {
    enum auth_policy_profile profile;
    int min, max, classes;
    int days;            /* the password's life, 0: no end */
    const char *symbols; /* UTF-8; NULL: any character will do */
    bool refuses_guessable;
    unsigned factors;
    bool fresh_code, tokens;
    int64_t version; /* of the tenant's row */
};

extern const char *const auth_policy_profile_words[];
extern const struct form auth_policy_form; /* what the administrator sends */

/* Pure: what holds under this floor with this choice. */
void auth_policy_work_out(const struct auth_policy_floor *floor,
                          const struct auth_policy_choice *choice,
                          struct auth_policy *out);

MUST_USE enum err auth_policy_get(struct ctx *c, const struct app *app,
                                  struct auth_policy *out);
/* ERR_INVALID "policy_floor" on each field that is weaker than the floor. */
MUST_USE enum err auth_policy_update(struct ctx *c, const struct app *app,
                                     int64_t version, const struct values *v,
                                     struct auth_policy *out);

/* When a password set at that moment ends; 0: never. */
int64_t auth_policy_expires_at(const struct auth_policy *p, int64_t set_at_us);
bool auth_policy_is_expired(const struct auth_policy *p, int64_t set_at_us,
                            int64_t now_us);

#endif
