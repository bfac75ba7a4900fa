/* SPDX-License-Identifier: Apache-2.0 */
/* A supporter acts as a user that was deleted from the start: nobody can sign
 * in as it, no list shows it, and its name stays readable wherever it did
 * something.  Whether the grant is open is computed at each request. */
#include "core/account/support_access.h"

#include "base/json.h"
#include "core/account/session.h"
#include "core/account/sign_in_throttle.h"
#include "core/account/support_access_mail.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

#include <string.h>

#define US_PER_HOUR   INT64_C(3600000000)
#define US_PER_SECOND INT64_C(1000000)
#define SUPPORT_ACCESS_COLS                                                    \
    "id, operator_id, coalesce(user_id, 0), version, operator_name,"           \
    " operator_email, reason, may_write, hours, state, asked_at, decided_at,"  \
    " expires_at, ended_at, decided_by, ended_by, last_path, last_at"

enum {
    SUPPORT_ACCESS_GET,
    SUPPORT_ACCESS_LIST,
    SUPPORT_ACCESS_OPEN,
    SUPPORT_ACCESS_ADD,
    SUPPORT_ACCESS_DECIDE,
    SUPPORT_ACCESS_END,
    SUPPORT_ACCESS_END_SESSIONS,
    SUPPORT_ACCESS_USER_OF,
    SUPPORT_ACCESS_ADD_USER,
    SUPPORT_ACCESS_SET_TOKEN,
    SUPPORT_ACCESS_BY_TOKEN,
    SUPPORT_ACCESS_DROP_TOKEN,
    SUPPORT_ACCESS_BIND,
    SUPPORT_ACCESS_READ,
};
static const char *const support_access_text[] = {
    [SUPPORT_ACCESS_GET] =
        "SELECT " SUPPORT_ACCESS_COLS " FROM support WHERE id = ?1",
    [SUPPORT_ACCESS_LIST] =
        "SELECT " SUPPORT_ACCESS_COLS " FROM support WHERE id < ?1"
        " ORDER BY id DESC LIMIT ?2",
    [SUPPORT_ACCESS_OPEN] =
        "SELECT " SUPPORT_ACCESS_COLS " FROM support WHERE state = 1"
        " AND expires_at > ?1 ORDER BY expires_at LIMIT 20",
    [SUPPORT_ACCESS_ADD] =
        "INSERT INTO support (operator_id, operator_name, operator_email,"
        " reason, may_write, hours, asked_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SUPPORT_ACCESS_DECIDE] =
        "UPDATE support SET state = ?3, hours = ?4, may_write = ?5,"
        " decided_at = ?6, decided_by = ?7, expires_at = ?8, user_id = ?9,"
        " version = version + 1 WHERE id = ?1 AND version = ?2",
    [SUPPORT_ACCESS_END] =
        "UPDATE support SET state = 3, ended_at = ?2,"
        " ended_by = ?3, token_hash = NULL, version = version + 1"
        " WHERE id = ?1",
    [SUPPORT_ACCESS_END_SESSIONS] =
        "DELETE FROM session WHERE user_id = ?1 AND support_id = ?2",
    [SUPPORT_ACCESS_USER_OF] =
        "SELECT user_id FROM support WHERE operator_id = ?1"
        " AND user_id IS NOT NULL ORDER BY id DESC LIMIT 1",
    [SUPPORT_ACCESS_ADD_USER] =
        "INSERT INTO user (email, email_fold, name, state, created_at)"
        " VALUES ('', '', ?1, 3, ?2)",
    [SUPPORT_ACCESS_SET_TOKEN] =
        "UPDATE support SET token_hash = ?2, token_until = ?3 WHERE id = ?1",
    [SUPPORT_ACCESS_BY_TOKEN] = "SELECT id FROM support WHERE token_hash = ?1"
                                " AND token_until > ?2",
    [SUPPORT_ACCESS_DROP_TOKEN] =
        "UPDATE support SET token_hash = NULL WHERE id = ?1",
    [SUPPORT_ACCESS_BIND] = "UPDATE session SET support_id = ?2 WHERE id = ?1",
    [SUPPORT_ACCESS_READ] =
        "UPDATE support SET last_path = ?2, last_at = ?3 WHERE id = ?1",
};
const struct query_set support_access_queries = {"support", support_access_text,
                                                 COUNT(support_access_text)};
enum { OPERATOR_ACTIVE };
static const char *const supporter_text[] = {
    [OPERATOR_ACTIVE] =
        "SELECT 1 FROM user WHERE id = ?1 AND state = 1 AND is_admin = 1",
};
const struct query_set supporter_queries = {"supporter", supporter_text,
                                            COUNT(supporter_text)};

const char *const support_access_state_words[] = {"asked", "granted", "refused",
                                                  "ended", NULL};
static const struct field support_access_fields[] = {
    {LINES("reason", 1, 1000, REQUIRED, "理由", "Reason")},
    {INT("hours", 1, SUPPORT_ACCESS_HOURS_MAX, REQUIRED, "時間", "Hours")},
    {BOOL("may_write", OPTIONAL, "変更可", "May change")},
};
const struct form support_access_form = {"SupportAsk", support_access_fields,
                                         COUNT(support_access_fields)};
static const struct field approve_fields[] = {
    {INT("hours", 1, SUPPORT_ACCESS_HOURS_MAX, OPTIONAL, "時間", "Hours")},
    {BOOL("may_write", OPTIONAL, "変更可", "May change")},
};
const struct form support_access_approve_form = {
    "SupportApprove", approve_fields, COUNT(approve_fields)};

static void read_row(struct ctx *c, struct query *q, struct support_access *out)
{
    *out = (struct support_access){
        .id = col_int(q, 0),
        .operator_id = col_int(q, 1),
        .user_id = col_int(q, 2),
        .version = col_int(q, 3),
        .operator_name = col_text(c, q, 4),
        .operator_email = col_text(c, q, 5),
        .reason = col_text(c, q, 6),
        .may_write = col_int(q, 7) != 0,
        .hours = (int)col_int(q, 8),
        .state = (enum support_access_state)col_int(q, 9),
        .asked_at = col_int(q, 10),
        .decided_at = col_int(q, 11),
        .expires_at = col_int(q, 12),
        .ended_at = col_int(q, 13),
        .decided_by = col_text(c, q, 14),
        .ended_by = col_text(c, q, 15),
        .last_path = col_text(c, q, 16),
        .last_at = col_int(q, 17),
    };
    /* before it began: the clock was set back, and lends no time */
    if (out->state == SUPPORT_ACCESS_GRANTED &&
        (c->now_us >= out->expires_at ||
         c->now_us < out->decided_at - 60 * US_PER_SECOND)) {
        out->state = SUPPORT_ACCESS_ENDED;
        out->ended_at = out->expires_at;
    }
}

enum err support_access_get(struct ctx *c, int64_t id,
                            struct support_access *out)
{
    struct query *q = query(c, support_access_text[SUPPORT_ACCESS_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "id", "not_found", "見つかりません", "Not found");
    if (e)
        return e;
    read_row(c, q, out);
    query_done(q);
    return OK;
}

static enum err read_all(struct ctx *c, struct query *q,
                         const struct support_access **out, size_t *count)
{
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct support_access s;
        read_row(c, q, &s);
        buf_put(&rows, &s, sizeof s);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

enum err support_access_list(struct ctx *c, int64_t after_id, int limit,
                             const struct support_access **out, size_t *count,
                             bool *more)
{
    struct query *q = query(c, support_access_text[SUPPORT_ACCESS_LIST]);

    bind_int(q, 1, after_id ? after_id : INT64_MAX);
    bind_int(q, 2, limit + 1);
    enum err e = read_all(c, q, out, count);
    *more = *count > (size_t)limit;
    if (*more)
        (*count)--;
    return e;
}

enum err support_access_list_open(struct ctx *c,
                                  const struct support_access **out,
                                  size_t *count)
{
    struct query *q = query(c, support_access_text[SUPPORT_ACCESS_OPEN]);

    bind_int(q, 1, c->now_us);
    return read_all(c, q, out, count);
}

/* ---- its steps ---- */

static const char *as_json(struct ctx *c, const struct support_access *s)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "state", support_access_state_words[s->state]);
    json_text(&o, "reason", s->reason);
    json_int(&o, "hours", s->hours);
    json_bool(&o, "may_write", s->may_write);
    json_moment(&o, "expires_at", s->expires_at);
    json_close(&o, '}');
    return b.data;
}

static enum err log_step(struct ctx *c, const char *action,
                         const struct support_access *before,
                         const struct support_access *s)
{
    return operation_log(
        c, &(struct operation){.action = action,
                               .kind = "support",
                               .object_id = s->id,
                               .object_name = s->operator_name,
                               .before = before ? as_json(c, before) : NULL,
                               .after = as_json(c, s)});
}

enum err support_access_ask(struct ctx *c, const struct app *app,
                            const struct support_access_operator *who,
                            const struct values *v, struct support_access *out)
{
    struct query *q = query(c, support_access_text[SUPPORT_ACCESS_ADD]);

    bind_int(q, 1, who->id);
    bind_text(q, 2, who->name);
    bind_text(q, 3, who->email);
    bind_text(q, 4, values_text(v, "reason"));
    bind_int(q, 5, values_bool(v, "may_write", false));
    bind_int(q, 6, values_int(v, "hours", 1));
    bind_int(q, 7, c->now_us);
    enum err e = query_run(c, q);
    if (e || (e = support_access_get(c, db_last_id(c), out)) ||
        (e = log_step(c, "support_ask", NULL, out)))
        return e;
    return support_access_mail_admins(c, app, SUPPORT_ACCESS_MAIL_ASKED, out);
}

static enum err need_asked(struct ctx *c, const struct support_access *s)
{
    if (s->state == SUPPORT_ACCESS_ASKED)
        return OK;
    return ctx_fail(c, ERR_CONFLICT, "state", "decided",
                    "この依頼はすでに決定または終了しています",
                    "This request was decided or ended already");
}

/* Who acts: the user of an earlier grant to this operator, or a new one. */
static enum err find_user(struct ctx *c, const struct support_access *s,
                          int64_t *out)
{
    struct query *q = query(c, support_access_text[SUPPORT_ACCESS_USER_OF]);

    bind_int(q, 1, s->operator_id);
    enum err e = query_one(c, q);
    if (!e) {
        *out = col_int(q, 0);
        query_done(q);
    }
    if (e != ERR_NOT_FOUND)
        return e;
    q = query(c, support_access_text[SUPPORT_ACCESS_ADD_USER]);
    bind_text(q, 1, arena_printf(c->mem, "support: %s", s->operator_name));
    bind_int(q, 2, c->now_us);
    e = query_run(c, q);
    *out = db_last_id(c);
    return e;
}

static enum err decide(struct ctx *c, int64_t version,
                       const struct support_access *s)
{
    struct query *q = query(c, support_access_text[SUPPORT_ACCESS_DECIDE]);

    bind_int(q, 1, s->id);
    bind_int(q, 2, version);
    bind_int(q, 3, s->state);
    bind_int(q, 4, s->hours);
    bind_int(q, 5, s->may_write);
    bind_int(q, 6, c->now_us);
    bind_text(q, 7, c->actor->name);
    bind_id(q, 8, s->expires_at);
    bind_id(q, 9, s->user_id);
    enum err e = query_run(c, q);
    if (!e && db_changes(c) == 0)
        return ctx_stale(c);
    return e;
}

enum err support_access_approve(struct ctx *c, const struct app *app,
                                int64_t id, int64_t version,
                                const struct values *v,
                                struct support_access *out)
{
    struct support_access before;
    enum err e = support_access_get(c, id, &before);

    if (e || (e = need_asked(c, &before)))
        return e;
    struct support_access s = before;
    s.hours = (int)values_int(v, "hours", before.hours);
    s.may_write = values_bool(v, "may_write", before.may_write);
    if (s.hours > before.hours || s.may_write > before.may_write)
        return ctx_fail(c, ERR_INVALID,
                        s.hours > before.hours ? "hours" : "may_write", "wider",
                        "依頼より広い範囲では承認できません",
                        "No more than was asked for can be granted");
    s.state = SUPPORT_ACCESS_GRANTED;
    s.expires_at = c->now_us + s.hours * US_PER_HOUR;
    if ((e = find_user(c, &before, &s.user_id)) ||
        (e = decide(c, version, &s)) || (e = support_access_get(c, id, out)) ||
        (e = log_step(c, "support_approve", &before, out)) ||
        (e = support_access_mail_operator(c, app, SUPPORT_ACCESS_MAIL_GRANTED,
                                          out)))
        return e;
    return support_access_mail_admins(c, app, SUPPORT_ACCESS_MAIL_GRANTED, out);
}

enum err support_access_refuse(struct ctx *c, const struct app *app, int64_t id,
                               int64_t version, struct support_access *out)
{
    struct support_access before;
    enum err e = support_access_get(c, id, &before);

    if (e || (e = need_asked(c, &before)))
        return e;
    struct support_access s = before;
    s.state = SUPPORT_ACCESS_REFUSED;
    if ((e = decide(c, version, &s)) || (e = support_access_get(c, id, out)) ||
        (e = log_step(c, "support_refuse", &before, out)))
        return e;
    return support_access_mail_operator(c, app, SUPPORT_ACCESS_MAIL_REFUSED,
                                        out);
}

enum err support_access_end(struct ctx *c, const struct app *app, int64_t id,
                            struct support_access *out)
{
    struct support_access before;
    enum err e = support_access_get(c, id, &before);

    if (e)
        return e;
    if (before.state == SUPPORT_ACCESS_REFUSED ||
        before.state == SUPPORT_ACCESS_ENDED)
        return need_asked(c, &before);
    struct query *q = query(c, support_access_text[SUPPORT_ACCESS_END]);
    bind_int(q, 1, id);
    bind_int(q, 2, c->now_us);
    bind_text(q, 3, c->actor->name);
    if ((e = query_run(c, q)))
        return e;
    q = query(c, support_access_text[SUPPORT_ACCESS_END_SESSIONS]);
    bind_int(q, 1, before.user_id);
    bind_int(q, 2, id);
    if ((e = query_run(c, q)) || (e = support_access_get(c, id, out)) ||
        (e = log_step(c, "support_end", &before, out)))
        return e;
    return support_access_mail_admins(c, app, SUPPORT_ACCESS_MAIL_ENDED, out);
}

/* ---- the way in ---- */

enum err support_access_make_token(struct ctx *c, int64_t id,
                                   int64_t operator_id,
                                   char token[SECRET_TOKEN_CHARS + 1])
{
    uint8_t hash[32];
    struct support_access s;
    enum err e = support_access_get(c, id, &s);

    if (e)
        return e;
    if (s.state != SUPPORT_ACCESS_GRANTED || s.operator_id != operator_id)
        return ctx_fail(c, ERR_DENIED, "", "no_grant",
                        "このテナントから承認されていません",
                        "The tenant has not granted this");
    secret_make_token(token);
    secret_hash_token(token, hash);
    struct query *q = query(c, support_access_text[SUPPORT_ACCESS_SET_TOKEN]);
    bind_int(q, 1, id);
    bind_blob(q, 2, hash, sizeof hash);
    bind_int(q, 3, c->now_us + SUPPORT_ACCESS_TOKEN_SECONDS * US_PER_SECOND);
    return query_run(c, q);
}

static enum err find_token(struct ctx *c, const struct app *app,
                           const char *token, int64_t *id)
{
    uint8_t hash[32];
    enum err e = sign_in_throttle_link_wait(c, app);

    if (e)
        return e;
    struct query *q = query(c, support_access_text[SUPPORT_ACCESS_BY_TOKEN]);
    secret_hash_token(token, hash);
    bind_blob(q, 1, hash, sizeof hash);
    bind_int(q, 2, c->now_us);
    e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        sign_in_throttle_link_wrong(c, app);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, ERR_AUTH, "token", "support_token",
                        "このリンクは使用済みか、期限が切れています",
                        "This link has been used or is over");
    if (e)
        return e;
    *id = col_int(q, 0);
    query_done(q);
    return OK;
}

static enum err run_on(struct ctx *c, int statement, int64_t first,
                       int64_t second)
{
    struct query *q = query(c, support_access_text[statement]);

    bind_int(q, 1, first);
    if (second)
        bind_int(q, 2, second);
    return query_run(c, q);
}

enum err support_access_enter(struct ctx *c, const struct app *app,
                              const char *token, const char *agent,
                              char session_token[SECRET_TOKEN_CHARS + 1])
{
    struct actor who = *c->actor;
    struct ctx as_supporter = *c;
    struct support_access s;
    int64_t id = 0, session_id;
    enum err e = find_token(c, app, token, &id);

    if (e)
        return e;
    if ((e = support_access_check(c, id, &s)))
        return e;
    if ((e = run_on(c, SUPPORT_ACCESS_DROP_TOKEN, id, 0)) ||
        (e = session_create(c, s.user_id, SESSION_FULL, agent, session_token,
                            &session_id)) ||
        (e = run_on(c, SUPPORT_ACCESS_BIND, session_id, id)))
        return e;
    who.user_id = s.user_id;
    who.name = arena_printf(c->mem, "support: %s", s.operator_name);
    as_supporter.actor = &who;
    return log_step(&as_supporter, "support_enter", NULL, &s);
}

enum err support_access_check(struct ctx *c, int64_t id,
                              struct support_access *out)
{
    struct query *q = query(c, support_access_text[SUPPORT_ACCESS_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? ERR_AUTH : e;
    read_row(c, q, out);
    query_done(q);
    return out->state == SUPPORT_ACCESS_GRANTED ? OK : ERR_AUTH;
}

/* ---- while it lasts ---- */

enum err support_access_may(struct ctx *c, const struct support_access *s,
                            bool is_reading, bool is_work)
{
    if (is_reading)
        return OK;
    if (!s->may_write)
        return ctx_fail(c, ERR_DENIED, "", "support_read_only",
                        "このサポートアクセスは閲覧のみです",
                        "This support access may only read");
    if (is_work)
        return OK;
    return ctx_fail(c, ERR_DENIED, "", "support_limited",
                    "サポートアクセスではこの操作はできません",
                    "Support access does not reach this");
}

static enum err is_active(struct ctx *c, int64_t operator_id)
{
    struct query *q = query(c, supporter_text[OPERATOR_ACTIVE]);

    bind_int(q, 1, operator_id);
    enum err e = query_one(c, q);
    if (!e)
        query_done(q);
    return e;
}

enum err support_access_check_operator(struct ctx *c, const struct app *app,
                                       int64_t operator_id)
{
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e)
        return e;
    e = tx_end_control(c, app->store, is_active(c, operator_id));
    if (e != ERR_NOT_FOUND)
        return e;
    return ctx_fail(c, ERR_AUTH, "", "session", "サインインしてください",
                    "Please sign in");
}

bool support_access_is_noted(const struct ctx *c,
                             const struct support_access *s, const char *path)
{
    const int64_t five_minutes = 300 * US_PER_SECOND;

    return s->last_path && strcmp(s->last_path, path) == 0 &&
           c->now_us - s->last_at < five_minutes;
}

enum err support_access_note_read(struct ctx *c, const struct support_access *s,
                                  const char *path)
{
    struct query *q = query(c, support_access_text[SUPPORT_ACCESS_READ]);

    bind_int(q, 1, s->id);
    bind_text(q, 2, path);
    bind_int(q, 3, c->now_us);
    enum err e = query_run(c, q);
    if (e)
        return e;
    return operation_log(c, &(struct operation){.action = "view",
                                                .kind = "support",
                                                .object_id = s->id,
                                                .object_name = path});
}
