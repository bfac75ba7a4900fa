/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_SCHEDULE_H
#define CORE_WORK_SCHEDULE_H

#include "core/work/plan_edit.h"

/* After a change: successors are pushed, parents take their values from their
 * children, links that make a cycle are refused. */
struct schedule_job {
    int64_t project_id;
    const char *project_key;
    const struct catalogue *catalogue;
    bool auto_dates, auto_parent;
    int64_t revision;       /* of the rows that are written */
    const int64_t *changed; /* tickets to start from */
    size_t changed_count;
    /* Links that are new; a cycle is reported under the edit of one. */
    const struct schedule_link {
        int64_t id;
        const char *where;
    } * links;
    size_t link_count;
};

struct schedule_result {
    size_t changed; /* tickets the cascade wrote */
    const struct plan_edit_conflict *conflicts;
    size_t conflict_count;
};

/* Reads what the changed tickets can reach, calculates, writes what differs,
 * with history.  ERR_CONFLICT "cycle" with detail path:[{id,key,subject}]. */
MUST_USE enum err schedule_run(struct ctx *c, const struct schedule_job *job,
                               struct schedule_result *out);

#endif
