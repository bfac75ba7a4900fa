/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's registers: what is refused, what stays for ever, whom a due
 * day is told, and how the trust page turns by them. */
#include "core/core_fixture.h"

#include "base/civil.h"
#include "core/core.h"
#include "core/register/component.h"
#include "core/register/register.h"
#include "core/register/review_due.h"
#include "core/trust/trust.h"

#include <string.h>

struct desk {
    struct world *w;
    struct app app;
};

static struct desk desk(void **state)
{
    struct desk d = {.w = *state};

    d.app.store = d.w->f->store;
    d.w->actor = (struct actor){.name = "運用 一郎", .tenant = STORE_OPERATOR};
    return d;
}

static void begin(struct desk *d, enum tx_mode mode)
{
    d->w->c = (struct ctx){
        .mem = d->w->f->c.mem, .actor = &d->w->actor, .now_us = NOW_US};
    assert_int_equal(tx_begin_control(&d->w->c, d->app.store, mode), OK);
}

static enum err enter(struct desk *d, const struct register_kind *l, int64_t id,
                      int64_t version, const char *json,
                      struct register_row *out)
{
    const struct values *v;

    begin(d, TX_WRITE);
    struct ctx *c = &d->w->c;
    enum err e = values_parse_json(c, l->form, json, strlen(json), &v);
    if (!e)
        e = id ? register_update(c, l, id, version, v, out)
               : register_create(c, l, v, out);
    return tx_end_control(c, d->app.store, e);
}

static const char *rule(struct desk *d)
{
    return d->w->c.fail->rule;
}

static void sql(struct desk *d, const char *text)
{
    begin(d, TX_WRITE);
    enum err e = query_run(&d->w->c, query(&d->w->c, text));
    assert_int_equal(tx_end_control(&d->w->c, d->app.store, e), OK);
}

static int64_t number(struct desk *d, const char *text)
{
    begin(d, TX_READ);
    struct query *q = query(&d->w->c, text);
    assert_int_equal(query_one(&d->w->c, q), OK);
    int64_t n = col_int(q, 0);
    query_done(q);
    assert_int_equal(tx_end_control(&d->w->c, d->app.store, OK), OK);
    return n;
}

static enum trust_state state_of(struct desk *d, int no)
{
    struct trust_row rows[TRUST_COUNT];

    d->w->c = (struct ctx){
        .mem = d->w->f->c.mem, .actor = &d->w->actor, .now_us = NOW_US};
    assert_int_equal(trust_read(&d->w->c, &d->app, TRUST_OPERATOR, NULL, rows),
                     OK);
    return rows[no - 1].state;
}

/* Whether every line of evidence that holds this text holds. */
static bool says(struct desk *d, int no, const char *text, bool *holds)
{
    struct trust_row rows[TRUST_COUNT];
    bool found = false;

    (void)state_of(d, no);
    d->w->c.fail = NULL;
    assert_int_equal(trust_read(&d->w->c, &d->app, TRUST_OPERATOR, NULL, rows),
                     OK);
    for (size_t i = 0; i < rows[no - 1].evidence_count; i++)
        if (strstr(rows[no - 1].evidence[i].text, text)) {
            *holds = rows[no - 1].evidence[i].holds;
            found = true;
        }
    return found;
}

#define SUPPLIER(last, next)                                                      \
    "{\"name\":\"国内クラウド\",\"purpose\":\"hosting\",\"region\":\"jp\"," \
    "\"risk\":\"low\",\"reviewed_on\":\"" last "\",\"review_on\":\"" next         \
    "\"}"

static void a_supplier_is_reviewed_in_order(void **state)
{
    struct desk d = desk(state);
    struct register_row row;

    assert_int_equal(enter(&d, &supplier_register, 0, 0,
                           SUPPLIER("2020-01-01", "2019-01-01"), &row),
                     ERR_INVALID);
    assert_string_equal(rule(&d), "order");
    assert_int_equal(enter(&d, &supplier_register, 0, 0,
                           SUPPLIER("2099-01-01", "2100-01-01"), &row),
                     ERR_INVALID);
    assert_string_equal(rule(&d), "future");
    assert_int_equal(state_of(&d, 30), TRUST_ATTENTION);
    assert_int_equal(enter(&d, &supplier_register, 0, 0,
                           SUPPLIER("2020-01-01", "2100-01-01"), &row),
                     OK);
    assert_int_equal(state_of(&d, 30), TRUST_HOLDS);
    assert_string_equal(register_cell(&supplier_register, &row, "name")->text,
                        "国内クラウド");
    assert_string_equal(
        register_cell(&supplier_register, &row, "changed_by")->text,
        "運用 一郎");
    assert_int_equal(enter(&d, &supplier_register, row.id, 9,
                           SUPPLIER("2020-01-01", "2021-01-01"), &row),
                     ERR_STALE);
    assert_int_equal(enter(&d, &supplier_register, row.id, row.version,
                           SUPPLIER("2020-01-01", "2021-01-01"), &row),
                     OK);
    assert_int_equal(state_of(&d, 30), TRUST_ATTENTION); /* overdue */
    assert_int_equal(
        number(&d, "SELECT count(*) FROM operation WHERE kind = 'supplier'"),
        2);
}

static void row_26_refers_to_the_supplier_of_hosting(void **state)
{
    struct desk d = desk(state);
    struct register_row row;

    sql(&d, "INSERT INTO document (kind, no, ja, en, is_public, review_on,"
            " published_at) VALUES (7, 1, 'x', 'x', 0, 99999, 1)");
    assert_int_equal(state_of(&d, 26), TRUST_ATTENTION);
    assert_int_equal(enter(&d, &supplier_register, 0, 0,
                           SUPPLIER("2020-01-01", "2100-01-01"), &row),
                     OK);
    assert_int_equal(state_of(&d, 26), TRUST_HOLDS);
    sql(&d, "UPDATE document SET review_on = 1 WHERE kind = 7");
    assert_int_equal(state_of(&d, 26), TRUST_ATTENTION);
}

#define REVIEW(more)                                                           \
    "{\"kind\":\"hardening\",\"subject\":\"サーバーの点検\","           \
    "\"every_months\":3,\"due_on\":\"2020-01-31\"" more "}"

static void a_signed_review_stays_and_plans_the_next(void **state)
{
    struct desk d = desk(state);
    struct register_row row;
    bool holds;

    assert_true(says(&d, 14, "まだ記録されていません", &holds));
    assert_false(holds);
    assert_int_equal(enter(&d, &review_register, 0, 0, REVIEW(""), &row), OK);
    assert_int_equal(enter(&d, &review_register, row.id, 1,
                           REVIEW(",\"done_on\":\"2020-01-31\""), &row),
                     ERR_INVALID);
    assert_string_equal(rule(&d), "together");
    assert_int_equal(
        enter(&d, &review_register, row.id, 1,
              REVIEW(",\"done_on\":\"2020-01-31\",\"result\":\"good\""), &row),
        OK);
    assert_string_equal(register_cell(&review_register, &row, "signer")->text,
                        "運用 一郎");
    assert_int_equal(
        enter(&d, &review_register, row.id, row.version, REVIEW(""), &row),
        ERR_CONFLICT);
    assert_string_equal(rule(&d), "signed");
    begin(&d, TX_WRITE);
    enum err e =
        register_delete(&d.w->c, &review_register, row.id, row.version);
    assert_int_equal(tx_end_control(&d.w->c, d.app.store, e), ERR_CONFLICT);
    /* three months after the last of January is the last of April */
    assert_int_equal(
        number(&d, "SELECT due_on FROM review WHERE done_on IS NULL"),
        civil_from_ymd(2020, 4, 30));
    assert_true(
        says(&d, 14, "最後の見直し 2020/01/31 (金)（運用 一郎）", &holds));
    assert_false(holds); /* the next is overdue */
    sql(&d, "UPDATE review SET due_on = 99999 WHERE done_on IS NULL");
    assert_true(says(&d, 14, "最後の見直し 2020/01/31", &holds));
    assert_true(holds);
    assert_true(says(&d, 8, "権限の定期的な見直しは、まだ", &holds));
    assert_false(holds);
}

#define ADVISORY(more)                                                         \
    "{\"component\":\"mbedtls\",\"advisory\":\"CVE-2020-1\","                  \
    "\"summary\":\"x\",\"found_on\":\"2020-01-01\"" more "}"

static void an_advisory_is_judged_told_of_and_closed(void **state)
{
    struct desk d = desk(state);
    struct register_row row;

    /* a register in which nobody has looked holds nothing */
    assert_int_equal(state_of(&d, 24), TRUST_ATTENTION);
    assert_int_equal(enter(&d, &advisory_register, 0, 0, ADVISORY(""), &row),
                     OK);
    assert_int_equal(state_of(&d, 24), TRUST_ATTENTION);
    assert_int_equal(enter(&d, &advisory_register, row.id, 1,
                           ADVISORY(",\"impact\":\"high\""), &row),
                     ERR_INVALID);
    assert_string_equal(rule(&d), "required");
    assert_int_equal(enter(&d, &advisory_register, row.id, 1,
                           ADVISORY(",\"link\":\"javascript:1\""), &row),
                     ERR_INVALID);
    assert_string_equal(rule(&d), "link");
    assert_int_equal(
        enter(&d, &advisory_register, row.id, 1,
              ADVISORY(",\"impact\":\"high\",\"judgement\":\"届く\""), &row),
        OK);
    assert_string_equal(
        register_cell(&advisory_register, &row, "judged_by")->text,
        "運用 一郎");
    assert_int_equal(state_of(&d, 24), TRUST_HOLDS);
    assert_int_equal(
        enter(&d, &advisory_register, row.id, row.version, ADVISORY(""), &row),
        ERR_CONFLICT);
    assert_string_equal(rule(&d), "judged");
    assert_int_equal(
        enter(&d, &advisory_register, row.id, row.version,
              ADVISORY(",\"impact\":\"high\",\"judgement\":\"届く\","
                       "\"is_closed\":true"),
              &row),
        ERR_INVALID);
    assert_string_equal(d.w->c.fail->field, "notice");
    d.w->actor.name = "別の人";
    assert_int_equal(
        enter(&d, &advisory_register, row.id, row.version,
              ADVISORY(",\"impact\":\"high\",\"judgement\":\"届く\","
                       "\"notice\":\"お知らせ 12\",\"is_closed\":true"),
              &row),
        OK);
    /* closing is no judgement */
    assert_string_equal(
        register_cell(&advisory_register, &row, "judged_by")->text,
        "運用 一郎");
    assert_false(register_cell(&advisory_register, &row, "closed_at")->is_null);
}

static void an_expired_certification_turns_row_34(void **state)
{
    struct desk d = desk(state);
    struct register_row row;
    bool holds;

    assert_true(says(&d, 34, "登録されている認証はありません", &holds));
    assert_true(holds);
    assert_int_equal(enter(&d, &certification_register, 0, 0,
                           "{\"name\":\"プライバシーマーク\",\"number\":\"1\","
                           "\"expires_on\":\"2100-01-01\"}",
                           &row),
                     OK);
    assert_true(says(&d, 34, "プライバシーマーク", &holds));
    assert_true(holds);
    sql(&d, "UPDATE certification SET expires_on = 1");
    assert_true(says(&d, 34, "プライバシーマーク", &holds));
    assert_false(holds);
}

static void what_is_not_recorded_turns_row_28(void **state)
{
    struct desk d = desk(state);
    const struct build_record whole = {.commit = "c0ffee",
                                       .is_clean = true,
                                       .tested = "2026-11-25",
                                       .checked = "2026-11-25",
                                       .commits = 2,
                                       .reviewed = 2};

    assert_int_equal(state_of(&d, 28), TRUST_ATTENTION);
    d.app.record = &whole;
    assert_int_equal(state_of(&d, 28), TRUST_HOLDS);
    for (int i = 0; i < 5; i++) {
        struct build_record r = whole;
        switch (i) {
        case 0:
            r.commit = NULL;
            break;
        case 1:
            r.is_clean = false;
            break;
        case 2:
            r.tested = NULL;
            break;
        case 3:
            r.checked = NULL;
            break;
        default:
            r.reviewed = 1;
        }
        d.app.record = &r;
        assert_int_equal(state_of(&d, 28), TRUST_ATTENTION);
    }
    d.app.record = &whole;
    for (int i = 0; i < build_component_count; i++) {
        struct build_part old = build_parts[i];
        old.released = "2001-01-01";
        old.why_old_en = NULL;
        assert_false(component_age(&old, NOW_US).is_fine);
        old.why_old_en = "x";
        assert_true(component_age(&old, NOW_US).is_fine);
    }
}

#define REPORT(day)                                                            \
    "INSERT INTO audit_report (title, issued_on, file, size, sha256, "         \
    "filed_by,"                                                                \
    " filed_at) VALUES ('x', " day ", 'x', 1, x'00', 'x', 1)"

static void an_old_report_or_a_late_answer_turns_row_38(void **state)
{
    struct desk d = desk(state);

    assert_int_equal(state_of(&d, 38), TRUST_ATTENTION);
    sql(&d, REPORT("1000"));
    assert_int_equal(state_of(&d, 38), TRUST_ATTENTION);
    sql(&d, REPORT("99999"));
    assert_int_equal(state_of(&d, 38), TRUST_HOLDS);
    sql(&d,
        "INSERT INTO desk (customer_id, enquiry_id, category, state, decision,"
        " opened_at, updated_at, due_at, version) VALUES ('acme', 1, 4, 0, 0, "
        "1,"
        " 1, 2, 1)");
    assert_int_equal(state_of(&d, 38), TRUST_ATTENTION);
    sql(&d, "UPDATE desk SET due_at = NULL");
    assert_int_equal(state_of(&d, 38), TRUST_HOLDS);
}

static void tell(struct desk *d)
{
    d->w->c = (struct ctx){
        .mem = d->w->f->c.mem, .actor = &d->w->actor, .now_us = NOW_US};
    assert_int_equal(review_due_tell(&d->w->c, &d->app), OK);
}

static void what_is_due_is_told_once(void **state)
{
    struct desk d = desk(state);
    struct register_row row;

    assert_int_equal(enter(&d, &supplier_register, 0, 0,
                           SUPPLIER("2020-01-01", "2021-01-01"), &row),
                     OK);
    tell(&d); /* nobody yet: nothing is noted as told */
    assert_int_equal(number(&d, "SELECT count(*) FROM deadline_told"), 0);
    sql(&d, "INSERT INTO user (email, email_fold, name, search, lang, state,"
            " is_admin, created_at) VALUES ('o@example.jp', 'o@example.jp',"
            " 'O', 'o', 0, 1, 1, 1)");
    tell(&d);
    tell(&d);
    assert_int_equal(number(&d, "SELECT count(*) FROM mail"), 1);
    assert_int_equal(number(&d,
                            "SELECT count(*) FROM mail WHERE body LIKE"
                            " '%2021-01-01  委託先の見直し: 国内クラウド%'"),
                     1);
    sql(&d, "INSERT INTO document (kind, no, ja, en, is_public, review_on)"
            " VALUES (2, 1, 'x', 'x', 0, 1), (2, 2, 'x', 'x', 0, 2)");
    sql(&d, "UPDATE supplier SET review_on = 18629"); /* another day */
    tell(&d);
    assert_int_equal(number(&d, "SELECT count(*) FROM mail"), 2);
    assert_int_equal(number(&d, "SELECT count(*) FROM deadline_told"), 3);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_supplier_is_reviewed_in_order),
        TEST(row_26_refers_to_the_supplier_of_hosting),
        TEST(a_signed_review_stays_and_plans_the_next),
        TEST(an_advisory_is_judged_told_of_and_closed),
        TEST(an_expired_certification_turns_row_34),
        TEST(an_old_report_or_a_late_answer_turns_row_38),
        TEST(what_is_not_recorded_turns_row_28),
        TEST(what_is_due_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
