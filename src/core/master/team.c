/* SPDX-License-Identifier: Apache-2.0 */
/* Teams.  Their people are read with them: a company has dozens of teams, not
 * thousands. */
#include "core/master/team.h"

#include "base/str.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/master/color.h"

#define TEAM_COLS                                                              \
    "SELECT m.id, m.name, m.color, m.is_archived, m.version,"                  \
    " (SELECT count(*) FROM ticket_team x JOIN ticket t ON t.id ="             \
    " x.ticket_id AND t.deleted_at IS NULL WHERE x.team_id = m.id),"           \
    " (SELECT count(*) FROM project_team x JOIN project p ON p.id ="           \
    " x.project_id AND p.deleted_at IS NULL WHERE x.team_id = m.id)"           \
    " FROM team m"

/* As label.c has it. */
#define IN_REACH                                                               \
    "(?2 IS NULL OR EXISTS (SELECT 1 FROM project_team x JOIN token_project"   \
    " k ON k.project_id = x.project_id WHERE x.team_id = team.id"              \
    " AND k.token_id = ?2) OR EXISTS (SELECT 1 FROM ticket_team x"             \
    " JOIN ticket t ON t.id = x.ticket_id JOIN token_project k"                \
    " ON k.project_id = t.project_id WHERE x.team_id = team.id"                \
    " AND t.deleted_at IS NULL AND k.token_id = ?2))"

enum {
    TEAM_LIST,
    TEAM_GET,
    TEAM_PLAIN,
    TEAM_PEOPLE,
    TEAM_INSERT,
    TEAM_UPDATE,
    TEAM_DELETE,
    TEAM_IS_USED,
    TEAM_CLEAR,
    TEAM_ADD,
    TEAM_USER,
    TEAM_ONE,
    TEAM_OF_TICKET,
    TEAM_SET_TICKET,
    TEAM_UNSET_TICKET,
    TEAM_OF_PROJECT,
    TEAM_ADD_PROJECT,
    TEAM_CLEAR_PROJECT
};
static const char *const team_text[] = {
    [TEAM_LIST] = TEAM_COLS " ORDER BY m.name",
    [TEAM_GET] = TEAM_COLS " WHERE m.id = ?1",
    [TEAM_PLAIN] =
        "SELECT id, name, color, is_archived FROM team WHERE " IN_REACH
        " ORDER BY name",
    [TEAM_PEOPLE] = "SELECT u.id, u.name FROM team_member x JOIN user u"
                    " ON u.id = x.user_id WHERE x.team_id = ?1 AND u.state < 3"
                    " ORDER BY u.name, u.id",
    [TEAM_INSERT] = "INSERT INTO team (name, color) VALUES (?1, ?2)",
    [TEAM_UPDATE] = "UPDATE team SET name = ?3, color = ?4, is_archived = ?5,"
                    " version = version + 1 WHERE id = ?1 AND version = ?2",
    [TEAM_DELETE] = "DELETE FROM team WHERE id = ?1 AND version = ?2",
    [TEAM_IS_USED] =
        "SELECT EXISTS (SELECT 1 FROM ticket_team WHERE team_id = ?1)"
        " OR EXISTS (SELECT 1 FROM project_team WHERE team_id = ?1)",
    [TEAM_CLEAR] = "DELETE FROM team_member WHERE team_id = ?1",
    [TEAM_ADD] = "INSERT OR IGNORE INTO team_member (team_id, user_id)"
                 " VALUES (?1, ?2)",
    [TEAM_USER] = "SELECT 1 FROM user WHERE id = ?1 AND state < 3",
    [TEAM_ONE] =
        "SELECT name, is_archived FROM team WHERE id = ?1 AND " IN_REACH,
    [TEAM_OF_TICKET] = "SELECT m.id, m.name FROM ticket_team x JOIN team m"
                       " ON m.id = x.team_id WHERE x.ticket_id = ?1",
    [TEAM_SET_TICKET] =
        "INSERT INTO ticket_team (ticket_id, team_id) VALUES (?1, ?2)"
        " ON CONFLICT DO UPDATE SET team_id = ?2",
    [TEAM_UNSET_TICKET] = "DELETE FROM ticket_team WHERE ticket_id = ?1",
    [TEAM_OF_PROJECT] = "SELECT m.id, m.name FROM project_team x JOIN team m"
                        " ON m.id = x.team_id WHERE x.project_id = ?1"
                        " ORDER BY m.name",
    [TEAM_ADD_PROJECT] =
        "INSERT OR IGNORE INTO project_team (project_id, team_id)"
        " VALUES (?1, ?2)",
    [TEAM_CLEAR_PROJECT] = "DELETE FROM project_team WHERE project_id = ?1",
};
const struct query_set team_queries = {"team", team_text, COUNT(team_text)};

enum { MEMBERS_MAX = 500 };
#define TEAM_FIELDS(needed)                                                    \
    {TEXT("name", 1, 60, needed, "名前", "Name")},                             \
        {CHOICE("color", color_words, needed, "色", "Colour")},                \
    {                                                                          \
        IDS("members", MEMBERS_MAX, OPTIONAL, "メンバー", "Members")           \
    }
static const struct field create_fields[] = {
    TEAM_FIELDS(REQUIRED),
};
const struct form team_form = {"TeamCreate", create_fields,
                               COUNT(create_fields)};
static const struct field plan_edit_fields[] = {
    TEAM_FIELDS(0),
    {BOOL("is_archived", OPTIONAL, "アーカイブ", "Archived")},
};
const struct form team_edit_form = {"TeamEdit", plan_edit_fields,
                                    COUNT(plan_edit_fields)};
static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("name", REQUIRED)},
    {OUT_CHOICE("color", color_words, REQUIRED)},
    {OUT_BOOL("is_archived", REQUIRED)},
    {OUT_INT("version", REQUIRED)},
    {OUT_INT("tickets", REQUIRED)},
    {OUT_INT("projects", REQUIRED)},
};
const struct form team_reply_form = {"Team", reply_fields, COUNT(reply_fields)};

/* ---- reading ---- */

static struct team read_team(struct ctx *c, struct query *q)
{
    return (struct team){
        .id = col_int(q, 0),
        .name = col_text(c, q, 1),
        .color = col_text(c, q, 2),
        .is_archived = col_int(q, 3) != 0,
        .version = col_int(q, 4),
        .tickets = col_int(q, 5),
        .projects = col_int(q, 6),
    };
}

static enum err load_people(struct ctx *c, struct team *t)
{
    struct query *q = query(c, team_text[TEAM_PEOPLE]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, t->id);
    while (query_next(c, q, &e)) {
        struct team_person p = {col_int(q, 0), col_text(c, q, 1)};
        buf_put(&rows, &p, sizeof p);
    }
    t->members = (const void *)rows.data;
    t->member_count = rows.len / sizeof *t->members;
    return e;
}

enum err team_list(struct ctx *c, const struct team **out, size_t *count)
{
    struct query *q = query(c, team_text[TEAM_LIST]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct team t = read_team(c, q);
        buf_put(&rows, &t, sizeof t);
    }
    struct team *list = (void *)rows.data;
    *count = rows.len / sizeof *list;
    for (size_t i = 0; i < *count && !e; i++)
        e = load_people(c, &list[i]);
    *out = list;
    return e;
}

enum err team_get(struct ctx *c, int64_t id, struct team *out)
{
    struct query *q = query(c, team_text[TEAM_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "id", "not_found", "チームが見つかりません",
                        "No such team");
    if (e)
        return e;
    *out = read_team(c, q);
    query_done(q);
    return load_people(c, out);
}

static void put_people(struct json_out *o, const struct team *t)
{
    json_open(o, "members", '[');
    for (size_t i = 0; i < t->member_count; i++) {
        json_open(o, NULL, '{');
        json_id(o, "id", t->members[i].id);
        json_text(o, "name", t->members[i].name);
        json_close(o, '}');
    }
    json_close(o, ']');
}

void team_put_json(struct json_out *o, const struct team *t)
{
    json_open(o, NULL, '{');
    json_id(o, "id", t->id);
    json_text(o, "name", t->name);
    json_text(o, "color", t->color);
    json_bool(o, "is_archived", t->is_archived);
    json_int(o, "version", t->version);
    json_int(o, "tickets", t->tickets);
    json_int(o, "projects", t->projects);
    put_people(o, t);
    json_close(o, '}');
}

enum err team_put_catalogue(struct ctx *c, struct json_out *o)
{
    bool is_some;
    enum err e = access_has_somewhere(c, MAY_ANYTHING, &is_some);

    if (e)
        return e;
    json_open(o, "teams", '[');
    if (!is_some && !c->actor->limit_token_id) {
        json_close(o, ']');
        return OK;
    }
    struct query *q = query(c, team_text[TEAM_PLAIN]);
    bind_id(q, 2, c->actor->limit_token_id);
    while (query_next(c, q, &e)) {
        json_open(o, NULL, '{');
        json_id(o, "id", col_int(q, 0));
        json_text(o, "name", col_peek(q, 1));
        json_text(o, "color", col_peek(q, 2));
        json_bool(o, "is_archived", col_int(q, 3) != 0);
        json_close(o, '}');
    }
    json_close(o, ']');
    return e;
}

/* ---- changing ---- */

static enum err log_team(struct ctx *c, const char *action,
                         const struct team *before, const struct team *after)
{
    const struct team *t[2] = {before, after};
    const char *json[2] = {NULL, NULL};
    const struct team *any = after ? after : before;

    for (int i = 0; i < 2; i++) {
        struct buf b = buf_in(c->mem);
        struct json_out o = {.b = &b};
        if (!t[i])
            continue;
        json_open(&o, NULL, '{');
        json_text(&o, "name", t[i]->name);
        json_text(&o, "color", t[i]->color);
        json_bool(&o, "is_archived", t[i]->is_archived);
        put_people(&o, t[i]);
        json_close(&o, '}');
        json[i] = b.data;
    }
    return operation_log(c, &(struct operation){.action = action,
                                                .kind = "team",
                                                .object_id = any->id,
                                                .object_name = any->name,
                                                .before = json[0],
                                                .after = json[1]});
}

static enum err run(struct ctx *c, int text, int64_t id, int64_t second)
{
    struct query *q = query(c, team_text[text]);

    bind_int(q, 1, id);
    if (second)
        bind_int(q, 2, second);
    return query_run(c, q);
}

static enum err write_people(struct ctx *c, int64_t id, const struct values *v)
{
    const int64_t *ids;
    size_t count = values_ids(v, "members", &ids);
    enum err e = run(c, TEAM_CLEAR, id, 0);

    for (size_t i = 0; i < count && !e; i++) {
        struct query *q = query(c, team_text[TEAM_USER]);
        bind_int(q, 1, ids[i]);
        e = query_one(c, q);
        if (e == ERR_NOT_FOUND)
            return ctx_fail(c, ERR_INVALID, "members", "user",
                            "メンバーが見つかりません", "No such person");
        if (e)
            return e;
        query_done(q);
        e = run(c, TEAM_ADD, id, ids[i]);
    }
    return e;
}

static enum err taken(struct ctx *c, enum err e)
{
    if (e != ERR_CONFLICT)
        return e;
    return ctx_fail(c, e, "name", "unique", "同じ名前のチームがあります",
                    "There is a team of this name");
}

enum err team_create(struct ctx *c, const struct values *v, struct team *out)
{
    struct query *q = query(c, team_text[TEAM_INSERT]);

    bind_text(q, 1, values_text(v, "name"));
    bind_text(q, 2, color_words[values_int(v, "color", 0)]);
    enum err e = query_run(c, q);
    if (e)
        return taken(c, e);
    int64_t id = db_last_id(c);
    if ((e = write_people(c, id, v)) || (e = team_get(c, id, out)))
        return e;
    return log_team(c, "create", NULL, out);
}

enum err team_update(struct ctx *c, int64_t id, int64_t version,
                     const struct values *v, struct team *out)
{
    struct team before;
    enum err e = team_get(c, id, &before);

    if (e)
        return e;
    struct query *q = query(c, team_text[TEAM_UPDATE]);
    const char *name = values_text(v, "name");
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_text(q, 3, name ? name : before.name);
    bind_text(q, 4,
              values_has(v, "color") ? color_words[values_int(v, "color", 0)]
                                     : before.color);
    bind_int(q, 5, values_bool(v, "is_archived", before.is_archived));
    if ((e = query_run(c, q)))
        return taken(c, e);
    if (db_changes(c) == 0)
        return ctx_stale(c);
    if (values_has(v, "members") && (e = write_people(c, id, v)))
        return e;
    if ((e = team_get(c, id, out)))
        return e;
    return log_team(c, "update", &before, out);
}

enum err team_delete(struct ctx *c, int64_t id, int64_t version)
{
    struct team before;
    enum err e = team_get(c, id, &before);

    if (e)
        return e;
    struct query *q = query(c, team_text[TEAM_IS_USED]);
    bind_int(q, 1, id);
    if ((e = query_one(c, q)))
        return e;
    bool is_used = col_int(q, 0) != 0;
    query_done(q);
    if (is_used)
        return ctx_fail(c, ERR_CONFLICT, "id", "in_use",
                        "使われているチームは削除できません。"
                        "アーカイブしてください",
                        "A team in use cannot be deleted; archive it");
    q = query(c, team_text[TEAM_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return log_team(c, "delete", &before, NULL);
}

/* ---- where they are named ---- */

enum err team_check(struct ctx *c, const char *field, int64_t id, bool had,
                    const char **name)
{
    struct query *q = query(c, team_text[TEAM_ONE]);

    bind_int(q, 1, id);
    bind_id(q, 2, c->actor->limit_token_id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, ERR_INVALID, field, "choice",
                        "チームが見つかりません", "No such team");
    if (e)
        return e;
    *name = col_text(c, q, 0);
    bool is_archived = col_int(q, 1) != 0;
    query_done(q);
    if (is_archived && !had)
        return ctx_fail(c, ERR_INVALID, field, "archived",
                        "アーカイブされたチームは選べません",
                        "An archived team cannot be chosen");
    return OK;
}

enum err team_get_of_ticket(struct ctx *c, int64_t ticket_id, int64_t *id,
                            const char **name)
{
    struct query *q = query(c, team_text[TEAM_OF_TICKET]);

    *id = 0;
    *name = NULL;
    bind_int(q, 1, ticket_id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    *id = col_int(q, 0);
    *name = col_text(c, q, 1);
    query_done(q);
    return OK;
}

enum err team_set_of_ticket(struct ctx *c, int64_t ticket_id, int64_t team_id)
{
    return run(c, team_id ? TEAM_SET_TICKET : TEAM_UNSET_TICKET, ticket_id,
               team_id);
}

enum err team_list_of_project(struct ctx *c, int64_t project_id,
                              const int64_t **ids, size_t *count,
                              const char **names)
{
    struct query *q = query(c, team_text[TEAM_OF_PROJECT]);
    struct buf rows = buf_in(c->mem), text = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, project_id);
    while (query_next(c, q, &e)) {
        int64_t id = col_int(q, 0);
        buf_put(&rows, &id, sizeof id);
        buf_printf(&text, "%s%s", text.len ? ", " : "", col_peek(q, 1));
    }
    *ids = (const void *)rows.data;
    *count = rows.len / sizeof **ids;
    *names = text.len ? text.data : NULL;
    return e;
}

enum err team_write_of_project(struct ctx *c, int64_t project_id,
                               const int64_t *ids, size_t count,
                               const int64_t *had, size_t had_count)
{
    enum err e = run(c, TEAM_CLEAR_PROJECT, project_id, 0);

    for (size_t i = 0; i < count && !e; i++) {
        const char *name;
        bool known = false;
        for (size_t j = 0; j < had_count; j++)
            known = known || had[j] == ids[i];
        if (!(e = team_check(c, "teams", ids[i], known, &name)))
            e = run(c, TEAM_ADD_PROJECT, project_id, ids[i]);
    }
    return e;
}
