/* SPDX-License-Identifier: Apache-2.0 */
/* One statement a sort order, paged by key: the cursor is the last ticket's
 * id, and its sort value is looked up inside the statement, among the tickets
 * the reader sees: another's place in the order would tell what it holds.
 * Filters that are not given are NULL parameters, which cost nothing. */
#include "core/work/ticket_list.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/str.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/master/catalogue.h"
#include "core/work/ticket.h"
#include "db/tokenizer.h"

#include <stdlib.h>

#define ITEM_COLS                                                              \
    "SELECT t.id, p.key, t.no, t.subject, k.key, t.status_id, t.priority,"     \
    " t.parent_id, t.planned_start, t.planned_end, t.progress, t.updated_at,"  \
    " t.version, t.assignee_id, s.category"
#define FILTERS                                                                \
    " AND (?2 IS NULL OR t.id IN (SELECT rowid FROM ticket_search"             \
    " WHERE ticket_search MATCH ?2))"                                          \
    " AND (?3 IS NULL OR k.key = ?3) AND (?4 IS NULL OR t.status_id = ?4)"     \
    " AND (?5 < 0 OR s.category = ?5)"                                         \
    " AND (?6 IS NULL OR EXISTS (SELECT 1 FROM ticket_assignee x"              \
    " WHERE x.ticket_id = t.id AND x.user_id = ?6))"                           \
    " AND (?10 IS NULL OR CASE ?10 WHEN '[]' THEN NOT EXISTS (SELECT 1"        \
    " FROM ticket_label x WHERE x.ticket_id = t.id) ELSE EXISTS (SELECT 1"     \
    " FROM json_each(?10) CROSS JOIN ticket_label x ON x.ticket_id = t.id"     \
    " AND x.label_id = value) END)"                                            \
    " AND (?12 IS NULL OR EXISTS (SELECT 1 FROM ticket_field x"                \
    " WHERE x.ticket_id = t.id AND x.field_id = ?12"                           \
    " AND (x.text = ?13 OR x.number = ?14 OR x.day = ?15)))"                   \
    " AND (?11 IS NULL OR EXISTS (SELECT 1 FROM ticket_team x"                 \
    " WHERE x.ticket_id = t.id AND x.team_id = ?11))"                          \
    " AND (?7 IS NULL OR (t.planned_end < ?7 AND s.category < 2"               \
    " AND " TICKET_IS_LEAF "))"
#define LIST(value, compare, missing, order, index)                            \
    ITEM_COLS                                                                  \
    " FROM ticket t " index " JOIN project p ON p.id = t.project_id"           \
    " JOIN classification k ON k.id = t.classification_id"                     \
    " JOIN status s ON s.id = t.status_id"                                     \
    " WHERE t.project_id = ?1 AND t.deleted_at IS NULL" FILTERS                \
    " AND (?8 = 0 OR (" value ", t.id) " compare " (coalesce((SELECT " value   \
    " FROM ticket t WHERE t.id = ?8 AND t.project_id = ?1), " missing          \
    "), ?8)) ORDER BY " order " LIMIT ?9"
#define FIRST_LABEL                                                            \
    "coalesce((SELECT min(l.kind || l.name) FROM ticket_label x JOIN label l"  \
    " ON l.id = x.label_id WHERE x.ticket_id = t.id), '9')"
#define OWN(bound)                                                             \
    ITEM_COLS                                                                  \
    ", p.id, p.name"                                                           \
    " FROM ticket_assignee w JOIN ticket t ON t.id = w.ticket_id"              \
    " JOIN project p ON p.id = t.project_id"                                   \
    " JOIN classification k ON k.id = t.classification_id"                     \
    " JOIN status s ON s.id = t.status_id"                                     \
    " WHERE w.user_id = ?1 AND t.deleted_at IS NULL AND p.deleted_at IS "      \
    "NULL"                                                                     \
    " AND s.category < 2 AND " bound                                           \
    " AND (?2 OR p.id IN (SELECT id FROM visible))"                            \
    " AND (?5 = 0 OR (coalesce(t.planned_end, 9999999), t.id) >"               \
    " (coalesce((SELECT planned_end FROM ticket WHERE id = ?5 AND (?2 OR"      \
    " project_id IN (SELECT id FROM visible))), 9999999), ?5)) ORDER BY "      \
    "coalesce(t.planned_end, 9999999), t.id LIMIT ?6"
#define OWN_WITH "WITH RECURSIVE " ACCESS_SEEN_TICKETS " "

enum { OWN_TODAY = TICKET_BY_LABEL + 1, OWN_OVERDUE, OWN_WEEK, PEOPLE, LABELS };
static const char *const list_text[] = {
    [TICKET_BY_UPDATED_DESC] =
        LIST("t.updated_at", "<", "0", "t.updated_at DESC, t.id DESC",
             "INDEXED BY ticket_updated"),
    [TICKET_BY_UPDATED] = LIST("t.updated_at", ">", "0", "t.updated_at, t.id",
                               "INDEXED BY ticket_updated"),
    [TICKET_BY_NO] =
        LIST("t.no", ">", "0", "t.no, t.id", "INDEXED BY ticket_no"),
    [TICKET_BY_NO_DESC] =
        LIST("t.no", "<", "0", "t.no DESC, t.id DESC", "INDEXED BY ticket_no"),
    [TICKET_BY_START] = LIST("coalesce(t.planned_start, 9999999)", ">", "0",
                             "coalesce(t.planned_start, 9999999), t.id", ""),
    [TICKET_BY_END] = LIST("coalesce(t.planned_end, 9999999)", ">", "0",
                           "coalesce(t.planned_end, 9999999), t.id", ""),
    [TICKET_BY_END_DESC] =
        LIST("coalesce(t.planned_end, -9999999)", "<", "0",
             "coalesce(t.planned_end, -9999999) DESC, t.id DESC", ""),
    [TICKET_BY_SUBJECT] = LIST("t.subject", ">", "''", "t.subject, t.id", ""),
    [TICKET_BY_PRIORITY] = LIST("t.priority", ">", "0", "t.priority, t.id", ""),
    [TICKET_BY_LABEL] = LIST(FIRST_LABEL, ">", "''", FIRST_LABEL ", t.id", ""),
    [OWN_TODAY] = OWN_WITH OWN("coalesce(t.planned_start, ?3) <= ?3"
                               " AND coalesce(t.planned_end, ?4) >= ?3"),
    [OWN_OVERDUE] =
        OWN_WITH OWN("(t.planned_end < ?3 AND " TICKET_IS_LEAF " OR t.due < ?3)"
                     " AND ?4 IS NOT NULL"),
    [OWN_WEEK] = OWN_WITH OWN("t.planned_start <= ?4"
                              " AND coalesce(t.planned_end, ?4) >= ?3"),
    [LABELS] = "SELECT x.ticket_id, x.label_id FROM json_each(?1)"
               " JOIN ticket_label x ON x.ticket_id = value"
               " JOIN label l ON l.id = x.label_id ORDER BY l.kind, l.name",
    [PEOPLE] = "SELECT a.user_id, u.name FROM ticket_assignee a"
               " JOIN user u ON u.id = a.user_id WHERE a.ticket_id = ?1"
               " ORDER BY a.rank",
};
const struct query_set ticket_list_queries = {"ticket_list", list_text,
                                              COUNT(list_text)};

const char *const ticket_sort_words[] = {
    "-updated",    "updated",      "no",      "-no",      "planned_start",
    "planned_end", "-planned_end", "subject", "priority", "label",
    NULL};
const char *const ticket_view_words[] = {"today", "overdue", "week", NULL};

/* By key for the page's tickets: cheaper than an aggregate in each row. */
static enum err put_people(struct ctx *c, int64_t ticket_id, bool any,
                           struct json_out *o)
{
    enum err e = OK;

    json_open(o, "assignees", '[');
    if (any) {
        struct query *q = query(c, list_text[PEOPLE]);
        bind_int(q, 1, ticket_id);
        while (query_next(c, q, &e)) {
            json_open(o, NULL, '{');
            json_id(o, "id", col_int(q, 0));
            json_text(o, "name", col_peek(q, 1));
            json_close(o, '}');
        }
    }
    json_close(o, ']');
    return e;
}

static enum err put_item(struct ctx *c, struct query *q, struct json_out *o)
{
    json_open(o, NULL, '{');
    json_id(o, "id", col_int(q, 0));
    struct buf key = buf_in(c->mem);
    buf_puts(&key, col_peek(q, 1));
    buf_putc(&key, '-');
    buf_put_int(&key, col_int(q, 2));
    json_text(o, "key", key.data);
    json_int(o, "no", col_int(q, 2));
    json_text(o, "subject", col_peek(q, 3));
    json_text(o, "classification", col_peek(q, 4));
    json_id(o, "status", col_int(q, 5));
    json_text(o, "priority", priority_words[col_int(q, 6) & 3]);
    json_id(o, "parent", col_int(q, 7));
    json_day(o, "planned_start", col_day(q, 8));
    json_day(o, "planned_end", col_day(q, 9));
    json_int(o, "progress", col_int(q, 10));
    json_text(o, "category", category_words[col_int(q, 14) % 3]);
    json_moment(o, "updated_at", col_int(q, 11));
    json_int(o, "version", col_int(q, 12));
    return put_people(c, col_int(q, 0), !col_is_null(q, 13), o);
}

/* The items of a page wait, without their closing brace, until one statement
 * has brought the labels of all of them. */
struct item {
    int64_t id;
    size_t at, len;
};
struct pair {
    int64_t ticket_id, label_id;
};

static enum err read_labels(struct ctx *c, const struct buf *items,
                            struct buf *out)
{
    const struct item *list = (const void *)items->data;
    struct buf ids = buf_in(c->mem);
    struct query *q = query(c, list_text[LABELS]);
    enum err e;

    for (size_t i = 0; i < items->len / sizeof *list; i++) {
        buf_putc(&ids, i ? ',' : '[');
        buf_put_int(&ids, list[i].id);
    }
    buf_puts(&ids, ids.len ? "]" : "[]");
    *out = buf_in(c->mem);
    bind_text(q, 1, ids.data);
    while (query_next(c, q, &e)) {
        struct pair p = {col_int(q, 0), col_int(q, 1)};
        buf_put(out, &p, sizeof p);
    }
    return e;
}

static enum err put_items(struct ctx *c, const struct buf *items,
                          const struct buf *text, struct json_out *o)
{
    const struct item *list = (const void *)items->data;
    struct buf pairs;
    enum err e = read_labels(c, items, &pairs);
    const struct pair *p = (const void *)pairs.data;

    if (e)
        return e;
    json_open(o, "items", '[');
    for (size_t i = 0; i < items->len / sizeof *list; i++) {
        struct json_out tail = {.b = o->b, .comma = true};
        if (i)
            buf_putc(o->b, ',');
        buf_put(o->b, text->data + list[i].at, list[i].len);
        json_open(&tail, "labels", '[');
        for (size_t j = 0; j < pairs.len / sizeof *p; j++)
            if (p[j].ticket_id == list[i].id)
                json_id(&tail, NULL, p[j].label_id);
        json_close(&tail, ']');
        json_close(&tail, '}');
    }
    json_close(o, ']');
    return OK;
}

static void put_project(struct query *q, struct json_out *o)
{
    json_open(o, "project", '{');
    json_id(o, "id", col_int(q, 15));
    json_text(o, "key", col_peek(q, 1));
    json_text(o, "name", col_peek(q, 16));
    json_close(o, '}');
}

static enum err write_items(struct ctx *c, struct query *q, int limit,
                            bool with_project, struct json_out *o)
{
    struct buf items = buf_in(c->mem), text = buf_in(c->mem);
    int64_t last = 0;
    bool more = false;
    enum err e = OK;

    for (int n = 0; query_next(c, q, &e); n++) {
        if (n == limit) {
            more = true;
            query_done(q);
            break;
        }
        struct item it = {.id = col_int(q, 0), .at = text.len};
        struct json_out one = {.b = &text};
        last = it.id;
        if ((e = put_item(c, q, &one)))
            return e;
        if (with_project)
            put_project(q, &one);
        it.len = text.len - it.at;
        buf_put(&items, &it, sizeof it);
    }
    if (e)
        return e;
    json_open(o, NULL, '{');
    e = put_items(c, &items, &text, o);
    json_id(o, "next", more ? last : 0);
    json_close(o, '}');
    return e;
}

/* In whichever typed column the value fits. */
static void bind_value(struct query *q, const struct ticket_filter *f)
{
    const char *value = f->value ? f->value : "";
    char *end;
    double number = strtod(value, &end);
    int32_t day;

    bind_id(q, 12, f->field_id);
    bind_text(q, 13, value);
    if (*value && !*end)
        bind_double(q, 14, number);
    else if (str_equal(value, "true"))
        bind_double(q, 14, 1);
    if (civil_parse(value, &day))
        bind_day(q, 15, day);
}

enum err ticket_list_write(struct ctx *c, int64_t project_id,
                           const struct ticket_filter *f, struct json_out *o)
{
    struct query *q = query(c, list_text[f->sort]);
    const char *match =
        f->q ? search_match(c->mem, str_fold(c->mem, f->q)) : NULL;

    bind_int(q, 1, project_id);
    bind_text(q, 2, match);
    bind_text(q, 3, f->classification);
    bind_id(q, 4, f->status_id);
    bind_int(q, 5, f->category);
    bind_id(q, 6, f->assignee_id);
    bind_day(q, 7, f->is_late ? clock_today(c->now_us) : DAY_NONE);
    bind_int(q, 8, f->after_id);
    bind_int(q, 9, f->limit + 1);
    bind_text(q, 10, f->labels);
    bind_id(q, 11, f->team_id);
    bind_value(q, f);
    return write_items(c, q, f->limit, false, o);
}

enum err ticket_list_write_own(struct ctx *c, enum ticket_view view,
                               int64_t after_id, int limit, struct json_out *o)
{
    struct query *q = query(c, list_text[OWN_TODAY + (int)view]);
    int32_t today = clock_today(c->now_us);
    int weekday = civil_weekday(today);

    bind_int(q, 1, c->actor->user_id);
    bind_int(q, 2, c->actor->is_admin);
    bind_day(q, 3, today);
    bind_day(q, 4, today + (weekday == 0 ? 0 : 7 - weekday)); /* Sunday */
    bind_int(q, 5, after_id);
    bind_int(q, 6, limit + 1);
    return write_items(c, q, limit, true, o);
}
