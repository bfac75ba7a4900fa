/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trust/contract_trust.h"

#include "base/civil.h"
#include "base/clock.h"
#include "core/core.h"
#include "core/tenant/tenant_status.h"
#include "db/erase.h"
#include "db/query.h"

enum {
    MEASURE_RECORDS,
    MEASURE_OWN,
    MEASURE_ENDS,
    MEASURE_DELETIONS,
    MEASURE_GONE
};
static const char *const measure_text[] = {
    [MEASURE_RECORDS] =
        "SELECT count(*), coalesce(sum(r.place IS NOT NULL AND r.place <> ''),"
        " 0), coalesce(sum(coalesce(r.place, '') = '' AND created_at > ?1), 0)"
        " FROM customer LEFT JOIN contract r ON r.customer_id = id"
        " WHERE state = 1 AND copy_of IS NULL",
    /* a copy is under the contract of what it is of */
    [MEASURE_OWN] = "SELECT coalesce(r.place, '')"
                    " FROM customer x LEFT JOIN contract r"
                    " ON r.customer_id = coalesce(x.copy_of, x.id)"
                    " WHERE x.id = ?1",
    [MEASURE_ENDS] = "SELECT count(*), min(end_on), min(delete_on),"
                     " coalesce(sum(delete_on < ?1), 0) FROM termination"
                     " WHERE customer_id >= ''",
    /* a day is enough for any of them */
    [MEASURE_DELETIONS] =
        "SELECT coalesce(sum(done_at IS NOT NULL), 0),"
        " coalesce(sum(done_at IS NULL AND started_at < ?2), 0),"
        " (SELECT count(DISTINCT customer_id) FROM certificate WHERE id > 0),"
        " coalesce(sum(backups_on IS NOT NULL AND backups_at IS NULL), 0),"
        " min(CASE WHEN backups_at IS NULL THEN backups_on END),"
        " coalesce(sum(logs_on IS NOT NULL AND logs_at IS NULL), 0),"
        " min(CASE WHEN logs_at IS NULL THEN logs_on END),"
        " coalesce(sum((backups_at IS NULL AND backups_on < ?1)"
        " OR (logs_at IS NULL AND logs_on < ?1)), 0)"
        " FROM erasure WHERE customer_id >= ''",
    [MEASURE_GONE] = "SELECT customer_id FROM erasure WHERE customer_id >= ''"
                     " AND done_at IS NOT NULL",
};
const struct query_set contract_trust_queries = {"contract_trust", measure_text,
                                                 COUNT(measure_text)};

static enum err measure_records(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, measure_text[MEASURE_RECORDS]);

    bind_int(q, 1, c->now_us - TRUST_NEW_US);
    enum err e = query_one(c, q);

    if (e)
        return e;
    int64_t young = col_int(q, 2);
    trust_say(c, out, 3, col_int(q, 0) == col_int(q, 1) + young,
              "テナント %lld 件のうち、契約台帳に保管場所の記載があるもの "
              "%lld 件、利用開始から26時間以内でまだ求められないもの %lld 件",
              "Of %lld tenants %lld have the place of their data in the record "
              "of their contract; begun within 26 hours and not yet due: %lld",
              (long long)col_int(q, 0), (long long)col_int(q, 1),
              (long long)young);
    query_done(q);
    trust_tell_others(c, out, "すべてのお客様の契約台帳への保管場所の記載",
                      "The place of all customers' data in the record of "
                      "contracts");
    return OK;
}

static enum err measure_record(struct ctx *c, const char *tenant,
                               struct trust_list *out)
{
    struct query *q = query(c, measure_text[MEASURE_OWN]);

    bind_text(q, 1, tenant);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    const char *place = col_text(c, q, 0);
    query_done(q);
    if (*place)
        trust_show(c, out, 3, true, "この契約の台帳にある保管場所: %s",
                   "Place of the data in the record of this contract: %s",
                   place);
    else
        trust_show(c, out, 3, false,
                   "この契約の台帳に保管場所がまだ書かれていません",
                   "The record of this contract does not name the place of "
                   "the data yet");
    return OK;
}

static enum err measure_ends(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, measure_text[MEASURE_ENDS]);

    bind_int(q, 1, clock_today(c->now_us));
    enum err e = query_one(c, q);
    if (e)
        return e;
    trust_say(c, out, 5, col_int(q, 3) == 0,
              "終了が決まった契約 %lld 件（次の最終利用日 %s、次の削除日 "
              "%s）。削除日を過ぎたもの %lld 件",
              "Contracts that end: %lld (next last day %s, next deletion %s); "
              "past their day of deletion: %lld",
              (long long)col_int(q, 0), trust_day(c, col_day(q, 1)),
              trust_day(c, col_day(q, 2)), (long long)col_int(q, 3));
    trust_tell_others(c, out, "終わった契約の期日までの削除",
                      "Deletion by its day after the end of a contract");
    query_done(q);
    return OK;
}

/* Looked for on the disk, each time anew. */
static enum err count_left(struct ctx *c, const struct app *app, int64_t *all,
                           int64_t *left)
{
    struct query *q = query(c, measure_text[MEASURE_GONE]);
    enum err e;

    *all = *left = 0;
    while (query_next(c, q, &e)) {
        *left += !erase_is_gone(app->store, col_peek(q, 0));
        (*all)++;
    }
    return e;
}

static enum err measure_deletions(struct ctx *c, const struct app *app,
                                  struct trust_list *out)
{
    int64_t all, left;
    enum err e = count_left(c, app, &all, &left);

    if (e)
        return e;
    struct query *q = query(c, measure_text[MEASURE_DELETIONS]);
    bind_int(q, 1, clock_today(c->now_us));
    bind_int(q, 2, c->now_us - INT64_C(86400000000));
    if ((e = query_one(c, q)))
        return e;
    trust_say(c, out, 5, col_int(q, 1) == 0 && col_int(q, 0) == col_int(q, 2),
              "完了した削除 %lld 件、署名付き証明書 %lld 件。1日を超えて終わら"
              "ない削除 %lld 件",
              "Deletions done: %lld, signed certificates: %lld; unfinished "
              "for more than a day: %lld",
              (long long)col_int(q, 0), (long long)col_int(q, 2),
              (long long)col_int(q, 1));
    trust_tell_others(c, out, "削除の完了と署名付き証明書",
                      "Deletions done, each with its signed certificate");
    trust_say(c, out, 16, left == 0,
              "削除済みのテナント %lld 件の鍵とファイルを探し、残っていたもの "
              "%lld 件",
              "Keys and files of %lld deleted tenants were looked for; still "
              "there: %lld",
              (long long)all, (long long)left);
    trust_tell_others(c, out, "削除済みの鍵とファイルが残っていないこと",
                      "Keys and files of what was deleted are gone");
    trust_say(c, out, 16, col_int(q, 7) == 0,
              "残る派生データ: バックアップ %lld 件（次の期日 %s）、ログ %lld "
              "件（次の期日 %s）。期日を過ぎたもの %lld 件",
              "Derived data still due: backups %lld (next %s), logs %lld (next "
              "%s); past their day: %lld",
              (long long)col_int(q, 3), trust_day(c, col_day(q, 4)),
              (long long)col_int(q, 5), trust_day(c, col_day(q, 6)),
              (long long)col_int(q, 7));
    trust_tell_others(c, out, "バックアップとログからの期日どおりの消去",
                      "Backups and logs of what was deleted go on their day");
    query_done(q);
    return OK;
}

enum err contract_measure(struct ctx *c, const struct app *app,
                          const char *tenant, struct trust_list *out)
{
    enum err e =
        tenant ? measure_record(c, tenant, out) : measure_records(c, out);

    if (!e)
        e = measure_ends(c, out);
    return e ? e : measure_deletions(c, app, out);
}

void contract_measure_own(struct ctx *c, const struct app *app,
                          struct trust_list *out)
{
    struct tenant_status s;

    tenant_status_find(app, c->actor->tenant, &s);
    if (s.end_on == DAY_NONE)
        trust_show(c, out, 5, true, "この契約の終了は決まっていません",
                   "This contract does not end");
    else
        trust_show(c, out, 5, s.delete_on >= clock_today(c->now_us),
                   "この契約の最終利用日 %s、データの削除日 %s",
                   "Last day of this contract %s, deletion of its data %s",
                   trust_day(c, s.end_on), trust_day(c, s.delete_on));
}
