/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SAMPLE_SERVICE_H
#define CLI_SAMPLE_SERVICE_H

#include "cli/sample_stage.h"

/* The service side of the sample, in the order it happened.  Before there is
 * a customer: whom to reach, and the terms. */
MUST_USE enum err sample_begin_service(struct sample_stage *s);
/* The customer is there: its contract. */
MUST_USE enum err sample_begin_contract(struct sample_stage *s);
/* Its people are there: what they agreed to, whom to call, and what came to
 * pass between then and now. */
MUST_USE enum err
sample_live(struct sample_stage *s,
            const struct sample_account people[SAMPLE_ACCOUNTS]);

#endif
