/* SPDX-License-Identifier: Apache-2.0 */
/* Both sides are folded (NFKC, case, kana), so half-width kana and kanji of
 * two characters are found.  Rights are part of the statement: what one may
 * not see does not take a place among the hits. */
#include "core/work/search.h"

#include "base/buf.h"
#include "base/str.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/master/label.h"
#include "core/work/ticket.h"
#include "db/tokenizer.h"

#include <string.h>

enum {
    SEARCH_TICKETS,
    SEARCH_LABELLED,
    SEARCH_ONE,
    SEARCH_PROGRAMS,
    SEARCH_PROJECTS,
};
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
    /* ?3: words too, or NULL; ?5: ids of labels */
    [SEARCH_LABELLED] =
        "WITH RECURSIVE " ACCESS_SEEN_TICKETS
        ", borne(id) AS (SELECT x.ticket_id FROM json_each(?5) CROSS JOIN"
        " ticket_label x ON x.label_id = value GROUP BY x.ticket_id)"
        " SELECT t.id, p.key || '-' || t.no, t.subject, p.id, p.key, p.name"
        " FROM borne JOIN ticket t ON t.id = borne.id"
        " JOIN project p ON p.id = t.project_id"
        " WHERE t.deleted_at IS NULL AND p.deleted_at IS NULL"
        " AND (?3 IS NULL OR t.id IN (SELECT rowid FROM ticket_search"
        " WHERE ticket_search MATCH ?3))"
        " AND (?2 OR p.id IN (SELECT id FROM visible))"
        " ORDER BY t.id DESC LIMIT ?4",
    [SEARCH_ONE] =
        "SELECT t.id, p.key || '-' || t.no, t.subject, p.id, p.key, p.name"
        " FROM ticket t JOIN project p ON p.id = t.project_id"
        " WHERE t.id = ?1",
    /* ?3: ids of labels, or NULL */
    [SEARCH_PROGRAMS] =
        "WITH RECURSIVE " ACCESS_GRANTED("1") /* MAY_PROGRAM_VIEW */
    " SELECT p.id, p.key, p.name, EXISTS (SELECT 1 FROM program_label x"
    " WHERE x.program_id = p.id AND x.label_id IN (SELECT value"
    " FROM json_each(?3))) FROM program p"
    " WHERE p.deleted_at IS NULL AND (?2 OR p.id IN (SELECT id FROM"
    " granted) OR EXISTS (SELECT 1 FROM mine"
    " WHERE coalesce(program_id, project_id) IS NULL))"
    " ORDER BY p.name, p.id",
    [SEARCH_PROJECTS] = "WITH RECURSIVE " ACCESS_SEEN_PROJECTS
                        " SELECT p.id, p.key, p.name, EXISTS (SELECT 1"
                        " FROM project_label x WHERE x.project_id = p.id"
                        " AND x.label_id IN (SELECT value"
                        " FROM json_each(?3))) FROM project p"
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

static bool has_ticket(const struct buf *hits, int64_t id)
{
    const struct search_hit *list = (const void *)hits->data;

    for (size_t i = 0; i < hits->len / sizeof *list; i++)
        if (list[i].kind == SEARCH_TICKET && list[i].id == id)
            return true;
    return false;
}

static bool has(struct ctx *c, const char *text, const char *folded)
{
    return strstr(str_fold(c->mem, text), folded) != NULL;
}

/* What is asked of programs and projects. */
struct wanted {
    const char *words;  /* folded, in the name or the key; "": any */
    const char *labels; /* ids as a JSON array, NULL: none of that name */
    bool is_both;       /* one of the labels and the words; else either */
};

static bool is_wanted(struct ctx *c, const struct wanted *w,
                      const struct search_hit *hit, bool is_labelled)
{
    bool is_named = has(c, hit->subject, w->words) || /* "" is in each */
                    has(c, hit->key, w->words);

    return w->is_both ? is_labelled && is_named : is_labelled || is_named;
}

static enum err find_kind(struct ctx *c, enum search_kind kind,
                          const struct wanted *w, struct buf *hits)
{
    bool is_project = kind == SEARCH_PROJECT;
    struct query *q =
        query(c, search_text[is_project ? SEARCH_PROJECTS : SEARCH_PROGRAMS]);
    enum err e;

    bind_int(q, 1, c->actor->user_id);
    bind_int(q, 2, c->actor->is_admin);
    bind_text(q, 3, w->labels);
    while (query_next(c, q, &e)) {
        struct search_hit hit = {.kind = kind,
                                 .id = col_int(q, 0),
                                 .key = col_text(c, q, 1),
                                 .subject = col_text(c, q, 2)};
        if (!is_wanted(c, w, &hit, col_int(q, 3) != 0))
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

static enum err find_containers(struct ctx *c, const struct wanted *w,
                                struct buf *hits)
{
    enum err e = find_kind(c, SEARCH_PROGRAM, w, hits);

    return e ? e : find_kind(c, SEARCH_PROJECT, w, hits);
}

/* labels: ids as a JSON array, or NULL to go by the words alone. */
static enum err find_tickets(struct ctx *c, const char *match,
                             const char *labels, int limit, struct buf *hits)
{
    struct query *q =
        query(c, search_text[labels ? SEARCH_LABELLED : SEARCH_TICKETS]);
    enum err e;

    if (labels)
        bind_text(q, 5, labels);

    bind_int(q, 1, c->actor->user_id);
    bind_int(q, 2, c->actor->is_admin);
    bind_text(q, 3, match);
    bind_int(q, 4, limit);
    while (query_next(c, q, &e))
        if (!has_ticket(hits, col_int(q, 0)))
            read_ticket(c, q, hits);
    return e;
}

/* Labels whose name is (part is false) or holds the text, as a JSON array;
 * NULL: none. */
static enum err find_labels(struct ctx *c, const char *folded, bool part,
                            const char **out)
{
    const struct label *list;
    size_t count;
    struct buf ids = buf_in(c->mem);
    enum err e = label_list_plain(c, &list, &count);

    for (size_t i = 0; i < count && !e; i++) {
        const char *name = str_fold(c->mem, list[i].name);
        if (part ? strstr(name, folded) != NULL : str_equal(name, folded))
            buf_printf(&ids, "%c%lld", ids.len ? ',' : '[',
                       (long long)list[i].id);
    }
    if (ids.len)
        buf_putc(&ids, ']');
    *out = ids.len ? ids.data : NULL;
    return e;
}

/* Takes "label:NAME" or "label:\"TWO WORDS\"" out of the folded text; NULL:
 * there is none.  The word in Japanese too. */
static const char *take_label(struct ctx *c, char *folded)
{
    static const char *const words[] = {"label:", "ラベル:"};

    for (size_t i = 0; i < COUNT(words); i++) {
        const char *word = str_fold(c->mem, words[i]);
        char *at = strstr(folded, word);
        if (!at || (at > folded && at[-1] != ' '))
            continue;
        char *name = at + strlen(word);
        bool is_quoted = *name == '"';
        name += is_quoted;
        size_t len = strcspn(name, is_quoted ? "\"" : " ");
        const char *taken = arena_strndup(c->mem, name, len);
        char *rest = name + len + (is_quoted && name[len] == '"');
        memmove(at, rest, strlen(rest) + 1);
        return taken;
    }
    return NULL;
}

static enum err find_by_label(struct ctx *c, const char *name, char *rest,
                              int limit, struct buf *hits)
{
    const char *labels;
    enum err e = find_labels(c, name, false, &labels);

    if (!e && !labels) /* nothing is called so: by part of a name */
        e = *name ? find_labels(c, name, true, &labels) : OK;
    if (e || !labels)
        return e;
    const char *words = str_trim(c->mem, rest);
    const char *match = *words ? search_match(c->mem, words) : NULL;
    e = find_containers(c, &(struct wanted){words, labels, true}, hits);
    if (e || (*words && !match))
        return e;
    return find_tickets(c, match, labels, limit, hits);
}

/* By words: in names, keys and texts, and in the names of labels borne. */
static enum err find_by_words(struct ctx *c, const char *text,
                              const char *folded, int limit, struct buf *hits)
{
    const char *match = search_match(c->mem, folded), *labels;
    enum err e = find_key(c, text, hits);

    if (e || !*folded || (e = find_labels(c, folded, true, &labels)))
        return e;
    e = find_containers(c, &(struct wanted){folded, labels, false}, hits);
    if (!e && match)
        e = find_tickets(c, match, NULL, limit, hits);
    if (!e && labels)
        e = find_tickets(c, NULL, labels, limit, hits);
    return e;
}

enum err search_find(struct ctx *c, const char *text, int limit,
                     const struct search_hit **out, size_t *count)
{
    struct buf hits = buf_in(c->mem);
    char *folded =
        arena_strdup(c->mem, str_fold(c->mem, str_trim(c->mem, text)));
    const char *label = take_label(c, folded);
    enum err e = label ? find_by_label(c, label, folded, limit, &hits)
                       : find_by_words(c, text, folded, limit, &hits);

    *out = (const void *)hits.data;
    *count = hits.len / sizeof **out;
    if (*count > (size_t)limit)
        *count = (size_t)limit;
    return e;
}
