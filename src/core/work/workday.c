/* SPDX-License-Identifier: Apache-2.0 */
/* The rows behind plan/calendar.h.  A project without a calendar of its own
 * follows the tenant's, also when that changes later. */
#include "core/work/workday.h"

#include "base/civil.h"
#include "base/clock.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/work/plan_edit.h"
#include "core/work/project.h"
#include "plan/holiday.h"

enum {
    WORKDAY_GET,
    WORKDAY_DAYS,
    WORKDAY_OF,
    WORKDAY_OWN,
    WORKDAY_INSERT,
    WORKDAY_UPDATE,
    WORKDAY_CLEAR,
    WORKDAY_ADD_DAY,
    WORKDAY_DELETE,
    WORKDAY_SPAN,
};
static const char *const workday_text[] = {
    [WORKDAY_GET] =
        "SELECT id, version, weekdays, holidays FROM calendar WHERE id = ?1",
    [WORKDAY_DAYS] = "SELECT day, is_working, name FROM calendar_day"
                     " WHERE calendar_id = ?1 ORDER BY day",
    [WORKDAY_OF] =
        "SELECT coalesce((SELECT calendar_id FROM project WHERE id = ?1),"
        " (SELECT calendar_id FROM tenant WHERE id = 1))",
    [WORKDAY_OWN] =
        "SELECT (SELECT l.id FROM calendar l WHERE l.id = p.calendar_id"
        " AND l.is_own), p.key || ' ' || p.name FROM project p"
        " WHERE p.id = ?1 AND p.deleted_at IS NULL",
    [WORKDAY_INSERT] = "INSERT INTO calendar (name, is_own) VALUES (?1, 1)",
    [WORKDAY_UPDATE] =
        "UPDATE calendar SET weekdays = ?3, holidays = ?4,"
        " version = version + 1 WHERE id = ?1 AND (?2 = 0 OR version = ?2)",
    [WORKDAY_CLEAR] = "DELETE FROM calendar_day WHERE calendar_id = ?1",
    [WORKDAY_ADD_DAY] =
        "INSERT INTO calendar_day (calendar_id, day, is_working, name)"
        " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET is_working = ?3,"
        " name = ?4",
    [WORKDAY_DELETE] = "DELETE FROM calendar WHERE id = ?1",
    [WORKDAY_SPAN] = "SELECT min(planned_start), max(planned_end) FROM ticket"
                     " WHERE project_id = ?1 AND deleted_at IS NULL",
};
const struct query_set workday_queries = {"workday", workday_text,
                                          COUNT(workday_text)};

static const struct field day_fields[] = {
    {DAY("day", REQUIRED, "日付", "Day")},
    {BOOL("is_working", REQUIRED, "稼働日", "Working day")},
    {TEXT("name", 0, 100, OPTIONAL, "名前", "Name")},
};
static const struct form day_form = {"CalendarDay", day_fields,
                                     COUNT(day_fields)};
#define WORKDAYS_FIELDS                                                        \
    {INT("weekdays", 1, 127, REQUIRED, "稼働曜日", "Working weekdays")},       \
        {BOOL("holidays", REQUIRED, "日本の祝日を休みにする",                  \
              "Japanese holidays are free")},                                  \
    {                                                                          \
        ROWS("days", &day_form, 0, 2000, REQUIRED, "例外日", "Exceptions")     \
    }
static const struct field workdays_fields[] = {
    WORKDAYS_FIELDS,
};
const struct form workdays_form = {"Calendar", workdays_fields,
                                   COUNT(workdays_fields)};
static const struct field named_fields[] = {
    {TEXT("name", 1, 60, REQUIRED, "名前", "Name")},
    WORKDAYS_FIELDS,
};
const struct form workday_named_form = {"NamedCalendar", named_fields,
                                        COUNT(named_fields)};

/* ---- reading ---- */

enum err workday_get(struct ctx *c, int64_t calendar_id, struct workdays *out)
{
    struct query *q = query(c, workday_text[WORKDAY_GET]);
    struct buf rows = buf_in(c->mem);

    bind_int(q, 1, calendar_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = (struct workdays){.id = col_int(q, 0),
                             .version = col_int(q, 1),
                             .weekdays = (int)col_int(q, 2),
                             .has_holidays = col_int(q, 3) != 0};
    query_done(q);
    q = query(c, workday_text[WORKDAY_DAYS]);
    bind_int(q, 1, calendar_id);
    while (query_next(c, q, &e)) {
        struct calendar_day d = {.day = col_day(q, 0),
                                 .is_working = col_int(q, 1) != 0,
                                 .name = col_text(c, q, 2)};
        buf_put(&rows, &d, sizeof d);
    }
    out->days = (const void *)rows.data;
    out->count = rows.len / sizeof *out->days;
    return e;
}

static enum err id_of(struct ctx *c, int64_t project_id, int64_t *out)
{
    struct query *q = query(c, workday_text[WORKDAY_OF]);

    bind_int(q, 1, project_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = col_int(q, 0);
    query_done(q);
    return OK;
}

enum err workday_get_project(struct ctx *c, int64_t project_id,
                             struct workdays *out)
{
    int64_t id;
    enum err e = id_of(c, project_id, &id);

    return e ? e : workday_get(c, id, out);
}

enum err workday_compile(struct ctx *c, int64_t project_id, int32_t first,
                         int32_t last, const struct calendar **out)
{
    const int32_t span_max = 199 * 365;
    struct workdays w;
    enum err e = workday_get_project(c, project_id, &w);

    if (e)
        return e;
    struct calendar_exception *list =
        arena_array(c->mem, struct calendar_exception, w.count + 1);
    for (size_t i = 0; i < w.count; i++)
        list[i] =
            (struct calendar_exception){w.days[i].day, w.days[i].is_working};
    if (last - first > span_max)
        last = first + span_max;
    *out = calendar_compile(c->mem,
                            &(struct calendar_rule){.weekdays = w.weekdays,
                                                    .holidays = w.has_holidays,
                                                    .exceptions = list,
                                                    .exception_count = w.count},
                            first, last);
    return OK;
}

/* ---- changing ---- */

static enum err put_days(struct ctx *c, int64_t calendar_id,
                         const struct values *v)
{
    const struct values *const *rows;
    size_t count = values_rows(v, "days", &rows);
    struct query *q = query(c, workday_text[WORKDAY_CLEAR]);

    bind_int(q, 1, calendar_id);
    enum err e = query_run(c, q);
    for (size_t i = 0; i < count && !e; i++) {
        const char *name = values_text(rows[i], "name");
        q = query(c, workday_text[WORKDAY_ADD_DAY]);
        bind_int(q, 1, calendar_id);
        bind_int(q, 2, values_int(rows[i], "day", 0));
        bind_int(q, 3, values_bool(rows[i], "is_working", false));
        bind_text(q, 4, name ? name : "");
        e = query_run(c, q);
    }
    return e;
}

static enum err put(struct ctx *c, int64_t calendar_id, int64_t version,
                    const struct values *v)
{
    struct query *q = query(c, workday_text[WORKDAY_UPDATE]);

    bind_int(q, 1, calendar_id);
    bind_int(q, 2, version);
    bind_int(q, 3, values_int(v, "weekdays", 62));
    bind_int(q, 4, values_bool(v, "holidays", true));
    enum err e = query_run(c, q);
    if (e)
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return put_days(c, calendar_id, v);
}

static const char *as_json(struct ctx *c, const struct workdays *w)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    workday_put_json(&o, NULL, w);
    return b.data;
}

/* before NULL: the project had none of its own. */
static enum err log_calendar(struct ctx *c, const char *kind, int64_t id,
                             const char *name, const struct workdays *before,
                             int64_t calendar_id)
{
    struct workdays after;
    enum err e = OK;

    if (calendar_id)
        e = workday_get(c, calendar_id, &after);
    if (e)
        return e;
    return operation_log(
        c,
        &(struct operation){.action = "set_calendar",
                            .kind = kind,
                            .object_id = id,
                            .object_name = name,
                            .before = before ? as_json(c, before) : NULL,
                            .after = calendar_id ? as_json(c, &after) : NULL});
}

enum err workday_write(struct ctx *c, const char *kind, int64_t id,
                       int64_t version, const char *name,
                       const struct values *v)
{
    struct workdays before;
    enum err e = workday_get(c, id, &before);

    if (e || (e = put(c, id, version, v)))
        return e;
    return log_calendar(c, kind, id, name, &before, id);
}

enum err workday_put(struct ctx *c, int64_t calendar_id, int64_t version,
                     const struct values *v)
{
    struct workdays before;
    enum err e = workday_get(c, calendar_id, &before);

    if (e || (e = put(c, calendar_id, version, v)) ||
        (e = log_calendar(c, "tenant", 1, "", &before, calendar_id)))
        return e;
    return workday_reschedule(c, calendar_id);
}

static enum err own_calendar(struct ctx *c, int64_t project_id, int64_t *id,
                             const char **name)
{
    struct query *q = query(c, workday_text[WORKDAY_OWN]);

    bind_int(q, 1, project_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *id = col_int(q, 0);
    *name = col_text(c, q, 1);
    query_done(q);
    return OK;
}

enum err workday_put_project(struct ctx *c, int64_t project_id,
                             const struct values *v)
{
    struct workdays before = {0};
    const char *name;
    int64_t id;
    enum err e = own_calendar(c, project_id, &id, &name);

    if (e)
        return e;
    bool had = id != 0;
    if (had) {
        e = workday_get(c, id, &before);
    } else {
        struct query *q = query(c, workday_text[WORKDAY_INSERT]);
        bind_text(q, 1, name);
        e = query_run(c, q);
        id = db_last_id(c);
    }
    if (e || (e = put(c, id, 0, v)) ||
        (e = project_set_calendar(c, project_id, id)))
        return e;
    e = log_calendar(c, "project", project_id, name, had ? &before : NULL, id);
    return e ? e : plan_edit_reschedule(c, project_id);
}

enum err workday_drop_own(struct ctx *c, int64_t project_id)
{
    struct workdays before;
    const char *name;
    int64_t id;
    enum err e = own_calendar(c, project_id, &id, &name);

    if (e || id == 0)
        return e;
    if ((e = workday_get(c, id, &before)) ||
        (e = project_set_calendar(c, project_id, 0)))
        return e;
    struct query *q = query(c, workday_text[WORKDAY_DELETE]);
    bind_int(q, 1, id);
    if ((e = query_run(c, q)))
        return e;
    return log_calendar(c, "project", project_id, name, &before, 0);
}

enum err workday_drop_project(struct ctx *c, int64_t project_id)
{
    enum err e = workday_drop_own(c, project_id);

    return e ? e : plan_edit_reschedule(c, project_id);
}

/* ---- writing ---- */

void workday_put_json(struct json_out *o, const char *name,
                      const struct workdays *w)
{
    json_open(o, name, '{');
    json_int(o, "weekdays", w->weekdays);
    json_bool(o, "holidays", w->has_holidays);
    json_open(o, "days", '[');
    for (size_t i = 0; i < w->count; i++) {
        json_open(o, NULL, '{');
        json_day(o, "day", w->days[i].day);
        json_bool(o, "is_working", w->days[i].is_working);
        json_text(o, "name", w->days[i].name);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_int(o, "version", w->version);
    json_close(o, '}');
}

static enum err plan_span(struct ctx *c, int64_t project_id, int32_t *first,
                          int32_t *last)
{
    const int32_t two_years = 731, longest = 60 * 366;
    struct query *q = query(c, workday_text[WORKDAY_SPAN]);
    int32_t today = clock_today(c->now_us);

    bind_int(q, 1, project_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *first = col_day(q, 0) == DAY_NONE ? today : col_day(q, 0);
    *last = col_day(q, 1) == DAY_NONE ? today : col_day(q, 1);
    query_done(q);
    *first = (*first < today ? *first : today) - two_years;
    *last = (*last > today ? *last : today) + two_years;
    if (*last - *first > longest) { /* a mistyped year */
        *first = today - longest / 2;
        *last = today + longest / 2;
    }
    return OK;
}

enum err workday_put_span(struct ctx *c, int64_t project_id, struct json_out *o,
                          const char *name)
{
    struct workdays w;
    int32_t first, last;
    enum err e = workday_get_project(c, project_id, &w);

    if (e || (e = plan_span(c, project_id, &first, &last)))
        return e;
    json_open(o, name, '{');
    json_int(o, "weekdays", w.weekdays);
    json_open(o, "holidays", '[');
    const struct holiday *const *holidays = holiday_list(c->mem, first, last);
    for (int32_t day = first; w.has_holidays && day <= last; day++) {
        const struct holiday *h = holidays[day - first];
        if (!h)
            continue;
        json_open(o, NULL, '[');
        json_day(o, NULL, day);
        json_text(o, NULL, h->ja);
        json_text(o, NULL, h->en);
        json_close(o, ']');
    }
    json_close(o, ']');
    json_open(o, "days", '[');
    for (size_t i = 0; i < w.count; i++) {
        json_open(o, NULL, '[');
        json_day(o, NULL, w.days[i].day);
        json_bool(o, NULL, w.days[i].is_working);
        json_text(o, NULL, w.days[i].name);
        json_close(o, ']');
    }
    json_close(o, ']');
    json_close(o, '}');
    return OK;
}
