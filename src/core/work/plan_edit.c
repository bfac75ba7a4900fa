/* SPDX-License-Identifier: Apache-2.0 */
/* A batch writes each edit through to its row at once, so that the next edit
 * and every check read the truth from the file; only what follows from the
 * edits (pushed successors, parents, cycles) waits for the end and is worked
 * out once.  All rows a batch writes bear the same revision: that is how its
 * own rows are told from other people's, and what the reply is read by. */
#include "core/work/plan_edit.h"

#include "base/str.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/work/assignee.h"
#include "core/work/plan_edit_batch.h"
#include "core/work/schedule.h"

#include <string.h>

enum {
    PLAN_EDIT_PROJECT,
    PLAN_EDIT_PROJECT_DONE,
    PLAN_EDIT_ALIVE,
    PLAN_EDIT_PROJECT_OF,
    PLAN_EDIT_ALL
};
static const char *const plan_edit_text[] = {
    [PLAN_EDIT_PROJECT] =
        "SELECT key, auto_dates, auto_parent, revision, next_no"
        " FROM project WHERE id = ?1 AND deleted_at IS NULL",
    [PLAN_EDIT_PROJECT_DONE] =
        "UPDATE project SET revision = ?2, next_no = ?3 WHERE id = ?1",
    [PLAN_EDIT_ALIVE] = "SELECT 1 FROM ticket WHERE id = ?1 AND project_id = ?2"
                        " AND deleted_at IS NULL",
    [PLAN_EDIT_ALL] = "SELECT id FROM ticket WHERE project_id = ?1"
                      " AND deleted_at IS NULL",
    [PLAN_EDIT_PROJECT_OF] = "SELECT project_id FROM ticket WHERE id = ?1",
};
const struct query_set plan_edit_queries = {"edit", plan_edit_text,
                                            COUNT(plan_edit_text)};

/* ---- one batch ---- */

static size_t hash_of(const char *name)
{
    uint64_t h = UINT64_C(14695981039346656037);

    while (*name)
        h = (h ^ (unsigned char)*name++) * UINT64_C(1099511628211);
    return (size_t)(h ^ h >> 29);
}

static struct ref *ref_slot(struct plan_edit_batch *b, const char *name)
{
    size_t i = hash_of(name) & (b->ref_cap - 1);

    while (b->refs[i].name && strcmp(b->refs[i].name, name) != 0)
        i = (i + 1) & (b->ref_cap - 1);
    return &b->refs[i];
}

static void open_refs(struct plan_edit_batch *b, const struct plan_edit *edits,
                      size_t n)
{
    size_t named = 0;

    for (size_t i = 0; i < n; i++)
        named += edits[i].op == PLAN_EDIT_CREATE && edits[i].ref;
    for (b->ref_cap = 4; b->ref_cap < 2 * named;)
        b->ref_cap *= 2;
    b->refs = arena_array(b->c->mem, struct ref, b->ref_cap);
}

int64_t plan_edit_batch_resolve(struct plan_edit_batch *b, const char *name)
{
    int64_t id = 0;

    if (!name)
        return 0;
    const struct ref *r = ref_slot(b, name);
    if (r->name)
        return r->id;
    return str_parse_int(name, 1, INT64_MAX, &id) ? id : 0;
}

void plan_edit_batch_add_changed(struct plan_edit_batch *b, int64_t id)
{
    if (id)
        buf_put(&b->changed, &id, sizeof id);
}

enum err plan_edit_batch_refuse(struct plan_edit_batch *b, const char *field,
                                const char *rule, const char *ja,
                                const char *en)
{
    return ctx_fail(b->c, ERR_INVALID, field, rule, "%s", "%s",
                    ctx_text(b->c, ja, en));
}

enum err plan_edit_batch_conflict(struct plan_edit_batch *b, const char *field,
                                  const char *rule, const char *ja,
                                  const char *en)
{
    return ctx_fail(b->c, ERR_CONFLICT, field, rule, "%s", "%s",
                    ctx_text(b->c, ja, en));
}

enum err plan_edit_batch_need(struct plan_edit_batch *b, bool may)
{
    if (may)
        return OK;
    return ctx_fail(b->c, ERR_DENIED, "", "denied",
                    "この操作の権限がありません", "You may not do this");
}

enum err plan_edit_batch_keep_ref(struct plan_edit_batch *b,
                                  const struct ticket *t)
{
    struct plan_edit_created made = {b->it->ref, t->id, t->no};

    buf_put(&b->created, &made, sizeof made);
    if (!b->it->ref)
        return OK;
    struct ref *r = ref_slot(b, b->it->ref);
    if (r->name)
        return plan_edit_batch_refuse(b, "ref", "unique",
                                      "仮IDが重複しています",
                                      "The reference is used twice");
    *r = (struct ref){b->it->ref, t->id};
    return OK;
}

static enum err exists(struct plan_edit_batch *b, int text, int64_t id,
                       bool *out)
{
    struct query *q = query(b->c, plan_edit_text[text]);

    bind_int(q, 1, id);
    if (text == PLAN_EDIT_ALIVE)
        bind_int(q, 2, b->project_id);
    enum err e = query_one(b->c, q);
    query_done(q);
    *out = !e;
    return e == ERR_NOT_FOUND ? OK : e;
}

enum err plan_edit_batch_is_alive(struct plan_edit_batch *b, int64_t id,
                                  bool *out)
{
    return exists(b, PLAN_EDIT_ALIVE, id, out);
}

enum err plan_edit_batch_need_assignable(struct plan_edit_batch *b,
                                         const char *field, int64_t user_id)
{
    const int64_t *known = (const void *)b->assignable.data;
    bool is_one;

    for (size_t i = 0; i < b->assignable.len / sizeof *known; i++)
        if (known[i] == user_id)
            return OK;
    enum err e = assignee_is_one(b->c, b->project_id, user_id, &is_one);
    if (e)
        return e;
    if (!is_one)
        return plan_edit_batch_refuse(
            b, field, "cannot_see",
            "このプロジェクトを参照できる人ではありません。"
            "先にメンバーに追加してください",
            "This is nobody who sees the project; add the"
            " person as a member first");
    buf_put(&b->assignable, &user_id, sizeof user_id);
    return OK;
}

/* ---- the batch ---- */

static enum err begin(struct ctx *c, int64_t project_id,
                      struct plan_edit_batch *b)
{
    struct query *q = query(c, plan_edit_text[PLAN_EDIT_PROJECT]);

    *b = (struct plan_edit_batch){.c = c,
                                  .project_id = project_id,
                                  .changed = buf_in(c->mem),
                                  .links = buf_in(c->mem),
                                  .created = buf_in(c->mem),
                                  .assignable = buf_in(c->mem)};
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

static enum err run_one(struct plan_edit_batch *b)
{
    static enum err (*const run[])(struct plan_edit_batch *) = {
        [PLAN_EDIT_CREATE] = plan_edit_batch_create_ticket,
        [PLAN_EDIT_UPDATE] = plan_edit_batch_update_ticket,
        [PLAN_EDIT_DELETE] = plan_edit_batch_delete_ticket,
        [PLAN_EDIT_RESTORE] = plan_edit_batch_restore_ticket,
        [PLAN_EDIT_LINK] = plan_edit_batch_create_link,
        [PLAN_EDIT_RELINK] = plan_edit_batch_update_link,
        [PLAN_EDIT_UNLINK] = plan_edit_batch_delete_link,
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

static void prefix_failures(struct plan_edit_batch *b, struct failure *f)
{
    for (; f && b->it->where; f = f->next)
        f->field = arena_printf(b->c->mem, "%s%s", b->it->where, f->field);
}

static enum err run_all(struct plan_edit_batch *b,
                        const struct plan_edit *edits, size_t n)
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

static enum err log_cascade(struct plan_edit_batch *b, size_t changed)
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

static enum err finish(struct plan_edit_batch *b)
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
    struct query *q = query(b->c, plan_edit_text[PLAN_EDIT_PROJECT_DONE]);
    bind_int(q, 1, b->project_id);
    bind_int(q, 2, b->revision);
    bind_int(q, 3, b->next_no);
    b->out->revision = b->revision;
    b->out->created = (const void *)b->created.data;
    b->out->created_count = b->created.len / sizeof(struct plan_edit_created);
    b->out->conflicts = result.conflicts;
    b->out->conflict_count = result.conflict_count;
    b->out->cascaded = result.changed;
    return query_run(b->c, q);
}

enum err plan_edit_apply(struct ctx *c, int64_t project_id,
                         const struct plan_edit *edits, size_t n,
                         struct plan_edit_result *out)
{
    struct plan_edit_batch b;
    enum err e = begin(c, project_id, &b);

    if (e)
        return e;
    *out = (struct plan_edit_result){.since = b.revision - 1,
                                     .revision = b.revision - 1};
    b.out = out;
    open_refs(&b, edits, n);
    if ((e = run_all(&b, edits, n)))
        return e;
    return b.is_dirty ? finish(&b) : OK;
}

enum err plan_edit_apply_ticket(struct ctx *c, int64_t ticket_id,
                                const struct plan_edit *edit,
                                struct plan_edit_result *out)
{
    struct plan_edit one = *edit;
    struct query *q = query(c, plan_edit_text[PLAN_EDIT_PROJECT_OF]);

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
    return plan_edit_apply(c, project_id, &one, 1, out);
}

enum err plan_edit_revision(struct ctx *c, int64_t project_id, int64_t *out)
{
    struct query *q = query(c, plan_edit_text[PLAN_EDIT_PROJECT]);

    bind_int(q, 1, project_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = col_int(q, 3);
    query_done(q);
    return OK;
}

enum err plan_edit_reschedule(struct ctx *c, int64_t project_id)
{
    struct plan_edit_result out;
    struct plan_edit_batch b;
    enum err e = begin(c, project_id, &b);

    if (e)
        return e;
    struct query *q = query(c, plan_edit_text[PLAN_EDIT_ALL]);
    bind_int(q, 1, project_id);
    while (query_next(c, q, &e))
        plan_edit_batch_add_changed(&b, col_int(q, 0));
    b.out = &out;
    return e ? e : finish(&b);
}
