/* SPDX-License-Identifier: Apache-2.0 */
/* Searching as people type: the words of a document must be found from any
 * part of a Japanese run and from the beginning of any other word. */
#include "db_fixture.h"

#include "base/crypto.h"
#include "base/str.h"
#include "db/tokenizer.h"

static const char *const documents[] = {
    "要件定義書の作成",
    "第1回ステアリング会議",
    "ERP-12 Migration of data",
    "ﾃｽﾄ計画レビュー",
    "工",
    "𠮷野家の対応",
    "Prüfung der Verträge",
    "要員計画ver2案",
};

struct expectation {
    const char *typed;
    int document; /* -1: none */
};

static const struct expectation expectations[] = {
    {"要件", 0},
    {"定義", 0},
    {"件定", 0},
    {"件定義書", 0},
    {"作", 0},
    {"成", 0},
    {"要件 作成", 0},
    {"作成　要件", 0},
    {"要定", -1},
    {"要件 会議", -1},
    {"第1回", 1},
    {"第１回", 1},
    {"すてありんぐ", 1},
    {"ステアリング", 1},
    {"会議", 1},
    {"ERP-12", 2},
    {"erp", 2},
    {"migr", 2},
    {"grat", -1},
    {"MIGRATION data", 2},
    {"テスト", 3},
    {"ﾃｽﾄ計画", 3},
    {"レビュー", 3},
    {"工", 4},
    {"𠮷野", 5},
    {"野家", 5},
    {"prüf", 6},
    {"計画ver", 7},
    {"画VER2案", 7},
    {"員計画ver2案", 7},
    {"\"OR\" NOT (data*", -1},
    {"erp\" OR \"x", -1},
    {"text:erp", -1},
};

static enum err fill(struct ctx *c)
{
    static const char add[] =
        "INSERT INTO ticket_search (rowid, text) VALUES (?1, ?2)";
    enum err e = OK;

    for (size_t i = 0; !e && i < COUNT(documents); i++) {
        struct query *q = query(c, add);
        bind_int(q, 1, (int64_t)i);
        bind_text(q, 2, str_fold(c->mem, documents[i]));
        e = query_run(c, q);
    }
    return e;
}

static int set_up(void **state)
{
    (void)fixture_set_up(state);
    struct fixture *f = *state;
    must(tenant_create(f->store, "acme") == OK);
    must(tenant_open(f->store, "acme", &f->t) == OK);
    must(tx_begin(&f->c, f->t, TX_WRITE) == OK);
    must(tx_end(&f->c, f->t, fill(&f->c)) == OK);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    tenant_close(f->t);
    return fixture_tear_down(state);
}

/* The one document found, -1 for none, -2 for several. */
static int look_for(struct fixture *f, const char *typed)
{
    static const char find[] =
        "SELECT rowid FROM ticket_search WHERE ticket_search MATCH ?1";
    const char *match = search_match(f->c.mem, str_fold(f->c.mem, typed));
    enum err e;
    int found = -1;

    assert_non_null(match);
    assert_int_equal(tx_begin(&f->c, f->t, TX_READ), OK);
    struct query *q = query(&f->c, find);
    bind_text(q, 1, match);
    while (query_next(&f->c, q, &e))
        found = found == -1 ? (int)col_int(q, 0) : -2;
    assert_int_equal(e, OK);
    assert_int_equal(tx_end(&f->c, f->t, OK), OK);
    return found;
}

static void finds_what_people_type(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(expectations); i++) {
        const struct expectation *x = &expectations[i];
        int found = look_for(f, x->typed);
        if (found != x->document)
            fail_msg("%s: found %d, not %d", x->typed, found, x->document);
    }
}

static void has_nothing_to_look_for(void **state)
{
    struct fixture *f = *state;

    assert_null(search_match(f->c.mem, ""));
    assert_null(search_match(f->c.mem, " \t\n"));
    assert_null(search_match(f->c.mem, "\" - * ( ) \xff \xe3\x81"));
}

static void forgets_and_replaces(void **state)
{
    struct fixture *f = *state;
    static const char forget[] = "DELETE FROM ticket_search WHERE rowid = ?1";
    static const char replace[] = "INSERT OR REPLACE INTO ticket_search"
                                  " (rowid, text) VALUES (?1, ?2)";

    assert_int_equal(tx_begin(&f->c, f->t, TX_WRITE), OK);
    struct query *q = query(&f->c, forget);
    bind_int(q, 1, 0);
    assert_int_equal(query_run(&f->c, q), OK);
    q = query(&f->c, replace);
    bind_int(q, 1, 1);
    bind_text(q, 2, "棚卸");
    assert_int_equal(query_run(&f->c, q), OK);
    assert_int_equal(tx_end(&f->c, f->t, OK), OK);
    assert_int_equal(look_for(f, "要件"), -1);
    assert_int_equal(look_for(f, "会議"), -1);
    assert_int_equal(look_for(f, "棚卸"), 1);
}

/* A neighbour's words must not go with the words of one that is undone. */
static void undoes_words_too(void **state)
{
    struct fixture *f = *state;
    static const char add[] =
        "INSERT INTO ticket_search (rowid, text) VALUES (?1, ?2)";

    assert_int_equal(tx_begin(&f->c, f->t, TX_WRITE), OK);
    for (int i = 0; i < 2; i++) {
        enum err outcome = i ? ERR_INVALID : OK;
        assert_int_equal(savepoint_begin(&f->c), OK);
        struct query *q = query(&f->c, add);
        bind_int(q, 1, 50 + i);
        bind_text(q, 2, i ? "没案" : "採用");
        assert_int_equal(query_run(&f->c, q), OK);
        assert_int_equal(savepoint_end(&f->c, outcome), outcome);
    }
    assert_int_equal(tx_end(&f->c, f->t, OK), OK);
    assert_int_equal(look_for(f, "没案"), -1);
    assert_int_equal(look_for(f, "採用"), 50);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(finds_what_people_type),
        CASE(has_nothing_to_look_for),
        CASE(forgets_and_replaces),
        CASE(undoes_words_too),
    };

    must(crypto_init() == OK);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
