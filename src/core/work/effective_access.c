/* SPDX-License-Identifier: Apache-2.0 */
/* The grants of core/access/access.c read the other way round: not "may this person",
 * but "who may, and by which grant".  Both pages ask one statement, which pairs
 * objects with grants that reach them; they differ in what they start from: one
 * object and all grants that may concern it, or one person's grants and all
 * objects.  Who is seen is decided by what the reasons add up to. */
#include "core/work/effective_access.h"

#include "base/str.h"
#include "core/access/access.h"
#include "core/account/user.h"
#include "core/core.h"
#include "db/query.h"

enum { EFFECTIVE_ACCESS_PLACE, EFFECTIVE_ACCESS_USER };

/* From what(is_program, id) and held(user_id, group_id, role_id, program_id,
 * project_id), the grants by person.  A master administrator's reason has no
 * role; seen holds the pairs whose reasons give the view of the object. */
#define REASONS                                                                \
    ", up(is_program, id, program_id, depth) AS ("                             \
    "SELECT 1, p.id, p.parent_id, 1 FROM what JOIN program p"                  \
    " ON p.id = what.id WHERE what.is_program = 1 AND p.parent_id IS NOT NULL" \
    " UNION ALL SELECT 0, p.id, p.program_id, 1 FROM what JOIN project p"      \
    " ON p.id = what.id WHERE what.is_program = 0 AND p.program_id IS NOT "    \
    "NULL"                                                                     \
    " UNION ALL SELECT up.is_program, up.id, p.parent_id, up.depth + 1 FROM"   \
    " up JOIN program p ON p.id = up.program_id"                               \
    " WHERE p.parent_id IS NOT NULL AND up.depth < 10),"                       \
    " reason(user_id, is_program, id, via, program_id, group_id, role_id)"     \
    " AS MATERIALIZED (SELECT held.user_id, what.is_program, what.id, 3, "     \
    "NULL,"                                                                    \
    " held.group_id, held.role_id FROM what JOIN held"                         \
    " ON held.program_id = what.id WHERE what.is_program = 1 UNION ALL"        \
    " SELECT held.user_id, what.is_program, what.id, 3, NULL, held.group_id, " \
    "held.role_id"                                                             \
    " FROM what JOIN held ON held.project_id = what.id"                        \
    " WHERE what.is_program = 0 UNION ALL"                                     \
    " SELECT held.user_id, up.is_program, up.id, 2, up.program_id, "           \
    "held.group_id,"                                                           \
    " held.role_id FROM up JOIN held ON held.program_id = up.program_id"       \
    " UNION ALL SELECT held.user_id, what.is_program, what.id, 1, NULL, "      \
    "held.group_id,"                                                           \
    " held.role_id FROM held CROSS JOIN what"                                  \
    " WHERE held.program_id IS NULL AND held.project_id IS NULL UNION ALL"     \
    " SELECT u.id, what.is_program, what.id, 0, NULL, NULL, NULL FROM user u"  \
    " CROSS JOIN what WHERE u.is_admin = 1 AND (?1 IS NULL OR u.id = ?1)),"    \
    " seen(user_id, is_program, id) AS (SELECT DISTINCT reason.user_id,"       \
    " reason.is_program, reason.id FROM reason LEFT JOIN role r ON r.id = "    \
    "reason.role_id"                                                           \
    " WHERE coalesce(r.rights, -1) & CASE reason.is_program WHEN 1 THEN 1 "    \
    "ELSE 16"                                                                  \
    " END)"
#define REASON_COLS                                                            \
    "reason.via, reason.program_id, p.name, reason.group_id, g.name, r.key, "  \
    "r.ja, r.en,"                                                              \
    " r.rights"
#define REASON_NAMES                                                           \
    " LEFT JOIN role r ON r.id = reason.role_id"                               \
    " LEFT JOIN program p ON p.id = reason.program_id"                         \
    " LEFT JOIN permission_group g ON g.id = reason.group_id"
#define OF_ONE ACCESS_ME("?1")
#define GRANT  "a.role_id, a.program_id, a.project_id"

static const char *const effective_access_text[] = {
    [EFFECTIVE_ACCESS_PLACE] =
        "WITH RECURSIVE what(is_program, id) AS (SELECT 1, ?2 WHERE ?2 IS NOT"
        " NULL UNION ALL SELECT 0, ?3 WHERE ?3 IS NOT NULL),"
        " above(id) AS (SELECT id FROM program WHERE id = ?2 UNION"
        " SELECT program_id FROM project WHERE id = ?3 UNION"
        " SELECT p.parent_id FROM above JOIN program p ON p.id = above.id),"
        " given(principal, role_id, program_id, project_id) AS MATERIALIZED ("
        "SELECT a.principal, " GRANT " FROM above JOIN access a"
        " ON a.program_id = above.id UNION ALL"
        " SELECT a.principal, " GRANT " FROM access a WHERE a.project_id = ?3"
        " UNION ALL SELECT a.principal, " GRANT " FROM access a"
        " WHERE a.program_id IS NULL AND a.project_id IS NULL),"
        " held(user_id, group_id, role_id, program_id, project_id)"
        " AS MATERIALIZED (SELECT principal, NULL, role_id, program_id,"
        " project_id FROM given WHERE principal > 0 UNION ALL"
        " SELECT m.user_id, m.group_id, role_id, program_id, project_id"
        " FROM given JOIN group_member m ON m.group_id = -principal)" REASONS
        ", page(id) AS (SELECT u.id FROM user u WHERE u.state < 3"
        " AND u.id IN (SELECT user_id FROM seen)"
        " AND (?4 IS NULL OR instr(u.search, ?4) > 0)"
        " AND (u.name, u.id) > (coalesce((SELECT name FROM user"
        " WHERE id = ?5), ''), ?5) ORDER BY u.name, u.id LIMIT ?6)"
        " SELECT u.id, u.name, u.email, u.state, NULL, NULL, NULL, NULL,"
        " " REASON_COLS " FROM page JOIN user u ON u.id = page.id"
        " JOIN reason ON reason.user_id = u.id" REASON_NAMES
        " ORDER BY u.name, u.id, reason.via, reason.group_id",
    [EFFECTIVE_ACCESS_USER] =
        "WITH RECURSIVE " OF_ONE
        ", held(user_id, group_id, role_id, program_id, project_id)"
        " AS MATERIALIZED (SELECT ?1, a.group_id, " GRANT " FROM me"
        " JOIN access a ON a.principal = me.p),"
        " below(id) AS (SELECT program_id FROM held WHERE program_id IS NOT"
        " NULL UNION SELECT p.id FROM below JOIN program p"
        " ON p.parent_id = below.id),"
        " top(is_all) AS (SELECT EXISTS (SELECT 1 FROM held WHERE"
        " coalesce(program_id, project_id) IS NULL) OR EXISTS (SELECT 1"
        " FROM user WHERE id = ?1 AND is_admin = 1)),"
        " below_any(is_program, id) AS (SELECT 1, id FROM below UNION"
        " SELECT 0, p.id FROM below JOIN project p ON p.program_id = below.id"
        " UNION SELECT 0, project_id FROM held WHERE project_id IS NOT NULL"
        " UNION SELECT 1, p.id FROM top CROSS JOIN program p WHERE is_all"
        " UNION SELECT 0, p.id FROM top CROSS JOIN project p WHERE is_all),"
        " what(is_program, id) AS MATERIALIZED ("
        "SELECT 1, p.id FROM below_any CROSS JOIN program p"
        " ON p.id = below_any.id WHERE is_program = 1 AND deleted_at IS NULL"
        " AND key > ?2 UNION ALL"
        " SELECT 0, p.id FROM below_any CROSS JOIN project p"
        " ON p.id = below_any.id WHERE is_program = 0 AND deleted_at IS NULL"
        " AND key > ?2)" REASONS ", named(is_program, id, key, name) AS ("
        "SELECT 1, seen.id, p.key, p.name FROM seen JOIN program p"
        " ON p.id = seen.id WHERE seen.is_program = 1 UNION ALL"
        " SELECT 0, seen.id, p.key, p.name FROM seen JOIN project p"
        " ON p.id = seen.id WHERE seen.is_program = 0),"
        " page(is_program, id, key, name) AS MATERIALIZED ("
        "SELECT * FROM named ORDER BY key LIMIT ?3)"
        " SELECT ?1, NULL, NULL, 0, o.is_program, o.id, o.key, o.name,"
        " " REASON_COLS " FROM page o JOIN reason ON reason.is_program ="
        " o.is_program AND reason.id = o.id" REASON_NAMES
        " ORDER BY o.key, reason.via, reason.group_id",
};
_Static_assert(MAY_PROGRAM_VIEW == 1 && MAY_PROJECT_VIEW == 16,
               "as REASONS has them");
const struct query_set effective_access_queries = {
    "reach", effective_access_text, COUNT(effective_access_text)};

const char *const effective_access_via_words[] = {"master", "tenant", "program",
                                                  "direct", NULL};

static void read_reach(struct ctx *c, struct query *q,
                       struct effective_access *out)
{
    *out = (struct effective_access){
        .user_id = col_int(q, 0),
        .user_name = col_text(c, q, 1),
        .user_email = col_text(c, q, 2),
        .user_state = (int)col_int(q, 3),
        .is_program = col_int(q, 4) != 0,
        .object_id = col_int(q, 5),
        .object_key = col_text(c, q, 6),
        .object_name = col_text(c, q, 7),
        .via = (enum effective_access_via)col_int(q, 8),
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

static bool is_same(const struct effective_access *a,
                    const struct effective_access *b)
{
    return a->user_id == b->user_id && a->object_id == b->object_id &&
           a->is_program == b->is_program;
}

/* Rows of at most limit people or objects; more: there was another. */
static enum err take_page(struct ctx *c, struct query *q, int limit,
                          const struct effective_access **out, size_t *count,
                          bool *more)
{
    struct buf rows = buf_in(c->mem);
    struct effective_access row, last = {0};
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
static enum err hide_programs(struct ctx *c,
                              const struct effective_access *list, size_t count)
{
    struct effective_access *rows = (struct effective_access *)(uintptr_t)list;
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

enum err effective_access_of_place(struct ctx *c, struct member_place at,
                                   const char *text, int64_t after, int limit,
                                   const struct effective_access **out,
                                   size_t *count, bool *more)
{
    bool is_program = at.of == MEMBER_OF_PROGRAM;
    struct query *q = query(c, effective_access_text[EFFECTIVE_ACCESS_PLACE]);

    must(at.of != MEMBER_OF_TENANT);
    bind_id(q, 1, 0);
    bind_id(q, 2, is_program ? at.id : 0);
    bind_id(q, 3, is_program ? 0 : at.id);
    bind_text(q, 4, text ? str_fold(c->mem, text) : NULL);
    bind_int(q, 5, after);
    bind_int(q, 6, limit + 1);
    enum err e = take_page(c, q, limit, out, count, more);
    return e ? e : hide_programs(c, *out, *count);
}

enum err effective_access_of_user(struct ctx *c, int64_t user_id,
                                  const char *after, int limit,
                                  const struct effective_access **out,
                                  size_t *count, bool *more)
{
    struct user u;
    enum err e = user_get(c, user_id, &u);

    if (e)
        return e;
    struct query *q = query(c, effective_access_text[EFFECTIVE_ACCESS_USER]);
    bind_int(q, 1, user_id);
    bind_text(q, 2, after ? after : "");
    bind_int(q, 3, limit + 1);
    return take_page(c, q, limit, out, count, more);
}
