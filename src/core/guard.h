/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_GUARD_H
#define CORE_GUARD_H

#include "core/app.h"
#include "core/limiter.h"
#include "core/user.h"

/* What stands before every secret that could be guessed: the waiting time of
 * the account, the address and the device, and a password check that costs
 * the same whether the person is known or not. */
struct guard {
    enum limiter_scope scope; /* of account */
    const char *account;
    const char *address; /* NULL: not counted */
    const char *device;  /* NULL: a stranger's browser */
};

/* mark: the cookie of a known device, or NULL. */
struct guard guard_of(struct ctx *c, const struct app *app, const char *email,
                      const char *mark);
/* For the codes after the right password: buckets that nobody without it can
 * fill, and an address that is not blamed. */
struct guard guard_of_step(struct ctx *c, const struct app *app,
                           const char *email, const char *mark);
/* For who is signed in, or half: nobody outside can use the bucket up. */
struct guard guard_of_session(struct ctx *c, const char *email);
/* ERR_LIMIT "throttled" with the seconds left. */
MUST_USE enum err guard_wait(struct ctx *c, const struct app *app,
                             const struct guard *g);
void guard_failed(const struct app *app, const struct guard *g);
void guard_passed(const struct app *app, const struct guard *g);

/* The value of the known-device cookie: an HMAC over tenant and address, so
 * it is worth nothing for another account. */
const char *guard_device_mark(struct ctx *c, const struct app *app,
                              const char *email);

/* Verifies against the user's hash, or a dummy of the same cost.  ERR_AUTH
 * "credentials"; *new_hash is set when the record should be written anew. */
MUST_USE enum err guard_check_password(struct ctx *c, const struct app *app,
                                       const struct user_secret *u,
                                       bool is_known, const char *password,
                                       const char **new_hash);

#endif
