/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_PLAN_VIEW_H
#define CORE_WORK_PLAN_VIEW_H

#include "base/json.h"

/* The plan of a project as the Gantt takes it: rows as arrays, written
 * straight from the columns. */

/* The whole object: the project, columns, rows depth first, links, people,
 * calendar.  since >= 0: only what changed after that revision, in any order,
 * without columns' calendar. */
MUST_USE enum err plan_view_write(struct ctx *c, int64_t project_id,
                                  int64_t since, struct json_out *o);
/* Of a project, what its revisions after since up to until changed; since < 0:
 * all of it. */
struct plan_span {
    int64_t project_id, since, until;
};
/* The members rows, links, labels, gone, people of a span: as they are now. */
MUST_USE enum err plan_view_put_changes(struct ctx *c,
                                        const struct plan_span *s,
                                        struct json_out *o);
/* The members columns and row of one ticket. */
MUST_USE enum err plan_view_put_row(struct ctx *c, int64_t ticket_id,
                                    struct json_out *o);

#endif
