/* SPDX-License-Identifier: Apache-2.0 */
#include "core/exchange/plan_export.h"

#include "base/civil.h"
#include "base/cp932.h"
#include "base/csv.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/master/catalogue.h"
#include "core/work/plan_view.h"
#include "core/work/project.h"
#include "core/work/ticket_tree.h"

#include <stdlib.h>
#include <string.h>

enum { EXPORT_ROWS };
static const char *const export_text[] = {
    /* ?2: the key of the project */
    [EXPORT_ROWS] =
        "SELECT t.id, t.no, t.parent_id, t.classification_id, t.status_id,"
        " t.priority, t.planned_start, t.planned_end, t.actual_start,"
        " t.actual_end, t.due, t.progress, t.estimate, t.actual, t.is_manual,"
        " t.subject, t.details,"
        /* ?3: the addresses are for the reader to see */
        " (SELECT group_concat(CASE WHEN ?3 THEN u.email WHEN EXISTS (SELECT 1"
        "  FROM user x WHERE x.name = u.name AND x.id <> u.id AND x.state < 3)"
        "  THEN u.name || ' (#' || u.id || ')' ELSE u.name END, '||'"
        "  ORDER BY a.rank)"
        "  FROM ticket_assignee a JOIN user u ON u.id = a.user_id"
        "  WHERE a.ticket_id = t.id AND u.state < 3),"
        " (SELECT group_concat(?2 || '-' || p.no || CASE WHEN d.kind = 0"
        "  AND d.lag = 0 THEN '' ELSE ' ' || substr('FSSSFFSF',"
        "  d.kind * 2 + 1, 2) || CASE d.lag WHEN 0 THEN ''"
        "  ELSE printf('%+d', d.lag) END END, '||' ORDER BY p.no)"
        "  FROM dependency d JOIN ticket p ON p.id = d.predecessor_id"
        "  WHERE d.successor_id = t.id AND p.deleted_at IS NULL),"
        " (SELECT group_concat(CASE WHEN EXISTS (SELECT 1 FROM label o"
        "  WHERE o.name = l.name AND o.id <> l.id) THEN CASE l.kind WHEN 0"
        "  THEN 'project:' WHEN 1 THEN 'phase:' WHEN 2 THEN 'team:'"
        "  ELSE 'free:' END ELSE '' END || l.name, '||'"
        "  ORDER BY l.kind, l.name) FROM ticket_label x JOIN label l"
        "  ON l.id = x.label_id WHERE x.ticket_id = t.id)"
        " FROM ticket t WHERE t.project_id = ?1 AND t.deleted_at IS NULL"
        " ORDER BY t.parent_id, t.rank",
};
const struct query_set plan_export_queries = {"plan_export", export_text,
                                              COUNT(export_text)};

/* What plan_csv_read() takes. */
enum { BYTES_MAX = 32 << 20 };

struct line {
    int64_t id, parent_id;
    const char *cells[PLAN_CELLS];
};

struct work {
    struct ctx *c;
    const struct catalogue *catalogue;
    const char *key; /* of the project */
    struct line *lines;
    size_t count, cap, bytes;
    struct buf *out;
    bool shows_addresses;
};

static enum err fail_size(struct ctx *c)
{
    return ctx_fail(c, ERR_LIMIT, "", "file_size",
                    "書き出しは50,000行、32 MBまでです",
                    "An export holds 50,000 rows and 32 MB at most");
}

/* ---- one row's cells ---- */

static const char *day_text(struct work *w, struct query *q, int i)
{
    int32_t day = col_day(q, i);
    char text[11];

    if (day == DAY_NONE)
        return "";
    civil_format(day, text);
    return arena_strdup(w->c->mem, text);
}

/* Hours with as many digits as a minute needs. */
static const char *hours_text(struct work *w, struct query *q, int i)
{
    if (col_is_null(q, i))
        return "";
    int64_t minutes = col_int(q, i);
    return minutes % 60 == 0
               ? arena_printf(w->c->mem, "%lld", (long long)(minutes / 60))
               : arena_printf(w->c->mem, "%.2f", (double)minutes / 60);
}

static const char *priority_text(const struct work *w, int64_t priority)
{
    static const char *const ja[] = {"緊急", "高", "中", "低"};
    static const char *const en[] = {"Urgent", "High", "Medium", "Low"};

    return ctx_text(w->c, ja[priority], en[priority]);
}

static void take_words(struct work *w, struct query *q, const char **cells)
{
    const struct classification *k =
        catalogue_find(w->catalogue, col_int(q, 3));
    const struct status *s =
        k ? classification_find_status(k, col_int(q, 4)) : NULL;

    cells[PLAN_CLASSIFICATION] = k ? ctx_text(w->c, k->ja, k->en) : "";
    cells[PLAN_STATUS] = s ? ctx_text(w->c, s->ja, s->en) : "";
    cells[PLAN_PRIORITY] = priority_text(w, col_int(q, 5));
    cells[PLAN_MANUAL] = col_int(q, 14) ? ctx_text(w->c, "はい", "yes")
                                        : ctx_text(w->c, "いいえ", "no");
}

static const char *text_or_empty(struct work *w, struct query *q, int i)
{
    const char *text = col_text(w->c, q, i);

    return text ? text : "";
}

static void take_row(struct work *w, struct query *q, struct line *out)
{
    const char **cells = out->cells;

    out->id = col_int(q, 0);
    out->parent_id = col_int(q, 2);
    cells[PLAN_ID] =
        arena_printf(w->c->mem, "%s-%lld", w->key, (long long)col_int(q, 1));
    take_words(w, q, cells);
    cells[PLAN_START] = day_text(w, q, 6);
    cells[PLAN_END] = day_text(w, q, 7);
    cells[PLAN_ACTUAL_START] = day_text(w, q, 8);
    cells[PLAN_ACTUAL_END] = day_text(w, q, 9);
    cells[PLAN_DUE] = day_text(w, q, 10);
    cells[PLAN_PROGRESS] = arena_printf(w->c->mem, "%d", (int)col_int(q, 11));
    cells[PLAN_ESTIMATE] = hours_text(w, q, 12);
    cells[PLAN_ACTUAL] = hours_text(w, q, 13);
    cells[PLAN_SUBJECT] = text_or_empty(w, q, 15);
    cells[PLAN_DETAILS] = text_or_empty(w, q, 16);
    cells[PLAN_ASSIGNEE] = text_or_empty(w, q, 17);
    cells[PLAN_PREDECESSORS] = text_or_empty(w, q, 18);
    cells[PLAN_LABELS] = text_or_empty(w, q, 19);
    w->bytes += strlen(cells[PLAN_SUBJECT]) + strlen(cells[PLAN_DETAILS]);
}

static enum err read_rows(struct work *w, int64_t project_id)
{
    struct query *q = query(w->c, export_text[EXPORT_ROWS]);
    enum err e;

    bind_int(q, 1, project_id);
    bind_text(q, 2, w->key);
    bind_int(q, 3, w->shows_addresses);
    while (query_next(w->c, q, &e)) {
        if (w->count == PLAN_ROWS_MAX || w->bytes > BYTES_MAX) {
            query_done(q);
            return fail_size(w->c);
        }
        if (w->count == w->cap) {
            size_t cap = w->cap ? w->cap * 2 : 1024;
            struct line *more = arena_array(w->c->mem, struct line, cap);
            if (w->count)
                memcpy(more, w->lines, w->count * sizeof *more);
            w->lines = more;
            w->cap = cap;
        }
        take_row(w, q, &w->lines[w->count++]);
    }
    return e;
}

/* ---- the tree ---- */

static int by_parent(const void *key, const void *line)
{
    int64_t wanted = *(const int64_t *)key;
    int64_t has = ((const struct line *)line)->parent_id;

    return (wanted > has) - (wanted < has);
}

/* The first row below a ticket, w->count when there is none: siblings stand
 * together, by rank. */
static size_t first_below(const struct work *w, int64_t id)
{
    if (w->count == 0)
        return 0;
    const struct line *found =
        bsearch(&id, w->lines, w->count, sizeof *w->lines, by_parent);
    if (!found)
        return w->count;
    size_t i = (size_t)(found - w->lines);
    while (i > 0 && w->lines[i - 1].parent_id == id)
        i--;
    return i;
}

static void put_line(struct work *w, const struct line *l, const char *outline)
{
    for (int cell = 0; cell < PLAN_CELLS; cell++)
        csv_put(w->out, cell == PLAN_OUTLINE ? outline : l->cells[cell],
                cell == PLAN_CELLS - 1);
}

/* Depth first; path[d] is the row at depth d, number[d] its place there. */
static enum err put_tree(struct work *w)
{
    size_t path[TICKET_TREE_LEVELS + 1];
    int number[TICKET_TREE_LEVELS + 1];
    char *outline[TICKET_TREE_LEVELS + 1];
    int depth = 0;

    path[0] = first_below(w, 0);
    number[0] = 1;
    while (depth >= 0) {
        int64_t parent = depth ? w->lines[path[depth - 1]].id : 0;
        size_t i = path[depth];
        if (i >= w->count || w->lines[i].parent_id != parent) {
            if (--depth >= 0) {
                path[depth]++;
                number[depth]++;
            }
            continue;
        }
        outline[depth] = depth ? arena_printf(w->c->mem, "%s.%d",
                                              outline[depth - 1], number[depth])
                               : arena_printf(w->c->mem, "%d", number[0]);
        put_line(w, &w->lines[i], outline[depth]);
        if (w->out->len > BYTES_MAX)
            return fail_size(w->c);
        must(depth < TICKET_TREE_LEVELS);
        path[++depth] = first_below(w, w->lines[i].id);
        number[depth] = 1;
    }
    return OK;
}

/* ---- all of it ---- */

/* The row's key and the character, for the person who must change it. */
static enum err fail_932(struct ctx *c, const struct buf *b, size_t bad)
{
    size_t len = 1, line = 0;

    while (bad + len < b->len &&
           ((unsigned char)b->data[bad + len] & 0xc0) == 0x80)
        len++;
    for (size_t i = 0; i < bad; i++)
        line += b->data[i] == '\n';
    return ctx_fail(
        c, ERR_INVALID, "encoding", "cp932",
        "CP932にない文字「%.*s」があります（%zu行目）。UTF-"
        "8で書き出してください",
        "CP932 has no character \"%.*s\" (line %zu); export as UTF-8", (int)len,
        b->data + bad, line + 1);
}

enum err plan_export(struct ctx *c, int64_t project_id,
                     enum plan_encoding encoding, struct buf *out)
{
    struct work w = {.c = c, .out = out};
    struct project project;
    size_t bad;
    enum err e = project_get_plain(c, project_id, &project);

    unsigned rights;
    if (e || (e = catalogue_load(c, &w.catalogue)) ||
        (e = access_tenant(c, &rights)) ||
        (e = access_sees_addresses(c, rights, &w.shows_addresses)))
        return e;
    w.key = project.key;
    if (encoding != PLAN_CP932)
        buf_puts(out, "\xef\xbb\xbf");
    for (int cell = 0; cell < PLAN_CELLS; cell++)
        csv_put(out, plan_csv_head((enum plan_cell)cell, c->actor->lang),
                cell == PLAN_CELLS - 1);
    if ((e = read_rows(&w, project_id)) || (e = put_tree(&w)))
        return e;
    if (encoding != PLAN_CP932)
        return OK;
    struct buf text = *out;
    if (!cp932_encode(c->mem, text.data, text.len, &out->data, &out->len, &bad))
        return fail_932(c, &text, bad);
    out->cap = out->len;
    return OK;
}
