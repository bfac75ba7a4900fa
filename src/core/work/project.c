/* SPDX-License-Identifier: Apache-2.0 */
/* Projects.  Their figures are counted when asked for: one indexed walk over
 * a project's tickets, so nothing has to be kept in step. */
#include "core/work/project.h"

#include "base/clock.h"
#include "base/json.h"
#include "core/access/access.h"
#include "core/access/member.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/master/label.h"
#include "core/work/move.h"
#include "core/work/plan_edit.h"
#include "core/work/program.h"
#include "core/work/project_mark.h"
#include "core/work/ticket.h"

#define PROJECT_COLS                                                           \
    "p.id, p.program_id, p.manager_id, p.calendar_id, p.key, p.name,"          \
    " p.details, u.name, p.approach, p.start_day, p.end_day, p.state,"         \
    " p.auto_dates, p.auto_parent, p.revision, p.version,"                     \
    " (SELECT name FROM calendar WHERE id = p.calendar_id),"                   \
    " (SELECT is_own FROM calendar WHERE id = p.calendar_id)"
#define PROJECT_FROM " FROM project p LEFT JOIN user u ON u.id = p.manager_id"

enum {
    PROJECT_GET,
    PROJECT_LIST,
    PROJECT_COUNTS,
    PROJECT_MEMBERS,
    PROJECT_INSERT,
    PROJECT_UPDATE,
    PROJECT_DELETE,
    PROJECT_CALENDAR,
};
static const char *const project_text[] = {
    [PROJECT_GET] = "SELECT " PROJECT_COLS PROJECT_FROM
                    " WHERE p.id = ?1 AND p.deleted_at IS NULL",
    [PROJECT_LIST] =
        "WITH RECURSIVE " ACCESS_SEEN_PROJECTS
        " SELECT " PROJECT_COLS PROJECT_FROM " WHERE p.deleted_at IS NULL"
        " AND (?2 OR p.id IN (SELECT id FROM visible))"
        " ORDER BY p.name, p.id",
    [PROJECT_COUNTS] =
        "SELECT count(*), total(s.category = 2),"
        " total(s.category <> 2 AND t.planned_end < ?2 AND " TICKET_IS_LEAF "),"
        " total(CASE WHEN t.parent_id IS NULL THEN t.progress * coalesce("
        "t.planned_end - t.planned_start + 1, 1) END) / max(1, total("
        "CASE WHEN t.parent_id IS NULL THEN coalesce("
        "t.planned_end - t.planned_start + 1, 1) END))"
        " FROM ticket t JOIN status s ON s.id = t.status_id"
        " WHERE t.project_id = ?1 AND t.deleted_at IS NULL",
    [PROJECT_MEMBERS] = "SELECT count(*) FROM access WHERE project_id = ?1",
    [PROJECT_INSERT] =
        "INSERT INTO project (key, program_id, name, details, approach,"
        " manager_id, start_day, end_day, auto_dates, auto_parent, created_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [PROJECT_UPDATE] =
        "UPDATE project SET program_id = ?3, name = ?4, details = ?5,"
        " manager_id = ?6, start_day = ?7, end_day = ?8, state = ?9,"
        " auto_dates = ?10, auto_parent = ?11, version = version + 1"
        " WHERE id = ?1 AND version = ?2",
    [PROJECT_DELETE] =
        "UPDATE project SET deleted_at = ?3, version = version + 1"
        " WHERE id = ?1 AND version = ?2",
    [PROJECT_CALENDAR] = "UPDATE project SET calendar_id = ?2,"
                         " version = version + 1 WHERE id = ?1",
};
const struct query_set project_queries = {"project", project_text,
                                          COUNT(project_text)};

const char *const approach_words[] = {"waterfall", "agile", NULL};

enum { TEAMS_MAX = 30 };

static const struct field project_fields[] = {
    {TEXT("key", 2, 10, REQUIRED, "KEY", "Key")},
    {TEXT("name", 1, 255, REQUIRED, "名前", "Name")},
    {CHOICE("approach", approach_words, REQUIRED, "進め方", "Approach")},
    {LINES("details", 0, 20000, OPTIONAL, "説明", "Details")},
    {ID("program", NULLABLE | GIVES_RIGHTS, "プログラム", "Program")},
    {ID("manager", NULLABLE | GIVES_RIGHTS, "責任者", "Manager")},
    {DAY("start", NULLABLE, "開始日", "Start")},
    {DAY("end", NULLABLE, "終了日", "End")},
    {BOOL("auto_dates", OPTIONAL, "依存関係から日程を計算",
          "Dates from dependencies")},
    {BOOL("auto_parent", OPTIONAL, "子から親を計算", "Parents from children")},
    {IDS("labels", LABEL_PER_OBJECT, OPTIONAL, "ラベル", "Labels")},
    {IDS("teams", TEAMS_MAX, OPTIONAL, "チーム", "Teams")},
};
const struct form project_form = {"ProjectCreate", project_fields,
                                  COUNT(project_fields)};

static const struct field project_edit_fields[] = {
    {TEXT("name", 1, 255, OPTIONAL, "名前", "Name")},
    {LINES("details", 0, 20000, OPTIONAL, "説明", "Details")},
    {ID("program", NULLABLE | GIVES_RIGHTS, "プログラム", "Program")},
    {ID("manager", NULLABLE | GIVES_RIGHTS, "責任者", "Manager")},
    {DAY("start", NULLABLE, "開始日", "Start")},
    {DAY("end", NULLABLE, "終了日", "End")},
    {CHOICE("state", program_state_words, OPTIONAL, "状態", "State")},
    {BOOL("auto_dates", OPTIONAL, "依存関係から日程を計算",
          "Dates from dependencies")},
    {BOOL("auto_parent", OPTIONAL, "子から親を計算", "Parents from children")},
    {IDS("labels", LABEL_PER_OBJECT, OPTIONAL, "ラベル", "Labels")},
    {IDS("teams", TEAMS_MAX, OPTIONAL, "チーム", "Teams")},
    MOVE_FIELD,
    {ID("calendar", NULLABLE, "稼働日カレンダー", "Calendar")},
};
const struct form project_edit_form = {"ProjectEdit", project_edit_fields,
                                       COUNT(project_edit_fields)};

static void read_project(struct ctx *c, struct query *q, struct project *out)
{
    *out = (struct project){
        .id = col_int(q, 0),
        .program_id = col_int(q, 1),
        .manager_id = col_int(q, 2),
        .calendar_id = col_int(q, 3),
        .key = col_text(c, q, 4),
        .name = col_text(c, q, 5),
        .details = col_text(c, q, 6),
        .manager_name = col_text(c, q, 7),
        .approach = (enum approach)col_int(q, 8),
        .start_day = col_day(q, 9),
        .end_day = col_day(q, 10),
        .is_archived = col_int(q, 11) != 0,
        .auto_dates = col_int(q, 12) != 0,
        .auto_parent = col_int(q, 13) != 0,
        .revision = col_int(q, 14),
        .version = col_int(q, 15),
        .calendar_name = col_text(c, q, 16),
        .has_own_calendar = col_int(q, 17) != 0,
    };
}

/* ---- reading ---- */

static enum err count_tickets(struct ctx *c, struct project *p)
{
    struct query *q = query(c, project_text[PROJECT_COUNTS]);

    bind_int(q, 1, p->id);
    bind_day(q, 2, clock_today(c->now_us));
    enum err e = query_one(c, q);
    if (e)
        return e;
    p->tickets = col_int(q, 0);
    p->done = (int64_t)col_double(q, 1);
    p->late = (int64_t)col_double(q, 2);
    p->progress = (int64_t)(col_double(q, 3) + 0.5);
    query_done(q);
    return OK;
}

static enum err count_members(struct ctx *c, struct project *p)
{
    struct query *q = query(c, project_text[PROJECT_MEMBERS]);

    bind_int(q, 1, p->id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    p->members = col_int(q, 0);
    query_done(q);
    return OK;
}

/* The program's id only for those who may see the program. */
static enum err hide_program(struct ctx *c, struct project *p)
{
    unsigned rights = 0;
    enum err e = OK;

    if (p->program_id)
        e = access_program(c, p->program_id, &rights);
    if (!(rights & MAY_PROGRAM_VIEW))
        p->program_id = 0;
    return e;
}

enum err project_get_plain(struct ctx *c, int64_t id, struct project *out)
{
    struct query *q = query(c, project_text[PROJECT_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "id", "not_found", "プロジェクトが見つかりません",
                        "No such project");
    if (e)
        return e;
    read_project(c, q, out);
    query_done(q);
    return access_project(c, id, &out->rights);
}

enum err project_get(struct ctx *c, int64_t id, struct project *out)
{
    enum err e = project_get_plain(c, id, out);

    if (e || (e = hide_program(c, out)) || (e = count_members(c, out)) ||
        (e = project_load_marks(c, out)))
        return e;
    return count_tickets(c, out);
}

static enum err read_visible(struct ctx *c, struct project **out, size_t *count)
{
    struct query *q = query(c, project_text[PROJECT_LIST]);
    struct buf rows = buf_in(c->mem);
    struct project p;
    enum err e;

    bind_int(q, 1, c->actor->user_id);
    bind_int(q, 2, c->actor->is_admin);
    while (query_next(c, q, &e)) {
        read_project(c, q, &p);
        buf_put(&rows, &p, sizeof p);
    }
    *out = (void *)rows.data;
    *count = rows.len / sizeof p;
    return e;
}

enum err project_list(struct ctx *c, const struct project **out, size_t *count)
{
    const struct access_map *map;
    struct project *list;
    enum err e = read_visible(c, &list, count);

    if (e || (e = access_map_load(c, &map)))
        return e;
    for (size_t i = 0; !e && i < *count; i++) {
        list[i].rights =
            access_map_project(map, list[i].id, list[i].program_id);
        if (!(access_map_program(map, list[i].program_id) & MAY_PROGRAM_VIEW))
            list[i].program_id = 0;
        e = count_tickets(c, &list[i]);
    }
    *out = list;
    return e;
}

/* ---- changing ---- */

static const char *as_json(struct ctx *c, const struct project *p)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "name", p->name);
    json_text(&o, "details", p->details);
    json_id(&o, "program", p->program_id);
    json_text(&o, "manager", p->manager_name);
    json_day(&o, "start", p->start_day);
    json_day(&o, "end", p->end_day);
    json_text(&o, "state", program_state_words[p->is_archived]);
    json_bool(&o, "auto_dates", p->auto_dates);
    json_bool(&o, "auto_parent", p->auto_parent);
    json_text(&o, "calendar", p->calendar_name);
    json_text(&o, "labels", p->label_names);
    json_text(&o, "teams", p->team_names);
    json_close(&o, '}');
    return b.data;
}

static enum err log_project(struct ctx *c, const char *action,
                            const struct project *p,
                            const struct project *before)
{
    const struct project *any = p ? p : before;

    return operation_log(
        c, &(struct operation){.action = action,
                               .kind = "project",
                               .object_id = any->id,
                               .object_name = arena_printf(c->mem, "%s %s",
                                                           any->key, any->name),
                               .before = before ? as_json(c, before) : NULL,
                               .after = p ? as_json(c, p) : NULL});
}

enum err project_check_program(struct ctx *c, int64_t program_id)
{
    if (program_id)
        return access_need_program(c, program_id, MAY_PROJECT_ADD);
    return access_need_top(c, "program", MAY_PROJECT_ADD);
}

static enum err check(struct ctx *c, const struct project *p)
{
    enum err e = program_check_days(c, p->start_day, p->end_day);
    enum err f = access_check_user(c, "manager", p->manager_id);

    return e ? e : f;
}

static void take_values(struct project *p, const struct values *v)
{
    if (values_text(v, "name"))
        p->name = values_text(v, "name");
    if (values_text(v, "details"))
        p->details = values_text(v, "details");
    if (values_has(v, "program"))
        p->program_id = values_int(v, "program", 0);
    if (values_has(v, "manager"))
        p->manager_id = values_int(v, "manager", 0);
    if (values_has(v, "start"))
        p->start_day = (int32_t)values_int(v, "start", DAY_NONE);
    if (values_has(v, "end"))
        p->end_day = (int32_t)values_int(v, "end", DAY_NONE);
    p->auto_dates = values_bool(v, "auto_dates", p->auto_dates);
    p->auto_parent = values_bool(v, "auto_parent", p->auto_parent);
}

enum err project_create(struct ctx *c, const struct values *v,
                        struct project *out)
{
    struct project p = {.details = "",
                        .start_day = DAY_NONE,
                        .end_day = DAY_NONE,
                        .auto_dates = true,
                        .auto_parent = true};
    enum err e;

    take_values(&p, v);
    if ((e = project_check_program(c, p.program_id)) || (e = check(c, &p)) ||
        (e = program_take_key(c, values_text(v, "key"))))
        return e;
    struct query *q = query(c, project_text[PROJECT_INSERT]);
    bind_text(q, 1, values_text(v, "key"));
    bind_id(q, 2, p.program_id);
    bind_text(q, 3, p.name);
    bind_text(q, 4, p.details);
    bind_int(q, 5, values_int(v, "approach", 0));
    bind_id(q, 6, p.manager_id);
    bind_day(q, 7, p.start_day);
    bind_day(q, 8, p.end_day);
    bind_int(q, 9, p.auto_dates);
    bind_int(q, 10, p.auto_parent);
    bind_int(q, 11, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    int64_t id = db_last_id(c);
    if (p.manager_id &&
        (e = member_add_manager(c, (struct member_place){MEMBER_OF_PROJECT, id},
                                p.manager_id)))
        return e;
    p.id = id;
    if ((e = project_write_marks(c, &p, v)) || (e = project_get(c, id, out)))
        return e;
    return log_project(c, "create", out, NULL);
}

/* What the plan is worked out by has changed: at once, not at the next edit. */
static enum err reschedule(struct ctx *c, const struct project *before,
                           int64_t id)
{
    struct project now;
    enum err e = project_get_plain(c, id, &now);

    if (e || (now.calendar_id == before->calendar_id &&
              now.auto_dates == before->auto_dates &&
              now.auto_parent == before->auto_parent))
        return e;
    return plan_edit_reschedule(c, id);
}

enum err project_update(struct ctx *c, int64_t id, int64_t version,
                        const struct values *v, struct project *out)
{
    struct project before;
    enum err e = project_get_plain(c, id, &before);

    if (e || (e = project_load_marks(c, &before)))
        return e;
    struct project p = before;
    take_values(&p, v);
    p.is_archived = values_int(v, "state", p.is_archived) != 0;
    if ((e = check(c, &p)))
        return e;
    if (p.program_id != before.program_id &&
        ((e = project_check_program(c, p.program_id)) ||
         (e = move_apply(
              c, (struct member_place){MEMBER_OF_PROJECT, id}, p.program_id,
              (enum move_choice)values_int(v, "members", MOVE_UNSAID)))))
        return e;
    struct query *q = query(c, project_text[PROJECT_UPDATE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_id(q, 3, p.program_id);
    bind_text(q, 4, p.name);
    bind_text(q, 5, p.details);
    bind_id(q, 6, p.manager_id);
    bind_day(q, 7, p.start_day);
    bind_day(q, 8, p.end_day);
    bind_int(q, 9, p.is_archived);
    bind_int(q, 10, p.auto_dates);
    bind_int(q, 11, p.auto_parent);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    if (p.manager_id && p.manager_id != before.manager_id &&
        (e = member_add_manager(c, (struct member_place){MEMBER_OF_PROJECT, id},
                                p.manager_id)))
        return e;
    if ((e = project_write_marks(c, &before, v)) ||
        (e = project_follow_calendar(c, &before, v)) ||
        (e = reschedule(c, &before, id)) || (e = project_get(c, id, out)))
        return e;
    return log_project(c, "update", out, &before);
}

enum err project_delete(struct ctx *c, int64_t id, int64_t version)
{
    struct project before;
    enum err e = project_get_plain(c, id, &before);

    if (e)
        return e;
    struct query *q = query(c, project_text[PROJECT_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_int(q, 3, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return log_project(c, "delete", NULL, &before);
}

enum err project_set_calendar(struct ctx *c, int64_t id, int64_t calendar_id)
{
    struct query *q = query(c, project_text[PROJECT_CALENDAR]);

    bind_int(q, 1, id);
    bind_id(q, 2, calendar_id);
    return query_run(c, q);
}
