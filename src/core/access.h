/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCESS_H
#define CORE_ACCESS_H

#include "base/ctx.h"
#include "base/json.h"

/* What a role may do: bits of role.rights, add/view/edit/delete a resource. */
enum permission {
    MAY_PROGRAM_VIEW = 1 << 0,
    MAY_PROGRAM_ADD = 1 << 1,
    MAY_PROGRAM_EDIT = 1 << 2,
    MAY_PROGRAM_DELETE = 1 << 3,
    MAY_PROJECT_VIEW = 1 << 4,
    MAY_PROJECT_ADD = 1 << 5,
    MAY_PROJECT_EDIT = 1 << 6,
    MAY_PROJECT_DELETE = 1 << 7,
    MAY_TICKET_VIEW = 1 << 8,
    MAY_TICKET_ADD = 1 << 9,
    MAY_TICKET_EDIT = 1 << 10,
    MAY_TICKET_DELETE = 1 << 11,
    MAY_TICKET_EDIT_OWN = 1 << 12, /* assigned to or reported by oneself */
    MAY_COMMENT = 1 << 13,
    MAY_MEMBER_EDIT = 1 << 14,
    MAY_EVERYTHING = (1 << 15) - 1,
};

/* The rights column of the route table.  Who may call, and which object the
 * first path parameter names: the dispatcher looks up what the caller's
 * grants give on that object, in one statement, before the handler runs. */
enum right {
    RIGHT_NONE = 0,     /* nobody: the default denies */
    RIGHT_ANYONE,       /* no session asked for (sign-in, links) */
    RIGHT_HALF,         /* password given, code still owed */
    RIGHT_SIGNED_IN,    /* any fully signed-in user; core filters the rows */
    RIGHT_ADMIN,        /* master administrator */
    RIGHT_ADMIN_USERS,  /* areas of tenant administration: people */
    RIGHT_ADMIN_ACCESS, /* roles, groups, grants of the whole tenant */
    RIGHT_ADMIN_MASTER, /* labels, teams, classifications, fields, calendars */
    RIGHT_ADMIN_SECURITY, /* passwords, factors, networks, sessions */
    RIGHT_ADMIN_LOG,      /* operation and access log */
    RIGHT_PROGRAM_VIEW,
    RIGHT_PROGRAM_ADD,
    RIGHT_PROGRAM_EDIT,
    RIGHT_PROGRAM_DELETE,
    RIGHT_PROJECT_VIEW,
    RIGHT_PROJECT_EDIT,
    RIGHT_PROJECT_DELETE,
    RIGHT_MEMBER_EDIT,
    RIGHT_PROJECT_TICKET_VIEW,
    RIGHT_PROJECT_TICKET_ADD,
    RIGHT_PROJECT_TICKET_EDIT, /* :id names the project */
    RIGHT_TICKET_VIEW,
    RIGHT_TICKET_EDIT,
    RIGHT_TICKET_DELETE, /* the ticket */
    RIGHT_TICKET_COMMENT,
    RIGHT_PROGRAM_MEMBER_EDIT, /* RIGHT_MEMBER_EDIT is of projects */
};

/* The permissions the actor has on a project (program, ticket), 0 when it may
 * not know that it exists.  Administrators have all. */
MUST_USE enum err access_project(struct ctx *c, int64_t project_id,
                                 unsigned *out);
MUST_USE enum err access_program(struct ctx *c, int64_t program_id,
                                 unsigned *out);
MUST_USE enum err access_ticket(struct ctx *c, int64_t ticket_id,
                                unsigned *out);

/* For the dispatcher: OK, ERR_AUTH, ERR_DENIED or ERR_NOT_FOUND (recorded). */
MUST_USE enum err access_check(struct ctx *c, enum right right,
                               int64_t object_id);

/* The same for core's own checks on further objects of a request. */
MUST_USE enum err access_need_project(struct ctx *c, int64_t project_id,
                                      unsigned permission);

/* The same for a program. */
MUST_USE enum err access_need_program(struct ctx *c, int64_t program_id,
                                      unsigned permission);

/* Everything the actor's own grants give, for views over all projects. */
struct grant {
    int64_t program_id, project_id; /* one of them is 0 */
    unsigned rights;
};
MUST_USE enum err access_list_grants(struct ctx *c, const struct grant **out,
                                     size_t *count);

/* Permission words ("ticket_edit") as a JSON array. */
void access_put_rights(struct json_out *o, const char *name, unsigned rights);

/* SQL: the projects user ?1 sees tickets of, unless ?2 (administrator) says
 * that it is all of them.  For "WITH RECURSIVE " ACCESS_VISIBLE. */
#define ACCESS_VISIBLE                                                         \
    "granted(id) AS (SELECT a.program_id FROM access a JOIN role r"            \
    " ON r.id = a.role_id WHERE a.user_id = ?1 AND a.program_id IS NOT NULL"   \
    " AND r.rights & 256 UNION SELECT p.id FROM granted g JOIN program p"      \
    " ON p.parent_id = g.id),"                                                 \
    " visible(id) AS (SELECT a.project_id FROM access a JOIN role r"           \
    " ON r.id = a.role_id WHERE a.user_id = ?1 AND a.project_id IS NOT NULL"   \
    " AND r.rights & 256 UNION SELECT p.id FROM granted g JOIN project p"      \
    " ON p.program_id = g.id)"

#endif
