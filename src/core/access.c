/* SPDX-License-Identifier: Apache-2.0 */
/* Rights come from grants on the object itself and on every program above it;
 * they add up.  One statement finds the object, its state and all grants that
 * reach it: its first row is about the object, every further one a grant, so
 * "no row" and "no grant" both read as not found. */
#include "core/access.h"

#include "core/core.h"

#define UP                                                                     \
    " UNION ALL SELECT p.parent_id, up.depth + 1 FROM up"                      \
    " JOIN program p ON p.id = up.id"                                          \
    " WHERE p.parent_id IS NOT NULL AND up.depth < 10)"
#define FROM_PROGRAMS                                                          \
    " UNION ALL SELECT r.rights, 0, 0 FROM up JOIN access a"                   \
    " ON a.user_id = ?2 AND a.program_id = up.id"                              \
    " JOIN role r ON r.id = a.role_id"

enum { ACCESS_PROJECT, ACCESS_PROGRAM, ACCESS_TICKET, ACCESS_GRANTS };
static const char *const access_text[] = {
    [ACCESS_PROJECT] =
        "WITH RECURSIVE up(id, depth) AS (SELECT program_id, 1 FROM project"
        " WHERE id = ?1 AND program_id IS NOT NULL" UP
        " SELECT 0, state, 0 FROM project"
        " WHERE id = ?1 AND deleted_at IS NULL"
        " UNION ALL SELECT r.rights, 0, 0 FROM access a"
        " JOIN role r ON r.id = a.role_id"
        " WHERE a.user_id = ?2 AND a.project_id = ?1" FROM_PROGRAMS,
    [ACCESS_PROGRAM] =
        "WITH RECURSIVE up(id, depth) AS (SELECT id, 1 FROM program"
        " WHERE id = ?1" UP " SELECT 0, state, 0 FROM program"
        " WHERE id = ?1 AND deleted_at IS NULL" FROM_PROGRAMS,
    [ACCESS_TICKET] =
        "WITH RECURSIVE it(project_id, own) AS (SELECT t.project_id,"
        " t.reporter_id IS ?2 OR EXISTS (SELECT 1 FROM ticket_assignee x"
        " WHERE x.ticket_id = t.id AND x.user_id = ?2) FROM ticket t"
        " WHERE t.id = ?1 AND t.deleted_at IS NULL),"
        " up(id, depth) AS (SELECT p.program_id, 1 FROM it JOIN project p"
        " ON p.id = it.project_id WHERE p.program_id IS NOT NULL" UP
        " SELECT 0, p.state, it.own FROM it JOIN project p"
        " ON p.id = it.project_id WHERE p.deleted_at IS NULL"
        " UNION ALL SELECT r.rights, 0, 0 FROM it JOIN access a"
        " ON a.user_id = ?2 AND a.project_id = it.project_id"
        " JOIN role r ON r.id = a.role_id" FROM_PROGRAMS,
    [ACCESS_GRANTS] =
        "SELECT coalesce(a.program_id, 0), coalesce(a.project_id, 0), r.rights"
        " FROM access a JOIN role r ON r.id = a.role_id WHERE a.user_id = ?1"
        " AND a.program_id IS NOT NULL"
        " UNION ALL SELECT coalesce(a.program_id, 0), a.project_id, r.rights"
        " FROM access a JOIN role r ON r.id = a.role_id WHERE a.user_id = ?1"
        " AND a.project_id IS NOT NULL",
};
const struct query_set access_queries = {"access", access_text,
                                         COUNT(access_text)};

struct found {
    bool is_there, is_archived, is_own;
    unsigned rights;
};

static enum err look(struct ctx *c, const char *text, int64_t id,
                     struct found *out)
{
    struct query *q = query(c, text);
    enum err e;

    *out = (struct found){0};
    bind_int(q, 1, id);
    bind_int(q, 2, c->actor->user_id);
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
    else if (c->actor->is_admin)
        out->rights = MAY_EVERYTHING;
    else if (out->is_own && (out->rights & MAY_TICKET_EDIT_OWN))
        out->rights |= MAY_TICKET_EDIT;
    return e;
}

enum err access_project(struct ctx *c, int64_t project_id, unsigned *out)
{
    struct found f;
    enum err e = look(c, access_text[ACCESS_PROJECT], project_id, &f);

    *out = f.rights;
    return e;
}

enum err access_program(struct ctx *c, int64_t program_id, unsigned *out)
{
    struct found f;
    enum err e = look(c, access_text[ACCESS_PROGRAM], program_id, &f);

    *out = f.rights;
    return e;
}

enum err access_ticket(struct ctx *c, int64_t ticket_id, unsigned *out)
{
    struct found f;
    enum err e = look(c, access_text[ACCESS_TICKET], ticket_id, &f);

    *out = f.rights;
    return e;
}

/* ---- the route table's right column ---- */

enum object { ON_NOTHING, ON_PROGRAM, ON_PROJECT, ON_TICKET };

#define CHANGES_TICKETS                                                        \
    (MAY_TICKET_ADD | MAY_TICKET_EDIT | MAY_TICKET_DELETE |                    \
     MAY_TICKET_EDIT_OWN | MAY_COMMENT)

static const struct {
    enum object object;
    unsigned view; /* without it the object may not be known to exist */
    unsigned any;  /* one of these is needed */
} needs[] = {
    [RIGHT_PROGRAM_VIEW] = {ON_PROGRAM, MAY_PROGRAM_VIEW, MAY_PROGRAM_VIEW  },
    [RIGHT_PROGRAM_ADD] = {ON_PROGRAM, MAY_PROGRAM_VIEW, MAY_PROGRAM_ADD   },
    [RIGHT_PROGRAM_EDIT] = {ON_PROGRAM, MAY_PROGRAM_VIEW, MAY_PROGRAM_EDIT  },
    [RIGHT_PROGRAM_DELETE] = {ON_PROGRAM, MAY_PROGRAM_VIEW, MAY_PROGRAM_DELETE},
    [RIGHT_PROJECT_VIEW] = {ON_PROJECT, MAY_PROJECT_VIEW, MAY_PROJECT_VIEW  },
    [RIGHT_PROJECT_EDIT] = {ON_PROJECT, MAY_PROJECT_VIEW, MAY_PROJECT_EDIT  },
    [RIGHT_PROJECT_DELETE] = {ON_PROJECT, MAY_PROJECT_VIEW, MAY_PROJECT_DELETE},
    [RIGHT_MEMBER_EDIT] = {ON_PROJECT, MAY_PROJECT_VIEW, MAY_MEMBER_EDIT   },
    [RIGHT_PROGRAM_MEMBER_EDIT] = {ON_PROGRAM, MAY_PROGRAM_VIEW,
                            MAY_MEMBER_EDIT                                 },
    [RIGHT_PROJECT_TICKET_VIEW] = {ON_PROJECT, MAY_PROJECT_VIEW,
                            MAY_TICKET_VIEW                                 },
    [RIGHT_PROJECT_TICKET_ADD] = {ON_PROJECT, MAY_PROJECT_VIEW, MAY_TICKET_ADD    },
    [RIGHT_PROJECT_TICKET_EDIT] = {ON_PROJECT, MAY_PROJECT_VIEW,
                            MAY_TICKET_ADD | MAY_TICKET_EDIT |
                                       MAY_TICKET_EDIT_OWN                  },
    [RIGHT_TICKET_VIEW] = {ON_TICKET,  MAY_TICKET_VIEW,  MAY_TICKET_VIEW   },
    [RIGHT_TICKET_EDIT] = {ON_TICKET,  MAY_TICKET_VIEW,  MAY_TICKET_EDIT   },
    [RIGHT_TICKET_DELETE] = {ON_TICKET,  MAY_TICKET_VIEW,  MAY_TICKET_DELETE },
    [RIGHT_TICKET_COMMENT] = {ON_TICKET,  MAY_TICKET_VIEW,  MAY_COMMENT       },
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
    if (!(f->rights & view))
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
    enum err e = look(c, access_text[texts[object]], id, &f);
    return e ? e : judge(c, &f, view, any);
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
    if (right >= RIGHT_ADMIN && right <= RIGHT_ADMIN_LOG)
        return c->actor->is_admin ? OK : denied(c);
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

enum err access_list_grants(struct ctx *c, const struct grant **out,
                            size_t *count)
{
    struct query *q = query(c, access_text[ACCESS_GRANTS]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, c->actor->user_id);
    while (query_next(c, q, &e)) {
        struct grant g = {.program_id = col_int(q, 0),
                          .project_id = col_int(q, 1),
                          .rights = (unsigned)col_int(q, 2)};
        buf_put(&rows, &g, sizeof g);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

void access_put_rights(struct json_out *o, const char *name, unsigned rights)
{
    static const char *const words[] = {
        "program_view",    "program_add", "program_edit", "program_delete",
        "project_view",    "project_add", "project_edit", "project_delete",
        "ticket_view",     "ticket_add",  "ticket_edit",  "ticket_delete",
        "ticket_edit_own", "comment",     "member_edit",
    };

    json_open(o, name, '[');
    for (size_t i = 0; i < COUNT(words); i++)
        if (rights & (1u << i))
            json_text(o, NULL, words[i]);
    json_close(o, ']');
}
