/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/* The one vocabulary of failure.  Success is 0, so `if (e) return e;` passes
 * a failure up; whoever knows the reason records it with ctx_fail() first. */
enum err {
    OK = 0,
    ERR_INVALID,   /* the input breaks a rule: 422 (400 when malformed) */
    ERR_AUTH,      /* not signed in, or not far enough: 401 */
    ERR_DENIED,    /* signed in and may know it exists: 403 */
    ERR_NOT_FOUND, /* does not exist, or may not be known to exist: 404 */
    ERR_CONFLICT,  /* a rule of the domain forbids it now: 409 */
    ERR_STALE,     /* somebody changed it meanwhile: 412 */
    ERR_LIMIT,     /* too much or too often: 413 or 429 */
    ERR_FULL,      /* no space left: 507 */
    ERR_BUSY,      /* try again soon: 503 with Retry-After */
    ERR_INTERNAL,  /* our fault; logged with file and line: 500 */
};

#define MUST_USE     __attribute__((warn_unused_result))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An invariant: logs and aborts when broken, in release builds too. */
#define must(x) ((x) ? (void)0 : err_abort(#x, __FILE__, __LINE__))

/* In log.c. */
__attribute__((noreturn)) void err_abort(const char *what, const char *file,
                                         int line);
const char *err_name(enum err e);

#endif
