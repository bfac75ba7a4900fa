/* SPDX-License-Identifier: Apache-2.0 */
/* Contacts, terms, the contract and an enquiry of the sample.  Nothing is
 * written that the rules of the service would not have written. */
#include "cli/sample_service.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/sample_notice.h"
#include "core/contract/contract.h"
#include "core/desk/helpdesk_thread.h"
#include "core/document/consent.h"
#include "core/document/terms.h"
#include "core/notice/contact.h"
#include "core/notice/incident.h"
#include "core/notice/notice_board.h"

enum { READERS = 7 }; /* of ten: the others have not looked */

/* ---- before there is a customer ---- */

static enum err set_incident_contact(struct sample_stage *s)
{
    struct buf b = buf_in(s->c->mem);
    struct json_out o = {.b = &b};
    struct incident_setting setting;
    const struct values *v;

    json_open(&o, NULL, '{');
    json_text(&o, "contact_ja",
              "櫓サービス運用窓口（評価用の例）\n電話 03-0000-0000（24時間）\n"
              "メール incident@example.jp");
    json_text(&o, "contact_en",
              "Yagura service desk (an example)\nTelephone +81 3 0000 0000, "
              "day and night\nMail incident@example.jp");
    json_int(&o, "warn_hours", 6);
    json_close(&o, '}');
    enum err e = sample_fill(s, &incident_setting_form, &b, &v);
    if (e || (e = tx_begin_control(s->c, s->app->store, TX_WRITE)))
        return e;
    return tx_end_control(s->c, s->app->store,
                          incident_setting_set(s->c, 0, v, &setting));
}

static enum err set_property_contact(struct sample_stage *s)
{
    struct buf b = buf_in(s->c->mem);
    struct json_out o = {.b = &b};
    struct helpdesk_setting setting;
    const struct values *v;

    json_open(&o, NULL, '{');
    json_int(&o, "answer_hours", 48);
    json_text(&o, "contact_ja",
              "運用会社 法務部 知的財産担当（評価用の例）\n"
              "〒100-0000 東京都千代田区（評価用の住所）\n"
              "お問い合わせの種別「知的財産権」で、権利の内容、該当する箇所、"
              "ご連絡先をお知らせください。");
    json_text(&o, "contact_en",
              "Legal department, intellectual property (an example)\n"
              "Chiyoda, Tokyo 100-0000, Japan (an example)\n"
              "Open an enquiry of the kind Intellectual property and say which "
              "right, which place and how to reach you.");
    json_close(&o, '}');
    enum err e = sample_fill(s, &helpdesk_setting_form, &b, &v);
    return e ? e : helpdesk_setting_set(s->c, s->app->store, 0, v, &setting);
}

/* The draft that every installation begins with, valid from that day on. */
static enum err date_terms(struct sample_stage *s, struct terms *out)
{
    struct buf b = buf_in(s->c->mem);
    struct json_out o = {.b = &b};
    const struct terms *list;
    const struct values *v;
    size_t count;

    json_open(&o, NULL, '{');
    json_day(&o, "valid_from", clock_today(s->c->now_us));
    json_close(&o, '}');
    enum err e = sample_fill(s, &terms_edit_form, &b, &v);
    if (!e)
        e = terms_list(s->c, &list, &count);
    if (e)
        return e;
    return count ? terms_update(s->c, list[0].id, list[0].version, v, out)
                 : ERR_NOT_FOUND;
}

static enum err publish_terms(struct sample_stage *s)
{
    struct terms t = {.id = 0};
    enum err e = tx_begin_control(s->c, s->app->store, TX_WRITE);

    if (e || (e = tx_end_control(s->c, s->app->store, date_terms(s, &t))))
        return e;
    return terms_publish(s->c, s->app, t.id, t.version, &t);
}

enum err sample_begin_service(struct sample_stage *s)
{
    sample_as_operator(s, (struct sample_when){80, 570});
    enum err e = set_incident_contact(s);
    if (!e)
        e = set_property_contact(s);
    if (e)
        return e;
    sample_as_operator(s, (struct sample_when){79, 600});
    return publish_terms(s);
}

/* ---- the customer ---- */

enum err sample_begin_contract(struct sample_stage *s)
{
    struct buf b = buf_in(s->c->mem);
    struct json_out o = {.b = &b};
    const struct values *v;

    sample_as_operator(s, (struct sample_when){78, 570});
    json_open(&o, NULL, '{');
    json_text(&o, "number", "YG-0001");
    json_day(&o, "starts_on", clock_today(s->c->now_us));
    json_text(&o, "place", "日本国内（評価用の例）");
    json_close(&o, '}');
    enum err e = sample_fill(s, &contract_form, &b, &v);
    return e ? e : contract_set(s->c, s->app, sample_tenant, 0, v);
}

static enum err add_contact(struct sample_stage *s, const char *name,
                            const char *role, const char *email,
                            const char *phone)
{
    const char *cells[] = {name, role, email, phone};
    struct contact contact;
    const struct values *v;
    enum err e = values_parse_cells(s->c, &contact_form, cells, &v);

    return e ? e : contact_create(s->c, v, &contact);
}

static enum err agree(struct sample_stage *s, const struct terms_now *now)
{
    enum err e = consent_accept(s->c, now, now->current);

    if (!e)
        e = add_contact(s, "佐藤 健一", "情報システム部", "sato@kaku.example",
                        "03-0000-0101");
    return e ? e
             : add_contact(s, "鈴木 美咲", "DX 推進室", "suzuki@kaku.example",
                           "03-0000-0102");
}

static enum err begin_customer(struct sample_stage *s,
                               const struct sample_account *admin)
{
    struct terms_now now;
    struct tenant *t;

    sample_as_person(s, (struct sample_when){77, 600}, admin);
    enum err e = tx_begin_control(s->c, s->app->store, TX_READ);
    if (e ||
        (e = tx_end_control(s->c, s->app->store, terms_read_now(s->c, &now))))
        return e;
    if ((e = tenant_open(s->app->store, sample_tenant, &t)))
        return e;
    if (!(e = tx_begin(s->c, t, TX_WRITE)))
        e = tx_end(s->c, t, agree(s, &now));
    tenant_close(t);
    return e ? e : contact_copy(s->c, s->app, sample_tenant);
}

/* ---- an enquiry ---- */

static enum err ask(struct sample_stage *s, const char *subject,
                    const char *body, struct support_request *it)
{
    const struct support_request_side by = {.answer_hours = 48};
    const char *cells[] = {"support", subject, body, NULL, NULL, NULL};
    const struct values *v;
    int64_t message;

    return it->id ? support_request_say(s->c, &by, it->id, body, it, &message)
           : values_parse_cells(s->c, &support_request_form, cells, &v)
               ? ERR_INVALID
               : support_request_open(s->c, &by, v, it);
}

static enum err customer_says(struct sample_stage *s, const char *subject,
                              const char *body, struct support_request *it)
{
    struct tenant *t;
    enum err e = tenant_open(s->app->store, sample_tenant, &t);

    if (e)
        return e;
    if (!(e = tx_begin(s->c, t, TX_WRITE)))
        e = tx_end(s->c, t, ask(s, subject, body, it));
    tenant_close(t);
    return e ? e : helpdesk_tell(s->c, s->app, sample_tenant, it, NULL);
}

static enum err desk_says(struct sample_stage *s, const char *body,
                          const struct support_request *it)
{
    const struct helpdesk_thread thread = {.app = s->app,
                                           .tenant = sample_tenant,
                                           .id = it->id,
                                           .operator_id = s->oper->id,
                                           .operator_name = s->oper->name};
    struct support_request_view view;

    return helpdesk_thread_say(s->c, &thread, body, &view);
}

static enum err enquire(struct sample_stage *s,
                        const struct sample_account *who)
{
    struct support_request it = {.id = 0};

    sample_as_person(s, (struct sample_when){18, 580}, who);
    enum err e = customer_says(
        s, "CSV の文字コードについて",
        "Excel で作った計画を CSV にして取り込みたいのですが、文字コードは何に"
        "すればよいでしょうか。",
        &it);
    if (e)
        return e;
    sample_as_operator(s, (struct sample_when){18, 665});
    if ((e = desk_says(s,
                       "お問い合わせありがとうございます。\nUTF-8 でも "
                       "Shift_JIS（CP932）でも取り込めます。文字コードは自動で"
                       "判別し、取り込む前に内容を確認できます。",
                       &it)))
        return e;
    sample_as_person(s, (struct sample_when){18, 790}, who);
    if ((e = customer_says(s, NULL,
                           "ありがとうございます。取り込みに失敗したときは、"
                           "途中まで登録されてしまいますか。",
                           &it)))
        return e;
    sample_as_operator(s, (struct sample_when){18, 835});
    return desk_says(s,
                     "いいえ。1行でも誤りがあれば何も登録されず、行番号と理由を"
                     "お知らせします。直してから、もう一度取り込んでください。",
                     &it);
}

/* ---- what came to pass ---- */

/* A person reads what was published so far. */
static enum err read_notices(struct sample_stage *s,
                             const struct sample_account *who,
                             struct sample_when when)
{
    const struct board_row *list;
    size_t count;
    bool more;
    struct tenant *t;

    sample_as_person(s, when, who);
    enum err e = tenant_open(s->app->store, sample_tenant, &t);
    if (e)
        return e;
    e = board_list(s->c, s->app, t, 0, 100, &list, &count, &more);
    for (size_t i = 0; !e && i < count; i++)
        e = board_read(s->c, s->app, t, list[i].notice.id);
    tenant_close(t);
    return e;
}

enum err sample_live(struct sample_stage *s,
                     const struct sample_account people[SAMPLE_ACCOUNTS])
{
    enum err e = begin_customer(s, &people[0]);

    if (!e)
        e = sample_early_notices(s);
    if (!e)
        e = sample_incident(s);
    if (!e)
        e = enquire(s, &people[1]);
    if (!e)
        e = sample_late_notices(s);
    for (int i = 0; !e && i < READERS; i++)
        e = read_notices(s, &people[i], (struct sample_when){3, 560 + 7 * i});
    return e ? e : sample_coming_notices(s);
}
