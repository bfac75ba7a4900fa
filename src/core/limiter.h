/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LIMITER_H
#define CORE_LIMITER_H

#include "base/ctx.h"

#include <stddef.h>

/* Throttling of guesses: passwords, codes, links.  Counts live in memory, in
 * a table of fixed size; a full table forgets the oldest.  An account that is
 * guessed at from many places gets slower, never closed: whoever comes with
 * the cookie of a known device has a bucket of their own. */
struct limiter;

struct limiter *limiter_open(void);
void limiter_close(struct limiter *l);

enum limiter_scope {
    LIMIT_ACCOUNT, /* 5 failures, then 1 s doubling to 15 min */
    LIMIT_ADDRESS, /* 30 failures a /32 or /64, then 1 s doubling to 1 min: an
                      office is slowed by one of its people, never closed */
    LIMIT_DEVICE,  /* as LIMIT_ACCOUNT, for one known device */
    LIMIT_STEP,    /* codes after the right password: 10, then to 15 min */
    LIMIT_RESET,   /* reset mails: 3, then 1 min doubling to 1 h */
};

/* Seconds until the next try is allowed, 0: now. */
int limiter_wait_s(struct limiter *l, enum limiter_scope scope,
                   const char *key);
void limiter_fail(struct limiter *l, enum limiter_scope scope, const char *key);
/* Takes a few failures back: somebody behind this key did well. */
void limiter_ease(struct limiter *l, enum limiter_scope scope, const char *key);
void limiter_forget(struct limiter *l, enum limiter_scope scope,
                    const char *key);

#endif
