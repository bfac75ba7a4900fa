/* SPDX-License-Identifier: Apache-2.0 */
/* Each is written as a draft, published at its moment, and told to the
 * customer at that moment. */
#include "cli/sample_notice.h"

#include "base/json.h"
#include "core/notice/contact.h"
#include "core/notice/incident.h"
#include "core/notice/notice.h"
#include "core/notice/notice_mail.h"

struct sample_notice {
    const char *kind;
    struct sample_when at;           /* written, and published */
    struct sample_when starts, ends; /* planned; minute 0: not */
    const char *title_ja, *title_en, *body_ja, *body_en;
};

static const struct sample_notice early[] = {
    {.kind = "change",
     .at = {60, 600},
     .starts = {53, 540},
     .title_ja = "ガントチャートの印刷を改善します",
     .title_en = "Better printing of Gantt charts",
     .body_ja =
         "ガントチャートを印刷するとき、用紙の向きと期間を選べるように"
         "します。\n\n**お客様の作業は必要ありません。** 作業中も通常どお"
         "りご利用いただけます。",
     .body_en = "When you print a Gantt chart you will be able to choose the "
                "paper's orientation and the period.\n\n**Nothing is needed of "
                "you**, and the service can be used as usual meanwhile."},
    {.kind = "vulnerability",
     .at = {44, 840},
     .title_ja = "CVE-2025-55763（CivetWeb）の影響について",
     .title_en = "CVE-2025-55763 (CivetWeb): no impact",
     .body_ja = "本サービスが使う部品 CivetWeb にぜい弱性が公表されました。"
                "該当する機能のコードは組み込んでいないため、**影響はありませ"
                "ん。** お客様の作業は必要ありません。",
     .body_en = "A vulnerability in CivetWeb, a component of this service, was "
                "published. The code concerned is not part of this product, so "
                "there is **no impact**, and nothing is needed of you."},
    {.kind = "maintenance",
     .at = {40, 600},
     .starts = {33, 1320},
     .ends = {33, 1410},
     .title_ja = "定期メンテナンスのお知らせ",
     .title_en = "Scheduled maintenance",
     .body_ja = "サーバーの OS を更新します。期間中に数分間、画面を開けないこと"
                "があります。入力中の内容は、開始前に保存してください。",
     .body_en = "The operating system of the server is updated. For a few "
                "minutes pages may not open; please save your work before it "
                "begins."},
};

static const struct sample_notice late[] = {
    {.kind = "maintenance",
     .at = {12, 600},
     .starts = {5, 1320},
     .ends = {5, 1380},
     .title_ja = "データベースの保守作業のお知らせ",
     .title_en = "Maintenance of the database",
     .body_ja = "検索を速くするための保守作業をします。期間中も閲覧と編集はでき"
                "ますが、検索結果が古いことがあります。",
     .body_en = "Maintenance that makes searching faster. You can read and "
                "edit meanwhile; what a search finds may be out of date."},
};

static const struct sample_notice coming[] = {
    {.kind = "maintenance",
     .at = {2, 600},
     .starts = {-7, 1320},
     .ends = {-7, 1410},
     .title_ja = "定期メンテナンスのお知らせ（サーバー機器の交換）",
     .title_en = "Scheduled maintenance: a server is replaced",
     .body_ja = "サーバー機器を交換します。期間中はサービスを利用できません。"
                "\n\n- データは事前にバックアップし、作業後に確認します。\n"
                "- 完了したら「復旧」のお知らせを掲載します。",
     .body_en = "A server is replaced. The service cannot be used meanwhile."
                "\n\n- Data is backed up before and checked afterwards.\n"
                "- A notice of recovery tells when it is done."},
};

static const struct sample_notice draft = {
    .kind = "change",
    .at = {1, 900},
    .starts = {-30, 540},
    .title_ja = "サインイン画面の文言を変更します",
    .title_en = "New wording of the sign-in page",
    .body_ja = "サインイン画面の説明を分かりやすくします。サインインの手順は"
               "変わりません。",
    .body_en = "The sign-in page will be worded more clearly. How you sign in "
               "does not change.",
};

/* ---- writing and publishing ---- */

static void put_moment(struct sample_stage *s, struct json_out *o,
                       const char *name, struct sample_when when)
{
    if (when.minute)
        json_moment(o, name, sample_moment(s, when));
}

/* incident, follows: 0 of none, and then it is for all. */
static enum err write_draft(struct sample_stage *s,
                            const struct sample_notice *n, int64_t incident,
                            int64_t follows, struct notice_row *out)
{
    struct buf b = buf_in(s->c->mem);
    struct json_out o = {.b = &b};
    const struct values *v;

    json_open(&o, NULL, '{');
    json_text(&o, "kind", n->kind);
    json_text(&o, "title_ja", n->title_ja);
    json_text(&o, "title_en", n->title_en);
    json_text(&o, "body_ja", n->body_ja);
    json_text(&o, "body_en", n->body_en);
    json_text(&o, "mail_to", "admins");
    json_bool(&o, "is_for_all", !incident);
    if (incident)
        json_id(&o, "incident", incident);
    if (follows)
        json_id(&o, "follows", follows);
    put_moment(s, &o, "starts_at", n->starts);
    put_moment(s, &o, "ends_at", n->ends);
    json_close(&o, '}');
    enum err e = sample_fill(s, &notice_form, &b, &v);
    return e ? e : notice_create(s->c, v, out);
}

static enum err publish(struct sample_stage *s, struct notice_row *row)
{
    const char *now[] = {NULL};
    const struct values *v;
    enum err e = values_parse_cells(s->c, &notice_schedule_form, now, &v);

    return e ? e
             : notice_schedule(s->c, row->notice.id, row->notice.version, v,
                               row);
}

static enum err write_and_publish(struct sample_stage *s,
                                  const struct sample_notice *n,
                                  int64_t incident, int64_t follows,
                                  int64_t *id)
{
    struct notice_row row = {.notice = {.id = 0}};
    enum err e = write_draft(s, n, incident, follows, &row);

    if (!e)
        e = publish(s, &row);
    *id = row.notice.id;
    return e;
}

static enum err announce(struct sample_stage *s, const struct sample_notice *n,
                         int64_t incident, int64_t follows, int64_t *id)
{
    sample_as_operator(s, n->at);
    enum err e = tx_begin_control(s->c, s->app->store, TX_WRITE);
    if (e)
        return e;
    e = tx_end_control(s->c, s->app->store,
                       write_and_publish(s, n, incident, follows, id));
    return e ? e : notice_tell_owed(s->c, s->app);
}

static enum err announce_all(struct sample_stage *s,
                             const struct sample_notice *list, size_t count)
{
    enum err e = OK;
    int64_t id;

    for (size_t i = 0; !e && i < count; i++)
        e = announce(s, &list[i], 0, 0, &id);
    return e;
}

enum err sample_early_notices(struct sample_stage *s)
{
    return announce_all(s, early, COUNT(early));
}

enum err sample_late_notices(struct sample_stage *s)
{
    return announce_all(s, late, COUNT(late));
}

enum err sample_coming_notices(struct sample_stage *s)
{
    struct notice_row row;
    enum err e = announce_all(s, coming, COUNT(coming));

    if (e)
        return e;
    sample_as_operator(s, draft.at);
    if ((e = tx_begin_control(s->c, s->app->store, TX_WRITE)))
        return e;
    return tx_end_control(s->c, s->app->store,
                          write_draft(s, &draft, 0, 0, &row));
}

/* ---- an incident ---- */

static const struct sample_notice reports[] = {
    {.kind = "incident",
     .at = {25, 665},
     .title_ja = "画面の表示に時間がかかる事象（第一報）",
     .title_en = "Pages are slow to appear (first report)",
     .body_ja = "10時10分ごろから、画面の表示に時間がかかることがあります。"
                "データへの影響は確認されていません。原因を調査しています。",
     .body_en = "Since about 10:10 pages may be slow to appear. No data is "
                "known to be affected. We are looking for the cause."},
    {.kind = "incident",
     .at = {25, 790},
     .title_ja = "画面の表示に時間がかかる事象（続報）",
     .title_en = "Pages are slow to appear (second report)",
     .body_ja = "夜間のバックアップの書き込みが日中まで続いていたことが原因で"
                "した。書き込みを止め、応答時間は戻りつつあります。",
     .body_en = "The cause: last night's backup was still being written in the "
                "day. It was stopped, and response times are recovering."},
    {.kind = "recovery",
     .at = {25, 920},
     .title_ja = "画面の表示に時間がかかる事象（復旧）",
     .title_en = "Pages are slow to appear (recovered)",
     .body_ja = "14時50分に復旧しました。データの欠落や誤りがないことを確認しま"
                "した。ご迷惑をおかけしました。",
     .body_en = "Recovered at 14:50. We checked that no data is missing or "
                "wrong. We apologise for the inconvenience."},
};

/* With its first report in one transaction: between the two it would be
 * overdue, and the operators would be warned.  The mails follow at once. */
static enum err detect(struct sample_stage *s, int64_t *incident,
                       int64_t *report)
{
    struct buf b = buf_in(s->c->mem);
    struct json_out o = {.b = &b};
    struct incident i;
    const struct values *v;

    json_open(&o, NULL, '{');
    json_text(&o, "title", "画面の表示に時間がかかる事象");
    json_text(&o, "what",
              "監視の警告で検知。応答時間（95%）が通常の5倍。エラーはない。"
              "ディスクへの書き込みが飽和している。");
    json_text(&o, "severity", "medium");
    json_moment(&o, "detected_at",
                sample_moment(s, (struct sample_when){25, 612}));
    json_bool(&o, "is_for_all", true);
    json_close(&o, '}');
    enum err e = sample_fill(s, &incident_form, &b, &v);
    if (!e)
        e = incident_create(s->c, v, &i);
    if (e)
        return e;
    *incident = i.id;
    e = write_and_publish(s, &reports[0], i.id, 0, report);
    return e ? e : incident_note_told(s->c, i.id, sample_tenant);
}

static enum err note_call(struct sample_stage *s, int64_t incident)
{
    struct buf b = buf_in(s->c->mem);
    struct json_out o = {.b = &b};
    struct direct_contact made;
    const struct values *v;

    sample_as_operator(s, (struct sample_when){25, 700});
    json_open(&o, NULL, '{');
    json_text(&o, "tenant", sample_tenant);
    json_text(&o, "person", "鈴木 美咲");
    json_text(&o, "means", "phone");
    json_moment(&o, "at", sample_moment(s, (struct sample_when){25, 690}));
    json_text(&o, "answer",
              "状況を説明し、了承をいただいた。社内への周知はお客様が行う。");
    json_close(&o, '}');
    enum err e = sample_fill(s, &direct_contact_form, &b, &v);
    if (e || (e = tx_begin_control(s->c, s->app->store, TX_WRITE)))
        return e;
    return tx_end_control(
        s->c, s->app->store,
        direct_contact_add(s->c,
                           (struct direct_contact_of){.incident_id = incident},
                           v, &made));
}

static enum err close_now(struct sample_stage *s, int64_t incident)
{
    struct buf b = buf_in(s->c->mem);
    struct json_out o = {.b = &b};
    struct incident i;
    const struct values *v;

    json_open(&o, NULL, '{');
    json_text(&o, "cause",
              "保存先の機器の故障により、夜間のバックアップの書き込みが日中まで"
              "続き、画面の処理を待たせた。");
    json_text(&o, "measure",
              "機器を交換した。バックアップが始業時刻までに終わらないときは警告"
              "を受け、書き込みを弱める手順を定めた。");
    json_close(&o, '}');
    enum err e = sample_fill(s, &incident_close_form, &b, &v);
    if (!e)
        e = incident_get(s->c, incident, &i);
    return e ? e : incident_close(s->c, incident, i.version, v, &i);
}

enum err sample_incident(struct sample_stage *s)
{
    int64_t incident = 0, report = 0, id;

    sample_as_operator(s, reports[0].at);
    enum err e = tx_begin_control(s->c, s->app->store, TX_WRITE);
    if (e || (e = tx_end_control(s->c, s->app->store,
                                 detect(s, &incident, &report))))
        return e;
    if ((e = notice_tell_owed(s->c, s->app)) || (e = note_call(s, incident)))
        return e;
    for (size_t i = 1; !e && i < COUNT(reports); i++)
        e = announce(s, &reports[i], incident, report, &id);
    if (e)
        return e;
    sample_as_operator(s, (struct sample_when){24, 960});
    if ((e = tx_begin_control(s->c, s->app->store, TX_WRITE)))
        return e;
    return tx_end_control(s->c, s->app->store, close_now(s, incident));
}
