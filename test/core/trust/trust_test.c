/* SPDX-License-Identifier: Apache-2.0 */
/* A promise holds only while what is measured holds: each thing is broken
 * here, and its row is seen to turn. */
#include "core/core_fixture.h"

#include "base/sandbox.h"
#include "core/backup/log_verify.h"
#include "core/backup/log_watch.h"
#include "core/core.h"
#include "core/health/doctor.h"
#include "core/log/operation.h"
#include "core/log/request_log.h"
#include "core/trust/trust.h"
#include "core/trust/trust_version.h"
#include "db/conn.h"

#include <fcntl.h>
#include <sys/stat.h>

#define DAY_US INT64_C(86400000000)

struct watch {
    struct world *w;
    struct app app;
    struct trust_row rows[TRUST_COUNT];
};

static void look(struct watch *x, struct tenant *t)
{
    x->w->actor = (struct actor){.name = "", .tenant = "acme"};
    x->w->c = (struct ctx){
        .mem = x->w->f->c.mem, .actor = &x->w->actor, .now_us = NOW_US};
    assert_int_equal(trust_read(&x->w->c, &x->app,
                                t ? TRUST_TENANT : TRUST_OPERATOR, t, x->rows),
                     OK);
}

static enum trust_state state_of(struct watch *x, struct tenant *t, int no)
{
    look(x, t);
    return x->rows[no - 1].state;
}

static void run_control(struct watch *x, const char *sql)
{
    look(x, NULL);
    assert_int_equal(tx_begin_control(&x->w->c, x->app.store, TX_WRITE), OK);
    enum err e = query_run(&x->w->c, query(&x->w->c, sql));
    assert_int_equal(tx_end_control(&x->w->c, x->app.store, e), OK);
}

static void run_tenant(struct watch *x, const char *sql)
{
    world_begin(x->w, x->w->admin, TX_WRITE);
    assert_int_equal(world_end(x->w, query_run(&x->w->c, query(&x->w->c, sql))),
                     OK);
}

static void run_access(struct watch *x, const char *sql)
{
    look(x, NULL);
    assert_int_equal(tx_begin_access(&x->w->c, x->w->f->t, TX_WRITE), OK);
    enum err e = query_run(&x->w->c, query(&x->w->c, sql));
    assert_int_equal(tx_end_access(&x->w->c, x->w->f->t, e), OK);
}

static int64_t count_control(struct watch *x, const char *sql)
{
    look(x, NULL);
    assert_int_equal(tx_begin_control(&x->w->c, x->app.store, TX_READ), OK);
    struct query *q = query(&x->w->c, sql);
    assert_int_equal(query_one(&x->w->c, q), OK);
    int64_t count = col_int(q, 0);
    query_done(q);
    assert_int_equal(tx_end_control(&x->w->c, x->app.store, OK), OK);
    return count;
}

/* Rounds live by the machine's clock, the page here by NOW_US. */
static void look_at_tenants(struct watch *x)
{
    trust_look_at_tenants(&x->app, x->w->f->c.mem);
    run_control(x, "UPDATE trust_proof SET at = 1795312800000000 WHERE at > 0");
    run_control(x, "UPDATE trust_proof SET tried_at = 1795312800000000");
    run_control(x, "UPDATE trust_tenant SET at = 1795312800000000");
}

static bool says(const struct watch *x, int no, const char *words);

static struct watch watch(void **state)
{
    struct watch x = {.w = *state};

    x.app.store = x.w->f->store;
    x.app.base_url = "https://pm.example.jp";
    return x;
}

static void what_is_not_measured_needs_attention(void **state)
{
    struct watch x = watch(state);

    look(&x, NULL);
    for (int i = 0; i < TRUST_COUNT; i++) {
        assert_int_equal(x.rows[i].promise->no, i + 1);
        if (!x.rows[i].evidence_count)
            assert_int_equal(x.rows[i].state, TRUST_ATTENTION);
    }
}

/* This very test is such a binary; the product's sample has both. */
static void a_binary_without_a_manual_turns_rows_19_and_27(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, NULL, 19), TRUST_ATTENTION);
    assert_int_equal(state_of(&x, NULL, 27), TRUST_ATTENTION);
}

static void terms_turn_row_2(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, NULL, 2), TRUST_ATTENTION);
    run_control(&x, "INSERT INTO terms (no, ja, en, valid_from, is_material)"
                    " VALUES (1, '規約', 'Terms', 0, 1)");
    assert_int_equal(state_of(&x, NULL, 2), TRUST_HOLDS);
    assert_int_equal(state_of(&x, x.w->f->t, 2), TRUST_ATTENTION);
    run_tenant(&x, "INSERT INTO consent (terms_no, user_id, user_name,"
                   " is_whole, at, ip) VALUES (1, 1, 'x', 1, 1, '')");
    assert_int_equal(state_of(&x, x.w->f->t, 2), TRUST_HOLDS);
    run_control(&x, "INSERT INTO terms (no, ja, en, valid_from, is_material)"
                    " VALUES (2, '改定', 'Later', 0, 0)");
    assert_int_equal(state_of(&x, x.w->f->t, 2), TRUST_HOLDS);
    run_control(&x, "UPDATE terms SET is_material = 1 WHERE no = 2");
    assert_int_equal(state_of(&x, x.w->f->t, 2), TRUST_ATTENTION);
}

/* What breaks it, what mends it; in the tenant's file. */
static void turns(struct watch *x, int no, const char *broken,
                  const char *mended)
{
    struct tenant *t = x->w->f->t;

    assert_int_equal(state_of(x, t, no), TRUST_HOLDS);
    run_tenant(x, broken);
    assert_int_equal(state_of(x, t, no), TRUST_ATTENTION);
    run_tenant(x, mended);
    assert_int_equal(state_of(x, t, no), TRUST_HOLDS);
}

static void labels_nobody_can_tell_apart_turn_row_6(void **state)
{
    struct watch x = watch(state);

    run_tenant(&x, "INSERT INTO label (kind, name, color)"
                   " VALUES (3, 'ABC', 'red')");
    turns(&x, 6,
          "INSERT INTO label (kind, name, color)"
          " VALUES (3, '\xef\xbc\xa1\xef\xbc\xa2\xef\xbc\xa3', 'red')",
          "UPDATE label SET kind = 2 WHERE name <> 'ABC' AND kind = 3");
    turns(&x, 6, "UPDATE label SET color = '#f00' WHERE name = 'ABC'",
          "UPDATE label SET color = 'red' WHERE name = 'ABC'");
}

static void a_grant_left_to_who_is_gone_turns_row_8(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT INTO review (kind, subject, every_months, due_on,"
                    " done_on, result, signer, changed_by, changed_at)"
                    " VALUES (0, 'x', 0, 1, 1, 0, 'y', 'y', 1)");
    run_tenant(&x, "INSERT INTO access (user_id, project_id, role_id)"
                   " VALUES (2, 1, 1)");
    turns(&x, 8, "UPDATE user SET state = 3 WHERE id = 2",
          "DELETE FROM access WHERE user_id = 2");
    run_tenant(&x, "INSERT INTO permission_group (id, name, created_at)"
                   " VALUES (1, 'g', 0)");
    turns(&x, 8, "INSERT INTO group_member (user_id, group_id) VALUES (2, 1)",
          "DELETE FROM group_member");
}

static void an_overdue_review_of_rights_turns_row_8(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT INTO review (kind, subject, every_months, due_on,"
                    " done_on, result, signer, changed_by, changed_at)"
                    " VALUES (0, 'x', 0, 1, 1, 0, 'y', 'y', 1)");
    turns(&x, 8, "UPDATE tenant SET created_at = 1",
          "INSERT INTO access_review (at, user_id, user_name, people, grants,"
          " note) VALUES (1795312800000000, 1, 'x', 2, 0, '')");
    turns(&x, 8, "UPDATE access_review SET at = at - 367 * 86400000000",
          "UPDATE access_review SET at = at + 86400000000");
}

static void a_session_without_a_code_turns_row_9(void **state)
{
    struct watch x = watch(state);

    run_tenant(&x, "INSERT INTO session (token_hash, user_id, level,"
                   " created_at, seen_at, proved, ip, agent)"
                   " VALUES (x'01', 1, 1, 0, 0, 1, '', '')");
    turns(&x, 9, "UPDATE session SET proved = 0",
          "UPDATE session SET level = 0");
    run_tenant(&x, "UPDATE session SET proved = 2, level = 1");
    assert_int_equal(state_of(&x, x.w->f->t, 9), TRUST_ATTENTION);
    run_tenant(&x, "UPDATE tenant SET password_profile = 1");
    assert_int_equal(state_of(&x, x.w->f->t, 9), TRUST_HOLDS);
}

static void a_list_that_is_not_checked_turns_row_9(void **state)
{
    struct watch x = watch(state);

    turns(&x, 9,
          "INSERT INTO allow_range (base, prefix, created_at)"
          " VALUES (zeroblob(16), 0, 0)",
          "UPDATE tenant SET allowed = zeroblob(17)");
    turns(&x, 9,
          "INSERT INTO token (user_id, name, hash, may_write, is_limited,"
          " created_at, expires_at) VALUES (1, 't', x'02', 0, 0, 0,"
          " 366 * 86400000000)",
          "UPDATE token SET expires_at = 365 * 86400000000");
}

static void a_long_lived_link_turns_row_10(void **state)
{
    struct watch x = watch(state);

    turns(&x, 10,
          "INSERT INTO link (token_hash, purpose, user_id, created_at,"
          " expires_at) VALUES (x'03', 0, 2, 0, 25 * 3600000000)",
          "UPDATE link SET expires_at = 24 * 3600000000");
}

static void a_role_that_edits_blindly_turns_row_11(void **state)
{
    struct watch x = watch(state);

    turns(&x, 11,
          "INSERT INTO role (key, ja, en, rights, rank)"
          " VALUES ('blind', 'b', 'b', 1024, 9)",
          "UPDATE role SET rights = 1296 + 1024 WHERE key = 'blind'");
}

static void a_file_that_opens_others_turns_row_13(void **state)
{
    struct watch x = watch(state);

    for (int open = 0; open < 2; open++) {
        struct trust_list list = {.count = 0};
        world_begin(x.w, x.w->admin, TX_READ);
        struct db *db = x.w->c.db;
        must(db);
        db->is_trusted = open;
        assert_int_equal(trust_measure_tenant(&x.w->c, &x.app, 0, &list), OK);
        db->is_trusted = false;
        assert_int_equal(world_end(x.w, OK), OK);
        for (size_t i = 0; i < list.count; i++)
            if (list.items[i].no == 13)
                assert_int_equal(list.items[i].holds, !open);
    }
}

static void an_alert_that_tells_nobody_turns_row_23(void **state)
{
    struct watch x = watch(state);

    turns(&x, 23,
          "INSERT INTO alert_rule (id, name, source, threshold, is_on,"
          " from_seq, seen_seq) VALUES (1, 'a', 0, 1, 1, 0, 0)",
          "INSERT INTO alert_reader VALUES (1, 1)");
    run_tenant(&x, "UPDATE operation SET at = at - 7200000000 WHERE seq = 1");
    turns(&x, 23, "UPDATE alert_rule SET seen_seq = -1999",
          "UPDATE alert_rule SET seen_seq = 0");
}

static void an_undelivered_alert_turns_row_23(void **state)
{
    struct watch x = watch(state);

    run_tenant(&x, "INSERT INTO mail (message_id, address, subject, body,"
                   " due_at, expires_at, created_at, alert_id) VALUES ('m@y',"
                   " 'a', 's', 'b', 0, 0, 1795312800000000, 7)");
    turns(&x, 23, "UPDATE mail SET state = 1", "UPDATE mail SET state = 0");
    turns(&x, 23, "UPDATE mail SET created_at = created_at - 3600000001",
          "UPDATE mail SET created_at = created_at + 3600000001");
    turns(&x, 23, "UPDATE mail SET state = 1",
          "UPDATE mail SET alert_id = NULL");
}

static void support_without_consent_turns_row_29(void **state)
{
    struct watch x = watch(state);

    turns(&x, 29,
          "INSERT INTO support (operator_id, operator_name, operator_email,"
          " reason, may_write, hours, state, asked_at, decided_at, expires_at)"
          " VALUES (1, 'o', 'o', 'r', 0, 2, 1, 0, 1, 7200000001)",
          "UPDATE support SET decided_by = 'x'");
    turns(&x, 29, "UPDATE support SET expires_at = 7200000002",
          "UPDATE support SET expires_at = 7200000001");
    run_tenant(&x, "UPDATE user SET state = 3 WHERE id = 2");
    turns(&x, 29,
          "INSERT INTO session (token_hash, user_id, level, created_at,"
          " seen_at, ip, agent, support_id)"
          " VALUES (x'04', 2, 1, 0, 0, '', '', 1)",
          "UPDATE support SET user_id = 2");
    run_tenant(&x, "UPDATE session SET support_id = NULL");
    assert_int_equal(state_of(&x, x.w->f->t, 29), TRUST_ATTENTION);
}

#define PUBLISH(kind, regions, due)                                            \
    "INSERT INTO document (kind, no, ja, en, regions, is_public, review_on,"   \
    " published_at) VALUES (" #kind ", 1, 'x', 'x', '" regions "', 1, " #due   \
    ", 1)"

static void policies_turn_row_1(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, NULL, 1), TRUST_ATTENTION);
    run_control(&x, PUBLISH(0, "", 99999));
    run_control(&x, PUBLISH(1, "", 99999));
    assert_int_equal(state_of(&x, NULL, 1), TRUST_ATTENTION);
    run_control(&x, PUBLISH(2, "", 99999));
    assert_int_equal(state_of(&x, NULL, 1), TRUST_HOLDS);
    run_control(&x, "UPDATE document SET review_on = 1 WHERE kind = 1");
    assert_int_equal(state_of(&x, NULL, 1), TRUST_ATTENTION);
    run_control(&x, "UPDATE document SET review_on = 99999");
    assert_int_equal(state_of(&x, NULL, 1), TRUST_HOLDS);
    run_control(&x, "UPDATE document SET is_public = 0 WHERE kind = 2");
    assert_int_equal(state_of(&x, NULL, 1), TRUST_ATTENTION);
    run_control(&x, "UPDATE document SET is_public = 1, en = ' ' || char(10)"
                    " WHERE kind = 2");
    assert_int_equal(state_of(&x, NULL, 1), TRUST_ATTENTION);
}

static void a_path_outside_turns_row_3(void **state)
{
    struct watch x = watch(state);

    x.app.data_region = x.app.backup_region = x.app.log_region = "jp-tokyo";
    assert_int_equal(state_of(&x, NULL, 3), TRUST_ATTENTION);
    run_control(&x, PUBLISH(5, "jp", 99999));
    assert_int_equal(state_of(&x, NULL, 3), TRUST_HOLDS);
    x.app.backup_region = "us-east";
    assert_int_equal(state_of(&x, NULL, 3), TRUST_ATTENTION);
    run_control(&x, "UPDATE document SET regions = 'jp us' WHERE kind = 5");
    assert_int_equal(state_of(&x, NULL, 3), TRUST_HOLDS);
    x.app.log_region = NULL;
    assert_int_equal(state_of(&x, NULL, 3), TRUST_ATTENTION);
}

static void a_contract_without_a_place_turns_row_3(void **state)
{
    struct watch x = watch(state);

    x.app.data_region = x.app.backup_region = x.app.log_region = "jp-tokyo";
    run_control(&x, PUBLISH(5, "jp", 99999));
    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('acme', 'x', 1, 0)");
    assert_int_equal(state_of(&x, NULL, 3), TRUST_ATTENTION);
    run_control(&x, "INSERT INTO contract (customer_id, number, place)"
                    " VALUES ('acme', 'K-1', '')");
    assert_int_equal(state_of(&x, NULL, 3), TRUST_ATTENTION);
    run_control(&x, "UPDATE contract SET place = 'Japan'");
    assert_int_equal(state_of(&x, NULL, 3), TRUST_HOLDS);
    assert_int_equal(state_of(&x, x.w->f->t, 3), TRUST_HOLDS);
}

/* "acme" is there, "gone" is not. */
static void what_is_left_of_a_deleted_tenant_turns_row_16(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, NULL, 16), TRUST_HOLDS);
    run_control(&x, "INSERT INTO erasure (customer_id, name, started_at, basis,"
                    " done_at, backups_on, logs_on) VALUES ('gone', 'x', 0,"
                    " '{}', 1, 99999, 99999)");
    assert_int_equal(state_of(&x, NULL, 16), TRUST_HOLDS);
    run_control(&x, "UPDATE erasure SET backups_on = 1");
    assert_int_equal(state_of(&x, NULL, 16), TRUST_ATTENTION);
    run_control(&x, "UPDATE erasure SET backups_at = 1, logs_on = 1");
    assert_int_equal(state_of(&x, NULL, 16), TRUST_ATTENTION);
    run_control(&x, "UPDATE erasure SET logs_at = 1");
    assert_int_equal(state_of(&x, NULL, 16), TRUST_HOLDS);
    run_control(&x, "INSERT INTO erasure (customer_id, name, started_at, basis,"
                    " done_at) VALUES ('acme', 'x', 0, '{}', 1)");
    assert_int_equal(state_of(&x, NULL, 16), TRUST_ATTENTION);
    run_control(&x, "UPDATE erasure SET done_at = NULL"
                    " WHERE customer_id = 'acme'");
    assert_int_equal(state_of(&x, NULL, 16), TRUST_HOLDS);
}

static void a_late_sample_turns_row_18(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT INTO threshold (name, level) VALUES ('cpu', 90),"
                    " ('latency', 9), ('clock', 9)");
    assert_int_equal(state_of(&x, NULL, 18), TRUST_ATTENTION);
    run_control(&x, "INSERT INTO sample VALUES (3600, 0, 1795312800000000, 1)");
    assert_int_equal(state_of(&x, NULL, 18), TRUST_ATTENTION);
    run_control(&x, "INSERT INTO sample VALUES (60, 0, 1795312800000000, 1)");
    assert_int_equal(state_of(&x, NULL, 18), TRUST_HOLDS);
    run_control(&x, "UPDATE sample SET at = at - 11 * 60000000");
    assert_int_equal(state_of(&x, NULL, 18), TRUST_ATTENTION);
    run_control(&x, "UPDATE sample SET at = at + 21 * 60000000"); /* ahead */
    assert_int_equal(state_of(&x, NULL, 18), TRUST_ATTENTION);
    run_control(&x, "UPDATE sample SET at = at - 5 * 60000000");
    assert_int_equal(state_of(&x, NULL, 18), TRUST_ATTENTION);
    run_control(&x, "UPDATE sample SET at = at - 6 * 60000000");
    assert_int_equal(state_of(&x, NULL, 18), TRUST_HOLDS);
}

static void a_threshold_turns_row_18(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT INTO sample VALUES (60, 0, 1795312800000000, 1)");
    assert_int_equal(state_of(&x, NULL, 18), TRUST_ATTENTION); /* none warns */
    run_control(&x, "INSERT INTO threshold (name, level) VALUES ('cpu', 90),"
                    " ('latency', 9), ('clock', 9)");
    assert_int_equal(state_of(&x, NULL, 18), TRUST_HOLDS);
    run_control(&x, "UPDATE threshold SET is_on = 0 WHERE name = 'cpu'");
    assert_int_equal(state_of(&x, NULL, 18), TRUST_ATTENTION);
    run_control(&x, "UPDATE threshold SET is_on = name <> 'latency'");
    assert_int_equal(state_of(&x, NULL, 18), TRUST_HOLDS); /* cannot run out */
    run_control(&x, "UPDATE threshold SET is_on = 1, crossed_at = 1"
                    " WHERE name = 'latency'");
    assert_int_equal(state_of(&x, NULL, 18), TRUST_ATTENTION);
    run_control(&x, "UPDATE threshold SET crossed_at = iif(name = 'clock', 1,"
                    " NULL)");
    assert_int_equal(state_of(&x, NULL, 18), TRUST_HOLDS); /* row 22's */
}

static void the_kernels_clock_turns_row_22(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(setenv("YAGURA_TEST_CLOCK_SYNCED", "1", 1), 0);
    assert_int_equal(state_of(&x, NULL, 22), TRUST_HOLDS);
    assert_int_equal(setenv("YAGURA_TEST_CLOCK_SYNCED", "0", 1), 0);
    assert_int_equal(state_of(&x, NULL, 22), TRUST_ATTENTION);
    assert_int_equal(unsetenv("YAGURA_TEST_CLOCK_SYNCED"), 0);
}

static void an_impact_nobody_was_told_of_turns_row_24(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, NULL, 24), TRUST_ATTENTION); /* no look */
    run_control(&x, "INSERT INTO advisory_look (id, looked_at, looked_by)"
                    " VALUES (1, 1795312800000000, 'x')");

    assert_int_equal(state_of(&x, NULL, 24), TRUST_HOLDS);
    run_control(&x, "INSERT INTO advisory (component, advisory, summary,"
                    " found_on, impact, judged_at, changed_by, changed_at)"
                    " VALUES ('c', 'CVE-1', 's', 1, 2, 1795312800000000, 'y',"
                    " 1)");
    assert_int_equal(state_of(&x, NULL, 24), TRUST_HOLDS);
    run_control(&x, "UPDATE advisory SET judged_at = 1");
    assert_int_equal(state_of(&x, NULL, 24), TRUST_ATTENTION);
    run_control(&x, "UPDATE advisory SET notice = 'Notice 3'");
    assert_int_equal(state_of(&x, NULL, 24), TRUST_HOLDS);
    run_control(&x, "UPDATE advisory SET notice = '', impact = 0");
    assert_int_equal(state_of(&x, NULL, 24), TRUST_HOLDS);
    run_control(&x, "DELETE FROM advisory");
    assert_int_equal(state_of(&x, NULL, 24), TRUST_HOLDS);
    run_control(&x, "UPDATE advisory_look SET looked_at = looked_at"
                    " - 32 * 86400000000");
    assert_int_equal(state_of(&x, NULL, 24), TRUST_ATTENTION);
}

static void a_supplier_outside_turns_row_3(void **state)
{
    struct watch x = watch(state);

    x.app.data_region = x.app.backup_region = x.app.log_region = "jp-tokyo";
    run_control(&x, PUBLISH(5, "jp", 99999));
    run_control(&x, "INSERT INTO supplier (name, purpose, region, risk,"
                    " reviewed_on, review_on, changed_by, changed_at)"
                    " VALUES ('Mail Co', 1, 'jp', 0, 1, 99999, 'x', 1)");
    assert_int_equal(state_of(&x, NULL, 3), TRUST_HOLDS);
    run_control(&x, "UPDATE supplier SET region = 'us-west'");
    assert_int_equal(state_of(&x, NULL, 3), TRUST_ATTENTION);
    assert_true(says(&x, 3, "Mail Co (us-west)"));
}

/* Written is not delivered: the relay has to take it. */
static void mails_that_do_not_leave_turn_row_17(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT INTO notice (id, kind, state, title_ja, title_en,"
                    " body_ja, body_en, is_for_all, mail_to, written_by,"
                    " created_at, published_at, lead_us, starts_at) VALUES (1,"
                    " 1, 2, 'x', 'x', 'x', 'x', 1, 1, 'x', 1, 1795312700000000,"
                    " 80 * 3600000000, 1795600700000000)");
    run_control(&x, "INSERT INTO notice_tenant (notice_id, customer_id,"
                    " told_at, mails) VALUES (1, 'acme', 1795300000000000, 2)");
    assert_int_equal(state_of(&x, NULL, 17), TRUST_HOLDS);
    run_control(&x, "UPDATE notice_tenant SET waiting = 2");
    assert_int_equal(state_of(&x, NULL, 17), TRUST_ATTENTION);
    run_control(&x, "UPDATE notice_tenant SET waiting = 0, failed = 1");
    assert_int_equal(state_of(&x, NULL, 17), TRUST_ATTENTION);
    run_control(&x, "UPDATE notice_tenant SET failed = 0");
    assert_int_equal(state_of(&x, NULL, 17), TRUST_HOLDS);
    run_control(&x, "UPDATE notice SET lead_us = 120000000"); /* two minutes */
    assert_int_equal(state_of(&x, NULL, 17), TRUST_ATTENTION);
    run_control(&x, "UPDATE notice SET is_emergency = 1");
    assert_int_equal(state_of(&x, NULL, 17), TRUST_HOLDS);
    assert_true(says(&x, 17, "緊急として予告したもの 1 件"));
}

static void statements_turn_rows_4_and_34(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, NULL, 4), TRUST_ATTENTION);
    run_control(&x, PUBLISH(6, "", 99999));
    assert_int_equal(state_of(&x, NULL, 4), TRUST_HOLDS);
    run_control(&x, PUBLISH(4, "", 99999));
    assert_int_equal(state_of(&x, NULL, 34), TRUST_ATTENTION);
    run_control(&x, PUBLISH(3, "", 99999));
    assert_int_equal(state_of(&x, NULL, 34), TRUST_HOLDS);
    run_control(&x, "DELETE FROM document WHERE kind IN (4, 6)");
    assert_int_equal(state_of(&x, NULL, 4), TRUST_ATTENTION);
    assert_int_equal(state_of(&x, NULL, 34), TRUST_ATTENTION);
}

static void no_administrator_turns_row_7(void **state)
{
    struct watch x = watch(state);

    run_tenant(&x, "UPDATE user SET is_admin = 1 WHERE id = 1");
    assert_int_equal(state_of(&x, x.w->f->t, 7), TRUST_HOLDS);
    run_tenant(&x, "UPDATE user SET is_admin = 0 WHERE id = 1");
    assert_int_equal(state_of(&x, x.w->f->t, 7), TRUST_ATTENTION);
}

static void an_odd_route_turns_row_12(void **state)
{
    struct watch x = watch(state);

    x.app.facts = (struct trust_facts){.routes = 9, .open_routes = 2};
    assert_int_equal(state_of(&x, NULL, 12), TRUST_HOLDS);
    x.app.facts.odd_route = "/api/v1/back-door";
    assert_int_equal(state_of(&x, NULL, 12), TRUST_ATTENTION);
    x.app.facts.odd_route = NULL;
    turns(&x, 12,
          "INSERT INTO session (token_hash, user_id, level, created_at,"
          " seen_at, proved, ip, agent) VALUES (x'05', 1, 1, 0, 0, 0, '', '')",
          "DELETE FROM session WHERE token_hash = x'05'");
}

static void files_are_sealed_and_apart(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, x.w->f->t, 13), TRUST_HOLDS);
    assert_int_equal(state_of(&x, x.w->f->t, 15), TRUST_HOLDS);
}

static bool says(const struct watch *x, int no, const char *words)
{
    const struct trust_row *row = &x->rows[no - 1];

    for (size_t i = 0; i < row->evidence_count; i++)
        if (strstr(row->evidence[i].text, words))
            return true;
    return false;
}

static void a_desk_turns_row_19(void **state)
{
    struct watch x = watch(state);

    for (int has = 0; has < 2; has++) {
        x.app.facts.has_desk = has;
        look(&x, NULL);
        assert_true(says(&x, 19, has ? "受け付けています" : "ありません"));
        assert_int_equal(x.rows[18].state, TRUST_ATTENTION); /* no manual */
    }
}

static void shared_cookies_turn_row_25(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "DELETE FROM customer");
    run_control(&x, "INSERT INTO customer (id, name, host, state, created_at)"
                    " VALUES ('acme', 'x', 'acme.jp', 1, 0),"
                    " ('x2', 'y', NULL, 1, 0)");
    assert_int_equal(state_of(&x, NULL, 25), TRUST_ATTENTION);
    x.app.facts.parts_cookies = true;
    assert_int_equal(state_of(&x, NULL, 25), TRUST_HOLDS);
    assert_true(says(&x, 25, "テナント 2 件"));
    assert_int_equal(state_of(&x, x.w->f->t, 25), TRUST_HOLDS);
    assert_true(says(&x, 25, "acme.jp"));
    assert_false(says(&x, 25, "テナント 2 件"));
}

/* The configuration takes a tenant's name, or a tenant's listener outlives
 * it. */
static void a_door_that_leads_elsewhere_turns_row_25(void **state)
{
    struct watch x = watch(state);
    struct tenant *acme = x.w->f->t;

    x.app.facts.parts_cookies = true;
    run_control(&x, "DELETE FROM customer");
    run_control(&x, "INSERT INTO customer (id, name, host, state, created_at)"
                    " VALUES ('acme', 'x', 'acme.jp', 1, 0)");
    x.app.base_url = "https://pm.example.jp:8443";
    x.app.operator_host = "desk.example.jp";
    x.app.listener_tenants[1] = "acme";
    assert_int_equal(state_of(&x, NULL, 25), TRUST_HOLDS);
    assert_true(says(&x, 25, "専用のホスト名 1 件、専用の待ち受け 1 件"));
    assert_int_equal(state_of(&x, acme, 25), TRUST_HOLDS);
    x.app.base_url = "https://acme.jp:8443";
    assert_int_equal(state_of(&x, NULL, 25), TRUST_ATTENTION);
    assert_true(says(&x, 25, "テナントのないもの: acme"));
    assert_int_equal(state_of(&x, acme, 25), TRUST_ATTENTION);
    x.app.base_url = "https://pm.example.jp:8443";
    x.app.operator_host = "acme.jp";
    assert_int_equal(state_of(&x, NULL, 25), TRUST_ATTENTION);
    assert_int_equal(state_of(&x, acme, 25), TRUST_ATTENTION);
    x.app.operator_host = NULL;
    assert_int_equal(state_of(&x, NULL, 25), TRUST_HOLDS);
    x.app.listener_tenants[2] = "gone";
    assert_int_equal(state_of(&x, NULL, 25), TRUST_ATTENTION);
    assert_true(says(&x, 25, "テナントのないもの: gone"));
    assert_int_equal(state_of(&x, acme, 25), TRUST_HOLDS); /* not its own */
    x.app.listener_tenants[1] = x.app.listener_tenants[2] = NULL;
    x.app.base_url = NULL;
}

/* Rows 24, 28 and 30 hold what the inventory says against what runs. */
static void the_inventory_is_what_runs(void **state)
{
    struct watch x = watch(state);

    look(&x, NULL);
    assert_true(says(&x, 28, "実行中の部品に尋ねた版 Mbed TLS"));
    assert_true(says(&x, 28, "部品表にある版と同じ"));
    assert_true(says(&x, 30, "どれかが欠けている部品 0 点"));
}

static void an_overdue_enquiry_turns_row_32(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, NULL, 32), TRUST_HOLDS);
    run_control(&x, "INSERT INTO desk (customer_id, enquiry_id, category,"
                    " state, decision, opened_at, updated_at, due_at, version)"
                    " VALUES ('acme', 1, 0, 0, 0, 0, 0, 1, 1)");
    assert_int_equal(state_of(&x, NULL, 32), TRUST_ATTENTION);
}

static void a_contact_turns_row_35(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, NULL, 35), TRUST_ATTENTION);
    run_control(&x, "INSERT INTO desk_setting (id, answer_hours, contact_ja,"
                    " contact_en) VALUES (1, 24, '法務', 'Legal')");
    assert_int_equal(state_of(&x, NULL, 35), TRUST_HOLDS);
}

static void make_file(struct watch *x, const char *date, const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof path, "%s/backups/%s/%s", x->w->f->dir, date,
                   name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    (void)close(fd);
}

/* As a run leaves it, but for what is in the files. */
static void make_generation(struct watch *x, const char *date)
{
    static const char *const names[] = {
        "CONTROL.db",     "CONTROL.key",  "acme.db",      "acme.key",
        "acme.access.db", "acme.log.key", "manifest.json"};
    char path[128];

    (void)snprintf(path, sizeof path, "%s/backups", x->w->f->dir);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof path, "%s/backups/%s", x->w->f->dir, date);
    (void)mkdir(path, 0700);
    for (size_t i = 0; i < COUNT(names); i++)
        make_file(x, date, names[i]);
    (void)snprintf(path, sizeof path,
                   "INSERT INTO backup_run (date, state, asked_at)"
                   " VALUES ('%s', 2, 1795312800000000)",
                   date);
    run_control(x, path);
}

static void move(const struct watch *x, const char *from, const char *to)
{
    char a[256], b[256];

    (void)snprintf(a, sizeof a, "%s/%s", x->w->f->dir, from);
    (void)snprintf(b, sizeof b, "%s/%s", x->w->f->dir, to);
    assert_int_equal(rename(a, b), 0);
}

/* What is moved away, and back, in the tenant's eyes and the operator's. */
static void moving_turns_row_20(struct watch *x, const char *what)
{
    move(x, what, "away");
    assert_int_equal(state_of(x, x->w->f->t, 20), TRUST_ATTENTION);
    assert_int_equal(state_of(x, NULL, 20), TRUST_ATTENTION);
    move(x, "away", what);
    assert_int_equal(state_of(x, x->w->f->t, 20), TRUST_HOLDS);
    assert_int_equal(state_of(x, NULL, 20), TRUST_HOLDS);
}

static void copies_that_are_gone_turn_row_20(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('acme', 'x', 1, 0)");
    make_generation(&x, "2026-11-21");
    make_generation(&x, "2026-11-22");
    run_control(&x, "INSERT INTO backup_tenant VALUES ('acme', '2026-11-22',"
                    " 1795312800000000, 2, 1)");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_HOLDS);
    moving_turns_row_20(&x, "backups");
    moving_turns_row_20(&x, "backups/2026-11-22");
    moving_turns_row_20(&x, "backups/2026-11-22/acme.db");
    moving_turns_row_20(&x, "backups/2026-11-22/acme.log.key");
    moving_turns_row_20(&x, "backups/2026-11-22/manifest.json");
    run_control(&x, "UPDATE backup_tenant SET bytes = 3"); /* cut off */
    assert_int_equal(state_of(&x, NULL, 20), TRUST_ATTENTION);
    run_control(&x, "UPDATE backup_tenant SET bytes = 2");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_HOLDS);
    move(&x, "backups/2026-11-21", "away"); /* one of the seven */
    assert_int_equal(state_of(&x, NULL, 20), TRUST_ATTENTION);
    assert_true(says(&x, 20, "2026/11/21 (土)"));
    run_control(&x, "UPDATE backup_run SET date = '2026-11-15'"
                    " WHERE date = '2026-11-21'"); /* its seven days are over */
    assert_int_equal(state_of(&x, NULL, 20), TRUST_HOLDS);
}

static void a_new_tenant_is_not_yet_due(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('acme', 'x', 1, 0)");
    make_generation(&x, "2026-11-22");
    run_control(&x, "INSERT INTO backup_tenant VALUES ('acme', '2026-11-22',"
                    " 1795312800000000, 2, 1)");
    run_control(&x, "INSERT INTO contract (customer_id, number, place)"
                    " VALUES ('acme', 'K-1', 'Japan')");
    x.app.data_region = x.app.backup_region = x.app.log_region = "jp-tokyo";
    run_control(&x, PUBLISH(5, "jp", 99999));
    run_control(&x, "INSERT INTO terms (no, ja, en, valid_from, is_material)"
                    " VALUES (1, '規約', 'Terms', 0, 1)");
    run_control(&x, "INSERT INTO customer (id, name, state, created_at)"
                    " VALUES ('young', 'y', 1, 1795312800000000)");
    run_control(&x, "INSERT INTO trust_tenant (tenant_id, no, holds, at)"
                    " VALUES ('young', 2, 0, 1795312800000000),"
                    " ('young', 32, 0, 1795312800000000)");
    run_control(&x, "INSERT INTO trust_proof (tenant_id, at, operation_last,"
                    " operation_bad, entry_last, entry_bad)"
                    " VALUES ('acme', 1795312800000000, 1, 0, 1, 0)");
    for (int i = 0; i < 4; i++) {
        static const int rows[] = {2, 3, 20, 32};
        assert_int_equal(state_of(&x, NULL, rows[i]), TRUST_HOLDS);
        assert_true(says(&x, rows[i], "26時間以内で"));
    }
    run_control(&x, "UPDATE trust_tenant SET no = 13 WHERE no = 32");
    assert_int_equal(state_of(&x, NULL, 13), TRUST_ATTENTION);
    run_control(&x, "UPDATE customer SET created_at = created_at"
                    " - 27 * 3600000000 WHERE id = 'young'");
    for (int i = 0; i < 3; i++) {
        static const int rows[] = {2, 3, 20};
        assert_int_equal(state_of(&x, NULL, rows[i]), TRUST_ATTENTION);
        assert_int_equal(state_of(&x, x.w->f->t, rows[i]),
                         i == 0 ? TRUST_ATTENTION : TRUST_HOLDS);
    }
}

static void a_late_backup_turns_row_20(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('acme', 'x', 1, 0)");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_ATTENTION);
    make_generation(&x, "2026-11-22");
    run_control(&x, "INSERT INTO backup_tenant VALUES ('acme', '2026-11-22',"
                    " 1795312800000000, 2, 1)");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_HOLDS);
    run_control(&x, "INSERT INTO backup_drill VALUES (1, 1795312800000000,"
                    " '2026-11-22', 'acme', 1, 1, '行数', 'rows')");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_ATTENTION);
    run_control(&x, "UPDATE backup_drill SET reason_en = NULL");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_HOLDS);
    run_control(&x, "UPDATE backup_tenant SET at = at - 27 * 3600000000");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_ATTENTION);
}

static void a_failed_copy_turns_row_20(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('acme', 'x', 1, 0)");
    make_generation(&x, "2026-11-22");
    run_control(&x, "INSERT INTO backup_tenant VALUES ('acme', '2026-11-22',"
                    " 1795312800000000, 2, 1)");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_HOLDS);
    x.app.backup.dir = "/mnt/copies"; /* set up, nothing there yet */
    assert_int_equal(state_of(&x, NULL, 20), TRUST_ATTENTION);
    run_control(&x, "INSERT INTO backup_copy (place, date, stamp, manifest,"
                    " files, bytes, at) VALUES ('dir', '2026-11-22', 1, x'00',"
                    " 7, 1, 1795312800000000)");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_HOLDS);
    run_control(&x, "INSERT INTO backup_watch (name, reason_en)"
                    " VALUES ('dir', 'the disk is full')");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_ATTENTION);
    run_control(&x, "UPDATE backup_watch SET reason_en = NULL");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_HOLDS);
    run_control(&x, "UPDATE backup_tenant SET at = at + 48 * 3600000000");
    assert_int_equal(state_of(&x, NULL, 20), TRUST_ATTENTION);
}

static void old_rows_turn_rows_21_and_36(void **state)
{
    struct watch x = watch(state);

    assert_int_equal(state_of(&x, x.w->f->t, 21), TRUST_HOLDS);
    assert_int_equal(state_of(&x, x.w->f->t, 36), TRUST_HOLDS); /* unused yet */
    run_tenant(&x, "UPDATE operation SET kind = 'session', action = 'sign_in'"
                   " WHERE seq = 1");
    assert_int_equal(state_of(&x, x.w->f->t, 36), TRUST_ATTENTION);
    run_access(&x,
               "INSERT INTO entry_row VALUES (1, 1795312800000000, 0, 1, 200,"
               " '', x'00')");
    assert_int_equal(state_of(&x, x.w->f->t, 36), TRUST_HOLDS);
    run_tenant(&x, "UPDATE operation SET at = at - 40 * 86400000000"
                   " WHERE seq = 1"); /* rows of forty days are lost */
    assert_int_equal(state_of(&x, x.w->f->t, 36), TRUST_ATTENTION);
    run_access(&x, "UPDATE entry_row SET at = at - 40 * 86400000000");
    assert_int_equal(state_of(&x, x.w->f->t, 36), TRUST_HOLDS);
    run_tenant(&x, "UPDATE operation SET at = 1 WHERE seq = 1");
    assert_int_equal(state_of(&x, x.w->f->t, 21), TRUST_ATTENTION);
    run_access(&x, "UPDATE entry_row SET at = 1");
    assert_int_equal(state_of(&x, x.w->f->t, 36), TRUST_ATTENTION);
}

static void a_changed_row_of_the_log_turns_row_33(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('acme', 'x', 1, 0)");
    assert_int_equal(state_of(&x, NULL, 33), TRUST_ATTENTION);
    log_watch_look(&x.app, x.w->f->c.mem);
    look_at_tenants(&x);
    assert_int_equal(state_of(&x, NULL, 33), TRUST_HOLDS);
    assert_int_equal(state_of(&x, x.w->f->t, 33), TRUST_HOLDS);
    assert_int_equal(state_of(&x, x.w->f->t, 36), TRUST_HOLDS);
    run_tenant(&x, "UPDATE operation SET object_name = 'other' WHERE seq = 2");
    run_control(&x, "UPDATE trust_proof SET at = 0");
    look_at_tenants(&x);
    for (int no = 33; no <= 36; no += 3) {
        assert_int_equal(state_of(&x, NULL, no), TRUST_ATTENTION);
        assert_int_equal(state_of(&x, x.w->f->t, no), TRUST_ATTENTION);
        assert_true(says(&x, no, "操作ログ 2 番"));
    }
}

/* Both files of the tenant anew signed, as who holds its key could. */
static void sign_anew(struct watch *x)
{
    uint8_t key[CRYPTO_KEY_BYTES];
    struct log_mark last;

    world_begin(x->w, x->w->admin, TX_READ);
    assert_int_equal(world_end(x->w, operation_last(&x->w->c, &last)), OK);
    log_sign_key(x->w->f->t, key);
    look(x, NULL);
    assert_int_equal(tx_begin_access(&x->w->c, x->w->f->t, TX_WRITE), OK);
    assert_int_equal(
        tx_end_access(&x->w->c, x->w->f->t,
                      request_log_sign_heads(&x->w->c, key, &last)),
        OK);
}

static int64_t broken_at(struct watch *x, enum log_kind kind)
{
    struct log_proof proof;

    look(x, NULL);
    assert_int_equal(
        log_verify(&x->w->c, x->app.store, x->w->f->t, kind, &proof), OK);
    return proof.broken_seq;
}

static void append_entries(struct watch *x, const char *agent)
{
    look(x, NULL);
    assert_int_equal(tx_begin_access(&x->w->c, x->w->f->t, TX_WRITE), OK);
    for (int i = 0; i < 3; i++) {
        struct request_log_row it = {.at = NOW_US,
                                     .ip = "",
                                     .method = "GET",
                                     .route = "/",
                                     .status = 200,
                                     .request_id = "",
                                     .agent = agent};
        assert_int_equal(request_log_append(&x->w->c, &it, 1), OK);
    }
    assert_int_equal(tx_end_access(&x->w->c, x->w->f->t, OK), OK);
}

/* What control.db keeps is known to neither file of the tenant. */
static void files_put_back_together_turn_row_33(void **state)
{
    struct watch x = watch(state);
    int64_t last;

    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('acme', 'x', 1, 0)");
    append_entries(&x, "first");
    sign_anew(&x);
    log_watch_look(&x.app, x.w->f->c.mem);
    look_at_tenants(&x);
    assert_int_equal(state_of(&x, NULL, 33), TRUST_HOLDS);
    last = world_number(x.w, "SELECT max(seq) FROM operation", 0);
    run_tenant(&x, "DELETE FROM operation WHERE seq ="
                   " (SELECT max(seq) FROM operation)");
    run_access(&x, "DELETE FROM entry_row WHERE seq > 1");
    sign_anew(&x);
    assert_int_equal(broken_at(&x, LOG_OPERATION), last);
    assert_int_equal(broken_at(&x, LOG_ACCESS), 2);
    log_watch_look(&x.app, x.w->f->c.mem); /* of the next minute */
    for (int no = 33; no <= 36; no += 3) {
        assert_int_equal(state_of(&x, NULL, no), TRUST_ATTENTION);
        assert_int_equal(state_of(&x, x.w->f->t, no), TRUST_ATTENTION);
    }
    /* written anew, as long as it was: another hash where it was known */
    append_entries(&x, "second");
    sign_anew(&x);
    assert_int_equal(broken_at(&x, LOG_ACCESS), 3);
    run_control(&x, "DELETE FROM log_head");
    assert_int_equal(broken_at(&x, LOG_ACCESS), 0);
}

/* As who can write control.db, but does not think of the heads. */
static void a_cut_end_of_the_operators_log_turns_row_33(void **state)
{
    struct watch x = watch(state);
    struct world *w = x.w;

    for (int i = 0; i < 3; i++) {
        look(&x, NULL);
        w->actor.tenant = STORE_OPERATOR;
        assert_int_equal(tx_begin_control(&w->c, x.app.store, TX_WRITE), OK);
        assert_int_equal(
            tx_end_control(
                &w->c, x.app.store,
                operation_log(&w->c, &(struct operation){.action = "update",
                                                         .kind = "terms",
                                                         .object_name = "x"})),
            OK);
    }
    log_watch_look(&x.app, w->f->c.mem);
    assert_int_equal(count_control(&x, "SELECT count(*) FROM log_break"), 0);
    run_control(&x, "DELETE FROM operation WHERE seq ="
                    " (SELECT max(seq) FROM operation)");
    log_watch_look(&x.app, w->f->c.mem);
    for (int no = 33; no <= 36; no += 3) {
        assert_int_equal(state_of(&x, NULL, no), TRUST_ATTENTION);
        assert_true(says(&x, no, "OPERATOR: 操作ログ 3 番"));
    }
}

/* Nobody's evidence is a look that failed, or one of last week. */
static void a_tenant_that_is_not_looked_at_turns_its_rows(void **state)
{
    static const int rows[] = {6, 7, 8, 9, 10, 11, 12, 13, 21, 29, 33, 36};
    static const struct {
        const char *breaks, *mends;
    } ways[] = {
        {"UPDATE trust_proof SET at = at - 49 * 3600000000",
         "UPDATE trust_proof SET at = at + 49 * 3600000000"},
        {"UPDATE trust_tenant SET at = at - 49 * 3600000000",
         "UPDATE trust_tenant SET at = at + 49 * 3600000000"},
        {"UPDATE trust_tenant SET at = at + 49 * 3600000000", /* a wrong clock */
         "UPDATE trust_tenant SET at = at - 49 * 3600000000"},
        {"UPDATE trust_proof SET error = 'not_found'",
         "UPDATE trust_proof SET error = NULL"},
        {"INSERT INTO customer (id, name, state, created_at)"
         " VALUES ('never', 'n', 1, 0)",
         "DELETE FROM customer WHERE id = 'never'"},
    };
    struct watch x = watch(state);

    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('acme', 'x', 1, 0)");
    log_watch_look(&x.app, x.w->f->c.mem);
    look_at_tenants(&x);
    run_control(&x, "UPDATE trust_tenant SET holds = 1");
    for (size_t n = 0; n < COUNT(ways); n++) {
        look(&x, NULL);
        bool held[TRUST_COUNT];
        for (int i = 0; i < TRUST_COUNT; i++)
            held[i] = x.rows[i].state == TRUST_HOLDS;
        assert_true(held[6 - 1] && held[33 - 1] && held[21 - 1]);
        run_control(&x, ways[n].breaks);
        look(&x, NULL);
        for (size_t i = 0; i < COUNT(rows); i++)
            if (!(strstr(ways[n].breaks, "trust_tenant") && rows[i] == 33))
                assert_int_equal(x.rows[rows[i] - 1].state, TRUST_ATTENTION);
        assert_true(n == 1 || n == 2
                        ? says(&x, 6, "測定が古い")
                        : says(&x, 6, n < 4 ? "（acme）" : "（never）"));
        run_control(&x, ways[n].mends);
    }
}

/* The look itself fails, and that is kept. */
static void a_tenant_whose_key_is_lost_turns_its_rows(void **state)
{
    struct watch x = watch(state);
    struct fixture *f = x.w->f;

    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('acme', 'x', 1, 0),"
                    " ('lost', 'y', 1, 0)");
    log_watch_look(&x.app, f->c.mem);
    look_at_tenants(&x);
    run_control(&x, "UPDATE trust_tenant SET holds = 1");
    look(&x, NULL);
    static const int rows[] = {6, 8, 9, 13, 21, 33};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(x.rows[rows[i] - 1].state, TRUST_ATTENTION);
        assert_true(says(&x, rows[i], "（lost）"));
    }
    assert_int_equal(count_control(&x, "SELECT count(*) FROM trust_proof"
                                       " WHERE error IS NOT NULL"),
                     1);
}

static int64_t world_entries(struct watch *x)
{
    look(x, NULL);
    assert_int_equal(tx_begin_access(&x->w->c, x->w->f->t, TX_READ), OK);
    struct query *q = query(&x->w->c, "SELECT max(seq) FROM entry_row");
    assert_int_equal(query_one(&x->w->c, q), OK);
    int64_t count = col_int(q, 0);
    query_done(q);
    assert_int_equal(tx_end_access(&x->w->c, x->w->f->t, OK), OK);
    return count;
}

static int64_t heads(struct watch *x)
{
    return count_control(x, "SELECT count(*) FROM log_head WHERE kind = 1");
}

static void an_hour_keeps_its_newest_head(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('acme', 'x', 1, 0)");
    append_entries(&x, "a");
    log_watch_look(&x.app, x.w->f->c.mem);
    assert_int_equal(heads(&x), 1);
    log_watch_look(&x.app, x.w->f->c.mem); /* nothing moved */
    assert_int_equal(heads(&x), 1);
    for (int step = -30; step <= 30; step += 60) {
        run_control(&x, step < 0
                            ? "UPDATE log_head SET at = at - 30 * 3600000000"
                            : "UPDATE log_head SET at = at + 60 * 3600000000");
        int64_t before = heads(&x);
        for (int minute = 0; minute < 2; minute++) {
            append_entries(&x, "b");
            log_watch_look(&x.app, x.w->f->c.mem);
            assert_int_equal(heads(&x), before + 1);
            assert_int_equal(count_control(&x, "SELECT max(seq) FROM log_head"
                                               " WHERE kind = 1"),
                             world_entries(&x));
        }
    }
    assert_int_equal(heads(&x), 3);
    run_control(&x, "UPDATE log_head SET signature = zeroblob(64)"
                    " WHERE kind = 1 AND seq = 3");
    assert_int_equal(broken_at(&x, LOG_ACCESS), 3);
}

/* As if nobody had written for a while. */
static void age_files(const struct watch *x)
{
    static const char *const names[] = {"tenant.db", "access.db"};
    const struct timespec past[2] = {{.tv_sec = 1700000000},
                                     {.tv_sec = 1700000000}};
    char path[128];

    for (size_t i = 0; i < COUNT(names); i++) {
        (void)snprintf(path, sizeof path, "%s/tenants/acme/%s", x->w->f->dir,
                       names[i]);
        assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
    }
}

static int64_t opens_of_a_look(struct watch *x)
{
    struct fixture *f = x->w->f;
    struct store_stats before, after;

    tenant_close(f->t);
    store_close(f->store);
    age_files(x);
    assert_int_equal(store_open(&f->config, &f->store), OK);
    x->app.store = f->store;
    look(x, NULL); /* control.db is open */
    store_stats(f->store, &before);
    log_watch_look(&x->app, f->c.mem);
    store_stats(f->store, &after);
    assert_int_equal(tenant_open(f->store, "acme", &f->t), OK);
    return after.opens - before.opens;
}

static void a_quiet_tenant_is_not_opened_for_its_heads(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('acme', 'x', 1, 0)");
    append_entries(&x, "a");
    log_watch_look(&x.app, x.w->f->c.mem);
    assert_true(opens_of_a_look(&x) > 0); /* not seen at rest before */
    assert_int_equal(opens_of_a_look(&x), 0);
    run_control(&x, "UPDATE log_head_seen SET word = 'other'");
    assert_true(opens_of_a_look(&x) > 0);
    assert_int_equal(opens_of_a_look(&x), 0);
    run_control(&x, "DELETE FROM log_head");
    assert_true(opens_of_a_look(&x) > 0);
    assert_int_equal(heads(&x), 1);
}

static void a_turn_is_in_the_history_once(void **state)
{
    struct watch x = watch(state);

    trust_look(&x.app, x.w->f->c.mem);
    trust_look(&x.app, x.w->f->c.mem);
    look(&x, NULL);
    assert_int_equal(x.rows[1].history_count, 1);
    run_control(&x, "INSERT INTO terms (no, ja, en, valid_from, is_material)"
                    " VALUES (1, '規約', 'Terms', 0, 1)");
    trust_look(&x.app, x.w->f->c.mem);
    look(&x, NULL);
    assert_int_equal(x.rows[1].history_count, 2);
    assert_int_equal(x.rows[1].history[0].state, TRUST_HOLDS);
    assert_int_equal(x.rows[1].history[1].state, TRUST_ATTENTION);
}

static enum err say(struct watch *x, int no, int version, const char *json)
{
    look(x, NULL);
    const struct values *v = world_values(x->w, &trust_form, json);
    assert_non_null(v);
    assert_int_equal(tx_begin_control(&x->w->c, x->app.store, TX_WRITE), OK);
    return tx_end_control(&x->w->c, x->app.store,
                          trust_set(&x->w->c, no, version, v));
}

static void the_operator_says_why_not_in_both_languages(void **state)
{
    struct watch x = watch(state);
    static const char half[] = "{\"is_public\":true,\"reason_ja\":\"なし\"}";
    static const char whole[] = "{\"is_public\":true,\"reason_ja\":\"なし\","
                                "\"reason_en\":\"none\"}";

    assert_int_equal(say(&x, 26, 1, half), ERR_INVALID);
    assert_int_equal(say(&x, 39, 1, whole), ERR_NOT_FOUND);
    assert_int_equal(say(&x, 26, 1, whole), OK);
    assert_int_equal(state_of(&x, NULL, 26), TRUST_NOT_APPLICABLE);
    assert_true(x.rows[25].is_public);
    assert_int_equal(say(&x, 26, 7, whole), ERR_STALE);
    assert_int_equal(
        say(&x, 26, (int)x.rows[25].version, "{\"is_public\":false}"), OK);
    assert_int_equal(state_of(&x, NULL, 26), TRUST_ATTENTION);
}

static size_t editions(struct watch *x, const struct trust_version **out)
{
    size_t count = 0;

    look(x, NULL);
    x->w->actor.tenant = STORE_OPERATOR;
    assert_int_equal(tx_begin_control(&x->w->c, x->app.store, TX_WRITE), OK);
    enum err e = trust_version_note(&x->w->c);
    if (!e)
        e = trust_version_list(&x->w->c, out, &count);
    assert_int_equal(tx_end_control(&x->w->c, x->app.store, e), OK);
    return count;
}

static void other_words_begin_an_edition(void **state)
{
    struct watch x = watch(state);
    const struct trust_version *list;

    assert_int_equal(editions(&x, &list), 1);
    assert_string_equal(list[0].changed, "");
    assert_int_equal(editions(&x, &list), 1);
    run_control(&x, "UPDATE trust_edition SET tags ="
                    " CAST(substr(tags, 1, 16) || x'0000000000000000' ||"
                    " substr(tags, 25) AS BLOB)");
    assert_int_equal(editions(&x, &list), 2);
    assert_string_equal(list[0].changed, "3");
    run_control(&x, "UPDATE trust_edition SET version = '0' WHERE no = 2");
    assert_int_equal(editions(&x, &list), 3);
    assert_string_equal(list[0].changed, "");
    assert_string_equal(list[0].version, YAGURA_VERSION);
}

/* ---- what doctor finds ---- */

static struct sandbox_report fake_report;
static struct server_proof fake_proof;

static void read_fake(struct sandbox_report *out)
{
    *out = fake_report;
}

static void prove_fake(const struct app *app, struct server_proof *out)
{
    (void)app;
    *out = fake_proof;
    memcpy(out->newest.names, "*.example.jp", sizeof "*.example.jp");
}

/* A confined server with good TLS and nothing to update. */
static void make_well(struct watch *x)
{
    fake_report = (struct sandbox_report){.no_new_privs = true,
                                          .keeps_files = true,
                                          .keeps_ports = true,
                                          .filters_calls = true,
                                          .landlock_abi = 7,
                                          .files_max = 65536};
    fake_proof = (struct server_proof){
        .is_answered = true,
        .is_tls = true,
        .newest = {"TLSv1.3", "A", {0, NOW_US + 90 * DAY_US, false}},
        .oldest = {"TLSv1.2", "B", {0, NOW_US + 90 * DAY_US, false}},
        .refuses_older = true};
    x->app.read_sandbox = read_fake;
    x->app.prove_server = prove_fake;
    x->app.door_count = 1;
    x->app.around = (struct surroundings){.data_dir = x->w->f->dir,
                                          .master_key = x->w->f->key_path};
}

/* Everything that could be said in the others' views. */
static const char *all_texts(struct watch *x, enum trust_reader reader)
{
    struct buf b = buf_in(x->w->f->c.mem);

    look(x, NULL);
    assert_int_equal(trust_read(&x->w->c, &x->app, reader,
                                reader == TRUST_TENANT ? x->w->f->t : NULL,
                                x->rows),
                     OK);
    for (int i = 0; i < TRUST_COUNT; i++)
        for (size_t k = 0; k < x->rows[i].evidence_count; k++)
            buf_printf(&b, "%s\n", x->rows[i].evidence[k].text);
    return b.data;
}

static void what_the_operator_reads_is_veiled(void **state)
{
    static const char *const secrets[] = {
        "Hanako",     "yagura-test", "/tmp", "root", "other-tenant",
        "テナント 2", "テナント 1",  "更新", "/usr"};
    struct watch x = watch(state);
    const struct doctor_host host = {3, 3};
    struct doctor_view view;

    make_well(&x);
    fake_report.is_root = true;
    assert_int_equal(chmod(x.w->f->key_path, 0444), 0);
    look(&x, NULL);
    assert_int_equal(doctor_run(&x.w->c, &x.app, &host, &view), OK);
    run_control(&x, "INSERT INTO review (kind, subject, every_months, due_on,"
                    " done_on, result, signer, changed_by, changed_at)"
                    " VALUES (0, 'x', 0, 1, 1, 0, 'Hanako', 'Hanako', 1),"
                    " (1, 'x', 0, 1, 1, 0, 'Hanako', 'Hanako', 1)");
    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('other-tenant', 'other-tenant', 1,"
                    " 0), ('acme', 'x', 1, 0)");
    run_control(&x, "INSERT INTO trust_tenant (tenant_id, no, holds, at)"
                    " VALUES ('other-tenant', 6, 0, 1)");
    const char *whole = all_texts(&x, TRUST_OPERATOR);
    assert_non_null(strstr(whole, "Hanako"));
    assert_non_null(strstr(whole, x.w->f->key_path));
    for (int reader = TRUST_ANYONE; reader <= TRUST_TENANT; reader++) {
        const char *text = all_texts(&x, (enum trust_reader)reader);
        for (size_t i = 0; i < COUNT(secrets); i++)
            if (strstr(text, secrets[i]))
                fail_msg("%s is told to %d: %s", secrets[i], reader, text);
        assert_int_equal(x.rows[14 - 1].state, TRUST_ATTENTION);
        assert_int_equal(x.rows[15 - 1].state, TRUST_ATTENTION);
        assert_true(says(&x, 15, "鍵ファイルの権限：満たしていません"));
        assert_true(says(&x, 14, "満たしていないもの"));
    }
    assert_int_equal(chmod(x.w->f->key_path, 0400), 0);
}

/* Whether all holds that doctor tells of a row; the rest of it is others'. */
static bool doctored(struct watch *x, int no, int64_t security)
{
    const struct doctor_host host = {security, security};
    struct doctor_view view;
    struct trust_list list = {.count = 0};
    bool holds = true, is_told = false;

    look(x, NULL);
    assert_int_equal(doctor_run(&x->w->c, &x->app, &host, &view), OK);
    assert_int_equal(tx_begin_control(&x->w->c, x->app.store, TX_READ), OK);
    assert_int_equal(tx_end_control(&x->w->c, x->app.store,
                                    doctor_tell_trust(&x->w->c, &list)),
                     OK);
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].no == no) {
            is_told = true;
            holds = holds && list.items[i].holds;
        }
    assert_true(is_told);
    return holds;
}

static bool doctor_says(struct watch *x, const char *name, const char *text)
{
    struct doctor_view v;

    look(x, NULL);
    assert_int_equal(tx_begin_control(&x->w->c, x->app.store, TX_READ), OK);
    assert_int_equal(tx_end_control(&x->w->c, x->app.store,
                                    doctor_read(&x->w->c, &x->app, &v)),
                     OK);
    for (size_t i = 0; i < v.count; i++)
        if (strcmp(v.findings[i].name, name) == 0)
            return strstr(v.findings[i].en, text) != NULL;
    return false;
}

static void what_confines_turns_row_14(void **state)
{
    struct watch x = watch(state);

    make_well(&x);
    assert_true(doctored(&x, 14, 0));
    fake_report.keeps_files = false;
    assert_false(doctored(&x, 14, 0));
    assert_int_equal(state_of(&x, NULL, 14), TRUST_ATTENTION);
    make_well(&x);
    fake_report.filters_calls = false;
    assert_false(doctored(&x, 14, 0));
    make_well(&x);
    fake_report.is_root = true;
    assert_false(doctored(&x, 14, 0));
    make_well(&x);
    fake_report.has_cores = true;
    assert_false(doctored(&x, 14, 0));
    make_well(&x);
    assert_false(doctored(&x, 14, 3)); /* security updates wait */
    assert_true(doctored(&x, 14, 0));
    x.app.read_sandbox = NULL; /* measured by nobody */
    run_control(&x, "UPDATE doctor SET ran_at = 1 WHERE id = 1");
    assert_int_equal(state_of(&x, NULL, 14), TRUST_ATTENTION);
}

static void certificate_and_tls_turn_rows_15_and_37(void **state)
{
    struct watch x = watch(state);

    for (int no = 15; no <= 37; no += 22) {
        make_well(&x);
        assert_true(doctored(&x, no, 0));
        fake_proof.newest.dates.to = NOW_US - 1;
        assert_false(doctored(&x, no, 0));
        assert_int_equal(state_of(&x, NULL, no), TRUST_ATTENTION);
        make_well(&x);
        fake_proof.newest.dates.to = NOW_US + 3 * DAY_US;
        assert_false(doctored(&x, no, 0));
        make_well(&x);
        fake_proof.refuses_older = false;
        assert_false(doctored(&x, no, 0));
        make_well(&x);
        fake_proof.is_tls = false;
        assert_false(doctored(&x, no, 0));
        make_well(&x);
        x.app.base_url = "https://pm.example.jp:8443"; /* *.example.jp */
        assert_true(doctored(&x, no, 0));
        x.app.base_url = "https://pm.example.net:8443";
        assert_false(doctored(&x, no, 0));
        assert_true(doctor_says(&x, "certificate", "base_url"));
        assert_int_equal(state_of(&x, NULL, no), TRUST_ATTENTION);
        x.app.base_url = NULL;
        x.app.operator_host = "desk.example.net";
        assert_false(doctored(&x, no, 0));
        assert_true(doctor_says(&x, "certificate", "operator_host"));
        x.app.operator_host = NULL;
        run_control(&x, "INSERT INTO customer (id, name, host, state,"
                        " created_at) VALUES ('named', 'x', 'pm.acme.net', 1,"
                        " 0)");
        assert_false(doctored(&x, no, 0));
        assert_true(doctor_says(&x, "certificate", "tenant --host"));
        assert_false(doctor_says(&x, "certificate", "acme.net"));
        run_control(&x, "DELETE FROM customer WHERE id = 'named'");
        assert_true(doctored(&x, no, 0));
    }
    make_well(&x);
    assert_int_equal(chmod(x.w->f->key_path, 0444), 0);
    assert_false(doctored(&x, 15, 0));
    assert_int_equal(chmod(x.w->f->key_path, 0400), 0);
    assert_true(doctored(&x, 15, 0));
}

static const struct trust_evidence *find_line(const struct watch *x, int no,
                                              const char *words)
{
    const struct trust_row *row = &x->rows[no - 1];

    for (size_t i = 0; i < row->evidence_count; i++)
        if (strstr(row->evidence[i].text, words))
            return &row->evidence[i];
    fail_msg("row %d does not say %s", no, words);
    return NULL;
}

/* As read at that moment; what was measured at NOW_US is in the line. */
static bool is_old_at(struct watch *x, int64_t now_us, int no,
                      const char *words)
{
    look(x, NULL);
    x->w->c.now_us = now_us;
    assert_int_equal(
        trust_read(&x->w->c, &x->app, TRUST_OPERATOR, NULL, x->rows), OK);
    const struct trust_evidence *line = find_line(x, no, words);
    must(line != NULL);
    bool is_old = strstr(line->text, "測定が古い") != NULL;
    assert_int_equal(line->at, NOW_US);
    if (is_old) {
        assert_false(line->holds);
        assert_int_equal(x->rows[no - 1].state, TRUST_ATTENTION);
    }
    return is_old;
}

/* Everything that is looked at in rounds, all of it at NOW_US. */
static void look_at_everything(struct watch *x)
{
    static const char *const facts[] = {
        "INSERT OR REPLACE INTO customer (id, name, state, created_at)"
        " VALUES ('acme', 'x', 1, 0)",
        "INSERT INTO backup_tenant VALUES ('acme', '2026-11-22',"
        " 1795312800000000, 2, 1)",
        "INSERT INTO backup_drill VALUES (1, 1795312800000000, '2026-11-22',"
        " 'acme', 1, 1, NULL, NULL)",
        "INSERT INTO backup_check (date, state, asked_at, ended_at, done,"
        " total) VALUES ('2026-11-22', 2, 1, 1795312800000000, 3, 3)",
        "INSERT INTO sample VALUES (60, 0, 1795312800000000, 1)",
        "INSERT INTO threshold (name, level) VALUES ('cpu', 90)",
        "INSERT INTO tenant_use (customer_id, bytes, disk_bytes, users, at)"
        " VALUES ('acme', 1, 1, 1, 1795312800000000)",
        "INSERT INTO advisory_look (id, looked_at, looked_by)"
        " VALUES (1, 1795312800000000, 'x')",
    };
    const struct doctor_host host = {0, 0};
    struct doctor_view view;

    for (size_t i = 0; i < COUNT(facts); i++)
        run_control(x, facts[i]);
    make_generation(x, "2026-11-22");
    log_watch_look(&x->app, x->w->f->c.mem);
    look_at_tenants(x);
    make_well(x);
    look(x, NULL);
    assert_int_equal(doctor_run(&x->w->c, &x->app, &host, &view), OK);
}

static void every_measurement_that_is_kept_grows_old(void **state)
{
    static const int of_tenants[] = {2,  5,  6,  7,  8,  9,  10, 11, 12,
                                     13, 15, 17, 21, 23, 29, 32, 33, 36};
    static const struct {
        int no, hours; /* hours 0: minutes, ten of them */
        const char *words;
    } kept[] = {
        {33, 48, "ログの連鎖を毎日検証"},
        {33, 48, "運用者の操作ログを"},
        {14, 48, "点検（doctor）"},
        {14, 48, "Landlock"},
        {14, 48, "更新"},
        {15, 48, "TLS 1.1 は拒否"},
        {15, 48, "証明書は"},
        {15, 48, "主鍵"},
        {16, 48, "フォルダーにあるものは"},
        {16, 48, "鍵が包み直されて"},
        {37, 48, "TLS 1.1 は拒否"},
        {37, 48, "証明書は"},
        {18, 0, "最後の測定"},
        {18, 0, "有効な警告"},
        {18, 48, "大きさを毎日測定"},
        {20, 48, "最後のバックアップ"},
        {20, 8 * 24, "最後の検査"},
        {20, 32 * 24, "最後の復元訓練"},
        {24, 31 * 24, "最後に確認した日"},
    };
    const int64_t minute = 60000000, hour = 60 * minute;
    struct watch x = watch(state);

    look_at_everything(&x);
    for (size_t i = 0; i < COUNT(of_tenants); i++) {
        const char *words = "テナント 1 件を調べ";
        assert_false(
            is_old_at(&x, NOW_US + 48 * hour - minute, of_tenants[i], words));
        assert_true(
            is_old_at(&x, NOW_US + 48 * hour + minute, of_tenants[i], words));
        assert_true(says(&x, of_tenants[i], "（acme）"));
    }
    for (size_t i = 0; i < COUNT(kept); i++) {
        int64_t end =
            NOW_US + (kept[i].hours ? kept[i].hours * hour : 10 * minute);
        assert_false(is_old_at(&x, end - minute, kept[i].no, kept[i].words));
        assert_true(is_old_at(&x, end + minute, kept[i].no, kept[i].words));
        assert_true(
            is_old_at(&x, NOW_US - 61 * minute, kept[i].no, kept[i].words));
    }
}

/* Nobody's are the rows of who could never be looked at. */
static void a_tenant_that_was_never_looked_at_turns_its_rows(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT INTO customer (id, name, state, created_at)"
                    " VALUES ('never', 'n', 1, 0)");
    for (int no = 12; no <= 13; no++) {
        assert_int_equal(state_of(&x, NULL, no), TRUST_ATTENTION);
        assert_true(says(&x, no, "（never）"));
    }
    run_control(&x, "INSERT INTO tenant_use (customer_id, bytes, disk_bytes,"
                    " users, at) VALUES ('never', 1, 1, 1, 1)");
    look(&x, NULL);
    assert_true(says(&x, 18, "測れていないもの: never"));
}

/* However young the newest row is: the first that is not signed counts. */
static void heads_that_are_not_signed_turn_row_33(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('acme', 'x', 1, 0)");
    log_watch_look(&x.app, x.w->f->c.mem);
    assert_int_equal(state_of(&x, x.w->f->t, 33), TRUST_HOLDS);
    run_control(&x, "UPDATE log_head SET seq = 0 WHERE kind = 0");
    run_tenant(&x, "UPDATE operation SET at = 1795312800000000");
    assert_int_equal(state_of(&x, x.w->f->t, 33), TRUST_HOLDS);
    run_tenant(&x, "UPDATE operation SET at = at - 16 * 60000000"
                   " WHERE seq = 1");
    assert_int_equal(state_of(&x, x.w->f->t, 33), TRUST_ATTENTION);
    run_control(&x, "UPDATE log_head SET seq = 1 WHERE kind = 0");
    assert_int_equal(state_of(&x, x.w->f->t, 33), TRUST_HOLDS);
}

static void a_walk_that_failed_turns_row_33(void **state)
{
    struct watch x = watch(state);

    run_control(&x, "INSERT OR REPLACE INTO customer (id, name, state,"
                    " created_at) VALUES ('acme', 'x', 1, 0)");
    log_watch_look(&x.app, x.w->f->c.mem);
    look_at_tenants(&x);
    assert_int_equal(state_of(&x, x.w->f->t, 33), TRUST_HOLDS);
    run_control(&x, "UPDATE trust_proof SET error = 'internal'"
                    " WHERE tenant_id = 'acme'");
    assert_int_equal(state_of(&x, x.w->f->t, 33), TRUST_ATTENTION);
    run_control(&x, "UPDATE trust_proof SET error = iif(tenant_id = 'acme',"
                    " NULL, 'internal')");
    assert_int_equal(state_of(&x, x.w->f->t, 33), TRUST_HOLDS);
    assert_int_equal(state_of(&x, NULL, 33), TRUST_ATTENTION);
    run_control(&x, "UPDATE trust_proof SET error = NULL");
    assert_int_equal(state_of(&x, NULL, 33), TRUST_HOLDS);
}

/* What the package manager said stays for 8 days, then it was not asked. */
static void updates_are_not_forgotten_at_once(void **state)
{
    struct watch x = watch(state);
    struct doctor_view v;

    make_well(&x);
    assert_true(doctored(&x, 14, 0));
    for (int days = 0; days <= 9; days += 9) {
        look(&x, NULL);
        x.w->c.now_us += days * DAY_US;
        assert_int_equal(doctor_run(&x.w->c, &x.app, NULL, &v), OK);
        assert_int_equal(tx_begin_control(&x.w->c, x.app.store, TX_READ), OK);
        assert_int_equal(tx_end_control(&x.w->c, x.app.store,
                                        doctor_read(&x.w->c, &x.app, &v)),
                         OK);
        const struct doctor_finding *last = &v.findings[v.count - 1];
        assert_string_equal(last->name, "updates");
        assert_int_equal(last->state, days ? DOCTOR_WARNING : DOCTOR_GOOD);
    }
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_measured_needs_attention),
        TEST(a_binary_without_a_manual_turns_rows_19_and_27),
        TEST(terms_turn_row_2),
        TEST(policies_turn_row_1),
        TEST(a_path_outside_turns_row_3),
        TEST(a_contract_without_a_place_turns_row_3),
        TEST(what_is_left_of_a_deleted_tenant_turns_row_16),
        TEST(a_late_sample_turns_row_18),
        TEST(a_threshold_turns_row_18),
        TEST(the_kernels_clock_turns_row_22),
        TEST(an_impact_nobody_was_told_of_turns_row_24),
        TEST(statements_turn_rows_4_and_34),
        TEST(a_supplier_outside_turns_row_3),
        TEST(mails_that_do_not_leave_turn_row_17),
        TEST(labels_nobody_can_tell_apart_turn_row_6),
        TEST(no_administrator_turns_row_7),
        TEST(a_grant_left_to_who_is_gone_turns_row_8),
        TEST(an_overdue_review_of_rights_turns_row_8),
        TEST(a_session_without_a_code_turns_row_9),
        TEST(a_list_that_is_not_checked_turns_row_9),
        TEST(a_long_lived_link_turns_row_10),
        TEST(a_role_that_edits_blindly_turns_row_11),
        TEST(a_file_that_opens_others_turns_row_13),
        TEST(an_alert_that_tells_nobody_turns_row_23),
        TEST(an_undelivered_alert_turns_row_23),
        TEST(support_without_consent_turns_row_29),
        TEST(an_odd_route_turns_row_12),
        TEST(files_are_sealed_and_apart),
        TEST(shared_cookies_turn_row_25),
        TEST(a_door_that_leads_elsewhere_turns_row_25),
        TEST(the_inventory_is_what_runs),
        TEST(a_late_backup_turns_row_20),
        TEST(a_failed_copy_turns_row_20),
        TEST(copies_that_are_gone_turn_row_20),
        TEST(a_new_tenant_is_not_yet_due),
        TEST(what_the_operator_reads_is_veiled),
        TEST(a_desk_turns_row_19),
        TEST(an_overdue_enquiry_turns_row_32),
        TEST(a_contact_turns_row_35),
        TEST(old_rows_turn_rows_21_and_36),
        TEST(a_changed_row_of_the_log_turns_row_33),
        TEST(files_put_back_together_turn_row_33),
        TEST(an_hour_keeps_its_newest_head),
        TEST(a_tenant_whose_key_is_lost_turns_its_rows),
        TEST(a_tenant_that_is_not_looked_at_turns_its_rows),
        TEST(a_cut_end_of_the_operators_log_turns_row_33),
        TEST(a_turn_is_in_the_history_once),
        TEST(the_operator_says_why_not_in_both_languages),
        TEST(a_quiet_tenant_is_not_opened_for_its_heads),
        TEST(other_words_begin_an_edition),
        TEST(what_confines_turns_row_14),
        TEST(certificate_and_tls_turn_rows_15_and_37),
        TEST(every_measurement_that_is_kept_grows_old),
        TEST(a_tenant_that_was_never_looked_at_turns_its_rows),
        TEST(heads_that_are_not_signed_turn_row_33),
        TEST(a_walk_that_failed_turns_row_33),
        TEST(updates_are_not_forgotten_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
