/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MEMBER_H
#define CORE_MEMBER_H

#include "base/value.h"

#include <stddef.h>

/* Who works where, in which role.  Members of a program are members of
 * everything below it. */
enum member_of { MEMBER_OF_PROGRAM, MEMBER_OF_PROJECT };

struct member {
    int64_t user_id, role_id;
    const char *user_name, *user_email, *role_key;
    int64_t from_id; /* program it is inherited from, 0: granted here */
    const char *from_name;
};

extern const struct form member_form; /* role */

MUST_USE enum err member_list(struct ctx *c, enum member_of of, int64_t id,
                              const struct member **out, size_t *count);
/* Grants the role, or changes it.  Nobody gives or takes a role that may do
 * more than they may themselves: ERR_DENIED "role_above". */
MUST_USE enum err member_put(struct ctx *c, enum member_of of, int64_t id,
                             int64_t user_id, const char *role_key);
MUST_USE enum err member_delete(struct ctx *c, enum member_of of, int64_t id,
                                int64_t user_id);
/* The manager role for whoever is made manager and has no grant there, where
 * the actor may give it. */
MUST_USE enum err member_add_manager(struct ctx *c, enum member_of of,
                                     int64_t id, int64_t user_id);

#endif
