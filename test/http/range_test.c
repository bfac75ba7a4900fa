/* SPDX-License-Identifier: Apache-2.0 */
/* What a client asks of a body of 1,000 bytes, and what it gets. */
#include "http/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/err.h"

static void ranges_are_read_as_rfc_9110_says(void **state)
{
    static const struct {
        const char *header;
        enum range_kind kind;
        int64_t from, bytes;
    } cases[] = {
        {NULL, RANGE_WHOLE, 0, 1000},
        {"", RANGE_WHOLE, 0, 1000},
        {"bytes=0-0", RANGE_PART, 0, 1},
        {"bytes=0-999", RANGE_PART, 0, 1000},
        {"bytes=10-", RANGE_PART, 10, 990},
        {"bytes=999-5000", RANGE_PART, 999, 1},
        {"bytes=-1", RANGE_PART, 999, 1},
        {"bytes=-5000", RANGE_PART, 0, 1000},
        {"bytes=-0", RANGE_OUTSIDE, 0, 1000},
        {"bytes=1000-", RANGE_OUTSIDE, 0, 1000},
        {"bytes=5-4", RANGE_WHOLE, 0, 1000},
        {"bytes=-", RANGE_WHOLE, 0, 1000},
        {"bytes=1-2,4-5", RANGE_WHOLE, 0, 1000},
        {"bytes=+1-2", RANGE_WHOLE, 0, 1000},
        {"bytes=1-9999999999999999999", RANGE_WHOLE, 0, 1000},
        {"lines=1-2", RANGE_WHOLE, 0, 1000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t from, bytes;
        enum range_kind kind = range_read(cases[i].header, 1000, &from, &bytes);
        assert_int_equal(kind, cases[i].kind);
        if (kind == RANGE_OUTSIDE)
            continue;
        assert_int_equal(from, cases[i].from);
        assert_int_equal(bytes, cases[i].bytes);
    }
}

static void nothing_has_no_part(void **state)
{
    int64_t from, bytes;

    (void)state;
    assert_int_equal(range_read("bytes=0-", 0, &from, &bytes), RANGE_OUTSIDE);
    assert_int_equal(range_read("bytes=-5", 0, &from, &bytes), RANGE_OUTSIDE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_read_as_rfc_9110_says),
        cmocka_unit_test(nothing_has_no_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
