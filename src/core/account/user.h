/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_USER_H
#define CORE_ACCOUNT_USER_H

#include "base/form.h"
#include "core/app.h"

#include <stddef.h>

/* The people of a tenant.  Deleted users stay as a name in history. */
enum user_state { USER_INVITED, USER_ACTIVE, USER_SUSPENDED, USER_DELETED };

struct user {
    int64_t id;
    const char *email, *name;
    enum lang lang;
    enum user_state state;
    bool is_admin;
    int64_t created_at, signed_in_at; /* 0: never */
    int64_t version;
    /* when the relay refused a mail to the address for good, in its words; 0,
     * NULL: it did not, or took one since */
    int64_t refused_at;
    const char *refused_why;
};
/* Of user, for both. */
#define REFUSED_COLS                                                           \
    "(SELECT at FROM mail_refusal r WHERE r.email_fold = user.email_fold), "   \
    "(SELECT why FROM mail_refusal r WHERE r.email_fold = user.email_fold)"

/* What sign-in needs to know, by address. */
struct user_secret {
    int64_t id;
    const char *name, *email, *password; /* PHC, NULL: none yet */
    enum lang lang;
    enum user_state state;
    int64_t password_at;  /* when it was set, 0: never */
    int64_t signed_in_at; /* 0: never */
};

extern const struct form user_form;      /* create: email name lang is_admin */
extern const struct form user_edit_form; /* name lang is_admin state */
extern const struct form user_reply_form;
extern const char *const user_state_words[];

MUST_USE enum err user_get(struct ctx *c, int64_t id, struct user *out);
/* As addresses are compared: without regard to the case of ASCII. */
const char *user_fold_email(struct arena *mem, const char *email);
MUST_USE enum err user_find_secret(struct ctx *c, const char *email,
                                   struct user_secret *out);
MUST_USE enum err user_get_secret(struct ctx *c, int64_t id,
                                  struct user_secret *out);
/* ERR_NOT_FOUND, with nothing recorded, when nobody has the address. */
MUST_USE enum err user_find(struct ctx *c, const char *email, struct user *out);
/* Active master administrators. */
MUST_USE enum err user_count_admins(struct ctx *c, int64_t *out);
/* Filters: q (part of name or address), state -1 any; after_id pages by
 * (name, id).  Only administrators of people see others than active ones, and
 * who neither administers nor gives roles anywhere sees only those he shares a
 * program or project with. */
struct user_filter {
    const char *q;
    int state, admin; /* admin: 1 administrators, 0 the others, -1 any */
    int64_t after_id;
    int limit;
};
MUST_USE enum err user_list(struct ctx *c, const struct user_filter *filter,
                            const struct user **out, size_t *count, bool *more);

/* Creates and invites.  ERR_CONFLICT "email_taken"; in all three ERR_DENIED
 * "admin_only" when somebody else than a master administrator touches one,
 * or one who administers the tenant; "quota_users" beyond the tenant's. */
MUST_USE enum err user_create(struct ctx *c, const struct app *app,
                              const struct values *v, struct user *out);
/* Suspended, or made or unmade an administrator by somebody else: signed out
 * everywhere, so that no session carries rights of before. */
MUST_USE enum err user_update(struct ctx *c, const struct app *app, int64_t id,
                              int64_t version, const struct values *v,
                              struct user *out);
MUST_USE enum err user_delete(struct ctx *c, int64_t id, int64_t version);
/* ERR_INVALID "email" or ERR_CONFLICT "email_taken" unless this person could
 * have the address; one's own is refused too: nothing would change. */
MUST_USE enum err user_check_email(struct ctx *c, int64_t id,
                                   const char *email);
MUST_USE enum err user_set_email(struct ctx *c, int64_t id, const char *email);
/* The actor's own name and language. */
MUST_USE enum err user_update_self(struct ctx *c, const struct values *v);
MUST_USE enum err user_note_sign_in(struct ctx *c, int64_t id);

#endif
