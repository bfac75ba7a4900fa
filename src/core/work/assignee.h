/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_ASSIGNEE_H
#define CORE_WORK_ASSIGNEE_H

#include "base/ctx.h"

#include <stddef.h>

/* Who may be named on a project's tickets, as assignee or in a field of the
 * kind "user": whoever sees them. */
struct assignee {
    int64_t id;
    const char *name, *email; /* email NULL: not for the actor */
};

struct assignee_filter {
    const char *q;     /* part of the name, or of an address one may see */
    int64_t after_id;  /* the last one of the page before */
    int limit;         /* 0: all of them */
    bool with_present; /* also who is assigned there and sees it no more */
    bool
        for_matching; /* addresses too: to find who a file names, not to show */
};

/* By name, people who are invited or active. */
MUST_USE enum err assignee_list(struct ctx *c, int64_t project_id,
                                const struct assignee_filter *f,
                                const struct assignee **out, size_t *count,
                                bool *more);
MUST_USE enum err assignee_is_one(struct ctx *c, int64_t project_id,
                                  int64_t user_id, bool *out);
/* "name (#id)": tells namesakes apart where addresses are not shown. */
const char *assignee_unique_name(struct ctx *c, const char *name, int64_t id);

#endif
