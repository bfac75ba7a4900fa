/* SPDX-License-Identifier: Apache-2.0 */
#include "core/work/dependency.h"

#include "core/core.h"
#include "core/work/ticket_tree.h"

enum { DEP_GET, DEP_INSERT, DEP_UPDATE, DEP_DELETE, DEP_GONE, DEP_TOUCH };
static const char *const dependency_text[] = {
    [DEP_GET] = "SELECT id, project_id, predecessor_id, successor_id, kind,"
                " lag, revision FROM dependency"
                " WHERE id = ?1 AND project_id = ?2",
    [DEP_INSERT] = "INSERT INTO dependency (project_id, predecessor_id,"
                   " successor_id, kind, lag, revision)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [DEP_UPDATE] = "UPDATE dependency SET kind = ?2, lag = ?3, revision = ?4"
                   " WHERE id = ?1",
    [DEP_DELETE] = "DELETE FROM dependency WHERE id = ?1",
    [DEP_GONE] = "INSERT INTO dependency_gone (project_id, revision, id)"
                 " VALUES (?1, ?2, ?3)",
    [DEP_TOUCH] = "UPDATE dependency SET revision = ?2"
                  " WHERE predecessor_id = ?1 OR successor_id = ?1",
};
const struct query_set dependency_queries = {"dependency", dependency_text,
                                             COUNT(dependency_text)};

const char *const dependency_words[] = {"FS", "SS", "FF", "SF", NULL};

enum err dependency_get(struct ctx *c, int64_t project_id, int64_t id,
                        struct dependency *out)
{
    struct query *q = query(c, dependency_text[DEP_GET]);

    bind_int(q, 1, id);
    bind_int(q, 2, project_id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "link", "not_found", "依存関係が見つかりません",
                        "No such link");
    if (e)
        return e;
    *out = (struct dependency){
        .id = col_int(q, 0),
        .project_id = col_int(q, 1),
        .predecessor_id = col_int(q, 2),
        .successor_id = col_int(q, 3),
        .kind = (enum dependency_kind)col_int(q, 4),
        .lag = col_int(q, 5),
        .revision = col_int(q, 6),
    };
    query_done(q);
    return OK;
}

static enum err check_family(struct ctx *c, const struct dependency *d)
{
    bool below, above;
    int levels;
    enum err e = ticket_tree_is_below(c, d->predecessor_id, d->successor_id,
                                      &below, &levels);

    if (!e)
        e = ticket_tree_is_below(c, d->successor_id, d->predecessor_id, &above,
                                 &levels);
    if (e || (!below && !above))
        return e;
    return ctx_fail(c, ERR_CONFLICT, "successor", "family",
                    "親子関係にあるチケットは先行・後続にできません",
                    "A ticket cannot be linked to one above or below it");
}

enum err dependency_create(struct ctx *c, struct dependency *d)
{
    enum err e;

    if (d->predecessor_id == d->successor_id)
        return ctx_fail(c, ERR_INVALID, "successor", "self",
                        "自分自身を先行・後続にはできません",
                        "A ticket cannot be linked to itself");
    if ((e = check_family(c, d)))
        return e;
    struct query *q = query(c, dependency_text[DEP_INSERT]);
    bind_int(q, 1, d->project_id);
    bind_int(q, 2, d->predecessor_id);
    bind_int(q, 3, d->successor_id);
    bind_int(q, 4, d->kind);
    bind_int(q, 5, d->lag);
    bind_int(q, 6, d->revision);
    e = query_run(c, q);
    if (e == ERR_CONFLICT)
        return ctx_fail(c, e, "successor", "linked",
                        "この2つのチケットにはすでに依存関係があります",
                        "These two tickets are linked already");
    if (!e)
        d->id = db_last_id(c);
    return e;
}

enum err dependency_update(struct ctx *c, const struct dependency *d)
{
    struct query *q = query(c, dependency_text[DEP_UPDATE]);

    bind_int(q, 1, d->id);
    bind_int(q, 2, d->kind);
    bind_int(q, 3, d->lag);
    bind_int(q, 4, d->revision);
    return query_run(c, q);
}

enum err dependency_delete(struct ctx *c, const struct dependency *d,
                           int64_t revision)
{
    struct query *q = query(c, dependency_text[DEP_DELETE]);

    bind_int(q, 1, d->id);
    enum err e = query_run(c, q);
    if (e)
        return e;
    q = query(c, dependency_text[DEP_GONE]);
    bind_int(q, 1, d->project_id);
    bind_int(q, 2, revision);
    bind_int(q, 3, d->id);
    return query_run(c, q);
}

enum err dependency_touch(struct ctx *c, int64_t ticket_id, int64_t revision)
{
    struct query *q = query(c, dependency_text[DEP_TOUCH]);

    bind_int(q, 1, ticket_id);
    bind_int(q, 2, revision);
    return query_run(c, q);
}
