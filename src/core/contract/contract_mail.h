/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CONTRACT_CONTRACT_MAIL_H
#define CORE_CONTRACT_CONTRACT_MAIL_H

#include "core/app.h"
#include "core/contract/termination.h"

/* What the master administrators are told of the end of their contract, each
 * in their language, by the tenant's own outbox. */
enum contract_news {
    CONTRACT_SET_END,
    CONTRACT_SOON, /* 7 days before the last day of use */
    CONTRACT_CLOSED,
    CONTRACT_WITHDRAWN,
    CONTRACT_NEWS
};
/* Opens its own transaction in the tenant's file; noted there, and not done
 * twice for one end but for CONTRACT_WITHDRAWN.  A failure is logged. */
bool contract_tell(struct ctx *c, const struct app *app, const char *tenant,
                   enum contract_news news, const struct termination *t);

/* Active master administrators as a JSON array of email, name and lang; in a
 * transaction of the tenant's file. */
MUST_USE enum err contract_list_admins(struct ctx *c, const char **out);

#endif
