/* SPDX-License-Identifier: Apache-2.0 */
/* The values of one row: words to ids, hours to minutes, and every mistake
 * noted with its cell. */
#include "core/exchange/import_work.h"

#include "base/str.h"
#include "core/master/label.h"

#include <stdlib.h>
#include <string.h>

struct map map_in(struct arena *mem, size_t entries)
{
    size_t size = 64;

    while (size < entries * 2)
        size *= 2;
    return (struct map){mem, arena_array(mem, struct map_slot, size), size - 1};
}

struct map_slot *map_slot(const struct map *m, const char *key)
{
    uint64_t h = 14695981039346656037ULL;

    for (const char *p = key; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211ULL;
    size_t i = (size_t)h & m->mask;
    while (m->slots[i].key && strcmp(m->slots[i].key, key) != 0)
        i = (i + 1) & m->mask;
    return &m->slots[i];
}

bool map_add(struct map *m, const char *key, int64_t value)
{
    struct map_slot *s = map_slot(m, key);

    if (s->key)
        return false;
    *s = (struct map_slot){key, value};
    return true;
}

void import_complain(struct work *w, size_t i, enum plan_cell cell,
                     const char *rule, const char *message)
{
    struct import_report *r = w->report;

    r->errors_total++;
    if (r->error_count == IMPORT_ERRORS_MAX)
        return;
    w->errors[r->error_count++] = (struct plan_error){
        w->file->items[i].line, w->file->columns[cell],
        w->file->names[cell] ? w->file->names[cell]
                             : plan_csv_head(cell, w->c->actor->lang),
        rule, message};
}

const char *import_quote(const struct work *w, const char *lead,
                         const char *word, const char *tail)
{
    size_t len = strnlen(word, 90);

    while (len > 0 && ((unsigned char)word[len] & 0xc0) == 0x80)
        len--;
    return arena_printf(w->c->mem, "%s%s%.*s%s%s", lead,
                        w->c->actor->lang == LANG_JA ? "「" : "\"", (int)len,
                        word, w->c->actor->lang == LANG_JA ? "」" : "\"", tail);
}

const char *import_cell(const struct work *w, size_t i, enum plan_cell cell)
{
    const char *text = w->file->items[i].cell[cell];

    return text && *text ? text : NULL;
}

/* ---- words ---- */

static bool is_word(struct work *w, const char *folded, const char *word)
{
    return str_equal(folded, str_fold(w->c->mem, word));
}

static const struct classification *find_classification(struct work *w,
                                                        size_t i)
{
    const char *text = import_cell(w, i, PLAN_CLASSIFICATION);
    const char *folded = text ? str_fold(w->c->mem, text) : NULL;

    for (size_t n = 0; text && n < w->catalogue->count; n++) {
        const struct classification *k = &w->catalogue->classifications[n];
        if (is_word(w, folded, k->key) || is_word(w, folded, k->ja) ||
            is_word(w, folded, k->en))
            return k;
    }
    if (text) {
        import_complain(w, i, PLAN_CLASSIFICATION, "choice",
                        import_quote(w,
                                     ctx_text(w->c, "チケット分類",
                                              "There is no classification "),
                                     text, ctx_text(w->c, "はありません", "")));
        return NULL;
    }
    return catalogue_find_key(w->catalogue, "task");
}

static const char *find_status(struct work *w, size_t i,
                               const struct classification *k)
{
    const char *text = import_cell(w, i, PLAN_STATUS);
    const char *folded = text ? str_fold(w->c->mem, text) : NULL;

    for (size_t n = 0; text && k && n < k->status_count; n++) {
        const struct status *s = &k->statuses[n];
        if (is_word(w, folded, s->ja) || is_word(w, folded, s->en))
            return arena_printf(w->c->mem, "%lld", (long long)s->id);
    }
    for (int n = 0; text && k && category_words[n]; n++)
        if (str_equal(folded, category_words[n]))
            return arena_printf(
                w->c->mem, "%lld",
                (long long)classification_first(k, (enum category)n)->id);
    if (text && k)
        import_complain(
            w, i, PLAN_STATUS, "choice",
            import_quote(w, ctx_text(w->c, "ステータス", "There is no status "),
                         text, ctx_text(w->c, "はありません", "")));
    return NULL;
}

static const char *find_priority(struct work *w, size_t i)
{
    static const char *const ja[] = {"緊急", "高", "中", "低"};
    const char *text = import_cell(w, i, PLAN_PRIORITY);

    for (int n = 0; text && n < 4; n++)
        if (is_word(w, str_fold(w->c->mem, text), ja[n]))
            return priority_words[n];
    return text ? str_fold(w->c->mem, text) : NULL;
}

/* "a@x||b@y" to "3,5". */
static const char *find_assignees(struct work *w, size_t i)
{
    const char *text = import_cell(w, i, PLAN_ASSIGNEE);
    struct buf ids = buf_in(w->c->mem);
    int people = 0;

    while (text && *text) {
        if (people++ == PLAN_PEOPLE_MAX) {
            import_complain(w, i, PLAN_ASSIGNEE, "max",
                            ctx_text(w->c, "担当者は20人までです",
                                     "There are at most 20 assignees"));
            break;
        }
        const char *end = strstr(text, "||");
        size_t len = end ? (size_t)(end - text) : strlen(text);
        const char *one =
            str_trim(w->c->mem, arena_strndup(w->c->mem, text, len));
        const struct map_slot *s =
            map_slot(&w->people, str_fold(w->c->mem, one));
        if (s->key && s->value == IMPORT_SEVERAL)
            import_complain(
                w, i, PLAN_ASSIGNEE, "ambiguous",
                import_quote(
                    w, ctx_text(w->c, "担当者", "Several are named "), one,
                    ctx_text(w->c,
                             "は複数います。メールアドレスか"
                             "「氏名 (#番号)」で指定してください",
                             "; give the address, or \"name (#id)\"")));
        else if (s->key)
            buf_printf(&ids, "%s%lld", ids.len ? "," : "", (long long)s->value);
        else if (w->file->is_foreign)
            plan_file_lose(w->file, "このテナントにいないリソース",
                           "Resources who are no users here", one);
        else
            import_complain(
                w, i, PLAN_ASSIGNEE, "not_found",
                import_quote(
                    w,
                    ctx_text(w->c, "担当者", "The project is not seen by any "),
                    one,
                    ctx_text(w->c,
                             "は、このプロジェクトを参照できる人にいません",
                             "")));
        text = end ? end + 2 : NULL;
    }
    return ids.data;
}

/* "設計||phase:要件" to "3,5". */
static const char *find_labels(struct work *w, size_t i)
{
    const char *text = import_cell(w, i, PLAN_LABELS);
    struct buf ids = buf_in(w->c->mem);
    int count = 0;

    while (text && *text) {
        const char *end = strstr(text, "||");
        size_t len = end ? (size_t)(end - text) : strlen(text);
        const char *one =
            str_trim(w->c->mem, arena_strndup(w->c->mem, text, len));
        const struct map_slot *s =
            map_slot(&w->labels, str_fold(w->c->mem, one));
        if (count++ == LABEL_PER_OBJECT) {
            import_complain(w, i, PLAN_LABELS, "max",
                            ctx_text(w->c, "ラベルは30個までです",
                                     "There are at most 30 labels"));
            break;
        }
        if (s->key && s->value != IMPORT_SEVERAL)
            buf_printf(&ids, "%s%lld", ids.len ? "," : "", (long long)s->value);
        else if (w->file->is_foreign)
            plan_file_lose(w->file, "このテナントにないラベル",
                           "Labels that are not here", one);
        else if (s->key)
            import_complain(
                w, i, PLAN_LABELS, "ambiguous",
                import_quote(w, ctx_text(w->c, "ラベル", "Several are called "),
                             one,
                             ctx_text(w->c,
                                      "は複数あります。「phase:名前」の形で"
                                      "種類を付けてください",
                                      "; put the kind before it: phase:name")));
        else
            import_complain(
                w, i, PLAN_LABELS, "not_found",
                import_quote(w, ctx_text(w->c, "ラベル", "There is no label "),
                             one, ctx_text(w->c, "はありません", "")));
        text = end ? end + 2 : NULL;
    }
    return ids.data;
}

/* Digits with at most one point, and what follows them; -1 when there are
 * none.  Neither hex nor exponents nor "inf". */
static double read_number(struct arena *mem, const char *text, const char **end)
{
    const char *folded = str_trim(mem, str_fold(mem, text));
    size_t len = strspn(folded, "0123456789");

    if (folded[len] == '.')
        len += 1 + strspn(folded + len + 1, "0123456789");
    *end = str_trim(mem, folded + len);
    return len > 0 && len < 20 &&
                   !str_equal(arena_strndup(mem, folded, len), ".")
               ? strtod(arena_strndup(mem, folded, len), NULL)
               : -1;
}

/* "1.5" hours to "90" minutes; anything else goes on as it is and is refused
 * by the form. */
static const char *minutes_text(struct work *w, size_t i, enum plan_cell cell)
{
    const char *text = import_cell(w, i, cell);
    const char *end;

    if (!text)
        return w->file->items[i].cell[cell];
    double hours = read_number(w->c->mem, text, &end);
    if (hours < 0 ||
        (*end && strcmp(end, "h") != 0 && strcmp(end, "時間") != 0) ||
        hours >= 1e6) {
        import_complain(w, i, cell, "number",
                        ctx_text(w->c, "時間は数値で入力してください（例 7.5）",
                                 "Hours are a number, such as 7.5"));
        return NULL;
    }
    return arena_printf(w->c->mem, "%lld", (long long)(hours * 60 + 0.5));
}

static const char *percent_text(struct work *w, size_t i)
{
    const char *text = import_cell(w, i, PLAN_PROGRESS);
    const char *end;

    if (!text)
        return NULL;
    double percent = read_number(w->c->mem, text, &end);
    if (percent < 0 || (*end && strcmp(end, "%") != 0) || percent > 100) {
        import_complain(w, i, PLAN_PROGRESS, "number",
                        ctx_text(w->c, "進捗率は0から100で入力してください",
                                 "Progress is a number from 0 to 100"));
        return NULL;
    }
    return arena_printf(w->c->mem, "%d", (int)(percent + 0.5));
}

/* ---- a row's values ---- */

static const struct {
    const char *field;
    enum plan_cell cell;
} places[] = {
    {"subject", PLAN_SUBJECT},
    {"classification", PLAN_CLASSIFICATION},
    {"status", PLAN_STATUS},
    {"priority", PLAN_PRIORITY},
    {"parent", PLAN_PARENT},
    {"assignees", PLAN_ASSIGNEE},
    {"planned_start", PLAN_START},
    {"planned_end", PLAN_END},
    {"actual_start", PLAN_ACTUAL_START},
    {"actual_end", PLAN_ACTUAL_END},
    {"due", PLAN_DUE},
    {"progress", PLAN_PROGRESS},
    {"estimate", PLAN_ESTIMATE},
    {"actual", PLAN_ACTUAL},
    {"manual", PLAN_MANUAL},
    {"details", PLAN_DETAILS},
    {"labels", PLAN_LABELS},
};

enum plan_cell import_cell_of_field(const char *field)
{
    for (size_t n = 0; n < COUNT(places); n++)
        if (strcmp(places[n].field, field) == 0)
            return places[n].cell;
    return PLAN_ID;
}

static void collect_failures(struct work *w, size_t i, const struct failure *f)
{
    for (; f; f = f->next)
        import_complain(w, i, import_cell_of_field(f->field), f->rule,
                        f->message);
}

static const char *field_text(struct work *w, size_t i, const char *field,
                              const struct classification *k,
                              const char *parent)
{
    bool is_new = w->rows[i].ticket_id == 0;

    if (strcmp(field, "classification") == 0)
        return k && (is_new || import_cell(w, i, PLAN_CLASSIFICATION)) ? k->key
                                                                       : NULL;
    if (strcmp(field, "status") == 0)
        return find_status(w, i, k);
    if (strcmp(field, "priority") == 0)
        return find_priority(w, i);
    if (strcmp(field, "assignees") == 0)
        return find_assignees(w, i);
    if (strcmp(field, "labels") == 0)
        return find_labels(w, i);
    if (strcmp(field, "progress") == 0)
        return percent_text(w, i);
    if (strcmp(field, "estimate") == 0)
        return minutes_text(w, i, PLAN_ESTIMATE);
    if (strcmp(field, "actual") == 0)
        return minutes_text(w, i, PLAN_ACTUAL);
    if (strcmp(field, "parent") == 0)
        return parent && (*parent || !is_new) ? parent : NULL;
    enum plan_cell cell = import_cell_of_field(field);
    return cell == PLAN_ID ? NULL : w->file->items[i].cell[cell];
}

/* Here as well as in plan_edit.c: a file hears of all its rows at once. */
static void check_order(struct work *w, size_t i, const struct values *v,
                        const char *start, const char *end)
{
    int64_t last = values_int(v, end, INT64_MAX);

    if (last < values_int(v, start, INT64_MIN))
        import_complain(w, i, import_cell_of_field(end), "end_before_start",
                        ctx_text(w->c, "終了日は開始日以降にしてください",
                                 "The end must not be before the start"));
}

const struct values *import_row_values(struct work *w, size_t i,
                                       const char *parent)
{
    const struct form *form = &ticket_edit_form;
    const struct classification *k = find_classification(w, i);
    const char *cells[40] = {0};
    const struct values *v = NULL;
    struct ctx probe = *w->c;

    must(form->count <= COUNT(cells));
    if (k && w->rows[i].ticket_id == 0 && w->rows[i].has_children &&
        !import_cell(w, i, PLAN_CLASSIFICATION) && parent && !*parent)
        k = catalogue_find_key(w->catalogue, "phase");
    for (size_t n = 0; n < form->count; n++)
        cells[n] = field_text(w, i, form->fields[n].name, k, parent);
    probe.fail = NULL;
    if (values_parse_cells(&probe, form, cells, &v))
        collect_failures(w, i, probe.fail);
    else {
        check_order(w, i, v, "planned_start", "planned_end");
        check_order(w, i, v, "actual_start", "actual_end");
    }
    if (w->rows[i].ticket_id == 0 && !import_cell(w, i, PLAN_SUBJECT))
        import_complain(
            w, i, PLAN_SUBJECT, "required",
            ctx_text(w->c, "件名を入力してください", "The subject is missing"));
    return v;
}
