/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of programs.  Rights pass down it, so moving a program asks for
 * rights at both ends, and a tree is never deeper than access.c follows. */
#include "core/work/program.h"

#include "base/json.h"
#include "core/access/access.h"
#include "core/access/member.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/master/label.h"
#include "core/work/move.h"

#include <string.h>

#define PROGRAM_COLS                                                           \
    "p.id, p.parent_id, p.manager_id, p.key, p.name, p.details, u.name,"       \
    " p.start_day, p.end_day, p.state, p.version"
#define PROGRAM_FROM " FROM program p LEFT JOIN user u ON u.id = p.manager_id"

enum {
    PROGRAM_GET,
    PROGRAM_LIST,
    PROGRAM_KEY,
    PROGRAM_INSERT,
    PROGRAM_UPDATE,
    PROGRAM_DELETE,
    PROGRAM_IS_USED,
    PROGRAM_ABOVE,
    PROGRAM_HEIGHT,
};
static const char *const program_text[] = {
    [PROGRAM_GET] = "SELECT " PROGRAM_COLS PROGRAM_FROM
                    " WHERE p.id = ?1 AND p.deleted_at IS NULL",
    [PROGRAM_LIST] = "SELECT " PROGRAM_COLS PROGRAM_FROM
                     " WHERE p.deleted_at IS NULL ORDER BY p.name, p.id",
    [PROGRAM_KEY] = "INSERT INTO key_name (key) VALUES (?1)",
    [PROGRAM_INSERT] =
        "INSERT INTO program (key, parent_id, name, details, manager_id,"
        " start_day, end_day, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
        " ?8)",
    [PROGRAM_UPDATE] =
        "UPDATE program SET parent_id = ?3, name = ?4, details = ?5,"
        " manager_id = ?6, start_day = ?7, end_day = ?8, state = ?9,"
        " version = version + 1 WHERE id = ?1 AND version = ?2",
    [PROGRAM_DELETE] =
        "UPDATE program SET deleted_at = ?3, version = version + 1"
        " WHERE id = ?1 AND version = ?2",
    [PROGRAM_IS_USED] =
        "SELECT EXISTS (SELECT 1 FROM program WHERE parent_id = ?1"
        " AND deleted_at IS NULL) OR EXISTS (SELECT 1 FROM project"
        " WHERE program_id = ?1 AND deleted_at IS NULL)",
    [PROGRAM_ABOVE] =
        "WITH RECURSIVE up(id, depth) AS (SELECT ?1, 1 UNION ALL"
        " SELECT p.parent_id, up.depth + 1 FROM up JOIN program p"
        " ON p.id = up.id WHERE p.parent_id IS NOT NULL AND depth < 32)"
        " SELECT max(depth), max(id = ?2) FROM up",
    [PROGRAM_HEIGHT] =
        "WITH RECURSIVE down(id, depth) AS (SELECT ?1, 1 UNION ALL"
        " SELECT p.id, down.depth + 1 FROM down JOIN program p"
        " ON p.parent_id = down.id WHERE depth < 32)"
        " SELECT max(depth) FROM down",
};
const struct query_set program_queries = {"program", program_text,
                                          COUNT(program_text)};

const char *const program_state_words[] = {"open", "archived", NULL};

static const struct field program_fields[] = {
    {TEXT("key", 2, 10, REQUIRED, "KEY", "Key")},
    {TEXT("name", 1, 255, REQUIRED, "名前", "Name")},
    {LINES("details", 0, 20000, OPTIONAL, "説明", "Details")},
    {ID("parent", NULLABLE | GIVES_RIGHTS, "上位プログラム", "Parent program")},
    {ID("manager", NULLABLE | GIVES_RIGHTS, "責任者", "Manager")},
    {DAY("start", NULLABLE, "開始日", "Start")},
    {DAY("end", NULLABLE, "終了日", "End")},
    {IDS("labels", LABEL_PER_OBJECT, OPTIONAL, "ラベル", "Labels")},
};
const struct form program_form = {"ProgramCreate", program_fields,
                                  COUNT(program_fields)};

static const struct field program_edit_fields[] = {
    {TEXT("name", 1, 255, OPTIONAL, "名前", "Name")},
    {LINES("details", 0, 20000, OPTIONAL, "説明", "Details")},
    {ID("parent", NULLABLE | GIVES_RIGHTS, "上位プログラム", "Parent program")},
    {ID("manager", NULLABLE | GIVES_RIGHTS, "責任者", "Manager")},
    {DAY("start", NULLABLE, "開始日", "Start")},
    {DAY("end", NULLABLE, "終了日", "End")},
    MOVE_FIELD,
    {CHOICE("state", program_state_words, OPTIONAL, "状態", "State")},
    {IDS("labels", LABEL_PER_OBJECT, OPTIONAL, "ラベル", "Labels")},
};
const struct form program_edit_form = {"ProgramEdit", program_edit_fields,
                                       COUNT(program_edit_fields)};

static void read_program(struct ctx *c, struct query *q, struct program *out)
{
    *out = (struct program){
        .id = col_int(q, 0),
        .parent_id = col_int(q, 1),
        .manager_id = col_int(q, 2),
        .key = col_text(c, q, 3),
        .name = col_text(c, q, 4),
        .details = col_text(c, q, 5),
        .manager_name = col_text(c, q, 6),
        .start_day = col_day(q, 7),
        .end_day = col_day(q, 8),
        .state = (enum program_state)col_int(q, 9),
        .version = col_int(q, 10),
    };
}

/* ---- reading ---- */

enum err program_get(struct ctx *c, int64_t id, struct program *out)
{
    struct query *q = query(c, program_text[PROGRAM_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "id", "not_found", "プログラムが見つかりません",
                        "No such program");
    if (e)
        return e;
    read_program(c, q, out);
    query_done(q);
    e = label_list_of(c, LABEL_OF_PROGRAM, id, &out->labels, &out->label_count,
                      &out->label_names);
    return e ? e : access_program(c, id, &out->rights);
}

static struct program *find(struct program *list, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].id == id)
            return &list[i];
    return NULL;
}

static size_t keep_visible(struct program *list, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (list[i].rights & MAY_PROGRAM_VIEW)
            list[kept++] = list[i];
    for (size_t i = 0; i < kept; i++)
        if (!find(list, kept, list[i].parent_id))
            list[i].parent_id = 0;
    return kept;
}

enum err program_list(struct ctx *c, const struct program **out, size_t *count)
{
    const struct access_map *map;
    enum err e = access_map_load(c, &map);

    if (e)
        return e;
    struct query *q = query(c, program_text[PROGRAM_LIST]);
    struct buf rows = buf_in(c->mem);
    struct program p;
    while (query_next(c, q, &e)) {
        read_program(c, q, &p);
        p.rights = access_map_program(map, p.id);
        buf_put(&rows, &p, sizeof p);
    }
    struct program *list = (void *)rows.data;
    *count = keep_visible(list, rows.len / sizeof p);
    *out = list;
    return e;
}

/* ---- checks shared with projects ---- */

enum err program_take_key(struct ctx *c, const char *key)
{
    size_t len = strlen(key);
    bool ok = len >= 2 && len <= 10 && key[0] >= 'A' && key[0] <= 'Z';

    for (size_t i = 0; i < len; i++)
        ok = ok && ((key[i] >= 'A' && key[i] <= 'Z') ||
                    (key[i] >= '0' && key[i] <= '9'));
    if (!ok)
        return ctx_fail(c, ERR_INVALID, "key", "key",
                        "KEYは英大文字で始まる2〜10文字の英大文字と数字に"
                        "してください",
                        "A key is 2 to 10 of A-Z and 0-9, letter first");
    struct query *q = query(c, program_text[PROGRAM_KEY]);
    bind_text(q, 1, key);
    enum err e = query_run(c, q);
    if (e == ERR_CONFLICT)
        return ctx_fail(c, e, "key", "key_taken",
                        "KEY「%s」はすでに使われています",
                        "The key %s is already in use", key);
    return e;
}

enum err program_check_days(struct ctx *c, int32_t start, int32_t end)
{
    if (start == DAY_NONE || end == DAY_NONE || start <= end)
        return OK;
    return ctx_fail(c, ERR_INVALID, "end", "end_before_start",
                    "終了日は開始日以降にしてください",
                    "The end must not be before the start");
}

/* ---- changing ---- */

static enum err log_program(struct ctx *c, const char *action,
                            const struct program *p,
                            const struct program *before)
{
    const struct program *side[2] = {before, p};
    const char *json[2] = {NULL, NULL};

    for (int i = 0; i < 2; i++) {
        struct buf b = buf_in(c->mem);
        struct json_out o = {.b = &b};
        if (!side[i])
            continue;
        json_open(&o, NULL, '{');
        json_text(&o, "name", side[i]->name);
        json_text(&o, "details", side[i]->details);
        json_id(&o, "parent", side[i]->parent_id);
        json_text(&o, "manager", side[i]->manager_name);
        json_day(&o, "start", side[i]->start_day);
        json_day(&o, "end", side[i]->end_day);
        json_text(&o, "state", program_state_words[side[i]->state]);
        json_text(&o, "labels", side[i]->label_names);
        json_close(&o, '}');
        json[i] = b.data;
    }
    const struct program *any = p ? p : before;
    return operation_log(
        c, &(struct operation){.action = action,
                               .kind = "program",
                               .object_id = any->id,
                               .object_name = arena_printf(c->mem, "%s %s",
                                                           any->key, any->name),
                               .before = json[0],
                               .after = json[1]});
}

enum err program_check_parent(struct ctx *c, int64_t id, int64_t parent_id)
{
    int64_t depth = 0, height = 1;
    bool is_loop = false;
    enum err e;

    if (parent_id == 0)
        return access_need_top(c, "parent", MAY_PROGRAM_ADD);
    if ((e = access_need_program(c, parent_id, MAY_PROGRAM_ADD)))
        return e;
    struct query *q = query(c, program_text[PROGRAM_ABOVE]);
    bind_int(q, 1, parent_id);
    bind_int(q, 2, id);
    if ((e = query_one(c, q)))
        return e;
    depth = col_int(q, 0);
    is_loop = col_int(q, 1) != 0;
    query_done(q);
    if (is_loop)
        return ctx_fail(c, ERR_CONFLICT, "parent", "parent_cycle",
                        "自分の配下には移せません",
                        "It cannot be moved below itself");
    if (id) {
        q = query(c, program_text[PROGRAM_HEIGHT]);
        bind_int(q, 1, id);
        if ((e = query_one(c, q)))
            return e;
        height = col_int(q, 0);
        query_done(q);
    }
    if (depth + height > PROGRAM_LEVELS)
        return ctx_fail(c, ERR_CONFLICT, "parent", "too_deep",
                        "プログラムは%d階層までです",
                        "Programs nest to %d levels", PROGRAM_LEVELS);
    return OK;
}

static enum err check(struct ctx *c, const struct program *p)
{
    enum err e = program_check_days(c, p->start_day, p->end_day);
    enum err f = access_check_user(c, "manager", p->manager_id);

    return e ? e : f;
}

static int32_t day_of(const struct values *v, const char *name, int32_t before)
{
    return values_has(v, name) ? (int32_t)values_int(v, name, DAY_NONE)
                               : before;
}

static void take_values(struct program *p, const struct values *v)
{
    if (values_text(v, "name"))
        p->name = values_text(v, "name");
    if (values_text(v, "details"))
        p->details = values_text(v, "details");
    if (values_has(v, "parent"))
        p->parent_id = values_int(v, "parent", 0);
    if (values_has(v, "manager"))
        p->manager_id = values_int(v, "manager", 0);
    p->start_day = day_of(v, "start", p->start_day);
    p->end_day = day_of(v, "end", p->end_day);
}

static enum err write_labels(struct ctx *c, int64_t id,
                             const struct program *before,
                             const struct values *v)
{
    const int64_t *ids;
    const char *names;
    size_t count;

    if (!values_has(v, "labels"))
        return OK;
    count = values_ids(v, "labels", &ids);
    enum err e =
        label_check(c, ids, count, before->labels, before->label_count, &names);
    return e ? e : label_write_of(c, LABEL_OF_PROGRAM, id, ids, count);
}

enum err program_create(struct ctx *c, const struct values *v,
                        struct program *out)
{
    struct program p = {
        .details = "", .start_day = DAY_NONE, .end_day = DAY_NONE};
    enum err e;

    take_values(&p, v);
    if ((e = program_check_parent(c, 0, p.parent_id)) || (e = check(c, &p)) ||
        (e = program_take_key(c, values_text(v, "key"))))
        return e;
    struct query *q = query(c, program_text[PROGRAM_INSERT]);
    bind_text(q, 1, values_text(v, "key"));
    bind_id(q, 2, p.parent_id);
    bind_text(q, 3, p.name);
    bind_text(q, 4, p.details);
    bind_id(q, 5, p.manager_id);
    bind_day(q, 6, p.start_day);
    bind_day(q, 7, p.end_day);
    bind_int(q, 8, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    int64_t id = db_last_id(c);
    if (p.manager_id &&
        (e = member_add_manager(c, (struct member_place){MEMBER_OF_PROGRAM, id},
                                p.manager_id)))
        return e;
    if ((e = write_labels(c, id, &p, v)) || (e = program_get(c, id, out)))
        return e;
    return log_program(c, "create", out, NULL);
}

enum err program_update(struct ctx *c, int64_t id, int64_t version,
                        const struct values *v, struct program *out)
{
    struct program before;
    enum err e = program_get(c, id, &before);

    if (e)
        return e;
    struct program p = before;
    take_values(&p, v);
    p.state = (enum program_state)values_int(v, "state", p.state);
    if ((e = check(c, &p)))
        return e;
    if (p.parent_id != before.parent_id &&
        ((e = program_check_parent(c, id, p.parent_id)) ||
         (e = move_apply(
              c, (struct member_place){MEMBER_OF_PROGRAM, id}, p.parent_id,
              (enum move_choice)values_int(v, "members", MOVE_UNSAID)))))
        return e;
    struct query *q = query(c, program_text[PROGRAM_UPDATE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_id(q, 3, p.parent_id);
    bind_text(q, 4, p.name);
    bind_text(q, 5, p.details);
    bind_id(q, 6, p.manager_id);
    bind_day(q, 7, p.start_day);
    bind_day(q, 8, p.end_day);
    bind_int(q, 9, p.state);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    if (p.manager_id && p.manager_id != before.manager_id &&
        (e = member_add_manager(c, (struct member_place){MEMBER_OF_PROGRAM, id},
                                p.manager_id)))
        return e;
    if ((e = write_labels(c, id, &before, v)) || (e = program_get(c, id, out)))
        return e;
    return log_program(c, "update", out, &before);
}

enum err program_delete(struct ctx *c, int64_t id, int64_t version)
{
    struct program before;
    enum err e = program_get(c, id, &before);

    if (e)
        return e;
    struct query *q = query(c, program_text[PROGRAM_IS_USED]);
    bind_int(q, 1, id);
    if ((e = query_one(c, q)))
        return e;
    bool is_used = col_int(q, 0) != 0;
    query_done(q);
    if (is_used)
        return ctx_fail(c, ERR_CONFLICT, "id", "not_empty",
                        "配下にプログラムまたはプロジェクトがあります",
                        "There are programs or projects in it");
    q = query(c, program_text[PROGRAM_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_int(q, 3, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return log_program(c, "delete", NULL, &before);
}
