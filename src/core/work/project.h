/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_PROJECT_H
#define CORE_WORK_PROJECT_H

#include "base/civil.h"
#include "base/form.h"

#include <stddef.h>

/* A project belongs to one program or none. */
enum approach { APPROACH_WATERFALL, APPROACH_AGILE };

struct project {
    int64_t id, program_id, manager_id, calendar_id; /* 0: the tenant's */
    const char *key, *name, *details, *manager_name;
    enum approach approach;
    int32_t start_day, end_day;
    bool is_archived, auto_dates, auto_parent;
    int64_t revision, version;
    /* In project_get: ids, and names in one text, NULL for none. */
    const int64_t *labels, *teams;
    size_t label_count, team_count;
    const char *label_names, *team_names;
    const char *calendar_name; /* NULL: the tenant's */
    bool has_own_calendar;
    unsigned rights; /* the actor's */
    /* In lists and project_get: counted over its tickets. */
    int64_t tickets, done, late, progress, members;
};

extern const struct form project_form;      /* create */
extern const struct form project_edit_form; /* all optional, no key */
extern const char *const approach_words[];

/* What the actor may see, by name. */
MUST_USE enum err project_list(struct ctx *c, const struct project **out,
                               size_t *count);
MUST_USE enum err project_get(struct ctx *c, int64_t id, struct project *out);
/* Without the counts. */
MUST_USE enum err project_get_plain(struct ctx *c, int64_t id,
                                    struct project *out);
/* Whether the actor may put a project there; 0: at the top. */
MUST_USE enum err project_check_program(struct ctx *c, int64_t program_id);
MUST_USE enum err project_create(struct ctx *c, const struct values *v,
                                 struct project *out);
MUST_USE enum err project_update(struct ctx *c, int64_t id, int64_t version,
                                 const struct values *v, struct project *out);
/* Into the bin, tickets and all. */
MUST_USE enum err project_delete(struct ctx *c, int64_t id, int64_t version);
/* Its own calendar, 0 goes back to the tenant's. */
MUST_USE enum err project_set_calendar(struct ctx *c, int64_t id,
                                       int64_t calendar_id);

#endif
