/* SPDX-License-Identifier: Apache-2.0 */
/* The sample operator's papers: documents read and published, registers kept
 * by the doors everybody uses. */
#include "cli/sample_register.h"

#include "base/civil.h"
#include "base/clock.h"
#include "core/document/document.h"
#include "core/register/audit.h"
#include "core/register/register.h"

#include <string.h>

/* Days are written as @N: N days from today. */
static const struct {
    const struct register_kind *ledger;
    const char *json;
} rows[] = {
    {&supplier_register,
     "{\"name\":\"国内データセンター（評価用の例）\",\"purpose\":\"hosting\","
     "\"region\":\"jp-tokyo\",\"certificate\":\"ISO/IEC 27001、ISO/IEC 27017\","
     "\"risk\":\"medium\",\"reviewed_on\":\"@-60\",\"review_on\":\"@305\","
     "\"note\":\"年1回、認証書と監査報告書を確認する。\"}"},
    {&supplier_register,
     "{\"name\":\"メール配送サービス（評価用の例）\",\"purpose\":\"mail\","
     "\"region\":\"jp\",\"certificate\":\"ISO/IEC 27001\",\"risk\":\"low\","
     "\"reviewed_on\":\"@-30\",\"review_on\":\"@335\",\"note\":"
     "\"メールには案件の内容を書かない設定を確認した。\"}"},
    {&certification_register,
     "{\"name\":\"プライバシーマーク（評価用の例）\",\"number\":"
     "\"00000000(00)\",\"issuer\":\"審査機関の名称\",\"expires_on\":\"@480\"}"},
    {&review_register,
     "{\"kind\":\"access\",\"subject\":\"運用者アカウントの権限の点検\","
     "\"every_months\":3,\"due_on\":\"@-15\",\"done_on\":\"@-16\",\"result\":"
     "\"good\",\"note\":\"運用者1名。不要なアカウントはなかった。\"}"},
    {&review_register,
     "{\"kind\":\"hardening\",\"subject\":\"サーバーの要塞化の点検\","
     "\"every_months\":3,\"due_on\":\"@-20\",\"done_on\":\"@-20\",\"result\":"
     "\"found\",\"note\":\"再起動待ちの更新が1件あった。翌営業日に適用した。"
     "\"}"},
    {&advisory_register,
     "{\"component\":\"civetweb\",\"advisory\":\"CVE-2025-55763\",\"link\":"
     "\"https://nvd.nist.gov/vuln/detail/CVE-2025-55763\",\"summary\":"
     "\"CivetWeb の URI の処理でバッファーがあふれるおそれがある。\","
     "\"found_on\":\"@-45\",\"impact\":\"none\",\"judgement\":"
     "\"該当する機能のコードは、本製品に組み込んでいない。\","
     "\"is_closed\":true}"},
};

static const char *with_days(struct ctx *c, const char *text)
{
    struct buf b = buf_in(c->mem);

    for (const char *p = text; *p; p++) {
        char day[11];
        if (*p != '@') {
            buf_put(&b, p, 1);
            continue;
        }
        int sign = p[1] == '-' ? -1 : 1, n = 0;
        for (p += sign < 0; p[1] >= '0' && p[1] <= '9'; p++)
            n = 10 * n + (p[1] - '0');
        civil_format(clock_today(c->now_us) + sign * n, day);
        buf_puts(&b, day);
    }
    buf_put(&b, "", 1);
    return b.data;
}

static enum err add_report(struct ctx *c)
{
    static const char text[] =
        "独立監査の報告書（評価用の例）\n\nこのファイルは評価用の見本です。"
        "実際の監査の結果ではありません。\n";
    const char *json = with_days(
        c,
        "{\"title\":\"独立監査の報告書（評価用の例）\",\"issued_on\":\"@-90\","
        "\"name\":\"監査報告書（見本）.txt\"}");
    const struct values *v;
    struct audit_report r;
    enum err e = values_parse_json(c, &audit_form, json, strlen(json), &v);

    return e ? e : audit_create(c, v, text, sizeof text - 1, &r);
}

static enum err add_rows(struct ctx *c)
{
    enum err e = document_publish_drafts(c);

    for (size_t i = 0; !e && i < COUNT(rows); i++) {
        const char *json = with_days(c, rows[i].json);
        const struct values *v;
        struct register_row row;
        e = values_parse_json(c, rows[i].ledger->form, json, strlen(json), &v);
        if (!e)
            e = register_create(c, rows[i].ledger, v, &row);
    }
    return e ? e : add_report(c);
}

enum err sample_register(struct ctx *c, const struct app *app, const char *name)
{
    struct actor who = *c->actor;
    struct ctx there = *c;

    who.name = name;
    there.actor = &who;
    enum err e = tx_begin_control(&there, app->store, TX_WRITE);
    if (!e)
        e = tx_end_control(&there, app->store, add_rows(&there));
    c->fail = there.fail;
    return e;
}
