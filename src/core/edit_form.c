/* SPDX-License-Identifier: Apache-2.0 */
/* Edits as a body brings them: one flat form for all operations, so that every
 * value is checked before the first edit is tried. */
#include "core/edit.h"

#include "core/dependency.h"
#include "core/field_value.h"
#include "core/label.h"

const char *const edit_op_words[] = {"create", "update", "delete", "restore",
                                     "link",   "relink", "unlink", NULL};

enum { EDITS_MAX = 2000, MINUTES_MAX = 60 * 24 * 365 * 100 };

static const struct field row_fields[] = {
    {"op",             FIELD_CHOICE, 0,                   0,                  FIELD_REQUIRED, edit_op_words,    NULL,              "操作",
     "Operation"                                                                                                                                                              },
    {"ref",            FIELD_TEXT,   1,                   64,                 0,              NULL,             NULL,              "仮ID",                    "Reference"    },
    {"id",             FIELD_TEXT,   1,                   64,                 0,              NULL,             NULL,              "ID",                       "Id"           },
    {"version",        FIELD_INT,    0,                   INT32_MAX,          0,              NULL,             NULL,              "版",                      "Version"      },
    {"predecessor",    FIELD_TEXT,   1,                   64,                 0,              NULL,             NULL,              "先行",                   "Predecessor"  },
    {"successor",      FIELD_TEXT,   1,                   64,                 0,              NULL,             NULL,              "後続",                   "Successor"    },
    {"link",           FIELD_ID,     0,                   0,                  0,              NULL,             NULL,              "依存関係",             "Link"         },
    {"kind",           FIELD_CHOICE, 0,                   0,                  0,              dependency_words, NULL,              "種類",                   "Kind"         },
    {"lag",            FIELD_INT,    -DEPENDENCY_LAG_MAX, DEPENDENCY_LAG_MAX, 0,              NULL,             NULL,
     "ラグ",                                                                                                                                                 "Lag"          },
    {"subject",        FIELD_TEXT,   1,                   255,                0,              NULL,             NULL,              "件名",                   "Subject"      },
    {"classification", FIELD_TEXT,   1,                   40,                 0,              NULL,             NULL,              "チケット分類",
     "Classification"                                                                                                                                                         },
    {"status",         FIELD_ID,     0,                   0,                  0,              NULL,             NULL,              "ステータス",          "Status"       },
    {"priority",       FIELD_CHOICE, 0,                   0,                  0,              priority_words,   NULL,              "優先度",
     "Priority"                                                                                                                                                               },
    {"parent",         FIELD_TEXT,   1,                   64,                 FIELD_NULLABLE, NULL,             NULL,              "親チケット",
     "Parent"                                                                                                                                                                 },
    {"after",          FIELD_TEXT,   1,                   64,                 FIELD_NULLABLE, NULL,             NULL,              "直前のチケット",
     "Previous sibling"                                                                                                                                                       },
    {"assignee",       FIELD_ID,     0,                   0,                  FIELD_NULLABLE, NULL,             NULL,              "担当者",
     "Assignee"                                                                                                                                                               },
    {"assignees",      FIELD_IDS,    0,                   20,                 0,              NULL,             NULL,              "担当者",                "Assignees"    },
    {"labels",         FIELD_IDS,    0,                   LABEL_PER_OBJECT,   0,              NULL,             NULL,              "ラベル",
     "Labels"                                                                                                                                                                 },
    {"team",           FIELD_ID,     0,                   0,                  FIELD_NULLABLE, NULL,             NULL,              "チーム",                "Team"         },
    {"fields",         FIELD_ROWS,   0,                   FIELD_PER_KIND,     0,              NULL,             &field_value_form,
     "項目",                                                                                                                                                 "Fields"       },
    {"planned_start",  FIELD_DAY,    0,                   0,                  FIELD_NULLABLE, NULL,             NULL,              "予定開始日",
     "Planned start"                                                                                                                                                          },
    {"planned_end",    FIELD_DAY,    0,                   0,                  FIELD_NULLABLE, NULL,             NULL,              "予定終了日",
     "Planned end"                                                                                                                                                            },
    {"actual_start",   FIELD_DAY,    0,                   0,                  FIELD_NULLABLE, NULL,             NULL,              "実績開始日",
     "Actual start"                                                                                                                                                           },
    {"actual_end",     FIELD_DAY,    0,                   0,                  FIELD_NULLABLE, NULL,             NULL,              "実績終了日",
     "Actual end"                                                                                                                                                             },
    {"due",            FIELD_DAY,    0,                   0,                  FIELD_NULLABLE, NULL,             NULL,              "期限",                   "Due"          },
    {"progress",       FIELD_INT,    0,                   100,                0,              NULL,             NULL,              "進捗率",                "Progress"     },
    {"estimate",       FIELD_INT,    0,                   MINUTES_MAX,        FIELD_NULLABLE, NULL,             NULL,
     "予定工数",                                                                                                                                           "Estimate"     },
    {"actual",         FIELD_INT,    0,                   MINUTES_MAX,        FIELD_NULLABLE, NULL,             NULL,
     "実績工数",                                                                                                                                           "Actual effort"},
    {"manual",         FIELD_BOOL,   0,                   0,                  0,              NULL,             NULL,              "手動スケジュール",
     "Manual schedule"                                                                                                                                                        },
    {"details",        FIELD_LINES,  0,                   100000,             0,              NULL,             NULL,              "詳細",                   "Details"      },
};
static const struct form row_form = {"Edit", row_fields, COUNT(row_fields)};
static const struct field edit_fields[] = {
    {"edits", FIELD_ROWS, 1, EDITS_MAX, FIELD_REQUIRED, NULL, &row_form, "編集",
     "Edits"},
};
const struct form edit_form = {"Edits", edit_fields, COUNT(edit_fields)};

/* A person's edit always says which version it was made on. */
static enum err check_versions(struct ctx *c, const struct edit *edits,
                               size_t n)
{
    enum err e = OK;

    for (size_t i = 0; i < n; i++)
        if ((edits[i].op == EDIT_UPDATE || edits[i].op == EDIT_DELETE) &&
            edits[i].version == 0)
            e = ctx_fail(c, ERR_INVALID,
                         arena_printf(c->mem, "%sversion", edits[i].where),
                         "required", "「版」を入力してください",
                         "Version is required");
    return e;
}

enum err edit_apply_form(struct ctx *c, int64_t project_id,
                         const struct values *body, int64_t since,
                         struct edit_result *out)
{
    const struct values *const *rows;
    size_t n = values_rows(body, "edits", &rows);
    struct edit *edits = arena_array(c->mem, struct edit, n ? n : 1);

    for (size_t i = 0; i < n; i++)
        edits[i] = (struct edit){
            .op = (enum edit_op)values_int(rows[i], "op", 0),
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
    return e ? e : edit_apply(c, project_id, edits, n, out);
}

bool edit_is_deleting(const struct values *body)
{
    const struct values *const *rows;
    size_t count = values_rows(body, "edits", &rows);

    for (size_t i = 0; i < count; i++) {
        int64_t op = values_int(rows[i], "op", EDIT_CREATE);
        if (op != EDIT_DELETE && op != EDIT_UNLINK)
            return false;
    }
    return true;
}
