/* SPDX-License-Identifier: Apache-2.0 */
/* A form of every kind of field, right and wrong, from JSON and from cells. */
#include "base/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/civil.h"

static const char *const states[] = {"open", "done", NULL};

static const struct field row_fields[] = {
    {DAY("start", REQUIRED, "開始", "Start")},
    {TEXT("note", 0, 5, OPTIONAL, "備考", "Note")},
};
static const struct form row_form = {"Row", row_fields, COUNT(row_fields)};

static const struct field fields[] = {
    {TEXT("title", 1, 10, REQUIRED, "件名", "Subject")},
    {LINES("body", 0, 0, OPTIONAL, "本文", "Body")},
    {SECRET("secret", 0, 0, OPTIONAL, "合言葉", "Secret")},
    {INT("rate", 0, 100, NULLABLE, "進捗率", "Rate")},
    {BOOL("open", OPTIONAL, "公開", "Open")},
    {DAY("due", NULLABLE, "期限", "Due")},
    {ID("owner", OPTIONAL, "担当", "Owner")},
    {CHOICE("state", states, OPTIONAL, "状態", "State")},
    {IDS("tags", 3, OPTIONAL, "札", "Tags")},
    {ROWS("edits", &row_form, 0, 3, OPTIONAL, "編集", "Edits")},
};
static const struct form form = {"Thing", fields, COUNT(fields)};

static struct arena *mem;
static struct actor actor;
static struct ctx c;

static int set_up(void **state)
{
    (void)state;
    mem = arena_open(0);
    actor = (struct actor){.lang = LANG_JA};
    c = (struct ctx){.mem = mem, .actor = &actor};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_close(mem);
    return 0;
}

/* "field:rule field:rule" of a body's failures. */
static const char *failures(const char *text)
{
    const struct values *v = NULL;
    struct buf b = buf_in(mem);
    c.fail = NULL;
    enum err e = values_parse_json(&c, &form, text, strlen(text), &v);
    assert_int_equal(e == OK, c.fail == NULL);
    assert_int_equal(e == OK, v != NULL);
    buf_puts(&b, "");
    for (const struct failure *f = c.fail; f; f = f->next) {
        assert_int_equal(f->err, ERR_INVALID);
        buf_printf(&b, "%s%s:%s", b.len ? " " : "", f->field, f->rule);
    }
    return b.data;
}

static const struct values *parse(const char *text)
{
    const struct values *v = NULL;
    c.fail = NULL;
    assert_int_equal(values_parse_json(&c, &form, text, strlen(text), &v), OK);
    return v;
}

static void test_takes_every_kind(void **state)
{
    (void)state;
    const int64_t *ids = NULL;
    const struct values *const *rows = NULL;
    const struct values *v = parse(
        "{\"title\":\"　設計 \",\"body\":\"a\\r\\n\\tb\",\"secret\":\" x \","
        "\"rate\":100,\"open\":true,\"due\":\"2026-11-22\","
        "\"owner\":\"9223372036854775807\",\"state\":\"done\","
        "\"tags\":[\"3\",\"4\"],\"edits\":[{\"start\":\"2024-02-29\"},"
        "{\"start\":\"2026-01-05\",\"note\":\"n\"}]}");
    assert_string_equal(values_text(v, "title"), "設計");
    assert_string_equal(values_text(v, "body"), "a\r\n\tb");
    assert_string_equal(values_text(v, "secret"), " x ");
    assert_int_equal(values_int(v, "rate", -1), 100);
    assert_true(values_bool(v, "open", false));
    assert_int_equal(values_int(v, "due", 0), civil_from_ymd(2026, 11, 22));
    assert_true(values_int(v, "owner", 0) == INT64_MAX);
    assert_int_equal(values_int(v, "state", -1), 1);
    assert_int_equal(values_ids(v, "tags", &ids), 2);
    assert_int_equal(ids[1], 4);
    assert_int_equal(values_rows(v, "edits", &rows), 2);
    assert_string_equal(values_text(rows[1], "note"), "n");
    assert_false(values_has(rows[0], "note"));
}

/* Blanks alone are as empty as none; what is indented stays so. */
static void test_takes_blank_lines_for_none(void **state)
{
    (void)state;
    static const struct field lines[] = {
        {LINES("must", 1, 9, REQUIRED, "本文", "Body")},
        {LINES("may", 0, 9, OPTIONAL, "備考", "Note")},
        {LINES("null", 1, 9, NULLABLE, "理由", "Why")},
    };
    static const struct form two = {"Two", lines, COUNT(lines)};
    static const char *const bad[] = {"{\"must\":\" \"}",
                                      "{\"must\":\"\\n\\r\\n\\t\"}",
                                      "{\"must\":\"\xe3\x80\x80\\n \"}"};
    static const char good[] =
        "{\"must\":\"\\n    a\\n\",\"may\":\" \\n \",\"null\":null}";
    static const char hollow[] = "{\"must\":\"a\",\"null\":\"\\n\"}";
    const struct values *v = NULL;

    for (size_t i = 0; i < COUNT(bad); i++) {
        c.fail = NULL;
        assert_int_equal(
            values_parse_json(&c, &two, bad[i], strlen(bad[i]), &v),
            ERR_INVALID);
        assert_string_equal(c.fail->field, "must");
        assert_string_equal(c.fail->rule, "required");
    }
    c.fail = NULL;
    assert_int_equal(values_parse_json(&c, &two, good, strlen(good), &v), OK);
    assert_string_equal(values_text(v, "must"), "\n    a\n");
    assert_string_equal(values_text(v, "may"), "");
    assert_int_equal(values_parse_json(&c, &two, hollow, strlen(hollow), &v),
                     ERR_INVALID);
    assert_string_equal(c.fail->field, "null");
}

static void test_tells_null_from_absent(void **state)
{
    (void)state;
    const struct values *v = parse("{\"title\":\"a\",\"due\":null}");
    assert_true(values_has(v, "due") && values_is_null(v, "due"));
    assert_int_equal(values_int(v, "due", 7), 7);
    assert_false(values_has(v, "rate") || values_is_null(v, "rate"));
    assert_null(values_text(v, "body"));
}

static void test_names_each_bad_field(void **state)
{
    (void)state;
    assert_string_equal(
        failures("{\"title\":\"12345678901\",\"rate\":101,\"open\":1,"
                 "\"due\":\"2026-02-30\",\"owner\":\"01\",\"state\":\"Done\","
                 "\"tags\":[\"1\",\"2\",\"3\",\"4\"]}"),
        "title:max_length rate:max open:type due:day owner:id state:choice "
        "tags:max");
    assert_string_equal(
        failures("{\"title\":\" \",\"rate\":1.5,\"owner\":5,\"body\":null,"
                 "\"tags\":[1],\"edits\":[{\"start\":\"2026-01-01\"},{},3,"
                 "{\"start\":null,\"note\":\"123456\"}]}"),
        "title:required body:required rate:type owner:type tags:type "
        "edits:max");
    assert_string_equal(
        failures("{\"title\":\"a\\u202eb\",\"body\":\"\\u0007\",\"edits\":"
                 "[{},3,{\"start\":null,\"note\":\"123456\"}]}"),
        "title:control_character body:control_character "
        "edits.0.start:required edits:type edits.2.start:required "
        "edits.2.note:max_length");
    assert_string_equal(failures("{}"), "title:required");
    assert_string_equal(failures("{\"title\":\"a\",\"rate\":-1}"), "rate:min");
    assert_string_equal(
        failures("{\"title\":\"a\",\"rate\":99999999999999999999}"),
        "rate:max");
    assert_string_equal(
        failures("{\"title\":\"a\",\"rate\":-99999999999999999999}"),
        "rate:min");
}

static void test_unknown_fields_go_first(void **state)
{
    (void)state;
    assert_string_equal(
        failures("{\"rate\":1000,\"Title\":1,\"edits\":[{\"x\":1}]}"),
        "Title:unknown_field edits.0.x:unknown_field");
    assert_string_equal(failures("[]"), ":json");
    assert_string_equal(failures("{\"title\":\"a\",\"title\":\"b\"}"), ":json");
}

static void test_speaks_both_languages(void **state)
{
    (void)state;
    failures("{\"title\":\"12345678901\"}");
    assert_string_equal(c.fail->message,
                        "「件名」は10文字以内で入力してください");
    actor.lang = LANG_EN;
    failures("{\"title\":\"12345678901\"}");
    assert_string_equal(c.fail->message,
                        "Subject must be at most 10 characters");
    actor.lang = LANG_JA;
}

static void test_bounds_the_list_of_failures(void **state)
{
    (void)state;
    struct buf b = buf_in(mem);
    for (int i = 0; i < 500; i++)
        buf_printf(&b, "%c\"x%d\":1", i ? ',' : '{', i);
    buf_putc(&b, '}');
    failures(b.data);
    size_t count = 0;
    for (const struct failure *f = c.fail; f; f = f->next)
        count++;
    assert_int_equal(count, 100);
}

static void test_takes_cells(void **state)
{
    (void)state;
    const char *cells[COUNT(fields)] = {
        " 設計 ", "", NULL, "１００", "はい", "2026/1/5", "12", "done", "3, 4"};
    const struct values *v = NULL;
    const int64_t *ids = NULL;
    c.fail = NULL;
    assert_int_equal(values_parse_cells(&c, &form, cells, &v), OK);
    assert_string_equal(values_text(v, "title"), "設計");
    assert_false(values_has(v, "body") || values_has(v, "secret"));
    assert_int_equal(values_int(v, "rate", 0), 100);
    assert_true(values_bool(v, "open", false));
    assert_int_equal(values_int(v, "due", 0), civil_from_ymd(2026, 1, 5));
    assert_int_equal(values_ids(v, "tags", &ids), 2);
    assert_int_equal(ids[0], 3);
}

static int32_t day_of(const char *text)
{
    const char *cells[COUNT(fields)] = {"a", NULL, NULL, NULL, NULL, text};
    const struct values *v = NULL;
    c.fail = NULL;
    if (values_parse_cells(&c, &form, cells, &v))
        return DAY_NONE;
    return (int32_t)values_int(v, "due", DAY_NONE);
}

static void test_takes_days_as_spreadsheets_write_them(void **state)
{
    (void)state;
    int32_t day = civil_from_ymd(2026, 11, 2);
    assert_int_equal(day_of("2026-11-02"), day);
    assert_int_equal(day_of("2026/11/2"), day);
    assert_int_equal(day_of("2026年11月2日"), day);
    assert_int_equal(day_of("２０２６／１１／０２"), day);
    assert_int_equal(day_of("2026/11/31"), DAY_NONE);
    assert_int_equal(day_of("11/2/2026"), DAY_NONE);
    assert_int_equal(day_of("2026/11/2x"), DAY_NONE);
    assert_int_equal(day_of("\xff"), DAY_NONE);
    assert_string_equal(c.fail->rule, "utf8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_every_kind),
        cmocka_unit_test(test_takes_blank_lines_for_none),
        cmocka_unit_test(test_tells_null_from_absent),
        cmocka_unit_test(test_names_each_bad_field),
        cmocka_unit_test(test_unknown_fields_go_first),
        cmocka_unit_test(test_speaks_both_languages),
        cmocka_unit_test(test_bounds_the_list_of_failures),
        cmocka_unit_test(test_takes_cells),
        cmocka_unit_test(test_takes_days_as_spreadsheets_write_them),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
