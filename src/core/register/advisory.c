/* SPDX-License-Identifier: Apache-2.0 */
/* Register of advisories: who judged when what one means here, and how
 * tenants were told.  A judged one stays for ever. */
#include "base/civil.h"
#include "base/clock.h"
#include "base/str.h"
#include "core/core.h"
#include "core/register/register.h"
#include "db/query.h"

static const char *const impact_words[] = {"none", "low", "medium", "high",
                                           NULL};
static const char *const state_words[] = {"open", "judged", "closed", NULL};

#define COLS                                                                   \
    "id, component, advisory, link, summary, found_on, impact,"                \
    " judgement, notice, is_closed, iif(is_closed, 2, impact IS NOT NULL),"    \
    " judged_by, judged_at, closed_at, changed_by, changed_at, version FROM "  \
    "advisory"
/* Who judged stays until the judgement is another. */
#define IS_JUDGED_ANEW "impact IS NOT ?10 OR judgement IS NOT coalesce(?11, '')"
static const char *const advisory_text[REGISTER_STATEMENTS] = {
    [REGISTER_LIST] = "SELECT " COLS " ORDER BY is_closed, impact IS NOT NULL,"
                      " found_on DESC, id DESC LIMIT 500",
    [REGISTER_GET] = "SELECT " COLS " WHERE id = ?1",
    [REGISTER_ADD] =
        "INSERT INTO advisory (changed_at, changed_by, component, advisory,"
        " link, summary, found_on, impact, judgement, notice, is_closed,"
        " judged_by, judged_at, closed_at) VALUES (?3, ?4, ?5, ?6,"
        " coalesce(?7, ''), ?8, ?9, ?10, coalesce(?11, ''), coalesce(?12, ''),"
        " coalesce(?13, 0), iif(?10 IS NULL, NULL, ?4),"
        " iif(?10 IS NULL, NULL, ?3), iif(?13, ?3, NULL))",
    [REGISTER_UPDATE] =
        "UPDATE advisory SET changed_at = ?3, changed_by = ?4, component = ?5,"
        " advisory = ?6, link = coalesce(?7, ''), summary = ?8, found_on = ?9,"
        " judged_by = iif(" IS_JUDGED_ANEW ", ?4, judged_by),"
        " judged_at = iif(" IS_JUDGED_ANEW ", ?3, judged_at),"
        " impact = ?10, judgement = coalesce(?11, ''),"
        " notice = coalesce(?12, ''),"
        " closed_at = iif(?13, coalesce(closed_at, ?3), NULL),"
        " is_closed = coalesce(?13, 0), version = version + 1"
        " WHERE id = ?1 AND version = ?2",
    [REGISTER_DELETE] = "DELETE FROM advisory WHERE id = ?1 AND version = ?2",
};
const struct query_set advisory_queries = {"advisory", advisory_text,
                                           COUNT(advisory_text)};

#define FIELDS                                                                 \
    {TEXT("component", 1, 100, REQUIRED, "部品", "Component")},                \
        {TEXT("advisory", 1, 100, REQUIRED, "番号", "Advisory")},              \
        {TEXT("link", 0, 500, NULLABLE, "参照", "Link")},                      \
        {LINES("summary", 1, 4000, REQUIRED, "概要", "Summary")},              \
        {DAY_IN("found_on", DAY_FIRST, DAY_LAST, REQUIRED, "把握した日",       \
                "Learnt of on")},                                              \
        {CHOICE("impact", impact_words, NULLABLE, "影響", "Impact")},          \
        {LINES("judgement", 0, 4000, NULLABLE, "判断の理由", "Judgement")},    \
        {TEXT("notice", 0, 300, NULLABLE, "お客様への通知", "Notice")},        \
    {                                                                          \
        BOOL("is_closed", OPTIONAL, "対応済み", "Closed")                      \
    }
static const struct field advisory_fields[] = {
    FIELDS,
};
const struct form advisory_form = {"AdvisoryForm", advisory_fields,
                                   COUNT(advisory_fields)};
static const struct field shown_fields[] = {
    {OUT_ID("id", REQUIRED)},
    FIELDS,
    {OUT_CHOICE("state", state_words, REQUIRED)},
    {OUT_TEXT("judged_by", NULLABLE)},
    {OUT_TEXT("judged_at", NULLABLE)},
    {OUT_TEXT("closed_at", NULLABLE)},
    {OUT_TEXT("changed_by", REQUIRED)},
    {OUT_TEXT("changed_at", REQUIRED)},
    {OUT_INT("version", REQUIRED)},
};
const struct form advisory_shown = {"Advisory", shown_fields,
                                    COUNT(shown_fields)};

static bool is_blank(const struct values *v, const char *name)
{
    const char *text = values_text(v, name);

    return !text || !*text;
}

static enum err check_judgement(struct ctx *c, const struct values *v)
{
    bool is_judged = values_has(v, "impact") && !values_is_null(v, "impact");
    bool is_closed = values_bool(v, "is_closed", false);

    if (is_judged && is_blank(v, "judgement"))
        return ctx_fail(c, ERR_INVALID, "judgement", "required",
                        "影響を判断した理由を書いてください",
                        "Say why the impact is judged so");
    if (is_closed && !is_judged)
        return ctx_fail(c, ERR_INVALID, "impact", "required",
                        "閉じる前に影響を判断してください",
                        "Judge the impact before closing it");
    if (is_closed && values_int(v, "impact", 0) > 0 && is_blank(v, "notice"))
        return ctx_fail(c, ERR_INVALID, "notice", "required",
                        "影響があるときは、どのお知らせで伝えたかを書いて"
                        "ください",
                        "Where there is an impact, say by which notice "
                        "tenants were told");
    return OK;
}

static enum err check(struct ctx *c, const struct register_row *before,
                      const struct values *v)
{
    bool was_judged =
        before && !register_cell(&advisory_register, before, "impact")->is_null;

    if (was_judged &&
        (!v || values_is_null(v, "impact") || !values_has(v, "impact")))
        return ctx_fail(c, ERR_CONFLICT, "impact", "judged",
                        "判断した記録は消せません",
                        "What was judged cannot be unsaid");
    if (!v)
        return OK;
    if (!is_blank(v, "link") && !str_starts(values_text(v, "link"), "https://"))
        return ctx_fail(c, ERR_INVALID, "link", "link",
                        "参照は https:// で始めてください",
                        "The link begins with https://");
    if (values_int(v, "found_on", 0) > clock_today(c->now_us))
        return ctx_fail(c, ERR_INVALID, "found_on", "future", "未来の日付です",
                        "This day is in the future");
    return check_judgement(c, v);
}

const struct register_kind advisory_register = {
    .path = "advisories",
    .kind = "advisory",
    .form = &advisory_form,
    .shown = &advisory_shown,
    .title = "advisory",
    .text = advisory_text,
    .check = check,
};
