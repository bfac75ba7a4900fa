/* SPDX-License-Identifier: Apache-2.0 */
/* Which words are regions, and which of them a statement covers. */
#include "core/core_fixture.h"

#include "core/document/region.h"

static void tags_are_told_from_other_words(void **state)
{
    (void)state;
    assert_true(region_is_tag("jp"));
    assert_true(region_is_tag("jp-tokyo"));
    assert_true(region_is_tag("us-east-1"));
    static const char *const bad[] = {
        "",         "j",
        "JP",       "jpn",
        "jp-",      "jp_tokyo",
        "jp tokyo", "1p",
        "日本",     "jp-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(region_is_tag(bad[i]));
    assert_false(region_is_tag(NULL));
    assert_true(region_is_list("jp us-east"));
    assert_true(region_is_list(" jp "));
    assert_false(region_is_list(" "));
    assert_false(region_is_list("jp,us"));
}

static void a_country_covers_what_lies_in_it(void **state)
{
    (void)state;
    assert_true(region_list_covers("jp", "jp"));
    assert_true(region_list_covers("jp", "jp-tokyo"));
    assert_true(region_list_covers("de jp-osaka", "jp-osaka"));
    assert_false(region_list_covers("jp-osaka", "jp"));
    assert_false(region_list_covers("jp-osaka", "jp-osaka-2"));
    assert_false(region_list_covers("jp", "us"));
    assert_false(region_list_covers("", "jp"));
}

static enum err check(struct world *w, const char *tag)
{
    w->actor = (struct actor){.name = "", .tenant = STORE_OPERATOR};
    w->c =
        (struct ctx){.mem = w->f->c.mem, .actor = &w->actor, .now_us = NOW_US};
    assert_int_equal(tx_begin_control(&w->c, w->f->store, TX_READ), OK);
    return tx_end_control(&w->c, w->f->store, region_check(&w->c, "r", tag));
}

static void a_place_the_statement_does_not_name_is_refused(void **state)
{
    struct world *w = *state;

    assert_int_equal(check(w, "jp-tokyo"), OK); /* as it comes: Japan only */
    assert_int_equal(check(w, "Tokyo"), ERR_INVALID);
    assert_string_equal(w->c.fail->rule, "region");
    assert_int_equal(check(w, "sg"), ERR_INVALID);
    assert_string_equal(w->c.fail->rule, "outside");
    assert_int_equal(tx_begin_control(&w->c, w->f->store, TX_WRITE), OK);
    enum err e = query_run(
        &w->c, query(&w->c, "INSERT INTO document (kind, no, ja, en, regions,"
                            " is_public, review_on) VALUES (5, 1, 'x', 'x',"
                            " 'jp sg', 1, 1)"));
    assert_int_equal(tx_end_control(&w->c, w->f->store, e), OK);
    assert_int_equal(check(w, "sg"), OK);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_told_from_other_words),
        cmocka_unit_test(a_country_covers_what_lies_in_it),
        TEST(a_place_the_statement_does_not_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
