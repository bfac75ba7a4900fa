/* SPDX-License-Identifier: Apache-2.0 */
/* From what a file says to edits.  Rows are read first, each on its own, so
 * that every mistake of the file is found; only if none is do the edits run,
 * and what they refuse is traced back to its line by the edit's `where`. */
#include "core/exchange/import_work.h"

#include "base/civil.h"
#include "base/str.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/master/catalogue.h"
#include "core/master/label.h"
#include "core/work/assignee.h"
#include "core/work/dependency.h"
#include "core/work/plan_edit.h"
#include "core/work/project.h"
#include "core/work/ticket.h"
#include "core/work/workday.h"
#include "db/query.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINKS_MAX = 100000, LINK_BYTES_MAX = 65536, WORD_BYTES_MAX = 6000 };

enum { IMPORT_LINKED };
static const char *const import_text[] = {
    [IMPORT_LINKED] = "SELECT id FROM dependency WHERE predecessor_id = ?1 AND"
                      " successor_id = ?2",
};
const struct query_set import_queries = {"import", import_text,
                                         COUNT(import_text)};

static struct plan_edit *add_edit(struct work *w)
{
    if (w->edit_count == w->edit_cap) {
        size_t cap = w->edit_cap ? w->edit_cap * 2 : 1024;
        struct plan_edit *more = arena_array(w->c->mem, struct plan_edit, cap);
        if (w->edit_count)
            memcpy(more, w->edits, w->edit_count * sizeof(*more));
        w->edits = more;
        w->edit_cap = cap;
    }
    return &w->edits[w->edit_count++];
}

/* ---- names of rows ---- */

static bool is_ticket_key(const struct work *w, const char *id)
{
    size_t len = strlen(w->project_key);

    return strncmp(id, w->project_key, len) == 0 && id[len] == '-' &&
           strspn(id + len + 1, "0123456789") == strlen(id + len + 1) &&
           id[len + 1];
}

/* KEY-12 to an id; what ticket_find records is not ours to report. */
static int64_t find_ticket(struct work *w, const char *key)
{
    struct ctx probe = *w->c;
    int64_t id = 0;

    probe.fail = NULL;
    return ticket_find(&probe, key, &id) ? 0 : id;
}

static bool is_action(struct work *w, size_t i, const char *en, const char *ja)
{
    const char *text = import_cell(w, i, PLAN_ACTION);
    const char *folded = text ? str_fold(w->c->mem, text) : "";

    return str_equal(folded, en) || str_equal(folded, ja);
}

static void name_row(struct work *w, size_t i)
{
    struct row *row = &w->rows[i];
    const char *id = import_cell(w, i, PLAN_ID);

    row->is_delete = is_action(w, i, "delete", "削除");
    row->name = arena_printf(w->c->mem, "row %zu", i);
    if (id && is_ticket_key(w, id)) {
        row->ticket_id = find_ticket(w, id);
        if (!row->ticket_id)
            import_complain(w, i, PLAN_ID, "not_found",
                            ctx_text(w->c, "このチケットは見つかりません",
                                     "There is no such ticket"));
        row->name = arena_printf(w->c->mem, "%lld", (long long)row->ticket_id);
    } else if (row->is_delete) {
        import_complain(w, i, PLAN_ID, "required",
                        ctx_text(w->c, "削除するチケットのIDを指定してください",
                                 "Name the ticket to delete by its ID"));
    }
    if (id && !map_add(&w->ids, id, (int64_t)i))
        import_complain(w, i, PLAN_ID, "twice",
                        ctx_text(w->c, "同じIDの行がほかにもあります",
                                 "Another row has the same ID"));
}

/* A row of the file, or a ticket that exists: its name for edits. */
static const char *resolve(struct work *w, const char *id)
{
    const struct map_slot *s = map_slot(&w->ids, id);

    if (s->key)
        return w->rows[s->value].name;
    int64_t ticket = is_ticket_key(w, id) ? find_ticket(w, id) : 0;
    return ticket ? arena_printf(w->c->mem, "%lld", (long long)ticket) : NULL;
}

/* ---- where a row hangs ---- */

static bool parent_by_outline(struct work *w, size_t i, const char *outline,
                              const char **parent)
{
    const char *dot = strrchr(outline, '.');

    if (!map_add(&w->outlines, outline, (int64_t)i)) {
        import_complain(w, i, PLAN_OUTLINE, "twice",
                        ctx_text(w->c, "同じWBS番号の行がほかにもあります",
                                 "Another row has the same WBS number"));
        return false;
    }
    if (!dot)
        return true;
    const char *above =
        arena_strndup(w->c->mem, outline, (size_t)(dot - outline));
    const struct map_slot *s = map_slot(&w->outlines, above);
    if (!s->key) {
        import_complain(
            w, i, PLAN_OUTLINE, "no_parent",
            ctx_text(w->c, "上位のWBS番号の行がこの行より前にありません",
                     "The row of the number above does not come before "
                     "this one"));
        return false;
    }
    w->rows[s->value].has_children = true;
    *parent = w->rows[s->value].name;
    return true;
}

static bool parent_by_level(struct work *w, size_t i, const char *text,
                            const char **parent)
{
    int64_t level = 0;

    if (!str_parse_int(str_fold(w->c->mem, text), 1, 31, &level) ||
        (level > 1 && w->last[level - 1] < 0)) {
        import_complain(
            w, i, PLAN_LEVEL, "level",
            ctx_text(w->c, "階層は1から始め、1段ずつ下げてください",
                     "Levels begin at 1 and go down one at a time"));
        return false;
    }
    w->last[level] = (int)i;
    for (int l = (int)level + 1; l < 32; l++)
        w->last[l] = -1;
    if (level > 1) {
        w->rows[w->last[level - 1]].has_children = true;
        *parent = w->rows[w->last[level - 1]].name;
    }
    return true;
}

static bool parent_by_id(struct work *w, size_t i, const char *id,
                         const char **parent)
{
    const struct map_slot *s = map_slot(&w->ids, id);

    *parent = resolve(w, id);
    if (s->key && s->value >= (int64_t)i && !w->rows[s->value].ticket_id) {
        import_complain(
            w, i, PLAN_PARENT,
            s->value == (int64_t)i ? "parent_itself" : "parent_later",
            s->value == (int64_t)i
                ? ctx_text(w->c, "自分自身を親にはできません",
                           "A row cannot be its own parent")
                : ctx_text(w->c, "親の行はこの行より前に置いてください",
                           "The row of the parent must come before this one"));
        *parent = "";
        return false;
    }
    if (!*parent) {
        import_complain(w, i, PLAN_PARENT, "not_found",
                        ctx_text(w->c, "親のチケットが見つかりません",
                                 "The parent is not there"));
        return false;
    }
    if (s->key)
        w->rows[s->value].has_children = true;
    return true;
}

/* "" is the top; NULL: the file does not say. */
static const char *find_parent(struct work *w, size_t i)
{
    const char *outline = import_cell(w, i, PLAN_OUTLINE);
    const char *level = import_cell(w, i, PLAN_LEVEL);
    const char *id = import_cell(w, i, PLAN_PARENT);
    const char *parent = "";

    if (id)
        (void)parent_by_id(w, i, id, &parent);
    else if (outline)
        (void)parent_by_outline(w, i, outline, &parent);
    else if (level)
        (void)parent_by_level(w, i, level, &parent);
    else
        return NULL;
    return parent;
}

static void row_edit(struct work *w, size_t i, const char *parent)
{
    struct row *row = &w->rows[i];
    struct plan_edit *e = add_edit(w);

    *e = (struct plan_edit){
        .op = row->is_delete   ? PLAN_EDIT_DELETE
              : row->ticket_id ? PLAN_EDIT_UPDATE
                               : PLAN_EDIT_CREATE,
        .where = arena_printf(w->c->mem, "%zu.", i),
        .ref = row->ticket_id ? NULL : row->name,
        .target = row->ticket_id ? row->name : NULL,
        .values = row->is_delete ? NULL : import_row_values(w, i, parent),
        .is_import = true,
    };
}

/* ---- predecessors ---- */

struct token {
    const char *id;
    int kind;
    int64_t lag;
};

/* "A", "A SS", "A FS+2", "12FS-1d": a lag needs its kind, since ids may end in
 * a number; a kind needs a blank or a digit before it, since ids may end in
 * its letters.  What is an id as a whole is one. */
static bool parse_token(struct work *w, const char *text, struct token *out)
{
    const char *folded = str_trim(w->c->mem, text);
    size_t len = strlen(folded), end = len;

    *out = (struct token){folded, DEPENDENCY_FS, 0};
    if (len > 0 && resolve(w, folded))
        return true;
    while (end > 0 && strchr("+-0123456789 d", folded[end - 1]))
        end--;
    if (end < 3 || !strchr(" 0123456789", folded[end - 3]))
        return len > 0;
    for (int kind = 0; dependency_words[kind]; kind++) {
        if (strncmp(folded + end - 2, dependency_words[kind], 2) != 0)
            continue;
        const char *lag = str_trim(w->c->mem, folded + end);
        size_t digits = strspn(lag, "+-0123456789");
        out->kind = kind;
        out->id =
            str_trim(w->c->mem, arena_strndup(w->c->mem, folded, end - 2));
        lag = arena_strndup(w->c->mem, lag + (*lag == '+'),
                            digits - (*lag == '+' ? 1 : 0));
        return *out->id &&
               (!*lag || str_parse_int(lag, -DEPENDENCY_LAG_MAX,
                                       DEPENDENCY_LAG_MAX, &out->lag));
    }
    return true;
}

static bool is_linked(struct work *w, const char *from, const char *to)
{
    int64_t a, b;

    if (!str_parse_int(from, 1, INT64_MAX, &a) ||
        !str_parse_int(to, 1, INT64_MAX, &b))
        return false;
    struct query *q = query(w->c, import_text[IMPORT_LINKED]);
    bind_int(q, 1, a);
    bind_int(q, 2, b);
    enum err e = query_one(w->c, q);
    if (!e)
        query_done(q);
    return e == OK;
}

static void link_edit(struct work *w, size_t i, const char *text)
{
    struct token t;

    if (!parse_token(w, text, &t)) {
        import_complain(
            w, i, PLAN_PREDECESSORS, "link",
            ctx_text(w->c,
                     "先行は「ID」または「ID FS+2」の形で入力してください",
                     "A predecessor is written \"ID\" or \"ID FS+2\""));
        return;
    }
    const char *from = resolve(w, t.id);
    if (!from) {
        import_complain(
            w, i, PLAN_PREDECESSORS, "not_found",
            import_quote(w, ctx_text(w->c, "先行", "There is no predecessor "),
                         t.id, ctx_text(w->c, "が見つかりません", "")));
        return;
    }
    if (is_linked(w, from, w->rows[i].name))
        return;
    *add_edit(w) = (struct plan_edit){
        .op = PLAN_EDIT_LINK,
        .where = arena_printf(w->c->mem, "%zu.predecessors.", i),
        .predecessor = from,
        .successor = w->rows[i].name,
        .kind = t.kind,
        .lag = t.lag,
        .has_lag = true,
        .is_import = true,
    };
    w->report->links++;
}

static void link_edits(struct work *w, size_t i)
{
    const char *text = import_cell(w, i, PLAN_PREDECESSORS);

    while (text && *text && !w->rows[i].is_delete) {
        size_t len = strcspn(text, "|;,");
        if (len > 0 && w->tokens++ == LINKS_MAX)
            import_complain(w, i, PLAN_PREDECESSORS, "links",
                            ctx_text(w->c,
                                     "依存関係が多すぎます（上限 100,000）",
                                     "There are more than 100,000 links"));
        if (w->tokens > LINKS_MAX)
            return;
        if (len > 0)
            link_edit(w, i, arena_strndup(w->c->mem, text, len));
        text += len + strspn(text + len, "|;,");
    }
}

/* ---- all of it ---- */

/* Who may be assigned, by address and by name; a name that several have is
 * found by "name (#id)" alone. */
static void add_person(struct work *w, const struct assignee *a,
                       const struct assignee *next, bool is_shared)
{
    const char *name = str_fold(w->c->mem, a->name);

    if (a->email)
        (void)map_add(&w->people, str_fold(w->c->mem, a->email), a->id);
    is_shared = is_shared || (next && str_equal(a->name, next->name));
    (void)map_add(&w->people, name, is_shared ? IMPORT_SEVERAL : a->id);
    if (is_shared)
        (void)map_add(
            &w->people,
            str_fold(w->c->mem, assignee_unique_name(w->c, a->name, a->id)),
            a->id);
}

static enum err load_people(struct work *w, int64_t project_id)
{
    const struct assignee_filter all = {.with_present = true,
                                        .for_matching = true};
    const struct assignee *list;
    size_t count;
    bool more;
    enum err e = assignee_list(w->c, project_id, &all, &list, &count, &more);

    if (e)
        return e;
    w->people = map_in(w->c->mem, count * 3);
    for (size_t i = 0; i < count; i++)
        add_person(w, &list[i], i + 1 < count ? &list[i + 1] : NULL,
                   i && str_equal(list[i].name, list[i - 1].name));
    return e;
}

/* By name, and by "kind:name", which tells those apart whose kinds share it. */
static enum err load_labels(struct work *w)
{
    const struct label *list;
    size_t count;
    enum err e = label_list_plain(w->c, &list, &count);

    if (e)
        return e;
    w->labels = map_in(w->c->mem, count * 2);
    for (size_t i = 0; i < count; i++) {
        const char *name = str_fold(w->c->mem, list[i].name);
        const char *full = arena_printf(w->c->mem, "%s:%s",
                                        label_kind_words[list[i].kind], name);
        if (!map_add(&w->labels, name, list[i].id))
            map_slot(&w->labels, name)->value = IMPORT_SEVERAL;
        if (!map_add(&w->labels, full, list[i].id))
            map_slot(&w->labels, full)->value = IMPORT_SEVERAL;
    }
    return OK;
}

/* "17.planned_end" back to row 17. */
static void trace_failures(struct work *w, const struct failure *f)
{
    for (; f; f = f->next) {
        char *end;
        unsigned long i = strtoul(f->field, &end, 10);
        if (end == f->field || *end != '.' || i >= w->file->count)
            i = 0;
        else
            end++;
        import_complain(w, i,
                        strncmp(end, "predecessors", 12) == 0
                            ? PLAN_PREDECESSORS
                            : import_cell_of_field(end),
                        f->rule, f->message);
    }
}

static enum err apply(struct work *w, int64_t project_id)
{
    struct plan_edit_result result;
    struct ctx inner = *w->c;
    enum err e;

    inner.fail = NULL;
    e = plan_edit_apply(&inner, project_id, w->edits, w->edit_count, &result);
    if (e == ERR_INVALID || e == ERR_CONFLICT || e == ERR_NOT_FOUND) {
        trace_failures(w, inner.fail);
        return ERR_INVALID;
    }
    if (e)
        w->c->fail = inner.fail;
    return e;
}

static void count_rows(struct work *w)
{
    for (size_t i = 0; i < w->file->count; i++) {
        w->report->added += w->rows[i].ticket_id == 0;
        w->report->deleted += w->rows[i].is_delete;
        w->report->changed += w->rows[i].ticket_id && !w->rows[i].is_delete;
    }
}

/* The file's calendar becomes the project's own, through the same form as a
 * person's change of it.  Of two entries for a day the later one counts. */
static enum err set_calendar(struct work *w, int64_t project_id)
{
    const struct plan_file *f = w->file;
    struct ctx probe = *w->c; /* its failures are not ours to report */
    struct buf b = buf_in(w->c->mem);
    struct json_out o = {.b = &b};
    const struct values *v;

    if (!f->has_calendar)
        return OK;
    if (access_need_project(&probe, project_id, MAY_PROJECT_EDIT)) {
        plan_file_lose(w->file, "カレンダー（変更する権限がありません）",
                       "Calendar (changing it takes the right to edit the"
                       " project)",
                       "");
        return OK;
    }
    json_open(&o, NULL, '{');
    json_int(&o, "weekdays", f->weekdays);
    json_bool(&o, "holidays", false);
    json_open(&o, "days", '[');
    for (size_t i = 0; i < f->day_count; i++) {
        bool again = false;
        for (size_t n = i + 1; n < f->day_count && !again; n++)
            again = f->days[n].day == f->days[i].day;
        if (again)
            continue;
        json_open(&o, NULL, '{');
        json_day(&o, "day", f->days[i].day);
        json_bool(&o, "is_working", f->days[i].is_working);
        json_text(&o, "name", f->days[i].name);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
    enum err e = values_parse_json(w->c, &workdays_form, b.data, b.len, &v);
    return e ? e : workday_put_project(w->c, project_id, v);
}

static void find_children(struct work *w, const char **parents)
{
    for (int l = 0; l < 32; l++)
        w->last[l] = -1;
    for (size_t i = 0; i < w->file->count; i++)
        parents[i] = find_parent(w, i);
}

static int by_place(const void *a, const void *b)
{
    const struct plan_error *x = a, *y = b;

    return x->line != y->line
               ? (x->line > y->line) - (x->line < y->line)
               : (x->column > y->column) - (x->column < y->column);
}

/* Long texts stand in some columns only; elsewhere they would be folded and
 * compared, over and over. */
static void check_sizes(struct work *w, size_t i)
{
    for (int cell = 0; cell < PLAN_CELLS; cell++) {
        const char *text = w->file->items[i].cell[cell];
        size_t max = cell == PLAN_DETAILS        ? SIZE_MAX
                     : cell == PLAN_PREDECESSORS ? LINK_BYTES_MAX
                                                 : WORD_BYTES_MAX;
        if (text && strnlen(text, max) == max) {
            import_complain(
                w, i, (enum plan_cell)cell, "cell_size",
                ctx_text(w->c, "セルの文字が長すぎます", "A cell is too long"));
            w->file->items[i].cell[cell] = "";
        }
    }
}

static enum err run(struct work *w, int64_t project_id)
{
    size_t count = w->file->count;
    const char **parents = arena_array(w->c->mem, const char *, count + 1);
    enum err e = load_people(w, project_id);

    if (e || (e = load_labels(w)) || (e = catalogue_load(w->c, &w->catalogue)))
        return e;
    for (size_t i = 0; i < count; i++) {
        check_sizes(w, i);
        name_row(w, i);
    }
    find_children(w, parents);
    for (size_t i = 0; i < count; i++)
        row_edit(w, i, parents[i]);
    for (size_t i = 0; i < count; i++)
        link_edits(w, i);
    if (w->report->error_count > 0) {
        qsort(w->errors, w->report->error_count, sizeof *w->errors, by_place);
        return ERR_INVALID;
    }
    count_rows(w);
    if ((e = set_calendar(w, project_id)))
        return e;
    return apply(w, project_id);
}

enum err import_plan(struct ctx *c, int64_t project_id, struct plan_file *file,
                     bool dry, struct import_report *out)
{
    struct work w = {.c = c, .file = file, .report = out};
    struct project project;
    enum err e = project_get(c, project_id, &project);

    *out = (struct import_report){.rows = (int64_t)file->count, .file = file};
    if (e)
        return e;
    w.project_key = project.key;
    w.errors = arena_array(c->mem, struct plan_error, IMPORT_ERRORS_MAX);
    w.rows = arena_array(c->mem, struct row, file->count + 1);
    w.ids = map_in(c->mem, file->count);
    w.outlines = map_in(c->mem, file->count);
    out->errors = w.errors;
    if ((e = savepoint_begin(c)))
        return e;
    e = run(&w, project_id);
    if (dry && !e) {
        /* taken back on purpose; the savepoint hands our word back */
        e = savepoint_end(c, ERR_CONFLICT);
        return e == ERR_CONFLICT ? OK : e;
    }
    return savepoint_end(c, e);
}

void import_write_report(struct json_out *o, const struct ctx *c, bool dry,
                         const struct import_report *r)
{
    json_bool(o, "dry", dry);
    json_int(o, "rows", r->rows);
    json_int(o, "added", r->added);
    json_int(o, "changed", r->changed);
    json_int(o, "deleted", r->deleted);
    json_int(o, "links", r->links);
    json_int(o, "errors_total", r->errors_total);
    json_open(o, "errors", '[');
    for (size_t i = 0; i < r->error_count; i++) {
        json_open(o, NULL, '{');
        json_text(o, "field", r->errors[i].column_name);
        json_int(o, "line", r->errors[i].line);
        json_int(o, "column", r->errors[i].column);
        json_text(o, "column_name", r->errors[i].column_name);
        json_text(o, "rule", r->errors[i].rule);
        json_text(o, "message", r->errors[i].message);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_open(o, "lost", '[');
    for (size_t i = 0; r->file && i < r->file->loss_count; i++) {
        const struct plan_loss *l = &r->file->losses[i];
        json_open(o, NULL, '{');
        json_text(o, "what", ctx_text(c, l->ja, l->en));
        json_int(o, "count", l->count);
        json_text(o, "detail", l->example);
        json_close(o, '}');
    }
    json_close(o, ']');
}
