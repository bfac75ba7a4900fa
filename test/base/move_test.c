/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

#define memcpy  glue_memcpy
#define memmove glue_memmove
#define memcmp  glue_memcmp
#include "../../third_party/glue/move.c"

enum { SIZE = 900, LONGEST = 280, MIDDLE = 300 };

static void fill(unsigned char *bytes)
{
    for (int i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)(i * 7 + i / 251);
}

static void check(void *(*copy)(void *, const void *, size_t), int to, int n)
{
    unsigned char got[SIZE], wanted[SIZE], old[SIZE];

    fill(got);
    fill(wanted);
    fill(old);
    for (int i = 0; i < n; i++)
        wanted[to + i] = old[MIDDLE + i];
    assert_ptr_equal(copy(got + to, got + MIDDLE, (size_t)n), got + to);
    for (int i = 0; i < SIZE; i++)
        if (got[i] != wanted[i])
            fail_msg("byte %d of %d bytes moved by %d", i, n, to - MIDDLE);
}

static void test_copies_as_a_plain_loop_would(void **state)
{
    (void)state;
    for (int n = 0; n <= LONGEST; n++)
        for (int to = MIDDLE - 290; to <= MIDDLE + 290; to += 1 + n / 40)
            check(glue_memmove, to, n);
    for (int n = 0; n <= LONGEST; n++)
        check(glue_memcpy, MIDDLE + 281 + n % 16, n);
}

static void test_compares_bytes_as_unsigned(void **state)
{
    unsigned char a[64], b[64];

    (void)state;
    for (size_t n = 0; n <= 40; n++)
        for (size_t at = 0; at <= n; at++) {
            for (size_t i = 0; i < sizeof a; i++)
                a[i] = b[i] = (unsigned char)(i * 37);
            assert_int_equal(glue_memcmp(a, b, n), 0);
            a[at] = 0x7f;
            b[at] = 0x80;
            int sign = glue_memcmp(a, b, n);
            assert_true(at == n ? sign == 0 : sign < 0);
            sign = glue_memcmp(b, a, n);
            assert_true(at == n ? sign == 0 : sign > 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies_as_a_plain_loop_would),
        cmocka_unit_test(test_compares_bytes_as_unsigned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
