/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLAN_NETWORK_H
#define PLAN_NETWORK_H

#include "plan/calendar.h"

/* A project as a precedence network (PDM, PMBOK "sequence activities"):
 * activities on the nodes, four kinds of links with lag in working days.
 *
 * Bars cover whole days, start to end inclusive.  A milestone stands at the
 * end of its day: it may fall on the day its predecessor ends, and what
 * follows it begins on the next working day.  A link into a summary holds for
 * everything below it, for a milestone as if it were its own; one out of a
 * summary leaves from its rolled-up bar. */
enum link_kind { LINK_FS, LINK_SS, LINK_FF, LINK_SF };

struct activity {
    int parent; /* index, -1: top */
    bool is_milestone;
    bool is_manual;     /* never moved; links it breaks are reported */
    bool is_fixed;      /* outside this calculation: constrains, is not moved */
    int32_t start, end; /* DAY_NONE: not planned; both or neither */
};

struct network_link {
    int predecessor, successor;
    enum link_kind kind;
    int64_t lag;
};

struct network {
    const struct calendar *calendar;
    struct activity *activities;
    size_t count;
    const struct network_link *links;
    size_t link_count;
};

/* Activities and links in an order in which everything is known before it is
 * needed; NULL when there is a cycle, whose activities are then in *cycle, in
 * order, the first not repeated.  O(activities + links). */
struct network_order;
const struct network_order *network_sort(struct arena *mem,
                                         const struct network *n,
                                         const int **cycle,
                                         size_t *cycle_count);

/* Moves later, never earlier, what starts before its links allow: bars keep
 * their length in working days, and what stands on days off goes to the working
 * day after them.  Summaries (whatever has a child here) take the span of their
 * children when roll_up.  changed[i] tells what moved; *conflicts lists the
 * links that a manual or fixed activity violates, in working time (one put on
 * days off is neither before nor after them); not those of the summaries above
 * it. */
void network_push(struct arena *mem, const struct network *n,
                  const struct network_order *order, bool roll_up,
                  bool *changed, const int **conflicts, size_t *conflict_count);

/* The earliest start that the link allows its successor. */
int32_t network_earliest(const struct calendar *k,
                         const struct network_link *link,
                         const struct activity *predecessor,
                         const struct activity *successor);

#endif
