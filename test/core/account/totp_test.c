/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors of RFC 6238, appendix B, and what the window lets in. */
#include "core/account/totp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t secret[TOTP_SECRET_BYTES + 1] = "12345678901234567890";

static void the_vectors_of_the_rfc(void **state)
{
    static const struct {
        int64_t seconds;
        uint32_t code;
    } vectors[] = {
        {59, 94287082},         {1111111109, 7081804},  {1111111111, 14050471},
        {1234567890, 89005924}, {2000000000, 69279037}, {20000000000, 65353130},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++)
        assert_int_equal(totp_number(secret, vectors[i].seconds / 30) %
                             100000000,
                         vectors[i].code);
}

static int64_t match(int64_t seconds, int64_t last, const char *text)
{
    return totp_match(secret, seconds * 1000000, last, text);
}

static void one_step_either_way_and_never_twice(void **state)
{
    (void)state;
    assert_int_equal(match(59, 0, "287082"), 1);
    assert_int_equal(match(59, 0, " 287 082 "), 1);
    assert_int_equal(match(89, 0, "287082"), 1);
    assert_int_equal(match(20, 0, "287082"), 1);
    assert_int_equal(match(90, 0, "287082"), 0);
    assert_int_equal(match(59, 1, "287082"), 0);
    assert_int_equal(match(59, 5, "287082"), 0);
}

static void what_is_not_six_digits_is_none(void **state)
{
    static const char *const bad[] = {
        "",        "28708",    "2870820",     "28708a",
        "-287082", "287\n082", "２８７０８２"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(match(59, 0, bad[i]), 0);
}

static void the_address_is_what_apps_read(void **state)
{
    struct arena *mem = arena_open(0);
    const char *text = totp_text(mem, secret);

    (void)state;
    assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_string_equal(totp_uri(mem, text, "a+b@example.jp", "acme"),
                        "otpauth://totp/Yagura%20acme:a%2Bb@example.jp?secret="
                        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                        "&issuer=Yagura%20acme");
    arena_close(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_rfc),
        cmocka_unit_test(one_step_either_way_and_never_twice),
        cmocka_unit_test(what_is_not_six_digits_is_none),
        cmocka_unit_test(the_address_is_what_apps_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
