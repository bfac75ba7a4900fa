/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept packed is handed out plain in pieces, from wherever one asks. */
#include "http/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LINES = 9000, PIECE = 1000 };

static struct arena *mem;
static struct buf plain, packed;

static int set_up(void **state)
{
    (void)state;
    mem = arena_open(0);
    plain = packed = buf_in(mem);
    for (int i = 0; i < LINES; i++)
        buf_printf(&plain, "line %d\n", i * 7919 % LINES);
    gzip_pack(&packed, plain.data, plain.len);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_close(mem);
    return 0;
}

static struct gzip_reader *open_it(void)
{
    int64_t bytes = 0;
    struct gzip_reader *g = gzip_open(mem, packed.data, packed.len, &bytes);

    assert_non_null(g);
    assert_int_equal(bytes, plain.len);
    return g;
}

static void piece_is_right(struct gzip_reader *g, size_t at, size_t len)
{
    char piece[PIECE];

    assert_int_equal(gzip_read(g, (int64_t)at, piece, len), OK);
    assert_memory_equal(piece, plain.data + at, len);
}

static void all_of_it_in_order(void **state)
{
    struct gzip_reader *g = open_it();

    (void)state;
    for (size_t at = 0; at < plain.len; at += PIECE)
        piece_is_right(g, at, plain.len - at < PIECE ? plain.len - at : PIECE);
}

static void from_anywhere(void **state)
{
    struct gzip_reader *g = open_it();

    (void)state;
    piece_is_right(g, 50000, PIECE);
    piece_is_right(g, 10, 1);
    piece_is_right(g, plain.len - PIECE, PIECE);
    piece_is_right(g, 0, PIECE);
}

static void nothing_beyond_its_end(void **state)
{
    struct gzip_reader *g = open_it();
    char piece[PIECE];

    (void)state;
    assert_int_equal(gzip_read(g, (int64_t)plain.len - 1, piece, 2),
                     ERR_INVALID);
}

static void not_what_is_no_gzip(void **state)
{
    char piece[PIECE];
    int64_t bytes = 0;

    (void)state;
    assert_null(gzip_open(mem, "abc", 3, &bytes));
    struct gzip_reader *g = gzip_open(mem, plain.data, plain.len, &bytes);
    assert_int_equal(gzip_read(g, 0, piece, 1), ERR_INVALID);
}

int main(void)
{
#define RULE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        RULE(all_of_it_in_order),
        RULE(from_anywhere),
        RULE(nothing_beyond_its_end),
        RULE(not_what_is_no_gzip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
