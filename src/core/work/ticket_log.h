/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_TICKET_LOG_H
#define CORE_WORK_TICKET_LOG_H

#include "core/work/ticket.h"

/* What changed in a ticket, in words: a history row a field, and (once a
 * ticket, or once a cascade) a row of the operation log. */
enum ticket_log { TICKET_LOG_BOTH, TICKET_LOG_HISTORY };

/* A value kept outside the ticket's row, in words; NULL: none. */
struct ticket_extra {
    const char *name, *before, *after;
};

/* before NULL: created; after NULL: deleted.  action is the operation log's
 * word.  Writes nothing when nothing differs. */
struct ticket_record {
    const char *action;
    const char *project_key;
    const struct catalogue *catalogue;
    const struct ticket *before, *after;
    enum ticket_log where;
    const struct ticket_extra *extras;
    size_t extra_count;
};
MUST_USE enum err ticket_log_write(struct ctx *c,
                                   const struct ticket_record *r);
/* Whether a field that is logged differs. */
bool ticket_log_differs(const struct ticket *a, const struct ticket *b);

#endif
