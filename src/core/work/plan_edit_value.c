/* SPDX-License-Identifier: Apache-2.0 */
/* What a person writes into a ticket's fields, and which of it is refused: a
 * batch reports every refused value, not the first one alone. */
#include "base/clock.h"
#include "base/str.h"
#include "core/log/ticket_history.h"
#include "core/work/plan_edit_batch.h"
#include "core/work/ticket_tree.h"

#include <string.h>

static void take_day(const struct values *v, const char *name, int32_t *day)
{
    if (values_has(v, name))
        *day = (int32_t)values_int(v, name, DAY_NONE);
}

static void take_plain(struct ticket *t, const struct values *v)
{
    if (values_text(v, "subject"))
        t->subject = values_text(v, "subject");
    if (values_text(v, "details"))
        t->details = values_text(v, "details");
    t->priority = (enum priority)values_int(v, "priority", t->priority);
    t->progress = (int)values_int(v, "progress", t->progress);
    if (values_has(v, "estimate"))
        t->estimate = values_int(v, "estimate", TICKET_MINUTES_NONE);
    if (values_has(v, "actual"))
        t->actual = values_int(v, "actual", TICKET_MINUTES_NONE);
    t->is_manual = values_bool(v, "manual", t->is_manual);
    take_day(v, "planned_start", &t->planned_start);
    take_day(v, "planned_end", &t->planned_end);
    take_day(v, "actual_start", &t->actual_start);
    take_day(v, "actual_end", &t->actual_end);
    take_day(v, "due", &t->due);
}

/* A status belongs to its classification: a new classification keeps the
 * category and takes its first status. */
static enum err take_classification(struct plan_edit_batch *b, struct ticket *t,
                                    const struct values *v)
{
    const char *key = values_text(v, "classification");
    const struct classification *old =
        catalogue_find(b->catalogue, t->classification_id);
    const struct classification *now =
        key ? catalogue_find_key(b->catalogue, key) : old;

    if (!key && !old)
        return plan_edit_batch_refuse(b, "classification", "required",
                                      "「チケット分類」を入力してください",
                                      "Classification is required");
    if (!now)
        return plan_edit_batch_refuse(b, "classification", "choice",
                                      "このチケット分類はありません",
                                      "There is no such classification");
    if (old && now != old &&
        (old->family == FAMILY_WBS) != (now->family == FAMILY_WBS))
        return plan_edit_batch_conflict(
            b, "classification", "family",
            "WBSとほかの系統の間では分類を変えられません",
            "WBS tickets cannot turn into another family or back");
    if (now == old)
        return OK;
    if (now->is_hidden)
        return plan_edit_batch_refuse(
            b, "classification", "hidden", "非表示のチケット分類は選べません",
            "A hidden classification cannot be chosen");
    const struct status *was =
        old ? classification_find_status(old, t->status_id) : NULL;
    t->classification_id = now->id;
    t->status_id =
        classification_first(now, was ? was->category : CATEGORY_TODO)->id;
    return OK;
}

/* Done no more: what being done had filled in goes back to what it was. */
static enum err reopen(struct plan_edit_batch *b, struct ticket *t,
                       const struct values *v)
{
    const char *before;
    int64_t progress = 0;

    if (!values_has(v, "actual_end"))
        t->actual_end = DAY_NONE;
    if (values_has(v, "progress") || t->progress != 100)
        return OK;
    enum err e =
        ticket_history_find_before(b->c, t->id, "progress", "100%", &before);
    if (!e && before) /* "40%" */
        (void)str_parse_int(
            arena_strndup(b->c->mem, before, strcspn(before, "%")), 0, 99,
            &progress);
    t->progress = (int)progress;
    return e;
}

static enum err take_status(struct plan_edit_batch *b, struct ticket *t,
                            const struct values *v)
{
    const struct classification *k =
        catalogue_find(b->catalogue, t->classification_id);
    int64_t id = values_int(v, "status", 0);

    if (!id || !k)
        return OK;
    const struct status *s = classification_find_status(k, id);
    if (!s)
        return plan_edit_batch_refuse(b, "status", "choice",
                                      "このチケット分類にないステータスです",
                                      "The classification has no such status");
    if (s->id == t->status_id)
        return OK;
    if (s->is_hidden)
        return plan_edit_batch_refuse(b, "status", "hidden",
                                      "非表示のステータスは選べません",
                                      "A hidden status cannot be chosen");
    const struct status *was = classification_find_status(k, t->status_id);
    t->status_id = s->id;
    if (s->category != CATEGORY_DONE)
        return was && was->category == CATEGORY_DONE ? reopen(b, t, v) : OK;
    if (!values_has(v, "progress"))
        t->progress = 100;
    if (t->actual_end == DAY_NONE && !values_has(v, "actual_end")) {
        t->actual_end = clock_today(b->c->now_us);
        if (t->actual_start != DAY_NONE && t->actual_end < t->actual_start)
            t->actual_end = t->actual_start;
    }
    return OK;
}

static bool is_in(const int64_t *ids, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

/* Who is assigned already may stay, though he sees the project no more. */
static enum err set_people(struct plan_edit_batch *b, struct ticket *t,
                           const int64_t *ids, size_t count)
{
    int64_t *list = arena_array(b->c->mem, int64_t, count ? count : 1);
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        enum err e = OK;
        if (is_in(list, n, ids[i]))
            continue;
        if (!is_in(t->assignees, t->assignee_count, ids[i]))
            e = plan_edit_batch_need_assignable(b, "assignee", ids[i]);
        if (e)
            return e;
        list[n++] = ids[i];
    }
    t->assignees = list;
    t->assignee_count = n;
    t->assignee_id = n ? list[0] : 0;
    return OK;
}

/* "assignees" is the whole list; "assignee" replaces the first of it. */
static enum err take_people(struct plan_edit_batch *b, struct ticket *t,
                            const struct values *v)
{
    const int64_t *ids;
    size_t count, n = 0;

    if (values_has(v, "assignees")) {
        count = values_ids(v, "assignees", &ids);
        return set_people(b, t, ids, count);
    }
    if (!values_has(v, "assignee"))
        return OK;
    int64_t *list = arena_array(b->c->mem, int64_t, t->assignee_count + 1);
    if (values_int(v, "assignee", 0))
        list[n++] = values_int(v, "assignee", 0);
    for (size_t i = 0; i < t->assignee_count; i++)
        if (t->assignees[i] != t->assignee_id)
            list[n++] = t->assignees[i];
    return set_people(b, t, list, n);
}

static enum err check_days(struct plan_edit_batch *b, struct ticket *t)
{
    const struct classification *k =
        catalogue_find(b->catalogue, t->classification_id);
    enum err e = OK;

    if (k && str_equal(k->key, "milestone")) { /* one day */
        if (t->planned_end == DAY_NONE)
            t->planned_end = t->planned_start;
        t->planned_start = t->planned_end;
    }
    if (t->planned_start != DAY_NONE && t->planned_end != DAY_NONE &&
        t->planned_end < t->planned_start)
        e = plan_edit_batch_refuse(
            b, "planned_end", "end_before_start",
            "予定終了日は予定開始日以降にしてください",
            "The planned end must not be before the start");
    if (t->actual_start != DAY_NONE && t->actual_end != DAY_NONE &&
        t->actual_end < t->actual_start)
        e = plan_edit_batch_refuse(
            b, "actual_end", "end_before_start",
            "実績終了日は実績開始日以降にしてください",
            "The actual end must not be before the start");
    return e;
}

/* Every refused value is recorded before the first error is returned. */
enum err plan_edit_batch_take_values(struct plan_edit_batch *b,
                                     struct ticket *t, const struct values *v)
{
    enum err worst = OK;
    enum err e;

    take_plain(t, v);
    if (!t->subject || !*t->subject)
        worst = plan_edit_batch_refuse(b, "subject", "required",
                                       "「件名」を入力してください",
                                       "Subject is required");
    if ((e = take_classification(b, t, v)) && !worst)
        worst = e;
    if ((e = take_status(b, t, v)) && !worst)
        worst = e;
    if ((e = take_people(b, t, v)) && !worst)
        worst = e;
    if ((e = check_days(b, t)) && !worst)
        worst = e;
    return worst;
}

enum err plan_edit_batch_check_derived(struct plan_edit_batch *b,
                                       const struct ticket *before,
                                       struct ticket *t)
{
    bool is_parent;
    const char *field = t->planned_start != before->planned_start
                            ? "planned_start"
                        : t->planned_end != before->planned_end ? "planned_end"
                        : t->progress != before->progress       ? "progress"
                                                                : NULL;

    if (!field || !b->auto_parent || b->it->is_import)
        return OK;
    enum err e = ticket_tree_has_children(b->c, t->id, &is_parent);
    if (e || !is_parent)
        return e;
    if (!values_has(b->it->values, field)) { /* followed from a status */
        t->progress = before->progress;
        return OK;
    }
    return plan_edit_batch_conflict(
        b, field, "derived", "子チケットから計算される値は直接変更できません",
        "This value is calculated from the tickets below");
}
