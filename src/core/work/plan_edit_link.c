/* SPDX-License-Identifier: Apache-2.0 */
/* Dependencies made, changed and removed by a batch. */
#include "core/access/access.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/log/ticket_history.h"
#include "core/work/dependency.h"
#include "core/work/plan_edit_batch.h"
#include "core/work/schedule.h"

static const char *const plan_edit_link_text[] = {
    "SELECT p.key || '-' || t.no || ' ' || t.subject"
    " FROM ticket t JOIN project p ON p.id = t.project_id"
    " WHERE t.id = ?1",
};
const struct query_set plan_edit_link_queries = {
    "edit_link", plan_edit_link_text, COUNT(plan_edit_link_text)};

static enum err name_of(struct plan_edit_batch *b, int64_t id, const char **out)
{
    struct query *q = query(b->c, plan_edit_link_text[0]);

    bind_int(q, 1, id);
    enum err e = query_one(b->c, q);
    if (e)
        return e;
    *out = col_text(b->c, q, 0);
    query_done(q);
    return OK;
}

static const char *link_words(struct plan_edit_batch *b, const char *name,
                              const struct dependency *d)
{
    return d->lag ? arena_printf(b->c->mem, "%s %s%+lld", name,
                                 dependency_words[d->kind], (long long)d->lag)
                  : arena_printf(b->c->mem, "%s %s", name,
                                 dependency_words[d->kind]);
}

/* before or after NULL: made or removed. */
static enum err log_link(struct plan_edit_batch *b, const char *action,
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
    if ((e = ticket_history_add(b->c, any->successor_id, "predecessor",
                                words[0], words[1])))
        return e;
    return operation_log(b->c,
                         &(struct operation){.action = action,
                                             .kind = "ticket",
                                             .object_id = any->successor_id,
                                             .object_name = to,
                                             .before = json[0],
                                             .after = json[1]});
}

static enum err link_end(struct plan_edit_batch *b, const char *field,
                         const char *name, int64_t *id)
{
    bool alive = false;
    enum err e = OK;

    *id = plan_edit_batch_resolve(b, name);
    if (*id)
        e = plan_edit_batch_is_alive(b, *id, &alive);
    if (e || alive)
        return e;
    return plan_edit_batch_refuse(b, field, "not_found",
                                  "チケットが見つかりません", "No such ticket");
}

static void keep_link(struct plan_edit_batch *b, const struct dependency *d)
{
    struct schedule_link made = {d->id, b->it->where};

    buf_put(&b->links, &made, sizeof made);
    plan_edit_batch_add_changed(b, d->successor_id);
}

enum err plan_edit_batch_create_link(struct plan_edit_batch *b)
{
    struct dependency d = {
        .project_id = b->project_id,
        .kind =
            b->it->kind < 0 ? DEPENDENCY_FS : (enum dependency_kind)b->it->kind,
        .lag = b->it->has_lag ? b->it->lag : 0,
        .revision = b->revision,
    };
    enum err e = plan_edit_batch_need(b, (b->rights & MAY_TICKET_EDIT) != 0);

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

enum err plan_edit_batch_update_link(struct plan_edit_batch *b)
{
    struct dependency before, d;
    enum err e = plan_edit_batch_need(b, (b->rights & MAY_TICKET_EDIT) != 0);

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

enum err plan_edit_batch_delete_link(struct plan_edit_batch *b)
{
    struct dependency d;
    enum err e = plan_edit_batch_need(b, (b->rights & MAY_TICKET_EDIT) != 0);

    if (e || (e = dependency_get(b->c, b->project_id, b->it->link_id, &d)) ||
        (e = dependency_delete(b->c, &d, b->revision)))
        return e;
    return log_link(b, "unlink", &d, NULL);
}
