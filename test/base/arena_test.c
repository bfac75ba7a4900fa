/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static char order[8];
static size_t order_len;

static void note(void *arg)
{
    order[order_len++] = *(const char *)arg;
}

static void test_defers_last_first(void **state)
{
    (void)state;
    struct arena *a = arena_open(0);
    memset(order, 0, sizeof order);
    order_len = 0;
    arena_defer(a, note, arena_strdup(a, "1"));
    arena_defer(a, note, arena_strdup(a, "2"));
    arena_reset(a);
    assert_string_equal(order, "21");
    arena_reset(a);
    assert_string_equal(order, "21");
    arena_defer(a, note, arena_strdup(a, "3"));
    arena_close(a);
    assert_string_equal(order, "213");
}

static void test_gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    struct arena *a = arena_open(0);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 70000; size = size * 2 + 1) {
            unsigned char *at = arena_alloc(a, size);
            assert_int_equal((uintptr_t)at % 16, 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(at[i], 0);
            memset(at, 0xA5, size);
        }
        arena_reset(a);
    }
    arena_close(a);
    arena_close(NULL);
}

static void test_copies_text(void **state)
{
    (void)state;
    struct arena *a = arena_open(0);
    assert_null(arena_strdup(a, NULL));
    assert_string_equal(arena_strndup(a, "abcdef", 3), "abc");
    assert_string_equal(arena_printf(a, "%d-%s", 7, "x"), "7-x");
    assert_memory_equal(arena_copy(a, "a\0b", 3), "a\0b", 3);
    arena_close(a);
}

static void test_reuses_up_to_the_ceiling(void **state)
{
    (void)state;
    struct arena *a = arena_open((size_t)256 * 1024);
    for (int round = 0; round < 100; round++) {
        (void)arena_alloc(a, (size_t)150 * 1024);
        arena_reset(a);
    }
    arena_close(a);
}

static void test_grows_buffers(void **state)
{
    (void)state;
    struct arena *a = arena_open(0);
    struct buf b = buf_in(a);
    assert_null(b.data);
    for (int i = 0; i < 10000; i++)
        buf_printf(&b, "%d,", i % 10);
    buf_putc(&b, 'x');
    buf_put(&b, "\0y", 2);
    assert_int_equal(b.len, 20003);
    assert_string_equal(b.data + 19998, "9,x");
    assert_int_equal(b.data[b.len], 0);
    arena_close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defers_last_first),
        cmocka_unit_test(test_gives_zeroed_aligned_memory),
        cmocka_unit_test(test_copies_text),
        cmocka_unit_test(test_reuses_up_to_the_ceiling),
        cmocka_unit_test(test_grows_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
