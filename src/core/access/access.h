/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCESS_ACCESS_H
#define CORE_ACCESS_ACCESS_H

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
    MAY_EVERYTHING = (1 << 15) - 1, /* with objects */
    MAY_LOOK = MAY_PROGRAM_VIEW | MAY_PROJECT_VIEW | MAY_TICKET_VIEW,
    MAY_ADMIN_USERS = 1 << 15,  /* areas of the tenant's administration; */
    MAY_ADMIN_ACCESS = 1 << 16, /* they count in grants on the tenant */
    MAY_ADMIN_MASTER = 1 << 17,
    MAY_ADMIN_SECURITY = 1 << 18,
    MAY_ADMIN_LOG = 1 << 19,
    MAY_ADMINISTER = MAY_ADMIN_USERS | MAY_ADMIN_ACCESS | MAY_ADMIN_MASTER |
                     MAY_ADMIN_SECURITY | MAY_ADMIN_LOG,
    MAY_ANYTHING = MAY_EVERYTHING | MAY_ADMINISTER,
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
    RIGHT_TICKET_ATTACH, /* who may comment on it, or edit it */
    RIGHT_TICKET_COMMENT,
    RIGHT_PROGRAM_MEMBER_EDIT, /* RIGHT_MEMBER_EDIT is of projects */
    RIGHT_AUDITOR,  /* only at the operator's place: whoever signed in there */
    RIGHT_OPERATOR, /* only there, and no auditor */
};

/* What rights from several grants are worth together: nothing may be done to
 * what is not seen.  A program's count with program_view, a project's with
 * project_view, those on its tickets with ticket_view besides.  Whoever holds
 * project_view sees the project: in lists, in search and by its address. */
unsigned access_settle(unsigned rights);
/* The rules of that: what of has its worth by view alone. */
struct access_rule {
    unsigned of, view;
};
extern const struct access_rule access_rules[];
extern const size_t access_rule_count;

/* The permissions the actor has on a project (program, ticket), settled, 0 when
 * it may not know that it exists.  Administrators have all. */
MUST_USE enum err access_project(struct ctx *c, int64_t project_id,
                                 unsigned *out);
MUST_USE enum err access_program(struct ctx *c, int64_t program_id,
                                 unsigned *out);
MUST_USE enum err access_ticket(struct ctx *c, int64_t ticket_id,
                                unsigned *out);
/* Those of somebody else on a project; nobody who is deleted has any. */
MUST_USE enum err access_project_of(struct ctx *c, int64_t user_id,
                                    int64_t project_id, unsigned *out);
/* An existing, not deleted user, or 0: nobody; recorded under field. */
MUST_USE enum err access_check_user(struct ctx *c, const char *field,
                                    int64_t user_id);
/* What grants on the whole tenant give the actor: areas of administration,
 * and permissions on everything. */
MUST_USE enum err access_tenant(struct ctx *c, unsigned *out);

/* ERR_DENIED unless the actor is a master administrator. */
MUST_USE enum err access_need_master(struct ctx *c);
/* ERR_DENIED unless a grant on the whole tenant gives the permission: what
 * stands at the top has nothing above that could. */
MUST_USE enum err access_need_top(struct ctx *c, const char *field,
                                  unsigned permission);
/* Whether some grant of the actor's, anywhere, gives one of the permissions; a
 * token limited to projects is told of none. */
MUST_USE enum err access_has_somewhere(struct ctx *c, unsigned permission,
                                       bool *out);
/* ERR_DENIED unless it does. */
MUST_USE enum err access_need_somewhere(struct ctx *c, unsigned permission);
/* Whether the actor sees other people's e-mail addresses: who administers an
 * area, or gives roles somewhere and must tell namesakes apart.  rights are
 * those of access_tenant(). */
MUST_USE enum err access_sees_addresses(struct ctx *c, unsigned rights,
                                        bool *out);
/* The person administers something and the actor, somebody else, is no master
 * administrator: nobody takes over an account above their own. */
MUST_USE enum err access_is_above(struct ctx *c, int64_t user_id, bool *out);
/* ERR_DENIED "admin_only" when so. */
MUST_USE enum err access_need_over(struct ctx *c, int64_t user_id);

/* For the dispatcher: OK, ERR_AUTH, ERR_DENIED or ERR_NOT_FOUND (recorded). */
MUST_USE enum err access_check(struct ctx *c, enum right right,
                               int64_t object_id);

/* The same for core's own checks on further objects of a request. */
MUST_USE enum err access_need_project(struct ctx *c, int64_t project_id,
                                      unsigned permission);

/* The same for a program. */
MUST_USE enum err access_need_program(struct ctx *c, int64_t program_id,
                                      unsigned permission);

/* The actor's permissions on many objects at once: two statements, however
 * many there are. */
struct access_map;
MUST_USE enum err access_map_load(struct ctx *c, const struct access_map **out);
unsigned access_map_program(const struct access_map *m, int64_t program_id);
/* program_id: the project's, or 0. */
unsigned access_map_project(const struct access_map *m, int64_t project_id,
                            int64_t program_id);

/* The words of the permissions, by bit; "ticket_edit". */
extern const char *const permission_words[];
/* Those of rights as a JSON array. */
void access_put_rights(struct json_out *o, const char *name, unsigned rights);

/* SQL: whom grants may name to reach a user: the user and, negative, the
 * user's groups.  For "WITH " ACCESS_ME("?1"). */
#define ACCESS_ME(user)                                                        \
    "me(p) AS (SELECT " user " UNION ALL SELECT -group_id FROM group_member"   \
    " WHERE user_id = " user ")"

/* SQL: what grants of user ?1 hold of some permissions (bits, in digits): each
 * in mine, those on programs and all below in granted; the columns has add up.
 * A grant on the whole tenant is a row of mine without any object.  For
 * "WITH RECURSIVE " ACCESS_GRANTED("1"). */
#define ACCESS_GRANTED(bits)                                                   \
    ACCESS_ME("?1")                                                            \
    ", mine(program_id, project_id, has) AS (SELECT a.program_id,"             \
    " a.project_id, r.rights & " bits " FROM me JOIN access a"                 \
    " ON a.principal = me.p JOIN role r ON r.id = a.role_id"                   \
    " WHERE r.rights & " bits "),"                                             \
    " granted(id, has) AS (SELECT program_id, has FROM mine WHERE program_id"  \
    " IS NOT NULL UNION SELECT p.id, g.has FROM granted g JOIN program p"      \
    " ON p.parent_id = g.id)"

/* SQL: the projects on which user ?1 holds all of the bits, of those two: what
 * access_settle() says, in a statement. */
#define ACCESS_VISIBLE(bits)                                                   \
    ACCESS_GRANTED(bits)                                                       \
    ", reached(id, has) AS (SELECT project_id, has FROM mine WHERE project_id" \
    " IS NOT NULL UNION SELECT p.id, g.has FROM granted g JOIN project p"      \
    " ON p.program_id = g.id UNION SELECT p.id, has FROM mine CROSS JOIN"      \
    " project p WHERE coalesce(mine.program_id, mine.project_id) IS NULL),"    \
    " visible(id) AS (SELECT id FROM reached GROUP BY id"                      \
    " HAVING max(has & 16) + max(has & 256) = " bits ")"

/* The projects user ?1 sees, and those whose tickets; unless the statement lets
 * an administrator see all.  For "WITH RECURSIVE " ACCESS_SEEN_PROJECTS. */
#define ACCESS_SEEN_PROJECTS ACCESS_VISIBLE("16")
#define ACCESS_SEEN_TICKETS  ACCESS_VISIBLE("272")

#endif
