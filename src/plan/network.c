/* SPDX-License-Identifier: Apache-2.0 */
/* The one hard idea: a summary is two nodes.  What links into it reaches its
 * "gate", which comes before everything below; its "span" comes after
 * everything below and is what links out of it leave from.  A leaf is both at
 * once.  With that, a cycle through the hierarchy is a cycle like any other. */
#include "plan/network.h"

#include "base/civil.h"
#include "base/err.h"

#include <stdlib.h>

/* Node 2i is the gate of activity i, 2i + 1 its span; of a leaf only the gate
 * is used. */
struct graph {
    int nodes;
    int *first; /* nodes + 1: where a node's edges begin */
    int *to;    /* edge -> node */
};

struct network_order {
    const int *nodes; /* in order */
    size_t count;
    const bool *is_summary; /* by activity */
    const int *into_first;  /* by activity: its incoming links … */
    const int *into;        /* … as indices of links */
    const int *below_first; /* by activity: its children */
    const int *below;
};

static int gate(int activity)
{
    return activity * 2;
}

static int span(const bool *is_summary, int activity)
{
    return activity * 2 + (is_summary[activity] ? 1 : 0);
}

/* Counting sort of pairs (key, value) into first[] and out[]. */
static void group(struct arena *mem, int keys, const int *key, const int *value,
                  size_t count, int **first, int **out)
{
    int *at = arena_array(mem, int, (size_t)keys + 2);

    *out = arena_array(mem, int, count + 1);
    for (size_t i = 0; i < count; i++)
        at[key[i] + 2]++;
    for (int k = 0; k < keys; k++)
        at[k + 2] += at[k + 1];
    for (size_t i = 0; i < count; i++)
        (*out)[at[key[i] + 1]++] = value[i];
    *first = at;
}

static void build_graph(struct arena *mem, const struct network *n,
                        const bool *is_summary, struct graph *g)
{
    size_t max = n->link_count + n->count * 3;
    int *from = arena_array(mem, int, max + 1);
    int *to = arena_array(mem, int, max + 1);
    size_t count = 0;

    for (size_t i = 0; i < n->link_count; i++) {
        from[count] = span(is_summary, n->links[i].predecessor);
        to[count++] = gate(n->links[i].successor);
    }
    for (size_t i = 0; i < n->count; i++) {
        int a = (int)i, p = n->activities[i].parent;
        if (is_summary[a]) {
            from[count] = gate(a);
            to[count++] = a * 2 + 1;
        }
        if (p < 0)
            continue;
        from[count] = gate(p);
        to[count++] = gate(a);
        from[count] = span(is_summary, a);
        to[count++] = p * 2 + 1;
    }
    g->nodes = (int)n->count * 2;
    group(mem, g->nodes, from, to, count, &g->first, &g->to);
}

/* Kahn's algorithm, lowest node first among those ready at the start. */
static size_t sort_nodes(struct arena *mem, const struct graph *g, int *order,
                         int **waiting)
{
    int *left = arena_array(mem, int, (size_t)g->nodes + 1);
    size_t head = 0, tail = 0;

    for (int e = 0; e < g->first[g->nodes]; e++)
        left[g->to[e]]++;
    for (int v = 0; v < g->nodes; v++)
        if (left[v] == 0)
            order[tail++] = v;
    while (head < tail) {
        int v = order[head++];
        for (int e = g->first[v]; e < g->first[v + 1]; e++)
            if (--left[g->to[e]] == 0)
                order[tail++] = g->to[e];
    }
    *waiting = left;
    return tail;
}

/* Every node that still waits has a waiting node before it; going back far
 * enough runs into the cycle. */
static void trace_cycle(struct arena *mem, const struct graph *g,
                        const int *left, const int **out, size_t *count)
{
    int *before = arena_array(mem, int, (size_t)g->nodes + 1);
    int *path = arena_array(mem, int, (size_t)g->nodes + 1);
    size_t n = 0;
    int v = 0;

    for (int u = 0; u < g->nodes; u++)
        for (int e = g->first[u]; left[u] > 0 && e < g->first[u + 1]; e++)
            if (left[g->to[e]] > 0)
                before[g->to[e]] = u;
    while (left[v] <= 0)
        v++;
    for (int i = 0; i < g->nodes; i++)
        v = before[v];
    int begin = v;
    do {
        if (n == 0 || path[n - 1] != v / 2)
            path[n++] = v / 2;
        v = before[v];
    } while (v != begin);
    if (n > 1 && path[0] == path[n - 1])
        n--;
    int *cycle = arena_array(mem, int, n);
    for (size_t i = 0; i < n; i++)
        cycle[i] = path[n - 1 - i];
    *out = cycle;
    *count = n;
}

const struct network_order *network_sort(struct arena *mem,
                                         const struct network *n,
                                         const int **cycle, size_t *cycle_count)
{
    struct network_order *o = arena_new(mem, struct network_order);
    bool *is_summary = arena_array(mem, bool, n->count + 1);
    int *order = arena_array(mem, int, n->count * 2 + 1);
    int *key = arena_array(mem, int, n->count + n->link_count + 1);
    int *value = arena_array(mem, int, n->count + n->link_count + 1);
    int *first, *list, *left;
    size_t children = 0;
    struct graph g;

    for (size_t i = 0; i < n->count; i++)
        if (n->activities[i].parent >= 0) {
            is_summary[n->activities[i].parent] = true;
            key[children] = n->activities[i].parent;
            value[children++] = (int)i;
        }
    group(mem, (int)n->count, key, value, children, &first, &list);
    o->below_first = first;
    o->below = list;
    for (size_t i = 0; i < n->link_count; i++) {
        key[i] = n->links[i].successor;
        value[i] = (int)i;
    }
    group(mem, (int)n->count, key, value, n->link_count, &first, &list);
    o->into_first = first;
    o->into = list;
    build_graph(mem, n, is_summary, &g);
    o->count = sort_nodes(mem, &g, order, &left);
    o->nodes = order;
    o->is_summary = is_summary;
    if (o->count == (size_t)g.nodes)
        return o;
    trace_cycle(mem, &g, left, cycle, cycle_count);
    return NULL;
}

/* ---- pushing ---- */

static int64_t length(const struct calendar *k, const struct activity *a)
{
    int64_t n = calendar_count(k, a->start, a->end);

    return n < 1 ? 1 : n;
}

/* First working day on or after which a bar of this length ends on or after
 * the wanted day. */
static int32_t start_for_end(const struct calendar *k, int32_t end,
                             const struct activity *a)
{
    if (a->is_milestone)
        return end;
    return calendar_add(k, calendar_next(k, end), 1 - length(k, a));
}

int32_t network_earliest(const struct calendar *k,
                         const struct network_link *link,
                         const struct activity *predecessor,
                         const struct activity *successor)
{
    int64_t lag = link->lag;
    /* counted from working days: a bar that was put on a weekend by hand pushes
     * nothing further than its Friday would */
    int32_t begun = calendar_next(k, predecessor->start);
    int32_t ended = calendar_previous(k, predecessor->end);

    switch (link->kind) {
    case LINK_FS:
        return calendar_add(k, ended, lag + (successor->is_milestone ? 0 : 1));
    case LINK_SS:
        return calendar_add(k, begun, lag);
    case LINK_FF:
        return start_for_end(k, calendar_add(k, ended, lag), successor);
    case LINK_SF:
        return start_for_end(k, calendar_add(k, begun, lag - 1), successor);
    }
    return successor->start;
}

struct push {
    const struct network *n;
    const struct network_order *o;
    /* by is_milestone and activity: below the summary no bar, or no milestone,
     * may start earlier */
    int32_t *bound[2];
    bool *changed;
    int *conflicts;
    size_t conflict_count;
};

static bool is_planned(const struct activity *a)
{
    return a->start != DAY_NONE && a->end != DAY_NONE;
}

static bool binds_start(const struct network_link *link)
{
    return link->kind == LINK_FS || link->kind == LINK_SS;
}

/* In working time: what stands on days off by hand keeps a link that the work
 * around it would keep.  What is not manual goes to the next working day. */
static bool keeps(const struct calendar *k, const struct network_link *link,
                  const struct activity *a, int32_t earliest)
{
    if (a->is_milestone)
        return a->start >= earliest;
    if (binds_start(link))
        return calendar_next(k, a->start) >= earliest;
    return start_for_end(k, calendar_previous(k, a->end), a) >= earliest;
}

/* The latest of what the links into an activity and into the summaries above
 * it ask for.  A summary stands for the bars or the milestones below it, as
 * is_milestone says; of a leaf it is what the leaf is. */
static int32_t bound_of(struct push *p, int i, bool is_milestone)
{
    const struct calendar *k = p->n->calendar;
    struct activity a = p->n->activities[i];
    bool is_leaf = !p->o->is_summary[i];
    int32_t bound = a.parent >= 0 ? p->bound[is_milestone][a.parent] : DAY_NONE;

    a.is_milestone = is_milestone;
    for (int e = p->o->into_first[i]; e < p->o->into_first[i + 1]; e++) {
        const struct network_link *l = &p->n->links[p->o->into[e]];
        const struct activity *from = &p->n->activities[l->predecessor];
        if (!is_planned(from) || !(is_leaf ? is_planned(&a) : binds_start(l)))
            continue;
        int32_t day = network_earliest(k, l, from, &a);
        if (day > bound)
            bound = day;
        if (is_leaf && (a.is_manual || a.is_fixed) && !keeps(k, l, &a, day))
            p->conflicts[p->conflict_count++] = p->o->into[e];
    }
    return bound;
}

static void push_leaf(struct push *p, int i)
{
    const struct calendar *k = p->n->calendar;
    struct activity *a = &p->n->activities[i];
    int32_t bound = bound_of(p, i, a->is_milestone);

    if (!is_planned(a) || a->is_manual || a->is_fixed || a->start >= bound)
        return;
    int64_t days = length(k, a);
    a->start = calendar_next(k, bound);
    a->end = a->is_milestone ? a->start : calendar_add(k, a->start, days - 1);
    p->changed[i] = true;
}

static void roll_up_span(struct push *p, int i)
{
    struct activity *a = &p->n->activities[i];
    int32_t start = DAY_NONE, end = DAY_NONE;

    if (a->is_fixed)
        return;
    for (int e = p->o->below_first[i]; e < p->o->below_first[i + 1]; e++) {
        const struct activity *child = &p->n->activities[p->o->below[e]];
        if (!is_planned(child))
            continue;
        if (start == DAY_NONE || child->start < start)
            start = child->start;
        if (end == DAY_NONE || child->end > end)
            end = child->end;
    }
    if (start == a->start && end == a->end)
        return;
    a->start = start;
    a->end = end;
    p->changed[i] = true;
}

void network_push(struct arena *mem, const struct network *n,
                  const struct network_order *order, bool roll_up,
                  bool *changed, const int **conflicts, size_t *conflict_count)
{
    struct push p = {.n = n,
                     .o = order,
                     .bound = {arena_array(mem, int32_t, n->count + 1),
                               arena_array(mem, int32_t, n->count + 1)},
                     .changed = changed,
                     .conflicts = arena_array(mem, int, n->link_count + 1)};

    for (size_t v = 0; v < order->count; v++) {
        int i = order->nodes[v] / 2;
        bool is_gate = order->nodes[v] % 2 == 0;
        if (is_gate && order->is_summary[i]) {
            p.bound[false][i] = bound_of(&p, i, false);
            p.bound[true][i] = bound_of(&p, i, true);
        } else if (is_gate) {
            push_leaf(&p, i);
        } else if (order->is_summary[i] && roll_up) {
            roll_up_span(&p, i);
        }
    }
    *conflicts = p.conflicts;
    *conflict_count = p.conflict_count;
}
