/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_SIGN_IN_THROTTLE_H
#define CORE_ACCOUNT_SIGN_IN_THROTTLE_H

#include "core/account/throttle.h"
#include "core/account/user.h"
#include "core/app.h"

/* What stands before every secret that could be guessed: the waiting time of
 * the account and of the address, and a password check that costs the same
 * whether the person is known or not.
 *
 * A try is counted before it is made and taken back when it was right: of
 * many at once no more are let through than one after the other.  Whoever
 * comes with the cookie of a known device, or with a session, is counted
 * apart: strangers cannot use that up, and their networks do not count. */
struct sign_in_throttle {
    enum throttle_scope scope;
    int64_t subject;
    bool is_strange; /* its address counts too */
    struct throttle_mark before;
};

/* For a password; user_id 0: nobody has the address.  mark: the cookie of a
 * known device, or NULL. */
struct sign_in_throttle sign_in_throttle_of(struct ctx *c,
                                            const struct app *app,
                                            const char *email, int64_t user_id,
                                            const char *mark);
/* For the codes after the right password: nobody without it gets to count,
 * and no address is blamed. */
struct sign_in_throttle sign_in_throttle_of_step(struct ctx *c,
                                                 const struct app *app,
                                                 const struct user_secret *u,
                                                 const char *mark);
/* For passwords and codes by who is signed in, or half. */
struct sign_in_throttle sign_in_throttle_of_session(enum throttle_scope scope,
                                                    int64_t user_id);

/* ERR_LIMIT "throttled" with the seconds left, or "stopped" after 100 in a
 * row; in any transaction. */
MUST_USE enum err sign_in_throttle_wait(struct ctx *c, const struct app *app,
                                        const struct sign_in_throttle *g);
/* The same, and counts one try: in a write transaction that is committed
 * unless this fails. */
MUST_USE enum err sign_in_throttle_take(struct ctx *c, const struct app *app,
                                        struct sign_in_throttle *g);
/* The try taken was no failure; in a write transaction of the same request. */
MUST_USE enum err sign_in_throttle_return(struct ctx *c, const struct app *app,
                                          const struct sign_in_throttle *g);
/* sign_in_throttle_take() and sign_in_throttle_return() in transactions of their own, for what runs
 * argon2 in between. */
MUST_USE enum err sign_in_throttle_enter(struct ctx *c, const struct app *app,
                                         struct tenant *t,
                                         struct sign_in_throttle *g);
MUST_USE enum err sign_in_throttle_leave(struct ctx *c, const struct app *app,
                                         struct tenant *t,
                                         const struct sign_in_throttle *g);
/* After a check that ran in between: a wrong password (ERR_AUTH) stays
 * counted, what was no try at all (the server was busy) is taken back.
 * Returns answer. */
MUST_USE enum err sign_in_throttle_answer(struct ctx *c, const struct app *app,
                                          struct tenant *t,
                                          const struct sign_in_throttle *g,
                                          enum err answer);
/* The person has signed in whole: what failed before it counts no more, of
 * known devices or of the others, as this one is; in its transaction. */
MUST_USE enum err sign_in_throttle_passed(struct ctx *c, const struct app *app,
                                          int64_t user_id,
                                          bool is_known_device);
/* The person has set a new password by a mailed link: nothing counts. */
MUST_USE enum err sign_in_throttle_clear(struct ctx *c, int64_t user_id);

/* Around every token that is followed from a mail or typed: guesses count
 * against the address they come from. */
MUST_USE enum err sign_in_throttle_link_wait(struct ctx *c,
                                             const struct app *app);
void sign_in_throttle_link_wrong(struct ctx *c, const struct app *app);

/* What an asker of a reset link is told: ERR_LIMIT "throttled" by address and
 * tenant, which says nothing of who is known.  *is_dropped: this mailbox has
 * been asked for often enough; nobody is told.  Counts; in a write
 * transaction. */
MUST_USE enum err sign_in_throttle_take_reset(struct ctx *c,
                                              const struct app *app,
                                              const char *email,
                                              const char *mark,
                                              bool *is_dropped);

/* "Too many tries" with the seconds; for limits beside these. */
MUST_USE enum err sign_in_throttle_throttled(struct ctx *c, int wait_s);

/* The value of the known-device cookie: the day it was made and a MAC over
 * tenant, address and day, so that it is worth nothing for another account,
 * nor after GUARD_DEVICE_DAYS. */
enum { SIGN_IN_THROTTLE_DEVICE_DAYS = 90 };
const char *sign_in_throttle_make_mark(struct ctx *c, const struct app *app,
                                       const char *email);
bool sign_in_throttle_knows_mark(struct ctx *c, const struct app *app,
                                 const char *email, const char *mark);

/* Verifies against the user's hash, or a dummy of the same cost.  ERR_AUTH
 * "credentials"; *new_hash is set when the record should be written anew. */
MUST_USE enum err
sign_in_throttle_check_password(struct ctx *c, const struct app *app,
                                const struct user_secret *u, bool is_known,
                                const char *password, const char **new_hash);

#endif
