/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_DEPENDENCY_H
#define CORE_WORK_DEPENDENCY_H

#include "base/ctx.h"

#include <stddef.h>

/* Links between tickets of one project.  That they make no cycle is checked
 * by schedule.c, once for all links of a change. */
enum dependency_kind {
    DEPENDENCY_FS,
    DEPENDENCY_SS,
    DEPENDENCY_FF,
    DEPENDENCY_SF,
};
enum { DEPENDENCY_LAG_MAX = 3650 };

struct dependency {
    int64_t id, project_id, predecessor_id, successor_id;
    enum dependency_kind kind;
    int64_t lag; /* working days, negative: lead */
    int64_t revision;
};

extern const char *const dependency_words[]; /* FS SS FF SF */

MUST_USE enum err dependency_get(struct ctx *c, int64_t project_id, int64_t id,
                                 struct dependency *out);
/* ERR_CONFLICT "linked" (there is one already), "family" (a ticket and what
 * lies below it); ERR_INVALID "self".  out->id is set. */
MUST_USE enum err dependency_create(struct ctx *c, struct dependency *d);
/* Kind and lag. */
MUST_USE enum err dependency_update(struct ctx *c, const struct dependency *d);
MUST_USE enum err dependency_delete(struct ctx *c, const struct dependency *d,
                                    int64_t revision);
/* Links of a subtree that goes into the bin or comes back: other screens must
 * hear of them. */
MUST_USE enum err dependency_touch(struct ctx *c, int64_t ticket_id,
                                   int64_t revision);

#endif
