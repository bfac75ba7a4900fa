/* SPDX-License-Identifier: Apache-2.0 */
/* A value is checked by its type alone, so that a person's edit, a default and
 * whatever comes later (imports, rules) are held to the same. */
#include "core/master/field_value.h"

#include "base/civil.h"
#include "base/str.h"
#include "core/core.h"

#include <stdlib.h>
#include <string.h>

enum { VALUE_USER, VALUE_GET, VALUE_CLEAR, VALUE_ADD };
static const char *const field_value_text[] = {
    [VALUE_USER] = "SELECT name FROM user WHERE id = ?1 AND state < 3",
    [VALUE_GET] = "SELECT text, number, day FROM ticket_field"
                  " WHERE ticket_id = ?1 AND field_id = ?2 ORDER BY seq",
    [VALUE_CLEAR] =
        "DELETE FROM ticket_field WHERE ticket_id = ?1 AND field_id = ?2",
    [VALUE_ADD] = "INSERT INTO ticket_field (ticket_id, field_id, seq, text,"
                  " number, day) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
};
const struct query_set field_value_queries = {"field_value", field_value_text,
                                              COUNT(field_value_text)};

static const struct field value_fields[] = {
    {ID("field", REQUIRED, "項目", "Field")},
    {LINES("value", 0, FIELD_VALUE_MAX, NULLABLE, "値", "Value")},
};
const struct form field_value_form = {"FieldValue", value_fields,
                                      COUNT(value_fields)};

enum { LINE_MAX_CHARS = 255, URL_MAX_CHARS = 2000, DIGITS_MAX = 15 };

static enum err refuse(struct ctx *c, const struct custom_field *f,
                       const char *rule, const char *ja, const char *en)
{
    return ctx_fail(c, ERR_INVALID,
                    arena_printf(c->mem, "fields.%lld", (long long)f->id), rule,
                    "「%s」%s", "%s %s", ctx_text(c, f->ja, f->en),
                    ctx_text(c, ja, en));
}

static enum err take_line(struct ctx *c, const struct custom_field *f,
                          struct field_value *out)
{
    const char *t = out->text;
    size_t max = f->type == FIELD_TYPE_LINES ? FIELD_VALUE_MAX
                 : f->type == FIELD_TYPE_URL ? URL_MAX_CHARS
                                             : LINE_MAX_CHARS;

    if (f->type != FIELD_TYPE_LINES && strchr(t, '\n'))
        return refuse(c, f, "line", "は1行で入力してください",
                      "must be a single line");
    if (str_count_chars(t) > max)
        return refuse(c, f, "max", "が長すぎます", "is too long");
    out->words = t;
    return OK;
}

/* Only what a browser may open without harm. */
static enum err take_url(struct ctx *c, const struct custom_field *f,
                         struct field_value *out)
{
    const char *t = out->text;
    size_t skip = strncmp(t, "https://", 8) == 0  ? 8
                  : strncmp(t, "http://", 7) == 0 ? 7
                                                  : 0;
    bool is_bad = skip == 0 || t[skip] == 0 || t[skip] == '/';

    for (; *t; t++)
        is_bad = is_bad || (unsigned char)*t <= ' ' || strchr("\"<>\\`", *t);
    if (is_bad)
        return refuse(c, f, "url",
                      "は http:// か https:// で始まるURLにしてください",
                      "must be a URL that begins with http:// or https://");
    return take_line(c, f, out);
}

static enum err take_number(struct ctx *c, const struct custom_field *f,
                            struct field_value *out)
{
    const char *t = out->text + (*out->text == '-');
    size_t digits = 0, points = 0;
    bool is_bad = *t < '0' || *t > '9';

    for (; *t; t++) {
        digits += *t >= '0' && *t <= '9';
        points += *t == '.';
        is_bad = is_bad || (*t != '.' && (*t < '0' || *t > '9'));
    }
    is_bad = is_bad || t[-1] == '.' || points > 1;
    if (f->type == FIELD_TYPE_INTEGER && (is_bad || points))
        return refuse(c, f, "integer", "は整数で入力してください",
                      "must be a whole number");
    if (is_bad)
        return refuse(c, f, "number", "は数値で入力してください",
                      "must be a number");
    if (digits > DIGITS_MAX)
        return refuse(c, f, "max", "は15桁までにしてください",
                      "must have at most 15 digits");
    out->words = out->text;
    return OK;
}

static enum err take_day(struct ctx *c, const struct custom_field *f,
                         struct field_value *out)
{
    int32_t day;

    if (!civil_parse(out->text, &day))
        return refuse(c, f, "day", "は日付（例: 2026-11-22）で入力してください",
                      "must be a date (2026-11-22)");
    out->words = out->text;
    return OK;
}

static enum err take_check(struct ctx *c, const struct custom_field *f,
                           struct field_value *out)
{
    bool is_on = str_equal(out->text, "true");

    if (!is_on && !str_equal(out->text, "false"))
        return refuse(c, f, "choice", "は true か false にしてください",
                      "must be true or false");
    if (!is_on)
        out->text = NULL; /* a box left empty is no value */
    out->words = is_on ? ctx_text(c, "はい", "Yes") : NULL;
    return OK;
}

static enum err take_user(struct ctx *c, const struct custom_field *f,
                          struct field_value *out)
{
    int64_t id = 0;
    enum err e = ERR_NOT_FOUND;

    if (str_parse_int(out->text, 1, INT64_MAX, &id)) {
        struct query *q = query(c, field_value_text[VALUE_USER]);
        bind_int(q, 1, id);
        if (!(e = query_one(c, q))) {
            out->words = col_text(c, q, 0);
            query_done(q);
        }
    }
    if (e == ERR_NOT_FOUND)
        return refuse(c, f, "user", "の人が見つかりません",
                      "names nobody who is here");
    return e;
}

static const struct field_choice *find_choice(struct ctx *c,
                                              const struct custom_field *f,
                                              const char *text, size_t len)
{
    int64_t id;

    if (!str_parse_int(arena_strndup(c->mem, text, len), 1, INT64_MAX, &id))
        return NULL;
    for (size_t i = 0; i < f->choice_count; i++)
        if (f->choices[i].id == id)
            return &f->choices[i];
    return NULL;
}

static enum err take_choices(struct ctx *c, const struct custom_field *f,
                             struct field_value *out)
{
    struct buf words = buf_in(c->mem);
    const char *at = out->text;
    size_t count = 0;

    while (at) {
        const char *end = strstr(at, "||");
        size_t len = end ? (size_t)(end - at) : strlen(at);
        const struct field_choice *k = find_choice(c, f, at, len);
        if (!k || ++count > FIELD_CHOICES_MAX)
            return refuse(c, f, "choice", "の選択肢にありません",
                          "has no such choice");
        buf_printf(&words, "%s%s", words.len ? ", " : "",
                   ctx_text(c, k->ja, k->en));
        at = end ? end + 2 : NULL;
    }
    if (f->type == FIELD_TYPE_CHOICE && count > 1)
        return refuse(c, f, "choice", "は1つだけ選んでください",
                      "takes one choice");
    out->words = words.data;
    return OK;
}

enum err field_value_take(struct ctx *c, const struct custom_field *f,
                          const char *text, struct field_value *out)
{
    static enum err (*const take[])(struct ctx *, const struct custom_field *,
                                    struct field_value *) = {
        [FIELD_TYPE_TEXT] = take_line,       [FIELD_TYPE_LINES] = take_line,
        [FIELD_TYPE_INTEGER] = take_number,  [FIELD_TYPE_DECIMAL] = take_number,
        [FIELD_TYPE_DAY] = take_day,         [FIELD_TYPE_CHOICE] = take_choices,
        [FIELD_TYPE_CHOICES] = take_choices, [FIELD_TYPE_USER] = take_user,
        [FIELD_TYPE_CHECK] = take_check,     [FIELD_TYPE_URL] = take_url,
    };

    *out = (struct field_value){.field = f, .text = text};
    if (!text || !*text) {
        out->text = NULL;
        return OK;
    }
    return take[f->type](c, f, out);
}

/* ---- in the file ---- */

static const char *row_text(struct ctx *c, const struct custom_field *f,
                            struct query *q)
{
    char day[11];

    if (!col_is_null(q, 0))
        return col_text(c, q, 0);
    if (f->type == FIELD_TYPE_DAY) {
        civil_format(col_day(q, 2), day);
        return arena_strdup(c->mem, day);
    }
    if (f->type == FIELD_TYPE_CHECK)
        return "true";
    return arena_printf(c->mem, "%.0f", col_double(q, 1));
}

static enum err read_text(struct ctx *c, int64_t ticket_id,
                          const struct custom_field *f, const char **out)
{
    struct query *q = query(c, field_value_text[VALUE_GET]);
    struct buf b = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, ticket_id);
    bind_int(q, 2, f->id);
    while (query_next(c, q, &e))
        buf_printf(&b, "%s%s", b.len ? "||" : "", row_text(c, f, q));
    *out = b.len ? b.data : NULL;
    return e;
}

/* What is stored may name somebody who left or a choice that is hidden: its
 * words are found without refusing. */
enum err field_value_get(struct ctx *c, int64_t ticket_id,
                         const struct custom_field *f, struct field_value *out)
{
    const char *text;
    enum err e = read_text(c, ticket_id, f, &text);

    if (e)
        return e;
    struct ctx probe = *c;
    probe.fail = NULL;
    e = field_value_take(&probe, f, text, out);
    if (e == ERR_INVALID) {
        *out = (struct field_value){.field = f, .text = text, .words = text};
        e = OK;
    }
    return e;
}

static enum err add_row(struct ctx *c, int64_t ticket_id,
                        const struct custom_field *f, int seq, const char *text,
                        size_t len)
{
    struct query *q = query(c, field_value_text[VALUE_ADD]);
    const char *one = arena_strndup(c->mem, text, len);
    int32_t day;

    bind_int(q, 1, ticket_id);
    bind_int(q, 2, f->id);
    bind_int(q, 3, seq);
    switch (f->type) {
    case FIELD_TYPE_INTEGER:
    case FIELD_TYPE_DECIMAL: /* the text keeps every digit */
        bind_text(q, 4, one);
        bind_double(q, 5, strtod(one, NULL));
        break;
    case FIELD_TYPE_CHOICE:
    case FIELD_TYPE_CHOICES:
    case FIELD_TYPE_USER:
        bind_double(q, 5, strtod(one, NULL));
        break;
    case FIELD_TYPE_CHECK:
        bind_double(q, 5, 1);
        break;
    case FIELD_TYPE_DAY:
        if (civil_parse(one, &day))
            bind_day(q, 6, day);
        break;
    case FIELD_TYPE_TEXT:
    case FIELD_TYPE_LINES:
    case FIELD_TYPE_URL:
    default:
        bind_text(q, 4, one);
        break;
    }
    return query_run(c, q);
}

enum err field_value_write(struct ctx *c, int64_t ticket_id,
                           const struct field_value *v)
{
    struct query *q = query(c, field_value_text[VALUE_CLEAR]);
    const char *at = v->text;

    bind_int(q, 1, ticket_id);
    bind_int(q, 2, v->field->id);
    enum err e = query_run(c, q);
    for (int seq = 0; at && !e; seq++) {
        const char *end =
            v->field->type == FIELD_TYPE_CHOICES ? strstr(at, "||") : NULL;
        e = add_row(c, ticket_id, v->field, seq, at,
                    end ? (size_t)(end - at) : strlen(at));
        at = end ? end + 2 : NULL;
    }
    return e;
}

enum err field_value_put_json(struct ctx *c, int64_t ticket_id,
                              int64_t classification_id, struct json_out *o)
{
    struct custom_field *list;
    size_t count;
    enum err e = field_list(c, classification_id, &list, &count);

    json_open(o, "fields", '[');
    for (size_t i = 0; i < count && !e; i++) {
        struct field_value v;
        e = field_value_get(c, ticket_id, &list[i], &v);
        if (e || !v.text)
            continue;
        json_open(o, NULL, '{');
        json_id(o, "field", list[i].id);
        json_text(o, "value", v.text);
        if (list[i].type == FIELD_TYPE_USER)
            json_text(o, "name", v.words);
        json_close(o, '}');
    }
    json_close(o, ']');
    return e;
}
