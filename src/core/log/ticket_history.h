/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LOG_TICKET_HISTORY_H
#define CORE_LOG_TICKET_HISTORY_H

#include "base/ctx.h"

#include <stddef.h>

/* Ticket history: business data, kept as long as the ticket.  before and
 * after are what the reader saw: a name, a date, a text; NULL for none. */
struct ticket_change {
    int64_t id, at, user_id; /* 0: the system */
    const char *user_name;   /* NULL with user_id 0 */
    const char *cause;       /* request id: what changed together */
    const char *field, *before, *after;
};

/* A word of ours or of the master data in both languages, for before, after
 * and field: kept together, told apart by whoever reads. */
const char *ticket_history_words(struct ctx *c, const char *ja, const char *en);
/* The reader's half of such a pair; any other text as it is. */
const char *ticket_history_pick(const struct ctx *c, const char *text);

MUST_USE enum err ticket_history_add(struct ctx *c, int64_t ticket_id,
                                     const char *field, const char *before,
                                     const char *after);
/* What a field was before it last became `after`; NULL when it never did. */
MUST_USE enum err ticket_history_find_before(struct ctx *c, int64_t ticket_id,
                                             const char *field,
                                             const char *after,
                                             const char **out);
/* Newest first; after_id pages downwards, 0: from the newest. */
MUST_USE enum err ticket_history_list(struct ctx *c, int64_t ticket_id,
                                      int64_t after_id, int limit,
                                      const struct ticket_change **out,
                                      size_t *count, bool *more);

#endif
