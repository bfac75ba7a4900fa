/* SPDX-License-Identifier: Apache-2.0 */
/* As with sessions, the lookup by the hash is the comparison.  That the owner
 * is active is asked at each use: nothing has to be swept up when somebody is
 * suspended. */
#include "core/account/token.h"

#include "base/json.h"
#include "base/str.h"
#include "core/access/access.h"
#include "core/account/rate_limiter.h"
#include "core/account/sign_in_throttle.h"
#include "core/core.h"
#include "core/log/operation.h"

#include <stdio.h>
#include <string.h>

#define US_PER_DAY INT64_C(86400000000)
#define TOKEN_COLS                                                             \
    "t.id, t.user_id, t.name, t.may_write, t.is_limited, t.created_at,"        \
    " t.expires_at, t.used_at, t.used_ip"

enum {
    TOKEN_FIND,
    TOKEN_TOUCH,
    TOKEN_INSERT,
    TOKEN_LIMIT,
    TOKEN_LIST,
    TOKEN_DELETE,
    TOKEN_FORGET,
    TOKEN_COUNT,
    TOKEN_ALLOWED,
};
static const char *const token_text[] = {
    [TOKEN_FIND] = "SELECT " TOKEN_COLS ", u.name, u.lang, u.is_admin"
                   " FROM token t JOIN user u ON u.id = t.user_id"
                   " WHERE t.hash = ?1 AND t.expires_at > ?2 AND u.state = 1"
                   " AND (SELECT tokens FROM tenant WHERE id = 1)",
    [TOKEN_TOUCH] = "UPDATE token SET used_at = ?2, used_ip = ?3 WHERE id = ?1",
    [TOKEN_INSERT] = "INSERT INTO token (user_id, name, hash, may_write,"
                     " is_limited, created_at, expires_at)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [TOKEN_LIMIT] = "INSERT OR IGNORE INTO token_project (token_id, project_id)"
                    " VALUES (?1, ?2)",
    [TOKEN_LIST] =
        "SELECT " TOKEN_COLS ", (SELECT json_group_array(json_object('id',"
        " CAST(p.id AS TEXT), 'key', p.key, 'name', p.name)) FROM token_project"
        " x JOIN project p ON p.id = x.project_id WHERE x.token_id = t.id)"
        " FROM token t WHERE t.user_id = ?1 ORDER BY t.id DESC",
    [TOKEN_DELETE] = "DELETE FROM token WHERE id = ?1 AND user_id = ?2",
    [TOKEN_FORGET] = "DELETE FROM token WHERE user_id = ?1 AND expires_at < ?2",
    [TOKEN_COUNT] = "SELECT count(*) FROM token WHERE user_id = ?1",
    [TOKEN_ALLOWED] = "SELECT tokens FROM tenant WHERE id = 1",
};
const struct query_set token_queries = {"token", token_text, COUNT(token_text)};

static const struct field token_fields[] = {
    {TEXT("name", 1, 60, REQUIRED, "名前", "Name")},
    {BOOL("write", OPTIONAL, "変更もできる", "May change things")},
    {INT("days", 1, TOKEN_DAYS_MAX, REQUIRED, "有効日数", "Life in days")},
    {IDS("projects", TOKEN_PROJECTS_MAX, OPTIONAL, "プロジェクト", "Projects")},
};
const struct form token_form = {"TokenCreate", token_fields,
                                COUNT(token_fields)};
static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},           {OUT_TEXT("name", REQUIRED)},
    {OUT_BOOL("write", REQUIRED)},      {OUT_BOOL("is_limited", REQUIRED)},
    {OUT_BOOL("is_over", REQUIRED)},    {OUT_TEXT("created_at", REQUIRED)},
    {OUT_TEXT("expires_at", REQUIRED)}, {OUT_TEXT("used_at", NULLABLE)},
    {OUT_TEXT("used_ip", REQUIRED)},
};
const struct form token_reply_form = {"Token", reply_fields,
                                      COUNT(reply_fields)};

enum err token_is_allowed(struct ctx *c, bool *out)
{
    struct query *q = query(c, token_text[TOKEN_ALLOWED]);
    enum err e = query_one(c, q);

    *out = !e && col_int(q, 0) != 0;
    if (!e)
        query_done(q);
    return e == ERR_NOT_FOUND ? ERR_INTERNAL : e;
}

static void read_token(struct ctx *c, struct query *q, struct token *out)
{
    *out = (struct token){
        .id = col_int(q, 0),
        .user_id = col_int(q, 1),
        .name = col_text(c, q, 2),
        .may_write = col_int(q, 3) != 0,
        .is_limited = col_int(q, 4) != 0,
        .created_at = col_int(q, 5),
        .expires_at = col_int(q, 6),
        .used_at = col_int(q, 7),
        .used_ip = col_text(c, q, 8),
        .projects = "[]",
    };
}

/* Of an address that guesses only those are let in that came from there
 * before: a program with an old token must not shut out its neighbours. */
static enum err judge(struct ctx *c, const struct app *app, enum err found,
                      const struct token *t)
{
    const struct rate_limiter_from from = {c->actor->tenant, c->actor->ip};
    int wait = rate_limiter_wait_s(app->limiter, LIMIT_TOKEN, &from);

    if (wait && (found || !str_equal(t->used_ip, c->actor->ip)))
        return sign_in_throttle_throttled(c, wait);
    if (!found)
        return OK;
    rate_limiter_fail(app->limiter, LIMIT_TOKEN, &from);
    return ctx_fail(c, ERR_AUTH, "", "token", "このトークンは使えません",
                    "This token is not valid");
}

enum err token_find(struct ctx *c, const struct app *app, const char *text,
                    struct token *out)
{
    const size_t prefix = strlen(TOKEN_PREFIX);
    uint8_t hash[32];
    enum err e = ERR_NOT_FOUND;

    if (strlen(text) == TOKEN_CHARS && str_starts(text, TOKEN_PREFIX)) {
        struct query *q = query(c, token_text[TOKEN_FIND]);
        secret_hash_token(text + prefix, hash);
        bind_blob(q, 1, hash, sizeof(hash));
        bind_int(q, 2, c->now_us);
        if (!(e = query_one(c, q))) {
            read_token(c, q, out);
            out->user_name = col_text(c, q, 9);
            out->user_lang = col_int(q, 10) ? LANG_EN : LANG_JA;
            out->user_is_admin = col_int(q, 11) != 0;
            query_done(q);
        }
    }
    return e && e != ERR_NOT_FOUND ? e : judge(c, app, e, out);
}

enum err token_touch(struct ctx *c, int64_t id)
{
    struct query *q = query(c, token_text[TOKEN_TOUCH]);

    bind_int(q, 1, id);
    bind_int(q, 2, c->now_us);
    bind_text(q, 3, c->actor->ip);
    return query_run(c, q);
}

static enum err log_token(struct ctx *c, const char *action,
                          const struct token *t)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};
    bool is_new = strcmp(action, "create") == 0;

    json_open(&o, NULL, '{');
    json_text(&o, "name", t->name);
    json_id(&o, "user", t->user_id);
    json_bool(&o, "write", t->may_write);
    json_bool(&o, "is_limited", t->is_limited);
    json_moment(&o, "expires_at", t->expires_at);
    json_close(&o, '}');
    return operation_log(c,
                         &(struct operation){.action = action,
                                             .kind = "token",
                                             .object_id = t->id,
                                             .object_name = t->name,
                                             .before = is_new ? NULL : b.data,
                                             .after = is_new ? b.data : NULL});
}

static enum err need_allowed(struct ctx *c)
{
    bool is_allowed;
    enum err e = token_is_allowed(c, &is_allowed);

    if (e || is_allowed)
        return e;
    return ctx_fail(c, ERR_CONFLICT, "", "tokens_off",
                    "このテナントではAPIトークンを使えません",
                    "This tenant does not allow API tokens");
}

/* Those over for a month make room; then there may be so many. */
static enum err make_room(struct ctx *c)
{
    struct query *q = query(c, token_text[TOKEN_FORGET]);

    bind_int(q, 1, c->actor->user_id);
    bind_int(q, 2, c->now_us - 30 * US_PER_DAY);
    enum err e = query_run(c, q);
    if (e)
        return e;
    q = query(c, token_text[TOKEN_COUNT]);
    bind_int(q, 1, c->actor->user_id);
    if ((e = query_one(c, q)))
        return e;
    int64_t count = col_int(q, 0);
    query_done(q);
    if (count < TOKEN_PER_USER)
        return OK;
    return ctx_fail(c, ERR_CONFLICT, "", "too_many",
                    "トークンは%d個までです。使わないものを取り消してください",
                    "At most %d tokens. Revoke one that is not used",
                    TOKEN_PER_USER);
}

/* Only what the owner sees; else the answer would tell what is there. */
static enum err limit_to(struct ctx *c, int64_t token_id, const int64_t *ids,
                         size_t count)
{
    enum err e = OK;

    for (size_t i = 0; i < count && !e; i++) {
        unsigned rights;
        if ((e = access_project(c, ids[i], &rights)))
            return e;
        if (!(rights & MAY_PROJECT_VIEW))
            return ctx_fail(c, ERR_INVALID, "projects", "unknown",
                            "プロジェクトが見つかりません", "No such project");
        struct query *q = query(c, token_text[TOKEN_LIMIT]);
        bind_int(q, 1, token_id);
        bind_int(q, 2, ids[i]);
        e = query_run(c, q);
    }
    return e;
}

enum err token_create(struct ctx *c, const struct values *v, struct token *out,
                      char text[TOKEN_CHARS + 1])
{
    char random[SECRET_TOKEN_CHARS + 1];
    uint8_t hash[32];
    const int64_t *ids;
    size_t count = values_ids(v, "projects", &ids);
    enum err e = need_allowed(c);

    if (e || (e = make_room(c)))
        return e;
    *out = (struct token){
        .user_id = c->actor->user_id,
        .name = values_text(v, "name"),
        .may_write = values_bool(v, "write", false),
        .is_limited = count > 0,
        .created_at = c->now_us,
        .expires_at = c->now_us + values_int(v, "days", 1) * US_PER_DAY,
        .used_ip = "",
        .projects = "[]",
    };
    secret_make_token(random);
    secret_hash_token(random, hash);
    snprintf(text, TOKEN_CHARS + 1, TOKEN_PREFIX "%s", random);
    struct query *q = query(c, token_text[TOKEN_INSERT]);
    bind_int(q, 1, out->user_id);
    bind_text(q, 2, out->name);
    bind_blob(q, 3, hash, sizeof(hash));
    bind_int(q, 4, out->may_write);
    bind_int(q, 5, out->is_limited);
    bind_int(q, 6, out->created_at);
    bind_int(q, 7, out->expires_at);
    if ((e = query_run(c, q)))
        return e;
    out->id = db_last_id(c);
    e = limit_to(c, out->id, ids, count);
    return e ? e : log_token(c, "create", out);
}

enum err token_list(struct ctx *c, int64_t user_id, const struct token **out,
                    size_t *count)
{
    struct token *list = arena_array(c->mem, struct token, TOKEN_PER_USER);
    struct query *q = query(c, token_text[TOKEN_LIST]);
    enum err e = OK;

    *count = 0;
    bind_int(q, 1, user_id);
    while (*count < TOKEN_PER_USER && query_next(c, q, &e)) {
        read_token(c, q, &list[*count]);
        list[(*count)++].projects = col_text(c, q, 9);
    }
    query_done(q);
    *out = list;
    return e;
}

enum err token_revoke(struct ctx *c, int64_t user_id, int64_t id)
{
    const struct token *list;
    size_t count, i = 0;
    enum err e = token_list(c, user_id, &list, &count);

    if (e)
        return e;
    while (i < count && list[i].id != id)
        i++;
    if (i == count)
        return ctx_fail(c, ERR_NOT_FOUND, "id", "not_found", "見つかりません",
                        "Not found");
    struct query *q = query(c, token_text[TOKEN_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, user_id);
    if ((e = query_run(c, q)))
        return e;
    return log_token(c, "delete", &list[i]);
}
