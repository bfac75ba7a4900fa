/* SPDX-License-Identifier: Apache-2.0 */
/* Rights come from grants on the object itself and on every program above it;
 * they add up.  One statement finds the object, its state and all grants that
 * reach it: its first row is about the object, every further one a grant, so
 * "no row" and "no grant" both read as not found. */
#include "core/access/access.h"

#include "core/core.h"

#define UP                                                                     \
    " UNION ALL SELECT p.parent_id, up.depth + 1 FROM up"                      \
    " JOIN program p ON p.id = up.id"                                          \
    " WHERE p.parent_id IS NOT NULL AND up.depth < 10)"
#define RIGHTS " JOIN role r ON r.id = a.role_id"
#define FROM_ABOVE                                                             \
    " UNION ALL SELECT r.rights, 0, 0 FROM up CROSS JOIN me JOIN access a"     \
    " ON a.principal = me.p AND a.program_id = up.id" RIGHTS                   \
    " UNION ALL SELECT r.rights, 0, 0 FROM me" ON_TENANT RIGHTS
#define ON_TENANT                                                              \
    " JOIN access a ON a.principal = me.p AND a.project_id IS NULL"            \
    " AND a.program_id IS NULL"

enum {
    ACCESS_PROJECT,
    ACCESS_PROGRAM,
    ACCESS_TICKET,
    ACCESS_TENANT,
    ACCESS_GRANTS,
    ACCESS_PROGRAMS,
    ACCESS_AREAS,
    ACCESS_SOMEWHERE,
    ACCESS_PERSON,
    ACCESS_TOKEN_PROJECT,
    ACCESS_TOKEN_TICKET,
    ACCESS_USER,
};
static const char *const access_text[] = {
    [ACCESS_PROJECT] = "WITH RECURSIVE " ACCESS_ME(
        "?2") ", up(id, depth) AS ("
              "SELECT program_id, 1 FROM project"
              " WHERE id = ?1 AND program_id IS NOT NULL" UP
              " SELECT 0, state, 0 FROM project"
              " WHERE id = ?1 AND deleted_at IS NULL"
              " UNION ALL SELECT r.rights, 0, 0 FROM me JOIN access a"
              " ON a.principal = me.p AND a.project_id = ?1" RIGHTS FROM_ABOVE,
    [ACCESS_PROGRAM] = "WITH RECURSIVE " ACCESS_ME(
        "?2") ", up(id, depth) AS ("
              "SELECT id, 1 FROM program WHERE id = ?1" UP
              " SELECT 0, state, 0 FROM program"
              " WHERE id = ?1 AND deleted_at IS NULL" FROM_ABOVE,
    [ACCESS_TICKET] = "WITH RECURSIVE " ACCESS_ME(
        "?2") ", it(project_id, own) AS ("
              "SELECT t.project_id, t.reporter_id IS ?2 OR EXISTS (SELECT 1"
              " FROM ticket_assignee x WHERE x.ticket_id = t.id AND x.user_id "
              "= ?2)"
              " FROM ticket t WHERE t.id = ?1 AND t.deleted_at IS NULL),"
              " up(id, depth) AS (SELECT p.program_id, 1 FROM it JOIN project p"
              " ON p.id = it.project_id WHERE p.program_id IS NOT NULL" UP
              " SELECT 0, p.state, it.own FROM it JOIN project p"
              " ON p.id = it.project_id WHERE p.deleted_at IS NULL"
              " UNION ALL SELECT r.rights, 0, 0 FROM it CROSS JOIN me JOIN "
              "access a"
              " ON a.principal = me.p AND a.project_id = it.project_id" RIGHTS
                  FROM_ABOVE,
    [ACCESS_TENANT] =
        "WITH " ACCESS_ME("?2") " SELECT r.rights FROM me" ON_TENANT RIGHTS,
    [ACCESS_GRANTS] = "WITH " ACCESS_ME(
        "?1") " SELECT coalesce(a.program_id, 0),"
              " coalesce(a.project_id, 0), r.rights FROM me JOIN access a"
              " ON a.principal = me.p" RIGHTS " ORDER BY 2",
    [ACCESS_PROGRAMS] = "SELECT id, coalesce(parent_id, 0) FROM program"
                        " ORDER BY id",
    [ACCESS_AREAS] =
        "WITH " ACCESS_ME("?1") " SELECT u.is_admin OR EXISTS (SELECT 1"
                                " FROM me" ON_TENANT RIGHTS
                                " WHERE r.rights & ?2)"
                                " FROM user u WHERE u.id = ?1",
    [ACCESS_SOMEWHERE] =
        "WITH " ACCESS_ME("?1") " SELECT EXISTS (SELECT 1 FROM me"
                                " JOIN access a ON a.principal = me.p" RIGHTS
                                " WHERE r.rights & ?2)",
    [ACCESS_PERSON] = "SELECT is_admin FROM user WHERE id = ?1 AND state < 3",
    [ACCESS_TOKEN_PROJECT] = "SELECT 1 FROM token_project"
                             " WHERE token_id = ?2 AND project_id = ?1",
    [ACCESS_TOKEN_TICKET] =
        "SELECT 1 FROM ticket t JOIN token_project x"
        " ON x.project_id = t.project_id WHERE t.id = ?1 AND x.token_id = ?2",
    [ACCESS_USER] = "SELECT 1 FROM user WHERE id = ?1 AND state < 3",
};
const struct query_set access_queries = {"access", access_text,
                                         COUNT(access_text)};

#define CHANGES_TICKETS                                                        \
    (MAY_TICKET_ADD | MAY_TICKET_EDIT | MAY_TICKET_DELETE |                    \
     MAY_TICKET_EDIT_OWN | MAY_COMMENT)

_Static_assert(MAY_PROJECT_VIEW == 16 && MAY_TICKET_VIEW == 256,
               "as ACCESS_VISIBLE has them");

struct found {
    bool is_there, is_archived, is_own;
    unsigned rights;
};

const struct access_rule access_rules[] = {
    {MAY_PROGRAM_ADD | MAY_PROGRAM_EDIT | MAY_PROGRAM_DELETE, MAY_PROGRAM_VIEW},
    {MAY_PROJECT_ADD, MAY_PROGRAM_VIEW},
    {MAY_PROJECT_ADD | MAY_PROJECT_EDIT | MAY_PROJECT_DELETE | MAY_MEMBER_EDIT |
         MAY_TICKET_VIEW,
     MAY_PROJECT_VIEW},
    {CHANGES_TICKETS, MAY_TICKET_VIEW},
};
const size_t access_rule_count = COUNT(access_rules);

unsigned access_settle(unsigned rights)
{
    for (size_t i = 0; i < COUNT(access_rules); i++)
        if (!(rights & access_rules[i].view))
            rights &= ~access_rules[i].of;
    return rights;
}

/* A token limited to projects knows nothing beside them, nor above. */
static enum err narrow(struct ctx *c, int what, int64_t id, struct found *out)
{
    enum err e = ERR_NOT_FOUND;

    if (what != ACCESS_PROGRAM) {
        struct query *q =
            query(c, access_text[what == ACCESS_TICKET ? ACCESS_TOKEN_TICKET
                                                       : ACCESS_TOKEN_PROJECT]);
        bind_int(q, 1, id);
        bind_int(q, 2, c->actor->limit_token_id);
        if (!(e = query_one(c, q)))
            query_done(q);
    }
    if (e == ERR_NOT_FOUND)
        *out = (struct found){0};
    return e == ERR_NOT_FOUND ? OK : e;
}

/* What an administrator holds without any grant. */
static unsigned of_admin(const struct ctx *c)
{
    if (!c->actor->is_admin)
        return 0;
    return c->actor->is_reader ? MAY_LOOK : MAY_EVERYTHING;
}

/* what: ACCESS_PROJECT, ACCESS_PROGRAM or ACCESS_TICKET; by grants alone. */
static enum err add_up(struct ctx *c, int64_t user_id, int what, int64_t id,
                       struct found *out)
{
    struct query *q = query(c, access_text[what]);
    enum err e;

    *out = (struct found){0};
    bind_int(q, 1, id);
    bind_int(q, 2, user_id);
    while (query_next(c, q, &e)) {
        if (col_int(q, 0) == 0) { /* the object's own row */
            out->is_there = true;
            out->is_archived = col_int(q, 1) != 0;
            out->is_own = col_int(q, 2) != 0;
        }
        out->rights |= (unsigned)col_int(q, 0);
    }
    if (!out->is_there)
        out->rights = 0;
    out->rights &= MAY_EVERYTHING; /* areas are of the tenant */
    out->rights = access_settle(out->rights);
    return e;
}

static enum err look(struct ctx *c, int what, int64_t id, struct found *out)
{
    enum err e = add_up(c, c->actor->user_id, what, id, out);

    if (out->is_there && c->actor->is_admin)
        out->rights = of_admin(c);
    if (out->is_own && (out->rights & MAY_TICKET_EDIT_OWN))
        out->rights |= MAY_TICKET_EDIT;
    return e || !c->actor->limit_token_id ? e : narrow(c, what, id, out);
}

enum err access_project(struct ctx *c, int64_t project_id, unsigned *out)
{
    struct found f;
    enum err e = look(c, ACCESS_PROJECT, project_id, &f);

    *out = f.rights;
    return e;
}

enum err access_project_of(struct ctx *c, int64_t user_id, int64_t project_id,
                           unsigned *out)
{
    struct query *q = query(c, access_text[ACCESS_PERSON]);
    struct found f;

    *out = 0;
    bind_int(q, 1, user_id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    bool is_admin = col_int(q, 0) != 0;
    query_done(q);
    e = add_up(c, user_id, ACCESS_PROJECT, project_id, &f);
    *out = f.is_there && is_admin ? MAY_EVERYTHING : f.rights;
    return e;
}

enum err access_program(struct ctx *c, int64_t program_id, unsigned *out)
{
    struct found f;
    enum err e = look(c, ACCESS_PROGRAM, program_id, &f);

    *out = f.rights;
    return e;
}

enum err access_ticket(struct ctx *c, int64_t ticket_id, unsigned *out)
{
    struct found f;
    enum err e = look(c, ACCESS_TICKET, ticket_id, &f);

    *out = f.rights;
    return e;
}

enum err access_tenant(struct ctx *c, unsigned *out)
{
    struct query *q = query(c, access_text[ACCESS_TENANT]);
    enum err e;

    *out = 0;
    if (c->actor->limit_token_id)
        return OK;
    if (c->actor->is_admin)
        *out = of_admin(c) | MAY_ADMINISTER;
    bind_int(q, 2, c->actor->user_id);
    while (query_next(c, q, &e))
        *out |= (unsigned)col_int(q, 0);
    *out = access_settle(*out);
    return e;
}

/* ---- the route table's right column ---- */

enum object { ON_NOTHING, ON_PROGRAM, ON_PROJECT, ON_TICKET };

static const struct {
    enum object object;
    unsigned view; /* without it the object may not be known to exist */
    unsigned any;  /* one of these is needed */
} needs[] = {
    [RIGHT_PROGRAM_VIEW] = {ON_PROGRAM, MAY_PROGRAM_VIEW, MAY_PROGRAM_VIEW},
    [RIGHT_PROGRAM_ADD] = {ON_PROGRAM, MAY_PROGRAM_VIEW, MAY_PROGRAM_ADD},
    [RIGHT_PROGRAM_EDIT] = {ON_PROGRAM, MAY_PROGRAM_VIEW, MAY_PROGRAM_EDIT},
    [RIGHT_PROGRAM_DELETE] = {ON_PROGRAM, MAY_PROGRAM_VIEW, MAY_PROGRAM_DELETE},
    [RIGHT_PROJECT_VIEW] = {ON_PROJECT, MAY_PROJECT_VIEW, MAY_PROJECT_VIEW},
    [RIGHT_PROJECT_EDIT] = {ON_PROJECT, MAY_PROJECT_VIEW, MAY_PROJECT_EDIT},
    [RIGHT_PROJECT_DELETE] = {ON_PROJECT, MAY_PROJECT_VIEW, MAY_PROJECT_DELETE},
    [RIGHT_MEMBER_EDIT] = {ON_PROJECT, MAY_PROJECT_VIEW, MAY_MEMBER_EDIT},
    [RIGHT_PROGRAM_MEMBER_EDIT] = {ON_PROGRAM, MAY_PROGRAM_VIEW,
                                   MAY_MEMBER_EDIT},
    [RIGHT_PROJECT_TICKET_VIEW] = {ON_PROJECT, MAY_PROJECT_VIEW,
                                   MAY_TICKET_VIEW},
    [RIGHT_PROJECT_TICKET_ADD] = {ON_PROJECT, MAY_PROJECT_VIEW, MAY_TICKET_ADD},
    [RIGHT_PROJECT_TICKET_EDIT] = {ON_PROJECT, MAY_PROJECT_VIEW,
                                   MAY_TICKET_ADD | MAY_TICKET_EDIT |
                                       MAY_TICKET_EDIT_OWN},
    [RIGHT_TICKET_VIEW] = {ON_TICKET, MAY_TICKET_VIEW, MAY_TICKET_VIEW},
    [RIGHT_TICKET_EDIT] = {ON_TICKET, MAY_TICKET_VIEW, MAY_TICKET_EDIT},
    [RIGHT_TICKET_DELETE] = {ON_TICKET, MAY_TICKET_VIEW, MAY_TICKET_DELETE},
    [RIGHT_TICKET_ATTACH] = {ON_TICKET, MAY_TICKET_VIEW,
                             MAY_COMMENT | MAY_TICKET_EDIT},
    [RIGHT_TICKET_COMMENT] = {ON_TICKET, MAY_TICKET_VIEW, MAY_COMMENT},
};

static enum err denied(struct ctx *c)
{
    return ctx_fail(c, ERR_DENIED, "", "denied", "この操作の権限がありません",
                    "You may not do this");
}

static enum err not_there(struct ctx *c)
{
    return ctx_fail(c, ERR_NOT_FOUND, "", "not_found", "見つかりません",
                    "Not found");
}

static enum err judge(struct ctx *c, const struct found *f, unsigned view,
                      unsigned any)
{
    if (!(f->rights & view)) /* settled: a ticket's says its project's too */
        return not_there(c);
    if (!(f->rights & any))
        return denied(c);
    if (f->is_archived && (any & CHANGES_TICKETS))
        return ctx_fail(c, ERR_CONFLICT, "", "archived",
                        "アーカイブされたプロジェクトは変更できません",
                        "An archived project cannot be changed");
    return OK;
}

static enum err check_object(struct ctx *c, enum object object, unsigned view,
                             unsigned any, int64_t id)
{
    static const int texts[] = {
        [ON_PROGRAM] = ACCESS_PROGRAM,
        [ON_PROJECT] = ACCESS_PROJECT,
        [ON_TICKET] = ACCESS_TICKET,
    };
    struct found f;

    must(object != ON_NOTHING);
    if (id == 0)
        return not_there(c);
    enum err e = look(c, texts[object], id, &f);
    return e ? e : judge(c, &f, view, any);
}

enum err access_need_master(struct ctx *c)
{
    return c->actor->is_admin && !c->actor->limit_token_id ? OK : denied(c);
}

enum err access_need_top(struct ctx *c, const char *field, unsigned permission)
{
    unsigned rights;
    enum err e = access_tenant(c, &rights);

    if (e || (rights & permission))
        return e;
    return ctx_fail(c, ERR_DENIED, field, "denied",
                    "最上位に置くには、テナント全体への権限が必要です",
                    "Putting it at the top takes a grant on the whole tenant");
}

enum err access_has_somewhere(struct ctx *c, unsigned permission, bool *out)
{
    *out = !c->actor->limit_token_id && c->actor->is_admin;
    if (c->actor->limit_token_id || *out)
        return OK;
    struct query *q = query(c, access_text[ACCESS_SOMEWHERE]);
    bind_int(q, 1, c->actor->user_id);
    bind_int(q, 2, permission);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = col_int(q, 0) != 0;
    query_done(q);
    return OK;
}

enum err access_need_somewhere(struct ctx *c, unsigned permission)
{
    bool has;
    enum err e = access_has_somewhere(c, permission, &has);

    return e || has ? e : denied(c);
}

enum err access_sees_addresses(struct ctx *c, unsigned rights, bool *out)
{
    *out = rights & MAY_ADMINISTER;
    return *out ? OK : access_has_somewhere(c, MAY_MEMBER_EDIT, out);
}

enum err access_is_above(struct ctx *c, int64_t user_id, bool *out)
{
    *out = false;
    if (c->actor->is_admin || user_id == c->actor->user_id ||
        c->actor->user_id == 0) /* 0: the system */
        return OK;
    struct query *q = query(c, access_text[ACCESS_AREAS]);
    bind_int(q, 1, user_id);
    bind_int(q, 2, MAY_ADMINISTER);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? not_there(c) : e;
    *out = col_int(q, 0) != 0;
    query_done(q);
    return OK;
}

enum err access_need_over(struct ctx *c, int64_t user_id)
{
    bool is_above;
    enum err e = access_is_above(c, user_id, &is_above);

    if (e || !is_above)
        return e;
    return ctx_fail(c, ERR_DENIED, "", "admin_only",
                    "管理の権限を持つ人を扱えるのはマスター管理者だけです",
                    "Only a master administrator may do this to somebody who"
                    " administers");
}

static enum err check_area(struct ctx *c, unsigned area)
{
    unsigned rights;
    enum err e = access_tenant(c, &rights);

    return e ? e : rights & area ? OK : denied(c);
}

enum err access_check(struct ctx *c, enum right right, int64_t object_id)
{
    if (right == RIGHT_ANYONE || right == RIGHT_HALF)
        return OK;
    if (right == RIGHT_NONE || (size_t)right >= COUNT(needs))
        return denied(c);
    if (c->actor->user_id == 0)
        return ctx_fail(c, ERR_AUTH, "", "session", "サインインしてください",
                        "Please sign in");
    if (right == RIGHT_SIGNED_IN)
        return OK;
    if (right == RIGHT_ADMIN)
        return access_need_master(c);
    if (right >= RIGHT_ADMIN_USERS && right <= RIGHT_ADMIN_LOG)
        return check_area(c, MAY_ADMIN_USERS << (right - RIGHT_ADMIN_USERS));
    return check_object(c, needs[right].object, needs[right].view,
                        needs[right].any, object_id);
}

enum err access_need_project(struct ctx *c, int64_t project_id,
                             unsigned permission)
{
    return check_object(c, ON_PROJECT, MAY_PROJECT_VIEW, permission,
                        project_id);
}

enum err access_need_program(struct ctx *c, int64_t program_id,
                             unsigned permission)
{
    return check_object(c, ON_PROGRAM, MAY_PROGRAM_VIEW, permission,
                        program_id);
}

/* ---- many objects at once ---- */

struct held { /* rights on a program or project, ordered by id */
    int64_t id;
    unsigned rights;
    int64_t parent_id;
    bool is_done; /* those from above are in */
};

struct access_map {
    unsigned everywhere;
    struct held *programs, *projects;
    size_t program_count, project_count;
};

static struct held *find_held(struct held *list, size_t count, int64_t id)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (list[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < count && list[low].id == id ? &list[low] : NULL;
}

static enum err load_programs(struct ctx *c, struct access_map *m)
{
    struct query *q = query(c, access_text[ACCESS_PROGRAMS]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct held h = {.id = col_int(q, 0), .parent_id = col_int(q, 1)};
        buf_put(&rows, &h, sizeof h);
    }
    m->programs = (void *)rows.data;
    m->program_count = rows.len / sizeof *m->programs;
    return e;
}

/* Grants come ordered by project, those on programs and the tenant first. */
static enum err load_grants(struct ctx *c, struct access_map *m)
{
    struct query *q = query(c, access_text[ACCESS_GRANTS]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, c->actor->user_id);
    while (query_next(c, q, &e)) {
        int64_t program_id = col_int(q, 0);
        struct held h = {.id = col_int(q, 1),
                         .rights = (unsigned)col_int(q, 2) & MAY_EVERYTHING};
        struct held *at = find_held(m->programs, m->program_count, program_id);
        if (at)
            at->rights |= h.rights;
        else if (h.id)
            buf_put(&rows, &h, sizeof h);
        else if (!program_id)
            m->everywhere |= h.rights;
    }
    m->projects = (void *)rows.data;
    m->project_count = rows.len / sizeof *m->projects;
    return e;
}

static unsigned pass_down(struct access_map *m, struct held *h, int depth)
{
    if (!h->is_done && depth < 16) {
        struct held *above =
            find_held(m->programs, m->program_count, h->parent_id);
        h->is_done = true;
        if (above)
            h->rights |= pass_down(m, above, depth + 1);
    }
    return h->rights;
}

enum err access_map_load(struct ctx *c, const struct access_map **out)
{
    struct access_map *m = arena_new(c->mem, struct access_map);
    enum err e = load_programs(c, m);

    if (!e)
        e = load_grants(c, m);
    for (size_t i = 0; i < m->program_count && !e; i++)
        (void)pass_down(m, &m->programs[i], 0);
    m->everywhere |= of_admin(c);
    *out = m;
    return e;
}

static unsigned of_program(const struct access_map *m, int64_t program_id)
{
    const struct held *h = find_held(m->programs, m->program_count, program_id);

    return m->everywhere | (h ? h->rights : 0);
}

unsigned access_map_program(const struct access_map *m, int64_t program_id)
{
    return access_settle(of_program(m, program_id));
}

unsigned access_map_project(const struct access_map *m, int64_t project_id,
                            int64_t program_id)
{
    const struct held *h = find_held(m->projects, m->project_count, project_id);
    unsigned rights = of_program(m, program_id);

    /* several grants on one project (of one's own, of groups) stand together */
    while (h && h > m->projects && h[-1].id == project_id)
        h--;
    for (; h && h < m->projects + m->project_count && h->id == project_id; h++)
        rights |= h->rights;
    return access_settle(rights);
}

enum err access_check_user(struct ctx *c, const char *field, int64_t user_id)
{
    if (user_id == 0)
        return OK;
    struct query *q = query(c, access_text[ACCESS_USER]);
    bind_int(q, 1, user_id);
    enum err e = query_one(c, q);
    query_done(q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, ERR_INVALID, field, "user",
                        "ユーザーが見つかりません", "No such person");
    return e;
}

const char *const permission_words[] = {
    "program_view",    "program_add",    "program_edit",
    "program_delete",  "project_view",   "project_add",
    "project_edit",    "project_delete", "ticket_view",
    "ticket_add",      "ticket_edit",    "ticket_delete",
    "ticket_edit_own", "comment",        "member_edit",
    "admin_users",     "admin_access",   "admin_master",
    "admin_security",  "admin_log",      NULL,
};

void access_put_rights(struct json_out *o, const char *name, unsigned rights)
{
    json_open(o, name, '[');
    for (size_t i = 0; permission_words[i]; i++)
        if (rights & (1u << i))
            json_text(o, NULL, permission_words[i]);
    json_close(o, ']');
}
