/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ctx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena *mem;
static struct actor actor;
static struct ctx c;

static int set_up(void **state)
{
    (void)state;
    mem = arena_open(0);
    actor = (struct actor){.lang = LANG_JA};
    c = (struct ctx){.mem = mem, .actor = &actor};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_close(mem);
    return 0;
}

static void test_first_failure_decides(void **state)
{
    (void)state;
    assert_int_equal(ctx_fail(&c, ERR_CONFLICT, "a", "x", "一", "one"),
                     ERR_CONFLICT);
    assert_int_equal(ctx_fail(&c, ERR_INVALID, "b", "y", "二", "two"),
                     ERR_INVALID);
    assert_int_equal(c.fail->err, ERR_CONFLICT);
    assert_string_equal(c.fail->field, "a");
    assert_null(c.fail->next);
}

static void test_refused_values_are_gathered(void **state)
{
    (void)state;
    (void)ctx_fail(&c, ERR_INVALID, "a", "x", "一", "one");
    (void)ctx_fail(&c, ERR_INVALID, "b", "y", "二", "two");
    (void)ctx_fail(&c, ERR_STALE, "c", "z", "三", "three");
    assert_string_equal(c.fail->next->field, "b");
    assert_null(c.fail->next->next);
}

static void test_speaks_the_actors_language(void **state)
{
    (void)state;
    actor.lang = LANG_EN;
    (void)ctx_fail(&c, ERR_INVALID, "a", "x", "「%s」は%d", "%s is %d", "n", 3);
    assert_string_equal(c.fail->message, "n is 3");
    assert_string_equal(ctx_text(&c, "甲", "A"), "A");
    actor.lang = LANG_JA;
    c.fail = NULL;
    (void)ctx_fail(&c, ERR_INVALID, NULL, "x", "「%s」は%d", "%s is %d", "n",
                   3);
    assert_string_equal(c.fail->message, "「n」は3");
    assert_string_equal(ctx_text(&c, "甲", "A"), "甲");
}

static void test_takes_detail(void **state)
{
    (void)state;
    ctx_fail_detail(&c, "\"x\":1");
    assert_null(c.fail);
    (void)ctx_fail(&c, ERR_STALE, "a", "x", "一", "one");
    ctx_fail_detail(&c, "\"x\":1");
    assert_string_equal(c.fail->detail_json, "\"x\":1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_failure_decides, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_refused_values_are_gathered,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_speaks_the_actors_language, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_takes_detail, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
