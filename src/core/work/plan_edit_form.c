/* SPDX-License-Identifier: Apache-2.0 */
/* Edits as a body brings them: one flat form for all operations, so that every
 * value is checked before the first edit is tried. */
#include "core/work/plan_edit.h"

#include "core/master/field_value.h"
#include "core/master/label.h"
#include "core/work/dependency.h"

const char *const plan_edit_op_words[] = {
    "create", "update", "delete", "restore", "link", "relink", "unlink", NULL};

enum { EDITS_MAX = 2000, MINUTES_MAX = 60 * 24 * 365 * 100 };

static const struct field row_fields[] = {
    {CHOICE("op", plan_edit_op_words, REQUIRED, "操作", "Operation")},
    {TEXT("ref", 1, 64, OPTIONAL, "仮ID", "Reference")},
    {TEXT("id", 1, 64, OPTIONAL, "ID", "Id")},
    {INT("version", 0, INT32_MAX, OPTIONAL, "版", "Version")},
    {TEXT("predecessor", 1, 64, OPTIONAL, "先行", "Predecessor")},
    {TEXT("successor", 1, 64, OPTIONAL, "後続", "Successor")},
    {ID("link", OPTIONAL, "依存関係", "Link")},
    {CHOICE("kind", dependency_words, OPTIONAL, "種類", "Kind")},
    {INT("lag", -DEPENDENCY_LAG_MAX, DEPENDENCY_LAG_MAX, OPTIONAL, "ラグ",
         "Lag")},
    {TEXT("subject", 1, 255, OPTIONAL, "件名", "Subject")},
    {TEXT("classification", 1, 40, OPTIONAL, "チケット分類", "Classification")},
    {ID("status", OPTIONAL, "ステータス", "Status")},
    {CHOICE("priority", priority_words, OPTIONAL, "優先度", "Priority")},
    {TEXT("parent", 1, 64, NULLABLE, "親チケット", "Parent")},
    {TEXT("after", 1, 64, NULLABLE, "直前のチケット", "Previous sibling")},
    {ID("assignee", NULLABLE, "担当者", "Assignee")},
    {IDS("assignees", 20, OPTIONAL, "担当者", "Assignees")},
    {IDS("labels", LABEL_PER_OBJECT, OPTIONAL, "ラベル", "Labels")},
    {ID("team", NULLABLE, "チーム", "Team")},
    {ROWS("fields", &field_value_form, 0, FIELD_PER_KIND, OPTIONAL, "項目",
          "Fields")},
    {DAY("planned_start", NULLABLE, "予定開始日", "Planned start")},
    {DAY("planned_end", NULLABLE, "予定終了日", "Planned end")},
    {DAY("actual_start", NULLABLE, "実績開始日", "Actual start")},
    {DAY("actual_end", NULLABLE, "実績終了日", "Actual end")},
    {DAY("due", NULLABLE, "期限", "Due")},
    {INT("progress", 0, 100, OPTIONAL, "進捗率", "Progress")},
    {INT("estimate", 0, MINUTES_MAX, NULLABLE, "予定工数", "Estimate")},
    {INT("actual", 0, MINUTES_MAX, NULLABLE, "実績工数", "Actual effort")},
    {BOOL("manual", OPTIONAL, "手動スケジュール", "Manual schedule")},
    {LINES("details", 0, 100000, OPTIONAL, "詳細", "Details")},
};
static const struct form row_form = {"Edit", row_fields, COUNT(row_fields)};
static const struct field plan_edit_fields[] = {
    {ROWS("edits", &row_form, 1, EDITS_MAX, REQUIRED, "編集", "Edits")},
};
const struct form plan_edit_form = {"Edits", plan_edit_fields,
                                    COUNT(plan_edit_fields)};

/* A person's edit always says which version it was made on. */
static enum err check_versions(struct ctx *c, const struct plan_edit *edits,
                               size_t n)
{
    enum err e = OK;

    for (size_t i = 0; i < n; i++)
        if ((edits[i].op == PLAN_EDIT_UPDATE ||
             edits[i].op == PLAN_EDIT_DELETE) &&
            edits[i].version == 0)
            e = ctx_fail(c, ERR_INVALID,
                         arena_printf(c->mem, "%sversion", edits[i].where),
                         "required", "「版」を入力してください",
                         "Version is required");
    return e;
}

enum err plan_edit_apply_form(struct ctx *c, int64_t project_id,
                              const struct values *body, int64_t since,
                              struct plan_edit_result *out)
{
    const struct values *const *rows;
    size_t n = values_rows(body, "edits", &rows);
    struct plan_edit *edits = arena_array(c->mem, struct plan_edit, n ? n : 1);

    for (size_t i = 0; i < n; i++)
        edits[i] = (struct plan_edit){
            .op = (enum plan_edit_op)values_int(rows[i], "op", 0),
            .where = arena_printf(c->mem, "edits.%zu.", i),
            .ref = values_text(rows[i], "ref"),
            .target = values_text(rows[i], "id"),
            .version = values_int(rows[i], "version", 0),
            .values = rows[i],
            .predecessor = values_text(rows[i], "predecessor"),
            .successor = values_text(rows[i], "successor"),
            .link_id = values_int(rows[i], "link", 0),
            .kind = (int)values_int(rows[i], "kind", -1),
            .lag = values_int(rows[i], "lag", 0),
            .has_lag = values_has(rows[i], "lag"),
            .seen = since < 0 ? 0 : since,
        };
    enum err e = check_versions(c, edits, n);
    return e ? e : plan_edit_apply(c, project_id, edits, n, out);
}

bool plan_edit_is_deleting(const struct values *body)
{
    const struct values *const *rows;
    size_t count = values_rows(body, "edits", &rows);

    for (size_t i = 0; i < count; i++) {
        int64_t op = values_int(rows[i], "op", PLAN_EDIT_CREATE);
        if (op != PLAN_EDIT_DELETE && op != PLAN_EDIT_UNLINK)
            return false;
    }
    return true;
}
