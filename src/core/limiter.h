/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LIMITER_H
#define CORE_LIMITER_H

#include "base/ctx.h"

/* What an address may try before it has to wait: failures of an address, of
 * the network around it, and of everybody at one tenant.  Counts live in
 * memory and are of this process; what counts against an account is in its
 * tenant's file (core/throttle.h).  Any thread may call.
 *
 * Each level of each kind has a table of its own, and each slot of it adds up
 * the failures of whatever falls there by a keyed hash: nothing is ever
 * displaced, a collision costs a wait, and nobody outside can choose one. */
struct limiter;

struct limiter *limiter_open(void);
void limiter_close(struct limiter *l); /* NULL is allowed */

enum limiter_kind {
    LIMIT_SIGN_IN, /* wrong passwords of strangers' browsers */
    LIMIT_LINK,    /* mailed links and other tokens typed or followed */
    LIMIT_TOKEN,   /* bearer tokens */
    LIMIT_MAIL,    /* what makes a mail: links to set a new password */
    LIMIT_KINDS
};

/* address: an IP address as text; one that is none counts for its tenant
 * alone. */
struct limiter_from {
    const char *tenant, *address;
};

/* Seconds until the next try is allowed, 0: now. */
int limiter_wait_s(struct limiter *l, enum limiter_kind kind,
                   const struct limiter_from *from);
void limiter_fail(struct limiter *l, enum limiter_kind kind,
                  const struct limiter_from *from);
/* The last limiter_fail() was none. */
void limiter_unfail(struct limiter *l, enum limiter_kind kind,
                    const struct limiter_from *from);
/* Somebody there did well: a few failures are taken back, so that an office
 * is slowed by one of its people, never closed. */
void limiter_ease(struct limiter *l, enum limiter_kind kind,
                  const struct limiter_from *from);

#endif
