/* SPDX-License-Identifier: Apache-2.0 */
/* A grant joins a principal (a person, or a group) with a place and a role.
 * One statement serves all three kinds of place: two columns name it, and
 * "IS" compares the empty ones too. */
#include "core/access/member.h"

#include "base/json.h"
#include "core/access/access.h"
#include "core/access/group.h"
#include "core/access/role.h"
#include "core/core.h"
#include "core/log/operation.h"

#define AT "a.program_id IS ?1 AND a.project_id IS ?2"

enum {
    MEMBER_LIST,
    MEMBER_PUT,
    MEMBER_ADD,
    MEMBER_DELETE,
    MEMBER_ROLE,
    MEMBER_PLACE,
    MEMBER_FORGET, /* and those after it */
    MEMBER_TEXTS = MEMBER_FORGET + 3
};
static const char *const member_text[MEMBER_TEXTS] = {
    [MEMBER_LIST] =
        "WITH RECURSIVE up(id, depth) AS (SELECT parent_id, 1 FROM program"
        " WHERE id = ?1 UNION ALL SELECT program_id, 1 FROM project"
        " WHERE id = ?2 UNION ALL SELECT p.parent_id, up.depth + 1 FROM up"
        " JOIN program p ON p.id = up.id WHERE up.depth < 10),"
        " hit(principal, role_id, program_id, far) AS ("
        "SELECT principal, role_id, NULL, 0 FROM access a WHERE " AT
        " UNION ALL SELECT a.principal, a.role_id, up.id, up.depth FROM up"
        " JOIN access a ON a.program_id = up.id"
        " UNION ALL SELECT a.principal, a.role_id, NULL, 99 FROM access a"
        " WHERE coalesce(?1, ?2) IS NOT NULL AND a.program_id IS NULL"
        " AND a.project_id IS NULL)"
        " SELECT h.principal, r.id, coalesce(u.name, g.name), u.email, r.key,"
        " h.far, h.program_id, p.name, (SELECT count(*) FROM group_member m"
        " JOIN user x ON x.id = m.user_id WHERE m.group_id = -h.principal"
        " AND x.state < 3)"
        " FROM hit h JOIN role r ON r.id = h.role_id"
        " LEFT JOIN user u ON u.id = h.principal"
        " LEFT JOIN permission_group g ON g.id = -h.principal"
        " LEFT JOIN program p ON p.id = h.program_id"
        " WHERE coalesce(u.state, 0) < 3"
        " ORDER BY h.far, h.principal > 0, 3, 1",
    [MEMBER_PUT] =
        "INSERT INTO access (user_id, group_id, program_id, project_id,"
        " role_id) VALUES (?3, ?4, ?1, ?2, ?5) ON CONFLICT (principal,"
        " coalesce(program_id, 0), coalesce(project_id, 0))"
        " DO UPDATE SET role_id = ?5",
    [MEMBER_ADD] =
        "INSERT INTO access (user_id, group_id, program_id, project_id,"
        " role_id) VALUES (?3, ?4, ?1, ?2, ?5) ON CONFLICT DO NOTHING",
    [MEMBER_DELETE] = "DELETE FROM access AS a WHERE principal = ?3 AND " AT,
    [MEMBER_ROLE] = "SELECT coalesce((SELECT name FROM user WHERE id = ?3"
                    " AND state < 3), (SELECT name FROM permission_group"
                    " WHERE id = -?3)), (SELECT r.key FROM access a"
                    " JOIN role r ON r.id = a.role_id"
                    " WHERE a.principal = ?3 AND " AT "),"
                    " (SELECT r.rights FROM access a JOIN role r"
                    " ON r.id = a.role_id WHERE a.principal = ?3 AND " AT ")",
    [MEMBER_PLACE] = "SELECT coalesce((SELECT key || ' ' || name FROM program"
                     " WHERE id = ?1), (SELECT key || ' ' || name FROM project"
                     " WHERE id = ?2), (SELECT name FROM tenant))",
    [MEMBER_FORGET] = "DELETE FROM access WHERE principal = ?1",
    [MEMBER_FORGET + 1] = "DELETE FROM group_member WHERE user_id = ?1",
    [MEMBER_FORGET + 2] = "DELETE FROM token WHERE user_id = ?1",
};
const struct query_set member_queries = {"member", member_text,
                                         COUNT(member_text)};

static const struct field member_fields[] = {
    {TEXT("role", 1, 64, REQUIRED, "ロール", "Role")},
};
const struct form member_form = {"MemberPut", member_fields,
                                 COUNT(member_fields)};

static struct query *at_place(struct ctx *c, int text, struct member_place at)
{
    struct query *q = query(c, member_text[text]);

    bind_id(q, 1, at.of == MEMBER_OF_PROGRAM ? at.id : 0);
    bind_id(q, 2, at.of == MEMBER_OF_PROJECT ? at.id : 0);
    return q;
}

/* The name of a program above only for those who may see it. */
static enum err hide_programs(struct ctx *c, struct member *list, size_t count)
{
    int64_t known = 0;
    unsigned rights = 0;
    enum err e = OK;

    for (size_t i = 0; i < count && !e; i++) {
        if (!list[i].from_id)
            continue;
        if (list[i].from_id != known)
            e = access_program(c, known = list[i].from_id, &rights);
        if (!(rights & MAY_PROGRAM_VIEW)) {
            list[i].from_id = 0;
            list[i].from_name = NULL;
        }
    }
    return e;
}

static enum err hide_addresses(struct ctx *c, struct member *list, size_t count)
{
    unsigned rights;
    bool shows;
    enum err e = access_tenant(c, &rights);

    if (e || (e = access_sees_addresses(c, rights, &shows)))
        return e;
    for (size_t i = 0; i < count && !shows; i++)
        if (list[i].principal != c->actor->user_id)
            list[i].email = NULL;
    return OK;
}

enum err member_list(struct ctx *c, struct member_place at,
                     const struct member **out, size_t *count)
{
    struct query *q = at_place(c, MEMBER_LIST, at);
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct member m = {
            .principal = col_int(q, 0),
            .role_id = col_int(q, 1),
            .name = col_text(c, q, 2),
            .email = col_text(c, q, 3),
            .role_key = col_text(c, q, 4),
            .is_inherited = col_int(q, 5) != 0,
            .from_id = col_int(q, 6),
            .from_name = col_text(c, q, 7),
            .size = col_int(q, 8),
        };
        buf_put(&rows, &m, sizeof m);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    if (!e)
        e = hide_programs(c, (void *)rows.data, *count);
    return e ? e : hide_addresses(c, (void *)rows.data, *count);
}

/* What the actor may hand on at a place. */
static enum err own_rights(struct ctx *c, struct member_place at, unsigned *out)
{
    if (at.of == MEMBER_OF_PROGRAM)
        return access_program(c, at.id, out);
    if (at.of == MEMBER_OF_PROJECT)
        return access_project(c, at.id, out);
    *out = MAY_EVERYTHING | (c->actor->is_admin ? MAY_ADMINISTER : 0);
    return OK;
}

static enum err check_above(struct ctx *c, struct member_place at,
                            unsigned rights)
{
    unsigned mine;
    enum err e = own_rights(c, at, &mine);

    if (e)
        return e;
    if (at.of != MEMBER_OF_TENANT) /* what older grants left there */
        rights &= MAY_EVERYTHING;
    if (!(rights & ~mine))
        return OK;
    return ctx_fail(c, ERR_DENIED, "role", "role_above",
                    "自分より強い権限のロールは扱えません",
                    "You may not give or take a role that may do more than"
                    " you may");
}

/* Areas of administration are of the tenant: elsewhere such a role would seem
 * to give what it does not. */
static enum err check_areas(struct ctx *c, struct member_place at,
                            unsigned rights)
{
    if (at.of == MEMBER_OF_TENANT || !(rights & MAY_ADMINISTER))
        return OK;
    return ctx_fail(c, ERR_INVALID, "role", "role_area",
                    "管理の権限を含むロールは、テナント全体にだけ付与できます",
                    "A role that administers can be given on the whole tenant"
                    " only");
}

static const char *as_json(struct ctx *c, const char *who, const char *role)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    if (!role)
        return NULL;
    json_open(&o, NULL, '{');
    json_text(&o, "member", who);
    json_text(&o, "role", role);
    json_close(&o, '}');
    return b.data;
}

/* after: the role to be, NULL: none; had: what the one of now may do. */
static enum err log_member(struct ctx *c, struct member_place at,
                           int64_t principal, const char *after, unsigned *had)
{
    static const char *const kinds[] = {"program_member", "project_member",
                                        "tenant_member"};
    struct query *q = at_place(c, MEMBER_ROLE, at);

    bind_int(q, 3, principal);
    enum err e = query_one(c, q);
    if (e)
        return e;
    const char *who = col_text(c, q, 0);
    const char *role = col_text(c, q, 1);
    *had = (unsigned)col_int(q, 2);
    query_done(q);
    if (!who || (!role && !after))
        return ERR_NOT_FOUND;
    q = at_place(c, MEMBER_PLACE, at);
    if ((e = query_one(c, q)))
        return e;
    const char *where = col_text(c, q, 0);
    query_done(q);
    return operation_log(c,
                         &(struct operation){.action = !after ? "delete"
                                                       : role ? "update"
                                                              : "create",
                                             .kind = kinds[at.of],
                                             .object_id = at.id,
                                             .object_name = where,
                                             .before = as_json(c, who, role),
                                             .after = as_json(c, who, after)});
}

static enum err grant(struct ctx *c, int text, struct member_place at,
                      int64_t principal, int64_t role_id)
{
    struct query *q = at_place(c, text, at);

    bind_id(q, 3, principal > 0 ? principal : 0);
    bind_id(q, 4, principal < 0 ? -principal : 0);
    bind_int(q, 5, role_id);
    return query_run(c, q);
}

static enum err check_principal(struct ctx *c, int64_t principal)
{
    struct group g;

    if (principal < 0)
        return group_get(c, -principal, &g);
    return access_check_user(c, "user", principal ? principal : -1);
}

enum err member_put(struct ctx *c, struct member_place at, int64_t principal,
                    const char *id_or_key)
{
    struct role role;
    unsigned had;
    enum err e = check_principal(c, principal);

    if (e)
        return e;
    if ((e = role_find_named(c, id_or_key, &role)) ||
        (e = check_areas(c, at, role.rights)) ||
        (e = check_above(c, at, role.rights)) ||
        (e = log_member(c, at, principal, role.key, &had)) ||
        (e = check_above(c, at, had)))
        return e;
    return grant(c, MEMBER_PUT, at, principal, role.id);
}

enum err member_delete(struct ctx *c, struct member_place at, int64_t principal)
{
    unsigned had;
    enum err e = log_member(c, at, principal, NULL, &had);

    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "user", "not_found",
                        "このメンバーは直接登録されていません",
                        "This person is not a member here");
    if (e || (e = check_above(c, at, had)))
        return e;
    struct query *q = at_place(c, MEMBER_DELETE, at);
    bind_int(q, 3, principal);
    return query_run(c, q);
}

enum err member_keep(struct ctx *c, struct member_place at, int64_t principal,
                     const char *role_key)
{
    struct role role;
    unsigned had;
    enum err e = role_find(c, role_key, &role);

    if (!e)
        e = log_member(c, at, principal, role_key, &had);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e; /* a deleted person's grant */
    return grant(c, MEMBER_PUT, at, principal, role.id);
}

enum err member_add_manager(struct ctx *c, struct member_place at,
                            int64_t user_id)
{
    struct role role;
    unsigned mine;
    enum err e = role_find(c, "manager", &role);

    if (e || (e = own_rights(c, at, &mine)) || (role.rights & ~mine))
        return e == ERR_NOT_FOUND ? OK : e;
    return grant(c, MEMBER_ADD, at, user_id, role.id);
}

enum err member_forget(struct ctx *c, int64_t user_id)
{
    enum err e = OK;

    for (int i = MEMBER_FORGET; i < MEMBER_TEXTS && !e; i++) {
        struct query *q = query(c, member_text[i]);
        bind_int(q, 1, user_id);
        e = query_run(c, q);
    }
    return e;
}
