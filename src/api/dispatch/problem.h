/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_DISPATCH_PROBLEM_H
#define API_DISPATCH_PROBLEM_H

#include "api/dispatch/call.h"

/* The one place where an err becomes an HTTP status and a body (RFC 9457). */
int problem_status(const struct ctx *c, enum err e);
/* The members every problem begins with, into an object that is open; for
 * handlers whose refusals say more.  The status must be set. */
void problem_head(const struct ctx *c, struct json_out *o, struct reply *out);
void problem_write(struct ctx *c, enum err e, struct reply *out);

#endif
