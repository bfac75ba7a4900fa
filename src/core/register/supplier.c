/* SPDX-License-Identifier: Apache-2.0 */
/* Register of suppliers: whom the operator entrusts with what, and when that
 * was last looked at. */
#include "base/civil.h"
#include "base/clock.h"
#include "core/core.h"
#include "core/document/region.h"
#include "core/register/register.h"
#include "db/query.h"

static const char *const purpose_words[] = {"hosting", "mail", "backup",
                                            "other", NULL};
static const char *const risk_words[] = {"low", "medium", "high", NULL};

#define COLS                                                                   \
    "id, name, purpose, region, certificate, risk, reviewed_on,"               \
    " review_on, note, changed_by, changed_at, version FROM supplier"
static const char *const supplier_text[REGISTER_STATEMENTS] = {
    [REGISTER_LIST] = "SELECT " COLS " ORDER BY purpose, name LIMIT 500",
    [REGISTER_GET] = "SELECT " COLS " WHERE id = ?1",
    [REGISTER_ADD] =
        "INSERT INTO supplier (changed_at, changed_by, name, purpose, region,"
        " certificate, risk, reviewed_on, review_on, note) VALUES (?3, ?4, ?5,"
        " ?6, ?7, coalesce(?8, ''), ?9, ?10, ?11, coalesce(?12, ''))",
    [REGISTER_UPDATE] =
        "UPDATE supplier SET changed_at = ?3, changed_by = ?4, name = ?5,"
        " purpose = ?6, region = ?7, certificate = coalesce(?8, ''), risk = ?9,"
        " reviewed_on = ?10, review_on = ?11, note = coalesce(?12, ''),"
        " version = version + 1 WHERE id = ?1 AND version = ?2",
    [REGISTER_DELETE] = "DELETE FROM supplier WHERE id = ?1 AND version = ?2",
};
const struct query_set supplier_queries = {"supplier", supplier_text,
                                           COUNT(supplier_text)};

#define FIELDS                                                                 \
    {TEXT("name", 1, 200, REQUIRED, "名称", "Name")},                          \
        {CHOICE("purpose", purpose_words, REQUIRED, "委託する内容",            \
                "Purpose")},                                                   \
        {TEXT("region", 2, REGION_CHARS, REQUIRED, "地域", "Region")},         \
        {TEXT("certificate", 0, 300, NULLABLE, "認証", "Certificate")},        \
        {CHOICE("risk", risk_words, REQUIRED, "リスク", "Risk")},              \
        {DAY_IN("reviewed_on", DAY_FIRST, DAY_LAST, REQUIRED, "最後の見直し",  \
                "Last review")},                                               \
        {DAY_IN("review_on", DAY_FIRST, DAY_LAST, REQUIRED, "次の見直し",      \
                "Next review")},                                               \
    {                                                                          \
        LINES("note", 0, 2000, NULLABLE, "備考", "Note")                       \
    }
static const struct field supplier_fields[] = {
    FIELDS,
};
const struct form supplier_form = {"SupplierForm", supplier_fields,
                                   COUNT(supplier_fields)};
static const struct field shown_fields[] = {
    {OUT_ID("id", REQUIRED)},           FIELDS,
    {OUT_TEXT("changed_by", REQUIRED)}, {OUT_TEXT("changed_at", REQUIRED)},
    {OUT_INT("version", REQUIRED)},
};
const struct form supplier_shown = {"Supplier", shown_fields,
                                    COUNT(shown_fields)};

static enum err check(struct ctx *c, const struct register_row *before,
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

const struct register_kind supplier_register = {
    .path = "suppliers",
    .kind = "supplier",
    .form = &supplier_form,
    .shown = &supplier_shown,
    .title = "name",
    .text = supplier_text,
    .check = check,
};
