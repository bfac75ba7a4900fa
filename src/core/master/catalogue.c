/* SPDX-License-Identifier: Apache-2.0 */
/* Classifications, statuses and roles: few rows, read whole.  What a new
 * tenant gets is a table here, not SQL in the schema, so that a tenant may
 * change its own without a migration meddling with it. */
#include "core/master/catalogue.h"

#include "base/str.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/master/field.h"
#include "core/master/label.h"
#include "core/master/team.h"

#include <string.h>

enum {
    CAT_CLASSIFICATIONS,
    CAT_STATUSES,
    CAT_ROLES,
    CAT_ADD_CLASSIFICATION,
    CAT_ADD_STATUS,
    CAT_ADD_ROLE,
    CAT_ADD_CALENDAR,
    CAT_ADD_TENANT,
};
static const char *const catalogue_text[] = {
    [CAT_CLASSIFICATIONS] =
        "SELECT id, key, family, ja, en, color,"
        " is_hidden, version FROM classification ORDER BY family, rank",
    [CAT_STATUSES] = "SELECT id, classification_id, ja, en, color, category,"
                     " is_hidden"
                     " FROM status ORDER BY classification_id, rank",
    [CAT_ROLES] = "SELECT id, key, ja, en, rights FROM role"
                  " ORDER BY is_system DESC, rank, id",
    [CAT_ADD_CLASSIFICATION] =
        "INSERT INTO classification (key, family, ja, en, color, rank)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [CAT_ADD_STATUS] =
        "INSERT INTO status (classification_id, ja, en, color, category, rank)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [CAT_ADD_ROLE] = "INSERT INTO role (key, ja, en, rights, rank,"
                     " is_system) VALUES (?1, ?2, ?3, ?4, ?5, 1)",
    [CAT_ADD_CALENDAR] = "INSERT INTO calendar (name, weekdays, holidays)"
                         " VALUES (?1, 62, 1)",
    [CAT_ADD_TENANT] =
        "INSERT INTO tenant (id, name, lang, calendar_id, created_at)"
        " VALUES (1, ?1, ?2, ?3, ?4)",
};
const struct query_set catalogue_queries = {"catalogue", catalogue_text,
                                            COUNT(catalogue_text)};

const char *const family_words[] = {"wbs", "management", "agile", NULL};
const char *const category_words[] = {"todo", "doing", "done", NULL};
const char *const priority_words[] = {"urgent", "high", "medium", "low", NULL};

/* ---- reading ---- */

static enum err load_classifications(struct ctx *c, struct catalogue *out)
{
    struct query *q = query(c, catalogue_text[CAT_CLASSIFICATIONS]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct classification k = {
            .id = col_int(q, 0),
            .key = col_text(c, q, 1),
            .family = (enum family)col_int(q, 2),
            .ja = col_text(c, q, 3),
            .en = col_text(c, q, 4),
            .color = col_text(c, q, 5),
            .is_hidden = col_int(q, 6) != 0,
            .version = col_int(q, 7),
        };
        buf_put(&rows, &k, sizeof k);
    }
    out->classifications = (void *)rows.data;
    out->count = rows.len / sizeof *out->classifications;
    return e;
}

static enum err load_statuses(struct ctx *c, struct catalogue *out)
{
    struct query *q = query(c, catalogue_text[CAT_STATUSES]);
    enum err e;

    while (query_next(c, q, &e)) {
        size_t i = 0;
        while (i < out->count && out->classifications[i].id != col_int(q, 1))
            i++;
        if (i == out->count ||
            out->classifications[i].status_count == CATALOGUE_STATUSES_MAX)
            continue;
        struct classification *k = &out->classifications[i];
        if (!k->statuses)
            k->statuses =
                arena_array(c->mem, struct status, CATALOGUE_STATUSES_MAX);
        k->statuses[k->status_count++] = (struct status){
            .id = col_int(q, 0),
            .ja = col_text(c, q, 2),
            .en = col_text(c, q, 3),
            .color = col_text(c, q, 4),
            .category = (enum category)col_int(q, 5),
            .is_hidden = col_int(q, 6) != 0,
        };
    }
    return e;
}

enum err catalogue_load(struct ctx *c, const struct catalogue **out)
{
    struct catalogue *k = arena_new(c->mem, struct catalogue);
    enum err e = load_classifications(c, k);

    if (!e)
        e = load_statuses(c, k);
    *out = k;
    return e;
}

const struct classification *catalogue_find(const struct catalogue *k,
                                            int64_t id)
{
    for (size_t i = 0; i < k->count; i++)
        if (k->classifications[i].id == id)
            return &k->classifications[i];
    return NULL;
}

const struct classification *catalogue_find_key(const struct catalogue *k,
                                                const char *key)
{
    for (size_t i = 0; i < k->count; i++)
        if (str_equal(k->classifications[i].key, key))
            return &k->classifications[i];
    return NULL;
}

const struct status *classification_find_status(const struct classification *k,
                                                int64_t id)
{
    for (size_t i = 0; i < k->status_count; i++)
        if (k->statuses[i].id == id)
            return &k->statuses[i];
    return NULL;
}

const struct status *classification_first(const struct classification *k,
                                          enum category category)
{
    for (size_t i = 0; i < k->status_count; i++)
        if (k->statuses[i].category == category && !k->statuses[i].is_hidden)
            return &k->statuses[i];
    must(k->status_count > 0);
    return &k->statuses[0];
}

static void put_classification(struct json_out *o,
                               const struct classification *k)
{
    json_open(o, NULL, '{');
    json_id(o, "id", k->id);
    json_text(o, "key", k->key);
    json_text(o, "family", family_words[k->family]);
    json_text(o, "ja", k->ja);
    json_text(o, "en", k->en);
    json_text(o, "color", k->color);
    json_bool(o, "is_hidden", k->is_hidden);
    json_int(o, "version", k->version);
    json_open(o, "statuses", '[');
    for (size_t i = 0; i < k->status_count; i++) {
        json_open(o, NULL, '{');
        json_id(o, "id", k->statuses[i].id);
        json_text(o, "ja", k->statuses[i].ja);
        json_text(o, "en", k->statuses[i].en);
        json_text(o, "color", k->statuses[i].color);
        json_text(o, "category", category_words[k->statuses[i].category]);
        json_bool(o, "is_hidden", k->statuses[i].is_hidden);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_close(o, '}');
}

static enum err put_roles(struct ctx *c, struct json_out *o)
{
    struct query *q = query(c, catalogue_text[CAT_ROLES]);
    enum err e;

    json_open(o, "roles", '[');
    while (query_next(c, q, &e)) {
        json_open(o, NULL, '{');
        json_id(o, "id", col_int(q, 0));
        json_text(o, "key", col_peek(q, 1));
        json_text(o, "ja", col_peek(q, 2));
        json_text(o, "en", col_peek(q, 3));
        access_put_rights(o, "rights", (unsigned)col_int(q, 4));
        json_close(o, '}');
    }
    json_close(o, ']');
    return e;
}

enum err catalogue_write(struct ctx *c, struct json_out *o)
{
    static const struct {
        const char *key, *ja, *en;
    } priorities[] = {{"urgent", "緊急", "Urgent"},
                      {"high", "高", "High"},
                      {"medium", "中", "Medium"},
                      {"low", "低", "Low"}};
    const struct catalogue *k;
    enum err e = catalogue_load(c, &k);

    if (e)
        return e;
    json_open(o, NULL, '{');
    json_open(o, "classifications", '[');
    for (size_t i = 0; i < k->count; i++)
        put_classification(o, &k->classifications[i]);
    json_close(o, ']');
    e = put_roles(c, o);
    json_open(o, "priorities", '[');
    for (size_t i = 0; i < COUNT(priorities); i++) {
        json_open(o, NULL, '{');
        json_text(o, "key", priorities[i].key);
        json_text(o, "ja", priorities[i].ja);
        json_text(o, "en", priorities[i].en);
        json_close(o, '}');
    }
    json_close(o, ']');
    if (e || (e = label_put_catalogue(c, o)) ||
        (e = team_put_catalogue(c, o)) || (e = field_put_catalogue(c, o)))
        return e;
    json_close(o, '}');
    return OK;
}

/* ---- what a new tenant starts with ---- */

#define VIEW (MAY_PROGRAM_VIEW | MAY_PROJECT_VIEW | MAY_TICKET_VIEW)

static const struct {
    const char *key, *ja, *en;
    unsigned rights;
} roles[] = {
    {"manager", "マネージャー", "Manager", MAY_EVERYTHING},
    {"leader", "リーダー", "Leader",
     VIEW | MAY_PROJECT_EDIT | MAY_TICKET_ADD | MAY_TICKET_EDIT |
         MAY_TICKET_DELETE | MAY_TICKET_EDIT_OWN | MAY_COMMENT |
         MAY_MEMBER_EDIT},
    {"member", "メンバー", "Member",
     VIEW | MAY_TICKET_ADD | MAY_TICKET_EDIT | MAY_TICKET_EDIT_OWN |
         MAY_COMMENT},
    {"contributor", "協力者", "Contributor",
     VIEW | MAY_TICKET_EDIT_OWN | MAY_COMMENT},
    {"commenter", "コメント可", "Commenter", VIEW | MAY_COMMENT},
    {"viewer", "閲覧者", "Viewer", VIEW},
};

static const struct status work_statuses[] = {
    {0, "未着手", "Not started", "gray", CATEGORY_TODO, false},
    {0, "進行中", "In progress", "blue", CATEGORY_DOING, false},
    {0, "保留", "On hold", "amber", CATEGORY_DOING, false},
    {0, "完了", "Done", "green", CATEGORY_DONE, false},
};
static const struct status milestone_statuses[] = {
    {0, "未達", "Not reached", "gray", CATEGORY_TODO, false},
    {0, "達成", "Reached", "green", CATEGORY_DONE, false},
};
static const struct status issue_statuses[] = {
    {0, "未対応", "Open", "gray", CATEGORY_TODO, false},
    {0, "対応中", "In progress", "blue", CATEGORY_DOING, false},
    {0, "保留", "On hold", "amber", CATEGORY_DOING, false},
    {0, "完了", "Closed", "green", CATEGORY_DONE, false},
};
static const struct status risk_statuses[] = {
    {0, "特定", "Identified", "gray", CATEGORY_TODO, false},
    {0, "監視中", "Watching", "blue", CATEGORY_DOING, false},
    {0, "対応中", "Responding", "amber", CATEGORY_DOING, false},
    {0, "顕在化", "Occurred", "red", CATEGORY_DONE, false},
    {0, "終結", "Closed", "green", CATEGORY_DONE, false},
};
static const struct status change_statuses[] = {
    {0, "起票", "Raised", "gray", CATEGORY_TODO, false},
    {0, "検討中", "In review", "blue", CATEGORY_DOING, false},
    {0, "承認", "Approved", "amber", CATEGORY_DOING, false},
    {0, "却下", "Rejected", "red", CATEGORY_DONE, false},
    {0, "完了", "Done", "green", CATEGORY_DONE, false},
};
static const struct status review_statuses[] = {
    {0, "未着手", "Not started", "gray", CATEGORY_TODO, false},
    {0, "レビュー中", "In review", "blue", CATEGORY_DOING, false},
    {0, "差し戻し", "Sent back", "amber", CATEGORY_DOING, false},
    {0, "完了", "Done", "green", CATEGORY_DONE, false},
};
static const struct status test_statuses[] = {
    {0, "未実施", "Not run", "gray", CATEGORY_TODO, false},
    {0, "実施中", "Running", "blue", CATEGORY_DOING, false},
    {0, "不合格", "Failed", "red", CATEGORY_DOING, false},
    {0, "合格", "Passed", "green", CATEGORY_DONE, false},
};
static const struct status bug_statuses[] = {
    {0, "新規", "New", "gray", CATEGORY_TODO, false},
    {0, "調査中", "Investigating", "blue", CATEGORY_DOING, false},
    {0, "修正中", "Fixing", "blue", CATEGORY_DOING, false},
    {0, "確認待ち", "To verify", "amber", CATEGORY_DOING, false},
    {0, "保留", "On hold", "amber", CATEGORY_DOING, false},
    {0, "完了", "Done", "green", CATEGORY_DONE, false},
};

#define STATUSES(of) of##_statuses, COUNT(of##_statuses)
static const struct {
    const char *key;
    enum family family;
    const char *ja, *en, *color;
    const struct status *statuses;
    size_t status_count;
} classifications[] = {
    {"phase", FAMILY_WBS, "フェーズ", "Phase", "violet", STATUSES(work)},
    {"task", FAMILY_WBS, "タスク", "Task", "blue", STATUSES(work)},
    {"deliverable", FAMILY_WBS, "成果物", "Deliverable", "teal",
     STATUSES(work)},
    {"milestone", FAMILY_WBS, "マイルストーン", "Milestone", "amber",
     STATUSES(milestone)},
    {"issue", FAMILY_MANAGEMENT, "課題", "Issue", "orange", STATUSES(issue)},
    {"risk", FAMILY_MANAGEMENT, "リスク", "Risk", "red", STATUSES(risk)},
    {"todo", FAMILY_MANAGEMENT, "ToDo", "To-do", "gray", STATUSES(issue)},
    {"change", FAMILY_MANAGEMENT, "変更", "Change", "violet", STATUSES(change)},
    {"review", FAMILY_MANAGEMENT, "レビュー", "Review", "teal",
     STATUSES(review)},
    {"test", FAMILY_MANAGEMENT, "テスト", "Test", "green", STATUSES(test)},
    {"bug", FAMILY_MANAGEMENT, "不具合", "Bug", "red", STATUSES(bug)},
    {"epic", FAMILY_AGILE, "エピック", "Epic", "violet", STATUSES(work)},
    {"story", FAMILY_AGILE, "ストーリー", "Story", "green", STATUSES(work)},
    {"agile_task", FAMILY_AGILE, "タスク", "Task", "blue", STATUSES(work)},
    {"agile_issue", FAMILY_AGILE, "課題", "Issue", "orange", STATUSES(issue)},
    {"agile_bug", FAMILY_AGILE, "不具合", "Bug", "red", STATUSES(bug)},
};

static enum err add_roles(struct ctx *c)
{
    enum err e = OK;

    for (size_t i = 0; i < COUNT(roles) && !e; i++) {
        struct query *q = query(c, catalogue_text[CAT_ADD_ROLE]);
        bind_text(q, 1, roles[i].key);
        bind_text(q, 2, roles[i].ja);
        bind_text(q, 3, roles[i].en);
        bind_int(q, 4, roles[i].rights);
        bind_int(q, 5, (int64_t)i);
        e = query_run(c, q);
    }
    return e;
}

static enum err add_statuses(struct ctx *c, int64_t classification_id,
                             const struct status *set, size_t count)
{
    enum err e = OK;

    for (size_t i = 0; i < count && !e; i++) {
        struct query *q = query(c, catalogue_text[CAT_ADD_STATUS]);
        bind_int(q, 1, classification_id);
        bind_text(q, 2, set[i].ja);
        bind_text(q, 3, set[i].en);
        bind_text(q, 4, set[i].color);
        bind_int(q, 5, set[i].category);
        bind_int(q, 6, (int64_t)i);
        e = query_run(c, q);
    }
    return e;
}

static enum err add_classifications(struct ctx *c)
{
    enum err e = OK;

    for (size_t i = 0; i < COUNT(classifications) && !e; i++) {
        struct query *q = query(c, catalogue_text[CAT_ADD_CLASSIFICATION]);
        bind_text(q, 1, classifications[i].key);
        bind_int(q, 2, classifications[i].family);
        bind_text(q, 3, classifications[i].ja);
        bind_text(q, 4, classifications[i].en);
        bind_text(q, 5, classifications[i].color);
        bind_int(q, 6, (int64_t)i);
        e = query_run(c, q);
        if (!e)
            e = add_statuses(c, db_last_id(c), classifications[i].statuses,
                             classifications[i].status_count);
    }
    return e;
}

enum err seed_tenant(struct ctx *c, const char *name, enum lang lang)
{
    enum err e = add_roles(c);

    if (e || (e = add_classifications(c)))
        return e;
    struct query *q = query(c, catalogue_text[CAT_ADD_CALENDAR]);
    bind_text(q, 1, lang == LANG_JA ? "標準カレンダー" : "Standard calendar");
    if ((e = query_run(c, q)))
        return e;
    int64_t calendar_id = db_last_id(c);
    q = query(c, catalogue_text[CAT_ADD_TENANT]);
    bind_text(q, 1, name);
    bind_int(q, 2, lang);
    bind_int(q, 3, calendar_id);
    bind_int(q, 4, c->now_us);
    return query_run(c, q);
}
