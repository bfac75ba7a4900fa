/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MASTER_CLASSIFICATION_H
#define CORE_MASTER_CLASSIFICATION_H

#include "base/form.h"
#include "base/json.h"

/* What an administrator changes of classifications and their statuses.  The
 * family stays as it is.  All ask for the classification's version. */
extern const struct form classification_form;          /* all optional */
extern const struct form classification_order_form;    /* {ids} */
extern const struct form classification_statuses_form; /* the whole set */

MUST_USE enum err classification_update(struct ctx *c, int64_t id,
                                        int64_t version,
                                        const struct values *v);
/* The classifications named first come first in their family. */
MUST_USE enum err classification_order(struct ctx *c, const int64_t *ids,
                                       size_t count);
/* Replaces the set: rows with an id are kept, those without are new, in this
 * order.  A status that is left out and in use needs a replacement, to which
 * its tickets move with history; otherwise ERR_CONFLICT "in_use".  One visible
 * status of "todo" and one of "done" must stay. */
MUST_USE enum err classification_put_statuses(struct ctx *c, int64_t id,
                                              int64_t version,
                                              const struct values *v);

#endif
