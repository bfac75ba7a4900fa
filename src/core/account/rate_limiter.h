/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_RATE_LIMITER_H
#define CORE_ACCOUNT_RATE_LIMITER_H

#include "base/ctx.h"

/* What an address may try before it has to wait: failures of an address, of
 * the network around it, and of everybody at one tenant.  Counts live in
 * memory and are of this process; what counts against an account is in its
 * tenant's file (core/account/throttle.h).  Any thread may call.
 *
 * Each level of each kind has a table of its own, and each slot of it adds up
 * the failures of whatever falls there by a keyed hash: nothing is ever
 * displaced, a collision costs a wait, and nobody outside can choose one. */
struct rate_limiter;

struct rate_limiter *rate_limiter_open(void);
void rate_limiter_close(struct rate_limiter *l); /* NULL is allowed */

enum rate_limiter_kind {
    LIMIT_SIGN_IN, /* wrong passwords of strangers' browsers */
    LIMIT_LINK,    /* mailed links and other tokens typed or followed */
    LIMIT_TOKEN,   /* bearer tokens */
    LIMIT_MAIL,    /* what makes a mail: links to set a new password */
    LIMIT_KINDS
};

/* address: an IP address as text; one that is none counts for its tenant
 * alone. */
struct rate_limiter_from {
    const char *tenant, *address;
};

/* Seconds until the next try is allowed, 0: now. */
int rate_limiter_wait_s(struct rate_limiter *l, enum rate_limiter_kind kind,
                        const struct rate_limiter_from *from);
void rate_limiter_fail(struct rate_limiter *l, enum rate_limiter_kind kind,
                       const struct rate_limiter_from *from);
/* The last rate_limiter_fail() was none. */
void rate_limiter_unfail(struct rate_limiter *l, enum rate_limiter_kind kind,
                         const struct rate_limiter_from *from);
/* Somebody there did well: a few failures are taken back, so that an office
 * is slowed by one of its people, never closed. */
void rate_limiter_ease(struct rate_limiter *l, enum rate_limiter_kind kind,
                       const struct rate_limiter_from *from);

#endif
