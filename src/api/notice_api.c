/* SPDX-License-Identifier: Apache-2.0 */
/* Notices as their operator writes them. */
#include "api/notice_reply.h"
#include "api/routes.h"
#include "core/caretaker.h"
#include "core/notice_period.h"

static const struct field list_fields[] = {
    {"state",    FIELD_CHOICE, 0, 0,   0, notice_state_words, NULL, "状態",             "State"   },
    {"kind",     FIELD_CHOICE, 0, 0,   0, notice_kind_words,  NULL, "種別",             "Kind"    },
    {"incident", FIELD_ID,     0, 0,   0, NULL,               NULL, "インシデント", "Incident"},
    {"limit",    FIELD_INT,    1, 200, 0, NULL,               NULL, "件数",             "Limit"   },
    {"after",    FIELD_ID,     0, 0,   0, NULL,               NULL, "続き",             "After"   },
};
static const struct form list_form = {"NoticeQuery", list_fields,
                                      COUNT(list_fields)};
static const struct field targets_fields[] = {
    {"limit", FIELD_INT,  1, 200, 0, NULL, NULL, "件数", "Limit"},
    {"after", FIELD_TEXT, 1, 32,  0, NULL, NULL, "続き", "After"},
};
static const struct form targets_form = {"NoticeTargetQuery", targets_fields,
                                         COUNT(targets_fields)};
static const struct field target_fields[] = {
    {"tenant",  FIELD_TEXT,   0, 0, FIELD_REQUIRED, NULL,                 NULL, "", ""},
    {"name",    FIELD_TEXT,   0, 0, FIELD_REQUIRED, NULL,                 NULL, "", ""},
    {"is_owed", FIELD_BOOL,   0, 0, FIELD_REQUIRED, NULL,                 NULL, "", ""},
    {"told_at", FIELD_TEXT,   0, 0, FIELD_NULLABLE, NULL,                 NULL, "", ""},
    {"skipped", FIELD_CHOICE, 0, 0, FIELD_REQUIRED, notice_skipped_words, NULL,
     "",                                                                            ""},
    {"mails",   FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,                 NULL, "", ""},
    {"readers", FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,                 NULL, "", ""},
    {"waiting", FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,                 NULL, "", ""},
    {"failed",  FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,                 NULL, "", ""},
};
static const struct form target_form = {"NoticeTarget", target_fields,
                                        COUNT(target_fields)};
static const struct field row_fields[] = {
    NOTICE_FACT_FIELDS,
    NOTICE_TEXT_FIELDS,
    {"is_for_all",      FIELD_BOOL,   0, 0, FIELD_REQUIRED, NULL,              NULL,                       "", ""},
    {"mail_to",         FIELD_CHOICE, 0, 0, FIELD_REQUIRED, notice_mail_words, NULL,                       "",
      ""                                                                                                          },
    {"publish_at",      FIELD_TEXT,   0, 0, FIELD_NULLABLE, NULL,              NULL,                       "", ""},
    {"created_at",      FIELD_TEXT,   0, 0, FIELD_REQUIRED, NULL,              NULL,                       "", ""},
    {"written_by",      FIELD_TEXT,   0, 0, FIELD_REQUIRED, NULL,              NULL,                       "", ""},
    {"published_by",    FIELD_TEXT,   0, 0, FIELD_NULLABLE, NULL,              NULL,                       "", ""},
    {"tenants",         FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,              NULL,                       "", ""},
    {"owed",            FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,              NULL,                       "", ""},
    {"told",            FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,              NULL,                       "", ""},
    {"skipped",         FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,              NULL,                       "", ""},
    {"mails",           FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,              NULL,                       "", ""},
    {"readers",         FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,              NULL,                       "", ""},
    {"waiting",         FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,              NULL,                       "", ""},
    {"failed",          FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,              NULL,                       "", ""},
    {"version",         FIELD_INT,    0, 0, FIELD_REQUIRED, NULL,              NULL,                       "", ""},
    {"direct_contacts", FIELD_ROWS,   0, 0, 0,              NULL,              &direct_contact_reply_form,
      "",                                                                                                       ""},
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
    caretaker_wake(arg);
}

/* The mails are the caretaker's, once this is committed. */
static enum err reply_and_tell(struct call *k, enum err e,
                               const struct notice_row *row)
{
    if (!e && row->sums.owed && k->app->caretaker)
        arena_defer(k->c->mem, wake, k->app->caretaker);
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
    {"change_hours",      FIELD_INT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"maintenance_hours", FIELD_INT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"version",           FIELD_INT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
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
    {METHOD_GET,    "/api/v1/service/notices/setting",        get_period,      RIGHT_AUDITOR,
     NULL,                                                                                                            NULL,          &period_form,               0,
     "How long before it begins planned work is announced at least"                                                                                                                                                   },
    {METHOD_PUT,    "/api/v1/service/notices/setting",        put_period,      RIGHT_OPERATOR,
     &notice_period_form,                                                                                             NULL,          &period_form,               ROUTE_MATCH,
     "Set the notice periods"                                                                                                                                                                                         },
    {METHOD_GET,    "/api/v1/service/notices",                list_notices,    RIGHT_AUDITOR,  NULL,
     &list_form,                                                                                                                     &row_form,                  ROUTE_LIST,
     "Notices of the service dashboard, newest first"                                                                                                                                                                 },
    {METHOD_GET,    "/api/v1/service/notices/:id",            get_notice,      RIGHT_AUDITOR,  NULL,
     NULL,                                                                                                                           &row_form,                  0,             "One of them, with its texts"         },
    {METHOD_GET,    "/api/v1/service/notices/:id/tenants",    list_targets,
     RIGHT_AUDITOR,                                                                            NULL,                  &targets_form, &target_form,               ROUTE_LIST,
     "Whom it is for, who was told, how many have read it"                                                                                                                                                            },
    {METHOD_POST,   "/api/v1/service/notices",                post_notice,     RIGHT_OPERATOR,
     &notice_form,                                                                                                    NULL,          &row_form,                  ROUTE_CREATED, "Write a draft"                       },
    {METHOD_PATCH,  "/api/v1/service/notices/:id",            patch_notice,    RIGHT_OPERATOR,
     &notice_edit_form,                                                                                               NULL,          &row_form,                  ROUTE_MATCH,
     "Change what is not yet published"                                                                                                                                                                               },
    {METHOD_DELETE, "/api/v1/service/notices/:id",            delete_notice,
     RIGHT_OPERATOR,                                                                           NULL,                  NULL,          NULL,                       ROUTE_MATCH,   "Throw a draft away"                  },
    {METHOD_POST,   "/api/v1/service/notices/:id/publish",    post_schedule,
     RIGHT_OPERATOR,                                                                           &notice_schedule_form, NULL,          &row_form,                  ROUTE_MATCH,
     "Publish it, now or at a moment"                                                                                                                                                                                 },
    {METHOD_POST,   "/api/v1/service/notices/:id/unschedule", post_unschedule,
     RIGHT_OPERATOR,                                                                           NULL,                  NULL,          &row_form,                  ROUTE_MATCH,
     "Make a scheduled one a draft again"                                                                                                                                                                             },
    {METHOD_POST,   "/api/v1/service/notices/:id/correct",    post_correct,
     RIGHT_OPERATOR,                                                                           &notice_correct_form,  NULL,          &row_form,                  ROUTE_MATCH,
     "Correct a published one"                                                                                                                                                                                        },
    {METHOD_POST,   "/api/v1/service/notices/:id/withdraw",   post_withdraw,
     RIGHT_OPERATOR,                                                                           &notice_withdraw_form, NULL,          &row_form,                  ROUTE_MATCH,
     "Withdraw a published one, with the reason"                                                                                                                                                                      },
    {METHOD_POST,   "/api/v1/service/notices/:id/contacts",   post_contact,
     RIGHT_OPERATOR,                                                                           &direct_contact_form,  NULL,          &direct_contact_reply_form,
     ROUTE_CREATED,                                                                                                                                                             "Record that a customer was spoken to"},
};
const struct route_set notice_routes = {routes, COUNT(routes), 0};
