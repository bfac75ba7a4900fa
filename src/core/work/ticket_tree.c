/* SPDX-License-Identifier: Apache-2.0 */
/* Siblings are ordered by ranks with gaps.  A ticket put between two others
 * takes the middle of their gap; only when there is none left are the
 * siblings numbered afresh, so a move nearly always writes one row. */
#include "core/work/ticket_tree.h"

#include "base/buf.h"
#include "core/core.h"

enum { GAP = 1 << 16 };
#define SIBLINGS                                                               \
    " FROM ticket WHERE project_id = ?1 AND parent_id IS ?2"                   \
    " AND deleted_at IS NULL AND id IS NOT ?3"
#define DOWN(which)                                                            \
    "WITH RECURSIVE down(id) AS (SELECT ?1 UNION SELECT t.id FROM down"        \
    " JOIN ticket t ON t.parent_id = down.id WHERE " which ")"

enum {
    TICKET_TREE_MAX_RANK,
    TICKET_TREE_MIN_RANK,
    TICKET_TREE_RANK_OF,
    TICKET_TREE_NEXT_RANK,
    TICKET_TREE_SIBLINGS,
    TICKET_TREE_SET_RANK,
    TICKET_TREE_ABOVE,
    TICKET_TREE_CHILD,
    TICKET_TREE_DELETE,
    TICKET_TREE_RESTORE,
    TICKET_TREE_DOWN,
    TICKET_TREE_DOWN_BIN,
};
static const char *const ticket_tree_text[] = {
    [TICKET_TREE_MAX_RANK] =
        "SELECT rank" SIBLINGS " ORDER BY rank DESC LIMIT 1",
    [TICKET_TREE_MIN_RANK] = "SELECT rank" SIBLINGS " ORDER BY rank LIMIT 1",
    [TICKET_TREE_RANK_OF] = "SELECT rank" SIBLINGS " AND id = ?4",
    [TICKET_TREE_NEXT_RANK] =
        "SELECT rank" SIBLINGS " AND rank > ?4 ORDER BY rank LIMIT 1",
    [TICKET_TREE_SIBLINGS] = "SELECT id" SIBLINGS " ORDER BY rank, id",
    [TICKET_TREE_SET_RANK] =
        "UPDATE ticket SET rank = ?2, revision = ?3 WHERE id = ?1",
    [TICKET_TREE_ABOVE] =
        "WITH RECURSIVE up(id, depth) AS (SELECT ?1, 0 UNION"
        " SELECT t.parent_id, up.depth + 1 FROM up JOIN ticket t"
        " ON t.id = up.id WHERE t.parent_id IS NOT NULL AND depth < 1000)"
        " SELECT max(id = ?2), max(depth) FROM up",
    [TICKET_TREE_CHILD] =
        "SELECT EXISTS (SELECT 1 FROM ticket INDEXED BY ticket_parent"
        " WHERE parent_id = ?1 AND deleted_at IS NULL)",
    [TICKET_TREE_DELETE] =
        DOWN("t.deleted_at IS NULL") " UPDATE ticket SET deleted_at = ?2,"
                                     " revision = ?3, version = version + 1, "
                                     "updated_at = ?4"
                                     " WHERE id IN (SELECT id FROM down)",
    [TICKET_TREE_RESTORE] =
        DOWN("t.deleted_at = ?2") " UPDATE ticket SET deleted_at = NULL,"
                                  " revision = ?3, version = version + 1, "
                                  "updated_at = ?4"
                                  " WHERE id IN (SELECT id FROM down)",
    [TICKET_TREE_DOWN] = DOWN("t.deleted_at IS NULL") " SELECT id FROM down",
    [TICKET_TREE_DOWN_BIN] = DOWN("t.deleted_at = ?2") " SELECT id FROM down",
};
const struct query_set ticket_tree_queries = {"outline", ticket_tree_text,
                                              COUNT(ticket_tree_text)};

/* missing: what no row reads as. */
static enum err read_rank(struct ctx *c, int text,
                          const struct ticket_tree_place *p, int64_t bound,
                          int64_t missing, int64_t *out)
{
    struct query *q = query(c, ticket_tree_text[text]);

    bind_int(q, 1, p->project_id);
    bind_id(q, 2, p->parent_id);
    bind_id(q, 3, p->id);
    if (text == TICKET_TREE_RANK_OF || text == TICKET_TREE_NEXT_RANK)
        bind_int(q, 4, bound);
    enum err e = query_one(c, q);
    *out = missing;
    if (e == ERR_NOT_FOUND)
        return OK;
    if (!e)
        *out = col_int(q, 0);
    query_done(q);
    return e;
}

static enum err number_afresh(struct ctx *c, const struct ticket_tree_place *p)
{
    struct query *q = query(c, ticket_tree_text[TICKET_TREE_SIBLINGS]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, p->project_id);
    bind_id(q, 2, p->parent_id);
    bind_id(q, 3, p->id);
    while (query_next(c, q, &e)) {
        int64_t id = col_int(q, 0);
        buf_put(&rows, &id, sizeof id);
    }
    const int64_t *ids = (const void *)rows.data;
    for (size_t i = 0; i < rows.len / sizeof *ids && !e; i++) {
        q = query(c, ticket_tree_text[TICKET_TREE_SET_RANK]);
        bind_int(q, 1, ids[i]);
        bind_int(q, 2, (int64_t)(i + 1) * GAP);
        bind_int(q, 3, p->revision);
        e = query_run(c, q);
    }
    return e;
}

static enum err rank_after(struct ctx *c, const struct ticket_tree_place *p,
                           int64_t *rank)
{
    int64_t before, next;

    for (int tries = 0; tries < 2; tries++) {
        enum err e = read_rank(c, TICKET_TREE_RANK_OF, p, p->after_id,
                               INT64_MIN, &before);
        if (e)
            return e;
        if (before == INT64_MIN)
            return ERR_NOT_FOUND;
        if ((e = read_rank(c, TICKET_TREE_NEXT_RANK, p, before,
                           before + 2 * GAP, &next)))
            return e;
        *rank = before + (next - before) / 2;
        if (*rank > before)
            return OK;
        if ((e = number_afresh(c, p)))
            return e;
    }
    return ERR_INTERNAL;
}

enum err ticket_tree_find_rank(struct ctx *c,
                               const struct ticket_tree_place *place,
                               int64_t *rank)
{
    enum err e;

    if (place->after_id == TICKET_TREE_LAST) {
        e = read_rank(c, TICKET_TREE_MAX_RANK, place, 0, 0, rank);
        *rank += GAP;
        return e;
    }
    if (place->after_id == TICKET_TREE_FIRST) {
        e = read_rank(c, TICKET_TREE_MIN_RANK, place, 0, 2 * GAP, rank);
        *rank -= GAP;
        return e;
    }
    return rank_after(c, place, rank);
}

enum err ticket_tree_is_below(struct ctx *c, int64_t id, int64_t ancestor_id,
                              bool *is_below, int *levels)
{
    struct query *q = query(c, ticket_tree_text[TICKET_TREE_ABOVE]);

    bind_int(q, 1, id);
    bind_int(q, 2, ancestor_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *is_below = col_int(q, 0) != 0;
    *levels = (int)col_int(q, 1);
    query_done(q);
    return OK;
}

enum err ticket_tree_has_children(struct ctx *c, int64_t id, bool *out)
{
    struct query *q = query(c, ticket_tree_text[TICKET_TREE_CHILD]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = col_int(q, 0) != 0;
    query_done(q);
    return OK;
}

static enum err mark(struct ctx *c, int text, int64_t id, int64_t stamp,
                     int64_t revision, int64_t *count)
{
    struct query *q = query(c, ticket_tree_text[text]);

    bind_int(q, 1, id);
    bind_int(q, 2, stamp);
    bind_int(q, 3, revision);
    bind_int(q, 4, c->now_us);
    enum err e = query_run(c, q);
    *count = e ? 0 : db_changes(c);
    return e;
}

enum err ticket_tree_delete(struct ctx *c, int64_t id, int64_t stamp,
                            int64_t revision, int64_t *count)
{
    return mark(c, TICKET_TREE_DELETE, id, stamp, revision, count);
}

enum err ticket_tree_restore(struct ctx *c, int64_t id, int64_t stamp,
                             int64_t revision, int64_t *count)
{
    return mark(c, TICKET_TREE_RESTORE, id, stamp, revision, count);
}

enum err ticket_tree_list(struct ctx *c, int64_t id, int64_t stamp,
                          const int64_t **out, size_t *count)
{
    struct query *q = query(
        c, ticket_tree_text[stamp ? TICKET_TREE_DOWN_BIN : TICKET_TREE_DOWN]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, id);
    if (stamp)
        bind_int(q, 2, stamp);
    while (query_next(c, q, &e)) {
        int64_t each = col_int(q, 0);
        buf_put(&rows, &each, sizeof each);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}
