/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SAMPLE_H
#define CLI_SAMPLE_H

#include "cli/sample_stage.h"

/* The first operator, by the token of the start, 80 days ago. */
MUST_USE enum err sample_operator(struct sample_stage *s, const char *token,
                                  struct sample_account *out);
/* Makes the tenant, 78 days ago, with what came to pass since; the accounts
 * are filled.  Only for an evaluation store.  The operator is there. */
MUST_USE enum err sample_create(struct sample_stage *s,
                                struct sample_account out[SAMPLE_ACCOUNTS]);
/* The operator's papers as they are now, and its password: out->password. */
MUST_USE enum err sample_finish(struct sample_stage *s,
                                struct sample_account *out);

#endif
