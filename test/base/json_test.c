/* SPDX-License-Identifier: Apache-2.0 */
/* What cJSON alone would let through, and what must get through. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"

static struct arena *mem;

static int open_arena(void **state)
{
    (void)state;
    mem = arena_open(0);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(mem);
    return 0;
}

static const struct json *parse(const char *text)
{
    size_t offset = 0;
    return json_parse(mem, text, strlen(text), &offset);
}

static void test_reads_every_kind(void **state)
{
    (void)state;
    const struct json *j = parse(" {\"n\":null,\"b\":true,\"i\":-12,\"t\":"
                                 "\"\\u30ac\\n\",\"a\":[1,{}]} ");
    assert_non_null(j);
    assert_int_equal(json_get(j, "n")->kind, JSON_NULL);
    assert_true(json_get(j, "b")->truth);
    assert_string_equal(json_get(j, "i")->text, "-12");
    assert_string_equal(json_get(j, "t")->text, "ガ\n");
    assert_int_equal(json_get(j, "a")->child->next->kind, JSON_OBJECT);
    assert_null(json_get(j, "N"));
}

static void test_numbers_keep_their_digits(void **state)
{
    (void)state;
    const struct json *j = parse("[9007199254740993,[1e400],{\"x\":2.50},0]");
    assert_non_null(j);
    assert_string_equal(j->child->text, "9007199254740993");
    assert_string_equal(j->child->next->child->text, "1e400");
    assert_string_equal(json_get(j->child->next->next, "x")->text, "2.50");
}

static void test_refuses_what_is_not_json(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "[1]garbage",
        "nulll",
        "[01]",
        "[1.]",
        "[.5]",
        "[+1]",
        "[-]",
        "[1e]",
        "[1,]",
        "[,1]",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\" 1}",
        "[1 2]",
        "[\"\t\"]",
        "[\"\n\"]",
        "[\"\\u0000\"]",
        "[\"\\ud800\"]",
        "[\"\\udc00\"]",
        "[\"\\ud800\\u0041\"]",
        "[\"\\x41\"]",
        "[\"\\u00g0\"]",
        "[\"\xff\"]",
        "[\"\xc0\xaf\"]",
        "[\"\xed\xa0\x80\"]",
        "['a']",
        "\xef\xbb\xbf[]",
        "[NaN]",
        "[Infinity]",
        "[tru]",
        "[\"a]",
        "{\"a\":1",
        "[1]//x",
        "[0x10]",
        "\v[]",
        "[1]\f",
        "[] []",
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        if (parse(bad[i]))
            fail_msg("accepted: %s", bad[i]);
}

static void test_refuses_bytes_after_a_nul(void **state)
{
    (void)state;
    size_t offset = 0;
    assert_null(json_parse(mem, "[1]\0", 4, &offset));
    assert_int_equal(offset, 3);
    assert_null(json_parse(mem, "[\"a\0b\"]", 7, &offset));
}

static void test_refuses_duplicate_keys(void **state)
{
    (void)state;
    size_t offset = 0;
    const char *text = "{\"a\":1,\"\\u0061\":2}";
    assert_null(json_parse(mem, text, strlen(text), &offset));
    assert_int_equal(offset, 16);
    assert_null(parse("[{\"x\":{\"a\":1,\"b\":2,\"a\":3}}]"));
    assert_non_null(parse("{\"a\":{\"a\":1},\"A\":2}"));
}

static const char *nest(int depth)
{
    struct buf b = buf_in(mem);
    for (int i = 0; i < depth; i++)
        buf_putc(&b, '[');
    for (int i = 0; i < depth; i++)
        buf_putc(&b, ']');
    return b.data;
}

static void test_bounds_depth(void **state)
{
    (void)state;
    assert_non_null(parse(nest(32)));
    assert_null(parse(nest(33)));
    assert_null(parse(nest(100000)));
}

static const char *repeat(int count)
{
    struct buf b = buf_in(mem);
    buf_puts(&b, "[0");
    for (int i = 1; i < count; i++)
        buf_puts(&b, ",0");
    buf_putc(&b, ']');
    return b.data;
}

static void test_bounds_elements_and_size(void **state)
{
    (void)state;
    assert_non_null(parse(repeat(19999)));
    assert_null(parse(repeat(20000)));
    size_t len = (size_t)1024 * 1024 + 1, offset = 0;
    char *wide = arena_alloc(mem, len + 1);
    memset(wide, ' ', len);
    wide[0] = '1';
    assert_null(json_parse(mem, wide, len, &offset));
    assert_non_null(json_parse(mem, wide, len - 1, &offset));
}

static void test_bounds_number_length(void **state)
{
    (void)state;
    assert_non_null(parse("[123456789012345678901234567890]"));
    char digits[80] = {0};
    memset(digits, '1', 61);
    assert_null(parse(digits));
}

static void test_writes_with_commas_and_escapes(void **state)
{
    (void)state;
    struct buf b = buf_in(mem);
    struct json_out o = {.b = &b};
    json_open(&o, NULL, '{');
    json_text(&o, "t", "</script>\"\\\x01\xe2\x80\xa8\xff");
    json_open(&o, "a", '[');
    json_int(&o, NULL, INT64_MIN);
    json_id(&o, NULL, INT64_MAX);
    json_id(&o, NULL, 0);
    json_close(&o, ']');
    json_bool(&o, "b", false);
    json_day(&o, "d", civil_from_ymd(2026, 11, 22));
    json_day(&o, "e", DAY_NONE);
    json_moment(&o, "m", 0);
    json_raw(&o, "r", "[]");
    json_text(&o, "z", NULL);
    json_close(&o, '}');
    assert_string_equal(
        b.data, "{\"t\":\"\\u003c/script\\u003e\\\"\\\\\\u0001\\u2028\xef\xbf"
                "\xbd\",\"a\":[-9223372036854775808,\"9223372036854775807\","
                "null],\"b\":false,\"d\":\"2026-11-22\",\"e\":null,\"m\":null,"
                "\"r\":[],\"z\":null}");
    assert_non_null(parse(b.data));
}

static void test_writes_short_doubles(void **state)
{
    (void)state;
    struct buf b = buf_in(mem);
    struct json_out o = {.b = &b};
    json_open(&o, NULL, '[');
    json_double(&o, NULL, 0.1);
    json_double(&o, NULL, 1.0 / 3);
    json_double(&o, NULL, 1e300 * 1e300);
    json_close(&o, ']');
    assert_string_equal(b.data, "[0.1,0.3333333333333333,null]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_every_kind),
        cmocka_unit_test(test_numbers_keep_their_digits),
        cmocka_unit_test(test_refuses_what_is_not_json),
        cmocka_unit_test(test_refuses_bytes_after_a_nul),
        cmocka_unit_test(test_refuses_duplicate_keys),
        cmocka_unit_test(test_bounds_depth),
        cmocka_unit_test(test_bounds_elements_and_size),
        cmocka_unit_test(test_bounds_number_length),
        cmocka_unit_test(test_writes_with_commas_and_escapes),
        cmocka_unit_test(test_writes_short_doubles),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
