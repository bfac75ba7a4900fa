/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_WORKDAY_H
#define CORE_WORK_WORKDAY_H

#include "base/form.h"
#include "base/json.h"
#include "plan/calendar.h"

#include <stddef.h>

/* Working time as rows: the tenant's calendar, or a project's own. */
struct calendar_day {
    int32_t day;
    bool is_working;
    const char *name;
};

struct workdays {
    int64_t id, version;
    int weekdays; /* bit 0 Sunday */
    bool has_holidays;
    const struct calendar_day *days; /* by day */
    size_t count;
};

extern const struct form workdays_form; /* weekdays holidays days[] */

MUST_USE enum err workday_get(struct ctx *c, int64_t calendar_id,
                              struct workdays *out);
/* The project's own, or the tenant's. */
MUST_USE enum err workday_get_project(struct ctx *c, int64_t project_id,
                                      struct workdays *out);
/* The same, ready to count with. */
MUST_USE enum err workday_compile(struct ctx *c, int64_t project_id,
                                  int32_t first, int32_t last,
                                  const struct calendar **out);
/* Replaces all of it.  ERR_STALE when version (not 0) is old. */
MUST_USE enum err workday_put(struct ctx *c, int64_t calendar_id,
                              int64_t version, const struct values *v);
/* Gives the project a calendar of its own (or takes the tenant's again). */
MUST_USE enum err workday_put_project(struct ctx *c, int64_t project_id,
                                      const struct values *v);
/* Without working out the plan. */
MUST_USE enum err workday_drop_own(struct ctx *c, int64_t project_id);
MUST_USE enum err workday_drop_project(struct ctx *c, int64_t project_id);

/* ---- the tenant's named calendars (workday_set.c) ---- */

extern const struct form workday_named_form; /* and a name */
MUST_USE enum err workday_create(struct ctx *c, const struct values *v,
                                 int64_t *out);
/* Plans that follow it are worked out anew. */
MUST_USE enum err workday_update(struct ctx *c, int64_t id, int64_t version,
                                 const struct values *v);
/* ERR_CONFLICT "in_use" while a project or the tenant follows it. */
MUST_USE enum err workday_delete(struct ctx *c, int64_t id, int64_t version);
/* The member items. */
MUST_USE enum err workday_put_list(struct ctx *c, struct json_out *o);
/* ERR_INVALID on "calendar" unless it is one to choose. */
MUST_USE enum err workday_check_shared(struct ctx *c, int64_t id);
/* Every project that follows the calendar. */
MUST_USE enum err workday_reschedule(struct ctx *c, int64_t calendar_id);
/* Replaces what the calendar says, with the log; version 0 takes any. */
MUST_USE enum err workday_write(struct ctx *c, const char *kind, int64_t id,
                                int64_t version, const char *name,
                                const struct values *v);

/* {weekdays, holidays: bool, days: [{day, is_working, name}], version} */
void workday_put_json(struct json_out *o, const char *name,
                      const struct workdays *w);
/* As the Gantt takes it: {weekdays, holidays: [[day, ja, en]], days: [[day,
 * is_working, name]]}, from two years before the plan to two after it. */
MUST_USE enum err workday_put_span(struct ctx *c, int64_t project_id,
                                   struct json_out *o, const char *name);

#endif
