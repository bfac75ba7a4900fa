/* SPDX-License-Identifier: Apache-2.0 */
/* Both sides are folded (NFKC, case, kana), so half-width kana and kanji of
 * two characters are found.  Rights are part of the statement: what one may
 * not see does not take a place among the hits. */
#include "core/search.h"

#include "base/buf.h"
#include "base/str.h"
#include "core/access.h"
#include "core/core.h"
#include "core/ticket.h"

#include <string.h>

enum { SEARCH_TICKETS, SEARCH_ONE, SEARCH_PROGRAMS, SEARCH_PROJECTS };
static const char *const search_text[] = {
    [SEARCH_TICKETS] =
        "WITH RECURSIVE " ACCESS_SEEN_TICKETS
        " SELECT t.id, p.key || '-' || t.no, t.subject, p.id, p.key, p.name"
        " FROM ticket_search f JOIN ticket t ON t.id = f.rowid"
        " JOIN project p ON p.id = t.project_id"
        " WHERE f.ticket_search MATCH ?3 AND t.deleted_at IS NULL"
        " AND p.deleted_at IS NULL"
        " AND (?2 OR p.id IN (SELECT id FROM visible))"
        " ORDER BY f.rowid DESC LIMIT ?4",
    [SEARCH_ONE] =
        "SELECT t.id, p.key || '-' || t.no, t.subject, p.id, p.key, p.name"
        " FROM ticket t JOIN project p ON p.id = t.project_id"
        " WHERE t.id = ?1",
    [SEARCH_PROGRAMS] =
        "WITH RECURSIVE " ACCESS_GRANTED("1") /* MAY_PROGRAM_VIEW */
    " SELECT p.id, p.key, p.name FROM program p"
    " WHERE p.deleted_at IS NULL AND (?2 OR p.id IN (SELECT id FROM"
    " granted) OR EXISTS (SELECT 1 FROM mine"
    " WHERE coalesce(program_id, project_id) IS NULL))"
    " ORDER BY p.name, p.id",
    [SEARCH_PROJECTS] = "WITH RECURSIVE " ACCESS_SEEN_PROJECTS
                        " SELECT p.id, p.key, p.name FROM project p"
                        " WHERE p.deleted_at IS NULL"
                        " AND (?2 OR p.id IN (SELECT id FROM visible))"
                        " ORDER BY p.name, p.id",
};
_Static_assert(MAY_PROGRAM_VIEW == 1, "as SEARCH_PROGRAMS has it");
const struct query_set search_queries = {"search", search_text,
                                         COUNT(search_text)};

const char *const search_kind_words[] = {"ticket", "project", "program", NULL};

static void read_ticket(struct ctx *c, struct query *q, struct buf *hits)
{
    struct search_hit hit = {
        .kind = SEARCH_TICKET,
        .id = col_int(q, 0),
        .key = col_text(c, q, 1),
        .subject = col_text(c, q, 2),
        .project_id = col_int(q, 3),
        .project_key = col_text(c, q, 4),
        .project_name = col_text(c, q, 5),
    };

    buf_put(hits, &hit, sizeof hit);
}

/* "erp-12" is the ticket itself. */
static enum err find_key(struct ctx *c, const char *text, struct buf *hits)
{
    char *key = str_trim(c->mem, text);
    struct failure *before = c->fail;
    int64_t id;

    if (!strchr(key, '-') || strlen(key) > 32)
        return OK;
    for (char *p = key; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
    enum err e = ticket_find(c, key, &id);
    if (e) {
        c->fail = before; /* it was only a guess */
        return e == ERR_NOT_FOUND ? OK : e;
    }
    struct query *q = query(c, search_text[SEARCH_ONE]);
    bind_int(q, 1, id);
    if ((e = query_one(c, q)))
        return e;
    read_ticket(c, q, hits);
    query_done(q);
    return OK;
}

static bool has(struct ctx *c, const char *text, const char *folded)
{
    return strstr(str_fold(c->mem, text), folded) != NULL;
}

/* Programs or projects: by name or key. */
static enum err find_containers(struct ctx *c, enum search_kind kind,
                                const char *folded, struct buf *hits)
{
    bool is_project = kind == SEARCH_PROJECT;
    struct query *q =
        query(c, search_text[is_project ? SEARCH_PROJECTS : SEARCH_PROGRAMS]);
    enum err e;

    bind_int(q, 1, c->actor->user_id);
    bind_int(q, 2, c->actor->is_admin);
    while (query_next(c, q, &e)) {
        struct search_hit hit = {.kind = kind,
                                 .id = col_int(q, 0),
                                 .key = col_text(c, q, 1),
                                 .subject = col_text(c, q, 2)};
        if (!has(c, hit.subject, folded) && !has(c, hit.key, folded))
            continue;
        if (is_project) {
            hit.project_id = hit.id;
            hit.project_key = hit.key;
            hit.project_name = hit.subject;
        }
        buf_put(hits, &hit, sizeof hit);
    }
    return e;
}

static enum err find_tickets(struct ctx *c, const char *match, int limit,
                             struct buf *hits)
{
    struct query *q = query(c, search_text[SEARCH_TICKETS]);
    enum err e;

    bind_int(q, 1, c->actor->user_id);
    bind_int(q, 2, c->actor->is_admin);
    bind_text(q, 3, match);
    bind_int(q, 4, limit);
    const struct search_hit *first = (const void *)hits->data;
    int64_t by_key = first && first->kind == SEARCH_TICKET ? first->id : 0;
    while (query_next(c, q, &e))
        if (col_int(q, 0) != by_key)
            read_ticket(c, q, hits);
    return e;
}

enum err search_find(struct ctx *c, const char *text, int limit,
                     const struct search_hit **out, size_t *count)
{
    struct buf hits = buf_in(c->mem);
    const char *folded = str_fold(c->mem, str_trim(c->mem, text));
    const char *match = search_match(c->mem, folded);
    enum err e = find_key(c, text, &hits);

    if (!e && *folded)
        e = find_containers(c, SEARCH_PROGRAM, folded, &hits);
    if (!e && *folded)
        e = find_containers(c, SEARCH_PROJECT, folded, &hits);
    if (!e && match)
        e = find_tickets(c, match, limit, &hits);
    *out = (const void *)hits.data;
    *count = hits.len / sizeof **out;
    if (*count > (size_t)limit)
        *count = (size_t)limit;
    return e;
}
