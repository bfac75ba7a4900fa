/* SPDX-License-Identifier: Apache-2.0 */
#include "http/if_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *header;
    enum if_match_kind kind;
    int64_t version;
} known[] = {
    {"\"3\"", IF_MATCH_VERSION, 3},
    {"\"3\", \"12\",\"7\"", IF_MATCH_VERSION, 12},
    {"W/\"9\", \"3\"", IF_MATCH_VERSION, 3},
    {" \"0\" ", IF_MATCH_VERSION, 0},
    {"W/\"3\"", IF_MATCH_NEVER, 0},
    {"\"abc\"", IF_MATCH_NEVER, 0},
    {"\"\"", IF_MATCH_NEVER, 0},
    {"\"-3\"", IF_MATCH_NEVER, 0},
    {"\"99999999999999999999\"", IF_MATCH_NEVER, 0},
    {NULL, IF_MATCH_MISSING, 0},
    {"", IF_MATCH_MISSING, 0},
    {"*", IF_MATCH_MISSING, 0},
    {"3", IF_MATCH_MISSING, 0},
    {"\"3", IF_MATCH_MISSING, 0},
    {"\"3\" \"4\"", IF_MATCH_MISSING, 0},
    {"w/\"3\"", IF_MATCH_MISSING, 0},
};

static void each_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        int64_t version = 0;
        enum if_match_kind kind = if_match_read(known[i].header, &version);
        if (kind != known[i].kind)
            fail_msg("%s: %d", known[i].header, (int)kind);
        if (kind == IF_MATCH_VERSION)
            assert_int_equal(version, known[i].version);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_is_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
