/* SPDX-License-Identifier: Apache-2.0 */
/* One row a field: what a person reads under a ticket's history.  Values are
 * written out when they change, so that a renamed status or a person who left
 * still reads as it was.  What has a name in both languages is written as
 * both, with U+001F between them, which no typed text may hold. */
#include "core/log/ticket_history.h"

#include "base/str.h"
#include "core/core.h"

#include <string.h>

#define BETWEEN "\x1f"

enum { TICKET_HISTORY_ADD, TICKET_HISTORY_LIST, TICKET_HISTORY_BEFORE };
static const char *const ticket_history_text[] = {
    [TICKET_HISTORY_ADD] =
        "INSERT INTO change (ticket_id, at, user_id, cause, field,"
        " before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [TICKET_HISTORY_LIST] =
        "SELECT h.id, h.at, h.user_id, u.name, h.cause, h.field, h.before,"
        " h.after FROM change h LEFT JOIN user u ON u.id = h.user_id"
        " WHERE h.ticket_id = ?1 AND h.id < ?2 ORDER BY h.id DESC LIMIT ?3",
    [TICKET_HISTORY_BEFORE] =
        "SELECT before FROM change WHERE ticket_id = ?1 AND"
        " field = ?2 AND after = ?3 ORDER BY id DESC LIMIT 1",
};
const struct query_set ticket_history_queries = {"change", ticket_history_text,
                                                 COUNT(ticket_history_text)};

const char *ticket_history_words(struct ctx *c, const char *ja, const char *en)
{
    return str_equal(ja, en) ? ja : arena_join(c->mem, ja, BETWEEN, en);
}

const char *ticket_history_pick(const struct ctx *c, const char *text)
{
    const char *middle = text ? strstr(text, BETWEEN) : NULL;

    if (!middle)
        return text;
    return ctx_text(c, arena_strndup(c->mem, text, (size_t)(middle - text)),
                    middle + 1);
}

enum err ticket_history_add(struct ctx *c, int64_t ticket_id, const char *field,
                            const char *before, const char *after)
{
    struct query *q = query(c, ticket_history_text[TICKET_HISTORY_ADD]);

    bind_int(q, 1, ticket_id);
    bind_int(q, 2, c->now_us);
    bind_id(q, 3, c->actor->user_id);
    bind_text(q, 4, c->actor->request_id ? c->actor->request_id : "");
    bind_text(q, 5, field);
    bind_text(q, 6, before);
    bind_text(q, 7, after);
    return query_run(c, q);
}

enum err ticket_history_find_before(struct ctx *c, int64_t ticket_id,
                                    const char *field, const char *after,
                                    const char **out)
{
    struct query *q = query(c, ticket_history_text[TICKET_HISTORY_BEFORE]);

    *out = NULL;
    bind_int(q, 1, ticket_id);
    bind_text(q, 2, field);
    bind_text(q, 3, after);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    *out = col_text(c, q, 0);
    query_done(q);
    return OK;
}

enum err ticket_history_list(struct ctx *c, int64_t ticket_id, int64_t after_id,
                             int limit, const struct ticket_change **out,
                             size_t *count, bool *more)
{
    size_t max = (size_t)limit, n = 0;
    struct ticket_change *list =
        arena_array(c->mem, struct ticket_change, max + 1);
    struct query *q = query(c, ticket_history_text[TICKET_HISTORY_LIST]);
    enum err e;

    bind_int(q, 1, ticket_id);
    bind_int(q, 2, after_id ? after_id : INT64_MAX);
    bind_int(q, 3, (int64_t)max + 1);
    while (query_next(c, q, &e))
        list[n++] = (struct ticket_change){
            .id = col_int(q, 0),
            .at = col_int(q, 1),
            .user_id = col_int(q, 2),
            .user_name = col_text(c, q, 3),
            .cause = col_text(c, q, 4),
            .field = ticket_history_pick(c, col_text(c, q, 5)),
            .before = ticket_history_pick(c, col_text(c, q, 6)),
            .after = ticket_history_pick(c, col_text(c, q, 7)),
        };
    *more = n > max;
    *count = *more ? max : n;
    *out = list;
    return e;
}
