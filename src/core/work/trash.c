/* SPDX-License-Identifier: Apache-2.0 */
#include "core/work/trash.h"

#include "core/core.h"
#include "core/log/operation.h"

enum { TRASH_PROJECTS, TRASH_TICKETS, TRASH_PROJECT, TRASH_RESTORE };
static const char *const trash_text[] = {
    [TRASH_PROJECTS] =
        "SELECT p.id, p.key, p.name, p.deleted_at, (SELECT count(*)"
        " FROM ticket t WHERE t.project_id = p.id AND t.deleted_at IS NULL)"
        " FROM project p INDEXED BY project_deleted"
        " WHERE p.deleted_at IS NOT NULL AND (?1 = 0 OR (p.deleted_at, p.id)"
        " < (SELECT deleted_at, id FROM project WHERE id = ?1))"
        " ORDER BY p.deleted_at DESC, p.id DESC LIMIT ?2",
    [TRASH_TICKETS] =
        "SELECT t.id, p.key || '-' || t.no, t.subject, t.deleted_at, 0"
        " FROM ticket t INDEXED BY ticket_bin JOIN project p"
        " ON p.id = t.project_id WHERE t.project_id = ?3"
        " AND t.deleted_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ticket a"
        " WHERE a.id = t.parent_id AND a.deleted_at = t.deleted_at)"
        " AND (?1 = 0 OR (t.deleted_at, t.id)"
        " < (SELECT deleted_at, id FROM ticket WHERE id = ?1"
        " AND project_id = ?3))"
        " ORDER BY t.deleted_at DESC, t.id DESC LIMIT ?2",
    [TRASH_PROJECT] = "SELECT key FROM project WHERE id = ?1"
                      " AND deleted_at IS NOT NULL",
    [TRASH_RESTORE] =
        "UPDATE project SET deleted_at = NULL, version = version + 1,"
        " program_id = (SELECT g.id FROM program g WHERE g.id = program_id"
        " AND g.deleted_at IS NULL) WHERE id = ?1",
};
const struct query_set trash_queries = {"bin", trash_text, COUNT(trash_text)};

static enum err put_list(struct ctx *c, struct query *q, int64_t after_id,
                         int limit, struct json_out *o)
{
    const int64_t us_per_day = INT64_C(86400000000);
    int64_t last = 0;
    int n = 0;
    enum err e;

    bind_int(q, 1, after_id);
    bind_int(q, 2, limit + 1);
    json_open(o, NULL, '{');
    json_open(o, "items", '[');
    while (query_next(c, q, &e) && n++ < limit) {
        last = col_int(q, 0);
        json_open(o, NULL, '{');
        json_id(o, "id", last);
        json_text(o, "key", col_peek(q, 1));
        json_text(o, "name", col_peek(q, 2));
        json_moment(o, "deleted_at", col_int(q, 3));
        json_moment(o, "erased_at", col_int(q, 3) + TRASH_DAYS * us_per_day);
        json_int(o, "tickets", col_int(q, 4));
        json_close(o, '}');
    }
    query_done(q);
    json_close(o, ']');
    json_id(o, "next", n > limit ? last : 0);
    json_close(o, '}');
    return e;
}

enum err trash_put_projects(struct ctx *c, int64_t after_id, int limit,
                            struct json_out *o)
{
    return put_list(c, query(c, trash_text[TRASH_PROJECTS]), after_id, limit,
                    o);
}

enum err trash_put_tickets(struct ctx *c, int64_t project_id, int64_t after_id,
                           int limit, struct json_out *o)
{
    struct query *q = query(c, trash_text[TRASH_TICKETS]);

    bind_int(q, 3, project_id);
    return put_list(c, q, after_id, limit, o);
}

enum err trash_restore_project(struct ctx *c, int64_t id)
{
    struct query *q = query(c, trash_text[TRASH_PROJECT]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "id", "not_found",
                        "ごみ箱にこのプロジェクトはありません",
                        "There is no such project in the bin");
    if (e)
        return e;
    const char *key = col_text(c, q, 0);
    query_done(q);
    q = query(c, trash_text[TRASH_RESTORE]);
    bind_int(q, 1, id);
    if ((e = query_run(c, q)))
        return e;
    return operation_log(c, &(struct operation){.action = "restore",
                                                .kind = "project",
                                                .object_id = id,
                                                .object_name = key});
}
