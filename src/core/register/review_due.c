/* SPDX-License-Identifier: Apache-2.0 */
/* One statement finds what has come and was not told of; a day that is moved
 * is another one, so it is told of again. */
#include "core/register/review_due.h"

#include "base/buf.h"
#include "base/civil.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/core.h"
#include "core/document/document.h"
#include "core/document/region.h"
#include "core/log/operation.h"
#include "core/mail/operator_mail.h"
#include "core/trust_evidence.h"
#include "db/query.h"

#define US_PER_DAY INT64_C(86400000000)

enum {
    REVIEW_DUE_LIST,
    REVIEW_DUE_SET_TOLD,
    REVIEW_DUE_SUPPLIERS,
    REVIEW_DUE_REVIEWS,
    REVIEW_DUE_ADVISORIES,
    REVIEW_DUE_CERTIFICATIONS,
    REVIEW_DUE_REGIONS,
    REVIEW_DUE_LOOKED,
    REVIEW_DUE_SET_LOOKED,
};
#define UNTOLD(kind, due)                                                      \
    " NOT EXISTS (SELECT 1 FROM deadline_told t WHERE t.kind = " kind          \
    " AND t.object_id = id AND t.due_on = " due ")"
static const char *const review_due_text[] = {
    [REVIEW_DUE_LIST] =
        "SELECT 0, id, name, review_on FROM supplier WHERE review_on <= ?1"
        " AND" UNTOLD(
            "0",
            "review_on") " UNION ALL SELECT 1, id, name, expires_on FROM "
                         "certification"
                         " WHERE expires_on <= ?1 + ?3 AND" UNTOLD(
                             "1",
                             "expires_on") " UNION ALL SELECT 2, id, subject, "
                                           "due_on FROM review"
                                           " WHERE done_on IS NULL AND due_on "
                                           "<= ?1 AND" UNTOLD(
                                               "2",
                                               "due_on") " UNION ALL SELECT 3, "
                                                         "id, kind, review_on "
                                                         "FROM document"
                                                         " WHERE no > 0 AND "
                                                         "review_on <= ?1 AND "
                                                         "NOT EXISTS (SELECT 1 "
                                                         "FROM"
                                                         " document n WHERE "
                                                         "n.kind = "
                                                         "document.kind AND "
                                                         "n.no > document.no)"
                                                         " AND" UNTOLD(
                                                             "3",
                                                             "review_on") " UNI"
                                                                          "ON "
                                                                          "ALL "
                                                                          "SELE"
                                                                          "CT "
                                                                          "4, "
                                                                          "id, "
                                                                          "comp"
                                                                          "onen"
                                                                          "t "
                                                                          "|| "
                                                                          "' ' "
                                                                          "|| "
                                                                          "advi"
                                                                          "sory"
                                                                          ", "
                                                                          "foun"
                                                                          "d_on"
                                                                          " FRO"
                                                                          "M "
                                                                          "advi"
                                                                          "sory"
                                                                          " WHE"
                                                                          "RE "
                                                                          "impa"
                                                                          "ct "
                                                                          "IS "
                                                                          "NULL"
                                                                          " AND"
                                                                          " fou"
                                                                          "nd_"
                                                                          "on "
                                                                          "<= "
                                                                          "?1 "
                                                                          "- ?2"
                                                                          " AN"
                                                                          "D" UNTOLD(
                                                                              "4",
                                                                              "found_on") " ORDER BY 1, 4, 2 LIMIT 100",
    [REVIEW_DUE_SET_TOLD] =
        "INSERT INTO deadline_told (kind, object_id, due_on)"
        " VALUES (?1, ?2, ?3)",
    [REVIEW_DUE_SUPPLIERS] =
        "SELECT count(*), coalesce(sum(purpose = 0), 0),"
        " coalesce(sum(review_on < ?1), 0), min(review_on) FROM supplier",
    [REVIEW_DUE_REVIEWS] =
        "SELECT coalesce(sum(done_on IS NULL AND due_on < ?1), 0),"
        " max(done_on), min(iif(done_on IS NULL, due_on, NULL)),"
        " (SELECT signer FROM review WHERE kind = ?2 AND done_on IS NOT NULL"
        " ORDER BY done_on DESC, id DESC LIMIT 1)"
        " FROM review WHERE kind = ?2",
    [REVIEW_DUE_ADVISORIES] =
        "SELECT count(*), coalesce(sum(impact IS NULL), 0),"
        " coalesce(sum(impact IS NULL AND found_on < ?1 - ?2), 0),"
        " coalesce(sum(impact IS NOT NULL AND is_closed = 0), 0),"
        " coalesce(sum(impact > 0), 0),"
        " coalesce(sum(impact > 0 AND notice = '' AND judged_at < ?3), 0)"
        " FROM advisory",
    [REVIEW_DUE_REGIONS] = "SELECT name, region, purpose = 0 FROM supplier"
                           " ORDER BY purpose, name LIMIT 500",
    /* an entry or a judgement is a look, too */
    [REVIEW_DUE_LOOKED] =
        "SELECT looked_at, looked_by FROM advisory_look WHERE id = 1 UNION ALL"
        " SELECT max(changed_at), changed_by FROM advisory"
        " WHERE changed_at IS NOT NULL"
        " ORDER BY 1 DESC LIMIT 1",
    [REVIEW_DUE_SET_LOOKED] =
        "INSERT INTO advisory_look (id, looked_at, looked_by)"
        " VALUES (1, ?1, ?2) ON CONFLICT (id) DO UPDATE SET looked_at = ?1,"
        " looked_by = ?2",
    [REVIEW_DUE_CERTIFICATIONS] =
        "SELECT name, number, expires_on FROM certification"
        " ORDER BY expires_on, name LIMIT 20",
};
const struct query_set review_due_queries = {"deadline", review_due_text,
                                             COUNT(review_due_text)};

static const char *day(struct ctx *c, int32_t d)
{
    char text[11];

    if (d == DAY_NONE)
        return "-";
    civil_format(d, text);
    return arena_strdup(c->mem, text);
}

/* ---- the mail ---- */

struct due {
    int kind;
    int64_t id;
    int32_t on;
    const char *name;
};

static enum err list_due(struct ctx *c, struct buf *out)
{
    struct query *q = query(c, review_due_text[REVIEW_DUE_LIST]);
    enum err e;

    bind_int(q, 1, clock_today(c->now_us));
    bind_int(q, 2, ADVISORY_DAYS);
    bind_int(q, 3, CERTIFICATION_DAYS);
    while (query_next(c, q, &e)) {
        struct due d = {.kind = (int)col_int(q, 0),
                        .id = col_int(q, 1),
                        .on = col_day(q, 3),
                        .name = col_text(c, q, 2)};
        buf_put(out, &d, sizeof d);
    }
    return e;
}

static void put_line(struct ctx *c, struct buf *b, const struct due *d,
                     enum lang lang)
{
    static const char *const words[REVIEW_DUE_KINDS][2] = {
        {"委託先の見直し", "Review of a supplier"},
        {"認証の有効期限", "Certification expires"},
        {"定期的な見直し", "Recurring review"},
        {"文書の見直し", "Review of a document"},
        {"ぜい弱性の影響の判断", "Advisory not judged"},
    };
    const char *name = d->name;

    if (d->kind == REVIEW_DUE_DOCUMENT) {
        int kind = d->name[0] - '0'; /* a digit, there are so few */
        if (kind >= 0 && kind < DOCUMENT_KINDS)
            name = document_titles[kind][lang == LANG_EN];
    }
    buf_puts(b, arena_printf(c->mem, "  %s  %s: %s\n", day(c, d->on),
                             words[d->kind][lang == LANG_EN], name));
}

static enum err set_told(struct ctx *c, const struct due *d)
{
    struct query *q = query(c, review_due_text[REVIEW_DUE_SET_TOLD]);

    bind_int(q, 1, d->kind);
    bind_int(q, 2, d->id);
    bind_int(q, 3, d->on);
    return query_run(c, q);
}

static enum err tell(struct ctx *c, const struct app *app)
{
    struct buf rows = buf_in(c->mem), ja = buf_in(c->mem), en = buf_in(c->mem);
    enum err e = list_due(c, &rows);
    const struct due *list = (const void *)rows.data;
    size_t count = rows.len / sizeof *list;

    if (e || !count)
        return e;
    buf_puts(&ja, "次の期限が来ています。運用コンソールの「台帳」と「方針と"
                  "声明」で確認してください。\n\n");
    buf_puts(&en, "The following are due. Please see the registers and the "
                  "policies of the console.\n\n");
    for (size_t i = 0; i < count; i++) {
        put_line(c, &ja, &list[i], LANG_JA);
        put_line(c, &en, &list[i], LANG_EN);
    }
    e = operator_mail_all(
        c, app,
        &(struct operator_news){.subject_ja = "見直しの期限のお知らせ",
                                .subject_en = "Reviews are due",
                                .ja = ja.data,
                                .en = en.data});
    if (e)
        return e == ERR_NOT_FOUND ? OK : e; /* nobody to tell yet */
    for (size_t i = 0; i < count && !e; i++)
        e = set_told(c, &list[i]);
    return e;
}

enum err review_due_tell(struct ctx *c, const struct app *app)
{
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    return e ? e : tx_end_control(c, app->store, tell(c, app));
}

void review_due_look(struct app *app, struct arena *mem)
{
    struct actor system = {.name = "",
                           .ip = "",
                           .request_id = "caretaker",
                           .tenant = STORE_OPERATOR,
                           .base_url = ""};
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    enum err e = review_due_tell(&c, app);

    if (e)
        log_error("deadlines not told err=%s", err_name(e));
}

/* ---- the look through the sources of advisories ---- */

enum err review_due_note_look(struct ctx *c)
{
    struct query *q = query(c, review_due_text[REVIEW_DUE_SET_LOOKED]);

    bind_int(q, 1, c->now_us);
    bind_text(q, 2, c->actor->name);
    enum err e = query_run(c, q);
    return e ? e
             : operation_log(c, &(struct operation){.action = "confirm",
                                                    .kind = "advisory",
                                                    .object_name = ""});
}

enum err review_due_read_look(struct ctx *c, struct advisory_look *out)
{
    struct query *q = query(c, review_due_text[REVIEW_DUE_LOOKED]);
    enum err e = query_one(c, q);

    *out = (struct advisory_look){.by = ""};
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    if ((out->at = col_int(q, 0)))
        *out = (struct advisory_look){.at = out->at,
                                      .by = col_text(c, q, 1),
                                      .due_at = out->at + ADVISORY_LOOK_DAYS *
                                                              US_PER_DAY};
    query_done(q);
    return OK;
}

/* ---- the trust page ---- */

static enum err measure_suppliers(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, review_due_text[REVIEW_DUE_SUPPLIERS]);

    bind_int(q, 1, clock_today(c->now_us));
    enum err e = query_one(c, q);
    if (e)
        return e;
    long long all = col_int(q, 0), hosts = col_int(q, 1), late = col_int(q, 2);
    const char *next = trust_day(c, col_day(q, 3));
    query_done(q);
    trust_show(
        c, out, 30, all > 0 && late == 0,
        "委託先 %lld 件、見直しの期限を過ぎたもの %lld 件、次の見直し %s",
        "Suppliers: %lld; overdue for review: %lld; next review %s", all, late,
        next);
    trust_show(c, out, 26, hosts > 0, "委託先の台帳にある設備の事業者 %lld 件",
               "Suppliers of hosting in the register: %lld", hosts);
    return OK;
}

/* Where suppliers keep what is entrusted to them, held against what customers
 * are told. */
static enum err measure_places(struct ctx *c, struct trust_list *out)
{
    struct buf outside = buf_in(c->mem);
    const char *stated;
    long long all = 0, out_of = 0, hosts = 0;
    enum err e = region_list_stated(c, &stated);

    if (e)
        return e;
    struct query *q = query(c, review_due_text[REVIEW_DUE_REGIONS]);
    while (query_next(c, q, &e)) {
        all++;
        if (region_list_covers(stated, col_peek(q, 1)))
            continue;
        out_of++;
        hosts += col_int(q, 2);
        buf_printf(&outside, "%s%s (%s)", outside.len ? ", " : "",
                   col_peek(q, 0), col_peek(q, 1));
    }
    if (e || !all)
        return e;
    const char *names =
        outside.len ? outside.data : ctx_text(c, "なし", "none");
    for (int no = 3; no <= 26; no += 23) {
        trust_say(c, out, no, no == 3 ? out_of == 0 : hosts == 0,
                  "委託先 %lld 件の地域を、示した地域（%s）と比べました。外に"
                  "あるもの: %s",
                  "The regions of %lld suppliers were compared with the stated "
                  "ones (%s); outside: %s",
                  all, stated, names);
        trust_tell_others(c, out, "委託先の地域が示した地域にあること",
                          "Suppliers are in the stated regions");
    }
    return OK;
}

/* An empty register says something only if somebody looked. */
static enum err measure_look(struct ctx *c, struct trust_list *out)
{
    struct advisory_look last;
    enum err e = review_due_read_look(c, &last);

    if (e)
        return e;
    if (last.at)
        trust_show(c, out, 24, true,
                   "ぜい弱性情報を最後に確認した日 %s（%d 日以内に1回）",
                   "Sources of advisories last looked through on %s (once "
                   "within %d days)",
                   trust_day(c, clock_today(last.at)), ADVISORY_LOOK_DAYS);
    else
        trust_show(c, out, 24, false,
                   "ぜい弱性情報を確認した日は、まだ記録されていません",
                   "No look through the sources of advisories is recorded");
    if (last.at)
        trust_date(out, last.at, ADVISORY_LOOK_DAYS * US_PER_DAY);
    return OK;
}

/* kind: 0 access, 1 hardening. */
static enum err measure_reviews(struct ctx *c, int row, int kind,
                                struct trust_list *out)
{
    struct query *q = query(c, review_due_text[REVIEW_DUE_REVIEWS]);

    bind_int(q, 1, clock_today(c->now_us));
    bind_int(q, 2, kind);
    enum err e = query_one(c, q);
    if (e)
        return e;
    long long late = col_int(q, 0);
    int32_t last = col_day(q, 1);
    const char *next = trust_day(c, col_day(q, 2)), *signer = col_text(c, q, 3);
    const char *what = kind == 0 ? ctx_text(c, "権限", "access")
                                 : ctx_text(c, "要塞化", "hardening");
    query_done(q);
    if (last == DAY_NONE)
        trust_show(c, out, row, false,
                   "%sの定期的な見直しは、まだ記録されていません",
                   "No review of %s is recorded yet", what);
    else
        trust_say(c, out, row, late == 0,
                  "%sの最後の見直し %s（%s）、次 %s、期限を過ぎたもの %lld 件",
                  "Last review of %s on %s by %s, next %s, overdue: %lld", what,
                  trust_day(c, last), signer, next, late);
    if (last != DAY_NONE)
        trust_tell_others(
            c, out, kind ? "要塞化の定期的な見直し" : "権限の定期的な見直し",
            kind ? "The recurring review of hardening"
                 : "The recurring review of rights");
    return OK;
}

static enum err measure_advisories(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, review_due_text[REVIEW_DUE_ADVISORIES]);

    bind_int(q, 1, clock_today(c->now_us));
    bind_int(q, 2, ADVISORY_DAYS);
    bind_int(q, 3, c->now_us - ADVISORY_DAYS * US_PER_DAY);
    enum err e = query_one(c, q);
    if (e)
        return e;
    trust_say(c, out, 24, col_int(q, 2) == 0,
              "ぜい弱性情報 %lld 件、影響を判断していないもの %lld 件（うち "
              "%d 日を過ぎたもの %lld 件）、対応中 %lld 件",
              "Advisories: %lld, not judged: %lld (for more than %d days: "
              "%lld), judged and not closed: %lld",
              (long long)col_int(q, 0), (long long)col_int(q, 1), ADVISORY_DAYS,
              (long long)col_int(q, 2), (long long)col_int(q, 3));
    trust_tell_others(c, out, "ぜい弱性情報の影響の判断",
                      "The judging of advisories");
    trust_say(c, out, 24, col_int(q, 5) == 0,
              "影響があると判断したぜい弱性 %lld 件、うち %d 日を過ぎても"
              "お客様に伝えた記録のないもの %lld 件",
              "Judged to have an impact: %lld; without a record for more than "
              "%d days of how tenants were told: %lld",
              (long long)col_int(q, 4), ADVISORY_DAYS,
              (long long)col_int(q, 5));
    trust_tell_others(c, out, "影響のあるぜい弱性をお客様に伝えること",
                      "Telling customers of those with an impact");
    query_done(q);
    return OK;
}

static enum err measure_certifications(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, review_due_text[REVIEW_DUE_CERTIFICATIONS]);
    int32_t today = clock_today(c->now_us);
    bool any = false;
    enum err e;

    while (query_next(c, q, &e)) {
        any = true;
        trust_show(c, out, 34, col_day(q, 2) >= today, "%s（%s）、有効期限 %s",
                   "%s (%s), valid until %s", col_peek(q, 0), col_peek(q, 1),
                   trust_day(c, col_day(q, 2)));
    }
    if (!any)
        trust_show(c, out, 34, true, "登録されている認証はありません",
                   "No certifications are registered");
    return e;
}

enum err review_due_measure(struct ctx *c, struct trust_list *out)
{
    enum err e = measure_suppliers(c, out);

    if (e || (e = measure_reviews(c, 8, 0, out)) ||
        (e = measure_reviews(c, 14, 1, out)) ||
        (e = measure_advisories(c, out)) || (e = measure_look(c, out)) ||
        (e = measure_places(c, out)))
        return e;
    return measure_certifications(c, out);
}
