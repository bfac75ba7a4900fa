/* SPDX-License-Identifier: Apache-2.0 */
/* The check of one person is core/access/access.c's; the list reads the same grants
 * the other way round, from the project up and then to people. */
#include "core/work/assignee.h"

#include "base/buf.h"
#include "base/str.h"
#include "core/access/access.h"
#include "core/core.h"

enum { ASSIGNEE_LIST };
static const char *const assignee_text[] = {
    [ASSIGNEE_LIST] =
        "WITH RECURSIVE above(id) AS (SELECT program_id FROM project"
        " WHERE id = ?1 UNION SELECT p.parent_id FROM above JOIN program p"
        " ON p.id = above.id),"
        " given(principal, role_id) AS (SELECT a.principal, a.role_id"
        " FROM above JOIN access a ON a.program_id = above.id UNION ALL"
        " SELECT principal, role_id FROM access WHERE project_id = ?1"
        " UNION ALL SELECT principal, role_id FROM access"
        " WHERE program_id IS NULL AND project_id IS NULL),"
        " held(user_id, rights) AS (SELECT principal, r.rights FROM given"
        " JOIN role r ON r.id = role_id WHERE principal > 0 UNION ALL"
        " SELECT m.user_id, r.rights FROM given JOIN role r ON r.id = role_id"
        " JOIN group_member m ON m.group_id = -principal),"
        " seen(id) AS (SELECT user_id FROM held GROUP BY user_id"
        " HAVING max(rights & 16) + max(rights & 256) = 272"
        " UNION SELECT id FROM user WHERE is_admin = 1"
        " UNION SELECT x.user_id FROM ticket t JOIN ticket_assignee x"
        " ON x.ticket_id = t.id WHERE ?6 AND t.project_id = ?1)"
        " SELECT u.id, u.name, u.email FROM user u WHERE u.state < 2"
        " AND u.id IN (SELECT id FROM seen)"
        " AND (u.name, u.id) > (coalesce((SELECT name FROM user WHERE id = ?3"
        " AND id IN (SELECT id FROM seen)), ''), ?3) AND (?2 IS NULL OR "
        "instr(CASE WHEN ?5 THEN u.search ELSE"
        " substr(u.search, 1, length(u.search) - length(u.email) - 1) END, ?2)"
        " > 0) ORDER BY u.name, u.id LIMIT ?4",
};
_Static_assert(MAY_PROJECT_VIEW == 16 && MAY_TICKET_VIEW == 256,
               "as ASSIGNEE_LIST has them");
const struct query_set assignee_queries = {"assignee", assignee_text,
                                           COUNT(assignee_text)};

enum err assignee_list(struct ctx *c, int64_t project_id,
                       const struct assignee_filter *f,
                       const struct assignee **out, size_t *count, bool *more)
{
    struct buf rows = buf_in(c->mem);
    unsigned rights;
    bool shows;
    enum err e = access_tenant(c, &rights);

    *more = false;
    if (e || (e = access_sees_addresses(c, rights, &shows)))
        return e;
    struct query *q = query(c, assignee_text[ASSIGNEE_LIST]);
    bind_int(q, 1, project_id);
    bind_text(q, 2, f->q ? str_fold(c->mem, f->q) : NULL);
    bind_int(q, 3, f->after_id);
    bind_int(q, 4, f->limit ? f->limit + 1 : -1);
    bind_int(q, 5, shows);
    bind_int(q, 6, f->with_present);
    while (query_next(c, q, &e)) {
        struct assignee one = {.id = col_int(q, 0), .name = col_text(c, q, 1)};
        if (shows || f->for_matching || one.id == c->actor->user_id)
            one.email = col_text(c, q, 2);
        buf_put(&rows, &one, sizeof one);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    *more = f->limit && *count > (size_t)f->limit;
    *count -= *more;
    return e;
}

enum err assignee_is_one(struct ctx *c, int64_t project_id, int64_t user_id,
                         bool *out)
{
    unsigned rights;
    enum err e = access_project_of(c, user_id, project_id, &rights);

    *out = rights & MAY_TICKET_VIEW;
    return e;
}

const char *assignee_unique_name(struct ctx *c, const char *name, int64_t id)
{
    return arena_printf(c->mem, "%s (#%lld)", name, (long long)id);
}
