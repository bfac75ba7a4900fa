/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SAMPLE_H
#define CLI_SAMPLE_H

#include "core/app.h"

#include <stddef.h>

/* The sample company of an evaluation: 架空商事 with its people, programs and
 * projects, dated around today. */
struct sample_account {
    const char *email, *name, *role;
    char password[17]; /* random, of this evaluation alone */
};

enum { SAMPLE_ACCOUNTS = 10 };
extern const char sample_tenant[]; /* "kaku" */

/* The first operator, by the token of the start. */
MUST_USE enum err sample_operator(struct ctx *c, const struct app *app,
                                  const char *token,
                                  struct sample_account *out);
/* Makes the tenant; the accounts are filled.  Only for an evaluation store. */
MUST_USE enum err sample_create(struct ctx *c, struct app *app,
                                struct sample_account out[SAMPLE_ACCOUNTS]);

#endif
