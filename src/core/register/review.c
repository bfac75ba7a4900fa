/* SPDX-License-Identifier: Apache-2.0 */
/* Recurring reviews: signing one closes it for good, under the name of who is
 * signed in, and plans the next. */
#include "base/civil.h"
#include "base/clock.h"
#include "core/core.h"
#include "core/register/register.h"
#include "db/query.h"

static const char *const kind_words[] = {"access", "hardening", "other", NULL};
static const char *const result_words[] = {"good", "found", NULL};

#define COLS                                                                   \
    "id, kind, subject, every_months, due_on, done_on, result, note,"          \
    " signer, signed_at, changed_by, changed_at, version FROM review"
enum { REVIEW_NEXT = REGISTER_STATEMENTS, REVIEW_STATEMENTS };
static const char *const review_text[REVIEW_STATEMENTS] = {
    [REGISTER_LIST] = "SELECT " COLS " ORDER BY done_on IS NOT NULL, done_on"
                      " DESC, due_on, id LIMIT 500",
    [REGISTER_GET] = "SELECT " COLS " WHERE id = ?1",
    [REGISTER_ADD] =
        "INSERT INTO review (changed_at, changed_by, kind, subject,"
        " every_months, due_on, done_on, result, note, signer, signed_at)"
        " VALUES (?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, coalesce(?11, ''),"
        " iif(?9 IS NULL, NULL, ?4), iif(?9 IS NULL, NULL, ?3))",
    [REGISTER_UPDATE] =
        "UPDATE review SET changed_at = ?3, changed_by = ?4, kind = ?5,"
        " subject = ?6, every_months = ?7, due_on = ?8, done_on = ?9,"
        " result = ?10, note = coalesce(?11, ''),"
        " signer = iif(?9 IS NULL, NULL, ?4),"
        " signed_at = iif(?9 IS NULL, NULL, ?3), version = version + 1"
        " WHERE id = ?1 AND version = ?2 AND done_on IS NULL",
    [REGISTER_DELETE] = "DELETE FROM review WHERE id = ?1 AND version = ?2"
                        " AND done_on IS NULL",
    [REVIEW_NEXT] =
        "INSERT INTO review (kind, subject, every_months, due_on, changed_by,"
        " changed_at) SELECT kind, subject, every_months, ?2, ?4, ?3"
        " FROM review WHERE id = ?1",
};
const struct query_set review_queries = {"review", review_text,
                                         COUNT(review_text)};

#define FIELDS                                                                 \
    {CHOICE("kind", kind_words, REQUIRED, "種別", "Kind")},                    \
        {TEXT("subject", 1, 200, REQUIRED, "対象", "Subject")},                \
        {INT("every_months", 0, 36, REQUIRED, "間隔", "Months between")},      \
        {DAY_IN("due_on", DAY_FIRST, DAY_LAST, REQUIRED, "期限", "Due")},      \
        {DAY_IN("done_on", DAY_FIRST, DAY_LAST, NULLABLE, "実施日",            \
                "Done on")},                                                   \
        {CHOICE("result", result_words, NULLABLE, "結果", "Result")},          \
    {                                                                          \
        LINES("note", 0, 4000, NULLABLE, "所見", "Findings")                   \
    }
static const struct field review_fields[] = {
    FIELDS,
};
const struct form review_form = {"ReviewForm", review_fields,
                                 COUNT(review_fields)};
static const struct field shown_fields[] = {
    {OUT_ID("id", REQUIRED)},           FIELDS,
    {OUT_TEXT("signer", NULLABLE)},     {OUT_TEXT("signed_at", NULLABLE)},
    {OUT_TEXT("changed_by", REQUIRED)}, {OUT_TEXT("changed_at", REQUIRED)},
    {OUT_INT("version", REQUIRED)},
};
const struct form review_shown = {"Review", shown_fields, COUNT(shown_fields)};

static bool is_given(const struct values *v, const char *name)
{
    return values_has(v, name) && !values_is_null(v, name);
}

static enum err check(struct ctx *c, const struct register_row *before,
                      const struct values *v)
{
    if (before && !register_cell(&review_register, before, "done_on")->is_null)
        return ctx_fail(c, ERR_CONFLICT, "", "signed",
                        "署名した見直しは変更できません",
                        "A signed review cannot be changed");
    if (!v || (!is_given(v, "done_on") && !is_given(v, "result")))
        return OK;
    if (!is_given(v, "done_on") || !is_given(v, "result"))
        return ctx_fail(c, ERR_INVALID,
                        is_given(v, "result") ? "done_on" : "result",
                        "together", "実施日と結果は両方を入力してください",
                        "Give both the day it was done and the result");
    if (values_int(v, "done_on", 0) > clock_today(c->now_us))
        return ctx_fail(c, ERR_INVALID, "done_on", "future", "未来の日付です",
                        "This day is in the future");
    return OK;
}

/* The same day of a later month, or that month's last. */
static int32_t add_months(int32_t day, int months)
{
    int y, m, d;

    civil_to_ymd(day, &y, &m, &d);
    m += months;
    y += (m - 1) / 12;
    m = (m - 1) % 12 + 1;
    while (!civil_is_valid(y, m, d))
        d--;
    return civil_from_ymd(y, m, d);
}

static enum err plan_next(struct ctx *c, const struct register_row *row)
{
    const struct register_cell *done =
        register_cell(&review_register, row, "done_on");
    int64_t months = register_cell(&review_register, row, "every_months")->n;

    if (done->is_null || !months)
        return OK;
    struct query *q = query(c, review_text[REVIEW_NEXT]);
    bind_int(q, 1, row->id);
    bind_int(q, 2, add_months((int32_t)done->n, (int)months));
    bind_int(q, 3, c->now_us);
    bind_text(q, 4, c->actor->name);
    return query_run(c, q);
}

const struct register_kind review_register = {
    .path = "reviews",
    .kind = "review",
    .form = &review_form,
    .shown = &review_shown,
    .title = "subject",
    .text = review_text,
    .check = check,
    .follow = plan_next,
};
