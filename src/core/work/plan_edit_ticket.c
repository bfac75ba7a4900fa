/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets made, changed, moved, taken away and brought back by a batch. */
#include "base/str.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/log/ticket_history.h"
#include "core/work/dependency.h"
#include "core/work/plan_edit_batch.h"
#include "core/work/plan_view.h"
#include "core/work/ticket_log.h"
#include "core/work/ticket_tree.h"
#include "core/work/work_mail.h"

static const char *const plan_edit_ticket_text[] = {
    "SELECT 1 FROM ticket WHERE id = ?1 AND revision > ?2 AND revision < ?3",
};
const struct query_set plan_edit_ticket_queries = {
    "edit_ticket", plan_edit_ticket_text, COUNT(plan_edit_ticket_text)};

/* ---- place ---- */

static enum err check_parent(struct plan_edit_batch *b, int64_t id,
                             int64_t parent_id)
{
    bool alive, below = false;
    int levels = 0;

    if (parent_id == 0)
        return OK;
    enum err e = plan_edit_batch_is_alive(b, parent_id, &alive);
    if (e)
        return e;
    if (!alive)
        return plan_edit_batch_refuse(b, "parent", "not_found",
                                      "親チケットが見つかりません",
                                      "No such parent ticket");
    if ((e = ticket_tree_is_below(b->c, parent_id, id, &below, &levels)))
        return e;
    if (below)
        return plan_edit_batch_conflict(
            b, "parent", "parent_cycle", "自分の配下には移せません",
            "A ticket cannot be moved below itself");
    if (levels + 2 > TICKET_TREE_LEVELS)
        return plan_edit_batch_conflict(b, "parent", "too_deep",
                                        "階層が深すぎます",
                                        "The outline is too deep");
    return OK;
}

/* Sets parent and rank as asked for; a new ticket without a word goes last. */
static enum err place(struct plan_edit_batch *b, struct ticket *t, bool is_new)
{
    const struct values *v = b->it->values;
    struct ticket_tree_place p = {.project_id = b->project_id,
                                  .id = t->id,
                                  .parent_id = t->parent_id,
                                  .after_id = TICKET_TREE_LAST,
                                  .revision = b->revision};
    enum err e;

    if (values_has(v, "parent")) {
        const char *name = values_text(v, "parent");
        p.parent_id = plan_edit_batch_resolve(b, name);
        if (name && !p.parent_id)
            return plan_edit_batch_refuse(b, "parent", "not_found",
                                          "親チケットが見つかりません",
                                          "No such parent ticket");
    }
    if (p.parent_id != t->parent_id &&
        (e = check_parent(b, t->id, p.parent_id)))
        return e;
    if (values_has(v, "after"))
        p.after_id = plan_edit_batch_resolve(b, values_text(v, "after"));
    else if (!is_new && p.parent_id == t->parent_id)
        return OK;
    if (values_text(v, "after") && !p.after_id)
        p.after_id = INT64_MAX; /* no such ticket */
    e = ticket_tree_find_rank(b->c, &p, &t->rank);
    if (e == ERR_NOT_FOUND)
        return plan_edit_batch_refuse(
            b, "after", "not_found", "直前のチケットが同じ親の下にありません",
            "The previous sibling is not below the same parent");
    t->parent_id = p.parent_id;
    return e;
}

/* ---- tickets ---- */

static enum err log_ticket(struct plan_edit_batch *b, const char *action,
                           const struct ticket *before,
                           const struct ticket *after, const struct marks *m)
{
    b->is_dirty = true;
    return ticket_log_write(
        b->c, &(struct ticket_record){
                  .action = action,
                  .project_key = b->key,
                  .catalogue = b->catalogue,
                  .before = before,
                  .after = after,
                  .extras = m ? (const void *)m->extras.data : NULL,
                  .extra_count =
                      m ? m->extras.len / sizeof(struct ticket_extra) : 0});
}

/* Both report what they refuse. */
static enum err take_all(struct plan_edit_batch *b, struct ticket *t,
                         struct marks *m)
{
    int64_t was = t->classification_id;
    enum err e = plan_edit_batch_take_values(b, t, b->it->values);
    enum err f = plan_edit_batch_take_marks(b, t, was, m);

    return e ? e : f;
}

enum err plan_edit_batch_create_ticket(struct plan_edit_batch *b)
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
    struct marks m;
    enum err e = plan_edit_batch_need(b, (b->rights & MAY_TICKET_ADD) != 0);

    if (e || (e = take_all(b, &t, &m)) || (e = place(b, &t, true)))
        return e;
    t.no = b->next_no++;
    if ((e = ticket_insert(b->c, &t)) ||
        (e = plan_edit_batch_keep_ref(b, &t)) ||
        (e = ticket_index(b->c, b->key, &t, true)))
        return e;
    if (t.assignee_count && (e = ticket_write_assignees(b->c, &t)))
        return e;
    if ((e = plan_edit_batch_write_marks(b, t.id, &m)))
        return e;
    plan_edit_batch_add_changed(b, t.id);
    work_mail_assigned(b->c, b->key, NULL, &t);
    return log_ticket(b, "create", NULL, &t, &m);
}

static enum err fail_stale(struct plan_edit_batch *b, const struct ticket *t)
{
    struct buf detail = buf_in(b->c->mem);
    struct json_out o = {.b = &detail};
    const char *name;

    json_open(&o, "current", '{');
    enum err e = plan_view_put_row(b->c, t->id, &o);
    json_close(&o, '}');
    if (e || (e = ticket_put_last_change(b->c, t, "changed", &o, &name)))
        return e;
    e = ctx_fail(b->c, ERR_STALE, "version", "stale",
                 "%sさんが先に変更しました", "%s has changed it meanwhile",
                 name);
    ctx_fail_detail(b->c, detail.data);
    return e;
}

/* The ticket an edit names, alive (or in the bin), of this project, at the
 * version the editor saw; what this batch has written itself is not stale. */
static enum err load_target(struct plan_edit_batch *b, bool in_bin,
                            struct ticket *out)
{
    int64_t id = plan_edit_batch_resolve(b, b->it->target);
    *out = (struct ticket){0};
    enum err e = id ? ticket_read(b->c, id, out) : ERR_NOT_FOUND;

    if (!e &&
        (out->project_id != b->project_id || (out->deleted_at != 0) != in_bin))
        e = ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND && !in_bin && out->deleted_at && id &&
        out->project_id == b->project_id)
        return ticket_fail_deleted(b->c, out);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(b->c, e, "id", "not_found", "チケットが見つかりません",
                        "No such ticket");
    if (!e && b->it->version && b->it->version != out->version &&
        out->revision != b->revision)
        return fail_stale(b, out);
    return e;
}

static enum err may_edit(struct plan_edit_batch *b, const struct ticket *t)
{
    unsigned rights = b->rights;
    enum err e = OK;

    if (!(rights & MAY_TICKET_EDIT) && (rights & MAY_TICKET_EDIT_OWN))
        e = access_ticket(b->c, t->id, &rights);
    return e ? e : plan_edit_batch_need(b, (rights & MAY_TICKET_EDIT) != 0);
}

static bool moves_plan(const struct ticket *a, const struct ticket *t)
{
    return a->planned_start != t->planned_start ||
           a->planned_end != t->planned_end || a->progress != t->progress ||
           a->estimate != t->estimate || a->parent_id != t->parent_id ||
           a->is_manual != t->is_manual || a->status_id != t->status_id ||
           a->actual_start != t->actual_start || a->actual_end != t->actual_end;
}

static enum err write_ticket(struct plan_edit_batch *b,
                             const struct ticket *before, struct ticket *t,
                             const struct marks *m)
{
    enum err e;

    t->revision = b->revision;
    t->updated_at = b->c->now_us;
    if ((e = ticket_write(b->c, t)) ||
        (e = plan_edit_batch_write_marks(b, t->id, m)))
        return e;
    if (t->assignees != before->assignees) {
        if ((e = ticket_write_assignees(b->c, t)))
            return e;
        work_mail_assigned(b->c, b->key, before, t);
    }
    if ((!str_equal(t->subject, before->subject) ||
         !str_equal(t->details, before->details)) &&
        (e = ticket_index(b->c, b->key, t, false)))
        return e;
    if (moves_plan(before, t)) {
        plan_edit_batch_add_changed(b, t->id);
        if (before->parent_id != t->parent_id)
            plan_edit_batch_add_changed(b, before->parent_id);
    }
    b->out->updated++;
    return log_ticket(b, "update", before, t, m);
}

enum err plan_edit_batch_update_ticket(struct plan_edit_batch *b)
{
    struct ticket before, t;
    struct marks m;
    enum err e = load_target(b, false, &before);

    if (e || (e = may_edit(b, &before)))
        return e;
    if (values_has(b->it->values, "assignee") ||
        values_has(b->it->values, "assignees"))
        if ((e = ticket_load_assignees(b->c, &before)))
            return e;
    t = before;
    if ((e = take_all(b, &t, &m)) ||
        (e = plan_edit_batch_check_derived(b, &before, &t)) ||
        (e = place(b, &t, false)))
        return e;
    if (!ticket_log_differs(&before, &t) && before.rank == t.rank &&
        m.extras.len == 0)
        return OK;
    return write_ticket(b, &before, &t, &m);
}

/* What was changed or added below since the editor looked is not his to
 * delete unseen. */
static enum err check_seen(struct plan_edit_batch *b, const int64_t *ids,
                           size_t count)
{
    struct ticket t;

    for (size_t i = 1; i < count && b->it->seen; i++) {
        struct query *q = query(b->c, plan_edit_ticket_text[0]);
        bind_int(q, 1, ids[i]);
        bind_int(q, 2, b->it->seen);
        bind_int(q, 3, b->revision);
        enum err e = query_one(b->c, q);
        query_done(q);
        if (!e && !(e = ticket_read(b->c, ids[i], &t)))
            e = fail_stale(b, &t);
        if (e != ERR_NOT_FOUND)
            return e;
    }
    return OK;
}

enum err plan_edit_batch_delete_ticket(struct plan_edit_batch *b)
{
    struct ticket t;
    const int64_t *ids;
    size_t count;
    int64_t written;
    enum err e = load_target(b, false, &t);

    if (e ||
        (e = plan_edit_batch_need(b, (b->rights & MAY_TICKET_DELETE) != 0)) ||
        (e = ticket_tree_list(b->c, t.id, 0, &ids, &count)) ||
        (e = check_seen(b, ids, count)) ||
        (e = ticket_tree_delete(b->c, t.id, b->c->now_us + (int64_t)b->index,
                                b->revision, &written)))
        return e;
    for (size_t i = 0; i < count && !e; i++) {
        e = dependency_touch(b->c, ids[i], b->revision);
        if (!e && ids[i] != t.id)
            e = ticket_history_add(b->c, ids[i], "deleted", NULL, NULL);
    }
    plan_edit_batch_add_changed(b, t.parent_id);
    b->out->deleted += count;
    return e ? e : log_ticket(b, "delete", &t, NULL, NULL);
}

enum err plan_edit_batch_restore_ticket(struct plan_edit_batch *b)
{
    struct ticket t;
    const int64_t *ids;
    size_t count;
    int64_t written;
    bool alive = true;
    enum err e = load_target(b, true, &t);

    if (e ||
        (e = plan_edit_batch_need(b, (b->rights & MAY_TICKET_DELETE) != 0)) ||
        (e = ticket_tree_list(b->c, t.id, t.deleted_at, &ids, &count)) ||
        (e = ticket_tree_restore(b->c, t.id, t.deleted_at, b->revision,
                                 &written)))
        return e;
    if (t.parent_id)
        e = plan_edit_batch_is_alive(b, t.parent_id, &alive);
    if (!e)
        e = ticket_read(b->c, t.id, &t);
    if (!e && !alive) { /* its parent is gone: back to the top level */
        struct ticket_tree_place p = {.project_id = b->project_id,
                                      .id = t.id,
                                      .after_id = TICKET_TREE_LAST};
        t.parent_id = 0;
        if (!(e = ticket_tree_find_rank(b->c, &p, &t.rank)))
            e = ticket_write(b->c, &t);
    }
    for (size_t i = 0; i < count && !e; i++) {
        plan_edit_batch_add_changed(b, ids[i]);
        e = dependency_touch(b->c, ids[i], b->revision);
        if (!e && ids[i] != t.id)
            e = ticket_history_add(b->c, ids[i], "restored", NULL, NULL);
    }
    return e ? e : log_ticket(b, "restore", NULL, &t, NULL);
}
