/* SPDX-License-Identifier: Apache-2.0 */
/* The grants of core/access.c read the other way round: not "may this person",
 * but "who may, and by which grant".  One statement each: the people (objects)
 * of one page first, then every reason of each. */
#include "core/reach.h"

#include "base/str.h"
#include "core/access.h"
#include "core/core.h"
#include "core/user.h"
#include "db/query.h"

enum { REACH_PLACE, REACH_USER };
static const char *const reach_text[] = {
    [REACH_PLACE] =
        "WITH RECURSIVE up(id, depth) AS (SELECT parent_id, 1 FROM program"
        " WHERE id = ?1 UNION ALL SELECT program_id, 1 FROM project"
        " WHERE id = ?2 UNION ALL SELECT p.parent_id, up.depth + 1 FROM up"
        " JOIN program p ON p.id = up.id WHERE up.depth < 10),"
        " hit(principal, role_id, via, program_id) AS ("
        "SELECT principal, role_id, 3, NULL FROM access"
        " WHERE program_id = ?1 UNION ALL"
        " SELECT principal, role_id, 3, NULL FROM access"
        " WHERE project_id = ?2 UNION ALL"
        " SELECT a.principal, a.role_id, 2, up.id FROM up"
        " JOIN access a ON a.program_id = up.id UNION ALL"
        " SELECT principal, role_id, 1, NULL FROM access"
        " WHERE program_id IS NULL AND project_id IS NULL),"
        " who(user_id, role_id, via, program_id, group_id) AS MATERIALIZED ("
        "SELECT principal, role_id, via, program_id, NULL FROM hit"
        " WHERE principal > 0 UNION ALL"
        " SELECT m.user_id, hit.role_id, hit.via, hit.program_id, m.group_id"
        " FROM hit JOIN group_member m ON m.group_id = -hit.principal"
        " UNION ALL SELECT id, NULL, 0, NULL, NULL FROM user"
        " WHERE is_admin = 1),"
        " page(id) AS (SELECT u.id FROM user u WHERE u.state < 3"
        " AND u.id IN (SELECT who.user_id FROM who LEFT JOIN role r"
        " ON r.id = who.role_id WHERE coalesce(r.rights, -1) & ?6)"
        " AND (?3 IS NULL OR instr(u.search, ?3) > 0)"
        " AND (u.name, u.id) > (coalesce((SELECT name FROM user"
        " WHERE id = ?4), ''), ?4) ORDER BY u.name, u.id LIMIT ?5)"
        " SELECT u.id, u.name, u.email, u.state, NULL, NULL, NULL, NULL,"
        " who.via, who.program_id, p.name, who.group_id, g.name, r.key, r.ja, "
        "r.en,"
        " r.rights FROM page JOIN user u ON u.id = page.id"
        " JOIN who ON who.user_id = u.id LEFT JOIN role r ON r.id = who.role_id"
        " LEFT JOIN program p ON p.id = who.program_id"
        " LEFT JOIN permission_group g ON g.id = who.group_id"
        " ORDER BY u.name, u.id, who.via, who.group_id",
    [REACH_USER] = "WITH RECURSIVE " ACCESS_ME(
        "?1") ", mine(grant_id, role_id, group_id,"
              " program_id, project_id) AS MATERIALIZED (SELECT a.id, "
              "a.role_id,"
              " a.group_id, a.program_id, a.project_id FROM me JOIN access a"
              " ON a.principal = me.p),"
              " below(id, grant_id, top) AS (SELECT program_id, grant_id, "
              "program_id"
              " FROM mine WHERE program_id IS NOT NULL UNION"
              " SELECT p.id, below.grant_id, below.top FROM below JOIN program "
              "p"
              " ON p.parent_id = below.id),"
              " hit(is_program, id, grant_id, via, top) AS ("
              "SELECT 1, id, grant_id, CASE WHEN id = top THEN 3 ELSE 2 END, "
              "top"
              " FROM below UNION ALL"
              " SELECT 0, p.id, below.grant_id, 2, below.top FROM below JOIN "
              "project "
              "p"
              " ON p.program_id = below.id UNION ALL"
              " SELECT 0, project_id, grant_id, 3, NULL FROM mine"
              " WHERE project_id IS NOT NULL UNION ALL"
              " SELECT 1, p.id, mine.grant_id, 1, NULL FROM mine JOIN program p"
              " WHERE coalesce(mine.program_id, mine.project_id) IS NULL UNION "
              "ALL"
              " SELECT 0, p.id, mine.grant_id, 1, NULL FROM mine JOIN project p"
              " WHERE coalesce(mine.program_id, mine.project_id) IS NULL UNION "
              "ALL"
              " SELECT 1, p.id, NULL, 0, NULL FROM user u JOIN program p"
              " WHERE u.id = ?1 AND u.is_admin = 1 UNION ALL"
              " SELECT 0, p.id, NULL, 0, NULL FROM user u JOIN project p"
              " WHERE u.id = ?1 AND u.is_admin = 1),"
              " object(is_program, id, key, name) AS ("
              "SELECT 1, id, key, name FROM program WHERE deleted_at IS NULL"
              " UNION ALL SELECT 0, id, key, name FROM project"
              " WHERE deleted_at IS NULL),"
              " reason AS MATERIALIZED (SELECT o.is_program, o.id, o.key, "
              "o.name,"
              " hit.via, hit.top, mine.group_id, r.key AS role, r.ja, r.en, "
              "r.rights"
              " FROM hit JOIN object o ON o.is_program = hit.is_program"
              " AND o.id = hit.id LEFT JOIN mine ON mine.grant_id = "
              "hit.grant_id"
              " LEFT JOIN role r ON r.id = mine.role_id"
              " WHERE coalesce(r.rights, -1) & (CASE o.is_program WHEN 1 THEN 1"
              " ELSE 16 END) AND o.key > ?2),"
              " page(key) AS (SELECT DISTINCT key FROM reason ORDER BY key "
              "LIMIT ?3)"
              " SELECT ?1, NULL, NULL, 0, x.is_program, x.id, x.key, x.name, "
              "x.via,"
              " CASE x.via WHEN 2 THEN x.top END, p.name, x.group_id, g.name, "
              "x.role,"
              " x.ja, x.en, x.rights FROM page JOIN reason x ON x.key = "
              "page.key"
              " LEFT JOIN program p ON p.id = x.top AND x.via = 2"
              " LEFT JOIN permission_group g ON g.id = x.group_id"
              " ORDER BY x.key, x.via, x.group_id",
};
const struct query_set reach_queries = {"reach", reach_text, COUNT(reach_text)};

const char *const reach_via_words[] = {"master", "tenant", "program", "direct",
                                       NULL};

static void read_reach(struct ctx *c, struct query *q, struct reach *out)
{
    *out = (struct reach){
        .user_id = col_int(q, 0),
        .user_name = col_text(c, q, 1),
        .user_email = col_text(c, q, 2),
        .user_state = (int)col_int(q, 3),
        .is_program = col_int(q, 4) != 0,
        .object_id = col_int(q, 5),
        .object_key = col_text(c, q, 6),
        .object_name = col_text(c, q, 7),
        .via = (enum reach_via)col_int(q, 8),
        .program_id = col_int(q, 9),
        .program_name = col_text(c, q, 10),
        .group_id = col_int(q, 11),
        .group_name = col_text(c, q, 12),
        .role_key = col_text(c, q, 13),
        .role_ja = col_text(c, q, 14),
        .role_en = col_text(c, q, 15),
        .rights = col_is_null(q, 16)
                      ? MAY_EVERYTHING
                      : (unsigned)col_int(q, 16) & MAY_EVERYTHING,
    };
}

static bool is_same(const struct reach *a, const struct reach *b)
{
    return a->user_id == b->user_id && a->object_id == b->object_id &&
           a->is_program == b->is_program;
}

/* Rows of at most limit people or objects; more: there was another. */
static enum err take_page(struct ctx *c, struct query *q, int limit,
                          const struct reach **out, size_t *count, bool *more)
{
    struct buf rows = buf_in(c->mem);
    struct reach row, last = {0};
    int seen = 0;
    enum err e;

    *more = false;
    while (query_next(c, q, &e)) {
        read_reach(c, q, &row);
        if (seen == 0 || !is_same(&row, &last))
            seen++;
        *more = seen > limit;
        last = row;
        if (!*more)
            buf_put(&rows, &row, sizeof row);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof row;
    return e;
}

/* The names of programs above only for those who may see them. */
static enum err hide_programs(struct ctx *c, const struct reach *list,
                              size_t count)
{
    struct reach *rows = (struct reach *)(uintptr_t)list;
    int64_t known = 0;
    unsigned rights = 0;
    enum err e = OK;

    for (size_t i = 0; i < count && !e; i++) {
        if (!rows[i].program_id)
            continue;
        if (rows[i].program_id != known)
            e = access_program(c, known = rows[i].program_id, &rights);
        if (!(rights & MAY_PROGRAM_VIEW)) {
            rows[i].program_id = 0;
            rows[i].program_name = NULL;
        }
    }
    return e;
}

enum err reach_of_place(struct ctx *c, struct member_place at, const char *text,
                        int64_t after, int limit, const struct reach **out,
                        size_t *count, bool *more)
{
    bool is_program = at.of == MEMBER_OF_PROGRAM;
    struct query *q = query(c, reach_text[REACH_PLACE]);

    must(at.of != MEMBER_OF_TENANT);
    bind_id(q, 1, is_program ? at.id : 0);
    bind_id(q, 2, is_program ? 0 : at.id);
    bind_text(q, 3, text ? str_fold(c->mem, text) : NULL);
    bind_int(q, 4, after);
    bind_int(q, 5, limit + 1);
    bind_int(q, 6, is_program ? MAY_PROGRAM_VIEW : MAY_PROJECT_VIEW);
    enum err e = take_page(c, q, limit, out, count, more);
    return e ? e : hide_programs(c, *out, *count);
}

enum err reach_of_user(struct ctx *c, int64_t user_id, const char *after,
                       int limit, const struct reach **out, size_t *count,
                       bool *more)
{
    struct user u;
    enum err e = user_get(c, user_id, &u);

    if (e)
        return e;
    struct query *q = query(c, reach_text[REACH_USER]);
    bind_int(q, 1, user_id);
    bind_text(q, 2, after ? after : "");
    bind_int(q, 3, limit + 1);
    return take_page(c, q, limit, out, count, more);
}
