/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_SESSION_H
#define CORE_ACCOUNT_SESSION_H

#include "base/ctx.h"
#include "base/secret.h"

#include <stddef.h>

struct support_access;

/* Sessions: 256-bit tokens in a cookie, kept here only as SHA-256.  A new
 * token is made at every step up, the old one dies with it.  Idle for 30
 * minutes: locked, the password alone resumes it.  12 hours after the full
 * sign-in: over.  At most 5 a user; the oldest gives way. */
enum session_level { SESSION_HALF, SESSION_FULL };

enum {
    SESSION_IDLE_MINUTES = 30,
    SESSION_HOURS = 12,
    SESSION_HALF_MINUTES = 15,
    SESSION_PER_USER = 5,
    SESSION_FRESH_MINUTES = 10, /* a sensitive step needs a proof this new */
};

struct session {
    int64_t id, user_id;
    enum session_level level;
    bool is_locked; /* idle too long */
    bool is_fresh;  /* proved who it is within SESSION_FRESH_MINUTES */
    int64_t created_at, seen_at, expires_at, fresh_at;
    const char *user_name, *user_email;
    enum lang user_lang;
    bool user_is_admin;
    int64_t password_at;
    const char *ip, *agent; /* only from session_list */
    const struct support_access
        *support; /* the grant it hangs on, NULL: none */
};

/* By the cookie's value: ERR_AUTH (not recorded) when unknown, over, or the
 * user is not active, or the support access it hangs on has ended.  Half and
 * locked sessions are returned as such. */
MUST_USE enum err session_find(struct ctx *c, const char *token,
                               struct session *out);
MUST_USE enum err session_create(struct ctx *c, int64_t user_id,
                                 enum session_level level, const char *agent,
                                 char token[SECRET_TOKEN_CHARS + 1],
                                 int64_t *id);
/* The same session under a new token, no longer idle. */
MUST_USE enum err session_renew(struct ctx *c, int64_t id,
                                char token[SECRET_TOKEN_CHARS + 1]);
/* The owner proved again who it is: fresh, under a new token. */
MUST_USE enum err session_freshen(struct ctx *c, int64_t id,
                                  char token[SECRET_TOKEN_CHARS + 1]);
/* Says that it is in use; call when seen_at is a minute old. */
MUST_USE enum err session_touch(struct ctx *c, int64_t id);
MUST_USE enum err session_delete(struct ctx *c, int64_t id);
/* One of the actor's own sessions; ERR_NOT_FOUND otherwise. */
MUST_USE enum err session_end(struct ctx *c, int64_t id);
MUST_USE enum err session_end_all(struct ctx *c, int64_t user_id);
/* The actor's own, newest first. */
MUST_USE enum err session_list(struct ctx *c, const struct session **out,
                               size_t *count);
/* Removes what is over; for the daily round. */
MUST_USE enum err session_prune(struct ctx *c);

#endif
