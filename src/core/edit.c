/* SPDX-License-Identifier: Apache-2.0 */
/* A batch writes each edit through to its row at once, so that the next edit
 * and every check read the truth from the file; only what follows from the
 * edits (pushed successors, parents, cycles) waits for the end and is worked
 * out once.  All rows a batch writes bear the same revision: that is how its
 * own rows are told from other people's, and what the reply is read by. */
#include "core/edit.h"

#include "base/clock.h"
#include "base/str.h"
#include "core/access.h"
#include "core/change.h"
#include "core/core.h"
#include "core/dependency.h"
#include "core/operation.h"
#include "core/outline.h"
#include "core/plan_view.h"
#include "core/schedule.h"
#include "core/ticket_log.h"

#include <string.h>

enum {
    EDIT_PROJECT,
    EDIT_PROJECT_DONE,
    EDIT_ALIVE,
    EDIT_USER,
    EDIT_NAME,
    EDIT_LAST_CHANGE,
    EDIT_PROJECT_OF
};
static const char *const edit_text[] = {
    [EDIT_PROJECT] = "SELECT key, auto_dates, auto_parent, revision, next_no"
                     " FROM project WHERE id = ?1 AND deleted_at IS NULL",
    [EDIT_PROJECT_DONE] =
        "UPDATE project SET revision = ?2, next_no = ?3 WHERE id = ?1",
    [EDIT_ALIVE] = "SELECT 1 FROM ticket WHERE id = ?1 AND project_id = ?2"
                   " AND deleted_at IS NULL",
    [EDIT_USER] = "SELECT 1 FROM user WHERE id = ?1 AND state < 3",
    [EDIT_NAME] = "SELECT p.key || '-' || t.no || ' ' || t.subject"
                  " FROM ticket t JOIN project p ON p.id = t.project_id"
                  " WHERE t.id = ?1",
    [EDIT_LAST_CHANGE] = "SELECT u.name, h.at FROM change h LEFT JOIN user u"
                         " ON u.id = h.user_id WHERE h.ticket_id = ?1"
                         " ORDER BY h.id DESC LIMIT 1",
    [EDIT_PROJECT_OF] = "SELECT project_id FROM ticket WHERE id = ?1",
};
const struct query_set edit_queries = {"edit", edit_text, COUNT(edit_text)};

/* ---- one batch ---- */

struct ref {
    const char *name;
    int64_t id;
};

struct batch {
    struct ctx *c;
    const struct catalogue *catalogue;
    int64_t project_id;
    const char *key;
    bool auto_dates, auto_parent;
    int64_t revision, next_no;
    unsigned rights;
    size_t index;          /* of the edit at hand */
    const struct edit *it; /* the edit at hand */
    struct ref *refs;      /* open addressing */
    size_t ref_cap;
    struct buf changed, links, created;
    bool is_dirty;
    struct edit_result *out;
};

static size_t hash_of(const char *name)
{
    uint64_t h = UINT64_C(14695981039346656037);

    while (*name)
        h = (h ^ (unsigned char)*name++) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 29);
}

static struct ref *ref_slot(struct batch *b, const char *name)
{
    size_t i = hash_of(name) & (b->ref_cap - 1);

    while (b->refs[i].name && strcmp(b->refs[i].name, name) != 0)
        i = (i + 1) & (b->ref_cap - 1);
    return &b->refs[i];
}

static void open_refs(struct batch *b, const struct edit *edits, size_t n)
{
    size_t named = 0;

    for (size_t i = 0; i < n; i++)
        named += edits[i].op == EDIT_CREATE && edits[i].ref;
    for (b->ref_cap = 4; b->ref_cap < 2 * named;)
        b->ref_cap *= 2;
    b->refs = arena_array(b->c->mem, struct ref, b->ref_cap);
}

static int64_t resolve(struct batch *b, const char *name)
{
    int64_t id = 0;

    if (!name)
        return 0;
    const struct ref *r = ref_slot(b, name);
    if (r->name)
        return r->id;
    return str_parse_int(name, 1, INT64_MAX, &id) ? id : 0;
}

static void add_changed(struct batch *b, int64_t id)
{
    if (id)
        buf_put(&b->changed, &id, sizeof id);
}

static enum err refuse(struct batch *b, const char *field, const char *rule,
                       const char *ja, const char *en)
{
    return ctx_fail(b->c, ERR_INVALID, field, rule, "%s", "%s",
                    ctx_text(b->c, ja, en));
}

static enum err conflict(struct batch *b, const char *field, const char *rule,
                         const char *ja, const char *en)
{
    return ctx_fail(b->c, ERR_CONFLICT, field, rule, "%s", "%s",
                    ctx_text(b->c, ja, en));
}

static enum err need(struct batch *b, bool may)
{
    if (may)
        return OK;
    return ctx_fail(b->c, ERR_DENIED, "", "denied",
                    "この操作の権限がありません", "You may not do this");
}

static enum err exists(struct batch *b, int text, int64_t id, bool *out)
{
    struct query *q = query(b->c, edit_text[text]);

    bind_int(q, 1, id);
    if (text == EDIT_ALIVE)
        bind_int(q, 2, b->project_id);
    enum err e = query_one(b->c, q);
    query_done(q);
    *out = !e;
    return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- values ---- */

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
static enum err take_classification(struct batch *b, struct ticket *t,
                                    const struct values *v)
{
    const char *key = values_text(v, "classification");
    const struct classification *old =
        catalogue_find(b->catalogue, t->classification_id);
    const struct classification *now =
        key ? catalogue_find_key(b->catalogue, key) : old;

    if (!key && !old)
        return refuse(b, "classification", "required",
                      "「チケット分類」を入力してください",
                      "Classification is required");
    if (!now)
        return refuse(b, "classification", "choice",
                      "このチケット分類はありません",
                      "There is no such classification");
    if (old && now != old &&
        (old->family == FAMILY_WBS) != (now->family == FAMILY_WBS))
        return conflict(b, "classification", "family",
                        "WBSとほかの系統の間では分類を変えられません",
                        "WBS tickets cannot turn into another family or back");
    if (now == old)
        return OK;
    const struct status *was =
        old ? classification_find_status(old, t->status_id) : NULL;
    t->classification_id = now->id;
    t->status_id =
        classification_first(now, was ? was->category : CATEGORY_TODO)->id;
    return OK;
}

static enum err take_status(struct batch *b, struct ticket *t,
                            const struct values *v)
{
    const struct classification *k =
        catalogue_find(b->catalogue, t->classification_id);
    int64_t id = values_int(v, "status", 0);

    if (!id || !k)
        return OK;
    const struct status *s = classification_find_status(k, id);
    if (!s)
        return refuse(b, "status", "choice",
                      "このチケット分類にないステータスです",
                      "The classification has no such status");
    if (s->id == t->status_id)
        return OK;
    t->status_id = s->id;
    if (s->category != CATEGORY_DONE)
        return OK;
    if (!values_has(v, "progress"))
        t->progress = 100;
    if (t->actual_end == DAY_NONE && !values_has(v, "actual_end")) {
        t->actual_end = clock_today(b->c->now_us);
        if (t->actual_start != DAY_NONE && t->actual_end < t->actual_start)
            t->actual_end = t->actual_start;
    }
    return OK;
}

static enum err set_people(struct batch *b, struct ticket *t,
                           const int64_t *ids, size_t count)
{
    int64_t *list = arena_array(b->c->mem, int64_t, count ? count : 1);
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        bool known = false;
        for (size_t j = 0; j < n; j++)
            known = known || list[j] == ids[i];
        if (known)
            continue;
        enum err e = exists(b, EDIT_USER, ids[i], &known);
        if (e)
            return e;
        if (!known)
            return refuse(b, "assignee", "user", "担当者が見つかりません",
                          "No such person");
        list[n++] = ids[i];
    }
    t->assignees = list;
    t->assignee_count = n;
    t->assignee_id = n ? list[0] : 0;
    return OK;
}

/* "assignees" is the whole list; "assignee" replaces the first of it. */
static enum err take_people(struct batch *b, struct ticket *t,
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

static enum err check_days(struct batch *b, struct ticket *t)
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
        e = refuse(b, "planned_end", "end_before_start",
                   "予定終了日は予定開始日以降にしてください",
                   "The planned end must not be before the start");
    if (t->actual_start != DAY_NONE && t->actual_end != DAY_NONE &&
        t->actual_end < t->actual_start)
        e = refuse(b, "actual_end", "end_before_start",
                   "実績終了日は実績開始日以降にしてください",
                   "The actual end must not be before the start");
    return e;
}

/* Every refused value is recorded before the first error is returned. */
static enum err take_values(struct batch *b, struct ticket *t,
                            const struct values *v)
{
    enum err worst = OK;
    enum err e;

    take_plain(t, v);
    if (!t->subject || !*t->subject)
        worst = refuse(b, "subject", "required", "「件名」を入力してください",
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

static enum err check_derived(struct batch *b, const struct ticket *before,
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
    enum err e = outline_has_children(b->c, t->id, &is_parent);
    if (e || !is_parent)
        return e;
    if (!values_has(b->it->values, field)) { /* followed from a status */
        t->progress = before->progress;
        return OK;
    }
    return conflict(b, field, "derived",
                    "子チケットから計算される値は直接変更できません",
                    "This value is calculated from the tickets below");
}

/* ---- place ---- */

static enum err check_parent(struct batch *b, int64_t id, int64_t parent_id)
{
    bool alive, below = false;
    int levels = 0;

    if (parent_id == 0)
        return OK;
    enum err e = exists(b, EDIT_ALIVE, parent_id, &alive);
    if (e)
        return e;
    if (!alive)
        return refuse(b, "parent", "not_found", "親チケットが見つかりません",
                      "No such parent ticket");
    if ((e = outline_is_below(b->c, parent_id, id, &below, &levels)))
        return e;
    if (below)
        return conflict(b, "parent", "parent_cycle", "自分の配下には移せません",
                        "A ticket cannot be moved below itself");
    if (levels + 2 > OUTLINE_LEVELS)
        return conflict(b, "parent", "too_deep", "階層が深すぎます",
                        "The outline is too deep");
    return OK;
}

/* Sets parent and rank as asked for; a new ticket without a word goes last. */
static enum err place(struct batch *b, struct ticket *t, bool is_new)
{
    const struct values *v = b->it->values;
    struct outline_place p = {.project_id = b->project_id,
                              .id = t->id,
                              .parent_id = t->parent_id,
                              .after_id = OUTLINE_LAST,
                              .revision = b->revision};
    enum err e;

    if (values_has(v, "parent")) {
        const char *name = values_text(v, "parent");
        p.parent_id = resolve(b, name);
        if (name && !p.parent_id)
            return refuse(b, "parent", "not_found",
                          "親チケットが見つかりません",
                          "No such parent ticket");
    }
    if (p.parent_id != t->parent_id &&
        (e = check_parent(b, t->id, p.parent_id)))
        return e;
    if (values_has(v, "after"))
        p.after_id = resolve(b, values_text(v, "after"));
    else if (!is_new && p.parent_id == t->parent_id)
        return OK;
    if (values_text(v, "after") && !p.after_id)
        p.after_id = INT64_MAX; /* no such ticket */
    e = outline_find_rank(b->c, &p, &t->rank);
    if (e == ERR_NOT_FOUND)
        return refuse(b, "after", "not_found",
                      "直前のチケットが同じ親の下にありません",
                      "The previous sibling is not below the same parent");
    t->parent_id = p.parent_id;
    return e;
}

/* ---- tickets ---- */

static enum err log_ticket(struct batch *b, const char *action,
                           const struct ticket *before,
                           const struct ticket *after)
{
    b->is_dirty = true;
    return ticket_log_write(b->c,
                            &(struct ticket_record){.action = action,
                                                    .project_key = b->key,
                                                    .catalogue = b->catalogue,
                                                    .before = before,
                                                    .after = after});
}

static enum err keep_ref(struct batch *b, const struct ticket *t)
{
    struct edit_created made = {b->it->ref, t->id, t->no};

    buf_put(&b->created, &made, sizeof made);
    if (!b->it->ref)
        return OK;
    struct ref *r = ref_slot(b, b->it->ref);
    if (r->name)
        return refuse(b, "ref", "unique", "仮IDが重複しています",
                      "The reference is used twice");
    *r = (struct ref){b->it->ref, t->id};
    return OK;
}

static enum err create_ticket(struct batch *b)
{
    struct ticket t = {
        .project_id = b->project_id,
        .subject = "",
        .details = "",
        .priority = PRIORITY_MEDIUM,
        .planned_start = DAY_NONE,
        .planned_end = DAY_NONE,
        .actual_start = DAY_NONE,
        .actual_end = DAY_NONE,
        .due = DAY_NONE,
        .estimate = TICKET_MINUTES_NONE,
        .actual = TICKET_MINUTES_NONE,
        .reporter_id = b->c->actor->user_id,
        .created_at = b->c->now_us,
        .updated_at = b->c->now_us,
        .version = 1,
        .revision = b->revision,
    };
    enum err e = need(b, (b->rights & MAY_TICKET_ADD) != 0);

    if (e || (e = take_values(b, &t, b->it->values)) ||
        (e = place(b, &t, true)))
        return e;
    t.no = b->next_no++;
    if ((e = ticket_insert(b->c, &t)) || (e = keep_ref(b, &t)) ||
        (e = ticket_index(b->c, b->key, &t, true)))
        return e;
    if (t.assignee_count && (e = ticket_write_assignees(b->c, &t)))
        return e;
    add_changed(b, t.id);
    return log_ticket(b, "create", NULL, &t);
}

static enum err fail_stale(struct batch *b, const struct ticket *t)
{
    struct buf detail = buf_in(b->c->mem);
    struct json_out o = {.b = &detail};
    const char *name = NULL;
    int64_t at = t->updated_at;
    struct query *q = query(b->c, edit_text[EDIT_LAST_CHANGE]);

    bind_int(q, 1, t->id);
    enum err e = query_one(b->c, q);
    if (!e) {
        name = col_text(b->c, q, 0);
        at = col_int(q, 1);
        query_done(q);
    }
    json_open(&o, "current", '{');
    e = plan_view_put_row(b->c, t->id, &o);
    json_close(&o, '}');
    json_open(&o, "changed_by", '{');
    json_text(&o, "name", name);
    json_close(&o, '}');
    json_moment(&o, "changed_at", at);
    if (e)
        return e;
    e = ctx_fail(b->c, ERR_STALE, "version", "stale",
                 "%sさんが先に変更しました", "%s has changed it meanwhile",
                 name ? name : ctx_text(b->c, "ほかの人", "Somebody"));
    ctx_fail_detail(b->c, detail.data);
    return e;
}

/* The ticket an edit names, alive (or in the bin), of this project, at the
 * version the editor saw; what this batch has written itself is not stale. */
static enum err load_target(struct batch *b, bool in_bin, struct ticket *out)
{
    int64_t id = resolve(b, b->it->target);
    enum err e = id ? ticket_read(b->c, id, out) : ERR_NOT_FOUND;

    if (!e &&
        (out->project_id != b->project_id || (out->deleted_at != 0) != in_bin))
        e = ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND)
        return ctx_fail(b->c, e, "id", "not_found", "チケットが見つかりません",
                        "No such ticket");
    if (!e && b->it->version && b->it->version != out->version &&
        out->revision != b->revision)
        return fail_stale(b, out);
    return e;
}

static enum err may_edit(struct batch *b, const struct ticket *t)
{
    unsigned rights = b->rights;
    enum err e = OK;

    if (!(rights & MAY_TICKET_EDIT) && (rights & MAY_TICKET_EDIT_OWN))
        e = access_ticket(b->c, t->id, &rights);
    return e ? e : need(b, (rights & MAY_TICKET_EDIT) != 0);
}

static bool moves_plan(const struct ticket *a, const struct ticket *t)
{
    return a->planned_start != t->planned_start ||
           a->planned_end != t->planned_end || a->progress != t->progress ||
           a->estimate != t->estimate || a->parent_id != t->parent_id ||
           a->is_manual != t->is_manual || a->status_id != t->status_id ||
           a->actual_start != t->actual_start || a->actual_end != t->actual_end;
}

static enum err write_ticket(struct batch *b, const struct ticket *before,
                             struct ticket *t)
{
    enum err e;

    t->revision = b->revision;
    t->updated_at = b->c->now_us;
    if ((e = ticket_write(b->c, t)))
        return e;
    if (t->assignees != before->assignees &&
        (e = ticket_write_assignees(b->c, t)))
        return e;
    if ((!str_equal(t->subject, before->subject) ||
         !str_equal(t->details, before->details)) &&
        (e = ticket_index(b->c, b->key, t, false)))
        return e;
    if (moves_plan(before, t)) {
        add_changed(b, t->id);
        if (before->parent_id != t->parent_id)
            add_changed(b, before->parent_id);
    }
    b->out->updated++;
    return log_ticket(b, "update", before, t);
}

static enum err update_ticket(struct batch *b)
{
    struct ticket before, t;
    enum err e = load_target(b, false, &before);

    if (e || (e = may_edit(b, &before)))
        return e;
    if (values_has(b->it->values, "assignee") ||
        values_has(b->it->values, "assignees"))
        if ((e = ticket_load_assignees(b->c, &before)))
            return e;
    t = before;
    if ((e = take_values(b, &t, b->it->values)) ||
        (e = check_derived(b, &before, &t)) || (e = place(b, &t, false)))
        return e;
    if (!ticket_log_differs(&before, &t) && before.rank == t.rank)
        return OK;
    return write_ticket(b, &before, &t);
}

static enum err delete_ticket(struct batch *b)
{
    struct ticket t;
    const int64_t *ids;
    size_t count;
    int64_t written;
    enum err e = load_target(b, false, &t);

    if (e || (e = need(b, (b->rights & MAY_TICKET_DELETE) != 0)) ||
        (e = outline_list(b->c, t.id, 0, &ids, &count)) ||
        (e = outline_delete(b->c, t.id, b->c->now_us + (int64_t)b->index,
                            b->revision, &written)))
        return e;
    for (size_t i = 0; i < count && !e; i++) {
        e = dependency_touch(b->c, ids[i], b->revision);
        if (!e && ids[i] != t.id)
            e = change_add(b->c, ids[i], "deleted", NULL, NULL);
    }
    add_changed(b, t.parent_id);
    b->out->deleted += count;
    return e ? e : log_ticket(b, "delete", &t, NULL);
}

static enum err restore_ticket(struct batch *b)
{
    struct ticket t;
    const int64_t *ids;
    size_t count;
    int64_t written;
    bool alive = true;
    enum err e = load_target(b, true, &t);

    if (e || (e = need(b, (b->rights & MAY_TICKET_DELETE) != 0)) ||
        (e = outline_list(b->c, t.id, t.deleted_at, &ids, &count)) ||
        (e = outline_restore(b->c, t.id, t.deleted_at, b->revision, &written)))
        return e;
    if (t.parent_id)
        e = exists(b, EDIT_ALIVE, t.parent_id, &alive);
    if (!e)
        e = ticket_read(b->c, t.id, &t);
    if (!e && !alive) { /* its parent is gone: back to the top level */
        struct outline_place p = {
            .project_id = b->project_id, .id = t.id, .after_id = OUTLINE_LAST};
        t.parent_id = 0;
        if (!(e = outline_find_rank(b->c, &p, &t.rank)))
            e = ticket_write(b->c, &t);
    }
    for (size_t i = 0; i < count && !e; i++) {
        add_changed(b, ids[i]);
        e = dependency_touch(b->c, ids[i], b->revision);
        if (!e && ids[i] != t.id)
            e = change_add(b->c, ids[i], "restored", NULL, NULL);
    }
    return e ? e : log_ticket(b, "restore", NULL, &t);
}

/* ---- links ---- */

static enum err name_of(struct batch *b, int64_t id, const char **out)
{
    struct query *q = query(b->c, edit_text[EDIT_NAME]);

    bind_int(q, 1, id);
    enum err e = query_one(b->c, q);
    if (e)
        return e;
    *out = col_text(b->c, q, 0);
    query_done(q);
    return OK;
}

static const char *link_words(struct batch *b, const char *name,
                              const struct dependency *d)
{
    return d->lag ? arena_printf(b->c->mem, "%s %s%+lld", name,
                                 dependency_words[d->kind], (long long)d->lag)
                  : arena_printf(b->c->mem, "%s %s", name,
                                 dependency_words[d->kind]);
}

/* before or after NULL: made or removed. */
static enum err log_link(struct batch *b, const char *action,
                         const struct dependency *before,
                         const struct dependency *after)
{
    const struct dependency *d[2] = {before, after};
    const struct dependency *any = after ? after : before;
    const char *from, *to, *words[2] = {NULL, NULL}, *json[2] = {NULL, NULL};
    enum err e = name_of(b, any->predecessor_id, &from);

    b->is_dirty = true;
    if (e || (e = name_of(b, any->successor_id, &to)))
        return e;
    for (int i = 0; i < 2; i++) {
        struct buf text = buf_in(b->c->mem);
        struct json_out o = {.b = &text};
        if (!d[i])
            continue;
        words[i] = link_words(b, from, d[i]);
        json_open(&o, NULL, '{');
        json_text(&o, "predecessor", words[i]);
        json_close(&o, '}');
        json[i] = text.data;
    }
    if ((e = change_add(b->c, any->successor_id, "predecessor", words[0],
                        words[1])))
        return e;
    return operation_log(b->c,
                         &(struct operation){.action = action,
                                             .kind = "ticket",
                                             .object_id = any->successor_id,
                                             .object_name = to,
                                             .before = json[0],
                                             .after = json[1]});
}

static enum err link_end(struct batch *b, const char *field, const char *name,
                         int64_t *id)
{
    bool alive = false;
    enum err e = OK;

    *id = resolve(b, name);
    if (*id)
        e = exists(b, EDIT_ALIVE, *id, &alive);
    if (e || alive)
        return e;
    return refuse(b, field, "not_found", "チケットが見つかりません",
                  "No such ticket");
}

static void keep_link(struct batch *b, const struct dependency *d)
{
    struct schedule_link made = {d->id, b->it->where};

    buf_put(&b->links, &made, sizeof made);
    add_changed(b, d->successor_id);
}

static enum err create_link(struct batch *b)
{
    struct dependency d = {
        .project_id = b->project_id,
        .kind =
            b->it->kind < 0 ? DEPENDENCY_FS : (enum dependency_kind)b->it->kind,
        .lag = b->it->has_lag ? b->it->lag : 0,
        .revision = b->revision,
    };
    enum err e = need(b, (b->rights & MAY_TICKET_EDIT) != 0);

    if (e)
        return e;
    e = link_end(b, "predecessor", b->it->predecessor, &d.predecessor_id);
    enum err f = link_end(b, "successor", b->it->successor, &d.successor_id);
    if (e || f)
        return e ? e : f;
    if ((e = dependency_create(b->c, &d)))
        return e;
    keep_link(b, &d);
    b->out->linked++;
    return log_link(b, "link", NULL, &d);
}

static enum err update_link(struct batch *b)
{
    struct dependency before, d;
    enum err e = need(b, (b->rights & MAY_TICKET_EDIT) != 0);

    if (e || (e = dependency_get(b->c, b->project_id, b->it->link_id, &before)))
        return e;
    d = before;
    if (b->it->kind >= 0)
        d.kind = (enum dependency_kind)b->it->kind;
    if (b->it->has_lag)
        d.lag = b->it->lag;
    if (d.kind == before.kind && d.lag == before.lag)
        return OK;
    d.revision = b->revision;
    if ((e = dependency_update(b->c, &d)))
        return e;
    keep_link(b, &d);
    return log_link(b, "relink", &before, &d);
}

static enum err delete_link(struct batch *b)
{
    struct dependency d;
    enum err e = need(b, (b->rights & MAY_TICKET_EDIT) != 0);

    if (e || (e = dependency_get(b->c, b->project_id, b->it->link_id, &d)) ||
        (e = dependency_delete(b->c, &d, b->revision)))
        return e;
    return log_link(b, "unlink", &d, NULL);
}

/* ---- the batch ---- */

static enum err begin(struct ctx *c, int64_t project_id, struct batch *b)
{
    struct query *q = query(c, edit_text[EDIT_PROJECT]);

    *b = (struct batch){.c = c,
                        .project_id = project_id,
                        .changed = buf_in(c->mem),
                        .links = buf_in(c->mem),
                        .created = buf_in(c->mem)};
    bind_int(q, 1, project_id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "", "not_found", "プロジェクトが見つかりません",
                        "No such project");
    if (e)
        return e;
    b->key = col_text(c, q, 0);
    b->auto_dates = col_int(q, 1) != 0;
    b->auto_parent = col_int(q, 2) != 0;
    b->revision = col_int(q, 3) + 1;
    b->next_no = col_int(q, 4);
    query_done(q);
    if ((e = access_project(c, project_id, &b->rights)))
        return e;
    return catalogue_load(c, &b->catalogue);
}

static enum err run_one(struct batch *b)
{
    static enum err (*const run[])(struct batch *) = {
        [EDIT_CREATE] = create_ticket, [EDIT_UPDATE] = update_ticket,
        [EDIT_DELETE] = delete_ticket, [EDIT_RESTORE] = restore_ticket,
        [EDIT_LINK] = create_link,     [EDIT_RELINK] = update_link,
        [EDIT_UNLINK] = delete_link,
    };

    return run[b->it->op](b);
}

static struct failure **end_of_failures(struct ctx *c)
{
    struct failure **at = &c->fail;

    while (*at)
        at = &(*at)->next;
    return at;
}

static void prefix_failures(struct batch *b, struct failure *f)
{
    for (; f && b->it->where; f = f->next)
        f->field = arena_printf(b->c->mem, "%s%s", b->it->where, f->field);
}

static enum err run_all(struct batch *b, const struct edit *edits, size_t n)
{
    enum err worst = OK;

    for (size_t i = 0; i < n; i++) {
        struct failure **at = end_of_failures(b->c);
        b->it = &edits[i];
        b->index = i;
        enum err e = run_one(b);
        prefix_failures(b, *at);
        if (e && e != ERR_INVALID)
            return worst ? worst : e;
        if (e)
            worst = e;
    }
    return worst;
}

static enum err log_cascade(struct batch *b, size_t changed)
{
    if (changed == 0)
        return OK;
    return operation_log(
        b->c,
        &(struct operation){
            .action = "reschedule",
            .kind = "project",
            .object_id = b->project_id,
            .object_name = b->key,
            .after = arena_printf(b->c->mem, "{\"tickets\":%zu}", changed)});
}

static enum err finish(struct batch *b)
{
    struct schedule_result result;
    struct schedule_job job = {
        .project_id = b->project_id,
        .project_key = b->key,
        .catalogue = b->catalogue,
        .auto_dates = b->auto_dates,
        .auto_parent = b->auto_parent,
        .revision = b->revision,
        .changed = (const void *)b->changed.data,
        .changed_count = b->changed.len / sizeof(int64_t),
        .links = (const void *)b->links.data,
        .link_count = b->links.len / sizeof(struct schedule_link),
    };
    enum err e = schedule_run(b->c, &job, &result);

    if (e || (e = log_cascade(b, result.changed)))
        return e;
    struct query *q = query(b->c, edit_text[EDIT_PROJECT_DONE]);
    bind_int(q, 1, b->project_id);
    bind_int(q, 2, b->revision);
    bind_int(q, 3, b->next_no);
    b->out->revision = b->revision;
    b->out->created = (const void *)b->created.data;
    b->out->created_count = b->created.len / sizeof(struct edit_created);
    b->out->conflicts = result.conflicts;
    b->out->conflict_count = result.conflict_count;
    b->out->cascaded = result.changed;
    return query_run(b->c, q);
}

enum err edit_apply(struct ctx *c, int64_t project_id, const struct edit *edits,
                    size_t n, struct edit_result *out)
{
    struct batch b;
    enum err e = begin(c, project_id, &b);

    if (e)
        return e;
    *out = (struct edit_result){.since = b.revision - 1,
                                .revision = b.revision - 1};
    b.out = out;
    open_refs(&b, edits, n);
    if ((e = run_all(&b, edits, n)))
        return e;
    return b.is_dirty ? finish(&b) : OK;
}

enum err edit_apply_ticket(struct ctx *c, int64_t ticket_id,
                           const struct edit *edit, struct edit_result *out)
{
    struct edit one = *edit;
    struct query *q = query(c, edit_text[EDIT_PROJECT_OF]);

    bind_int(q, 1, ticket_id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "id", "not_found", "チケットが見つかりません",
                        "No such ticket");
    if (e)
        return e;
    int64_t project_id = col_int(q, 0);
    query_done(q);
    one.target = arena_printf(c->mem, "%lld", (long long)ticket_id);
    if (one.version == 0)
        one.version = -1; /* no ticket has it */
    return edit_apply(c, project_id, &one, 1, out);
}
