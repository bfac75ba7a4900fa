/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONSOLE_OPERATOR_H
#define CORE_CONSOLE_OPERATOR_H

#include "base/secret.h"
#include "core/access/access.h"
#include "core/account/user.h"
#include "core/app.h"

/* Who runs the installation.  Operators live in control.db, in the tables a
 * tenant has for its people: signing in, sessions, mail and the hash-chained
 * log are the same code on another file (STORE_OPERATOR).  The column
 * is_admin tells the two roles apart: an operator changes, an auditor reads. */
extern const char *const operator_role_words[]; /* "auditor", "operator" */
extern const struct form operator_form;         /* email name lang role */
extern const struct form operator_edit_form;    /* name lang role state */
extern const struct form operator_setup_form;   /* token email name … */

/* At each start, before the first request: the operator's own row, and while
 * there is no operator a new set-up token in app->setup_hash; token is "" when
 * there is one already. */
MUST_USE enum err operator_prepare(struct ctx *c, struct app *app,
                                   char token[SECRET_TOKEN_CHARS + 1]);
/* The first operator, by that token.  ERR_AUTH "token", ERR_CONFLICT
 * "set_up" once there is one.  Opens its own transactions. */
MUST_USE enum err operator_set_up(struct ctx *c, const struct app *app,
                                  struct tenant *t, const struct values *v);
/* Whether nobody has been set up yet. */
MUST_USE enum err operator_is_needed(struct ctx *c, bool *out);

/* By name; deleted ones are left out. */
MUST_USE enum err operator_list(struct ctx *c, const struct user **out,
                                size_t *count);
/* As user_create() and user_update(), by the operator's forms. */
MUST_USE enum err operator_create(struct ctx *c, const struct app *app,
                                  const struct values *v, struct user *out);
MUST_USE enum err operator_update(struct ctx *c, const struct app *app,
                                  int64_t id, int64_t version,
                                  const struct values *v, struct user *out);

/* For the dispatcher, at the operator's place: OK, ERR_AUTH or ERR_DENIED. */
MUST_USE enum err operator_check(struct ctx *c, enum right right,
                                 bool is_reading);

#endif
