/* SPDX-License-Identifier: Apache-2.0 */
#include "core/work/comment.h"

#include "base/json.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/work/work_mail.h"

#define COMMENT_COLS                                                           \
    "SELECT m.id, m.user_id, m.created_at, m.updated_at, m.version, u.name,"   \
    " m.body FROM comment m JOIN user u ON u.id = m.user_id"

enum {
    COMMENT_LIST,
    COMMENT_GET,
    COMMENT_INSERT,
    COMMENT_DELETE,
    COMMENT_NAME,
    COMMENT_TICKET
};
static const char *const comment_text[] = {
    [COMMENT_LIST] = COMMENT_COLS " WHERE m.ticket_id = ?1 AND m.id > ?2"
                                  " ORDER BY m.id LIMIT ?3",
    [COMMENT_GET] = COMMENT_COLS " WHERE m.id = ?1",
    [COMMENT_INSERT] =
        "INSERT INTO comment (ticket_id, user_id, body, created_at,"
        " updated_at) VALUES (?1, ?2, ?3, ?4, ?4)",
    [COMMENT_DELETE] = "DELETE FROM comment WHERE id = ?1",
    [COMMENT_NAME] = "SELECT p.key || '-' || t.no || ' ' || t.subject"
                     " FROM ticket t JOIN project p ON p.id = t.project_id"
                     " WHERE t.id = ?1",
    [COMMENT_TICKET] = "SELECT ticket_id FROM comment WHERE id = ?1",
};
const struct query_set comment_queries = {"comment", comment_text,
                                          COUNT(comment_text)};

static const struct field comment_fields[] = {
    {LINES("body", 1, 20000, REQUIRED, "コメント", "Comment")},
};
const struct form comment_form = {"CommentCreate", comment_fields,
                                  COUNT(comment_fields)};

static void read_comment(struct ctx *c, struct query *q, struct comment *out)
{
    *out = (struct comment){
        .id = col_int(q, 0),
        .user_id = col_int(q, 1),
        .created_at = col_int(q, 2),
        .updated_at = col_int(q, 3),
        .version = col_int(q, 4),
        .user_name = col_text(c, q, 5),
        .body = col_text(c, q, 6),
    };
}

enum err comment_list(struct ctx *c, int64_t ticket_id, int64_t after_id,
                      int limit, const struct comment **out, size_t *count,
                      bool *more)
{
    size_t max = (size_t)limit, n = 0;
    struct comment *list = arena_array(c->mem, struct comment, max + 1);
    struct query *q = query(c, comment_text[COMMENT_LIST]);
    enum err e;

    bind_int(q, 1, ticket_id);
    bind_int(q, 2, after_id);
    bind_int(q, 3, (int64_t)max + 1);
    while (query_next(c, q, &e))
        read_comment(c, q, &list[n++]);
    *more = n > max;
    *count = *more ? max : n;
    *out = list;
    return e;
}

static enum err get(struct ctx *c, int64_t id, struct comment *out)
{
    struct query *q = query(c, comment_text[COMMENT_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    read_comment(c, q, out);
    query_done(q);
    return OK;
}

static enum err log_comment(struct ctx *c, const char *action,
                            int64_t ticket_id, const char *before,
                            const char *after)
{
    const char *side[2] = {before, after}, *json[2] = {NULL, NULL};
    struct query *q = query(c, comment_text[COMMENT_NAME]);

    bind_int(q, 1, ticket_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    const char *name = col_text(c, q, 0);
    query_done(q);
    for (int i = 0; i < 2; i++) {
        struct buf b = buf_in(c->mem);
        struct json_out o = {.b = &b};
        if (!side[i])
            continue;
        json_open(&o, NULL, '{');
        json_text(&o, "body", side[i]);
        json_close(&o, '}');
        json[i] = b.data;
    }
    return operation_log(c, &(struct operation){.action = action,
                                                .kind = "comment",
                                                .object_id = ticket_id,
                                                .object_name = name,
                                                .before = json[0],
                                                .after = json[1]});
}

enum err comment_create(struct ctx *c, int64_t ticket_id,
                        const struct values *v, struct comment *out)
{
    struct query *q = query(c, comment_text[COMMENT_INSERT]);

    bind_int(q, 1, ticket_id);
    bind_int(q, 2, c->actor->user_id);
    bind_text(q, 3, values_text(v, "body"));
    bind_int(q, 4, c->now_us);
    enum err e = query_run(c, q);
    if (e || (e = get(c, db_last_id(c), out)) ||
        (e = work_mail_commented(c, ticket_id)))
        return e;
    return log_comment(c, "create", ticket_id, NULL, out->body);
}

static enum err not_found(struct ctx *c)
{
    return ctx_fail(c, ERR_NOT_FOUND, "id", "not_found",
                    "コメントが見つかりません", "No such comment");
}

enum err comment_delete(struct ctx *c, int64_t id)
{
    struct query *q = query(c, comment_text[COMMENT_TICKET]);
    struct comment m;
    unsigned rights;

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? not_found(c) : e;
    int64_t ticket_id = col_int(q, 0);
    query_done(q);
    if ((e = access_ticket(c, ticket_id, &rights)))
        return e;
    if (!(rights & MAY_TICKET_VIEW))
        return not_found(c);
    if ((e = get(c, id, &m)))
        return e;
    if (m.user_id != c->actor->user_id && !(rights & MAY_TICKET_DELETE))
        return ctx_fail(c, ERR_DENIED, "", "denied",
                        "ほかの人のコメントは削除できません",
                        "You may not delete somebody else's comment");
    q = query(c, comment_text[COMMENT_DELETE]);
    bind_int(q, 1, id);
    if ((e = query_run(c, q)))
        return e;
    return log_comment(c, "delete", ticket_id, m.body, NULL);
}
