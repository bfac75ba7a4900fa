/* SPDX-License-Identifier: Apache-2.0 */
/* An edit of one bar should cost what it moves, not what the project holds.
 * So only what the change can reach is read: successors, what lies below a
 * pushed summary, and every parent above; around that a rim of fixed
 * neighbours (predecessors, siblings) which constrain but never move.  A big
 * change reads the project whole instead. */
#include "core/work/schedule.h"

#include "core/core.h"
#include "core/work/ticket_log.h"
#include "core/work/workday.h"
#include "plan/network.h"

#include <string.h>

enum { WHOLE_FROM = 500 };

#define NODE_COLS                                                              \
    "t.id, t.parent_id, k.key = 'milestone', t.is_manual, t.planned_start,"    \
    " t.planned_end, t.progress, t.estimate"
#define NODE_FROM                                                              \
    " FROM ticket t JOIN classification k ON k.id = t.classification_id"

enum {
    SCHED_REACH,
    SCHED_WHOLE,
    SCHED_CHILDREN,
    SCHED_INTO,
    SCHED_LINKS,
    SCHED_NAME
};
static const char *const schedule_text[] = {
    [SCHED_REACH] =
        "WITH RECURSIVE reach(id, pushed) AS ("
        " SELECT value, 1 FROM json_each(?1)"
        " UNION SELECT t.id, 1 FROM reach r JOIN ticket t"
        " INDEXED BY ticket_parent ON t.parent_id = r.id"
        " WHERE r.pushed = 1 AND t.deleted_at IS NULL"
        " UNION SELECT t.parent_id, 0 FROM reach r JOIN ticket t"
        " ON t.id = r.id WHERE t.parent_id IS NOT NULL"
        " UNION SELECT d.successor_id, 1 FROM reach r JOIN dependency d"
        " ON d.predecessor_id = r.id)"
        " SELECT " NODE_COLS ", max(r.pushed) FROM reach r"
        " CROSS JOIN ticket t ON t.id = r.id"
        " JOIN classification k ON k.id = t.classification_id"
        " WHERE t.deleted_at IS NULL GROUP BY t.id",
    [SCHED_WHOLE] = "SELECT " NODE_COLS ", 1" NODE_FROM
                    " WHERE t.project_id = ?1 AND t.deleted_at IS NULL"
                    " ORDER BY t.parent_id, t.rank",
    [SCHED_CHILDREN] = "SELECT " NODE_COLS ", 0 FROM ticket t"
                       " INDEXED BY ticket_parent JOIN classification k"
                       " ON k.id = t.classification_id"
                       " WHERE t.parent_id = ?1 AND t.deleted_at IS NULL",
    [SCHED_INTO] =
        "SELECT " NODE_COLS ", 0, d.id, d.predecessor_id, d.successor_id,"
        " d.kind, d.lag FROM dependency d"
        " JOIN ticket t ON t.id = d.predecessor_id"
        " JOIN classification k ON k.id = t.classification_id"
        " WHERE d.successor_id = ?1 AND t.deleted_at IS NULL",
    [SCHED_LINKS] =
        "SELECT d.id, d.predecessor_id, d.successor_id, d.kind, d.lag"
        " FROM dependency d WHERE d.project_id = ?1",
    [SCHED_NAME] = "SELECT p.key || '-' || t.no, t.subject,"
                   " substr(t.subject, 1, 30) FROM ticket t"
                   " JOIN project p ON p.id = t.project_id WHERE t.id = ?1",
};
const struct query_set schedule_queries = {"schedule", schedule_text,
                                           COUNT(schedule_text)};

struct node {
    int64_t id, parent_id;
    bool is_milestone, is_manual, may_move, is_pushed, is_summary;
    int32_t start, end;
    int progress;
    int64_t estimate;
};

struct link {
    int64_t id, from, to;
    int kind;
    int64_t lag;
};

struct work {
    struct ctx *c;
    const struct schedule_job *job;
    struct buf node_buf, link_buf;
    struct node *nodes; /* = node_buf once all are read */
    size_t count;
    const struct link *links; /* those of net.links, in the same order */
    int *slots;               /* hash of id -> index + 1 */
    size_t cap;
    struct activity *activities;
    struct network net;
    const struct network_order *order;
    bool *changed;
};

/* ---- nodes by id ---- */

static size_t node_count(const struct work *w)
{
    return w->node_buf.len / sizeof(struct node);
}

static int *slot_of(const struct work *w, int64_t id)
{
    const struct node *nodes = (const void *)w->node_buf.data;
    size_t i =
        ((uint64_t)id * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (w->cap - 1);

    while (w->slots[i] && nodes[w->slots[i] - 1].id != id)
        i = (i + 1) & (w->cap - 1);
    return &w->slots[i];
}

static int index_of(const struct work *w, int64_t id)
{
    return w->cap && id ? *slot_of(w, id) - 1 : -1;
}

static void grow(struct work *w)
{
    const struct node *nodes = (const void *)w->node_buf.data;
    size_t count = node_count(w);

    w->cap = w->cap ? w->cap * 2 : 256;
    w->slots = arena_array(w->c->mem, int, w->cap);
    for (size_t i = 0; i < count; i++)
        *slot_of(w, nodes[i].id) = (int)i + 1;
}

static void add_node(struct work *w, struct query *q, bool may_move)
{
    struct node n = {
        .id = col_int(q, 0),
        .parent_id = col_int(q, 1),
        .is_milestone = col_int(q, 2) != 0,
        .is_manual = col_int(q, 3) != 0,
        .may_move = may_move,
        .is_pushed = col_int(q, 8) != 0,
        .start = col_day(q, 4),
        .end = col_day(q, 5),
        .progress = (int)col_int(q, 6),
        .estimate = col_is_null(q, 7) ? 0 : col_int(q, 7),
    };

    if (node_count(w) * 2 >= w->cap)
        grow(w);
    int *slot = slot_of(w, n.id);
    if (*slot)
        return;
    buf_put(&w->node_buf, &n, sizeof n);
    *slot = (int)node_count(w);
}

static void add_link(struct work *w, struct query *q, int col)
{
    struct link l = {
        .id = col_int(q, col),
        .from = col_int(q, col + 1),
        .to = col_int(q, col + 2),
        .kind = (int)col_int(q, col + 3),
        .lag = col_int(q, col + 4),
    };

    buf_put(&w->link_buf, &l, sizeof l);
}

/* ---- reading ---- */

static enum err read_whole(struct work *w)
{
    struct query *q = query(w->c, schedule_text[SCHED_WHOLE]);
    enum err e;

    bind_int(q, 1, w->job->project_id);
    while (query_next(w->c, q, &e))
        add_node(w, q, true);
    if (e)
        return e;
    q = query(w->c, schedule_text[SCHED_LINKS]);
    bind_int(q, 1, w->job->project_id);
    while (query_next(w->c, q, &e))
        add_link(w, q, 0);
    return e;
}

static const char *ids_json(struct ctx *c, const int64_t *ids, size_t count)
{
    struct buf b = buf_in(c->mem);

    buf_putc(&b, '[');
    for (size_t i = 0; i < count; i++)
        buf_printf(&b, "%s%lld", i ? "," : "", (long long)ids[i]);
    buf_putc(&b, ']');
    return b.data;
}

/* What constrains the i-th node: its predecessors, and a parent's children. */
static enum err read_rim(struct work *w, size_t i)
{
    struct node n = ((const struct node *)(const void *)w->node_buf.data)[i];
    struct query *q = query(w->c, schedule_text[SCHED_INTO]);
    enum err e;

    bind_int(q, 1, n.id);
    while (query_next(w->c, q, &e)) {
        add_node(w, q, false);
        add_link(w, q, 9);
    }
    if (e || n.is_pushed)
        return e;
    q = query(w->c, schedule_text[SCHED_CHILDREN]);
    bind_int(q, 1, n.id);
    while (query_next(w->c, q, &e))
        add_node(w, q, false);
    return e;
}

static enum err read_reach(struct work *w)
{
    struct query *q = query(w->c, schedule_text[SCHED_REACH]);
    enum err e;

    bind_text(q, 1, ids_json(w->c, w->job->changed, w->job->changed_count));
    while (query_next(w->c, q, &e))
        add_node(w, q, true);
    size_t inside = node_count(w);
    for (size_t i = 0; i < inside && !e; i++)
        e = read_rim(w, i);
    return e;
}

/* ---- the network ---- */

static void build(struct work *w)
{
    const struct link *links = (const void *)w->link_buf.data;
    size_t link_count = w->link_buf.len / sizeof *links, kept = 0;
    struct network_link *out =
        arena_array(w->c->mem, struct network_link, link_count + 1);
    struct link *same = arena_array(w->c->mem, struct link, link_count + 1);

    w->nodes = (void *)w->node_buf.data;
    w->count = node_count(w);
    w->activities = arena_array(w->c->mem, struct activity, w->count + 1);
    w->changed = arena_array(w->c->mem, bool, w->count + 1);
    for (size_t i = 0; i < w->count; i++) {
        int parent = index_of(w, w->nodes[i].parent_id);
        if (parent >= 0)
            w->nodes[parent].is_summary = true;
    }
    for (size_t i = 0; i < w->count; i++) {
        const struct node *n = &w->nodes[i];
        bool planned = n->start != DAY_NONE && n->end != DAY_NONE;
        w->activities[i] = (struct activity){
            .parent = index_of(w, n->parent_id),
            .is_milestone = n->is_milestone,
            .is_manual = n->is_manual,
            .is_fixed = !n->may_move || (!w->job->auto_dates && !n->is_summary),
            .start = planned ? n->start : DAY_NONE,
            .end = planned ? n->end : DAY_NONE,
        };
    }
    for (size_t i = 0; i < link_count; i++) {
        int from = index_of(w, links[i].from), to = index_of(w, links[i].to);
        if (from < 0 || to < 0)
            continue; /* an end is in the bin */
        same[kept] = links[i];
        out[kept++] = (struct network_link){
            from, to, (enum link_kind)links[i].kind, links[i].lag};
    }
    w->links = same;
    w->net = (struct network){.activities = w->activities,
                              .count = w->count,
                              .links = out,
                              .link_count = kept};
}

static enum err compile_calendar(struct work *w)
{
    const int32_t margin = 366 * 3;
    int32_t first = DAY_NONE, last = DAY_NONE;

    for (size_t i = 0; i < w->count; i++) {
        const struct activity *a = &w->activities[i];
        if (a->start == DAY_NONE)
            continue;
        first = first == DAY_NONE || a->start < first ? a->start : first;
        last = a->end > last ? a->end : last;
    }
    if (first == DAY_NONE)
        first = last = 0;
    return workday_compile(w->c, w->job->project_id, first - margin,
                           last + margin, &w->net.calendar);
}

/* ---- cycles ---- */

static bool in_cycle(const int *cycle, size_t count, int index)
{
    for (size_t i = 0; i < count; i++)
        if (cycle[i] == index)
            return true;
    return false;
}

/* The edit whose link closes the cycle. */
static const char *where_of(struct work *w, const int *cycle, size_t count)
{
    for (size_t n = 0; n < w->job->link_count; n++)
        for (size_t i = 0; i < w->net.link_count; i++)
            if (w->links[i].id == w->job->links[n].id &&
                in_cycle(cycle, count, w->net.links[i].predecessor) &&
                in_cycle(cycle, count, w->net.links[i].successor))
                return w->job->links[n].where ? w->job->links[n].where : "";
    return "";
}

static enum err fail_cycle(struct work *w, const int *cycle, size_t count)
{
    struct buf detail = buf_in(w->c->mem), names = buf_in(w->c->mem);
    struct json_out o = {.b = &detail};
    const char *first = "";

    json_open(&o, "path", '[');
    for (size_t i = 0; i < count; i++) {
        struct query *q = query(w->c, schedule_text[SCHED_NAME]);
        bind_int(q, 1, w->nodes[cycle[i]].id);
        enum err e = query_one(w->c, q);
        if (e)
            return e;
        json_open(&o, NULL, '{');
        json_id(&o, "id", w->nodes[cycle[i]].id);
        json_text(&o, "key", col_peek(q, 0));
        json_text(&o, "subject", col_peek(q, 1));
        json_close(&o, '}');
        if (i == 0)
            first = arena_printf(w->c->mem, "%s %s", col_peek(q, 0),
                                 col_peek(q, 2));
        if (i < 10)
            buf_printf(&names, "%s %s → ", col_peek(q, 0), col_peek(q, 2));
        query_done(q);
    }
    json_close(&o, ']');
    enum err e = ctx_fail(
        w->c, ERR_CONFLICT,
        arena_printf(w->c->mem, "%ssuccessor", where_of(w, cycle, count)),
        "cycle", "依存関係が循環します: %s%s",
        "The links would make a cycle: %s%s", names.data,
        count > 10 ? "…" : first);
    ctx_fail_detail(w->c, detail.data);
    return e;
}

/* ---- writing ---- */

/* Children without dates do not take the dates from their parent. */
static void keep_span(struct work *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->activities[i].start == DAY_NONE)
            w->changed[i] = false;
}

static enum err write_node(struct work *w, size_t i, size_t *written)
{
    const struct node *n = &w->nodes[i];
    struct ticket before, t;
    enum err e = ticket_read(w->c, n->id, &before);

    if (e)
        return e;
    t = before;
    if (w->changed[i]) {
        if (w->activities[i].start < DAY_FIRST ||
            w->activities[i].end > DAY_LAST)
            return ctx_fail(w->c, ERR_INVALID, "planned_end", "day_range",
                            "先行・後続から計算すると「%s」が1980年から"
                            "2100年の外に出ます",
                            "The dependencies push \"%s\" out of the years"
                            " 1980 to 2100",
                            before.subject);
        t.planned_start = w->activities[i].start;
        t.planned_end = w->activities[i].end;
    }
    t.progress = n->progress;
    if (!ticket_log_differs(&before, &t))
        return OK;
    t.revision = w->job->revision;
    t.updated_at = w->c->now_us;
    (*written)++;
    if ((e = ticket_write(w->c, &t)))
        return e;
    return ticket_log_write(
        w->c, &(struct ticket_record){.action = "update",
                                      .project_key = w->job->project_key,
                                      .catalogue = w->job->catalogue,
                                      .before = &before,
                                      .after = &t,
                                      .where = TICKET_LOG_HISTORY});
}

/* ---- progress of parents ---- */

/* Effort counts when every child has some; else working days; children that
 * weigh nothing at all (milestones) count alike. */
struct share {
    int64_t by_effort, effort, by_days, days, sum, count;
    bool all_have_effort;
};

static void add_share(struct work *w, size_t i, struct share *s)
{
    const struct node *n = &w->nodes[i];
    const struct activity *a = &w->activities[i];
    int64_t days = a->start == DAY_NONE ? 1
                   : n->is_milestone
                       ? 0
                       : calendar_count(w->net.calendar, a->start, a->end);

    if (s->count++ == 0)
        s->all_have_effort = true;
    s->all_have_effort = s->all_have_effort && n->estimate > 0;
    s->by_effort += n->estimate * n->progress;
    s->effort += n->estimate;
    s->by_days += days * n->progress;
    s->days += days;
    s->sum += n->progress;
}

static int share_value(const struct share *s)
{
    if (s->all_have_effort)
        return (int)(s->by_effort / s->effort);
    if (s->days)
        return (int)(s->by_days / s->days);
    return (int)(s->sum / s->count);
}

/* Nodes by depth, the deepest first. */
static int *deepest_first(struct work *w)
{
    int *depth = arena_array(w->c->mem, int, w->count + 1);
    int *at = arena_array(w->c->mem, int, w->count + 2);
    int *order = arena_array(w->c->mem, int, w->count + 1);

    for (size_t i = 0; i < w->count; i++) {
        for (int p = w->activities[i].parent; p >= 0;
             p = w->activities[p].parent)
            depth[i]++;
        at[w->count - (size_t)depth[i]]++;
    }
    for (size_t d = 1; d <= w->count; d++)
        at[d] += at[d - 1];
    for (size_t i = w->count; i-- > 0;)
        order[--at[w->count - (size_t)depth[i]]] = (int)i;
    return order;
}

static void roll_up_progress(struct work *w, bool *touched)
{
    struct share *shares = arena_array(w->c->mem, struct share, w->count + 1);
    const int *order = deepest_first(w);

    for (size_t n = 0; n < w->count; n++) {
        int i = order[n], parent = w->activities[i].parent;
        if (shares[i].count && w->nodes[i].may_move) {
            int value = share_value(&shares[i]);
            touched[i] = value != w->nodes[i].progress;
            w->nodes[i].progress = value;
        }
        if (parent >= 0)
            add_share(w, (size_t)i, &shares[parent]);
    }
}

static void keep_conflicts(struct work *w, const int *at, size_t count,
                           struct schedule_result *out)
{
    struct plan_edit_conflict *list =
        arena_array(w->c->mem, struct plan_edit_conflict, count + 1);

    for (size_t i = 0; i < count; i++) {
        int successor = w->net.links[at[i]].successor;
        if (w->nodes[successor].may_move && w->nodes[successor].is_manual)
            list[out->conflict_count++] = (struct plan_edit_conflict){
                w->links[at[i]].id, w->nodes[successor].id};
    }
    out->conflicts = list;
}

static enum err calculate(struct work *w, struct schedule_result *out)
{
    bool *touched = arena_array(w->c->mem, bool, w->count + 1);
    const int *conflicts;
    size_t conflict_count;
    enum err e = compile_calendar(w);

    if (e)
        return e;
    network_push(w->c->mem, &w->net, w->order, w->job->auto_parent, w->changed,
                 &conflicts, &conflict_count);
    keep_span(w);
    if (w->job->auto_dates)
        keep_conflicts(w, conflicts, conflict_count, out);
    if (w->job->auto_parent)
        roll_up_progress(w, touched);
    for (size_t i = 0; i < w->count && !e; i++)
        if (w->nodes[i].may_move && (w->changed[i] || touched[i]))
            e = write_node(w, i, &out->changed);
    return e;
}

enum err schedule_run(struct ctx *c, const struct schedule_job *job,
                      struct schedule_result *out)
{
    struct work w = {.c = c,
                     .job = job,
                     .node_buf = buf_in(c->mem),
                     .link_buf = buf_in(c->mem)};
    const int *cycle;
    size_t cycle_count;

    *out = (struct schedule_result){0};
    if (job->changed_count == 0)
        return OK;
    enum err e =
        job->changed_count >= WHOLE_FROM ? read_whole(&w) : read_reach(&w);
    if (e)
        return e;
    build(&w);
    w.order = network_sort(c->mem, &w.net, &cycle, &cycle_count);
    if (!w.order)
        return fail_cycle(&w, cycle, cycle_count);
    return calculate(&w, out);
}
