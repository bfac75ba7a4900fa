/* SPDX-License-Identifier: Apache-2.0 */
/* A client whose connection broke cannot know whether its request was done,
 * and asks again.  The reply is written with the change, so that one is there
 * exactly when the other is.  Rows drop out as new ones come; no round looks
 * after them. */
#include "core/once.h"

#include "core/core.h"

#include <string.h>

enum { ONCE_FIND, ONCE_KEEP, ONCE_DROP_OLD, ONCE_DROP_MORE };
static const char *const once_text[] = {
    [ONCE_FIND] = "SELECT mark, status, reply FROM once WHERE user_id = ?1"
                  " AND key = ?2 AND at >= ?3",
    [ONCE_KEEP] = "INSERT OR REPLACE INTO once (user_id, key, mark, status,"
                  " reply, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [ONCE_DROP_OLD] = "DELETE FROM once WHERE at < ?1",
    [ONCE_DROP_MORE] =
        "DELETE FROM once WHERE user_id = ?1 AND id <= (SELECT id FROM once"
        " WHERE user_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
};
const struct query_set once_queries = {"once", once_text, COUNT(once_text)};

static const int64_t day_us = INT64_C(86400000000);

enum err once_find(struct ctx *c, const struct once *o, int *status,
                   const char **reply)
{
    struct query *q = query(c, once_text[ONCE_FIND]);
    size_t len;

    *reply = NULL;
    bind_int(q, 1, c->actor->user_id);
    bind_text(q, 2, o->key);
    bind_int(q, 3, c->now_us - day_us);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    const void *mark = col_blob(c, q, 0, &len);
    bool is_same = len == sizeof o->mark && memcmp(mark, o->mark, len) == 0;
    *status = (int)col_int(q, 1);
    *reply = col_text(c, q, 2);
    query_done(q);
    if (is_same)
        return OK;
    return ctx_fail(c, ERR_INVALID, "Idempotency-Key", "idempotency_key",
                    "この Idempotency-Key は別の内容の要求で使われています",
                    "Another request has used this Idempotency-Key");
}

static enum err drop(struct ctx *c)
{
    struct query *old = query(c, once_text[ONCE_DROP_OLD]);

    bind_int(old, 1, c->now_us - day_us);
    enum err e = query_run(c, old);
    if (e)
        return e;
    struct query *more = query(c, once_text[ONCE_DROP_MORE]);
    bind_int(more, 1, c->actor->user_id);
    bind_int(more, 2, ONCE_PER_USER);
    return query_run(c, more);
}

enum err once_keep(struct ctx *c, const struct once *o, int status,
                   const char *reply)
{
    struct query *q = query(c, once_text[ONCE_KEEP]);

    bind_int(q, 1, c->actor->user_id);
    bind_text(q, 2, o->key);
    bind_blob(q, 3, o->mark, sizeof o->mark);
    bind_int(q, 4, status);
    bind_text(q, 5, reply);
    bind_int(q, 6, c->now_us);
    enum err e = query_run(c, q);
    return e ? e : drop(c);
}
