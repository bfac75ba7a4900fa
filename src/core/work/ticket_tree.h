/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_TICKET_TREE_H
#define CORE_WORK_TICKET_TREE_H

#include "base/ctx.h"

#include <stddef.h>

/* The tree of a project's tickets: who is below whom, in which order. */
enum { TICKET_TREE_LEVELS = 100 };
#define TICKET_TREE_FIRST INT64_C(0)
#define TICKET_TREE_LAST  INT64_C(-1)

struct ticket_tree_place {
    int64_t project_id, id; /* id 0: a new ticket */
    int64_t parent_id;      /* 0: top level */
    int64_t after_id; /* a sibling, TICKET_TREE_FIRST or TICKET_TREE_LAST */
    int64_t revision; /* for siblings that must make room */
};
/* The rank for that place.  ERR_NOT_FOUND (not recorded) when after_id is no
 * child of parent_id. */
MUST_USE enum err ticket_tree_find_rank(struct ctx *c,
                                        const struct ticket_tree_place *place,
                                        int64_t *rank);
/* Whether id is ancestor_id or lies below it; levels above id. */
MUST_USE enum err ticket_tree_is_below(struct ctx *c, int64_t id,
                                       int64_t ancestor_id, bool *is_below,
                                       int *levels);
MUST_USE enum err ticket_tree_has_children(struct ctx *c, int64_t id,
                                           bool *out);

/* The whole subtree at once: into the bin with deleted_at = stamp, and back
 * everything that bears the same stamp.  count: rows. */
MUST_USE enum err ticket_tree_delete(struct ctx *c, int64_t id, int64_t stamp,
                                     int64_t revision, int64_t *count);
MUST_USE enum err ticket_tree_restore(struct ctx *c, int64_t id, int64_t stamp,
                                      int64_t revision, int64_t *count);
/* Ids of the subtree, id first; those in the bin with that stamp when it is
 * not 0, else those that are not in the bin. */
MUST_USE enum err ticket_tree_list(struct ctx *c, int64_t id, int64_t stamp,
                                   const int64_t **out, size_t *count);

#endif
