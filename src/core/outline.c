/* SPDX-License-Identifier: Apache-2.0 */
/* Siblings are ordered by ranks with gaps.  A ticket put between two others
 * takes the middle of their gap; only when there is none left are the
 * siblings numbered afresh, so a move nearly always writes one row. */
#include "core/outline.h"

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
    OUTLINE_MAX_RANK,
    OUTLINE_MIN_RANK,
    OUTLINE_RANK_OF,
    OUTLINE_NEXT_RANK,
    OUTLINE_SIBLINGS,
    OUTLINE_SET_RANK,
    OUTLINE_ABOVE,
    OUTLINE_CHILD,
    OUTLINE_DELETE,
    OUTLINE_RESTORE,
    OUTLINE_DOWN,
    OUTLINE_DOWN_BIN,
};
static const char *const outline_text[] = {
    [OUTLINE_MAX_RANK] = "SELECT rank" SIBLINGS " ORDER BY rank DESC LIMIT 1",
    [OUTLINE_MIN_RANK] = "SELECT rank" SIBLINGS " ORDER BY rank LIMIT 1",
    [OUTLINE_RANK_OF] = "SELECT rank" SIBLINGS " AND id = ?4",
    [OUTLINE_NEXT_RANK] =
        "SELECT rank" SIBLINGS " AND rank > ?4 ORDER BY rank LIMIT 1",
    [OUTLINE_SIBLINGS] = "SELECT id" SIBLINGS " ORDER BY rank, id",
    [OUTLINE_SET_RANK] =
        "UPDATE ticket SET rank = ?2, revision = ?3 WHERE id = ?1",
    [OUTLINE_ABOVE] =
        "WITH RECURSIVE up(id, depth) AS (SELECT ?1, 0 UNION"
        " SELECT t.parent_id, up.depth + 1 FROM up JOIN ticket t"
        " ON t.id = up.id WHERE t.parent_id IS NOT NULL AND depth < 1000)"
        " SELECT max(id = ?2), max(depth) FROM up",
    [OUTLINE_CHILD] =
        "SELECT EXISTS (SELECT 1 FROM ticket INDEXED BY ticket_parent"
        " WHERE parent_id = ?1 AND deleted_at IS NULL)",
    [OUTLINE_DELETE] =
        DOWN("t.deleted_at IS NULL") " UPDATE ticket SET deleted_at = ?2,"
                                     " revision = ?3, version = version + 1, "
                                     "updated_at = ?4"
                                     " WHERE id IN (SELECT id FROM down)",
    [OUTLINE_RESTORE] =
        DOWN("t.deleted_at = ?2") " UPDATE ticket SET deleted_at = NULL,"
                                  " revision = ?3, version = version + 1, "
                                  "updated_at = ?4"
                                  " WHERE id IN (SELECT id FROM down)",
    [OUTLINE_DOWN] = DOWN("t.deleted_at IS NULL") " SELECT id FROM down",
    [OUTLINE_DOWN_BIN] = DOWN("t.deleted_at = ?2") " SELECT id FROM down",
};
const struct query_set outline_queries = {"outline", outline_text,
                                          COUNT(outline_text)};

/* missing: what no row reads as. */
static enum err read_rank(struct ctx *c, int text,
                          const struct outline_place *p, int64_t bound,
                          int64_t missing, int64_t *out)
{
    struct query *q = query(c, outline_text[text]);

    bind_int(q, 1, p->project_id);
    bind_id(q, 2, p->parent_id);
    bind_id(q, 3, p->id);
    if (text == OUTLINE_RANK_OF || text == OUTLINE_NEXT_RANK)
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

static enum err number_afresh(struct ctx *c, const struct outline_place *p)
{
    struct query *q = query(c, outline_text[OUTLINE_SIBLINGS]);
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
        q = query(c, outline_text[OUTLINE_SET_RANK]);
        bind_int(q, 1, ids[i]);
        bind_int(q, 2, (int64_t)(i + 1) * GAP);
        bind_int(q, 3, p->revision);
        e = query_run(c, q);
    }
    return e;
}

static enum err rank_after(struct ctx *c, const struct outline_place *p,
                           int64_t *rank)
{
    int64_t before, next;

    for (int tries = 0; tries < 2; tries++) {
        enum err e =
            read_rank(c, OUTLINE_RANK_OF, p, p->after_id, INT64_MIN, &before);
        if (e)
            return e;
        if (before == INT64_MIN)
            return ERR_NOT_FOUND;
        if ((e = read_rank(c, OUTLINE_NEXT_RANK, p, before, before + 2 * GAP,
                           &next)))
            return e;
        *rank = before + (next - before) / 2;
        if (*rank > before)
            return OK;
        if ((e = number_afresh(c, p)))
            return e;
    }
    return ERR_INTERNAL;
}

enum err outline_find_rank(struct ctx *c, const struct outline_place *place,
                           int64_t *rank)
{
    enum err e;

    if (place->after_id == OUTLINE_LAST) {
        e = read_rank(c, OUTLINE_MAX_RANK, place, 0, 0, rank);
        *rank += GAP;
        return e;
    }
    if (place->after_id == OUTLINE_FIRST) {
        e = read_rank(c, OUTLINE_MIN_RANK, place, 0, 2 * GAP, rank);
        *rank -= GAP;
        return e;
    }
    return rank_after(c, place, rank);
}

enum err outline_is_below(struct ctx *c, int64_t id, int64_t ancestor_id,
                          bool *is_below, int *levels)
{
    struct query *q = query(c, outline_text[OUTLINE_ABOVE]);

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

enum err outline_has_children(struct ctx *c, int64_t id, bool *out)
{
    struct query *q = query(c, outline_text[OUTLINE_CHILD]);

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
    struct query *q = query(c, outline_text[text]);

    bind_int(q, 1, id);
    bind_int(q, 2, stamp);
    bind_int(q, 3, revision);
    bind_int(q, 4, c->now_us);
    enum err e = query_run(c, q);
    *count = e ? 0 : db_changes(c);
    return e;
}

enum err outline_delete(struct ctx *c, int64_t id, int64_t stamp,
                        int64_t revision, int64_t *count)
{
    return mark(c, OUTLINE_DELETE, id, stamp, revision, count);
}

enum err outline_restore(struct ctx *c, int64_t id, int64_t stamp,
                         int64_t revision, int64_t *count)
{
    return mark(c, OUTLINE_RESTORE, id, stamp, revision, count);
}

enum err outline_list(struct ctx *c, int64_t id, int64_t stamp,
                      const int64_t **out, size_t *count)
{
    struct query *q =
        query(c, outline_text[stamp ? OUTLINE_DOWN_BIN : OUTLINE_DOWN]);
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
