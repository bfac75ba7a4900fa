/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs on a ticket in tables of its own: labels, the team, custom fields.  It is
 * checked with the other values, written after the row, and told in the same
 * history and the same row of the operation log. */
#include "base/str.h"
#include "core/log/ticket_history.h"
#include "core/master/field_value.h"
#include "core/master/label.h"
#include "core/master/team.h"
#include "core/work/plan_edit_batch.h"

#include <stdlib.h>

static void add_extra(struct marks *m, const char *name, const char *before,
                      const char *after)
{
    struct ticket_extra it = {name, before, after};

    buf_put(&m->extras, &it, sizeof it);
}

static enum err take_labels(struct plan_edit_batch *b, int64_t ticket_id,
                            struct marks *m)
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

static enum err take_team(struct plan_edit_batch *b, int64_t ticket_id,
                          struct marks *m)
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

/* What the edit says of a field; NULL: nothing. */
static const struct values *said_of(struct plan_edit_batch *b, int64_t field_id)
{
    const struct values *const *rows;
    size_t n = values_rows(b->it->values, "fields", &rows);

    for (size_t i = 0; i < n; i++)
        if (values_int(rows[i], "field", 0) == field_id)
            return rows[i];
    return NULL;
}

static enum err need_value(struct plan_edit_batch *b,
                           const struct custom_field *f)
{
    const char *name = ctx_text(b->c, f->ja, f->en);

    return ctx_fail(b->c, ERR_INVALID,
                    arena_printf(b->c->mem, "fields.%lld", (long long)f->id),
                    "required", "「%s」を入力してください", "%s is required",
                    name);
}

/* Required fields are asked for when the form is first filled in: for a new
 * ticket or a new classification.  Afterwards they may not be emptied. */
static enum err take_field(struct plan_edit_batch *b, const struct ticket *t,
                           const struct custom_field *f, bool is_first,
                           struct marks *m)
{
    const struct values *row = said_of(b, f->id);
    struct field_value before = {.field = f}, after;
    enum err e = OK;

    if (!row && !is_first)
        return OK;
    if (t->id)
        e = field_value_get(b->c, t->id, f, &before);
    if (e)
        return e;
    const char *text = row           ? values_text(row, "value")
                       : before.text ? before.text
                                     : f->initial;
    if (text && str_equal(text, before.text))
        return OK;
    if ((e = field_value_take(b->c, f, text, &after)))
        return e;
    if (!after.text && f->is_required && !f->is_hidden && !b->it->is_import &&
        f->type != FIELD_TYPE_CHECK)
        return need_value(b, f);
    if (str_equal(after.text, before.text))
        return OK;
    if (f->type == FIELD_TYPE_USER && after.text) {
        e = plan_edit_batch_need_assignable(
            b, arena_printf(b->c->mem, "fields.%lld", (long long)f->id),
            strtoll(after.text, NULL, 10));
        if (e)
            return e;
    }
    buf_put(&m->fields, &after, sizeof after);
    add_extra(m, ticket_history_words(b->c, f->ja, f->en), before.words,
              after.words);
    return OK;
}

static enum err check_known(struct plan_edit_batch *b,
                            const struct custom_field *list, size_t count)
{
    const struct values *const *rows;
    size_t n = values_rows(b->it->values, "fields", &rows);
    enum err e = OK;

    for (size_t i = 0; i < n; i++) {
        bool is_known = false;
        for (size_t j = 0; j < count; j++)
            is_known =
                is_known || list[j].id == values_int(rows[i], "field", 0);
        if (!is_known)
            e = plan_edit_batch_refuse(b, "fields", "choice",
                                       "このチケット分類にない項目です",
                                       "The classification has no such field");
    }
    return e;
}

static enum err take_fields(struct plan_edit_batch *b, const struct ticket *t,
                            int64_t was, struct marks *m)
{
    struct custom_field *list;
    size_t count;
    enum err worst = field_list(b->c, t->classification_id, &list, &count);

    if (worst)
        return worst;
    worst = check_known(b, list, count);
    for (size_t i = 0; i < count; i++) {
        enum err e = take_field(b, t, &list[i], was != t->classification_id, m);
        if (e && (!worst || e != ERR_INVALID))
            worst = e;
    }
    return worst;
}

enum err plan_edit_batch_take_marks(struct plan_edit_batch *b,
                                    const struct ticket *t, int64_t was,
                                    struct marks *out)
{
    enum err e = OK, f = OK;
    int64_t ticket_id = t->id;

    *out = (struct marks){.extras = buf_in(b->c->mem),
                          .fields = buf_in(b->c->mem)};
    if (values_has(b->it->values, "labels"))
        e = take_labels(b, ticket_id, out);
    if (values_has(b->it->values, "team"))
        f = take_team(b, ticket_id, out);
    if (t->classification_id &&
        (t->classification_id != was || values_has(b->it->values, "fields"))) {
        enum err g = take_fields(b, t, was, out);
        e = e ? e : g;
    }
    return e ? e : f;
}

enum err plan_edit_batch_write_marks(struct plan_edit_batch *b,
                                     int64_t ticket_id, const struct marks *m)
{
    enum err e = OK;

    if (m->has_labels)
        e = label_write_of(b->c, LABEL_OF_TICKET, ticket_id, m->labels,
                           m->label_count);
    if (!e && m->has_team)
        e = team_set_of_ticket(b->c, ticket_id, m->team_id);
    const struct field_value *list = (const void *)m->fields.data;
    for (size_t i = 0; i < m->fields.len / sizeof *list && !e; i++)
        e = field_value_write(b->c, ticket_id, &list[i]);
    return e;
}
