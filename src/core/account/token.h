/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCOUNT_TOKEN_H
#define CORE_ACCOUNT_TOKEN_H

#include "base/form.h"
#include "base/secret.h"
#include "core/app.h"

#include <stddef.h>

/* Personal tokens for programs: "ygr_" and 256 random bits, kept only as
 * SHA-256, shown once.  A token acts as its owner, with what the owner may do
 * at that moment, and less: reading only, or on some projects only.  It never
 * counts as a fresh sign-in and never reaches the owner's account.  Where the
 * tenant does not allow tokens (the default) none is made and none works. */
#define TOKEN_PREFIX "ygr_"
enum {
    TOKEN_PER_USER = 20,
    TOKEN_DAYS_MAX = 365,
    TOKEN_PROJECTS_MAX = 50,
    TOKEN_CHARS = 4 + SECRET_TOKEN_CHARS,
};

struct token {
    int64_t id, user_id;
    const char *name;
    bool may_write;
    bool is_limited; /* to its projects */
    int64_t created_at, expires_at, used_at;
    const char *used_ip;   /* "" before the first use */
    const char *projects;  /* JSON array of {id, key, name}; of token_list */
    const char *user_name; /* owner's, of token_find */
    enum lang user_lang;
    bool user_is_admin;
};

extern const struct form token_form; /* name, write, days, projects */
extern const struct form token_reply_form;

MUST_USE enum err token_is_allowed(struct ctx *c, bool *out);
/* By what followed "Bearer ": ERR_AUTH "token" when unknown, over, or the
 * owner is not active; ERR_LIMIT "throttled" for an address that guesses,
 * unless the token came from there last. */
MUST_USE enum err token_find(struct ctx *c, const struct app *app,
                             const char *text, struct token *out);
MUST_USE enum err token_touch(struct ctx *c, int64_t id);

/* The actor's own; the text is shown this once. */
MUST_USE enum err token_create(struct ctx *c, const struct values *v,
                               struct token *out, char text[TOKEN_CHARS + 1]);
/* Somebody's, newest first, those that are over included. */
MUST_USE enum err token_list(struct ctx *c, int64_t user_id,
                             const struct token **out, size_t *count);
/* ERR_NOT_FOUND unless it is this person's. */
MUST_USE enum err token_revoke(struct ctx *c, int64_t user_id, int64_t id);

#endif
