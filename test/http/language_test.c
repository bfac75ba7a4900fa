/* SPDX-License-Identifier: Apache-2.0 */
#include "http/language.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const languages[] = {"ja", "en"};
static const struct {
    const char *header;
    int chosen;
} known[] = {
    {"ja", 0},
    {"en", 1},
    {"en-GB,en;q=0.8", 1},
    {"fr, en;q=0.7, ja;q=0.3", 1},
    {"en;q=0.5, ja", 0},
    {"ja;q=0, en;q=0.1", 1},
    {"EN-us", 1},
    {"ja-JP, en", 0},
    {"de;q=0.9", -1},
    {"jam, eng", -1},
    {"*", -1},
    {"en;q=0", -1},
    {"", -1},
    {NULL, -1},
    {";;;,,,q=,", -1},
};

static void the_best_is_chosen(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (language_choose(known[i].header, languages, 2) != known[i].chosen)
            fail_msg("%s", known[i].header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_best_is_chosen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
