/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_THROTTLE_H
#define CORE_ACCOUNT_THROTTLE_H

#include "base/ctx.h"
#include "core/app.h"

/* What counts against an account: rows of the tenant's file, so that neither
 * other people's requests nor a restart free anything.  All of it inside the
 * caller's transaction.
 *
 * A subject is a person's id.  An address that nobody has gets a bucket by a
 * keyed hash, a number below zero: it answers like a person's, and there are
 * at most THROTTLE_BUCKETS of them in a file however many are tried. */
enum { THROTTLE_BUCKETS = 65536 };

enum throttle_scope {
    THROTTLE_PASSWORD,    /* from browsers that are not known */
    THROTTLE_DEVICE,      /* from one that is */
    THROTTLE_STEP,        /* codes after the right password, not known */
    THROTTLE_STEP_DEVICE, /* the same from a known one */
    THROTTLE_SESSION,     /* passwords by who is signed in */
    THROTTLE_PROOF,       /* codes by who is signed in */
    THROTTLE_RESET,       /* links to set a new password */
    THROTTLE_EMAIL,       /* wishes to change one's own address */
    THROTTLE_SCOPES
};

/* How it stood before throttle_count(). */
struct throttle_mark {
    int64_t failures, failed_at;
};

enum { THROTTLE_STOPPED = -1 };

/* Seconds until the next try, 0: now, THROTTLE_STOPPED: not before
 * throttle_forget(). */
MUST_USE enum err throttle_wait_s(struct ctx *c, enum throttle_scope scope,
                                  int64_t subject, int *out);
/* In a write transaction: one more. */
MUST_USE enum err throttle_count(struct ctx *c, enum throttle_scope scope,
                                 int64_t subject, struct throttle_mark *before);
/* The one counted was no failure; what others counted since stays. */
MUST_USE enum err throttle_uncount(struct ctx *c, enum throttle_scope scope,
                                   int64_t subject,
                                   const struct throttle_mark *before);
MUST_USE enum err throttle_forget(struct ctx *c, enum throttle_scope scope,
                                  int64_t subject);
/* Removes what counts no longer; for the daily round. */
MUST_USE enum err throttle_prune(struct ctx *c);

/* The bucket of a text, below zero: a folded address, or what stands for one
 * beside it. */
int64_t throttle_bucket(struct ctx *c, const struct app *app, const char *text);

#endif
