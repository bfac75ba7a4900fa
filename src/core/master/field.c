/* SPDX-License-Identifier: Apache-2.0 */
/* Definitions of custom fields are written as a set, like statuses: order and
 * columns are about the set.  A field never changes its type, and what has
 * values is hidden rather than removed, so nothing a person typed is lost by
 * rearranging a form. */
#include "core/master/field.h"

#include "base/str.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/master/field_value.h"

enum {
    DEF_LIST,
    DEF_CHOICES,
    DEF_STANDARD,
    DEF_KIND,
    DEF_TOUCH,
    DEF_INSERT,
    DEF_UPDATE,
    DEF_IS_USED,
    DEF_DELETE,
    DEF_INITIAL,
    CHOICE_INSERT,
    CHOICE_UPDATE,
    CHOICE_IS_USED,
    CHOICE_DELETE,
    STANDARD_CLEAR,
    STANDARD_ADD
};
static const char *const field_text[] = {
    [DEF_LIST] = "SELECT id, classification_id, type, ja, en, help, initial,"
                 " is_required, is_hidden, place FROM field"
                 " WHERE classification_id BETWEEN ?1 AND ?2"
                 " ORDER BY classification_id, rank",
    [DEF_CHOICES] = "SELECT id, ja, en, is_hidden FROM field_choice"
                    " WHERE field_id = ?1 ORDER BY rank",
    [DEF_STANDARD] = "SELECT classification_id, name, help, is_hidden"
                     " FROM standard_field ORDER BY classification_id, name",
    [DEF_KIND] = "SELECT ja, en FROM classification WHERE id = ?1",
    [DEF_TOUCH] = "UPDATE classification SET version = version + 1"
                  " WHERE id = ?1 AND version = ?2",
    [DEF_INSERT] = "INSERT INTO field (classification_id, type, ja, en, help,"
                   " is_required, is_hidden, place, rank)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [DEF_UPDATE] =
        "UPDATE field SET ja = ?3, en = ?4, help = ?5, is_required = ?6,"
        " is_hidden = ?7, place = ?8, rank = ?9 WHERE id = ?1 AND type = ?2",
    [DEF_IS_USED] =
        "SELECT EXISTS (SELECT 1 FROM ticket_field WHERE field_id = ?1)",
    [DEF_DELETE] = "DELETE FROM field WHERE id = ?1",
    [DEF_INITIAL] = "UPDATE field SET initial = ?2 WHERE id = ?1",
    [CHOICE_INSERT] =
        "INSERT INTO field_choice (field_id, ja, en, is_hidden, rank)"
        " VALUES (?1, ?2, ?3, ?4, ?5)",
    [CHOICE_UPDATE] = "UPDATE field_choice SET ja = ?2, en = ?3,"
                      " is_hidden = ?4, rank = ?5 WHERE id = ?1",
    [CHOICE_IS_USED] = "SELECT EXISTS (SELECT 1 FROM ticket_field"
                       " WHERE field_id = ?1 AND number = ?2)",
    [CHOICE_DELETE] = "DELETE FROM field_choice WHERE id = ?1",
    [STANDARD_CLEAR] = "DELETE FROM standard_field WHERE classification_id = "
                       "?1",
    [STANDARD_ADD] = "INSERT INTO standard_field (classification_id, name,"
                     " help, is_hidden) VALUES (?1, ?2, ?3, ?4)",
};
const struct query_set field_queries = {"field", field_text, COUNT(field_text)};

const char *const field_type_words[] = {"text",  "lines",  "integer", "decimal",
                                        "day",   "choice", "choices", "user",
                                        "check", "url",    NULL};
/* Standard fields; the first three are never hidden. */
static const char *const standard_words[] = {
    "subject",      "classification", "status",
    "priority",     "assignees",      "labels",
    "team",         "planned_start",  "planned_end",
    "actual_start", "actual_end",     "due",
    "progress",     "estimate",       "actual",
    "parent",       "manual",         NULL};
enum { NEVER_HIDDEN = 3, NAME_MAX_CHARS = 60, HELP_MAX_CHARS = 300 };

static const struct field choice_fields[] = {
    {ID("id", OPTIONAL, "選択肢", "Choice")},
    {TEXT("ja", 1, NAME_MAX_CHARS, REQUIRED, "日本語名", "Japanese name")},
    {TEXT("en", 1, NAME_MAX_CHARS, OPTIONAL, "英語名", "English name")},
    {BOOL("is_hidden", OPTIONAL, "非表示", "Hidden")},
};
static const struct form choice_form = {"FieldChoice", choice_fields,
                                        COUNT(choice_fields)};
static const struct field def_fields[] = {
    {ID("id", OPTIONAL, "項目", "Field")},
    {CHOICE("type", field_type_words, REQUIRED, "種類", "Type")},
    {TEXT("ja", 1, NAME_MAX_CHARS, REQUIRED, "日本語名", "Japanese name")},
    {TEXT("en", 1, NAME_MAX_CHARS, OPTIONAL, "英語名", "English name")},
    {TEXT("help", 0, HELP_MAX_CHARS, OPTIONAL, "説明", "Help")},
    {LINES("initial", 0, FIELD_VALUE_MAX, NULLABLE, "初期値", "Default")},
    {BOOL("is_required", OPTIONAL, "必須", "Required")},
    {BOOL("is_hidden", OPTIONAL, "非表示", "Hidden")},
    {INT("column", 1, 2, OPTIONAL, "列", "Column")},
    {ROWS("choices", &choice_form, 0, FIELD_CHOICES_MAX, OPTIONAL, "選択肢",
          "Choices")},
};
static const struct form def_form = {"FieldRow", def_fields, COUNT(def_fields)};
static const struct field set_fields[] = {
    {ROWS("fields", &def_form, 0, FIELD_PER_KIND, REQUIRED, "項目", "Fields")},
};
const struct form field_set_form = {"FieldSet", set_fields, COUNT(set_fields)};
static const struct field standard_fields[] = {
    {CHOICE("name", standard_words, REQUIRED, "項目", "Field")},
    {TEXT("help", 0, HELP_MAX_CHARS, OPTIONAL, "説明", "Help")},
    {BOOL("is_hidden", OPTIONAL, "非表示", "Hidden")},
};
static const struct form standard_form = {"StandardField", standard_fields,
                                          COUNT(standard_fields)};
static const struct field layout_fields[] = {
    {ROWS("standard", &standard_form, 0, 40, REQUIRED, "標準項目",
          "Standard fields")},
};
const struct form field_layout_form = {"FieldLayout", layout_fields,
                                       COUNT(layout_fields)};

/* ---- reading ---- */

static bool has_choices(enum field_type type)
{
    return type == FIELD_TYPE_CHOICE || type == FIELD_TYPE_CHOICES;
}

static enum err load_choices(struct ctx *c, struct custom_field *f)
{
    struct query *q = query(c, field_text[DEF_CHOICES]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, f->id);
    while (query_next(c, q, &e)) {
        struct field_choice k = {col_int(q, 0), col_text(c, q, 1),
                                 col_text(c, q, 2), col_int(q, 3) != 0};
        buf_put(&rows, &k, sizeof k);
    }
    f->choices = (void *)rows.data;
    f->choice_count = rows.len / sizeof *f->choices;
    return e;
}

enum err field_list(struct ctx *c, int64_t classification_id,
                    struct custom_field **out, size_t *count)
{
    struct query *q = query(c, field_text[DEF_LIST]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, classification_id);
    bind_int(q, 2, classification_id ? classification_id : INT64_MAX);
    while (query_next(c, q, &e)) {
        struct custom_field f = {
            .id = col_int(q, 0),
            .classification_id = col_int(q, 1),
            .type = (enum field_type)col_int(q, 2),
            .ja = col_text(c, q, 3),
            .en = col_text(c, q, 4),
            .help = col_text(c, q, 5),
            .initial = col_text(c, q, 6),
            .is_required = col_int(q, 7) != 0,
            .is_hidden = col_int(q, 8) != 0,
            .column = (int)col_int(q, 9),
        };
        buf_put(&rows, &f, sizeof f);
    }
    *out = (void *)rows.data;
    *count = rows.len / sizeof **out;
    for (size_t i = 0; i < *count && !e; i++)
        if (has_choices((*out)[i].type))
            e = load_choices(c, &(*out)[i]);
    return e;
}

static void put_field(struct json_out *o, const struct custom_field *f)
{
    json_open(o, NULL, '{');
    json_id(o, "id", f->id);
    json_id(o, "classification", f->classification_id);
    json_text(o, "type", field_type_words[f->type]);
    json_text(o, "ja", f->ja);
    json_text(o, "en", f->en);
    json_text(o, "help", f->help);
    json_text(o, "initial", f->initial);
    json_bool(o, "is_required", f->is_required);
    json_bool(o, "is_hidden", f->is_hidden);
    json_int(o, "column", f->column);
    json_open(o, "choices", '[');
    for (size_t i = 0; i < f->choice_count; i++) {
        json_open(o, NULL, '{');
        json_id(o, "id", f->choices[i].id);
        json_text(o, "ja", f->choices[i].ja);
        json_text(o, "en", f->choices[i].en);
        json_bool(o, "is_hidden", f->choices[i].is_hidden);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_close(o, '}');
}

/* only 0: of all classifications. */
static enum err put_standard(struct ctx *c, struct json_out *o, int64_t only)
{
    struct query *q = query(c, field_text[DEF_STANDARD]);
    enum err e;

    json_open(o, "standard", '[');
    while (query_next(c, q, &e)) {
        if (only && col_int(q, 0) != only)
            continue;
        json_open(o, NULL, '{');
        json_id(o, "classification", col_int(q, 0));
        json_text(o, "name", col_peek(q, 1));
        json_text(o, "help", col_peek(q, 2));
        json_bool(o, "is_hidden", col_int(q, 3) != 0);
        json_close(o, '}');
    }
    json_close(o, ']');
    return e;
}

static enum err put_all(struct ctx *c, struct json_out *o, int64_t only)
{
    struct custom_field *list;
    size_t count;
    enum err e = field_list(c, only, &list, &count);

    json_open(o, "fields", '[');
    for (size_t i = 0; i < count && !e; i++)
        put_field(o, &list[i]);
    json_close(o, ']');
    return e ? e : put_standard(c, o, only);
}

enum err field_put_catalogue(struct ctx *c, struct json_out *o)
{
    return put_all(c, o, 0);
}

/* ---- changing ---- */

static enum err as_json(struct ctx *c, int64_t classification_id,
                        const char **out)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    enum err e = put_all(c, &o, classification_id);
    json_close(&o, '}');
    *out = b.data;
    return e;
}

/* Counts the classification's version; before: what the log will say. */
static enum err begin(struct ctx *c, int64_t id, int64_t version,
                      const char **before)
{
    struct query *q = query(c, field_text[DEF_KIND]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "id", "not_found", "チケット分類が見つかりません",
                        "No such classification");
    if (e)
        return e;
    query_done(q);
    q = query(c, field_text[DEF_TOUCH]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return as_json(c, id, before);
}

static enum err finish(struct ctx *c, int64_t id, const char *before)
{
    const char *after, *name;
    struct query *q = query(c, field_text[DEF_KIND]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    name = ctx_text(c, col_text(c, q, 0), col_text(c, q, 1));
    query_done(q);
    if ((e = as_json(c, id, &after)))
        return e;
    return operation_log(c, &(struct operation){.action = "update",
                                                .kind = "classification",
                                                .object_id = id,
                                                .object_name = name,
                                                .before = before,
                                                .after = after});
}

static enum err is_used(struct ctx *c, int text, int64_t field_id,
                        int64_t choice_id, bool *out)
{
    struct query *q = query(c, field_text[text]);

    bind_int(q, 1, field_id);
    if (choice_id)
        bind_int(q, 2, choice_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = col_int(q, 0) != 0;
    query_done(q);
    return OK;
}

static enum err remove_row(struct ctx *c, int text, int64_t id)
{
    struct query *q = query(c, field_text[text]);

    bind_int(q, 1, id);
    return query_run(c, q);
}

static bool names_id(const struct values *const *rows, size_t n, int64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (values_int(rows[i], "id", 0) == id)
            return true;
    return false;
}

static enum err in_use(struct ctx *c, const char *name)
{
    return ctx_fail(c, ERR_CONFLICT, "fields", "in_use",
                    "「%s」は使われているため削除できません。"
                    "非表示にしてください",
                    "“%s” is in use and cannot be removed; hide it", name);
}

static const char *other_name(const struct values *row)
{
    const char *en = values_text(row, "en");

    return en && *en ? en : values_text(row, "ja");
}

static enum err put_choices(struct ctx *c, const struct custom_field *old,
                            int64_t field_id, const struct values *row)
{
    const struct values *const *rows;
    size_t n = values_rows(row, "choices", &rows);
    enum err e = OK;

    for (size_t i = 0; i < n && !e; i++) {
        int64_t id = values_int(rows[i], "id", 0);
        bool is_own = false;
        for (size_t j = 0; old && j < old->choice_count; j++)
            is_own = is_own || old->choices[j].id == id;
        struct query *q =
            query(c, field_text[is_own ? CHOICE_UPDATE : CHOICE_INSERT]);
        bind_int(q, 1, is_own ? id : field_id);
        bind_text(q, 2, values_text(rows[i], "ja"));
        bind_text(q, 3, other_name(rows[i]));
        bind_int(q, 4, values_bool(rows[i], "is_hidden", false));
        bind_int(q, 5, (int64_t)i);
        e = query_run(c, q);
    }
    for (size_t i = 0; old && i < old->choice_count && !e; i++) {
        bool used;
        const struct field_choice *k = &old->choices[i];
        if (names_id(rows, n, k->id))
            continue;
        e = is_used(c, CHOICE_IS_USED, field_id, k->id, &used);
        if (!e)
            e = used ? in_use(c, ctx_text(c, k->ja, k->en))
                     : remove_row(c, CHOICE_DELETE, k->id);
    }
    return e;
}

/* Choices are named in a default, since new ones have no id yet. */
static const char *initial_of(struct ctx *c, const struct custom_field *f,
                              const char *text)
{
    for (size_t i = 0; text && i < f->choice_count; i++)
        if (str_equal(f->choices[i].ja, text))
            return arena_printf(c->mem, "%lld", (long long)f->choices[i].id);
    return text;
}

static enum err put_initial(struct ctx *c, int64_t classification_id,
                            int64_t field_id, const struct values *row)
{
    struct custom_field *list;
    struct field_value v = {0};
    size_t count;
    enum err e = field_list(c, classification_id, &list, &count);

    for (size_t i = 0; i < count && !e; i++)
        if (list[i].id == field_id)
            e = field_value_take(
                c, &list[i],
                initial_of(c, &list[i], values_text(row, "initial")), &v);
    if (e)
        return e;
    struct query *q = query(c, field_text[DEF_INITIAL]);
    bind_int(q, 1, field_id);
    bind_text(q, 2, v.text);
    return query_run(c, q);
}

/* History names fields by what they are called. */
static enum err check_names(struct ctx *c, const struct values *const *rows,
                            size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (str_equal(values_text(rows[i], "ja"), values_text(rows[j], "ja")) ||
            str_equal(other_name(rows[i]), other_name(rows[j])))
            return ctx_fail(c, ERR_INVALID,
                            arena_printf(c->mem, "fields.%zu.ja", i), "unique",
                            "同じ名前の項目があります",
                            "There is a field of this name already");
    return OK;
}

static enum err put_field_row(struct ctx *c, int64_t classification_id,
                              const struct custom_field *old,
                              const struct values *row, size_t rank)
{
    int64_t type = values_int(row, "type", 0);
    const char *help = values_text(row, "help");
    const struct values *const *choices;
    struct query *q = query(c, field_text[old ? DEF_UPDATE : DEF_INSERT]);

    if (has_choices((enum field_type)type) &&
        values_rows(row, "choices", &choices) == 0)
        return ctx_fail(c, ERR_INVALID,
                        arena_printf(c->mem, "fields.%zu.choices", rank),
                        "required", "選択肢を1つ以上入力してください",
                        "At least one choice is needed");
    bind_int(q, 1, old ? old->id : classification_id);
    bind_int(q, 2, type);
    bind_text(q, 3, values_text(row, "ja"));
    bind_text(q, 4, other_name(row));
    bind_text(q, 5, help ? help : "");
    bind_int(q, 6, values_bool(row, "is_required", false));
    bind_int(q, 7, values_bool(row, "is_hidden", false));
    bind_int(q, 8, values_int(row, "column", 1));
    bind_int(q, 9, (int64_t)rank);
    enum err e = query_run(c, q);
    if (e)
        return e;
    if (old && db_changes(c) == 0)
        return ctx_fail(c, ERR_CONFLICT,
                        arena_printf(c->mem, "fields.%zu.type", rank), "fixed",
                        "項目の種類は変えられません",
                        "The type of a field cannot be changed");
    int64_t id = old ? old->id : db_last_id(c);
    if (has_choices((enum field_type)type) &&
        (e = put_choices(c, old, id, row)))
        return e;
    return put_initial(c, classification_id, id, row);
}

static enum err drop_missing(struct ctx *c, const struct custom_field *old,
                             size_t count, const struct values *const *rows,
                             size_t n)
{
    enum err e = OK;

    for (size_t i = 0; i < count && !e; i++) {
        bool used;
        if (names_id(rows, n, old[i].id))
            continue;
        e = is_used(c, DEF_IS_USED, old[i].id, 0, &used);
        if (!e)
            e = used ? in_use(c, ctx_text(c, old[i].ja, old[i].en))
                     : remove_row(c, DEF_DELETE, old[i].id);
    }
    return e;
}

enum err field_put(struct ctx *c, int64_t classification_id, int64_t version,
                   const struct values *v)
{
    const struct values *const *rows;
    size_t n = values_rows(v, "fields", &rows), count = 0;
    struct custom_field *old = NULL;
    const char *before = NULL;
    enum err e = begin(c, classification_id, version, &before);

    if (e || (e = field_list(c, classification_id, &old, &count)))
        return e;
    for (size_t i = 0; i < n && !e; i++) {
        const struct custom_field *mine = NULL;
        for (size_t j = 0; j < count; j++)
            if (old[j].id == values_int(rows[i], "id", 0))
                mine = &old[j];
        if (!(e = check_names(c, rows, i)))
            e = put_field_row(c, classification_id, mine, rows[i], i);
    }
    if (e || (e = drop_missing(c, old, count, rows, n)))
        return e;
    return finish(c, classification_id, before);
}

enum err field_put_layout(struct ctx *c, int64_t classification_id,
                          int64_t version, const struct values *v)
{
    const struct values *const *rows;
    size_t n = values_rows(v, "standard", &rows);
    const char *before = NULL;
    enum err e = begin(c, classification_id, version, &before);

    if (!e)
        e = remove_row(c, STANDARD_CLEAR, classification_id);
    for (size_t i = 0; i < n && !e; i++) {
        int64_t name = values_int(rows[i], "name", 0);
        const char *help = values_text(rows[i], "help");
        bool is_hidden = values_bool(rows[i], "is_hidden", false);
        if (is_hidden && name < NEVER_HIDDEN)
            return ctx_fail(c, ERR_INVALID,
                            arena_printf(c->mem, "standard.%zu.is_hidden", i),
                            "required", "この項目は非表示にできません",
                            "This field cannot be hidden");
        struct query *q = query(c, field_text[STANDARD_ADD]);
        bind_int(q, 1, classification_id);
        bind_text(q, 2, standard_words[name]);
        bind_text(q, 3, help ? help : "");
        bind_int(q, 4, is_hidden);
        e = query_run(c, q);
    }
    return e ? e : finish(c, classification_id, before);
}
