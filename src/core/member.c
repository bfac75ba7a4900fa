/* SPDX-License-Identifier: Apache-2.0 */
#include "core/member.h"

#include "base/json.h"
#include "core/access.h"
#include "core/catalogue.h"
#include "core/core.h"
#include "core/operation.h"
#include "core/program.h"

#define MEMBER_COLS                                                            \
    "SELECT u.id, r.id, u.name, u.email, r.key, up.from_id, g.name"            \
    " FROM up JOIN access a ON a.program_id = up.id"                           \
    " JOIN user u ON u.id = a.user_id JOIN role r ON r.id = a.role_id"         \
    " LEFT JOIN program g ON g.id = up.from_id WHERE u.state < 3"
#define MEMBER_UP                                                              \
    " UNION ALL SELECT p.parent_id, p.parent_id, up.depth + 1 FROM up"         \
    " JOIN program p ON p.id = up.id"                                          \
    " WHERE p.parent_id IS NOT NULL AND up.depth < 10)"

enum {
    MEMBER_LIST_PROGRAM,
    MEMBER_LIST_PROJECT,
    MEMBER_PUT_PROGRAM,
    MEMBER_PUT_PROJECT,
    MEMBER_ADD_PROGRAM,
    MEMBER_ADD_PROJECT,
    MEMBER_DELETE_PROGRAM,
    MEMBER_DELETE_PROJECT,
    MEMBER_ROLE_PROGRAM,
    MEMBER_ROLE_PROJECT,
};
static const char *const member_text[] = {
    [MEMBER_LIST_PROGRAM] =
        "WITH RECURSIVE up(id, from_id, depth) AS (SELECT ?1, NULL, 1" MEMBER_UP
            MEMBER_COLS " ORDER BY 6 IS NOT NULL, 3, 1",
    [MEMBER_LIST_PROJECT] =
        "WITH RECURSIVE up(id, from_id, depth) AS (SELECT program_id,"
        " program_id, 1 FROM project WHERE id = ?1"
        " AND program_id IS NOT NULL" MEMBER_UP
        " SELECT u.id, r.id, u.name, u.email, r.key, NULL, NULL FROM access a"
        " JOIN user u ON u.id = a.user_id JOIN role r ON r.id = a.role_id"
        " WHERE a.project_id = ?1 AND u.state < 3 UNION ALL " MEMBER_COLS,
    [MEMBER_PUT_PROGRAM] =
        "INSERT INTO access (program_id, user_id, role_id) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (user_id, program_id) WHERE program_id IS NOT NULL"
        " DO UPDATE SET role_id = ?3",
    [MEMBER_PUT_PROJECT] =
        "INSERT INTO access (project_id, user_id, role_id) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (user_id, project_id) WHERE project_id IS NOT NULL"
        " DO UPDATE SET role_id = ?3",
    [MEMBER_ADD_PROGRAM] =
        "INSERT INTO access (program_id, user_id, role_id) VALUES (?1, ?2, ?3)"
        " ON CONFLICT DO NOTHING",
    [MEMBER_ADD_PROJECT] =
        "INSERT INTO access (project_id, user_id, role_id) VALUES (?1, ?2, ?3)"
        " ON CONFLICT DO NOTHING",
    [MEMBER_DELETE_PROGRAM] =
        "DELETE FROM access WHERE program_id = ?1 AND user_id = ?2",
    [MEMBER_DELETE_PROJECT] =
        "DELETE FROM access WHERE project_id = ?1 AND user_id = ?2",
    [MEMBER_ROLE_PROGRAM] =
        "SELECT u.name, (SELECT r.key FROM access a JOIN role r"
        " ON r.id = a.role_id WHERE a.program_id = ?1 AND a.user_id = u.id),"
        " (SELECT key || ' ' || name FROM program WHERE id = ?1),"
        " (SELECT r.rights FROM access a JOIN role r ON r.id = a.role_id"
        " WHERE a.program_id = ?1 AND a.user_id = u.id)"
        " FROM user u WHERE u.id = ?2",
    [MEMBER_ROLE_PROJECT] =
        "SELECT u.name, (SELECT r.key FROM access a JOIN role r"
        " ON r.id = a.role_id WHERE a.project_id = ?1 AND a.user_id = u.id),"
        " (SELECT key || ' ' || name FROM project WHERE id = ?1),"
        " (SELECT r.rights FROM access a JOIN role r ON r.id = a.role_id"
        " WHERE a.project_id = ?1 AND a.user_id = u.id)"
        " FROM user u WHERE u.id = ?2",
};
const struct query_set member_queries = {"member", member_text,
                                         COUNT(member_text)};

static const struct field member_fields[] = {
    {"role", FIELD_TEXT, 1, 64, FIELD_REQUIRED, NULL, NULL, "ロール", "Role"},
};
const struct form member_form = {"MemberPut", member_fields,
                                 COUNT(member_fields)};

enum err member_list(struct ctx *c, enum member_of of, int64_t id,
                     const struct member **out, size_t *count)
{
    struct query *q =
        query(c, member_text[of == MEMBER_OF_PROGRAM ? MEMBER_LIST_PROGRAM
                                                     : MEMBER_LIST_PROJECT]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, id);
    while (query_next(c, q, &e)) {
        struct member m = {
            .user_id = col_int(q, 0),
            .role_id = col_int(q, 1),
            .user_name = col_text(c, q, 2),
            .user_email = col_text(c, q, 3),
            .role_key = col_text(c, q, 4),
            .from_id = col_int(q, 5),
            .from_name = col_text(c, q, 6),
        };
        buf_put(&rows, &m, sizeof m);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

static enum err own_rights(struct ctx *c, enum member_of of, int64_t id,
                           unsigned *out)
{
    return of == MEMBER_OF_PROGRAM ? access_program(c, id, out)
                                   : access_project(c, id, out);
}

static enum err role_above(struct ctx *c)
{
    return ctx_fail(c, ERR_DENIED, "role", "role_above",
                    "自分より強い権限のロールは扱えません",
                    "You may not give or take a role that may do more than"
                    " you may");
}

static enum err log_member(struct ctx *c, enum member_of of, int64_t id,
                           int64_t user_id, const char *after)
{
    bool program = of == MEMBER_OF_PROGRAM;
    struct query *q = query(
        c, member_text[program ? MEMBER_ROLE_PROGRAM : MEMBER_ROLE_PROJECT]);

    bind_int(q, 1, id);
    bind_int(q, 2, user_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    const char *who = col_text(c, q, 0);
    const char *role = col_text(c, q, 1);
    const char *where = col_text(c, q, 2);
    unsigned rights = (unsigned)col_int(q, 3), mine;
    query_done(q);
    if ((e = own_rights(c, of, id, &mine)))
        return e;
    if (rights & ~mine)
        return role_above(c);
    const char *json[2] = {role, after};
    for (int i = 0; i < 2; i++) {
        struct buf b = buf_in(c->mem);
        struct json_out o = {.b = &b};
        if (!json[i])
            continue;
        json_open(&o, NULL, '{');
        json_text(&o, "member", who);
        json_text(&o, "role", json[i]);
        json_close(&o, '}');
        json[i] = b.data;
    }
    return operation_log(c,
                         &(struct operation){.action = !after ? "delete"
                                                       : role ? "update"
                                                              : "create",
                                             .kind = program ? "program_member"
                                                             : "project_member",
                                             .object_id = id,
                                             .object_name = where,
                                             .before = json[0],
                                             .after = json[1]});
}

static enum err grant(struct ctx *c, int text, int64_t id, int64_t user_id,
                      int64_t role_id)
{
    struct query *q = query(c, member_text[text]);

    bind_int(q, 1, id);
    bind_int(q, 2, user_id);
    bind_int(q, 3, role_id);
    return query_run(c, q);
}

enum err member_put(struct ctx *c, enum member_of of, int64_t id,
                    int64_t user_id, const char *role_key)
{
    int64_t role_id;
    unsigned rights, mine;
    enum err e = program_check_user(c, "user", user_id ? user_id : -1);

    if (e)
        return e;
    e = catalogue_find_role(c, role_key, &role_id, &rights);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, ERR_INVALID, "role", "role",
                        "ロールが見つかりません", "No such role");
    if (e || (e = own_rights(c, of, id, &mine)))
        return e;
    if (rights & ~mine)
        return role_above(c);
    if ((e = log_member(c, of, id, user_id, role_key)))
        return e;
    return grant(
        c, of == MEMBER_OF_PROGRAM ? MEMBER_PUT_PROGRAM : MEMBER_PUT_PROJECT,
        id, user_id, role_id);
}

enum err member_delete(struct ctx *c, enum member_of of, int64_t id,
                       int64_t user_id)
{
    struct query *q =
        query(c, member_text[of == MEMBER_OF_PROGRAM ? MEMBER_DELETE_PROGRAM
                                                     : MEMBER_DELETE_PROJECT]);
    enum err e = log_member(c, of, id, user_id, NULL);

    if (!e) {
        bind_int(q, 1, id);
        bind_int(q, 2, user_id);
        e = query_run(c, q);
        if (!e && db_changes(c) == 0)
            e = ERR_NOT_FOUND;
    }
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "user", "not_found",
                        "このメンバーは直接登録されていません",
                        "This person is not a member here");
    return e;
}

enum err member_add_manager(struct ctx *c, enum member_of of, int64_t id,
                            int64_t user_id)
{
    int64_t role_id;
    unsigned rights, mine;
    enum err e = catalogue_find_role(c, "manager", &role_id, &rights);

    if (e || (e = own_rights(c, of, id, &mine)) || (rights & ~mine))
        return e == ERR_NOT_FOUND ? OK : e;
    return grant(
        c, of == MEMBER_OF_PROGRAM ? MEMBER_ADD_PROGRAM : MEMBER_ADD_PROJECT,
        id, user_id, role_id);
}
