/* SPDX-License-Identifier: Apache-2.0 */
/* CSV as people's spreadsheets write it, and every error at its place. */
#include "base/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"

static struct arena *mem;
static const struct csv_limits limits = {4, 3, 20};

static bool read_csv(const char *text, struct csv *out, struct csv_error *bad)
{
    return csv_parse(mem, text, strlen(text), &limits, out, bad);
}

static void rows_know_the_line_they_begin_in(void **state)
{
    struct csv csv;
    struct csv_error bad;

    (void)state;
    assert_true(read_csv("a,b\r\n\n\"x\ny\",\"q\"\"q\"\nlast,", &csv, &bad));
    assert_int_equal(csv.count, 3);
    assert_int_equal(csv.rows[1].line, 3);
    assert_string_equal(csv.rows[1].text[0], "x\ny");
    assert_string_equal(csv.rows[1].text[1], "q\"q");
    assert_int_equal(csv.rows[2].line, 5);
    assert_int_equal(csv.rows[2].count, 2);
    assert_string_equal(csv.rows[2].text[1], "");
}

static void tabs_part_cells_when_the_head_has_no_comma(void **state)
{
    struct csv csv;
    struct csv_error bad;

    (void)state;
    assert_true(read_csv("a\tb\n1,2\t3\n", &csv, &bad));
    assert_string_equal(csv.rows[1].text[0], "1,2");
}

static void an_error_is_where_it_began(void **state)
{
    static const struct {
        const char *text, *rule;
        int line, column;
    } cases[] = {
        {"a,b\n1,\"never\nclosed\n\n,", "quote", 2, 2},
        {"a,b\n\"x\ny\",\"open\n\n", "quote", 3, 2},
        {"a\n\"x\"y\n", "text_after_quote", 2, 1},
        {"a,b,c,d\n", "cells", 1, 4},
        {"1\n2\n3\n4\n5\n", "rows", 6, 1},
        {"a,123456789012345678901\n", "cell_size", 1, 2},
    };
    struct csv csv;
    struct csv_error bad;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_false(read_csv(cases[i].text, &csv, &bad));
        assert_string_equal(bad.rule, cases[i].rule);
        assert_int_equal(bad.line, cases[i].line);
        assert_int_equal(bad.column, cases[i].column);
    }
}

/* No cell that is written begins as a formula does, and all of them are read
 * as they were. */
static void what_is_written_is_no_formula_and_reads_back(void **state)
{
    static const char *const cells[] = {"=1+1", "+81-3", "-",   "@SUM(A1)",
                                        "'=1",  "''-x",  "'",   "it's",
                                        "a\"b", "",      "x\ny"};

    (void)state;
    for (size_t i = 0; i < COUNT(cells); i++) {
        struct buf b = buf_in(mem);
        struct csv csv;
        struct csv_error bad;
        csv_put(&b, "head", true);
        csv_put(&b, cells[i], false);
        csv_put(&b, ".", true);
        assert_true(csv_parse(mem, b.data, b.len, &limits, &csv, &bad));
        const char *text = csv.rows[1].text[0];
        assert_false(*text && strchr("=+-@\t\r\n", *text));
        assert_string_equal(csv_plain(text), cells[i]);
    }
}

static int set_up(void **state)
{
    (void)state;
    mem = arena_open(0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_close(mem);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_know_the_line_they_begin_in),
        cmocka_unit_test(tabs_part_cells_when_the_head_has_no_comma),
        cmocka_unit_test(an_error_is_where_it_began),
        cmocka_unit_test(what_is_written_is_no_formula_and_reads_back),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
