/* SPDX-License-Identifier: Apache-2.0 */
#include "core/access/group.h"

#include "base/json.h"
#include "base/str.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

#define GROUP_COLS                                                             \
    "SELECT g.id, g.name, g.details, g.version, (SELECT count(*)"              \
    " FROM group_member m JOIN user u ON u.id = m.user_id"                     \
    " WHERE m.group_id = g.id AND u.state < 3), (SELECT count(*)"              \
    " FROM access a WHERE a.principal = -g.id) FROM permission_group g"

enum { GROUP_USES_MAX = 100 };
enum {
    GROUP_LIST,
    GROUP_GET,
    GROUP_INSERT,
    GROUP_UPDATE,
    GROUP_DELETE,
    GROUP_AREAS,
    GROUP_USES,
    GROUP_MEMBERS,
    GROUP_ADD,
    GROUP_REMOVE,
    GROUP_USER
};
static const char *const group_text[] = {
    [GROUP_LIST] = GROUP_COLS
    " WHERE (g.name, g.id) > (coalesce((SELECT name FROM permission_group"
    " WHERE id = ?2), ''), ?2) AND (?1 IS NULL OR instr(lower(g.name),"
    " lower(?1)) > 0) ORDER BY g.name, g.id LIMIT ?3",
    [GROUP_GET] = GROUP_COLS " WHERE g.id = ?1",
    [GROUP_INSERT] = "INSERT INTO permission_group (name, details, created_at)"
                     " VALUES (?1, ?2, ?3)",
    [GROUP_UPDATE] = "UPDATE permission_group SET name = ?3, details = ?4,"
                     " version = version + 1 WHERE id = ?1 AND version = ?2",
    [GROUP_DELETE] =
        "DELETE FROM permission_group WHERE id = ?1 AND version = ?2",
    [GROUP_AREAS] = "SELECT EXISTS (SELECT 1 FROM access a JOIN role r"
                    " ON r.id = a.role_id WHERE a.principal = -?1"
                    " AND r.rights & ?2)",
    [GROUP_USES] =
        "SELECT coalesce(a.program_id, 0), coalesce(a.project_id, 0),"
        " coalesce(g.key || ' ' || g.name, p.key || ' ' || p.name,"
        " (SELECT name FROM tenant)), r.ja, r.en FROM access a"
        " JOIN role r ON r.id = a.role_id"
        " LEFT JOIN program g ON g.id = a.program_id"
        " LEFT JOIN project p ON p.id = a.project_id"
        " WHERE a.principal = -?1 ORDER BY a.program_id, a.project_id LIMIT ?2",
    [GROUP_MEMBERS] =
        "SELECT u.id, u.name, u.email, u.state FROM group_member m"
        " JOIN user u ON u.id = m.user_id WHERE m.group_id = ?1"
        " AND u.state < 3 AND (u.name, u.id) > (coalesce((SELECT name"
        " FROM user WHERE id = ?2), ''), ?2) ORDER BY u.name, u.id LIMIT ?3",
    [GROUP_ADD] = "INSERT INTO group_member (group_id, user_id) VALUES (?1, ?2)"
                  " ON CONFLICT DO NOTHING",
    [GROUP_REMOVE] =
        "DELETE FROM group_member WHERE group_id = ?1 AND user_id = ?2",
    [GROUP_USER] = "SELECT name FROM user WHERE id = ?1 AND state < 3",
};
const struct query_set group_queries = {"group", group_text, COUNT(group_text)};

#define GROUP_FIELDS(required)                                                 \
    {TEXT("name", 1, 100, required, "名前", "Name")},                          \
    {                                                                          \
        LINES("details", 0, 500, OPTIONAL, "説明", "Details")                  \
    }
static const struct field group_fields[] = {
    GROUP_FIELDS(REQUIRED),
};
const struct form group_form = {"GroupCreate", group_fields,
                                COUNT(group_fields)};
static const struct field group_edit_fields[] = {
    GROUP_FIELDS(0),
};
const struct form group_edit_form = {"GroupEdit", group_edit_fields,
                                     COUNT(group_edit_fields)};
static const struct field members_fields[] = {
    {IDS("users", 2000, REQUIRED, "ユーザー", "Users")},
};
const struct form group_members_form = {"GroupMembers", members_fields,
                                        COUNT(members_fields)};

/* ---- reading ---- */

static void read_group(struct ctx *c, struct query *q, struct group *out)
{
    *out = (struct group){
        .id = col_int(q, 0),
        .name = col_text(c, q, 1),
        .details = col_text(c, q, 2),
        .version = col_int(q, 3),
        .members = col_int(q, 4),
        .grants = col_int(q, 5),
    };
}

enum err group_list(struct ctx *c, const char *text, int64_t after, int limit,
                    const struct group **out, size_t *count, bool *more)
{
    struct group *list = arena_array(c->mem, struct group, (size_t)limit + 1);
    struct query *q = query(c, group_text[GROUP_LIST]);
    enum err e;

    *count = 0;
    bind_text(q, 1, text);
    bind_int(q, 2, after);
    bind_int(q, 3, limit + 1);
    while (query_next(c, q, &e))
        read_group(c, q, &list[(*count)++]);
    *more = *count > (size_t)limit;
    if (*more)
        (*count)--;
    *out = list;
    return e;
}

enum err group_get(struct ctx *c, int64_t id, struct group *out)
{
    struct query *q = query(c, group_text[GROUP_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "id", "not_found", "グループが見つかりません",
                        "No such group");
    if (e)
        return e;
    read_group(c, q, out);
    query_done(q);
    return OK;
}

enum err group_members(struct ctx *c, int64_t id, int64_t after, int limit,
                       const struct group_member **out, size_t *count,
                       bool *more)
{
    struct group_member *list =
        arena_array(c->mem, struct group_member, (size_t)limit + 1);
    struct group g;
    enum err e = group_get(c, id, &g);

    *count = 0;
    if (e)
        return e;
    struct query *q = query(c, group_text[GROUP_MEMBERS]);
    bind_int(q, 1, id);
    bind_int(q, 2, after);
    bind_int(q, 3, limit + 1);
    while (query_next(c, q, &e))
        list[(*count)++] = (struct group_member){
            .user_id = col_int(q, 0),
            .name = col_text(c, q, 1),
            .email = col_text(c, q, 2),
            .state = (int)col_int(q, 3),
        };
    *more = *count > (size_t)limit;
    if (*more)
        (*count)--;
    *out = list;
    return e;
}

/* ---- changing ---- */

static const char *as_json(struct ctx *c, const struct group *g)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    if (!g)
        return NULL;
    json_open(&o, NULL, '{');
    json_text(&o, "name", g->name);
    json_text(&o, "details", g->details);
    json_close(&o, '}');
    return b.data;
}

static enum err log_group(struct ctx *c, const struct group *before,
                          const struct group *after)
{
    const struct group *any = after ? after : before;

    must(any);

    return operation_log(c, &(struct operation){.action = !before  ? "create"
                                                          : !after ? "delete"
                                                                   : "update",
                                                .kind = "group",
                                                .object_id = any->id,
                                                .object_name = any->name,
                                                .before = as_json(c, before),
                                                .after = as_json(c, after)});
}

/* Who may deal with a group that administers something. */
static enum err check_areas(struct ctx *c, int64_t id)
{
    struct query *q = query(c, group_text[GROUP_AREAS]);

    bind_int(q, 1, id);
    bind_int(q, 2, MAY_ADMINISTER);
    enum err e = query_one(c, q);
    if (e)
        return e;
    bool has_areas = col_int(q, 0) != 0;
    query_done(q);
    return has_areas ? access_need_master(c) : OK;
}

static enum err name_taken(struct ctx *c)
{
    return ctx_fail(c, ERR_CONFLICT, "name", "name_taken",
                    "この名前のグループはすでにあります",
                    "There is a group of this name already");
}

enum err group_create(struct ctx *c, const struct values *v, struct group *out)
{
    const char *details = values_text(v, "details");
    struct query *q = query(c, group_text[GROUP_INSERT]);

    bind_text(q, 1, values_text(v, "name"));
    bind_text(q, 2, details ? details : "");
    bind_int(q, 3, c->now_us);
    enum err e = query_run(c, q);
    if (e)
        return e == ERR_CONFLICT ? name_taken(c) : e;
    if ((e = group_get(c, db_last_id(c), out)))
        return e;
    return log_group(c, NULL, out);
}

enum err group_update(struct ctx *c, int64_t id, int64_t version,
                      const struct values *v, struct group *out)
{
    struct group before;
    enum err e = group_get(c, id, &before);

    if (e || (e = check_areas(c, id)))
        return e;
    const char *name = values_text(v, "name");
    const char *details = values_text(v, "details");
    struct query *q = query(c, group_text[GROUP_UPDATE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_text(q, 3, name ? name : before.name);
    bind_text(q, 4, details ? details : before.details);
    if ((e = query_run(c, q)))
        return e == ERR_CONFLICT ? name_taken(c) : e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    if ((e = group_get(c, id, out)))
        return e;
    return log_group(c, &before, out);
}

/* What is lost with it, as members of the refusal. */
static enum err refuse_in_use(struct ctx *c, const struct group *g)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};
    struct query *q = query(c, group_text[GROUP_USES]);
    enum err e;

    bind_int(q, 1, g->id);
    bind_int(q, 2, GROUP_USES_MAX);
    json_open(&o, NULL, '[');
    while (query_next(c, q, &e)) {
        json_open(&o, NULL, '{');
        json_id(&o, "program_id", col_int(q, 0));
        json_id(&o, "project_id", col_int(q, 1));
        json_text(&o, "place", col_peek(q, 2));
        json_text(&o, "role", col_peek(q, c->actor->lang == LANG_JA ? 3 : 4));
        json_close(&o, '}');
    }
    json_close(&o, ']');
    if (e)
        return e;
    e = ctx_fail(c, ERR_CONFLICT, "id", "in_use",
                 "このグループには%lld件の権限が付与され、%lld人が所属して"
                 "います。削除すると、その権限もなくなります",
                 "This group holds %lld grants for %lld people, who lose them"
                 " with it",
                 (long long)g->grants, (long long)g->members);
    ctx_fail_detail(c, arena_printf(c->mem, "\"uses\":%s", b.data));
    return e;
}

enum err group_delete(struct ctx *c, int64_t id, int64_t version,
                      bool with_grants)
{
    struct group before;
    enum err e = group_get(c, id, &before);

    if (e || (e = check_areas(c, id)))
        return e;
    if (before.grants && !with_grants)
        return refuse_in_use(c, &before);
    struct query *q = query(c, group_text[GROUP_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return log_group(c, &before, NULL);
}

/* ---- members ---- */

static enum err log_member(struct ctx *c, const struct group *g,
                           int64_t user_id, bool is_added)
{
    struct query *q = query(c, group_text[GROUP_USER]);
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    bind_int(q, 1, user_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    json_open(&o, NULL, '{');
    json_text(&o, "member", col_peek(q, 0));
    json_close(&o, '}');
    query_done(q);
    return operation_log(
        c, &(struct operation){.action = is_added ? "create" : "delete",
                               .kind = "group_member",
                               .object_id = g->id,
                               .object_name = g->name,
                               .before = is_added ? NULL : b.data,
                               .after = is_added ? b.data : NULL});
}

static enum err add_member(struct ctx *c, const struct group *g,
                           int64_t user_id)
{
    struct query *q = query(c, group_text[GROUP_USER]);

    bind_int(q, 1, user_id);
    enum err e = query_one(c, q);
    query_done(q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, ERR_INVALID, "users", "user",
                        "ユーザーが見つかりません", "No such person");
    if (e)
        return e;
    q = query(c, group_text[GROUP_ADD]);
    bind_int(q, 1, g->id);
    bind_int(q, 2, user_id);
    e = query_run(c, q);
    if (e || db_changes(c) == 0)
        return e;
    return log_member(c, g, user_id, true);
}

enum err group_add_members(struct ctx *c, int64_t id, const struct values *v,
                           struct group *out)
{
    const int64_t *users;
    size_t count = values_ids(v, "users", &users);
    enum err e = group_get(c, id, out);

    if (e || (e = check_areas(c, id)))
        return e;
    for (size_t i = 0; i < count && !e; i++)
        e = add_member(c, out, users[i]);
    return e ? e : group_get(c, id, out);
}

enum err group_remove_member(struct ctx *c, int64_t id, int64_t user_id)
{
    struct group g;
    enum err e = group_get(c, id, &g);

    if (e || (e = check_areas(c, id)))
        return e;
    struct query *q = query(c, group_text[GROUP_REMOVE]);
    bind_int(q, 1, id);
    bind_int(q, 2, user_id);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_fail(c, ERR_NOT_FOUND, "user", "not_found",
                        "このグループのメンバーではありません",
                        "This person is not in the group");
    return log_member(c, &g, user_id, false);
}
