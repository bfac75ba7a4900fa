/* SPDX-License-Identifier: Apache-2.0 */
/* Puts together what the operator said, what was found and when it turned. */
#include "core/trust/trust.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "core/backup/log_break.h"
#include "core/backup/log_head.h"
#include "core/core.h"
#include "core/document/terms.h"
#include "core/log/operation.h"
#include "db/query.h"

#include <string.h>

const char *const trust_state_words[] = {"holds", "attention", "not_applicable",
                                         NULL};

enum { HISTORY_MAX = 10, DUE_MAX = 100, NAMED_MAX = 5 };
#define US_PER_DAY INT64_C(86400000000)
#define RETRY_US   INT64_C(3600000000)
/* Beyond it a moment is of another clock, and says nothing. */
#define TRUST_AHEAD_US INT64_C(3600000000)

enum {
    TRUST_ROWS,
    TRUST_CHANGES,
    TRUST_SUMS,
    TRUST_UNSEEN,
    TRUST_PROOF,
    TRUST_PROOFS,
    TRUST_ONE,
    TRUST_SET,
    TRUST_TURN,
    TRUST_ADD_CHANGE,
    TRUST_FORGET,
    TRUST_ADD,
    TRUST_SET_PROOF,
    TRUST_FAILED,
    TRUST_DUE,
};
static const char *const trust_text[] = {
    [TRUST_ROWS] = "SELECT no, is_public, reason_ja, reason_en, version, state"
                   " FROM trust_row",
    [TRUST_CHANGES] =
        "SELECT no, at, state FROM (SELECT no, at, state, row_number() OVER"
        " (PARTITION BY no ORDER BY id DESC) AS n FROM trust_change"
        " INDEXED BY trust_change_no) WHERE n <= 10 ORDER BY no, n",
    /* terms, people and contacts a new tenant has yet to bring */
    [TRUST_SUMS] =
        "SELECT no, count(*), sum(holds = 0), min(at),"
        " sum(holds = 0 AND created_at > ?1 AND no IN (2, 7, 17, 32)),"
        " substr(group_concat(iif(holds = 0 AND NOT (created_at > ?1 AND no"
        " IN (2, 7, 17, 32)), id, NULL), ', '), 1, 200)"
        " FROM trust_tenant JOIN customer ON id = tenant_id AND state = 1"
        " GROUP BY no",
    [TRUST_UNSEEN] =
        "SELECT id FROM customer LEFT JOIN trust_proof p ON p.tenant_id = id"
        " WHERE state = 1 AND (p.error IS NOT NULL OR (coalesce(p.at, 0) < ?1"
        " AND created_at < ?2) OR p.at > ?3) ORDER BY id",
    [TRUST_PROOF] = "SELECT at, operation_last, entry_last, error IS NOT NULL,"
                    " tried_at FROM trust_proof WHERE tenant_id = ?1"
                    " AND (at > 0 OR error IS NOT NULL)",
    [TRUST_PROOFS] = "SELECT count(*), min(p.at) FROM customer JOIN"
                     " trust_proof p ON p.tenant_id = id WHERE state = 1"
                     " AND p.at > 0",
    [TRUST_ONE] = "SELECT is_public, reason_ja, reason_en, version"
                  " FROM trust_row WHERE no = ?1",
    [TRUST_SET] = "INSERT INTO trust_row (no, is_public, reason_ja, reason_en)"
                  " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (no) DO UPDATE SET"
                  " is_public = ?2, reason_ja = ?3, reason_en = ?4,"
                  " version = version + 1",
    [TRUST_TURN] = "INSERT INTO trust_row (no, state) VALUES (?1, ?2)"
                   " ON CONFLICT (no) DO UPDATE SET state = ?2",
    [TRUST_ADD_CHANGE] =
        "INSERT INTO trust_change (no, state, at) VALUES (?1, ?2, ?3)",
    [TRUST_FORGET] = "DELETE FROM trust_tenant WHERE tenant_id = ?1",
    [TRUST_ADD] = "INSERT INTO trust_tenant (tenant_id, no, holds, at)"
                  " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET"
                  " holds = min(holds, ?3)",
    [TRUST_SET_PROOF] =
        "INSERT INTO trust_proof (tenant_id, at, operation_last,"
        " operation_bad, entry_last, entry_bad, tried_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?2)"
        " ON CONFLICT (tenant_id) DO UPDATE SET at = ?2, operation_last = ?3,"
        " operation_bad = ?4, entry_last = ?5, entry_bad = ?6, tried_at = ?2,"
        " error = NULL",
    [TRUST_FAILED] =
        "INSERT INTO trust_proof (tenant_id, at, operation_last,"
        " operation_bad, entry_last, entry_bad, tried_at, error)"
        " VALUES (?1, 0, 0, 0, 0, 0, ?2, ?3) ON CONFLICT (tenant_id)"
        " DO UPDATE SET tried_at = ?2, error = ?3",
    /* what failed is tried again within the hour */
    [TRUST_DUE] = "SELECT id FROM customer LEFT JOIN trust_proof p"
                  " ON p.tenant_id = id WHERE state = 1 AND (p.at IS NULL"
                  " OR p.at < ?1 OR p.at > ?2) AND (p.error IS NULL"
                  " OR p.tried_at < ?3 OR p.tried_at > ?2) LIMIT 100",
};
const struct query_set trust_queries = {"trust", trust_text, COUNT(trust_text)};

static const struct field trust_fields[] = {
    {BOOL("is_public", REQUIRED, "公開", "Public")},
    {LINES("reason_ja", 1, 1000, NULLABLE, "適用しない理由（日本語）",
           "Why it does not apply (Japanese)")},
    {LINES("reason_en", 1, 1000, NULLABLE, "適用しない理由（英語）",
           "Why it does not apply (English)")},
};
const struct form trust_form = {"TrustSet", trust_fields, COUNT(trust_fields)};

/* ---- what stands in control.db ---- */

/* An enum in SQL is what was written here. */
static enum trust_state to_state(int64_t n)
{
    return n >= TRUST_HOLDS && n <= TRUST_NOT_APPLICABLE ? (enum trust_state)n
                                                         : TRUST_ATTENTION;
}

/* last: the state found last, -1 where there is none. */
static enum err read_rows(struct ctx *c, struct trust_row out[TRUST_COUNT],
                          int last[TRUST_COUNT])
{
    struct query *q = query(c, trust_text[TRUST_ROWS]);
    enum err e;

    for (int i = 0; i < TRUST_COUNT; i++) {
        out[i] =
            (struct trust_row){.promise = &trust_promises[i], .version = 1};
        last[i] = -1;
    }
    while (query_next(c, q, &e)) {
        int64_t no = col_int(q, 0);
        if (no < 1 || no > TRUST_COUNT)
            continue;
        struct trust_row *row = &out[no - 1];
        row->is_public = col_int(q, 1) != 0;
        row->reason_ja = col_text(c, q, 2);
        row->reason_en = col_text(c, q, 3);
        row->version = col_int(q, 4);
        last[no - 1] = col_is_null(q, 5) ? -1 : (int)col_int(q, 5);
    }
    return e;
}

static enum err read_history(struct ctx *c, struct trust_row out[TRUST_COUNT])
{
    struct query *q = query(c, trust_text[TRUST_CHANGES]);
    struct trust_change *list =
        arena_array(c->mem, struct trust_change, TRUST_COUNT * HISTORY_MAX);
    enum err e;

    while (query_next(c, q, &e)) {
        int64_t no = col_int(q, 0);
        if (no < 1 || no > TRUST_COUNT)
            continue;
        struct trust_row *row = &out[no - 1];
        struct trust_change *mine = list + (no - 1) * HISTORY_MAX;
        if (row->history_count == HISTORY_MAX)
            continue;
        row->history = mine;
        mine[row->history_count++] = (struct trust_change){
            .at = col_int(q, 1), .state = to_state(col_int(q, 2))};
    }
    return e;
}

struct unseen {
    long long count;
    struct buf names; /* some of them */
};

/* Whom the daily round could not look at, or did not for too long: of these
 * nothing is known to hold. */
static enum err find_unseen(struct ctx *c, struct unseen *out)
{
    struct query *q = query(c, trust_text[TRUST_UNSEEN]);
    enum err e;

    *out = (struct unseen){.names = buf_in(c->mem)};
    bind_int(q, 1, c->now_us - TRUST_AGE_US);
    bind_int(q, 2, c->now_us - TRUST_NEW_US);
    bind_int(q, 3, c->now_us + TRUST_AHEAD_US);
    while (query_next(c, q, &e))
        if (out->count++ < NAMED_MAX)
            buf_printf(&out->names, "%s%s", out->names.len ? ", " : "",
                       col_peek(q, 0));
    if (out->count > NAMED_MAX)
        buf_puts(&out->names, ", …");
    return e;
}

static const char *named(struct ctx *c, const char *names)
{
    if (!names || !*names)
        return "";
    return arena_printf(c->mem, c->actor->lang == LANG_EN ? " (%s)" : "（%s）",
                        names);
}

/* What trust_measure_tenant() and trust_measure_accesses() look at. */
static const int of_tenants[] = {2,  5,  6,  7,  8,  9,  10, 11, 12,
                                 13, 15, 17, 21, 23, 29, 32, 33, 36};

static void say_unseen(struct ctx *c, struct trust_list *out, int no,
                       const struct unseen *unseen)
{
    trust_say(c, out, no, false, "まだ一度も調べられていないテナント %lld 件%s",
              "Tenants that were never looked at: %lld%s", unseen->count,
              named(c, unseen->names.data));
    trust_tell_others(c, out, "すべてのお客様についての毎日の点検",
                      "The daily look at all customers");
}

/* What the daily round found in all tenants, as one line for each promise. */
static enum err add_sums(struct ctx *c, struct trust_list *out)
{
    struct unseen unseen;
    bool is_said[TRUST_COUNT + 1] = {false};
    enum err e = find_unseen(c, &unseen);

    if (e)
        return e;
    const char *who = named(c, unseen.names.len ? unseen.names.data : "");
    struct query *q = query(c, trust_text[TRUST_SUMS]);
    bind_int(q, 1, c->now_us - TRUST_NEW_US);
    while (query_next(c, q, &e)) {
        int64_t no = col_int(q, 0);
        if (no < 1 || no > TRUST_COUNT)
            continue;
        is_said[no] = true;
        long long all = col_int(q, 1), young = col_int(q, 4);
        long long bad = col_int(q, 2) - young;
        trust_say(c, out, (int)no, bad == 0 && unseen.count == 0,
                  "テナント %lld 件を調べ、要確認 %lld 件%s、調べられなかった"
                  "もの %lld 件%s、利用開始から26時間以内でまだ求められない"
                  "もの %lld 件",
                  "Tenants looked at: %lld; needing attention: %lld%s; not "
                  "looked at: %lld%s; begun within 26 hours and not yet due: "
                  "%lld",
                  all, bad, named(c, col_text(c, q, 5)), unseen.count, who,
                  young);
        trust_tell_others(c, out, "すべてのお客様についての毎日の点検",
                          "The daily look at all customers");
        trust_date(out, col_int(q, 3), TRUST_AGE_US);
    }
    for (size_t i = 0; i < COUNT(of_tenants) && !e && unseen.count; i++)
        if (!is_said[of_tenants[i]])
            say_unseen(c, out, of_tenants[i], &unseen);
    return e;
}

/* Every log whose chain is broken, the operator's own too, as it was found:
 * that needs no look to be told. */
static enum err add_breaks(struct ctx *c, const char *tenant,
                           struct trust_list *out)
{
    const struct log_break *list;
    struct buf names = buf_in(c->mem);
    size_t count;
    int64_t all;
    enum err e = log_break_list(c, tenant, &list, &count, &all);

    if (e || !all)
        return e;
    for (size_t i = 0; i < count; i++)
        buf_printf(&names,
                   c->actor->lang == LANG_EN ? "%s%s%s row %lld (found %s)"
                                             : "%s%s%s %lld 番（%s に検出）",
                   i ? ctx_text(c, "、", "; ") : "",
                   tenant ? "" : arena_printf(c->mem, "%s: ", list[i].tenant),
                   log_break_name(c, list[i].kind), (long long)list[i].seq,
                   trust_moment(c, list[i].found_at));
    for (int no = 33; no <= 36; no += 3) {
        trust_say(c, out, no, false, "連鎖が途切れています（%lld 件）: %s",
                  "A chain is broken (%lld): %s", (long long)all, names.data);
        if (tenant) /* its own */
            out->items[out->count - 1].shown = out->items[out->count - 1].text;
        else
            trust_tell_others(c, out, "ログの連鎖に途切れがないこと",
                              "The chains of the logs are whole");
        trust_date(out, list[0].found_at, TRUST_OWN_AGE);
    }
    return OK;
}

/* The daily walk along a tenant's chains, or the operator's.  at: the last that
 * went well, tried_at: the last, when that did not; 0: there was none. */
struct walk {
    int64_t at, operations, entries, failed_at;
};

static enum err read_walk(struct ctx *c, const char *tenant, struct walk *out)
{
    struct query *q = query(c, trust_text[TRUST_PROOF]);

    *out = (struct walk){.at = 0};
    bind_text(q, 1, tenant);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    *out = (struct walk){.at = col_int(q, 0),
                         .operations = col_int(q, 1),
                         .entries = col_int(q, 2),
                         .failed_at = col_int(q, 3) ? col_int(q, 4) : 0};
    query_done(q);
    return OK;
}

static void say_failed(struct ctx *c, const struct walk *w,
                       struct trust_list *out)
{
    if (!w->failed_at)
        return;
    trust_show(c, out, 33, false, "ログの連鎖の最後の検証ができませんでした",
               "The last verification of the chains of the logs failed");
    trust_date(out, w->failed_at, TRUST_AGE_US);
}

static enum err add_own_log(struct ctx *c, struct trust_list *out)
{
    struct walk w;
    enum err e = read_walk(c, STORE_OPERATOR, &w);

    if (e)
        return e;
    say_failed(c, &w, out);
    if (!w.at)
        return OK;
    trust_say(c, out, 33, true, "運用者の操作ログを %lld 番まで検証",
              "The operator's own log was verified up to row %lld",
              (long long)w.operations);
    trust_tell_others(c, out, "運用者の操作ログの検証",
                      "The operator's own log is verified");
    trust_date(out, w.at, TRUST_AGE_US);
    return OK;
}

static enum err add_proofs(struct ctx *c, struct trust_list *out)
{
    struct unseen unseen;
    enum err e = find_unseen(c, &unseen);

    if (e)
        return e;
    struct query *q = query(c, trust_text[TRUST_PROOFS]);
    if ((e = query_one(c, q)))
        return e;
    long long all = col_int(q, 0);
    int64_t at = col_int(q, 1);
    query_done(q);
    if (all || unseen.count) {
        trust_say(c, out, 33, unseen.count == 0,
                  "テナント %lld 件のログの連鎖を毎日検証、検証できなかった"
                  "もの %lld 件%s",
                  "Tenants whose logs' chains are verified daily: %lld; not "
                  "verified: %lld%s",
                  all, unseen.count,
                  named(c, unseen.names.len ? unseen.names.data : ""));
        trust_tell_others(c, out, "すべてのお客様のログの連鎖の検証",
                          "The chains of all customers' logs");
        if (all)
            trust_date(out, at, TRUST_AGE_US);
    }
    e = add_own_log(c, out);
    return e ? e : add_breaks(c, NULL, out);
}

static enum err add_proof(struct ctx *c, const char *tenant,
                          struct trust_list *out)
{
    struct walk w;
    enum err e = read_walk(c, tenant, &w);

    if (e)
        return e;
    say_failed(c, &w, out);
    if (w.at) {
        trust_show(
            c, out, 33, true,
            "操作ログを %lld 番まで、アクセスログを %lld 番まで検証（毎日）",
            "Verified up to row %lld of the operation log and row %lld of the "
            "access log (daily)",
            (long long)w.operations, (long long)w.entries);
        trust_date(out, w.at, TRUST_AGE_US);
    }
    return add_breaks(c, tenant, out);
}

/* ---- putting together ---- */

/* What the operator alone reads becomes one line of how many there are. */
static size_t veil(struct ctx *c, struct trust_evidence *list, size_t count)
{
    struct trust_evidence rest = {.holds = true};
    size_t kept = 0, veiled = 0, unmet = 0;

    for (size_t i = 0; i < count; i++) {
        if (list[i].shown) {
            list[kept] = list[i];
            list[kept].text = list[kept].shown;
            kept++;
            continue;
        }
        rest.at = veiled && rest.at < list[i].at ? rest.at : list[i].at;
        veiled++;
        unmet += !list[i].holds;
    }
    if (!veiled)
        return kept;
    rest.holds = unmet == 0;
    rest.text = arena_printf(
        c->mem,
        c->actor->lang == LANG_EN
            ? "What the operator looks at besides: %zu, not as it should be: "
              "%zu"
            : "運用者が確認している項目 %zu 件、満たしていないもの %zu 件",
        veiled, unmet);
    list[kept++] = rest;
    return kept;
}

/* What was measured too long ago, or by a clock ahead of this one, is no word
 * on now. */
static void judge_age(struct ctx *c, struct trust_evidence *e)
{
    if (e->at >= c->now_us - e->period_us &&
        e->at <= c->now_us + TRUST_AHEAD_US)
        return;
    const char *why =
        ctx_text(c, "（測定が古いため、いまの状態は分かりません）",
                 " (measured too long ago to say how it is now)");
    e->holds = false;
    e->text = arena_printf(c->mem, "%s%s", e->text, why);
    if (e->shown)
        e->shown = arena_printf(c->mem, "%s%s", e->shown, why);
}

/* A promise that nothing measures needs attention, and says so. */
static void judge(struct ctx *c, const struct trust_list *list,
                  enum trust_reader reader, struct trust_row *row)
{
    struct trust_evidence *mine =
        arena_array(c->mem, struct trust_evidence, list->count + 1);

    row->state = TRUST_HOLDS;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].no == row->promise->no) {
            struct trust_evidence *item = &mine[row->evidence_count++];
            *item = list->items[i];
            judge_age(c, item);
            if (!item->holds)
                row->state = TRUST_ATTENTION;
        }
    if (!row->evidence_count)
        row->state = TRUST_ATTENTION;
    if (row->reason_ja || row->reason_en)
        row->state = TRUST_NOT_APPLICABLE;
    if (reader != TRUST_OPERATOR)
        row->evidence_count = veil(c, mine, row->evidence_count);
    row->evidence = mine;
}

static enum err read_installation(struct ctx *c, const struct app *app,
                                  enum trust_reader reader, const char *tenant,
                                  struct trust_list *list,
                                  struct trust_row out[TRUST_COUNT],
                                  int last[TRUST_COUNT])
{
    enum err e = read_rows(c, out, last);

    if (!e)
        e = read_history(c, out);
    if (!e)
        e = trust_measure(c, app, tenant, list);
    if (!e)
        e = tenant ? add_proof(c, tenant, list) : add_sums(c, list);
    if (!e && !tenant)
        e = add_proofs(c, list);
    for (int i = 0; i < TRUST_COUNT && !e && !tenant; i++)
        judge(c, list, reader, &out[i]);
    return e;
}

/* What control.db knows that the tenant's own file is held against. */
static enum err read_known(struct ctx *c, struct tenant *t,
                           struct terms_now *terms, struct trust_list *list)
{
    struct log_mark head;
    enum err e = terms_read_now(c, terms);

    if (!e)
        e = log_head_newest(c, LOG_OPERATION, tenant_id(t), &head,
                            &list->head_at);
    list->head_seq = e ? 0 : head.seq;
    return e;
}

static enum err read_tenant(struct ctx *c, const struct app *app,
                            struct tenant *t, struct trust_list *list)
{
    struct terms_now terms;
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e ||
        (e = tx_end_control(c, app->store, read_known(c, t, &terms, list))))
        return e;
    if ((e = tx_begin(c, t, TX_READ)) ||
        (e = tx_end(c, t, trust_measure_tenant(c, app, terms.owed, list))))
        return e;
    e = tx_begin_access(c, t, TX_READ);
    return e ? e : tx_end_access(c, t, trust_measure_accesses(c, list));
}

enum err trust_read(struct ctx *c, const struct app *app,
                    enum trust_reader reader, struct tenant *t,
                    struct trust_row out[TRUST_COUNT])
{
    struct tenant *tenant = reader == TRUST_TENANT ? t : NULL;
    struct trust_list list = {.count = 0};
    int last[TRUST_COUNT];
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e)
        return e;
    e = read_installation(c, app, reader, tenant ? tenant_id(tenant) : NULL,
                          &list, out, last);
    e = tx_end_control(c, app->store, e);
    if (!e && tenant)
        e = read_tenant(c, app, tenant, &list);
    for (int i = 0; i < TRUST_COUNT && !e && tenant; i++)
        judge(c, &list, reader, &out[i]);
    return e;
}

/* ---- what the operator says ---- */

static const char *describe(struct ctx *c, bool is_public, const char *ja,
                            const char *en)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_bool(&o, "is_public", is_public);
    json_text(&o, "reason_ja", ja);
    json_text(&o, "reason_en", en);
    json_close(&o, '}');
    return b.data;
}

enum err trust_set(struct ctx *c, int64_t no, int64_t version,
                   const struct values *v)
{
    bool is_public = values_bool(v, "is_public", false);
    const char *ja = values_text(v, "reason_ja");
    const char *en = values_text(v, "reason_en");
    const char *before = describe(c, false, NULL, NULL);
    int64_t now = 1;

    if (no < 1 || no > TRUST_COUNT)
        return ctx_fail(c, ERR_NOT_FOUND, "", "not_found", "見つかりません",
                        "Not found");
    if (!ja != !en)
        return ctx_fail(c, ERR_INVALID, ja ? "reason_en" : "reason_ja",
                        "both_languages",
                        "適用しない理由は日本語と英語の両方で書いてください",
                        "Write the reason in Japanese and in English");
    struct query *q = query(c, trust_text[TRUST_ONE]);
    bind_int(q, 1, no);
    enum err e = query_one(c, q);
    if (!e) {
        before = describe(c, col_int(q, 0) != 0, col_text(c, q, 1),
                          col_text(c, q, 2));
        now = col_int(q, 3);
        query_done(q);
    } else if (e != ERR_NOT_FOUND) {
        return e;
    }
    if (now != version)
        return ctx_stale(c);
    q = query(c, trust_text[TRUST_SET]);
    bind_int(q, 1, no);
    bind_int(q, 2, is_public);
    bind_text(q, 3, ja);
    bind_text(q, 4, en);
    if ((e = query_run(c, q)))
        return e;
    return operation_log(
        c, &(struct operation){.action = "update",
                               .kind = "trust",
                               .object_id = no,
                               .object_name = trust_promises[no - 1].title_ja,
                               .before = before,
                               .after = describe(c, is_public, ja, en)});
}

/* ---- rounds ---- */

static enum err turn(struct ctx *c, const struct trust_row *row)
{
    struct query *q = query(c, trust_text[TRUST_TURN]);

    bind_int(q, 1, row->promise->no);
    bind_int(q, 2, row->state);
    enum err e = query_run(c, q);
    if (e)
        return e;
    q = query(c, trust_text[TRUST_ADD_CHANGE]);
    bind_int(q, 1, row->promise->no);
    bind_int(q, 2, row->state);
    bind_int(q, 3, c->now_us);
    return query_run(c, q);
}

static struct ctx system_ctx(struct arena *mem, struct actor *actor,
                             const char *tenant)
{
    *actor = (struct actor){
        .name = "", .ip = "", .request_id = "trust", .tenant = tenant};
    return (struct ctx){.mem = mem, .actor = actor, .now_us = clock_now_us()};
}

void trust_look(struct app *app, struct arena *mem)
{
    struct trust_list list = {.count = 0};
    struct trust_row rows[TRUST_COUNT];
    struct actor actor;
    struct ctx c = system_ctx(mem, &actor, STORE_OPERATOR);
    int last[TRUST_COUNT];
    enum err e = tx_begin_control(&c, app->store, TX_READ);

    if (!e)
        e = tx_end_control(&c, app->store,
                           read_installation(&c, app, TRUST_OPERATOR, NULL,
                                             &list, rows, last));
    bool any = false;
    for (int i = 0; i < TRUST_COUNT && !e; i++)
        any = any || last[i] != (int)rows[i].state;
    if (any && !(e = tx_begin_control(&c, app->store, TX_WRITE))) {
        for (int i = 0; i < TRUST_COUNT && !e; i++)
            if (last[i] != (int)rows[i].state)
                e = turn(&c, &rows[i]);
        e = tx_end_control(&c, app->store, e);
    }
    if (e)
        log_error("trust page not looked at err=%s", err_name(e));
}

struct proof {
    struct log_proof operations, accesses;
};

/* Walks both chains of a tenant. */
static enum err prove(struct ctx *c, const struct app *app, struct tenant *t,
                      struct proof *out)
{
    enum err e = log_check(c, app, t, LOG_OPERATION, &out->operations);

    return e ? e : log_check(c, app, t, LOG_ACCESS, &out->accesses);
}

static enum err keep_proof(struct ctx *c, const char *id,
                           const struct proof *proof)
{
    struct query *q = query(c, trust_text[TRUST_SET_PROOF]);

    bind_text(q, 1, id);
    bind_int(q, 2, c->now_us);
    bind_int(q, 3, proof->operations.last_seq);
    bind_int(q, 4, proof->operations.broken_seq);
    bind_int(q, 5, proof->accesses.last_seq);
    bind_int(q, 6, proof->accesses.broken_seq);
    return query_run(c, q);
}

static enum err keep(struct ctx *c, const char *id,
                     const struct trust_list *list, const struct proof *proof)
{
    struct query *q = query(c, trust_text[TRUST_FORGET]);

    bind_text(q, 1, id);
    enum err e = query_run(c, q);
    for (size_t i = 0; i < list->count && !e; i++) {
        q = query(c, trust_text[TRUST_ADD]);
        bind_text(q, 1, id);
        bind_int(q, 2, list->items[i].no);
        bind_int(q, 3, list->items[i].holds);
        bind_int(q, 4, c->now_us);
        e = query_run(c, q);
    }
    return e ? e : keep_proof(c, id, proof);
}

static enum err keep_failed(struct ctx *c, const char *id, enum err why)
{
    struct query *q = query(c, trust_text[TRUST_FAILED]);

    bind_text(q, 1, id);
    bind_int(q, 2, c->now_us);
    bind_text(q, 3, err_name(why));
    return query_run(c, q);
}

/* That a tenant could not be looked at is a finding too. */
static void note_failed(struct ctx *c, struct app *app, const char *id,
                        enum err why)
{
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    log_error("trust page: tenant not measured tenant=%s err=%s", id,
              err_name(why));
    if (!e)
        e = tx_end_control(c, app->store, keep_failed(c, id, why));
    if (e)
        log_error("trust page: not kept err=%s", err_name(e));
}

static void look_at(struct app *app, struct arena *mem, const char *id)
{
    struct trust_list list = {.count = 0};
    struct proof proof = {.operations = {0}};
    struct actor actor;
    struct ctx c = system_ctx(mem, &actor, id);
    struct tenant *t;
    enum err e = tenant_look(app->store, id); /* a lost key shows here */

    if (!e && !(e = tenant_open(app->store, id, &t))) {
        e = read_tenant(&c, app, t, &list);
        if (!e)
            e = prove(&c, app, t, &proof);
        tenant_close(t);
    }
    if (!e && !(e = tx_begin_control(&c, app->store, TX_WRITE)))
        e = tx_end_control(&c, app->store, keep(&c, id, &list, &proof));
    if (e)
        note_failed(&c, app, id, e);
}

/* The operator's own log, which has nothing else that is looked at. */
static void look_at_own_log(struct app *app, struct arena *mem)
{
    struct proof proof = {.operations = {0}};
    struct actor actor;
    struct ctx c = system_ctx(mem, &actor, STORE_OPERATOR);
    struct tenant *t;
    enum err e = tenant_open(app->store, STORE_OPERATOR, &t);

    if (!e) {
        e = log_check(&c, app, t, LOG_OPERATION, &proof.operations);
        tenant_close(t);
    }
    if (!e && !(e = tx_begin_control(&c, app->store, TX_WRITE)))
        e = tx_end_control(&c, app->store,
                           keep_proof(&c, STORE_OPERATOR, &proof));
    if (e)
        note_failed(&c, app, STORE_OPERATOR, e);
}

static enum err is_own_due(struct ctx *c, bool *out)
{
    struct walk w;
    enum err e = read_walk(c, STORE_OPERATOR, &w);

    *out = w.at < c->now_us - US_PER_DAY || w.at > c->now_us;
    if (w.failed_at && w.failed_at > c->now_us - RETRY_US &&
        w.failed_at <= c->now_us)
        *out = false;
    return e;
}

static enum err list_due(struct ctx *c, const char *ids[DUE_MAX], size_t *count)
{
    struct query *q = query(c, trust_text[TRUST_DUE]);
    enum err e;

    bind_int(q, 1, c->now_us - US_PER_DAY);
    bind_int(q, 2, c->now_us);
    bind_int(q, 3, c->now_us - RETRY_US);
    while (query_next(c, q, &e))
        if (*count < DUE_MAX)
            ids[(*count)++] = col_text(c, q, 0);
    return e;
}

void trust_look_at_tenants(struct app *app, struct arena *mem)
{
    struct arena *names = arena_open(0);
    const char *ids[DUE_MAX] = {NULL};
    struct actor actor;
    struct ctx c = system_ctx(names, &actor, STORE_OPERATOR);
    size_t count = 0;
    bool is_own = false;
    enum err e = tx_begin_control(&c, app->store, TX_READ);

    if (!e) {
        e = list_due(&c, ids, &count);
        e = tx_end_control(&c, app->store, e ? e : is_own_due(&c, &is_own));
    }
    if (!e && is_own)
        look_at_own_log(app, mem);
    for (size_t i = 0; i < count && !e; i++) {
        look_at(app, mem, ids[i]);
        arena_reset(mem);
    }
    arena_close(names);
}
