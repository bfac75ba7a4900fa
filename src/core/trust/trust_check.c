/* SPDX-License-Identifier: Apache-2.0 */
/* What is measured for the trust page.  Each line of evidence is a figure read
 * now; a promise nobody measures says so on the page. */
#include "core/trust/trust.h"

#include "base/asset.h"
#include "base/build.h"
#include "base/civil.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/tls.h"
#include "core/alert/alert.h"
#include "core/backup/log_head.h"
#include "core/core.h"
#include "core/document/document.h"
#include "core/health/capacity.h"
#include "core/health/doctor.h"
#include "core/log/operation.h"
#include "core/notice/contact.h"
#include "core/notice/incident.h"
#include "core/notice/notice.h"
#include "core/register/audit.h"
#include "core/register/component.h"
#include "core/register/review_due.h"
#include "core/trust/backup_trust.h"
#include "core/trust/contract_trust.h"
#include "core/trust/door_trust.h"
#include "db/query.h"

#include <string.h>

#define US_PER_DAY    INT64_C(86400000000)
#define US_PER_MINUTE INT64_C(60000000)
#define HEAD_LATE_US  (15 * US_PER_MINUTE)

enum {
    CHECK_TERMS,
    CHECK_DESK,
    CHECK_CONTACT,
};
static const char *const check_text[] = {
    [CHECK_TERMS] = "SELECT coalesce(max(no), 0) FROM terms"
                    " WHERE no IS NOT NULL AND valid_from <= ?1",
    [CHECK_DESK] =
        "SELECT (SELECT count(*) FROM desk WHERE state = 0),"
        " (SELECT count(*) FROM desk WHERE due_at < ?1),"
        " (SELECT coalesce(avg(answered_at - opened_at) / 60000000, 0) FROM"
        " desk WHERE opened_at >= ?2 AND answered_at IS NOT NULL),"
        " (SELECT count(*) FROM desk WHERE opened_at >= ?2)",
    [CHECK_CONTACT] = "SELECT contact_ja <> '' AND contact_en <> ''"
                      " FROM desk_setting WHERE id = 1",
};
const struct query_set trust_check_queries = {"trust_check", check_text,
                                              COUNT(check_text)};

enum { MINE_LOG, MINE_SIGNED_IN };
static const char *const mine_text[] = {
    [MINE_LOG] = "SELECT (SELECT count(*) FROM operation),"
                 " (SELECT at FROM operation"
                 " WHERE seq = (SELECT max(seq) FROM operation)),"
                 " (SELECT at FROM operation"
                 " WHERE seq = (SELECT min(seq) FROM operation)),"
                 " coalesce((SELECT at FROM operation WHERE seq > ?1"
                 " ORDER BY seq LIMIT 1), 0)",
    /* of those whose rows in the access log must still be kept */
    [MINE_SIGNED_IN] = "SELECT count(*), coalesce(min(at), 0) FROM operation"
                       " WHERE kind = 'session' AND action = 'sign_in'"
                       " AND at >= ?1",
};
const struct query_set trust_mine_queries = {"trust_mine", mine_text,
                                             COUNT(mine_text)};

enum { ACCESSES_RANGE };
static const char *const accesses_text[] = {
    [ACCESSES_RANGE] = "SELECT (SELECT at FROM entry_row"
                       " WHERE seq = (SELECT min(seq) FROM entry_row)),"
                       " (SELECT at FROM entry_row"
                       " WHERE seq = (SELECT max(seq) FROM entry_row)),"
                       " coalesce((SELECT max(seq) FROM entry_row)"
                       " - (SELECT min(seq) FROM entry_row) + 1, 0)",
};
const struct query_set trust_access_queries = {"trust_access", accesses_text,
                                               COUNT(accesses_text)};

static void measure_cipher(struct ctx *c, const char *what,
                           struct trust_list *out)
{
    const char *cipher = db_cipher(c);

    if (cipher)
        trust_show(
            c, out, 15, true, "%sは専用の鍵で暗号化されています（方式: %s）",
            "%s encrypted under a key of its own (cipher: %s)", what, cipher);
    else
        trust_show(c, out, 15, false, "%sは暗号化されていません",
                   "%s not encrypted", what);
}

/* ---- the installation ---- */

static enum err measure_terms(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, check_text[CHECK_TERMS]);

    bind_int(q, 1, clock_today(c->now_us));
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t no = col_int(q, 0);
    query_done(q);
    if (no)
        trust_show(c, out, 2, true, "有効な利用規約: 第%lld版",
                   "Terms of use in force: version %lld", (long long)no);
    else
        trust_show(c, out, 2, false, "利用規約がまだ公開されていません",
                   "No terms of use are published yet");
    return OK;
}

static enum err measure_tenants(struct ctx *c, const struct app *app,
                                const char *tenant, struct trust_list *out)
{
    int64_t all;

    trust_show(c, out, 25, app->facts.parts_cookies,
               "ホスト名ごと、パスごとの Cookie の名前と届く範囲を2つのテナント"
               "について作り、%s",
               "Cookies of two tenants were made, by host name and by path: %s",
               app->facts.parts_cookies
                   ? ctx_text(c, "どれも重なりませんでした", "none is shared")
                   : ctx_text(c, "重なりがありました", "some are shared"));
    enum err e = door_measure(c, app, tenant, out, &all);
    if (e || tenant)
        return e;
    trust_say(c, out, 13, db_refuses_attach(c),
              "テナント %lld 件。ほかのファイルを開く文を試し、拒否されました",
              "Tenants: %lld. A statement that opens another file was tried "
              "and refused",
              (long long)all);
    trust_tell_others(c, out, "1つの文でほかのファイルを開けないこと",
                      "A statement that opens another file is refused");
    return OK;
}

static enum err measure_desk(struct ctx *c, const struct app *app,
                             struct trust_list *out)
{
    struct query *q = query(c, check_text[CHECK_DESK]);

    bind_int(q, 1, c->now_us);
    bind_int(q, 2, c->now_us - 90 * US_PER_DAY);
    enum err e = query_one(c, q);
    if (e)
        return e;
    trust_show(
        c, out, 32, col_int(q, 1) == 0,
        "回答待ちの問い合わせ %lld 件、期限超過 %lld 件。90日間の最初の回答"
        "まで平均 %lld 分",
        "Enquiries open: %lld, overdue: %lld; first answer after %lld "
        "minutes on average in 90 days",
        (long long)col_int(q, 0), (long long)col_int(q, 1),
        (long long)col_int(q, 2));
    trust_show(c, out, 19, app->facts.has_desk,
               "製品内の問い合わせ窓口: %s、90日間の問い合わせ %lld 件",
               "The desk inside the product: %s; enquiries in 90 days: %lld",
               app->facts.has_desk ? ctx_text(c, "受け付けています", "open")
                                   : ctx_text(c, "ありません", "missing"),
               (long long)col_int(q, 3));
    query_done(q);
    q = query(c, check_text[CHECK_CONTACT]);
    e = query_one(c, q);
    bool is_stated = !e && col_int(q, 0) > 0;
    query_done(q);
    if (e && e != ERR_NOT_FOUND)
        return e;
    trust_show(
        c, out, 35, is_stated, "申し立ての窓口: %s", "Where complaints go: %s",
        is_stated ? ctx_text(c, "掲示しています", "stated")
                  : ctx_text(c, "まだ書かれていません", "not written yet"));
    return OK;
}

/* From the kernel, not from a time server: what it says of itself. */
static void measure_clock(struct ctx *c, struct trust_list *out)
{
    struct clock_kernel k;

    clock_read_kernel(&k);
    if (k.is_synchronised)
        trust_show(c, out, 22, true,
                   "カーネルの時計は同期しています（推定誤差 %lld.%03lld ms）。"
                   "日本標準時で表示",
                   "The kernel's clock is synchronised (estimated error "
                   "%lld.%03lld ms); shown in Japan Standard Time",
                   (long long)(k.error_us / 1000),
                   (long long)(k.error_us % 1000));
    else
        trust_show(c, out, 22, false,
                   "カーネルは時計が同期していないと報告しています",
                   "The kernel reports that its clock is not synchronised");
}

static void measure_components(struct ctx *c, struct trust_list *out)
{
    struct buf suites = buf_in(c->mem);

    tls_put_suites(&suites);
    bool is_weak = strstr(suites.data, "CBC") || strstr(suites.data, "RC4") ||
                   strstr(suites.data, "NULL") ||
                   strstr(suites.data, "TLS-RSA-");
    trust_show(c, out, 37, !is_weak, "TLS の暗号スイート: %s",
               "TLS cipher suites: %s", suites.data);
    trust_show(c, out, 15, !is_weak,
               "組み込まれた暗号スイートは前方秘匿性のある認証付き暗号のみ",
               "Only authenticated cipher suites with forward secrecy are "
               "compiled in");
    component_measure_parts(c, out);
}

/* Pictures are none. */
static bool is_page(const char *path, const char *folder)
{
    size_t len = strlen(path);

    return str_starts(path, folder) && len > 3 &&
           strcmp(path + len - 3, ".md") == 0;
}

static void measure_build(struct ctx *c, const struct app *app,
                          struct trust_list *out)
{
    int pages[2] = {0};

    for (size_t i = 0; i < asset_count; i++) {
        pages[0] += is_page(asset_table[i].path, "/manual/ja/");
        pages[1] += is_page(asset_table[i].path, "/manual/en/");
    }
    bool whole = pages[0] > 0 && pages[0] == pages[1];
    trust_show(c, out, 19, whole,
               "操作マニュアル %s: 日本語 %d ページ、英語 %d ページ",
               "Manual %s: %d pages in Japanese, %d in English", YAGURA_VERSION,
               pages[0], pages[1]);
    trust_show(c, out, 27, whole, "この一覧 %d 項目、製品の版 %s",
               "This list of %d, product version %s", TRUST_COUNT,
               YAGURA_VERSION);
    measure_components(c, out);
    component_measure(c, app, out);
    if (app->facts.routes)
        trust_show(c, out, 12, !app->facts.odd_route,
                   "API の経路 %d 本のうち、サインイン前に使えるのは %d 本。"
                   "サインインの手順以外: %s",
                   "Of %d routes of the API %d are open before signing in. Not "
                   "a step of signing in: %s",
                   app->facts.routes, app->facts.open_routes,
                   app->facts.odd_route ? app->facts.odd_route
                                        : ctx_text(c, "なし", "none"));
}

enum err trust_measure(struct ctx *c, const struct app *app, const char *tenant,
                       struct trust_list *out)
{
    enum err e = measure_terms(c, out);

    if (e || (e = measure_tenants(c, app, tenant, out)))
        return e;
    if ((e = backup_measure(c, app, tenant, out)) ||
        (e = measure_desk(c, app, out)) ||
        (e = contract_measure(c, app, tenant, out)))
        return e;
    if ((e = document_measure(c, app, out)) ||
        (e = review_due_measure(c, out)) || (e = audit_measure(c, out)))
        return e;
    if ((e = doctor_tell_trust(c, out)) || (e = capacity_measure(c, out)))
        return e;
    if ((e = notice_measure(c, out)) || (e = incident_measure(c, out)))
        return e;
    measure_clock(c, out);
    measure_build(c, app, out);
    measure_cipher(c,
                   ctx_text(c, "契約などの管理用のファイル",
                            "The file of contracts and the like is"),
                   out);
    return OK;
}

/* ---- one tenant ---- */

/* Where the log was last known to stand, outside its file.  unsigned_at: when
 * the first row beyond that was written, 0: there is none.  A backup keeps
 * heads from being signed while it is written. */
static void measure_head(struct ctx *c, int64_t unsigned_at,
                         struct trust_list *out)
{
    trust_show(
        c, out, 33,
        !unsigned_at || unsigned_at >= c->now_us - HEAD_LATE_US ||
            log_head_is_held(),
        "操作ログとアクセスログの末尾を、ファイルの外に毎分署名して控えて"
        "います（操作ログ %lld 番、%s）。見つけられない切り取りは最後の1分の"
        "行だけです",
        "Where both logs end is signed each minute and kept outside their "
        "files (row %lld of the operation log, %s): of rows cut at the end "
        "only those of the last minute can go unseen",
        (long long)out->head_seq,
        out->head_at ? trust_moment(c, out->head_at) : "-");
}

static enum err measure_log(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, mine_text[MINE_LOG]);

    bind_int(q, 1, out->head_seq);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t rows = col_int(q, 0), last = col_int(q, 1), first = col_int(q, 2);
    int64_t unsigned_at = col_int(q, 3);
    query_done(q);
    /* a day's grace: the round that prunes runs once a day */
    bool kept =
        rows == 0 || first >= operation_keep_since(c->now_us) - US_PER_DAY;
    trust_show(c, out, 21, rows > 0 && kept,
               "操作ログ %lld 件、最新 %s、最古 %s",
               "%lld rows in the operation log, newest %s, oldest %s",
               (long long)rows, rows ? trust_moment(c, last) : "-",
               rows ? trust_moment(c, first) : "-");
    measure_head(c, unsigned_at, out);
    q = query(c, mine_text[MINE_SIGNED_IN]);
    bind_int(q, 1, operation_keep_since(c->now_us) + US_PER_DAY);
    if ((e = query_one(c, q)))
        return e;
    out->sign_ins = col_int(q, 0);
    out->first_sign_in = col_int(q, 1);
    query_done(q);
    return alert_measure(c, out);
}

enum err trust_measure_tenant(struct ctx *c, const struct app *app,
                              int64_t terms_owed, struct trust_list *out)
{
    enum err e = trust_measure_people(c, app, terms_owed, out);

    if (e)
        return e;
    trust_show(c, out, 13, db_refuses_attach(c),
               "このテナントのファイルから別のファイルを開く文は拒否されました",
               "A statement that opens another file from this tenant's was "
               "refused");
    measure_cipher(c,
                   ctx_text(c, "このテナントのデータのファイル",
                            "The file of this tenant's data is"),
                   out);
    if ((e = contact_measure(c, out)))
        return e;
    contract_measure_own(c, app, out);
    return measure_log(c, out);
}

enum err trust_measure_accesses(struct ctx *c, struct trust_list *out)
{
    struct query *q = query(c, accesses_text[ACCESSES_RANGE]);
    enum err e = query_one(c, q);

    if (e)
        return e;
    int64_t first = col_int(q, 0), last = col_int(q, 1), rows = col_int(q, 2);
    query_done(q);
    if (!rows && !out->sign_ins) {
        trust_show(c, out, 36, true,
                   "アクセスログ 0 件（操作ログにもサインインの記録なし）",
                   "No rows in the access log yet, and no sign-in in the "
                   "operation log");
        return OK;
    }
    trust_show(c, out, 36,
               rows > 0 &&
                   first >= operation_keep_since(c->now_us) - US_PER_DAY,
               "アクセスログ %lld 件、最古 %s、最新 %s",
               "%lld rows in the access log, oldest %s, newest %s",
               (long long)rows, rows ? trust_moment(c, first) : "-",
               rows ? trust_moment(c, last) : "-");
    if (out->sign_ins)
        trust_show(
            c, out, 36, rows > 0 && first <= out->first_sign_in + US_PER_MINUTE,
            "保管期間のうち最初のサインイン（操作ログ）%s から、アクセスログ%s",
            "Since the first sign-in of the time of keeping (operation log) %s "
            "the access log %s",
            trust_moment(c, out->first_sign_in),
            rows > 0 && first <= out->first_sign_in + US_PER_MINUTE
                ? ctx_text(c, "が残っています", "is kept")
                : ctx_text(c, "が欠けています", "lacks rows"));
    return OK;
}
