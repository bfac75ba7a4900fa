/* SPDX-License-Identifier: Apache-2.0 */
/* One form for each value; everything else is refused. */
#include "base/cbor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

#define READ(text) cbor_open((text), sizeof(text) - 1)

static void numbers_and_strings(void **state)
{
    struct cbor c = READ("\x00\x17\x18\x18\x19\x01\x00\x26\x39\x01\x00"
                         "\x1b\x00\x00\x00\x01\x00\x00\x00\x00\x43"
                         "abc\x62hi");
    size_t len;

    (void)state;
    assert_int_equal(cbor_int(&c), 0);
    assert_int_equal(cbor_int(&c), 23);
    assert_int_equal(cbor_int(&c), 24);
    assert_int_equal(cbor_int(&c), 256);
    assert_int_equal(cbor_int(&c), -7);
    assert_int_equal(cbor_int(&c), -257);
    assert_int_equal(cbor_int(&c), 4294967296);
    assert_memory_equal(cbor_bytes(&c, &len), "abc", 3);
    assert_int_equal(len, 3);
    assert_memory_equal(cbor_text(&c, &len), "hi", 2);
    assert_true(cbor_at_end(&c));
}

static void assert_refused(const char *data, size_t len)
{
    struct cbor c = cbor_open(data, len);

    cbor_skip(&c);
    assert_false(cbor_at_end(&c));
}
#define REFUSED(text) assert_refused((text), sizeof(text) - 1)

static void what_is_not_the_shortest_form(void **state)
{
    (void)state;
    REFUSED("\x18\x17");
    REFUSED("\x19\x00\xff");
    REFUSED("\x1a\x00\x00\xff\xff");
    REFUSED("\x1b\x00\x00\x00\x00\xff\xff\xff\xff");
    REFUSED("\x1c");
    REFUSED("\x5f\x41x\xff"); /* endless bytes */
    REFUSED("\xbf\xff");      /* endless map */
    REFUSED("\xc0\x00");      /* tag */
    REFUSED("\xf9\x3c\x00");  /* float */
    REFUSED("\xf7");          /* undefined */
    REFUSED("\xf8\x14");
}

static void what_is_cut_short_or_lies_about_its_length(void **state)
{
    char long_lie[200] = "\x5c";

    (void)state;
    REFUSED("");
    REFUSED("\x18");
    REFUSED("\x43"
            "ab");
    REFUSED("\xa1\x01");
    REFUSED("\x9b\x00\xff\xff\xff\xff\xff\xff\xff");
    REFUSED("\xbb\x80\x00\x00\x00\x00\x00\x00\x00\x01\x01");
    assert_refused(long_lie, sizeof long_lie);
    REFUSED("\x00\x00"); /* one item more than asked */
}

static void nesting_ends_at_four(void **state)
{
    struct cbor c = READ("\x81\x81\x81\x81\x01");

    (void)state;
    cbor_skip(&c);
    assert_true(cbor_at_end(&c));
    REFUSED("\x81\x81\x81\x81\x81\x01");
    c = READ("\xa2\x01\xa1\x61k\x82\x01\x02\x20\xf5");
    cbor_skip(&c);
    assert_true(cbor_at_end(&c));
}

static void once_bad_is_bad_for_good(void **state)
{
    struct cbor c = READ("\x61x\x01");
    size_t len;

    (void)state;
    assert_int_equal(cbor_int(&c), 0);
    (void)cbor_text(&c, &len);
    assert_int_equal(len, 0);
    assert_int_equal(cbor_map(&c), 0);
    assert_false(cbor_at_end(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_strings),
        cmocka_unit_test(what_is_not_the_shortest_form),
        cmocka_unit_test(what_is_cut_short_or_lies_about_its_length),
        cmocka_unit_test(nesting_ends_at_four),
        cmocka_unit_test(once_bad_is_bad_for_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
