/* SPDX-License-Identifier: Apache-2.0 */
/* Each step of a thread raises its version; control.db learns of the step
 * after it is committed here, and told says how much of it arrived. */
#include "core/desk/support_request.h"

#include "base/buf.h"
#include "base/civil.h"
#include "base/clock.h"
#include "base/json.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

#define US_PER_MINUTE INT64_C(60000000)
#define US_PER_HOUR   INT64_C(3600000000)
#define SUPPORT_REQUEST_COLS                                                   \
    "id, coalesce(user_id, 0), version, user_name, subject, category, state,"  \
    " opened_at, updated_at, due_at, answered_at, closed_at, from_day,"        \
    " to_day, format, decision"

enum {
    SUPPORT_REQUEST_GET,
    SUPPORT_REQUEST_LIST,
    SUPPORT_REQUEST_LIST_OWN,
    SUPPORT_REQUEST_LIST_UNCLOSED,
    SUPPORT_REQUEST_COUNT_OPEN,
    SUPPORT_REQUEST_ADD,
    SUPPORT_REQUEST_STEP,
    SUPPORT_REQUEST_MESSAGES,
    SUPPORT_REQUEST_COUNT_MESSAGES,
    SUPPORT_REQUEST_ADD_MESSAGE,
    SUPPORT_REQUEST_USER_OF,
    SUPPORT_REQUEST_UNTOLD,
    SUPPORT_REQUEST_SET_TOLD,
};
static const char *const support_request_text[] = {
    [SUPPORT_REQUEST_GET] =
        "SELECT " SUPPORT_REQUEST_COLS " FROM enquiry WHERE id = ?1",
    [SUPPORT_REQUEST_LIST] =
        "SELECT " SUPPORT_REQUEST_COLS " FROM enquiry WHERE id < ?1"
        " AND (?2 < 0 OR state = ?2) ORDER BY id DESC LIMIT ?3",
    [SUPPORT_REQUEST_LIST_OWN] =
        "SELECT " SUPPORT_REQUEST_COLS " FROM enquiry WHERE id < ?1"
        " AND (?2 < 0 OR state = ?2) AND user_id = ?4 AND category < 2"
        " ORDER BY id DESC LIMIT ?3",
    [SUPPORT_REQUEST_LIST_UNCLOSED] =
        "SELECT " SUPPORT_REQUEST_COLS
        " FROM enquiry WHERE id > 0 AND category = ?1"
        " AND state <> 2 ORDER BY id LIMIT 100",
    [SUPPORT_REQUEST_COUNT_OPEN] =
        "SELECT count(*) FROM enquiry WHERE user_id = ?1 AND state = 0",
    [SUPPORT_REQUEST_ADD] =
        "INSERT INTO enquiry (user_id, user_name, category, subject,"
        " opened_at, updated_at, due_at, from_day, to_day, format)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9)",
    [SUPPORT_REQUEST_STEP] =
        "UPDATE enquiry SET state = ?2, updated_at = ?3, due_at = ?4,"
        " answered_at = ?5, closed_at = ?6, decision = ?7,"
        " version = version + 1 WHERE id = ?1",
    [SUPPORT_REQUEST_MESSAGES] =
        "SELECT id, at, author_id, coalesce(sent_at, 0), is_desk, author,"
        " sender, body FROM enquiry_message WHERE enquiry_id = ?1 ORDER BY id",
    [SUPPORT_REQUEST_COUNT_MESSAGES] =
        "SELECT count(*) FROM enquiry_message WHERE enquiry_id = ?1",
    [SUPPORT_REQUEST_ADD_MESSAGE] =
        "INSERT INTO enquiry_message (enquiry_id, at, is_desk, author_id,"
        " author, sender, sent_at, body)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [SUPPORT_REQUEST_USER_OF] =
        "SELECT id, name FROM user WHERE email_fold = lower(?1) AND state < 3",
    [SUPPORT_REQUEST_UNTOLD] = "SELECT " SUPPORT_REQUEST_COLS " FROM enquiry"
                               " WHERE told <> version ORDER BY id LIMIT 100",
    [SUPPORT_REQUEST_SET_TOLD] =
        "UPDATE enquiry SET told = max(told, ?2) WHERE id = ?1",
};
const struct query_set support_request_queries = {
    "enquiry", support_request_text, COUNT(support_request_text)};

const char *const support_request_category_words[] = {
    "support", "event", "property", "disclosure", "audit", "access_log", NULL};
const char *const support_request_state_words[] = {"open", "answered", "closed",
                                                   NULL};
const char *const support_request_decision_words[] = {"none", "released",
                                                      "refused", NULL};
const char *const support_request_format_words[] = {"ndjson", "csv", NULL};

#define SUBJECT_MAX 200
#define BODY_MAX    20000
static const struct field support_request_fields[] = {
    {CHOICE("category", support_request_category_words, REQUIRED, "種別",
            "Category")},
    {TEXT("subject", 1, SUBJECT_MAX, REQUIRED, "件名", "Subject")},
    {LINES("body", 1, BODY_MAX, REQUIRED, "本文", "Text")},
    {DAY("from", OPTIONAL, "開始日", "From")},
    {DAY("to", OPTIONAL, "終了日", "To")},
    {CHOICE("format", support_request_format_words, OPTIONAL, "形式",
            "Format")},
};
const struct form support_request_form = {
    "EnquiryCreate", support_request_fields, COUNT(support_request_fields)};
static const struct field say_fields[] = {
    {LINES("body", 1, BODY_MAX, REQUIRED, "本文", "Text")},
};
const struct form support_request_say_form = {"EnquirySay", say_fields,
                                              COUNT(say_fields)};
static const struct field mail_fields[] = {
    {TEXT("tenant", 1, 32, REQUIRED, "テナント", "Tenant")},
    {ID("enquiry", OPTIONAL, "番号", "Number")},
    {CHOICE("category", support_request_category_words, REQUIRED, "種別",
            "Category")},
    {TEXT("subject", 1, SUBJECT_MAX, REQUIRED, "件名", "Subject")},
    {TEXT("sender", 1, 254, REQUIRED, "差出人", "Sender")},
    {DAY_IN("sent_on", DAY_FIRST, DAY_LAST, REQUIRED, "受信日", "Day")},
    {INT("sent_minute", 0, 1439, REQUIRED, "受信時刻", "Minute of the day")},
    {LINES("body", 1, BODY_MAX, REQUIRED, "本文", "Text")},
};
const struct form support_request_mail_form = {"EnquiryMail", mail_fields,
                                               COUNT(mail_fields)};

static void read_row(struct ctx *c, struct query *q,
                     struct support_request *out)
{
    *out = (struct support_request){
        .id = col_int(q, 0),
        .user_id = col_int(q, 1),
        .version = col_int(q, 2),
        .user_name = col_text(c, q, 3),
        .subject = col_text(c, q, 4),
        .category = (enum support_request_category)col_int(q, 5),
        .state = (enum support_request_state)col_int(q, 6),
        .opened_at = col_int(q, 7),
        .updated_at = col_int(q, 8),
        .due_at = col_int(q, 9),
        .answered_at = col_int(q, 10),
        .closed_at = col_int(q, 11),
        .from_day = col_day(q, 12),
        .to_day = col_day(q, 13),
        .format = (int)col_int(q, 14),
        .decision = (enum support_request_decision)col_int(q, 15),
    };
}

static enum err read_all(struct ctx *c, struct query *q,
                         const struct support_request **out, size_t *count)
{
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct support_request it;
        read_row(c, q, &it);
        buf_put(&rows, &it, sizeof it);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

static bool is_for_admins(enum support_request_category category)
{
    return category > SUPPORT_REQUEST_EVENT;
}

static bool may_see(struct ctx *c, const struct support_request_side *by,
                    const struct support_request *it)
{
    return by->is_desk || c->actor->is_admin ||
           (it->user_id && it->user_id == c->actor->user_id &&
            !is_for_admins(it->category));
}

enum err support_request_get(struct ctx *c,
                             const struct support_request_side *by, int64_t id,
                             struct support_request *out)
{
    struct query *q = query(c, support_request_text[SUPPORT_REQUEST_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (!e) {
        read_row(c, q, out);
        query_done(q);
    }
    if (e == ERR_NOT_FOUND || (!e && !may_see(c, by, out)))
        return ctx_fail(c, ERR_NOT_FOUND, "id", "not_found", "見つかりません",
                        "Not found");
    return e;
}

enum err support_request_list(struct ctx *c, int state, int64_t after_id,
                              int limit, const struct support_request **out,
                              size_t *count, bool *more)
{
    bool all = c->actor->is_admin;
    struct query *q =
        query(c, support_request_text[all ? SUPPORT_REQUEST_LIST
                                          : SUPPORT_REQUEST_LIST_OWN]);

    bind_int(q, 1, after_id ? after_id : INT64_MAX);
    bind_int(q, 2, state);
    bind_int(q, 3, limit + 1);
    if (!all)
        bind_int(q, 4, c->actor->user_id);
    enum err e = read_all(c, q, out, count);
    *more = *count > (size_t)limit;
    if (*more)
        (*count)--;
    return e;
}

enum err support_request_list_unclosed(struct ctx *c,
                                       enum support_request_category category,
                                       const struct support_request **out,
                                       size_t *count)
{
    struct query *q =
        query(c, support_request_text[SUPPORT_REQUEST_LIST_UNCLOSED]);

    bind_int(q, 1, category);
    return read_all(c, q, out, count);
}

enum err
support_request_list_messages(struct ctx *c, int64_t id,
                              const struct support_request_message **out,
                              size_t *count)
{
    struct buf rows = buf_in(c->mem);
    struct query *q = query(c, support_request_text[SUPPORT_REQUEST_MESSAGES]);
    enum err e;

    bind_int(q, 1, id);
    while (query_next(c, q, &e)) {
        struct support_request_message m = {
            .id = col_int(q, 0),
            .at = col_int(q, 1),
            .author_id = col_int(q, 2),
            .sent_at = col_int(q, 3),
            .is_desk = col_int(q, 4) != 0,
            .author = col_text(c, q, 5),
            .sender = col_text(c, q, 6),
            .body = col_text(c, q, 7),
        };
        buf_put(&rows, &m, sizeof m);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

enum err support_request_list_untold(struct ctx *c,
                                     const struct support_request **out,
                                     size_t *count)
{
    return read_all(c, query(c, support_request_text[SUPPORT_REQUEST_UNTOLD]),
                    out, count);
}

enum err support_request_set_told(struct ctx *c,
                                  const struct support_request *it)
{
    struct query *q = query(c, support_request_text[SUPPORT_REQUEST_SET_TOLD]);

    bind_int(q, 1, it->id);
    bind_int(q, 2, it->version);
    return query_run(c, q);
}

/* ---- steps ---- */

static const char *as_json(struct ctx *c, const struct support_request *it)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "category", support_request_category_words[it->category]);
    json_text(&o, "state", support_request_state_words[it->state]);
    if (it->category == SUPPORT_REQUEST_ACCESS_LOG) {
        json_day(&o, "from", it->from_day);
        json_day(&o, "to", it->to_day);
        json_text(&o, "decision", support_request_decision_words[it->decision]);
    }
    json_close(&o, '}');
    return b.data;
}

static enum err log_step(struct ctx *c, const char *action,
                         const struct support_request *before,
                         const struct support_request *it)
{
    return operation_log(
        c, &(struct operation){.action = action,
                               .kind = "enquiry",
                               .object_id = it->id,
                               .object_name =
                                   arena_printf(c->mem, "#%lld %s",
                                                (long long)it->id, it->subject),
                               .before = before ? as_json(c, before) : NULL,
                               .after = as_json(c, it)});
}

static enum err step(struct ctx *c, struct support_request *it)
{
    struct query *q = query(c, support_request_text[SUPPORT_REQUEST_STEP]);

    it->updated_at = c->now_us;
    it->version++;
    bind_int(q, 1, it->id);
    bind_int(q, 2, it->state);
    bind_int(q, 3, it->updated_at);
    bind_id(q, 4, it->due_at);
    bind_id(q, 5, it->answered_at);
    bind_id(q, 6, it->closed_at);
    bind_int(q, 7, it->decision);
    return query_run(c, q);
}

static enum err add_message(struct ctx *c, const struct support_request *it,
                            const struct support_request_message *m,
                            int64_t *id)
{
    struct query *q =
        query(c, support_request_text[SUPPORT_REQUEST_COUNT_MESSAGES]);

    bind_int(q, 1, it->id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t count = col_int(q, 0);
    query_done(q);
    if (count >= SUPPORT_REQUEST_MESSAGES_MAX)
        return ctx_fail(c, ERR_CONFLICT, "", "messages",
                        "これ以上書き込めません。新しいお問い合わせを"
                        "作成してください",
                        "This thread is full: please open another");
    q = query(c, support_request_text[SUPPORT_REQUEST_ADD_MESSAGE]);
    bind_int(q, 1, it->id);
    bind_int(q, 2, c->now_us);
    bind_int(q, 3, m->is_desk);
    bind_int(q, 4, m->author_id);
    bind_text(q, 5, m->author);
    bind_text(q, 6, m->sender);
    bind_id(q, 7, m->sent_at);
    bind_text(q, 8, m->body);
    if (!(e = query_run(c, q)))
        *id = db_last_id(c);
    return e;
}

static enum err add(struct ctx *c, struct support_request *it)
{
    struct query *q = query(c, support_request_text[SUPPORT_REQUEST_ADD]);

    bind_id(q, 1, it->user_id);
    bind_text(q, 2, it->user_name);
    bind_int(q, 3, it->category);
    bind_text(q, 4, it->subject);
    bind_int(q, 5, c->now_us);
    bind_int(q, 6, it->due_at);
    bind_day(q, 7, it->from_day);
    bind_day(q, 8, it->to_day);
    bind_int(q, 9, it->format);
    enum err e = query_run(c, q);
    if (e)
        return e;
    it->id = db_last_id(c);
    it->opened_at = it->updated_at = c->now_us;
    it->version = 1;
    return OK;
}

static enum err check_days(struct ctx *c, const struct support_request *it)
{
    bool has_from = it->from_day != DAY_NONE;

    if (it->category != SUPPORT_REQUEST_ACCESS_LOG) {
        if (!has_from && it->to_day == DAY_NONE)
            return OK;
        return ctx_fail(
            c, ERR_INVALID, has_from ? "from" : "to", "category",
            "期間を指定できるのは、種別「アクセスログの開示依頼」だけ"
            "です。本文に書いてください",
            "Days belong to the category of access logs alone: "
            "write them into the text");
    }
    if (it->from_day == DAY_NONE || it->to_day == DAY_NONE)
        return ctx_fail(c, ERR_INVALID,
                        it->from_day == DAY_NONE ? "from" : "to", "required",
                        "期間を指定してください", "Please name the days");
    if (it->to_day < it->from_day || it->from_day > clock_today(c->now_us))
        return ctx_fail(c, ERR_INVALID, "to", "order", "期間が正しくありません",
                        "These days are in the wrong order or in the future");
    return OK;
}

static enum err check_open(struct ctx *c, const struct support_request *it)
{
    struct query *q =
        query(c, support_request_text[SUPPORT_REQUEST_COUNT_OPEN]);

    bind_int(q, 1, c->actor->user_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t count = col_int(q, 0);
    query_done(q);
    if (count >= SUPPORT_REQUEST_OPEN_MAX)
        return ctx_fail(c, ERR_CONFLICT, "", "enquiries",
                        "回答待ちのお問い合わせが多すぎます（上限 %d 件）",
                        "Too many enquiries wait for an answer (limit %d)",
                        SUPPORT_REQUEST_OPEN_MAX);
    if (is_for_admins(it->category) && !c->actor->is_admin)
        return ctx_fail(c, ERR_DENIED, "category", "category",
                        "この種別はマスター管理者だけが利用できます",
                        "Only master administrators may ask for this");
    return check_days(c, it);
}

enum err support_request_open(struct ctx *c,
                              const struct support_request_side *by,
                              const struct values *v,
                              struct support_request *out)
{
    int64_t id;

    *out = (struct support_request){
        .user_id = c->actor->user_id,
        .user_name = c->actor->name,
        .subject = values_text(v, "subject"),
        .category = (enum support_request_category)values_int(v, "category", 0),
        .due_at = c->now_us + by->answer_hours * US_PER_HOUR,
        .from_day = (int32_t)values_int(v, "from", DAY_NONE),
        .to_day = (int32_t)values_int(v, "to", DAY_NONE),
        .format = (int)values_int(v, "format", 0),
    };
    enum err e = check_open(c, out);
    if (e)
        return e;
    if ((e = add(c, out)))
        return e;
    const struct support_request_message m = {.author_id = c->actor->user_id,
                                              .author = c->actor->name,
                                              .body = values_text(v, "body")};
    e = add_message(c, out, &m, &id);
    return e ? e : log_step(c, "create", NULL, out);
}

static void turn(struct ctx *c, const struct support_request_side *by,
                 bool is_desk, struct support_request *it)
{
    it->closed_at = 0;
    if (is_desk) {
        it->state = SUPPORT_REQUEST_ANSWERED;
        it->due_at = 0;
        if (!it->answered_at)
            it->answered_at = c->now_us;
        return;
    }
    if (it->state != SUPPORT_REQUEST_OPEN || !it->due_at)
        it->due_at = c->now_us + by->answer_hours * US_PER_HOUR;
    it->state = SUPPORT_REQUEST_OPEN;
}

enum err support_request_say(struct ctx *c,
                             const struct support_request_side *by, int64_t id,
                             const char *body, struct support_request *out,
                             int64_t *message_id)
{
    const struct support_request_message m = {
        .is_desk = by->is_desk,
        .author_id = by->is_desk ? by->operator_id : c->actor->user_id,
        .author = by->is_desk ? by->name : c->actor->name,
        .body = body};
    enum err e = support_request_get(c, by, id, out);

    if (e || (e = add_message(c, out, &m, message_id)))
        return e;
    struct support_request before = *out;
    turn(c, by, by->is_desk, out);
    if ((e = step(c, out)))
        return e;
    return log_step(c, by->is_desk ? "answer" : "ask", &before, out);
}

enum err support_request_close(struct ctx *c,
                               const struct support_request_side *by,
                               int64_t id, int64_t version,
                               struct support_request *out)
{
    enum err e = support_request_get(c, by, id, out);

    if (e || out->state == SUPPORT_REQUEST_CLOSED)
        return e;
    if (out->version != version)
        return ctx_stale(c);
    struct support_request before = *out;
    out->state = SUPPORT_REQUEST_CLOSED;
    out->closed_at = c->now_us;
    out->due_at = 0;
    if ((e = step(c, out)))
        return e;
    return log_step(c, "close", &before, out);
}

static enum err find_sender(struct ctx *c, const char *sender,
                            struct support_request *it)
{
    struct query *q = query(c, support_request_text[SUPPORT_REQUEST_USER_OF]);

    bind_text(q, 1, sender);
    it->user_name = sender;
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    it->user_id = col_int(q, 0);
    it->user_name = col_text(c, q, 1);
    query_done(q);
    return OK;
}

enum err support_request_take_mail(struct ctx *c,
                                   const struct support_request_side *by,
                                   const struct values *v,
                                   struct support_request *out)
{
    int64_t id = values_int(v, "enquiry", 0), message;
    int64_t minute =
        values_int(v, "sent_on", 0) * 1440 + values_int(v, "sent_minute", 0);
    struct support_request_message m = {
        .author = by->name,
        .sender = values_text(v, "sender"),
        .sent_at = (minute - 540) * US_PER_MINUTE,
        .body = values_text(v, "body"),
    };
    struct support_request before = {.id = 0};
    enum err e = OK;

    if (m.sent_at > c->now_us)
        return ctx_fail(c, ERR_INVALID, "sent_on", "future",
                        "受信日時が未来です", "This moment is in the future");
    if (id) {
        if ((e = support_request_get(c, by, id, out)))
            return e;
        before = *out;
        turn(c, by, false, out);
        e = step(c, out);
    } else {
        *out = (struct support_request){
            .subject = values_text(v, "subject"),
            .category =
                (enum support_request_category)values_int(v, "category", 0),
            .due_at = c->now_us + by->answer_hours * US_PER_HOUR,
            .from_day = DAY_NONE,
            .to_day = DAY_NONE};
        if (out->category == SUPPORT_REQUEST_ACCESS_LOG)
            return ctx_fail(c, ERR_INVALID, "category", "category",
                            "アクセスログの開示はお客様の画面から依頼して"
                            "いただきます",
                            "Customers ask for the access log on their own "
                            "screen");
        if (!(e = find_sender(c, m.sender, out)))
            e = add(c, out);
    }
    if (e || (e = add_message(c, out, &m, &message)))
        return e;
    return log_step(c, "mail", id ? &before : NULL, out);
}

enum err support_request_need_undecided(struct ctx *c,
                                        const struct support_request *it)
{
    if (it->category != SUPPORT_REQUEST_ACCESS_LOG)
        return ctx_fail(c, ERR_CONFLICT, "", "not_request",
                        "アクセスログの開示依頼ではありません",
                        "This does not ask for the access log");
    if (it->decision != SUPPORT_REQUEST_UNDECIDED)
        return ctx_fail(c, ERR_CONFLICT, "", "decided", "すでに決定済みです",
                        "This is decided already");
    return OK;
}

enum err support_request_decide(struct ctx *c,
                                const struct support_request_side *by,
                                int64_t id,
                                enum support_request_decision decision,
                                const char *body, struct support_request *out,
                                int64_t *message_id)
{
    const struct support_request_message m = {.is_desk = true,
                                              .author_id = by->operator_id,
                                              .author = by->name,
                                              .body = body};
    enum err e = support_request_get(c, by, id, out);

    if (e || (e = support_request_need_undecided(c, out)) ||
        (e = add_message(c, out, &m, message_id)))
        return e;
    struct support_request before = *out;
    turn(c, by, true, out);
    out->decision = decision;
    if ((e = step(c, out)))
        return e;
    return log_step(c,
                    decision == SUPPORT_REQUEST_RELEASED ? "release" : "refuse",
                    &before, out);
}
