/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

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

static void test_folds_to_one_form(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"ｶﾞﾝﾄ", "がんと"},
        {"ガント", "がんと"},
        {"がんと", "がんと"},
        {"か\u3099", "が"},
        {"ﾊﾟｰﾄ", "ぱーと"},
        {"ヴァ", "ゔぁ"},
        {"ｳﾞｧ", "ゔぁ"},
        {"ヵヶ", "\u3095\u3096"},
        {"ヽヾ", "ゝゞ"},
        {"ヷ", "わ\u3099"},
        {"ヷ\u093C", "わ\u093C\u3099"}, /* the mark of lower class first */
        {"ＡＢＣ１２３", "abc123"},
        {"Straße", "strasse"},
        {"①㍻㈱", "1平成(株)"},
        {"工程\u200b表", "工程表"},
        {"髙﨑", "髙﨑"},
        {"", ""},
    };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        assert_string_equal(str_fold(mem, pairs[i][0]), pairs[i][1]);
        assert_string_equal(str_fold(mem, pairs[i][1]), pairs[i][1]);
    }
}

static const char *encode(uint32_t ch)
{
    return ch < 0x80    ? arena_printf(mem, "%c", (int)ch)
           : ch < 0x800 ? arena_printf(mem, "%c%c", (int)(0xC0 | ch >> 6),
                                       (int)(0x80 | (ch & 0x3F)))
                        : arena_printf(mem, "%c%c%c", (int)(0xE0 | ch >> 12),
                                       (int)(0x80 | (ch >> 6 & 0x3F)),
                                       (int)(0x80 | (ch & 0x3F)));
}

/* A full-width letter sends the whole text through utf8proc. */
static void check_short_way(const char *text)
{
    const char *by_utf8proc =
        str_fold(mem, arena_printf(mem, "%s\xEF\xBC\xA1", text));

    assert_string_equal(arena_printf(mem, "%sa", str_fold(mem, text)),
                        by_utf8proc);
    arena_reset(mem);
}

static void test_folds_plain_text_as_utf8proc_does(void **state)
{
    (void)state;
    for (uint32_t ch = 1; ch < 0x10000; ch++)
        if (ch < 0xD800 || ch > 0xDFFF)
            check_short_way(arena_printf(mem, "K%s\xE6\xA3\x9A", encode(ch)));
    for (uint32_t a = 0x3041; a <= 0x30FE; a++)
        for (uint32_t b = 0x3041; b <= 0x30FE; b++)
            check_short_way(arena_printf(mem, "%s%s", encode(a), encode(b)));
}

static void test_reads_digits_as_people_type_them(void **state)
{
    static const char *const pairs[][2] = {
        {"12345678", "12345678"},
        {"1234 5678", "12345678"},
        {" 1234-5678\t", "12345678"},
        {"１２３４５６７８", "12345678"},
        {"\u30001234\u3000５６７８", "12345678"},
        {"1234－5678", "12345678"},
        {"1234567a", "1234567a"},
        {"１a", "１a"},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++)
        assert_string_equal(str_digits(mem, pairs[i][0]), pairs[i][1]);
}

static void test_normalizes_without_folding(void **state)
{
    (void)state;
    assert_string_equal(str_normalize(mem, "か\u3099ガＡ"), "がガＡ");
    assert_string_equal(str_normalize(mem, "a\xff"), "a\xff");
}

static void test_decodes_strictly(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",
        "\xc0\xaf",
        "\xc1\xbf",
        "\xe0\x80\xaf",
        "\xed\xa0\x80",
        "\xf0\x80\x80\xaf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xe3\x81",
        "\xe3",
        "\xf0\x9f\x98",
    };
    size_t at = 0;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(str_is_utf8(bad[i], strlen(bad[i]), NULL));
    assert_false(str_is_utf8("aあ\xff", 5, &at));
    assert_int_equal(at, 4);
    assert_true(str_is_utf8("aあ😀\xf4\x8f\xbf\xbf", 12, NULL));
    assert_int_equal(str_count_chars("aあ😀"), 3);
}

static void test_sees_controls(void **state)
{
    (void)state;
    assert_false(str_has_control("設計 a", false));
    assert_true(str_has_control("a\nb", false));
    assert_false(str_has_control("a\r\n\tb", true));
    assert_true(str_has_control("a\x1b[0m", true));
    assert_true(str_has_control("a\x7f", true));
    assert_true(str_has_control("a\xc2\x85", true));
    assert_true(str_has_control("a\u202e", true));
    assert_true(str_has_control("a\u2066", true));
    assert_true(str_has_control("a\u2028", true));
}

static void test_knows_addresses(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a@example.jp", "first.last+tag@sub.example.co.jp", "o'x@a-b.jp"};
    static const char *const bad[] = {"",
                                      "@",
                                      "a@",
                                      "@example.jp",
                                      "a@localhost",
                                      "a b@example.jp",
                                      ".a@example.jp",
                                      "a.@example.jp",
                                      "a..b@example.jp",
                                      "a@-x.jp",
                                      "a@x-.jp",
                                      "a@.jp",
                                      "a@x..jp",
                                      "a@x.jp.",
                                      "a@b@x.jp",
                                      "\"a\"@x.jp",
                                      "a@[127.0.0.1]",
                                      "あ@example.jp",
                                      "a@例.jp",
                                      "a@x.jp\r\nBcc:b@x.jp"};
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(str_is_email(good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        if (str_is_email(bad[i]))
            fail_msg("accepted: %s", bad[i]);
}

static void test_parses_whole_numbers(void **state)
{
    (void)state;
    int64_t n = 0;
    assert_true(str_parse_int("-9223372036854775808", INT64_MIN, 0, &n));
    assert_true(n == INT64_MIN);
    assert_true(str_parse_int("9223372036854775807", 0, INT64_MAX, &n));
    assert_true(n == INT64_MAX);
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "１"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(str_parse_int(bad[i], INT64_MIN, INT64_MAX, &n));
    assert_false(str_parse_int("11", 0, 10, &n));
}

static void test_trims_wide_spaces(void **state)
{
    (void)state;
    assert_string_equal(str_trim(mem, "\u3000 a\u3000b \t\u3000"), "a\u3000b");
    assert_string_equal(str_trim(mem, " \u3000"), "");
    /* what no font shows */
    assert_string_equal(str_trim(mem, "\u200B\u2060\u00AD\u3164\u2800"), "");
    assert_string_equal(str_trim(mem, "\u200Ba\u200Bb\u200B"), "a\u200Bb");
    assert_string_equal(str_trim(mem, ""), "");
}

static void test_compares_with_null(void **state)
{
    (void)state;
    assert_true(str_equal(NULL, NULL) && str_equal("a", "a"));
    assert_false(str_equal(NULL, "") || str_equal("a", NULL));
    assert_true(str_starts("abc", "ab") && !str_starts("a", "ab"));
}

static void test_encodes_bytes(void **state)
{
    (void)state;
    static const char *const base64[] = {
        "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    void *back = NULL;
    size_t len = 0;
    for (size_t i = 0; i < COUNT(base64); i++) {
        assert_string_equal(str_to_base64(mem, "foobar", i), base64[i]);
        char *url = str_to_base64url(mem, "foobar", i);
        assert_true(str_from_base64url(mem, url, &back, &len));
        assert_int_equal(len, i);
        assert_memory_equal(back, "foobar", i);
    }
    assert_string_equal(str_to_base64url(mem, "\xfb\xff", 2), "-_8");
    static const char *const bad[] = {"A",  "AA==", "A+AA",
                                      "AB", "A A",  "AAA\n"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(str_from_base64url(mem, bad[i], &back, &len));

    char hex[9];
    unsigned char byte[4];
    str_to_hex("\x00\x7f\xff\x10", 4, hex);
    assert_string_equal(hex, "007fff10");
    assert_true(str_from_hex("007FfF10", byte, 4));
    assert_memory_equal(byte, "\x00\x7f\xff\x10", 4);
    assert_false(str_from_hex("007fff1", byte, 4));
    assert_false(str_from_hex("007fff1g", byte, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folds_to_one_form),
        cmocka_unit_test(test_folds_plain_text_as_utf8proc_does),
        cmocka_unit_test(test_reads_digits_as_people_type_them),
        cmocka_unit_test(test_normalizes_without_folding),
        cmocka_unit_test(test_decodes_strictly),
        cmocka_unit_test(test_sees_controls),
        cmocka_unit_test(test_knows_addresses),
        cmocka_unit_test(test_parses_whole_numbers),
        cmocka_unit_test(test_trims_wide_spaces),
        cmocka_unit_test(test_compares_with_null),
        cmocka_unit_test(test_encodes_bytes),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
