/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs on a ticket in tables of its own: labels and the team.  It is
 * checked with the other values, written after the row, and told in the same
 * history and the same row of the operation log. */
#include "core/edit_batch.h"
#include "core/label.h"
#include "core/team.h"

static void add_extra(struct marks *m, const char *name, const char *before,
                      const char *after)
{
    struct ticket_extra it = {name, before, after};

    buf_put(&m->extras, &it, sizeof it);
}

static enum err take_labels(struct batch *b, int64_t ticket_id, struct marks *m)
{
    const int64_t *had = NULL, *ids;
    size_t had_count = 0, count = values_ids(b->it->values, "labels", &ids);
    const char *before = NULL, *after = NULL;
    enum err e = OK;

    if (ticket_id)
        e = label_list_of(b->c, LABEL_OF_TICKET, ticket_id, &had, &had_count,
                          &before);
    if (e || (e = label_check(b->c, ids, count, had, had_count, &after)) ||
        label_same(had, had_count, ids, count))
        return e;
    m->has_labels = true;
    m->labels = ids;
    m->label_count = count;
    add_extra(m, "labels", before, after);
    return OK;
}

static enum err take_team(struct batch *b, int64_t ticket_id, struct marks *m)
{
    const char *before = NULL, *after = NULL;
    int64_t had = 0, id = values_int(b->it->values, "team", 0);
    enum err e = OK;

    if (ticket_id)
        e = team_get_of_ticket(b->c, ticket_id, &had, &before);
    if (e || had == id)
        return e;
    if (id && (e = team_check(b->c, "team", id, false, &after)))
        return e;
    m->has_team = true;
    m->team_id = id;
    add_extra(m, "team", before, after);
    return OK;
}

enum err batch_take_marks(struct batch *b, int64_t ticket_id, struct marks *out)
{
    enum err e = OK, f = OK;

    *out = (struct marks){.extras = buf_in(b->c->mem)};
    if (values_has(b->it->values, "labels"))
        e = take_labels(b, ticket_id, out);
    if (values_has(b->it->values, "team"))
        f = take_team(b, ticket_id, out);
    return e ? e : f;
}

enum err batch_write_marks(struct batch *b, int64_t ticket_id,
                           const struct marks *m)
{
    enum err e = OK;

    if (m->has_labels)
        e = label_write_of(b->c, LABEL_OF_TICKET, ticket_id, m->labels,
                           m->label_count);
    if (!e && m->has_team)
        e = team_set_of_ticket(b->c, ticket_id, m->team_id);
    return e;
}
