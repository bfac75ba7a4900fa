/* SPDX-License-Identifier: Apache-2.0 */
/* Labels, teams and the calendar of a project: names of master data, checked
 * where they are given. */
#include "core/work/project_mark.h"

#include "core/master/label.h"
#include "core/master/team.h"
#include "core/work/workday.h"

enum err project_load_marks(struct ctx *c, struct project *p)
{
    enum err e = label_list_of(c, LABEL_OF_PROJECT, p->id, &p->labels,
                               &p->label_count, &p->label_names);

    return e ? e
             : team_list_of_project(c, p->id, &p->teams, &p->team_count,
                                    &p->team_names);
}

enum err project_write_marks(struct ctx *c, const struct project *before,
                             const struct values *v)
{
    const int64_t *ids;
    const char *names;
    size_t count;
    enum err e = OK;

    if (values_has(v, "labels")) {
        count = values_ids(v, "labels", &ids);
        e = label_check(c, ids, count, before->labels, before->label_count,
                        &names);
        if (!e)
            e = label_write_of(c, LABEL_OF_PROJECT, before->id, ids, count);
    }
    if (!e && values_has(v, "teams")) {
        count = values_ids(v, "teams", &ids);
        e = team_write_of_project(c, before->id, ids, count, before->teams,
                                  before->team_count);
    }
    return e;
}

enum err project_follow_calendar(struct ctx *c, const struct project *before,
                                 const struct values *v)
{
    int64_t id = values_int(v, "calendar", 0);
    enum err e = OK;

    if (!values_has(v, "calendar") || id == before->calendar_id)
        return OK;
    if (id && (e = workday_check_shared(c, id)))
        return e;
    if ((e = workday_drop_own(c, before->id)))
        return e;
    return project_set_calendar(c, before->id, id);
}
