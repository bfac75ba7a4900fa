/* SPDX-License-Identifier: Apache-2.0 */
/* Ten thousand rows must reach the browser in tens of milliseconds, so each
 * row is turned into its JSON text once, in the order the index gives
 * (siblings together, by rank), and the pieces are then laid out depth first:
 * SQL never has to walk the tree. */
#include "core/work/plan_view.h"

#include "base/civil.h"
#include "base/clock.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/master/catalogue.h"
#include "core/work/dependency.h"
#include "core/work/project.h"
#include "core/work/workday.h"

#include <stdlib.h>
#include <string.h>

#define ROW_COLS                                                               \
    "SELECT t.id, t.no, t.parent_id, t.rank, k.key, t.status_id, t.subject,"   \
    " t.priority, t.assignee_id, t.planned_start, t.planned_end,"              \
    " t.actual_start, t.actual_end, t.due, t.progress, t.estimate, t.actual,"  \
    " t.is_manual, t.version FROM ticket t"                                    \
    " JOIN classification k ON k.id = t.classification_id"
#define LINK_COLS                                                              \
    "SELECT d.id, d.predecessor_id, d.successor_id, d.kind, d.lag"             \
    " FROM dependency d JOIN ticket a ON a.id = d.predecessor_id"              \
    " JOIN ticket b ON b.id = d.successor_id"                                  \
    " WHERE d.project_id = ?1 AND d.revision > ?2 AND d.revision <= ?3"

enum {
    VIEW_ROWS,
    VIEW_CHANGED,
    VIEW_ONE,
    VIEW_LINKS,
    VIEW_GONE_TICKETS,
    VIEW_GONE_LINKS,
    VIEW_PERSON,
    VIEW_LABELS,
    VIEW_NEW_LABELS,
};
static const char *const view_text[] = {
    [VIEW_ROWS] = ROW_COLS " WHERE t.project_id = ?1 AND t.deleted_at IS NULL"
                           " ORDER BY t.parent_id, t.rank",
    [VIEW_CHANGED] = ROW_COLS " WHERE t.project_id = ?1 AND t.revision > ?2"
                              " AND t.revision <= ?3 AND +t.deleted_at IS NULL",
    [VIEW_ONE] = ROW_COLS " WHERE t.id = ?1",
    [VIEW_LINKS] =
        LINK_COLS " AND a.deleted_at IS NULL AND b.deleted_at IS NULL",
    [VIEW_GONE_TICKETS] =
        "SELECT id FROM ticket WHERE project_id = ?1 AND revision > ?2"
        " AND revision <= ?3 AND +deleted_at IS NOT NULL",
    [VIEW_GONE_LINKS] =
        "SELECT id FROM dependency_gone WHERE project_id = ?1"
        " AND revision > ?2 AND revision <= ?3"
        " UNION ALL SELECT d.id FROM dependency d"
        " JOIN ticket a ON a.id = d.predecessor_id"
        " JOIN ticket b ON b.id = d.successor_id"
        " WHERE d.project_id = ?1 AND d.revision > ?2 AND d.revision <= ?3"
        " AND (a.deleted_at IS NOT NULL OR b.deleted_at IS NOT NULL)",
    [VIEW_LABELS] = "SELECT x.ticket_id, x.label_id FROM ticket t"
                    " INDEXED BY ticket_plan CROSS JOIN ticket_label x"
                    " ON x.ticket_id = t.id"
                    " WHERE t.project_id = ?1 AND t.deleted_at IS NULL",
    [VIEW_NEW_LABELS] =
        "SELECT x.ticket_id, x.label_id FROM ticket t CROSS JOIN"
        " ticket_label x ON x.ticket_id = t.id"
        " WHERE t.project_id = ?1 AND t.revision > ?2 AND t.revision <= ?3",
    [VIEW_PERSON] = "SELECT name FROM user WHERE id = ?1",
};
const struct query_set plan_view_queries = {"plan_view", view_text,
                                            COUNT(view_text)};

/* ---- one row ---- */

static void put_int(struct buf *b, int64_t number)
{
    char text[24], *at = text + sizeof text;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        *--at = '-';
    buf_put(b, at, (size_t)(text + sizeof text - at));
}

static void put_id(struct buf *b, struct query *q, int i)
{
    if (col_is_null(q, i)) {
        buf_put(b, "null", 4);
        return;
    }
    buf_putc(b, '"');
    put_int(b, col_int(q, i));
    buf_putc(b, '"');
}

static void put_number(struct buf *b, struct query *q, int i)
{
    if (col_is_null(q, i))
        buf_put(b, "null", 4);
    else
        put_int(b, col_int(q, i));
}

static void put_day(struct buf *b, struct query *q, int i)
{
    char text[13] = "\"";
    int32_t day = col_day(q, i);

    if (day == DAY_NONE) {
        buf_put(b, "null", 4);
        return;
    }
    civil_format(day, text + 1);
    text[11] = '"';
    buf_put(b, text, 12);
}

static void put_text(struct buf *b, const char *text)
{
    struct json_out o = {.b = b};

    json_text(&o, NULL, text);
}

static void put_row(struct buf *b, struct query *q)
{
    buf_putc(b, '[');
    put_id(b, q, 0);
    buf_putc(b, ',');
    put_number(b, q, 1);
    buf_putc(b, ',');
    put_id(b, q, 2);
    buf_putc(b, ',');
    put_number(b, q, 3);
    buf_putc(b, ',');
    put_text(b, col_peek(q, 4));
    buf_putc(b, ',');
    put_id(b, q, 5);
    buf_putc(b, ',');
    put_text(b, col_peek(q, 6));
    buf_putc(b, ',');
    put_text(b, priority_words[col_int(q, 7) & 3]);
    buf_putc(b, ',');
    put_id(b, q, 8);
    for (int i = 9; i <= 13; i++) {
        buf_putc(b, ',');
        put_day(b, q, i);
    }
    for (int i = 14; i <= 16; i++) {
        buf_putc(b, ',');
        put_number(b, q, i);
    }
    if (col_int(q, 17))
        buf_put(b, ",true,", 6);
    else
        buf_put(b, ",false,", 7);
    put_number(b, q, 18);
    buf_putc(b, ']');
}

static void put_columns(struct json_out *o)
{
    json_raw(o, "columns",
             "[\"id\",\"no\",\"parent\",\"rank\",\"classification\","
             "\"status\",\"subject\",\"priority\",\"assignee\","
             "\"planned_start\",\"planned_end\",\"actual_start\","
             "\"actual_end\",\"due\",\"progress\",\"estimate\",\"actual\","
             "\"manual\",\"version\"]");
}

enum err plan_view_put_row(struct ctx *c, int64_t ticket_id, struct json_out *o)
{
    struct query *q = query(c, view_text[VIEW_ONE]);
    struct buf b = buf_in(c->mem);

    bind_int(q, 1, ticket_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    put_row(&b, q);
    query_done(q);
    put_columns(o);
    json_raw(o, "row", b.data);
    return OK;
}

/* whole: for everything, without a span; changed: for the span's revisions. */
static struct query *span_query(struct ctx *c, int whole, int changed,
                                const struct plan_span *s)
{
    bool is_whole = s->since < 0 && whole != changed;
    struct query *q = query(c, view_text[is_whole ? whole : changed]);

    bind_int(q, 1, s->project_id);
    if (!is_whole) {
        bind_int(q, 2, s->since);
        bind_int(q, 3, s->until);
    }
    return q;
}

/* ---- rows ---- */

/* Where a row's text lies, and its place in the tree. */
struct piece {
    int64_t id, parent_id;
    size_t at, len;
};

struct rows {
    struct buf text, pieces, people;
};

static enum err read_rows(struct ctx *c, const struct plan_span *s,
                          struct rows *out)
{
    struct query *q = span_query(c, VIEW_ROWS, VIEW_CHANGED, s);
    enum err e;

    *out = (struct rows){buf_in(c->mem), buf_in(c->mem), buf_in(c->mem)};
    while (query_next(c, q, &e)) {
        struct piece p = {.id = col_int(q, 0),
                          .parent_id = col_int(q, 2),
                          .at = out->text.len};
        int64_t person = col_int(q, 8);
        put_row(&out->text, q);
        p.len = out->text.len - p.at;
        buf_put(&out->pieces, &p, sizeof p);
        if (person)
            buf_put(&out->people, &person, sizeof person);
    }
    return e;
}

/* Pieces come grouped by parent, so the children of a ticket are a range;
 * an index by parent finds it. */
struct tree {
    const struct piece *pieces;
    size_t count;
    size_t *first; /* hash of parent id -> position of its first child + 1 */
    size_t cap;
};

static size_t *slot_of(const struct tree *t, int64_t parent_id)
{
    size_t i = ((uint64_t)parent_id * UINT64_C(0x9E3779B97F4A7C15) >> 20) &
               (t->cap - 1);

    while (t->first[i] && t->pieces[t->first[i] - 1].parent_id != parent_id)
        i = (i + 1) & (t->cap - 1);
    return &t->first[i];
}

static void index_tree(struct arena *mem, struct tree *t)
{
    for (t->cap = 16; t->cap < 2 * t->count;)
        t->cap *= 2;
    t->first = arena_array(mem, size_t, t->cap);
    for (size_t i = 0; i < t->count; i++)
        if (i == 0 || t->pieces[i].parent_id != t->pieces[i - 1].parent_id)
            *slot_of(t, t->pieces[i].parent_id) = i + 1;
}

static void put_piece(struct buf *out, const struct rows *r,
                      const struct piece *p, bool *comma)
{
    if (*comma)
        buf_putc(out, ',');
    *comma = true;
    buf_put(out, r->text.data + p->at, p->len);
}

/* Depth first without recursion: a stack of positions. */
static void put_tree(struct arena *mem, struct buf *out, const struct rows *r)
{
    struct tree t = {.pieces = (const void *)r->pieces.data,
                     .count = r->pieces.len / sizeof(struct piece)};
    size_t *stack = arena_array(mem, size_t, t.count + 1);
    size_t depth = 0;
    bool comma = false;

    if (t.count == 0)
        return;
    index_tree(mem, &t);
    buf_reserve(out, r->text.len + t.count + 1);
    size_t top = *slot_of(&t, 0);
    if (top)
        stack[depth++] = top - 1;
    while (depth) {
        size_t i = stack[--depth];
        put_piece(out, r, &t.pieces[i], &comma);
        if (i + 1 < t.count &&
            t.pieces[i + 1].parent_id == t.pieces[i].parent_id)
            stack[depth++] = i + 1;
        size_t child = *slot_of(&t, t.pieces[i].id);
        if (child)
            stack[depth++] = child - 1;
    }
}

static void put_flat(struct buf *out, const struct rows *r)
{
    const struct piece *pieces = (const void *)r->pieces.data;
    bool comma = false;

    for (size_t i = 0; i < r->pieces.len / sizeof *pieces; i++)
        put_piece(out, r, &pieces[i], &comma);
}

static void put_rows(struct ctx *c, struct json_out *o, const struct rows *r,
                     bool is_tree)
{
    json_open(o, "rows", '[');
    if (is_tree)
        put_tree(c->mem, o->b, r);
    else
        put_flat(o->b, r);
    json_close(o, ']');
}

static int by_id(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static enum err put_people(struct ctx *c, struct json_out *o, struct rows *r)
{
    int64_t *ids = (void *)r->people.data;
    size_t count = r->people.len / sizeof *ids;
    enum err e = OK;

    if (count)
        qsort(ids, count, sizeof *ids, by_id);
    json_open(o, "people", '[');
    for (size_t i = 0; i < count && !e; i++) {
        if (i && ids[i] == ids[i - 1])
            continue;
        struct query *q = query(c, view_text[VIEW_PERSON]);
        bind_int(q, 1, ids[i]);
        if ((e = query_one(c, q)))
            break;
        json_open(o, NULL, '[');
        json_id(o, NULL, ids[i]);
        json_text(o, NULL, col_peek(q, 0));
        json_close(o, ']');
        query_done(q);
    }
    json_close(o, ']');
    return e;
}

/* ---- links and what is gone ---- */

static enum err put_links(struct ctx *c, const struct plan_span *s,
                          struct json_out *o)
{
    struct query *q = span_query(c, VIEW_LINKS, VIEW_LINKS, s);
    bool comma = false;
    enum err e;

    json_open(o, "links", '[');
    while (query_next(c, q, &e)) {
        buf_puts(o->b, comma ? ",[" : "[");
        comma = true;
        for (int i = 0; i < 3; i++) {
            put_id(o->b, q, i);
            buf_putc(o->b, ',');
        }
        buf_putc(o->b, '"');
        buf_put(o->b, dependency_words[col_int(q, 3) & 3], 2);
        buf_put(o->b, "\",", 2);
        put_int(o->b, col_int(q, 4));
        buf_putc(o->b, ']');
    }
    json_close(o, ']');
    return e;
}

static enum err put_ids(struct ctx *c, int text, const struct plan_span *s,
                        struct json_out *o, const char *name)
{
    enum err e = OK;

    json_open(o, name, '[');
    if (s->since >= 0) {
        struct query *q = span_query(c, text, text, s);
        while (query_next(c, q, &e))
            json_id(o, NULL, col_int(q, 0));
    }
    json_close(o, ']');
    return e;
}

/* Pairs apart from the rows: most rows bear none. */
static enum err put_labels(struct ctx *c, const struct plan_span *s,
                           struct json_out *o)
{
    struct query *q = span_query(c, VIEW_LABELS, VIEW_NEW_LABELS, s);
    enum err e;

    json_open(o, "labels", '[');
    while (query_next(c, q, &e)) {
        json_open(o, NULL, '[');
        json_id(o, NULL, col_int(q, 0));
        json_id(o, NULL, col_int(q, 1));
        json_close(o, ']');
    }
    json_close(o, ']');
    return e;
}

enum err plan_view_put_changes(struct ctx *c, const struct plan_span *s,
                               struct json_out *o)
{
    struct rows rows;
    enum err e = read_rows(c, s, &rows);

    if (e)
        return e;
    put_rows(c, o, &rows, s->since < 0);
    if ((e = put_links(c, s, o)) || (e = put_labels(c, s, o)))
        return e;
    json_open(o, "gone", '{');
    e = put_ids(c, VIEW_GONE_TICKETS, s, o, "tickets");
    if (!e)
        e = put_ids(c, VIEW_GONE_LINKS, s, o, "links");
    json_close(o, '}');
    return e ? e : put_people(c, o, &rows);
}

static void put_project(struct json_out *o, const struct project *p)
{
    json_open(o, "project", '{');
    json_id(o, "id", p->id);
    json_text(o, "key", p->key);
    json_text(o, "name", p->name);
    json_text(o, "approach", approach_words[p->approach]);
    json_bool(o, "auto_dates", p->auto_dates);
    json_bool(o, "auto_parent", p->auto_parent);
    json_day(o, "start", p->start_day);
    json_day(o, "end", p->end_day);
    json_int(o, "version", p->version);
    access_put_rights(o, "rights", p->rights);
    json_close(o, '}');
}

enum err plan_view_write(struct ctx *c, int64_t project_id, int64_t since,
                         struct json_out *o)
{
    struct project p;
    enum err e = project_get_plain(c, project_id, &p);

    if (e)
        return e;
    json_open(o, NULL, '{');
    put_project(o, &p);
    json_int(o, "revision", p.revision);
    put_columns(o);
    e = plan_view_put_changes(
        c, &(struct plan_span){project_id, since, INT64_MAX}, o);
    if (!e && since < 0)
        e = workday_put_span(c, project_id, o, "calendar");
    json_day(o, "today", clock_today(c->now_us));
    json_close(o, '}');
    return e;
}
