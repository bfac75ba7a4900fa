/* SPDX-License-Identifier: Apache-2.0 */
/* A form is checked in two walks: first for fields nobody declared (a client's
 * mistake, 400), then value by value (a person's mistake, 422), so that the
 * first failure, which decides the reply, is of the graver kind.  Every check
 * reports and goes on: a person corrects a form once, not field by field. */
#include "base/form.h"

#include <stdint.h>
#include <string.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

struct cell {
    bool is_given, is_null;
    const char *text;
    int64_t number;
    int64_t *ids;
    const struct values **rows;
    size_t count;
};

struct values {
    const struct form *form;
    struct cell *cells;
};

/* One field being checked: its path is "edits.3.start" for nested rows. */
struct check {
    struct ctx *c;
    const struct field *field;
    const char *prefix; /* "" or "edits.3." */
};

static const char *path_of(const struct check *k)
{
    return arena_printf(k->c->mem, "%s%s", k->prefix, k->field->name);
}

static const char *label_of(const struct check *k)
{
    const char *label = ctx_text(k->c, k->field->ja, k->field->en);
    return label ? label : k->field->name;
}

static enum err fail_required(const struct check *k)
{
    return ctx_fail(k->c, ERR_INVALID, path_of(k), "required",
                    "「%s」を入力してください", "%s is required", label_of(k));
}

static enum err fail_type(const struct check *k)
{
    static const char *const ja[] = {
        [FIELD_TEXT] = "文字列",        [FIELD_LINES] = "文字列",
        [FIELD_SECRET] = "文字列",      [FIELD_INT] = "整数",
        [FIELD_BOOL] = "真偽値",        [FIELD_DAY] = "日付",
        [FIELD_MOMENT] = "日時",        [FIELD_ID] = "IDの文字列",
        [FIELD_CHOICE] = "文字列",      [FIELD_IDS] = "IDの配列",
        [FIELD_WORDS] = "文字列の配列", [FIELD_ROWS] = "オブジェクトの配列",
    };
    static const char *const en[] = {
        [FIELD_TEXT] = "a text",
        [FIELD_LINES] = "a text",
        [FIELD_SECRET] = "a text",
        [FIELD_INT] = "a whole number",
        [FIELD_BOOL] = "true or false",
        [FIELD_DAY] = "a date",
        [FIELD_MOMENT] = "a date and time",
        [FIELD_ID] = "an id in a string",
        [FIELD_CHOICE] = "a text",
        [FIELD_IDS] = "an array of ids",
        [FIELD_WORDS] = "an array of texts",
        [FIELD_ROWS] = "an array of objects",
    };
    return ctx_fail(k->c, ERR_INVALID, path_of(k), "type",
                    "「%s」には%sを指定してください", "%s must be %s",
                    label_of(k),
                    ctx_text(k->c, ja[k->field->kind], en[k->field->kind]));
}

static enum err fail_id(const struct check *k)
{
    return ctx_fail(k->c, ERR_INVALID, path_of(k), "id",
                    "「%s」のIDが正しくありません", "%s is not a valid id",
                    label_of(k));
}

static enum err check_length(const struct check *k, const char *text)
{
    const struct field *f = k->field;
    int64_t chars = (int64_t)str_count_chars(text);
    if (chars == 0 && f->min > 0 && !(f->flags & NULLABLE))
        return fail_required(k);
    if (f->max > 0 && chars > f->max)
        return ctx_fail(k->c, ERR_INVALID, path_of(k), "max_length",
                        "「%s」は%lld文字以内で入力してください",
                        "%s must be at most %lld characters", label_of(k),
                        (long long)f->max);
    if (chars < f->min)
        return ctx_fail(k->c, ERR_INVALID, path_of(k), "min_length",
                        "「%s」は%lld文字以上で入力してください",
                        "%s must be at least %lld characters", label_of(k),
                        (long long)f->min);
    return OK;
}

static enum err take_text(const struct check *k, const char *text,
                          struct cell *out)
{
    if (!str_is_utf8(text, strlen(text), NULL))
        return ctx_fail(k->c, ERR_INVALID, path_of(k), "utf8",
                        "「%s」の文字コードがUTF-8ではありません",
                        "%s is not UTF-8", label_of(k));
    out->text = text;
    if (k->field->kind == FIELD_SECRET)
        return check_length(k, text);
    if (str_has_control(text, k->field->kind == FIELD_LINES))
        return ctx_fail(k->c, ERR_INVALID, path_of(k), "control_character",
                        "「%s」に使えない制御文字が含まれています",
                        "%s contains a control character", label_of(k));
    /* lines keep their indentation, but nothing that shows is nothing */
    const char *trimmed = str_trim(k->c->mem, text);
    if (k->field->kind == FIELD_TEXT || !*trimmed)
        out->text = trimmed;
    return check_length(k, out->text);
}

static enum err fail_min(const struct check *k, const char *limit)
{
    return ctx_fail(k->c, ERR_INVALID, path_of(k), "min",
                    "「%s」は%s以上にしてください", "%s must be at least %s",
                    label_of(k), limit);
}

static enum err fail_max(const struct check *k, const char *limit)
{
    return ctx_fail(k->c, ERR_INVALID, path_of(k), "max",
                    "「%s」は%s以下にしてください", "%s must be at most %s",
                    label_of(k), limit);
}

static bool is_integer(const char *digits)
{
    if (*digits == '-')
        digits++;
    return *digits && strspn(digits, "0123456789") == strlen(digits);
}

/* min = max = 0: any number. */
static enum err take_int(const struct check *k, const char *digits,
                         struct cell *out)
{
    const struct field *f = k->field;
    bool is_any = f->min == 0 && f->max == 0;
    int64_t min = is_any ? INT64_MIN : f->min;
    int64_t max = is_any ? INT64_MAX : f->max;
    if (!is_integer(digits))
        return fail_type(k);
    bool is_held = str_parse_int(digits, INT64_MIN, INT64_MAX, &out->number);
    if (!is_held)
        out->number = *digits == '-' ? INT64_MIN : INT64_MAX;
    if (out->number < min || (!is_held && *digits == '-'))
        return fail_min(k, arena_printf(k->c->mem, "%lld", (long long)min));
    if (out->number > max || !is_held)
        return fail_max(k, arena_printf(k->c->mem, "%lld", (long long)max));
    return OK;
}

static enum err take_day(const struct check *k, const char *text,
                         struct cell *out)
{
    const struct field *f = k->field;
    int32_t day = 0;
    char limit[11];
    if (!civil_parse(text, &day))
        return ctx_fail(
            k->c, ERR_INVALID, path_of(k), "day",
            "「%s」は実在する日付を2026-11-22の形で入力してください",
            "%s must be a real date, such as 2026-11-22", label_of(k));
    out->number = day;
    bool is_bounded = f->min != 0 || f->max != 0;
    int32_t first = is_bounded ? (int32_t)f->min : DAY_FIRST;
    int32_t last = is_bounded ? (int32_t)f->max : DAY_LAST;
    if (day < first) {
        civil_format(first, limit);
        return fail_min(k, limit);
    }
    if (day > last) {
        civil_format(last, limit);
        return fail_max(k, limit);
    }
    return OK;
}

static enum err take_moment(const struct check *k, const char *text,
                            struct cell *out)
{
    if (clock_parse(text, &out->number) &&
        clock_today(out->number) >= DAY_FIRST &&
        clock_today(out->number) <= DAY_LAST)
        return OK;
    return ctx_fail(k->c, ERR_INVALID, path_of(k), "moment",
                    "「%s」は日本時間の日時を2026-11-22T09:30の形で"
                    "入力してください",
                    "%s must be a real date and time in Japan, such as "
                    "2026-11-22T09:30",
                    label_of(k));
}

/* One spelling an id: no sign, no leading zero. */
static bool parse_id(const char *text, int64_t *out)
{
    return text[0] != '0' && text[0] != '-' &&
           str_parse_int(text, 1, INT64_MAX, out);
}

static const char *list_choices(const struct check *k)
{
    struct buf b = buf_in(k->c->mem);
    for (const char *const *word = k->field->choices; *word; word++) {
        if (b.len)
            buf_puts(&b, ", ");
        buf_puts(&b, *word);
    }
    return b.data ? b.data : "";
}

static enum err take_choice(const struct check *k, const char *text,
                            struct cell *out)
{
    for (int64_t i = 0; k->field->choices[i]; i++)
        if (strcmp(k->field->choices[i], text) == 0) {
            out->number = i;
            out->text = k->field->choices[i];
            return OK;
        }
    return ctx_fail(k->c, ERR_INVALID, path_of(k), "choice",
                    "「%s」は次のいずれかにしてください: %s",
                    "%s must be one of: %s", label_of(k), list_choices(k));
}

static enum err check_count(const struct check *k, size_t count)
{
    const struct field *f = k->field;
    if (f->max > 0 && (int64_t)count > f->max)
        return ctx_fail(
            k->c, ERR_INVALID, path_of(k), "max", "「%s」は%lld件までです",
            "%s must have at most %lld items", label_of(k), (long long)f->max);
    if ((int64_t)count < f->min)
        return ctx_fail(
            k->c, ERR_INVALID, path_of(k), "min", "「%s」は%lld件以上必要です",
            "%s must have at least %lld items", label_of(k), (long long)f->min);
    return OK;
}

static size_t count_items(const struct json *array)
{
    size_t count = 0;
    for (const struct json *item = array->child; item; item = item->next)
        count++;
    return count;
}

static enum err take_ids(const struct check *k, const struct json *array,
                         struct cell *out)
{
    enum err e = check_count(k, count_items(array));
    if (e)
        return e;
    out->ids = arena_array(k->c->mem, int64_t, count_items(array));
    for (const struct json *item = array->child; item; item = item->next) {
        if (item->kind != JSON_TEXT)
            return fail_type(k);
        if (!parse_id(item->text, &out->ids[out->count]))
            return fail_id(k);
        out->count++;
    }
    return OK;
}

static enum err take_words(const struct check *k, const struct json *array,
                           struct cell *out)
{
    struct cell one = {0};
    enum err e = OK;

    for (const struct json *item = array->child; item && !e;
         item = item->next) {
        e = item->kind == JSON_TEXT ? take_choice(k, item->text, &one)
                                    : fail_type(k);
        out->number |= (int64_t)1 << one.number;
    }
    return e;
}

static enum err check_object(struct ctx *c, const struct form *form,
                             const struct json *object, const char *prefix,
                             const struct values **out);

static enum err take_rows(const struct check *k, const struct json *array,
                          struct cell *out)
{
    enum err e = check_count(k, count_items(array));
    if (e)
        return e;
    out->rows =
        arena_array(k->c->mem, const struct values *, count_items(array));
    for (const struct json *item = array->child; item; item = item->next) {
        const char *prefix = arena_printf(k->c->mem, "%s%s.%zu.", k->prefix,
                                          k->field->name, out->count);
        enum err row_e = item->kind == JSON_OBJECT
                             ? check_object(k->c, k->field->rows, item, prefix,
                                            &out->rows[out->count])
                             : fail_type(k);
        e = e ? e : row_e;
        out->count++;
    }
    return e;
}

/* Everything that is written as a string in JSON and as a cell in CSV. */
static enum err take_word(const struct check *k, const char *text,
                          struct cell *out)
{
    switch (k->field->kind) {
    case FIELD_TEXT:
    case FIELD_LINES:
    case FIELD_SECRET:
        return take_text(k, text, out);
    case FIELD_DAY:
        return take_day(k, text, out);
    case FIELD_MOMENT:
        return take_moment(k, text, out);
    case FIELD_ID:
        return parse_id(text, &out->number) ? OK : fail_id(k);
    case FIELD_CHOICE:
        return take_choice(k, text, out);
    case FIELD_INT:
    case FIELD_BOOL:
    case FIELD_IDS:
    case FIELD_WORDS:
    case FIELD_ROWS:
        break;
    }
    return fail_type(k);
}

static enum err take_json(const struct check *k, const struct json *j,
                          struct cell *out)
{
    enum field_kind kind = k->field->kind;
    if (j->kind == JSON_TEXT)
        return take_word(k, j->text, out);
    if (j->kind == JSON_NUMBER && kind == FIELD_INT)
        return take_int(k, j->text, out);
    if (j->kind == JSON_ARRAY && kind == FIELD_IDS)
        return take_ids(k, j, out);
    if (j->kind == JSON_ARRAY && kind == FIELD_WORDS)
        return take_words(k, j, out);
    if (j->kind == JSON_ARRAY && kind == FIELD_ROWS)
        return take_rows(k, j, out);
    if (j->kind != JSON_BOOL || kind != FIELD_BOOL)
        return fail_type(k);
    out->number = j->truth;
    return OK;
}

static struct values *new_values(struct ctx *c, const struct form *form)
{
    struct values *v = arena_new(c->mem, struct values);
    v->form = form;
    v->cells = arena_array(c->mem, struct cell, form->count);
    return v;
}

static enum err check_absent(const struct check *k)
{
    return k->field->flags & REQUIRED ? fail_required(k) : OK;
}

static enum err check_object(struct ctx *c, const struct form *form,
                             const struct json *object, const char *prefix,
                             const struct values **out)
{
    enum err e = OK;
    struct values *v = new_values(c, form);
    for (size_t i = 0; i < form->count; i++) {
        struct check k = {c, &form->fields[i], prefix};
        struct cell *cell = &v->cells[i];
        const struct json *j = json_get(object, k.field->name);
        enum err field_e = OK;
        cell->is_given = j != NULL;
        cell->is_null = j && j->kind == JSON_NULL;
        if (!j)
            field_e = check_absent(&k);
        else if (!cell->is_null)
            field_e = take_json(&k, j, cell);
        else if (!(k.field->flags & NULLABLE))
            field_e = fail_required(&k);
        e = e ? e : field_e;
    }
    *out = v;
    return e;
}

static const struct field *find_field(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->fields[i].name, name) == 0)
            return &form->fields[i];
    return NULL;
}

static enum err fail_unknown(struct ctx *c, const char *prefix,
                             const char *name)
{
    return ctx_fail(c, ERR_INVALID, arena_printf(c->mem, "%s%s", prefix, name),
                    "unknown_field", "この項目は受け付けません",
                    "This field is not accepted");
}

static enum err check_names(struct ctx *c, const struct form *form,
                            const struct json *object, const char *prefix)
{
    enum err e = OK;
    for (const struct json *j = object->child; j; j = j->next) {
        const struct field *f = find_field(form, j->name);
        enum err field_e = f ? OK : fail_unknown(c, prefix, j->name);
        e = e ? e : field_e;
        if (!f || f->kind != FIELD_ROWS || j->kind != JSON_ARRAY)
            continue;
        size_t row = 0;
        for (const struct json *item = j->child; item; item = item->next) {
            const char *inner =
                arena_printf(c->mem, "%s%s.%zu.", prefix, f->name, row++);
            if (item->kind == JSON_OBJECT)
                field_e = check_names(c, f->rows, item, inner);
            e = e ? e : field_e;
        }
    }
    return e;
}

enum err values_parse_json(struct ctx *c, const struct form *form,
                           const char *text, size_t len,
                           const struct values **out)
{
    size_t offset = 0;
    *out = NULL;
    const struct json *root = json_parse(c->mem, text, len, &offset);
    if (!root)
        return ctx_fail(c, ERR_INVALID, "", "json",
                        "JSONとして読めません（%zuバイト目）",
                        "The body is not valid JSON (at byte %zu)", offset);
    if (root->kind != JSON_OBJECT)
        return ctx_fail(c, ERR_INVALID, "", "json",
                        "JSONのオブジェクトを送ってください",
                        "The body must be a JSON object");
    enum err e = check_names(c, form, root, "");
    const struct values *v = NULL;
    if (!e)
        e = check_object(c, form, root, "", &v);
    if (!e)
        *out = v;
    return e;
}

/* "2026/1/5", "2026-1-5", "2026年1月5日" as spreadsheets write them, to ISO;
 * anything else comes back as it was. */
static const char *tidy_day(struct arena *mem, const char *text)
{
    unsigned part[3] = {0};
    const char *at = text;
    for (size_t i = 0; i < COUNT(part); i++) {
        size_t digits = strspn(at, "0123456789");
        if (digits == 0 || digits > (i == 0 ? 4 : 2))
            return text;
        for (size_t n = 0; n < digits; n++)
            part[i] = part[i] * 10 + (unsigned)(*at++ - '0');
        static const char *const marks[] = {"年", "月", "日"};
        if (i < 2 && (*at == '/' || *at == '-'))
            at++;
        else if (str_starts(at, marks[i]))
            at += strlen(marks[i]);
        else if (i < 2)
            return text;
    }
    return *at ? text
               : arena_printf(mem, "%04u-%02u-%02u", part[0], part[1], part[2]);
}

static enum err take_bool_word(const struct check *k, const char *text,
                               struct cell *out)
{
    static const char *const words[] = {"false", "true", "0",      "1",
                                        "no",    "yes",  "いいえ", "はい",
                                        "off",   "on",   "×",      "○"};
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(text, words[i]) == 0) {
            out->number = i % 2;
            return OK;
        }
    return fail_type(k);
}

/* "3,17,20" */
static enum err take_id_list(const struct check *k, const char *text,
                             struct cell *out)
{
    size_t count = 1;
    for (const char *comma = strchr(text, ','); comma;
         comma = strchr(comma + 1, ','))
        count++;
    enum err e = check_count(k, count);
    if (e)
        return e;
    out->ids = arena_array(k->c->mem, int64_t, count);
    for (size_t i = 0; i < count; i++) {
        size_t len = strcspn(text, ",");
        const char *id =
            str_trim(k->c->mem, arena_strndup(k->c->mem, text, len));
        if (!parse_id(id, &out->ids[out->count]))
            return fail_id(k);
        out->count++;
        text += len + (text[len] == ',');
    }
    return OK;
}

static enum err take_cell(const struct check *k, const char *text,
                          struct cell *out)
{
    struct arena *mem = k->c->mem;
    if (!str_is_utf8(text, strlen(text), NULL))
        return take_text(k, text, out);
    switch (k->field->kind) {
    case FIELD_INT:
        return take_int(k, str_trim(mem, str_fold(mem, text)), out);
    case FIELD_BOOL:
        return take_bool_word(k, str_trim(mem, str_fold(mem, text)), out);
    case FIELD_DAY:
        return take_day(k, tidy_day(mem, str_trim(mem, str_fold(mem, text))),
                        out);
    case FIELD_IDS:
        return take_id_list(k, text, out);
    case FIELD_MOMENT:
    case FIELD_ID:
    case FIELD_CHOICE:
        return take_word(k, str_trim(mem, text), out);
    case FIELD_TEXT:
    case FIELD_LINES:
    case FIELD_SECRET:
    case FIELD_WORDS:
    case FIELD_ROWS:
        break;
    }
    return take_word(k, text, out);
}

/* A blank cell of a field that knows no null counts as not given. */
static enum err check_cell(const struct check *k, const char *text,
                           struct cell *out)
{
    bool is_blank = text && !*text;
    out->is_null = is_blank && k->field->flags & NULLABLE;
    out->is_given = text && (!is_blank || out->is_null);
    if (!out->is_given)
        return check_absent(k);
    return out->is_null ? OK : take_cell(k, text, out);
}

enum err values_parse_cells(struct ctx *c, const struct form *form,
                            const char *const *cells, const struct values **out)
{
    enum err e = OK;
    struct values *v = new_values(c, form);
    for (size_t i = 0; i < form->count; i++) {
        struct check k = {c, &form->fields[i], ""};
        enum err field_e = check_cell(&k, cells[i], &v->cells[i]);
        e = e ? e : field_e;
    }
    *out = e ? NULL : v;
    return e;
}

/* Asking for a field the form does not declare is a mistake of ours. */
static const struct cell *get_cell(const struct values *v, const char *name)
{
    const struct field *f = find_field(v->form, name);
    must(f != NULL);
    return &v->cells[f - v->form->fields];
}

static bool has_value(const struct cell *cell)
{
    return cell->is_given && !cell->is_null;
}

bool values_has(const struct values *v, const char *name)
{
    return get_cell(v, name)->is_given;
}

bool values_give_rights(const struct values *v)
{
    for (size_t i = 0; i < v->form->count; i++)
        if ((v->form->fields[i].flags & GIVES_RIGHTS) && v->cells[i].is_given)
            return true;
    return false;
}

bool values_is_null(const struct values *v, const char *name)
{
    return get_cell(v, name)->is_null;
}

const char *values_text(const struct values *v, const char *name)
{
    return get_cell(v, name)->text;
}

int64_t values_int(const struct values *v, const char *name, int64_t missing)
{
    const struct cell *cell = get_cell(v, name);
    return has_value(cell) ? cell->number : missing;
}

bool values_bool(const struct values *v, const char *name, bool missing)
{
    const struct cell *cell = get_cell(v, name);
    return has_value(cell) ? cell->number != 0 : missing;
}

size_t values_ids(const struct values *v, const char *name, const int64_t **out)
{
    const struct cell *cell = get_cell(v, name);
    *out = cell->ids;
    return cell->count;
}

size_t values_rows(const struct values *v, const char *name,
                   const struct values *const **out)
{
    const struct cell *cell = get_cell(v, name);
    *out = cell->rows;
    return cell->count;
}
