/* SPDX-License-Identifier: Apache-2.0 */
/* Drafts and the list.  A notice that belongs to an incident goes to the
 * tenants of the incident, so that nobody is left out by a slip. */
#include "core/notice/notice.h"

#include "base/buf.h"
#include "base/json.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

#include <string.h>

const char *const notice_kind_words[] = {
    "change", "maintenance", "vulnerability", "incident", "recovery", NULL};
const char *const notice_state_words[] = {"draft", "scheduled", "published",
                                          "withdrawn", NULL};
const char *const notice_mail_words[] = {"nobody", "admins", "everybody", NULL};
const char *const notice_skipped_words[] = {"no", "gone", "closed", NULL};

#define NOTICE_SUMS                                                            \
    ", count(t.customer_id), coalesce(sum(t.is_owed), 0),"                     \
    " count(t.told_at), coalesce(sum(t.skipped > 0), 0),"                      \
    " coalesce(sum(t.mails), 0), coalesce(sum(t.readers), 0),"                 \
    " coalesce(sum(t.waiting), 0), coalesce(sum(t.failed), 0)"                 \
    " FROM notice n LEFT JOIN notice_tenant t ON t.notice_id = n.id"

enum {
    NOTICE_LIST,
    NOTICE_OF_INCIDENT,
    NOTICE_GET,
    NOTICE_TARGETS,
    NOTICE_ADD,
    NOTICE_UPDATE,
    NOTICE_DELETE,
    NOTICE_CLEAR_TARGETS,
    NOTICE_ADD_TARGET,
    NOTICE_HAS_TARGETS,
    NOTICE_INCIDENT_IS_OPEN,
    NOTICE_IS_PUBLIC,
};
static const char *const notice_text[] = {
    [NOTICE_LIST] = "SELECT " NOTICE_COLS NOTICE_SUMS
                    " WHERE n.id < ?1 AND (?2 < 0 OR n.state = ?2)"
                    " AND (?3 < 0 OR n.kind = ?3)"
                    " GROUP BY n.id ORDER BY n.id DESC LIMIT ?4",
    [NOTICE_OF_INCIDENT] = "SELECT " NOTICE_COLS NOTICE_SUMS
                           " WHERE n.incident_id = ?5 AND n.id < ?1"
                           " AND (?2 < 0 OR n.state = ?2)"
                           " AND (?3 < 0 OR n.kind = ?3)"
                           " GROUP BY n.id ORDER BY n.id DESC LIMIT ?4",
    [NOTICE_GET] =
        "SELECT " NOTICE_COLS NOTICE_SUMS " WHERE n.id = ?1 GROUP BY n.id",
    [NOTICE_TARGETS] =
        "SELECT t.customer_id, coalesce(customer.name, t.customer_id),"
        " t.is_owed, t.told_at, t.mails, t.readers, t.skipped, t.waiting,"
        " t.failed"
        " FROM notice_tenant t LEFT JOIN customer"
        " ON customer.id = t.customer_id"
        " WHERE t.notice_id = ?1 AND t.customer_id > ?2"
        " ORDER BY t.customer_id LIMIT ?3",
    [NOTICE_ADD] =
        "INSERT INTO notice (kind, title_ja, title_en, body_ja, body_en,"
        " starts_at, ends_at, is_for_all, mail_to, incident_id, follows_id,"
        " is_emergency, written_by, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
        " ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    [NOTICE_UPDATE] =
        "UPDATE notice SET kind = ?1, title_ja = ?2, title_en = ?3,"
        " body_ja = ?4, body_en = ?5, starts_at = ?6, ends_at = ?7,"
        " is_for_all = ?8, mail_to = ?9, incident_id = ?10, follows_id = ?11,"
        " is_emergency = ?12, version = version + 1 WHERE id = ?13"
        " AND version = ?14"
        " AND state < 2",
    [NOTICE_DELETE] =
        "DELETE FROM notice WHERE id = ?1 AND version = ?2 AND state = 0",
    [NOTICE_CLEAR_TARGETS] = "DELETE FROM notice_tenant WHERE notice_id = ?1",
    [NOTICE_ADD_TARGET] =
        "INSERT INTO notice_tenant (notice_id, customer_id)"
        " SELECT ?1, id FROM customer WHERE id = ?2 AND state = 1"
        " ON CONFLICT DO NOTHING",
    [NOTICE_HAS_TARGETS] =
        "SELECT 1 FROM notice_tenant WHERE notice_id = ?1 LIMIT 1",
    [NOTICE_INCIDENT_IS_OPEN] =
        "SELECT closed_at IS NULL FROM incident WHERE id = ?1",
    [NOTICE_IS_PUBLIC] = "SELECT 1 FROM notice WHERE id = ?1 AND state >= 2",
};
const struct query_set notice_queries = {"notice", notice_text,
                                         COUNT(notice_text)};

enum { TITLE_CHARS = 200, BODY_CHARS = 20000, TENANTS_MAX = 2000 };
static const struct field target_fields[] = {
    {TEXT("id", 1, 32, REQUIRED, "テナント", "Tenant")},
};
static const struct form target_form = {"TenantPick", target_fields,
                                        COUNT(target_fields)};
#define TEXT_FIELDS(flags)                                                     \
    {TEXT("title_ja", 1, TITLE_CHARS, flags, "件名（日本語）",                 \
          "Title (Japanese)")},                                                \
        {TEXT("title_en", 1, TITLE_CHARS, flags, "件名（英語）", "Title")},    \
        {LINES("body_ja", 1, BODY_CHARS, flags, "本文（日本語）",              \
               "Text (Japanese)")},                                            \
        {LINES("body_en", 1, BODY_CHARS, flags, "本文（英語）", "Text")},      \
        {MOMENT("starts_at", NULLABLE, "影響の開始", "Begins")},               \
    {                                                                          \
        MOMENT("ends_at", NULLABLE, "影響の終了", "Ends")                      \
    }
#define DRAFT_FIELDS(flags)                                                    \
    {CHOICE("kind", notice_kind_words, flags, "種別", "Kind")},                \
        {BOOL("is_emergency", OPTIONAL, "緊急", "Emergency")},                 \
        {BOOL("is_for_all", OPTIONAL, "すべてのテナント", "All tenants")},     \
        {ROWS("tenants", &target_form, 0, TENANTS_MAX, OPTIONAL,               \
              "対象のテナント", "Tenants")},                                   \
        {CHOICE("mail_to", notice_mail_words, OPTIONAL, "メールの宛先",        \
                "Mail to")},                                                   \
        {ID("incident", NULLABLE, "インシデント", "Incident")},                \
        {ID("follows", NULLABLE, "前のお知らせ", "Follow-up of")},             \
        TEXT_FIELDS(flags)
static const struct field draft_fields[] = {
    DRAFT_FIELDS(REQUIRED),
};
const struct form notice_form = {"NoticeCreate", draft_fields,
                                 COUNT(draft_fields)};
static const struct field plan_edit_fields[] = {
    DRAFT_FIELDS(0),
};
const struct form notice_edit_form = {"NoticeEdit", plan_edit_fields,
                                      COUNT(plan_edit_fields)};
static const struct field schedule_fields[] = {
    {MOMENT("publish_at", NULLABLE, "公開日時", "Publish at")},
};
const struct form notice_schedule_form = {"NoticeSchedule", schedule_fields,
                                          COUNT(schedule_fields)};
static const struct field correct_fields[] = {
    {BOOL("is_emergency", OPTIONAL, "緊急", "Emergency")},
    {BOOL("is_mailed", OPTIONAL, "メールで知らせる", "Tell by mail")},
    TEXT_FIELDS(0),
};
const struct form notice_correct_form = {"NoticeCorrect", correct_fields,
                                         COUNT(correct_fields)};
static const struct field withdraw_fields[] = {
    {BOOL("is_mailed", OPTIONAL, "メールで知らせる", "Tell by mail")},
    {LINES("reason_ja", 1, 2000, REQUIRED, "理由（日本語）",
           "Reason (Japanese)")},
    {LINES("reason_en", 1, 2000, REQUIRED, "理由（英語）", "Reason")},
};
const struct form notice_withdraw_form = {"NoticeWithdraw", withdraw_fields,
                                          COUNT(withdraw_fields)};

/* ---- reading ---- */

void notice_read_row(struct ctx *c, struct query *q, struct notice *out)
{
    *out = (struct notice){
        .id = col_int(q, 0),
        .incident_id = col_int(q, 1),
        .follows_id = col_int(q, 2),
        .kind = (enum notice_kind)col_int(q, 3),
        .state = (enum notice_state)col_int(q, 4),
        .mail_to = (enum notice_mail_to)col_int(q, 5),
        .is_for_all = col_int(q, 6) != 0,
        .title_ja = col_text(c, q, 7),
        .title_en = col_text(c, q, 8),
        .body_ja = col_text(c, q, 9),
        .body_en = col_text(c, q, 10),
        .reason_ja = col_text(c, q, 11),
        .reason_en = col_text(c, q, 12),
        .starts_at = col_int(q, 13),
        .ends_at = col_int(q, 14),
        .publish_at = col_int(q, 15),
        .published_at = col_int(q, 16),
        .corrected_at = col_int(q, 17),
        .withdrawn_at = col_int(q, 18),
        .created_at = col_int(q, 19),
        .revision = col_int(q, 20),
        .mail_revision = col_int(q, 21),
        .version = col_int(q, 22),
        .written_by = col_text(c, q, 23),
        .published_by = col_text(c, q, 24),
        .is_emergency = col_int(q, 25) != 0,
    };
}

static void read_with_sums(struct ctx *c, struct query *q,
                           struct notice_row *out)
{
    enum { AT = NOTICE_COL_COUNT };

    notice_read_row(c, q, &out->notice);
    out->sums = (struct notice_sums){
        .tenants = col_int(q, AT),
        .owed = col_int(q, AT + 1),
        .told = col_int(q, AT + 2),
        .skipped = col_int(q, AT + 3),
        .mails = col_int(q, AT + 4),
        .readers = col_int(q, AT + 5),
        .waiting = col_int(q, AT + 6),
        .failed = col_int(q, AT + 7),
    };
}

enum err notice_list(struct ctx *c, const struct notice_filter *filter,
                     const struct notice_row **out, size_t *count, bool *more)
{
    struct query *q = query(
        c, notice_text[filter->incident_id ? NOTICE_OF_INCIDENT : NOTICE_LIST]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, filter->after_id ? filter->after_id : INT64_MAX);
    bind_int(q, 2, filter->state);
    bind_int(q, 3, filter->kind);
    bind_int(q, 4, filter->limit + 1);
    if (filter->incident_id)
        bind_int(q, 5, filter->incident_id);
    while (query_next(c, q, &e)) {
        struct notice_row row;
        read_with_sums(c, q, &row);
        buf_put(&rows, &row, sizeof row);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    *more = *count > (size_t)filter->limit;
    if (*more)
        (*count)--;
    return e;
}

enum err notice_get(struct ctx *c, int64_t id, struct notice_row *out)
{
    struct query *q = query(c, notice_text[NOTICE_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "", "not_found", "お知らせが見つかりません",
                        "No such notice");
    if (e)
        return e;
    read_with_sums(c, q, out);
    query_done(q);
    return OK;
}

enum err notice_list_targets(struct ctx *c, int64_t id, const char *after,
                             int limit, const struct notice_target **out,
                             size_t *count, bool *more)
{
    struct query *q = query(c, notice_text[NOTICE_TARGETS]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, id);
    bind_text(q, 2, after ? after : "");
    bind_int(q, 3, limit + 1);
    while (query_next(c, q, &e)) {
        struct notice_target row = {
            .tenant = col_text(c, q, 0),
            .name = col_text(c, q, 1),
            .is_owed = col_int(q, 2) != 0,
            .told_at = col_int(q, 3),
            .mails = col_int(q, 4),
            .readers = col_int(q, 5),
            .skipped = (enum notice_skipped)col_int(q, 6),
            .waiting = col_int(q, 7),
            .failed = col_int(q, 8),
        };
        buf_put(&rows, &row, sizeof row);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    *more = *count > (size_t)limit;
    if (*more)
        (*count)--;
    return e;
}

/* ---- rules ---- */

static enum err check_period(struct ctx *c, const struct notice *n)
{
    if (n->kind <= NOTICE_MAINTENANCE && !n->starts_at)
        return ctx_fail(c, ERR_INVALID, "starts_at", "required",
                        "変更とメンテナンスには開始日時が必要です",
                        "A change or maintenance needs to say when it begins");
    if (n->kind == NOTICE_MAINTENANCE && !n->ends_at)
        return ctx_fail(c, ERR_INVALID, "ends_at", "required",
                        "メンテナンスには終了予定日時が必要です",
                        "Maintenance needs to say when it ends");
    if (n->ends_at && n->ends_at <= n->starts_at)
        return ctx_fail(c, ERR_INVALID, "ends_at", "order",
                        "終了は開始より後にしてください",
                        "It must end after it begins");
    return OK;
}

static enum err check_incident(struct ctx *c, const struct notice *n)
{
    if (n->kind == NOTICE_INCIDENT && !n->incident_id)
        return ctx_fail(c, ERR_INVALID, "incident", "required",
                        "インシデントのお知らせは登録簿のインシデントから"
                        "作成してください",
                        "A notice of an incident belongs to an incident of the "
                        "register");
    if (!n->incident_id)
        return OK;
    if (n->kind < NOTICE_INCIDENT)
        return ctx_fail(c, ERR_INVALID, "kind", "incident",
                        "インシデントには「インシデント」か「復旧」の"
                        "お知らせだけを付けられます",
                        "Only notices of kind incident or recovery belong to "
                        "an incident");
    if (n->mail_to == NOTICE_NOBODY)
        return ctx_fail(c, ERR_INVALID, "mail_to", "incident",
                        "インシデントのお知らせはメールでも送ります",
                        "A notice of an incident goes by mail too");
    struct query *q = query(c, notice_text[NOTICE_INCIDENT_IS_OPEN]);
    bind_int(q, 1, n->incident_id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, ERR_INVALID, "incident", "not_found",
                        "インシデントが見つかりません", "No such incident");
    if (!e)
        query_done(q);
    return e;
}

static enum err check_follows(struct ctx *c, const struct notice *n)
{
    if (!n->follows_id)
        return OK;
    struct query *q = query(c, notice_text[NOTICE_IS_PUBLIC]);
    bind_int(q, 1, n->follows_id);
    enum err e = query_one(c, q);
    if (!e)
        query_done(q);
    if (e != ERR_NOT_FOUND && (e || n->follows_id != n->id))
        return e;
    return ctx_fail(c, ERR_INVALID, "follows", "not_found",
                    "公開されたお知らせではありません",
                    "This is no published notice");
}

enum err notice_check(struct ctx *c, const struct notice *n)
{
    enum err e = check_period(c, n);

    if (!e)
        e = check_incident(c, n);
    return e ? e : check_follows(c, n);
}

/* ---- the log ---- */

static const char *as_json(struct ctx *c, const struct notice *n)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "kind", notice_kind_words[n->kind]);
    json_text(&o, "state", notice_state_words[n->state]);
    json_text(&o, "title_ja", n->title_ja);
    json_text(&o, "title_en", n->title_en);
    json_text(&o, "body_ja", n->body_ja);
    json_text(&o, "body_en", n->body_en);
    json_moment(&o, "starts_at", n->starts_at);
    json_moment(&o, "ends_at", n->ends_at);
    json_moment(&o, "publish_at", n->publish_at);
    json_bool(&o, "is_for_all", n->is_for_all);
    json_text(&o, "mail_to", notice_mail_words[n->mail_to]);
    json_bool(&o, "is_emergency", n->is_emergency);
    json_id(&o, "incident", n->incident_id);
    json_close(&o, '}');
    return b.data;
}

enum err notice_log(struct ctx *c, const char *action,
                    const struct notice *before, const struct notice *n)
{
    return operation_log(
        c, &(struct operation){.action = action,
                               .kind = "notice",
                               .object_id = n->id,
                               .object_name = n->title_ja,
                               .before = before ? as_json(c, before) : NULL,
                               .after = as_json(c, n)});
}

/* ---- drafts ---- */

static void take_text(const struct values *v, const char *name,
                      const char **out)
{
    if (values_has(v, name))
        *out = values_text(v, name);
}

static void read_form(const struct values *v, struct notice *n)
{
    n->kind = (enum notice_kind)values_int(v, "kind", n->kind);
    n->is_for_all = values_bool(v, "is_for_all", n->is_for_all);
    n->mail_to = (enum notice_mail_to)values_int(v, "mail_to", n->mail_to);
    take_text(v, "title_ja", &n->title_ja);
    take_text(v, "title_en", &n->title_en);
    take_text(v, "body_ja", &n->body_ja);
    take_text(v, "body_en", &n->body_en);
    if (values_has(v, "starts_at"))
        n->starts_at = values_int(v, "starts_at", 0);
    if (values_has(v, "ends_at"))
        n->ends_at = values_int(v, "ends_at", 0);
    if (values_has(v, "incident"))
        n->incident_id = values_int(v, "incident", 0);
    if (values_has(v, "follows"))
        n->follows_id = values_int(v, "follows", 0);
    n->is_emergency = values_bool(v, "is_emergency", n->is_emergency) &&
                      n->kind <= NOTICE_MAINTENANCE;
    if (n->incident_id)
        n->is_for_all = false;
}

static void bind_fields(struct query *q, const struct notice *n)
{
    bind_int(q, 1, n->kind);
    bind_text(q, 2, n->title_ja);
    bind_text(q, 3, n->title_en);
    bind_text(q, 4, n->body_ja);
    bind_text(q, 5, n->body_en);
    bind_id(q, 6, n->starts_at);
    bind_id(q, 7, n->ends_at);
    bind_int(q, 8, n->is_for_all);
    bind_int(q, 9, n->mail_to);
    bind_id(q, 10, n->incident_id);
    bind_id(q, 11, n->follows_id);
    bind_int(q, 12, n->is_emergency);
}

static enum err add_target(struct ctx *c, int64_t id, const char *tenant)
{
    struct query *q = query(c, notice_text[NOTICE_ADD_TARGET]);

    bind_int(q, 1, id);
    bind_text(q, 2, tenant);
    enum err e = query_run(c, q);
    if (e || db_changes(c))
        return e;
    return ctx_fail(c, ERR_INVALID, "tenants", "tenant",
                    "テナント「%s」が見つからないか、二度書かれています",
                    "No such tenant, or it is there twice: %s", tenant);
}

/* Chosen ones; what is for all or of an incident finds its own when it is
 * published. */
static enum err set_targets(struct ctx *c, const struct notice *n,
                            const struct values *v)
{
    bool is_chosen = !n->is_for_all && !n->incident_id;
    const struct values *const *rows;
    struct query *q;
    enum err e;

    if (!is_chosen || values_has(v, "tenants")) {
        q = query(c, notice_text[NOTICE_CLEAR_TARGETS]);
        bind_int(q, 1, n->id);
        if ((e = query_run(c, q)))
            return e;
    }
    if (!is_chosen)
        return OK;
    size_t count = values_rows(v, "tenants", &rows);
    for (size_t i = 0; i < count; i++)
        if ((e = add_target(c, n->id, values_text(rows[i], "id"))))
            return e;
    q = query(c, notice_text[NOTICE_HAS_TARGETS]);
    bind_int(q, 1, n->id);
    e = query_one(c, q);
    if (!e)
        query_done(q);
    if (e != ERR_NOT_FOUND)
        return e;
    return ctx_fail(c, ERR_INVALID, "tenants", "required",
                    "対象のテナントを選んでください", "Choose the tenants");
}

enum err notice_create(struct ctx *c, const struct values *v,
                       struct notice_row *out)
{
    struct notice n = {.mail_to = NOTICE_ADMINS};
    enum err e;

    read_form(v, &n);
    if ((e = notice_check(c, &n)))
        return e;
    struct query *q = query(c, notice_text[NOTICE_ADD]);
    bind_fields(q, &n);
    bind_text(q, 13, c->actor->name);
    bind_int(q, 14, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    n.id = db_last_id(c);
    if ((e = set_targets(c, &n, v)) || (e = notice_get(c, n.id, out)))
        return e;
    return notice_log(c, "create", NULL, &out->notice);
}

static enum err refuse_published(struct ctx *c, const struct notice *n)
{
    if (n->state < NOTICE_PUBLISHED)
        return OK;
    return ctx_fail(c, ERR_CONFLICT, "", "published",
                    "公開されたお知らせは、訂正か取り消しだけができます",
                    "What is published can only be corrected or withdrawn");
}

enum err notice_update(struct ctx *c, int64_t id, int64_t version,
                       const struct values *v, struct notice_row *out)
{
    struct notice_row before;
    enum err e = notice_get(c, id, &before);

    if (e || (e = refuse_published(c, &before.notice)))
        return e;
    struct notice n = before.notice;
    read_form(v, &n);
    if ((e = notice_check(c, &n)))
        return e;
    if (n.state == NOTICE_SCHEDULED && n.kind <= NOTICE_MAINTENANCE &&
        n.publish_at >= n.starts_at)
        return ctx_fail(c, ERR_INVALID, "starts_at", "after_start",
                        "開始は公開予定より後にしてください",
                        "It must begin after it is published");
    struct query *q = query(c, notice_text[NOTICE_UPDATE]);
    bind_fields(q, &n);
    bind_int(q, 13, id);
    bind_int(q, 14, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    if ((e = set_targets(c, &n, v)) || (e = notice_get(c, id, out)))
        return e;
    return notice_log(c, "update", &before.notice, &out->notice);
}

enum err notice_delete(struct ctx *c, int64_t id, int64_t version)
{
    struct notice_row before;
    enum err e = notice_get(c, id, &before);

    if (e || (e = refuse_published(c, &before.notice)))
        return e;
    if (before.notice.state == NOTICE_SCHEDULED)
        return ctx_fail(c, ERR_CONFLICT, "", "scheduled",
                        "公開の予約を取り消してから削除してください",
                        "Take back its schedule first");
    struct query *q = query(c, notice_text[NOTICE_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return operation_log(
        c, &(struct operation){.action = "delete",
                               .kind = "notice",
                               .object_id = id,
                               .object_name = before.notice.title_ja,
                               .before = as_json(c, &before.notice)});
}
