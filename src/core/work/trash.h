/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_TRASH_H
#define CORE_WORK_TRASH_H

#include "base/ctx.h"
#include "base/json.h"

/* What is deleted lies in the bin so long before it is gone. */
enum { TRASH_DAYS = 30 };

/* What was deleted and is not erased yet (scheduler.h says when it will be):
 * {items, next}, newest first.  after_id pages by the id of the last. */

/* Projects of the whole tenant: for master administrators, who alone know of
 * all of them. */
MUST_USE enum err trash_put_projects(struct ctx *c, int64_t after_id, int limit,
                                     struct json_out *o);
/* Back as it was; at the top level when its program is gone.  ERR_NOT_FOUND,
 * recorded. */
MUST_USE enum err trash_restore_project(struct ctx *c, int64_t id);

/* Tickets of a project; what was deleted along with its parent is not named
 * again, for it comes back with it (an edit: PLAN_EDIT_RESTORE). */
MUST_USE enum err trash_put_tickets(struct ctx *c, int64_t project_id,
                                    int64_t after_id, int limit,
                                    struct json_out *o);

#endif
