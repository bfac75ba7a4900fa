/* SPDX-License-Identifier: Apache-2.0 */
/* Both sides are folded (NFKC, case, kana), so half-width kana and kanji of
 * two characters are found.  Rights are part of the statement: what one may
 * not see does not take a place among the hits. */
#include "core/search.h"

#include "base/buf.h"
#include "base/str.h"
#include "core/access.h"
#include "core/core.h"
#include "core/program.h"
#include "core/project.h"
#include "core/ticket.h"

#include <string.h>

enum { SEARCH_TICKETS, SEARCH_ONE };
static const char *const search_text[] = {
    [SEARCH_TICKETS] =
        "WITH RECURSIVE " ACCESS_VISIBLE
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
};
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

static enum err find_containers(struct ctx *c, const char *folded,
                                struct buf *hits)
{
    const struct program *programs;
    const struct project *projects;
    size_t count;
    enum err e = program_list(c, &programs, &count);

    for (size_t i = 0; i < count && !e; i++)
        if (has(c, programs[i].name, folded) ||
            has(c, programs[i].key, folded)) {
            struct search_hit hit = {.kind = SEARCH_PROGRAM,
                                     .id = programs[i].id,
                                     .key = programs[i].key,
                                     .subject = programs[i].name};
            buf_put(hits, &hit, sizeof hit);
        }
    if (e || (e = project_list_plain(c, &projects, &count)))
        return e;
    for (size_t i = 0; i < count; i++)
        if (has(c, projects[i].name, folded) ||
            has(c, projects[i].key, folded)) {
            struct search_hit hit = {.kind = SEARCH_PROJECT,
                                     .id = projects[i].id,
                                     .key = projects[i].key,
                                     .subject = projects[i].name,
                                     .project_id = projects[i].id,
                                     .project_key = projects[i].key,
                                     .project_name = projects[i].name};
            buf_put(hits, &hit, sizeof hit);
        }
    return OK;
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
        e = find_containers(c, folded, &hits);
    if (!e && match)
        e = find_tickets(c, match, limit, &hits);
    *out = (const void *)hits.data;
    *count = hits.len / sizeof **out;
    if (*count > (size_t)limit)
        *count = (size_t)limit;
    return e;
}
