/* SPDX-License-Identifier: Apache-2.0 */
/* Of each table of control.db it is decided what a restore of the whole does
 * with it. */
#include "db_fixture.h"

#include "db/generation_merge.h"

static int count_in(const char *const *list, const char *name)
{
    int n = 0;

    for (size_t i = 0; list[i]; i++)
        n += strcmp(list[i], name) == 0;
    return n;
}

static size_t length(const char *const *list)
{
    size_t n = 0;

    while (list[n])
        n++;
    return n;
}

static void each_table_is_decided(void **state)
{
    struct fixture *f = *state;
    size_t tables = 0, bad = 0;
    enum err e;

    assert_int_equal(tx_begin_control(&f->c, f->store, TX_READ), OK);
    struct query *q =
        query(&f->c, "SELECT name FROM sqlite_schema WHERE type = 'table'"
                     " AND name NOT LIKE 'sqlite_%'");
    while (query_next(&f->c, q, &e)) {
        const char *name = col_text(&f->c, q, 0);
        int lists = count_in(generation_kept_tables, name) +
                    count_in(generation_emptied_tables, name) +
                    count_in(generation_restored_tables, name);
        tables++;
        bad += lists != 1;
        if (lists != 1)
            print_message("%s is in %d lists of generation_merge.c\n", name,
                          lists);
    }
    assert_int_equal(tx_end_control(&f->c, f->store, e), OK);
    assert_int_equal(bad, 0);
    assert_int_equal(tables, length(generation_kept_tables) +
                                 length(generation_emptied_tables) +
                                 length(generation_restored_tables));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_table_is_decided, fixture_set_up,
                                        fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
