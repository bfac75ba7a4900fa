/* SPDX-License-Identifier: Apache-2.0 */
/* Notices as their operator writes them. */
#include "api/dispatch/routes.h"
#include "api/notice/notice_reply.h"
#include "core/notice/notice_period.h"
#include "core/scheduler.h"

static const struct field list_fields[] = {
    {CHOICE("state", notice_state_words, OPTIONAL, "状態", "State")},
    {CHOICE("kind", notice_kind_words, OPTIONAL, "種別", "Kind")},
    {ID("incident", OPTIONAL, "インシデント", "Incident")},
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form list_form = {"NoticeQuery", list_fields,
                                      COUNT(list_fields)};
static const struct field targets_fields[] = {
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {TEXT("after", 1, 32, OPTIONAL, "続き", "After")},
};
static const struct form targets_form = {"NoticeTargetQuery", targets_fields,
                                         COUNT(targets_fields)};
static const struct field target_fields[] = {
    {OUT_TEXT("tenant", REQUIRED)},
    {OUT_TEXT("name", REQUIRED)},
    {OUT_BOOL("is_owed", REQUIRED)},
    {OUT_TEXT("told_at", NULLABLE)},
    {OUT_CHOICE("skipped", notice_skipped_words, REQUIRED)},
    {OUT_INT("mails", REQUIRED)},
    {OUT_INT("readers", REQUIRED)},
    {OUT_INT("waiting", REQUIRED)},
    {OUT_INT("failed", REQUIRED)},
};
static const struct form target_form = {"NoticeTarget", target_fields,
                                        COUNT(target_fields)};
static const struct field row_fields[] = {
    NOTICE_FACT_FIELDS,
    NOTICE_TEXT_FIELDS,
    {OUT_BOOL("is_for_all", REQUIRED)},
    {OUT_CHOICE("mail_to", notice_mail_words, REQUIRED)},
    {OUT_TEXT("publish_at", NULLABLE)},
    {OUT_TEXT("created_at", REQUIRED)},
    {OUT_TEXT("written_by", REQUIRED)},
    {OUT_TEXT("published_by", NULLABLE)},
    {OUT_INT("tenants", REQUIRED)},
    {OUT_INT("owed", REQUIRED)},
    {OUT_INT("told", REQUIRED)},
    {OUT_INT("skipped", REQUIRED)},
    {OUT_INT("mails", REQUIRED)},
    {OUT_INT("readers", REQUIRED)},
    {OUT_INT("waiting", REQUIRED)},
    {OUT_INT("failed", REQUIRED)},
    {OUT_INT("version", REQUIRED)},
    {OUT_ROWS("direct_contacts", &direct_contact_reply_form, 0, OPTIONAL)},
};
static const struct form row_form = {"ServiceNotice", row_fields,
                                     COUNT(row_fields)};

static void put_row(struct call *k, const struct notice_row *row)
{
    const struct notice *n = &row->notice;
    struct json_out *o = &k->out;

    notice_put_facts(k, n);
    json_bool(o, "is_for_all", n->is_for_all);
    json_text(o, "mail_to", notice_mail_words[n->mail_to]);
    json_moment(o, "publish_at", n->publish_at);
    json_moment(o, "created_at", n->created_at);
    json_text(o, "written_by", n->written_by);
    json_text(o, "published_by", n->published_by);
    json_int(o, "tenants", row->sums.tenants);
    json_int(o, "owed", row->sums.owed);
    json_int(o, "told", row->sums.told);
    json_int(o, "skipped", row->sums.skipped);
    json_int(o, "mails", row->sums.mails);
    json_int(o, "readers", row->sums.readers);
    json_int(o, "waiting", row->sums.waiting);
    json_int(o, "failed", row->sums.failed);
    json_int(o, "version", n->version);
}

static enum err list_notices(struct call *k)
{
    const struct notice_filter filter = {
        .state = (int)values_int(k->query, "state", -1),
        .kind = (int)values_int(k->query, "kind", -1),
        .incident_id = values_int(k->query, "incident", 0),
        .after_id = values_int(k->query, "after", 0),
        .limit = call_limit(k),
    };
    const struct notice_row *list;
    size_t count;
    bool more;
    enum err e = notice_list(k->c, &filter, &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        put_row(k, &list[i]);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].notice.id : 0);
    json_close(&k->out, '}');
    return OK;
}

static enum err reply(struct call *k, enum err e, const struct notice_row *row)
{
    const struct direct_contact *list;
    size_t count;

    if (e)
        return e;
    const struct direct_contact_of of = {.notice_id = row->notice.id};
    if ((e = direct_contact_list(k->c, of, &list, &count)))
        return e;
    call_etag(k, row->notice.version);
    json_open(&k->out, NULL, '{');
    put_row(k, row);
    notice_put_texts(k, &row->notice);
    notice_put_contacts(k, list, count);
    json_close(&k->out, '}');
    return OK;
}

static enum err get_notice(struct call *k)
{
    struct notice_row row;

    return reply(k, notice_get(k->c, call_id(k, 0), &row), &row);
}

static enum err list_targets(struct call *k)
{
    struct json_out *o = &k->out;
    const struct notice_target *list;
    struct notice_row row;
    size_t count;
    bool more;
    enum err e = notice_get(k->c, call_id(k, 0), &row);

    if (e || (e = notice_list_targets(k->c, row.notice.id,
                                      values_text(k->query, "after"),
                                      call_limit(k), &list, &count, &more)))
        return e;
    json_open(o, NULL, '{');
    json_open(o, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(o, NULL, '{');
        json_text(o, "tenant", list[i].tenant);
        json_text(o, "name", list[i].name);
        json_bool(o, "is_owed", list[i].is_owed);
        json_moment(o, "told_at", list[i].told_at);
        json_text(o, "skipped", notice_skipped_words[list[i].skipped]);
        json_int(o, "mails", list[i].mails);
        json_int(o, "readers", list[i].readers);
        json_int(o, "waiting", list[i].waiting);
        json_int(o, "failed", list[i].failed);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_text(o, "next", more ? list[count - 1].tenant : NULL);
    json_close(o, '}');
    return OK;
}

static enum err post_notice(struct call *k)
{
    struct notice_row row;

    return reply(k, notice_create(k->c, k->body, &row), &row);
}

static enum err patch_notice(struct call *k)
{
    struct notice_row row;

    return reply(k,
                 notice_update(k->c, call_id(k, 0), k->if_match, k->body, &row),
                 &row);
}

static enum err delete_notice(struct call *k)
{
    return notice_delete(k->c, call_id(k, 0), k->if_match);
}

static void wake(void *arg)
{
    scheduler_wake(arg);
}

/* The mails are the scheduler's, once this is committed. */
static enum err reply_and_tell(struct call *k, enum err e,
                               const struct notice_row *row)
{
    if (!e && row->sums.owed && k->app->scheduler)
        arena_defer(k->c->mem, wake, k->app->scheduler);
    return reply(k, e, row);
}

static enum err post_schedule(struct call *k)
{
    struct notice_row row;
    enum err e =
        notice_schedule(k->c, call_id(k, 0), k->if_match, k->body, &row);

    return reply_and_tell(k, e, &row);
}

static enum err post_unschedule(struct call *k)
{
    struct notice_row row;

    return reply(k, notice_unschedule(k->c, call_id(k, 0), k->if_match, &row),
                 &row);
}

static enum err post_correct(struct call *k)
{
    struct notice_row row;
    enum err e =
        notice_correct(k->c, call_id(k, 0), k->if_match, k->body, &row);

    return reply_and_tell(k, e, &row);
}

static enum err post_withdraw(struct call *k)
{
    struct notice_row row;
    enum err e =
        notice_withdraw(k->c, call_id(k, 0), k->if_match, k->body, &row);

    return reply_and_tell(k, e, &row);
}

static enum err post_contact(struct call *k)
{
    const struct direct_contact_of of = {.notice_id = call_id(k, 0)};
    struct direct_contact d;
    enum err e = direct_contact_add(k->c, of, k->body, &d);

    if (!e)
        notice_put_contact(k, &d);
    return e;
}

static const struct field period_fields[] = {
    {OUT_INT("change_hours", REQUIRED)},
    {OUT_INT("maintenance_hours", REQUIRED)},
    {OUT_INT("version", REQUIRED)},
};
static const struct form period_form = {"NoticePeriod", period_fields,
                                        COUNT(period_fields)};

static enum err reply_period(struct call *k, enum err e,
                             const struct notice_period *p)
{
    if (e)
        return e;
    call_etag(k, p->version);
    json_open(&k->out, NULL, '{');
    json_int(&k->out, "change_hours", p->change_hours);
    json_int(&k->out, "maintenance_hours", p->maintenance_hours);
    json_int(&k->out, "version", p->version);
    json_close(&k->out, '}');
    return OK;
}

static enum err get_period(struct call *k)
{
    struct notice_period p;

    return reply_period(k, notice_period_get(k->c, &p), &p);
}

static enum err put_period(struct call *k)
{
    struct notice_period p;

    return reply_period(k, notice_period_set(k->c, k->if_match, k->body, &p),
                        &p);
}

static const struct route routes[] = {
    {GET("/service/notices/setting", get_period, RIGHT_AUDITOR,
         "How long before it begins planned work is announced at least",
         .reply = &period_form)},
    {PUT("/service/notices/setting", put_period, RIGHT_OPERATOR,
         "Set the notice periods", .form = &notice_period_form,
         .reply = &period_form, .flags = ROUTE_MATCH)},
    {GET("/service/notices", list_notices, RIGHT_AUDITOR,
         "Notices of the service dashboard, newest first", .query = &list_form,
         .reply = &row_form, .flags = ROUTE_LIST)},
    {GET("/service/notices/:id", get_notice, RIGHT_AUDITOR,
         "One of them, with its texts", .reply = &row_form)},
    {GET("/service/notices/:id/tenants", list_targets, RIGHT_AUDITOR,
         "Whom it is for, who was told, how many have read it",
         .query = &targets_form, .reply = &target_form, .flags = ROUTE_LIST)},
    {POST("/service/notices", post_notice, RIGHT_OPERATOR, "Write a draft",
          .form = &notice_form, .reply = &row_form, .flags = ROUTE_CREATED)},
    {PATCH("/service/notices/:id", patch_notice, RIGHT_OPERATOR,
           "Change what is not yet published", .form = &notice_edit_form,
           .reply = &row_form, .flags = ROUTE_MATCH)},
    {DELETE("/service/notices/:id", delete_notice, RIGHT_OPERATOR,
            "Throw a draft away", .flags = ROUTE_MATCH)},
    {POST("/service/notices/:id/publish", post_schedule, RIGHT_OPERATOR,
          "Publish it, now or at a moment", .form = &notice_schedule_form,
          .reply = &row_form, .flags = ROUTE_MATCH)},
    {POST("/service/notices/:id/unschedule", post_unschedule, RIGHT_OPERATOR,
          "Make a scheduled one a draft again", .reply = &row_form,
          .flags = ROUTE_MATCH)},
    {POST("/service/notices/:id/correct", post_correct, RIGHT_OPERATOR,
          "Correct a published one", .form = &notice_correct_form,
          .reply = &row_form, .flags = ROUTE_MATCH)},
    {POST("/service/notices/:id/withdraw", post_withdraw, RIGHT_OPERATOR,
          "Withdraw a published one, with the reason",
          .form = &notice_withdraw_form, .reply = &row_form,
          .flags = ROUTE_MATCH)},
    {POST("/service/notices/:id/contacts", post_contact, RIGHT_OPERATOR,
          "Record that a customer was spoken to", .form = &direct_contact_form,
          .reply = &direct_contact_reply_form, .flags = ROUTE_CREATED)},
};
const struct route_set notice_routes = {routes, COUNT(routes), 0};
