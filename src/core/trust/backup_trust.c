/* SPDX-License-Identifier: Apache-2.0 */
/* Row 20 of the trust page: what can be restored now.  What control.db says of
 * a run counts only while the files it made are on the disk, which is looked
 * at each time. */
#include "core/trust/backup_trust.h"

#include "base/civil.h"
#include "base/clock.h"
#include "core/backup/backup.h"
#include "core/backup/backup_keep.h"
#include "core/core.h"
#include "db/query.h"

#include <string.h>

#define US_PER_HOUR INT64_C(3600000000)
enum { DRILL_DAYS = 32, CHECK_DAYS = 8 };

enum {
    TRUST_COPIES,
    TRUST_COPY,
    TRUST_MADE,
    TRUST_DRILL,
    TRUST_CHECK,
    TRUST_DAMAGE,
    TRUST_RUN
};
enum { NAMES_MAX = 10 }; /* of those without a good copy */
/* A tenant, its last good copy, and what is known against it: found damaged
 * since, or a try at a newer one that failed. */
#define COPY_SELECT                                                            \
    "SELECT customer.id, created_at, b.date, b.at, b.bytes, d.at, f.at,"       \
    " f.reason_ja, f.reason_en FROM customer"                                  \
    " LEFT JOIN backup_tenant b ON b.tenant_id = customer.id"                  \
    " LEFT JOIN backup_damage d ON d.date = b.date"                            \
    " AND d.tenant_id = customer.id"                                           \
    " LEFT JOIN backup_fault f ON f.tenant_id = customer.id"
static const char *const measure_text[] = {
    [TRUST_COPIES] = COPY_SELECT " WHERE state = 1"
                                 " ORDER BY coalesce(b.at, 0), customer.id",
    [TRUST_COPY] = COPY_SELECT " WHERE customer.id = ?1",
    [TRUST_RUN] = "SELECT state = 2, coalesce(ended_at, asked_at), tenants,"
                  " total FROM backup_run WHERE state > 1"
                  " ORDER BY id DESC LIMIT 1",
    [TRUST_MADE] = "SELECT DISTINCT date FROM backup_run WHERE date BETWEEN ?1"
                   " AND ?2 AND state = 2 ORDER BY date DESC",
    [TRUST_CHECK] = "SELECT ended_at, date, state = 2 FROM backup_check"
                    " WHERE state > 1 AND done = total"
                    " ORDER BY id DESC LIMIT 1",
    [TRUST_DAMAGE] = "SELECT count(*), min(date), max(at) FROM backup_damage"
                     " WHERE date >= ''",
    [TRUST_DRILL] = "SELECT at, us, reason_en IS NULL, (SELECT max(at) FROM"
                    " backup_drill) FROM backup_drill ORDER BY id DESC LIMIT 1",
};
const struct query_set backup_trust_queries = {"backup_trust", measure_text,
                                               COUNT(measure_text)};

/* A tenant's last copy, and whether it is what it should be. */
struct copy {
    const char *id, *date;
    int64_t at; /* 0: never */
    bool is_there, is_damaged, is_good, is_young;
    int64_t failed_at; /* the last try; 0: it did not */
    struct backup_reason why;
};

static struct copy read_copy(struct ctx *c, const struct app *app,
                             struct query *q)
{
    struct copy x = {.id = col_text(c, q, 0),
                     .date = col_text(c, q, 2),
                     .at = col_int(q, 3),
                     .is_damaged = col_int(q, 5) != 0,
                     .failed_at = col_int(q, 6),
                     .why = {col_text(c, q, 7), col_text(c, q, 8)}};

    /* as long as it was when it was checked */
    x.is_there = x.date && generation_tenant_bytes(app->store, x.date, x.id) ==
                               col_int(q, 4);
    x.is_good = x.is_there && !x.is_damaged && !x.failed_at &&
                x.at >= c->now_us - BACKUP_LATE_HOURS * US_PER_HOUR &&
                x.at <= c->now_us + US_PER_HOUR; /* by a wrong clock */
    x.is_young =
        !x.date && !x.failed_at && col_int(q, 1) > c->now_us - TRUST_NEW_US;
    return x;
}

enum err backup_list_gone(struct ctx *c, const struct app *app,
                          const char *const **out, size_t *count)
{
    const char **list = arena_array(c->mem, const char *, BACKUP_KEEP_DAYS);
    char *from = arena_alloc(c->mem, 11), *to = arena_alloc(c->mem, 11);
    struct query *q = query(c, measure_text[TRUST_MADE]);
    enum err e;

    civil_format(clock_today(c->now_us) - BACKUP_KEEP_DAYS + 1, from);
    civil_format(clock_today(c->now_us), to);
    bind_text(q, 1, from);
    bind_text(q, 2, to);
    *count = 0;
    while (query_next(c, q, &e)) {
        const char *date = col_text(c, q, 0);
        if (*count < BACKUP_KEEP_DAYS &&
            !generation_tenant_bytes(app->store, date, GENERATION_CONTROL))
            list[(*count)++] = date;
    }
    *out = list;
    return e;
}

/* ---- all tenants, for the operator ---- */

/* How old it is, in days and hours. */
static const char *say_age(struct ctx *c, int64_t at)
{
    int64_t hours = (c->now_us - at) / US_PER_HOUR;

    if (hours < 0)
        return ctx_text(c, "未来の日付", "dated ahead");
    return hours < 48 ? arena_printf(c->mem, "%lld%s", (long long)hours,
                                     ctx_text(c, "時間前", " h old"))
                      : arena_printf(c->mem, "%lld%s", (long long)hours / 24,
                                     ctx_text(c, "日前", " days old"));
}

static const char *say_copy(struct ctx *c, const struct copy *x)
{
    if (!x->at)
        return ctx_text(c, "写しなし", "no copy");
    return arena_printf(
        c->mem, "%s%s%s", say_age(c, x->at),
        !x->is_there    ? ctx_text(c, "・見つかりません", ", not found")
        : x->is_damaged ? ctx_text(c, "・壊れています", ", damaged")
                        : "",
        x->failed_at ? ctx_text(c, "・直近は失敗", ", the last try failed")
                     : "");
}

static enum err measure_tenants(struct ctx *c, const struct app *app,
                                struct trust_list *out)
{
    struct query *q = query(c, measure_text[TRUST_COPIES]);
    long long all = 0, late = 0, gone = 0, young = 0;
    int64_t oldest = INT64_MAX;
    struct buf who = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct copy x = read_copy(c, app, q);
        bool is_late = !x.is_good && !x.is_young;
        all++;
        young += x.is_young;
        late += is_late;
        gone += x.at && !x.is_there;
        if (is_late && late <= NAMES_MAX)
            buf_printf(&who, "%s%s (%s)", late > 1 ? ", " : "", x.id,
                       say_copy(c, &x));
        if (x.is_there && x.at < oldest)
            oldest = x.at;
    }
    trust_say(c, out, 20, all > 0 && late == 0,
              "テナント %lld 件のうち26時間以内の正常な写しがないもの %lld 件"
              "（うちファイルが見つからないもの %lld 件）、利用開始から26時間"
              "以内でこれから写すもの %lld 件、最も古い写し %s",
              "Tenants: %lld; without a good copy of the last 26 hours: %lld "
              "(files not found: %lld); begun within 26 hours and yet to be "
              "copied: %lld; oldest copy %s",
              all, late, gone, young,
              oldest < INT64_MAX ? trust_moment(c, oldest) : "-");
    trust_tell_others(c, out, "すべてのお客様の26時間以内の正常な写し",
                      "A good copy of the last 26 hours for all customers");
    if (late > 0) {
        trust_say(c, out, 20, false, "正常な写しが新しくないテナント: %s%s",
                  "Tenants without a new good copy: %s%s", who.data,
                  late > NAMES_MAX ? ctx_text(c, " ほか", " and others") : "");
        trust_tell_others(c, out, "写しの遅れがないこと", "No copy is late");
    }
    return e;
}

/* A failure counts at once, not when the copies have grown old. */
static enum err measure_run(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, measure_text[TRUST_RUN]);
    enum err e = query_one(c, q);

    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    bool is_good = col_int(q, 0) != 0;
    trust_say(c, out, 20, is_good,
              "最後のバックアップ %s: %s（テナント %lld 件中 %lld 件）",
              "Last run %s: %s (tenants: %lld, copied: %lld)",
              trust_moment(c, col_int(q, 1)),
              is_good ? ctx_text(c, "成功", "good")
                      : ctx_text(c, "失敗", "failed"),
              (long long)col_int(q, 3), (long long)col_int(q, 2));
    trust_tell_others(c, out, "最後のバックアップの成功",
                      "The last run went well");
    trust_date(out, col_int(q, 1), TRUST_AGE_US);
    query_done(q);
    return OK;
}

/* What stays beyond its seven days, for nothing good followed it. */
static enum err measure_kept(struct ctx *c, const struct app *app,
                             struct trust_list *out)
{
    struct backup_stock *s;
    const struct backup_kept *kept;
    enum err e = backup_stock_read(c, app, &s);
    struct buf list = buf_in(c->mem);
    size_t said = 0;

    if (e)
        return e;
    size_t count = backup_stock_kept(s, &kept);
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < kept[i].count && said < NAMES_MAX; n++)
            buf_printf(&list, "%s%s (%s)", said++ ? ", " : "",
                       kept[i].tenants[n], kept[i].date);
    if (!said)
        return OK;
    trust_say(c, out, 20, false,
              "新しい正常な写しがないため8日目を過ぎても残している写し: %s",
              "Copies kept beyond day 8, since no newer good one is there: %s",
              list.data);
    trust_tell_others(c, out, "8日目を過ぎて残している写しがないこと",
                      "No copy is kept beyond day 8");
    return OK;
}

/* A generation's name is a day. */
static const char *day_of(struct ctx *c, const char *name)
{
    int32_t day = DAY_NONE;

    (void)civil_parse(name, &day);
    return trust_day(c, day);
}

/* Made in the last seven days, and there: a day on which none was made is
 * told, for nobody can mend it later. */
static enum err measure_generations(struct ctx *c, const struct app *app,
                                    struct trust_list *out)
{
    const char *const *names, *const *gone;
    size_t count = generation_list(app->store, c->mem, &names), lost;
    struct buf list = buf_in(c->mem);
    enum err e = backup_list_gone(c, app, &gone, &lost);

    for (size_t i = 0; i < lost; i++)
        buf_printf(&list, "%s%s", i ? ", " : "", day_of(c, gone[i]));
    trust_show(
        c, out, 20, count > 0 && lost == 0,
        "保管している世代 %zu（%d 日間保管、最新 %s）、%d 日間に作ったが"
        "見つからない世代: %s",
        "Generations kept: %zu (for %d days, newest %s); made in %d days "
        "and not found: %s",
        count, BACKUP_KEEP_DAYS, count ? day_of(c, names[0]) : "-",
        BACKUP_KEEP_DAYS, lost ? list.data : ctx_text(c, "なし", "none"));
    return e;
}

/* What any check found, the weekly one or one that was asked for. */
static enum err measure_damage(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, measure_text[TRUST_DAMAGE]);
    enum err e = query_one(c, q);

    if (e)
        return e;
    if (col_int(q, 0)) {
        trust_show(c, out, 20, false,
                   "検査で壊れていると分かった写し %lld 件（最も古い世代 %s、"
                   "見つけた時刻 %s）",
                   "Copies that a check found damaged: %lld (oldest generation "
                   "%s, found %s)",
                   (long long)col_int(q, 0), day_of(c, col_text(c, q, 1)),
                   trust_moment(c, col_int(q, 2)));
        trust_date(out, col_int(q, 2), TRUST_OWN_AGE);
    }
    query_done(q);
    return OK;
}

/* The whole of a generation read again; once a week by itself. */
static enum err measure_check(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, measure_text[TRUST_CHECK]);
    enum err e = query_one(c, q);

    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    bool is_whole = col_int(q, 2) != 0;
    trust_show(c, out, 20, is_whole, "最後の検査 %s（世代 %s）: %s",
               "Last check %s (generation %s): %s",
               trust_moment(c, col_int(q, 0)), day_of(c, col_text(c, q, 1)),
               is_whole ? ctx_text(c, "異常なし", "whole")
                        : ctx_text(c, "目録と合わないファイルがあります",
                                   "files do not fit the manifest"));
    trust_date(out, col_int(q, 0), CHECK_DAYS * 24 * US_PER_HOUR);
    query_done(q);
    return OK;
}

/* ---- one tenant, for its administrators ---- */

/* In a word or two: good is what was checked and is there. */
static const char *say_state(struct ctx *c, const struct copy *x)
{
    if (!x->is_there)
        return ctx_text(c, "ファイルが見つかりません",
                        "its files are not found");
    if (x->is_damaged)
        return ctx_text(c, "検査で異常が見つかりました",
                        "a check found damage");
    if (x->failed_at)
        return arena_printf(c->mem, "%s %s",
                            ctx_text(c, "正常。その後の作成に失敗",
                                     "good; the try after it failed"),
                            trust_moment(c, x->failed_at));
    return ctx_text(c, "正常", "good");
}

static const char *say_outliving(struct ctx *c, const struct copy *x)
{
    char oldest[11];

    civil_format(clock_today(c->now_us) - BACKUP_KEEP_DAYS + 1, oldest);
    return x->is_there && strcmp(x->date, oldest) < 0
               ? ctx_text(
                     c, "。新しい正常な写しができるまで8日目を過ぎても残します",
                     "; it stays beyond day 8 until a newer good one is "
                     "there")
               : "";
}

static enum err measure_own(struct ctx *c, const struct app *app,
                            const char *tenant, struct trust_list *out)
{
    const char *const *names;
    size_t count = generation_list(app->store, c->mem, &names), mine = 0;
    struct query *q = query(c, measure_text[TRUST_COPY]);

    bind_text(q, 1, tenant);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    struct copy x = read_copy(c, app, q);
    query_done(q);
    for (size_t i = 0; i < count; i++)
        mine += generation_tenant_bytes(app->store, names[i], tenant) > 0;
    if (x.at) {
        trust_show(
            c, out, 20, x.is_good,
            "このテナントの最後の写し %s（%s）%s、保管している写し %zu 世代",
            "Last copy of this tenant %s (%s)%s; copies kept: %zu",
            trust_moment(c, x.at), say_state(c, &x), say_outliving(c, &x),
            mine);
        trust_date(out, x.at, TRUST_OWN_AGE);
    } else {
        trust_show(c, out, 20, x.is_young,
                   "このテナントの写しはまだありません（利用開始から26時間以内"
                   "に作ります）",
                   "This tenant was not copied yet (it is within 26 hours of "
                   "its beginning)");
    }
    return OK;
}

/* ---- the whole row ---- */

static enum err measure_drill(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, measure_text[TRUST_DRILL]);
    enum err e = query_one(c, q);

    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    int64_t at = col_int(q, 3);
    trust_show(c, out, 20, col_int(q, 2) != 0,
               "最後の復元訓練 %s、%lld ミリ秒（目標 7 日以内）",
               "Last restore drill %s, %lld ms (goal: within 7 days)",
               trust_moment(c, at), (long long)col_int(q, 1) / 1000);
    trust_date(out, at, DRILL_DAYS * 24 * US_PER_HOUR);
    query_done(q);
    return OK;
}

enum err backup_measure(struct ctx *c, const struct app *app,
                        const char *tenant, struct trust_list *out)
{
    enum err e = tenant ? measure_own(c, app, tenant, out)
                        : measure_tenants(c, app, out);

    if (!e && !tenant)
        e = measure_run(c, out);
    if (!e && !tenant)
        e = measure_kept(c, app, out);
    if (!e && !tenant)
        e = measure_generations(c, app, out);
    if (!e && !tenant)
        e = measure_check(c, out);
    if (!e && !tenant)
        e = measure_damage(c, out);
    if (!e)
        e = measure_drill(c, out);
    return e ? e : backup_measure_copies(c, app, out);
}
