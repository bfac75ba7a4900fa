/* SPDX-License-Identifier: Apache-2.0 */
/* The token never reaches the database: only its hash does, and the lookup
 * by that hash is the comparison.  Limits are computed from created_at and
 * seen_at at each use, so a stopped server or a moved clock frees nothing. */
#include "core/account/session.h"

#include "core/account/support_access.h"
#include "core/core.h"
#include "db/query.h"

#include <string.h>

#define US_PER_MINUTE INT64_C(60000000)

enum {
    SESSION_FIND,
    SESSION_INSERT,
    SESSION_TRIM,
    SESSION_RENEW,
    SESSION_FRESHEN,
    SESSION_TOUCH,
    SESSION_DELETE,
    SESSION_END,
    SESSION_END_ALL,
    SESSION_LIST,
    SESSION_PRUNE
};
static const char *const session_text[] = {
    [SESSION_FIND] =
        "SELECT s.id, s.user_id, s.level, s.created_at, s.seen_at, u.name,"
        " u.email, u.lang, u.is_admin, u.password_at, s.fresh_at, s.support_id"
        " FROM session s JOIN user u ON u.id = s.user_id"
        " WHERE s.token_hash = ?1 AND (u.state = 1 OR s.support_id > 0)",
    [SESSION_INSERT] =
        "INSERT INTO session (token_hash, user_id, level, created_at,"
        " seen_at, fresh_at, ip, agent)"
        " VALUES (?1, ?2, ?3, ?4, ?4, ?7, ?5, ?6)",
    [SESSION_TRIM] =
        "DELETE FROM session WHERE user_id = ?1 AND id NOT IN (SELECT id"
        " FROM session WHERE user_id = ?1 ORDER BY id DESC LIMIT ?2)",
    [SESSION_RENEW] =
        "UPDATE session SET token_hash = ?2, seen_at = ?3 WHERE id = ?1",
    [SESSION_FRESHEN] = "UPDATE session SET fresh_at = ?2 WHERE id = ?1",
    [SESSION_TOUCH] = "UPDATE session SET seen_at = ?2 WHERE id = ?1",
    [SESSION_DELETE] = "DELETE FROM session WHERE id = ?1",
    [SESSION_END] = "DELETE FROM session WHERE id = ?1 AND user_id = ?2",
    [SESSION_END_ALL] = "DELETE FROM session WHERE user_id = ?1",
    [SESSION_LIST] =
        "SELECT id, created_at, seen_at, ip, agent FROM session"
        " WHERE user_id = ?1 AND level = 1 ORDER BY created_at DESC LIMIT 20",
    [SESSION_PRUNE] = "DELETE FROM session WHERE created_at < ?1",
};
const struct query_set session_queries = {"session", session_text,
                                          COUNT(session_text)};

static int64_t lifetime_us(enum session_level level)
{
    int minutes =
        level == SESSION_FULL ? SESSION_HOURS * 60 : SESSION_HALF_MINUTES;

    return minutes * US_PER_MINUTE;
}

/* A supporter: no longer than the grant, never fresh, all rights of reading
 * (what may be changed is support_access_may()'s). */
static enum err bind_to_support(struct ctx *c, int64_t support_id,
                                struct session *s)
{
    struct support_access *grant = arena_new(c->mem, struct support_access);
    enum err e = support_access_check(c, support_id, grant);

    if (e)
        return e;
    s->support = grant;
    s->user_is_admin = true;
    s->is_fresh = false;
    s->password_at = 0;
    s->user_lang = c->actor->lang;
    if (grant->expires_at < s->expires_at)
        s->expires_at = grant->expires_at;
    return OK;
}

/* In the last minutes.  What lies ahead of now was before the clock was set
 * back, nobody knows how long ago. */
static bool is_within(const struct ctx *c, int64_t at, int64_t minutes)
{
    return c->now_us - at <= minutes * US_PER_MINUTE &&
           c->now_us >= at - US_PER_MINUTE;
}

enum err session_find(struct ctx *c, const char *token, struct session *out)
{
    uint8_t hash[32];

    if (strlen(token) != SECRET_TOKEN_CHARS)
        return ERR_AUTH;
    secret_hash_token(token, hash);
    struct query *q = query(c, session_text[SESSION_FIND]);
    bind_blob(q, 1, hash, sizeof(hash));
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? ERR_AUTH : e;
    *out = (struct session){
        .id = col_int(q, 0),
        .user_id = col_int(q, 1),
        .level = col_int(q, 2) ? SESSION_FULL : SESSION_HALF,
        .created_at = col_int(q, 3),
        .seen_at = col_int(q, 4),
        .user_name = col_text(c, q, 5),
        .user_email = col_text(c, q, 6),
        .user_lang = col_int(q, 7) ? LANG_EN : LANG_JA,
        .user_is_admin = col_int(q, 8) != 0,
        .password_at = col_int(q, 9),
        .fresh_at = col_int(q, 10),
    };
    int64_t support_id = col_int(q, 11);
    query_done(q);
    out->expires_at = out->created_at + lifetime_us(out->level);
    if (c->now_us >= out->expires_at ||
        c->now_us < out->created_at - US_PER_MINUTE)
        return ERR_AUTH;
    out->is_locked = !is_within(c, out->seen_at, SESSION_IDLE_MINUTES);
    out->is_fresh = out->level == SESSION_FULL &&
                    is_within(c, out->fresh_at, SESSION_FRESH_MINUTES);
    return support_id ? bind_to_support(c, support_id, out) : OK;
}

enum err session_create(struct ctx *c, int64_t user_id,
                        enum session_level level, const char *agent,
                        char token[SECRET_TOKEN_CHARS + 1], int64_t *id)
{
    uint8_t hash[32];
    struct query *q = query(c, session_text[SESSION_INSERT]);

    secret_make_token(token);
    secret_hash_token(token, hash);
    bind_blob(q, 1, hash, sizeof(hash));
    bind_int(q, 2, user_id);
    bind_int(q, 3, level);
    bind_int(q, 4, c->now_us);
    bind_text(q, 5, c->actor->ip);
    bind_text(q, 6, arena_strndup(c->mem, agent, strnlen(agent, 200)));
    bind_int(q, 7, level == SESSION_FULL ? c->now_us : 0);
    enum err e = query_run(c, q);
    if (e)
        return e;
    *id = db_last_id(c);
    q = query(c, session_text[SESSION_TRIM]);
    bind_int(q, 1, user_id);
    bind_int(q, 2, SESSION_PER_USER);
    return query_run(c, q);
}

enum err session_renew(struct ctx *c, int64_t id,
                       char token[SECRET_TOKEN_CHARS + 1])
{
    uint8_t hash[32];
    struct query *q = query(c, session_text[SESSION_RENEW]);

    secret_make_token(token);
    secret_hash_token(token, hash);
    bind_int(q, 1, id);
    bind_blob(q, 2, hash, sizeof(hash));
    bind_int(q, 3, c->now_us);
    return query_run(c, q);
}

enum err session_freshen(struct ctx *c, int64_t id,
                         char token[SECRET_TOKEN_CHARS + 1])
{
    struct query *q = query(c, session_text[SESSION_FRESHEN]);

    bind_int(q, 1, id);
    bind_int(q, 2, c->now_us);
    enum err e = query_run(c, q);
    return e ? e : session_renew(c, id, token);
}

enum err session_touch(struct ctx *c, int64_t id)
{
    struct query *q = query(c, session_text[SESSION_TOUCH]);

    bind_int(q, 1, id);
    bind_int(q, 2, c->now_us);
    return query_run(c, q);
}

enum err session_delete(struct ctx *c, int64_t id)
{
    struct query *q = query(c, session_text[SESSION_DELETE]);

    bind_int(q, 1, id);
    return query_run(c, q);
}

enum err session_end(struct ctx *c, int64_t id)
{
    struct query *q = query(c, session_text[SESSION_END]);

    bind_int(q, 1, id);
    bind_int(q, 2, c->actor->user_id);
    enum err e = query_run(c, q);
    if (!e && db_changes(c) == 0)
        return ctx_fail(c, ERR_NOT_FOUND, "id", "not_found", "見つかりません",
                        "Not found");
    return e;
}

enum err session_end_all(struct ctx *c, int64_t user_id)
{
    struct query *q = query(c, session_text[SESSION_END_ALL]);

    bind_int(q, 1, user_id);
    return query_run(c, q);
}

enum err session_list(struct ctx *c, const struct session **out, size_t *count)
{
    struct session *list = arena_array(c->mem, struct session, 20);
    struct query *q = query(c, session_text[SESSION_LIST]);
    enum err e;

    *count = 0;
    bind_int(q, 1, c->actor->user_id);
    while (query_next(c, q, &e))
        list[(*count)++] = (struct session){
            .id = col_int(q, 0),
            .created_at = col_int(q, 1),
            .seen_at = col_int(q, 2),
            .ip = col_text(c, q, 3),
            .agent = col_text(c, q, 4),
        };
    *out = list;
    return e;
}

enum err session_prune(struct ctx *c)
{
    struct query *q = query(c, session_text[SESSION_PRUNE]);

    bind_int(q, 1, c->now_us - lifetime_us(SESSION_FULL));
    return query_run(c, q);
}
