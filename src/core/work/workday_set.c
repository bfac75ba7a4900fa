/* SPDX-License-Identifier: Apache-2.0 */
/* The calendars a tenant keeps under a name, for projects to choose.  Plans
 * that follow a calendar are worked out anew in the transaction that changes
 * it, so no screen ever shows dates by yesterday's rules. */
#include "base/str.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/master/catalogue.h"
#include "core/work/plan_edit.h"
#include "core/work/workday.h"

enum {
    SET_LIST,
    SET_NAME,
    SET_INSERT,
    SET_RENAME,
    SET_USES,
    SET_DELETE,
    SET_PROJECTS
};
static const char *const workday_set_text[] = {
    [SET_LIST] = "SELECT l.id, l.name, l.id = (SELECT calendar_id FROM tenant"
                 " WHERE id = 1), (SELECT count(*) FROM project p"
                 " WHERE p.calendar_id = l.id AND p.deleted_at IS NULL)"
                 " FROM calendar l WHERE l.is_own = 0 ORDER BY l.name",
    [SET_NAME] = "SELECT name FROM calendar WHERE id = ?1 AND is_own = 0",
    [SET_INSERT] = "INSERT INTO calendar (name) VALUES (?1)",
    [SET_RENAME] = "UPDATE calendar SET name = ?2 WHERE id = ?1",
    [SET_USES] = "SELECT EXISTS (SELECT 1 FROM project WHERE calendar_id = ?1)"
                 " OR EXISTS (SELECT 1 FROM tenant WHERE calendar_id = ?1)",
    [SET_DELETE] = "DELETE FROM calendar WHERE id = ?1 AND version = ?2",
    [SET_PROJECTS] =
        "SELECT id FROM project WHERE calendar_id = ?1 AND deleted_at IS NULL"
        " UNION ALL SELECT id FROM project WHERE calendar_id IS NULL"
        " AND deleted_at IS NULL"
        " AND ?1 = (SELECT calendar_id FROM tenant WHERE id = 1)",
};
const struct query_set workday_set_queries = {"workday_set", workday_set_text,
                                              COUNT(workday_set_text)};

static enum err name_of(struct ctx *c, int64_t id, const char **out)
{
    struct query *q = query(c, workday_set_text[SET_NAME]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "id", "not_found", "カレンダーが見つかりません",
                        "No such calendar");
    if (e)
        return e;
    *out = col_text(c, q, 0);
    query_done(q);
    return OK;
}

enum err workday_check_shared(struct ctx *c, int64_t id)
{
    struct query *q = query(c, workday_set_text[SET_NAME]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    query_done(q);
    if (e != ERR_NOT_FOUND)
        return e;
    return ctx_fail(c, ERR_INVALID, "calendar", "choice",
                    "カレンダーが見つかりません", "No such calendar");
}

static enum err write_name(struct ctx *c, int text, int64_t id,
                           const char *name)
{
    struct query *q = query(c, workday_set_text[text]);

    if (text == SET_RENAME) {
        bind_int(q, 1, id);
        bind_text(q, 2, name);
    } else {
        bind_text(q, 1, name);
    }
    enum err e = query_run(c, q);
    if (e != ERR_CONFLICT)
        return e;
    return ctx_fail(c, e, "name", "unique", "同じ名前のカレンダーがあります",
                    "There is a calendar of this name");
}

enum err workday_create(struct ctx *c, const struct values *v, int64_t *out)
{
    const char *name = values_text(v, "name");
    enum err e = write_name(c, SET_INSERT, 0, name);

    *out = e ? 0 : db_last_id(c);
    return e ? e : workday_write(c, "calendar", *out, 0, name, v);
}

enum err workday_update(struct ctx *c, int64_t id, int64_t version,
                        const struct values *v)
{
    const char *old, *name = values_text(v, "name");
    enum err e = name_of(c, id, &old);

    if (e || (e = workday_write(c, "calendar", id, version, name, v)))
        return e;
    if (!str_equal(name, old) && (e = write_name(c, SET_RENAME, id, name)))
        return e;
    return workday_reschedule(c, id);
}

enum err workday_delete(struct ctx *c, int64_t id, int64_t version)
{
    const char *name;
    enum err e = name_of(c, id, &name);

    if (e)
        return e;
    struct query *q = query(c, workday_set_text[SET_USES]);
    bind_int(q, 1, id);
    if ((e = query_one(c, q)))
        return e;
    bool is_used = col_int(q, 0) != 0;
    query_done(q);
    if (is_used)
        return ctx_fail(c, ERR_CONFLICT, "id", "in_use",
                        "使われているカレンダーは削除できません",
                        "A calendar in use cannot be deleted");
    q = query(c, workday_set_text[SET_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return operation_log(c, &(struct operation){.action = "delete",
                                                .kind = "calendar",
                                                .object_id = id,
                                                .object_name = name});
}

enum err workday_reschedule(struct ctx *c, int64_t calendar_id)
{
    struct query *q = query(c, workday_set_text[SET_PROJECTS]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, calendar_id);
    while (query_next(c, q, &e)) {
        int64_t id = col_int(q, 0);
        buf_put(&rows, &id, sizeof id);
    }
    const int64_t *ids = (const void *)rows.data;
    for (size_t i = 0; i < rows.len / sizeof *ids && !e; i++)
        e = plan_edit_reschedule(c, ids[i]);
    return e;
}

struct row {
    int64_t id, projects;
    const char *name;
    bool is_default;
};

enum err workday_put_list(struct ctx *c, struct json_out *o)
{
    struct query *q = query(c, workday_set_text[SET_LIST]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct row r = {.id = col_int(q, 0),
                        .name = col_text(c, q, 1),
                        .is_default = col_int(q, 2) != 0,
                        .projects = col_int(q, 3)};
        buf_put(&rows, &r, sizeof r);
    }
    const struct row *list = (const void *)rows.data;
    json_open(o, "items", '[');
    for (size_t i = 0; i < rows.len / sizeof *list && !e; i++) {
        struct workdays w;
        if ((e = workday_get(c, list[i].id, &w)))
            break;
        json_open(o, NULL, '{');
        json_id(o, "id", list[i].id);
        json_text(o, "name", list[i].name);
        json_bool(o, "is_default", list[i].is_default);
        if (c->actor->is_admin) /* others may not count projects */
            json_int(o, "projects", list[i].projects);
        workday_put_json(o, "calendar", &w);
        json_close(o, '}');
    }
    json_close(o, ']');
    return e;
}
