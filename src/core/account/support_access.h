/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_SUPPORT_ACCESS_H
#define CORE_ACCOUNT_SUPPORT_ACCESS_H

#include "base/form.h"
#include "base/secret.h"
#include "core/app.h"

#include <stddef.h>

/* Support access: the one way by which an operator sees a tenant's data.  The
 * operator asks, a master administrator grants it, shortens it, refuses it or
 * ends it at any moment; it ends by itself.  Kept in the tenant's file, with
 * every step in the tenant's operation log. */
enum support_access_state {
    SUPPORT_ACCESS_ASKED,
    SUPPORT_ACCESS_GRANTED,
    SUPPORT_ACCESS_REFUSED,
    SUPPORT_ACCESS_ENDED, /* also a grant whose time is over */
};
enum { SUPPORT_ACCESS_HOURS_MAX = 24, SUPPORT_ACCESS_TOKEN_SECONDS = 60 };

struct support_access {
    int64_t id, operator_id, user_id, version;
    const char *operator_name, *operator_email, *reason;
    bool may_write;
    int hours;
    enum support_access_state state;
    int64_t asked_at, decided_at, expires_at, ended_at; /* 0: not yet */
    const char *decided_by, *ended_by;                  /* NULL: nobody */
    const char *last_path;
    int64_t last_at;
};

extern const char *const support_access_state_words[];
extern const struct form support_access_form; /* reason hours may_write */
extern const struct form support_access_approve_form; /* hours may_write */

/* All inside the caller's transaction on the tenant's file.  The actor of the
 * operator's steps is nobody of the tenant's (user_id 0). */
struct support_access_operator {
    int64_t id;
    const char *name, *email;
};
MUST_USE enum err support_access_ask(struct ctx *c, const struct app *app,
                                     const struct support_access_operator *who,
                                     const struct values *v,
                                     struct support_access *out);
MUST_USE enum err support_access_get(struct ctx *c, int64_t id,
                                     struct support_access *out);
/* Newest first, below after_id (0: all). */
MUST_USE enum err support_access_list(struct ctx *c, int64_t after_id,
                                      int limit,
                                      const struct support_access **out,
                                      size_t *count, bool *more);
/* Grants that are open now, at most 20. */
MUST_USE enum err support_access_list_open(struct ctx *c,
                                           const struct support_access **out,
                                           size_t *count);
/* Hours may be fewer than asked for, writing may be taken out: ERR_INVALID
 * "wider" otherwise.  ERR_CONFLICT "decided", ERR_STALE. */
MUST_USE enum err support_access_approve(struct ctx *c, const struct app *app,
                                         int64_t id, int64_t version,
                                         const struct values *v,
                                         struct support_access *out);
MUST_USE enum err support_access_refuse(struct ctx *c, const struct app *app,
                                        int64_t id, int64_t version,
                                        struct support_access *out);
/* At once: its sessions are gone.  Asked ones are withdrawn. */
MUST_USE enum err support_access_end(struct ctx *c, const struct app *app,
                                     int64_t id, struct support_access *out);

/* The way in: a token for the operator named in the grant, good once and for
 * SUPPORT_TOKEN_SECONDS. */
MUST_USE enum err support_access_make_token(struct ctx *c, int64_t id,
                                            int64_t operator_id,
                                            char token[SECRET_TOKEN_CHARS + 1]);
/* Makes the session for it.  ERR_AUTH "support_token". */
MUST_USE enum err
support_access_enter(struct ctx *c, const struct app *app, const char *token,
                     const char *agent,
                     char session_token[SECRET_TOKEN_CHARS + 1]);
/* For session_find(): ERR_AUTH (not recorded) unless the grant is open. */
MUST_USE enum err support_access_check(struct ctx *c, int64_t id,
                                       struct support_access *out);

/* For the dispatcher.  What a supporter asks to change is refused, ERR_DENIED
 * "support_read_only", "support_limited": people, rights, security and one's
 * own account are the tenant's alone. */
MUST_USE enum err support_access_may(struct ctx *c,
                                     const struct support_access *s,
                                     bool is_reading, bool is_work);
/* Whether the operator may still act at all; opens its own transaction on
 * control.db. */
MUST_USE enum err support_access_check_operator(struct ctx *c,
                                                const struct app *app,
                                                int64_t operator_id);
/* What was read, in the tenant's operation log; the same again within five
 * minutes is not repeated. */
MUST_USE bool support_access_is_noted(const struct ctx *c,
                                      const struct support_access *s,
                                      const char *path);
MUST_USE enum err support_access_note_read(struct ctx *c,
                                           const struct support_access *s,
                                           const char *path);

#endif
