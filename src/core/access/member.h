/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCESS_MEMBER_H
#define CORE_ACCESS_MEMBER_H

#include "base/form.h"

#include <stddef.h>

/* Who works where, in which role.  Members of a program are members of
 * everything below it, those of the tenant of everything. */
enum member_of { MEMBER_OF_PROGRAM, MEMBER_OF_PROJECT, MEMBER_OF_TENANT };

/* Where a grant stands; id is 0 for the tenant. */
struct member_place {
    enum member_of of;
    int64_t id;
};

/* principal: a user's id, or minus a permission group's. */
struct member {
    int64_t principal, role_id;
    const char *name, *email; /* email NULL: a group, or not for the actor */
    int64_t size;             /* of the group */
    const char *role_key;
    bool is_inherited;     /* from a program above, or from the tenant */
    int64_t from_id;       /* that program, where the actor may see it */
    const char *from_name; /* NULL: from something the actor may not see */
};

extern const struct form member_form; /* role */

MUST_USE enum err member_list(struct ctx *c, struct member_place at,
                              const struct member **out, size_t *count);
/* Grants the role, or changes it; it is named by its id or its key.  Nobody
 * gives or takes a role that may do more than they may themselves (ERR_DENIED
 * "role_above"); on the tenant that holds for areas of administration, which
 * no role brings anywhere else (ERR_INVALID "role_area"). */
MUST_USE enum err member_put(struct ctx *c, struct member_place at,
                             int64_t principal, const char *id_or_key);
MUST_USE enum err member_delete(struct ctx *c, struct member_place at,
                                int64_t principal);
/* Grants at a place what the principal held there from above, whatever the
 * actor may give: nobody gains by it (move.c). */
MUST_USE enum err member_keep(struct ctx *c, struct member_place at,
                              int64_t principal, const char *role_key);
/* The manager role for whoever is made manager and has no grant there, where
 * the actor may give it. */
MUST_USE enum err member_add_manager(struct ctx *c, struct member_place at,
                                     int64_t user_id);

/* Of who is deleted: grants, groups and tokens, without a row for each. */
MUST_USE enum err member_forget(struct ctx *c, int64_t user_id);

#endif
