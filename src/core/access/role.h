/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCESS_ROLE_H
#define CORE_ACCESS_ROLE_H

#include "base/form.h"
#include "base/json.h"

#include <stddef.h>

/* Roles: what a grant gives.  Those of the product are fixed; a tenant adds
 * its own.  Areas of administration in a role count only where it is granted
 * on the whole tenant, and only a master administrator deals with such roles. */
struct role {
    int64_t id, version, uses; /* uses: grants that name it */
    const char *key, *ja, *en, *details;
    unsigned rights;
    bool is_system;
};

extern const struct form role_form;      /* ja en details rights */
extern const struct form role_edit_form; /* the same, all optional */

MUST_USE enum err role_list(struct ctx *c, const struct role **out,
                            size_t *count);
MUST_USE enum err role_get(struct ctx *c, int64_t id, struct role *out);
/* ERR_NOT_FOUND, not recorded. */
MUST_USE enum err role_find(struct ctx *c, const char *key, struct role *out);
/* As a value of a request: "12" or "manager"; ERR_INVALID "role". */
MUST_USE enum err role_find_named(struct ctx *c, const char *id_or_key,
                                  struct role *out);

/* Changes nothing it does not see, and permits something. */
bool role_is_sound(unsigned rights);

/* ERR_INVALID "needs_view": a permission to change what one may not see;
 * "empty": no permission at all.  ERR_CONFLICT "name_taken". */
MUST_USE enum err role_create(struct ctx *c, const struct values *v,
                              struct role *out);
/* ERR_CONFLICT "system_role". */
MUST_USE enum err role_update(struct ctx *c, int64_t id, int64_t version,
                              const struct values *v, struct role *out);
/* ERR_CONFLICT "in_use" while a grant names it. */
MUST_USE enum err role_delete(struct ctx *c, int64_t id, int64_t version);

void role_put_json(struct json_out *o, const char *name, const struct role *r);

#endif
