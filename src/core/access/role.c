/* SPDX-License-Identifier: Apache-2.0 */
/* A role is a set of bits; what makes one sensible is the table `follows`:
 * nobody changes what they may not see. */
#include "core/access/role.h"

#include "base/str.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

#define ROLE_COLS                                                              \
    "SELECT r.id, r.key, r.ja, r.en, r.details, r.rights, r.is_system,"        \
    " r.version, (SELECT count(*) FROM access a WHERE a.role_id = r.id)"       \
    " FROM role r"

enum {
    ROLE_LIST,
    ROLE_GET,
    ROLE_FIND,
    ROLE_NAMED,
    ROLE_PLACED,
    ROLE_INSERT,
    ROLE_UPDATE,
    ROLE_DELETE
};
static const char *const role_text[] = {
    [ROLE_LIST] = ROLE_COLS " ORDER BY r.is_system DESC, r.rank, r.id",
    [ROLE_GET] = ROLE_COLS " WHERE r.id = ?1",
    [ROLE_FIND] = ROLE_COLS " WHERE r.key = ?1",
    [ROLE_NAMED] = "SELECT EXISTS (SELECT 1 FROM role WHERE id <> ?1"
                   " AND (ja = ?2 OR en = ?3))",
    [ROLE_PLACED] = "SELECT EXISTS (SELECT 1 FROM access WHERE role_id = ?1"
                    " AND (program_id IS NOT NULL OR project_id IS NOT NULL))",
    [ROLE_INSERT] =
        "INSERT INTO role (key, ja, en, details, rights, rank) VALUES ('role-'"
        " || (SELECT max(id) + 1 FROM role), ?1, ?2, ?3, ?4, 100)",
    [ROLE_UPDATE] = "UPDATE role SET ja = ?3, en = ?4, details = ?5,"
                    " rights = ?6, version = version + 1"
                    " WHERE id = ?1 AND version = ?2",
    [ROLE_DELETE] = "DELETE FROM role WHERE id = ?1 AND version = ?2",
};
const struct query_set role_queries = {"role", role_text, COUNT(role_text)};

#define ROLE_FIELDS(required)                                                  \
    {TEXT("ja", 1, 60, required, "名前", "Name")},                             \
        {TEXT("en", 0, 60, OPTIONAL, "英語の名前", "Name in English")},        \
        {LINES("details", 0, 500, OPTIONAL, "説明", "Details")},               \
    {                                                                          \
        WORDS("rights", permission_words, required, "権限", "Permissions")     \
    }
static const struct field role_fields[] = {
    ROLE_FIELDS(REQUIRED),
};
const struct form role_form = {"RoleCreate", role_fields, COUNT(role_fields)};
static const struct field role_edit_fields[] = {
    ROLE_FIELDS(0),
};
const struct form role_edit_form = {"RoleEdit", role_edit_fields,
                                    COUNT(role_edit_fields)};

/* ---- reading ---- */

static void read_role(struct ctx *c, struct query *q, struct role *out)
{
    *out = (struct role){
        .id = col_int(q, 0),
        .key = col_text(c, q, 1),
        .ja = col_text(c, q, 2),
        .en = col_text(c, q, 3),
        .details = col_text(c, q, 4),
        .rights = (unsigned)col_int(q, 5),
        .is_system = col_int(q, 6) != 0,
        .version = col_int(q, 7),
        .uses = col_int(q, 8),
    };
}

enum err role_list(struct ctx *c, const struct role **out, size_t *count)
{
    struct query *q = query(c, role_text[ROLE_LIST]);
    struct buf rows = buf_in(c->mem);
    struct role r;
    enum err e;

    while (query_next(c, q, &e)) {
        read_role(c, q, &r);
        buf_put(&rows, &r, sizeof r);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof r;
    return e;
}

enum err role_find(struct ctx *c, const char *key, struct role *out)
{
    struct query *q = query(c, role_text[ROLE_FIND]);

    bind_text(q, 1, key);
    enum err e = query_one(c, q);
    if (e)
        return e;
    read_role(c, q, out);
    query_done(q);
    return OK;
}

enum err role_find_named(struct ctx *c, const char *id_or_key, struct role *out)
{
    int64_t id;
    enum err e = str_parse_int(id_or_key, 1, INT64_MAX, &id)
                     ? role_get(c, id, out)
                     : role_find(c, id_or_key, out);

    if (e != ERR_NOT_FOUND)
        return e;
    c->fail = NULL; /* it is a value here, not what the request is about */
    return ctx_fail(c, ERR_INVALID, "role", "role", "ロールが見つかりません",
                    "No such role");
}

enum err role_get(struct ctx *c, int64_t id, struct role *out)
{
    struct query *q = query(c, role_text[ROLE_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "id", "not_found", "ロールが見つかりません",
                        "No such role");
    if (e)
        return e;
    read_role(c, q, out);
    query_done(q);
    return OK;
}

/* ---- rules ---- */

/* As the screens call them, by bit. */
static const char *const called[][2] = {
    {"プログラムの参照", "View programs"},
    {"プログラムの追加", "Add programs"},
    {"プログラムの編集", "Edit programs"},
    {"プログラムの削除", "Delete programs"},
    {"プロジェクトの参照", "View projects"},
    {"プロジェクトの追加", "Add projects"},
    {"プロジェクトの編集", "Edit projects"},
    {"プロジェクトの削除", "Delete projects"},
    {"チケットの参照", "View tickets"},
    {"チケットの追加", "Add tickets"},
    {"チケットの編集", "Edit tickets"},
    {"チケットの削除", "Delete tickets"},
    {"自分のチケットの編集", "Edit one's own tickets"},
    {"コメント", "Comment"},
    {"メンバーの管理", "Manage members"},
};

static const char *name_of(struct ctx *c, unsigned bit)
{
    for (size_t i = 0; i < COUNT(called); i++)
        if (bit & (1u << i))
            return ctx_text(c, called[i][LANG_JA], called[i][LANG_EN]);
    return "";
}

bool role_is_sound(unsigned rights)
{
    for (size_t i = 0; i < access_rule_count; i++)
        if ((rights & access_rules[i].of) && !(rights & access_rules[i].view))
            return false;
    return rights != 0;
}

static enum err check_rights(struct ctx *c, unsigned rights)
{
    enum err e = OK;

    if (!rights)
        e = ctx_fail(c, ERR_INVALID, "rights", "empty",
                     "権限を1つ以上選んでください",
                     "Choose at least one permission");
    for (size_t i = 0; i < access_rule_count; i++)
        for (unsigned bit = 1; bit < MAY_EVERYTHING; bit <<= 1)
            if ((rights & access_rules[i].of & bit) &&
                !(rights & access_rules[i].view))
                e = ctx_fail(c, ERR_INVALID, "rights", "needs_view",
                             "権限「%s」には「%s」も必要です（見えないものは"
                             "変更できません）",
                             "“%s” needs “%s” too: nobody changes"
                             " what they cannot see",
                             name_of(c, bit), name_of(c, access_rules[i].view));
    return e;
}

static enum err check_name(struct ctx *c, const struct role *r)
{
    struct query *q = query(c, role_text[ROLE_NAMED]);

    bind_int(q, 1, r->id);
    bind_text(q, 2, r->ja);
    bind_text(q, 3, r->en);
    enum err e = query_one(c, q);
    if (e)
        return e;
    bool is_taken = col_int(q, 0) != 0;
    query_done(q);
    return is_taken ? ctx_fail(c, ERR_CONFLICT, "ja", "name_taken",
                               "この名前のロールはすでにあります",
                               "There is a role of this name already")
                    : OK;
}

static enum err check_areas(struct ctx *c, unsigned rights)
{
    return rights & MAY_ADMINISTER ? access_need_master(c) : OK;
}

/* A role that gains an area stands on the tenant alone (see member_put()). */
static enum err check_places(struct ctx *c, const struct role *before,
                             unsigned rights)
{
    if (!(rights & ~before->rights & MAY_ADMINISTER))
        return OK;
    struct query *q = query(c, role_text[ROLE_PLACED]);
    bind_int(q, 1, before->id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    bool is_placed = col_int(q, 0) != 0;
    query_done(q);
    return is_placed
               ? ctx_fail(c, ERR_CONFLICT, "rights", "role_area",
                          "このロールはプログラムかプロジェクトに付与されて"
                          "います。管理の権限はテナント全体への付与でだけ働き"
                          "ます",
                          "This role is given on programs or projects; areas"
                          " of administration work on the whole tenant only")
               : OK;
}

static enum err check_fixed(struct ctx *c, const struct role *r)
{
    return r->is_system
               ? ctx_fail(c, ERR_CONFLICT, "id", "system_role",
                          "標準のロールは変更できません。新しいロールを"
                          "作ってください",
                          "A role of the product cannot be changed; add one of"
                          " your own")
               : OK;
}

static void take_values(struct role *r, const struct values *v)
{
    if (values_text(v, "ja"))
        r->ja = values_text(v, "ja");
    if (values_text(v, "en"))
        r->en = values_text(v, "en");
    if (!r->en || !*r->en)
        r->en = r->ja;
    if (values_text(v, "details"))
        r->details = values_text(v, "details");
    r->rights = (unsigned)values_int(v, "rights", r->rights);
}

/* ---- changing ---- */

static const char *as_json(struct ctx *c, const struct role *r)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    if (!r)
        return NULL;
    json_open(&o, NULL, '{');
    json_text(&o, "ja", r->ja);
    json_text(&o, "en", r->en);
    json_text(&o, "details", r->details);
    access_put_rights(&o, "rights", r->rights);
    json_close(&o, '}');
    return b.data;
}

static enum err log_role(struct ctx *c, const struct role *before,
                         const struct role *after)
{
    const struct role *any = after ? after : before;

    must(any);

    return operation_log(c, &(struct operation){.action = !before  ? "create"
                                                          : !after ? "delete"
                                                                   : "update",
                                                .kind = "role",
                                                .object_id = any->id,
                                                .object_name = any->ja,
                                                .before = as_json(c, before),
                                                .after = as_json(c, after)});
}

enum err role_create(struct ctx *c, const struct values *v, struct role *out)
{
    struct role r = {.details = ""};

    take_values(&r, v);
    enum err e = check_rights(c, r.rights);
    if (e || (e = check_areas(c, r.rights)) || (e = check_name(c, &r)))
        return e;
    struct query *q = query(c, role_text[ROLE_INSERT]);
    bind_text(q, 1, r.ja);
    bind_text(q, 2, r.en);
    bind_text(q, 3, r.details);
    bind_int(q, 4, r.rights);
    if ((e = query_run(c, q)) || (e = role_get(c, db_last_id(c), out)))
        return e;
    return log_role(c, NULL, out);
}

enum err role_update(struct ctx *c, int64_t id, int64_t version,
                     const struct values *v, struct role *out)
{
    struct role before;
    enum err e = role_get(c, id, &before);

    if (e || (e = check_fixed(c, &before)))
        return e;
    struct role r = before;
    take_values(&r, v);
    if ((e = check_rights(c, r.rights)) ||
        (e = check_areas(c, before.rights | r.rights)) ||
        (e = check_places(c, &before, r.rights)) || (e = check_name(c, &r)))
        return e;
    struct query *q = query(c, role_text[ROLE_UPDATE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_text(q, 3, r.ja);
    bind_text(q, 4, r.en);
    bind_text(q, 5, r.details);
    bind_int(q, 6, r.rights);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    if ((e = role_get(c, id, out)))
        return e;
    return log_role(c, &before, out);
}

enum err role_delete(struct ctx *c, int64_t id, int64_t version)
{
    struct role before;
    enum err e = role_get(c, id, &before);

    if (e || (e = check_fixed(c, &before)) ||
        (e = check_areas(c, before.rights)))
        return e;
    if (before.uses)
        return ctx_fail(c, ERR_CONFLICT, "id", "in_use",
                        "このロールは%lld件の付与で使われています。先に外して"
                        "ください",
                        "%lld grants name this role; take them away first",
                        (long long)before.uses);
    struct query *q = query(c, role_text[ROLE_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return log_role(c, &before, NULL);
}

void role_put_json(struct json_out *o, const char *name, const struct role *r)
{
    json_open(o, name, '{');
    json_id(o, "id", r->id);
    json_text(o, "key", r->key);
    json_text(o, "ja", r->ja);
    json_text(o, "en", r->en);
    json_text(o, "details", r->details);
    access_put_rights(o, "rights", r->rights);
    json_bool(o, "is_system", r->is_system);
    json_int(o, "uses", r->uses);
    json_int(o, "version", r->version);
    json_close(o, '}');
}
