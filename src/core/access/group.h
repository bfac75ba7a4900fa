/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCESS_GROUP_H
#define CORE_ACCESS_GROUP_H

#include "base/form.h"

#include <stddef.h>

/* Permission groups: people that roles are granted to together.  A group that
 * administers anything is a master administrator's to change. */
struct group {
    int64_t id, version, members, grants;
    const char *name, *details;
};

struct group_member {
    int64_t user_id;
    const char *name, *email;
    int state; /* enum user_state */
};

extern const struct form group_form;         /* name details */
extern const struct form group_edit_form;    /* the same, optional */
extern const struct form group_members_form; /* users: ids to add */

/* By name; q: part of it, or NULL; after: id of the last one seen. */
MUST_USE enum err group_list(struct ctx *c, const char *q, int64_t after,
                             int limit, const struct group **out, size_t *count,
                             bool *more);
MUST_USE enum err group_get(struct ctx *c, int64_t id, struct group *out);
MUST_USE enum err group_create(struct ctx *c, const struct values *v,
                               struct group *out);
MUST_USE enum err group_update(struct ctx *c, int64_t id, int64_t version,
                               const struct values *v, struct group *out);
/* One that holds grants: ERR_CONFLICT "in_use", whose reply says where
 * (detail uses), unless they are to go with it. */
MUST_USE enum err group_delete(struct ctx *c, int64_t id, int64_t version,
                               bool with_grants);

MUST_USE enum err group_members(struct ctx *c, int64_t id, int64_t after,
                                int limit, const struct group_member **out,
                                size_t *count, bool *more);
/* Those that are in already stay. */
MUST_USE enum err group_add_members(struct ctx *c, int64_t id,
                                    const struct values *v, struct group *out);
MUST_USE enum err group_remove_member(struct ctx *c, int64_t id,
                                      int64_t user_id);

#endif
