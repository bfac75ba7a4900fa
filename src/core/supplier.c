/* SPDX-License-Identifier: Apache-2.0 */
/* Register of suppliers: whom the operator entrusts with what, and when that
 * was last looked at. */
#include "base/civil.h"
#include "base/clock.h"
#include "core/core.h"
#include "core/ledger.h"
#include "core/region.h"
#include "db/query.h"

static const char *const purpose_words[] = {"hosting", "mail", "backup",
                                            "other", NULL};
static const char *const risk_words[] = {"low", "medium", "high", NULL};

#define COLS                                                                   \
    "id, name, purpose, region, certificate, risk, reviewed_on,"               \
    " review_on, note, changed_by, changed_at, version FROM supplier"
static const char *const supplier_text[LEDGER_STATEMENTS] = {
    [LEDGER_LIST] = "SELECT " COLS " ORDER BY purpose, name LIMIT 500",
    [LEDGER_GET] = "SELECT " COLS " WHERE id = ?1",
    [LEDGER_ADD] =
        "INSERT INTO supplier (changed_at, changed_by, name, purpose, region,"
        " certificate, risk, reviewed_on, review_on, note) VALUES (?3, ?4, ?5,"
        " ?6, ?7, coalesce(?8, ''), ?9, ?10, ?11, coalesce(?12, ''))",
    [LEDGER_UPDATE] =
        "UPDATE supplier SET changed_at = ?3, changed_by = ?4, name = ?5,"
        " purpose = ?6, region = ?7, certificate = coalesce(?8, ''), risk = ?9,"
        " reviewed_on = ?10, review_on = ?11, note = coalesce(?12, ''),"
        " version = version + 1 WHERE id = ?1 AND version = ?2",
    [LEDGER_DELETE] = "DELETE FROM supplier WHERE id = ?1 AND version = ?2",
};
const struct query_set supplier_queries = {"supplier", supplier_text,
                                           COUNT(supplier_text)};

#define FIELDS                                                                   \
    {"name", FIELD_TEXT, 1, 200, FIELD_REQUIRED, NULL, NULL, "名称", "Name"},    \
        {"purpose", FIELD_CHOICE,   0,        0, FIELD_REQUIRED, purpose_words,  \
         NULL,      "委託する内容", "Purpose"},                                  \
        {"region", FIELD_TEXT, 2,      REGION_CHARS, FIELD_REQUIRED,             \
         NULL,     NULL,       "地域", "Region"},                                \
        {"certificate", FIELD_TEXT, 0,      300,          FIELD_NULLABLE,        \
         NULL,          NULL,       "認証", "Certificate"},                      \
        {"risk",     FIELD_CHOICE, 0,        0,     FIELD_REQUIRED,              \
         risk_words, NULL,         "リスク", "Risk"},                            \
        {"reviewed_on", FIELD_DAY, DAY_FIRST,      DAY_LAST,     FIELD_REQUIRED, \
         NULL,          NULL,      "最後の見直し", "Last review"},               \
        {"review_on", FIELD_DAY, DAY_FIRST,    DAY_LAST,     FIELD_REQUIRED,     \
         NULL,        NULL,      "次の見直し", "Next review"},                   \
    {                                                                            \
        "note", FIELD_LINES, 0, 2000, FIELD_NULLABLE, NULL, NULL, "備考",        \
            "Note"                                                               \
    }
static const struct field supplier_fields[] = {FIELDS};
const struct form supplier_form = {"SupplierForm", supplier_fields,
                                   COUNT(supplier_fields)};
static const struct field shown_fields[] = {
    {"id",         FIELD_ID,   0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    FIELDS,
    {"changed_by", FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"changed_at", FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"version",    FIELD_INT,  0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
};
const struct form supplier_shown = {"Supplier", shown_fields,
                                    COUNT(shown_fields)};

static enum err check(struct ctx *c, const struct ledger_row *before,
                      const struct values *v)
{
    (void)before;
    if (!v)
        return OK;
    int64_t last = values_int(v, "reviewed_on", 0);

    if (!region_is_tag(values_text(v, "region")))
        return ctx_fail(c, ERR_INVALID, "region", "region",
                        "地域は jp、jp-tokyo のように書いてください",
                        "Write the region like this: jp, jp-tokyo");
    if (last > clock_today(c->now_us))
        return ctx_fail(c, ERR_INVALID, "reviewed_on", "future",
                        "未来の日付です", "This day is in the future");
    if (values_int(v, "review_on", 0) <= last)
        return ctx_fail(c, ERR_INVALID, "review_on", "order",
                        "次の見直しは最後の見直しより後にしてください",
                        "The next review must be after the last one");
    return OK;
}

const struct ledger supplier_ledger = {
    .path = "suppliers",
    .kind = "supplier",
    .form = &supplier_form,
    .shown = &supplier_shown,
    .title = "name",
    .text = supplier_text,
    .check = check,
};
