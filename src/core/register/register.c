/* SPDX-License-Identifier: Apache-2.0 */
/* One engine for registers: the form says how a cell is bound, read, logged
 * and written into a reply. */
#include "core/register/register.h"

#include "base/str.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

#include <string.h>

enum { FIRST_FIELD = 5 };

static void read_cell(struct ctx *c, struct query *q, int i,
                      const struct field *f, struct register_cell *out)
{
    bool is_moment =
        strlen(f->name) > 3 && str_equal(f->name + strlen(f->name) - 3, "_at");

    *out = (struct register_cell){.is_null = col_is_null(q, i)};
    if (!is_moment && (f->kind == FIELD_TEXT || f->kind == FIELD_LINES))
        out->text = col_text(c, q, i);
    else
        out->n = col_int(q, i);
}

static void read_row(struct ctx *c, struct query *q,
                     const struct register_kind *l, struct register_row *out)
{
    struct register_cell *cells =
        arena_array(c->mem, struct register_cell, l->shown->count);

    for (size_t i = 0; i < l->shown->count; i++)
        read_cell(c, q, (int)i, &l->shown->fields[i], &cells[i]);
    *out = (struct register_row){.id = cells[0].n,
                                 .version = cells[l->shown->count - 1].n,
                                 .cells = cells};
}

const struct register_cell *register_cell(const struct register_kind *l,
                                          const struct register_row *row,
                                          const char *name)
{
    size_t i = 0;

    while (i < l->shown->count && !str_equal(l->shown->fields[i].name, name))
        i++;
    must(i < l->shown->count);
    return &row->cells[i];
}

enum err register_list(struct ctx *c, const struct register_kind *l,
                       const struct register_row **out, size_t *count)
{
    struct buf rows = buf_in(c->mem);
    struct query *q = query(c, l->text[REGISTER_LIST]);
    enum err e;

    while (query_next(c, q, &e)) {
        struct register_row r;
        read_row(c, q, l, &r);
        buf_put(&rows, &r, sizeof r);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

static enum err get(struct ctx *c, const struct register_kind *l, int64_t id,
                    struct register_row *out)
{
    struct query *q = query(c, l->text[REGISTER_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? ctx_fail(c, e, "", "not_found",
                                             "見つかりません", "Not found")
                                  : e;
    read_row(c, q, l, out);
    query_done(q);
    return OK;
}

/* ---- replies and the log ---- */

static void put_cell(struct json_out *o, const struct field *f,
                     const struct register_cell *cell)
{
    size_t len = strlen(f->name);

    if (cell->is_null)
        json_null(o, f->name);
    else if (len > 3 && str_equal(f->name + len - 3, "_at"))
        json_moment(o, f->name, cell->n);
    else if (cell->text)
        json_text(o, f->name, cell->text);
    else if (f->kind == FIELD_ID)
        json_id(o, f->name, cell->n);
    else if (f->kind == FIELD_DAY)
        json_day(o, f->name, (int32_t)cell->n);
    else if (f->kind == FIELD_BOOL)
        json_bool(o, f->name, cell->n != 0);
    else if (f->kind == FIELD_CHOICE)
        json_text(o, f->name, f->choices[cell->n]);
    else
        json_int(o, f->name, cell->n);
}

void register_put(struct json_out *o, const struct register_kind *l,
                  const struct register_row *row)
{
    for (size_t i = 0; i < l->shown->count; i++)
        put_cell(o, &l->shown->fields[i], &row->cells[i]);
}

static const char *as_json(struct ctx *c, const struct register_kind *l,
                           const struct register_row *row)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    for (size_t i = 1; i + 1 < l->shown->count; i++)
        put_cell(&o, &l->shown->fields[i], &row->cells[i]);
    json_close(&o, '}');
    return b.data;
}

/* row: the one after, or the one that went. */
static enum err log_row(struct ctx *c, const struct register_kind *l,
                        const char *action, const struct register_row *row,
                        const char *before, const char *after)
{
    return operation_log(
        c, &(struct operation){.action = action,
                               .kind = l->kind,
                               .object_id = row->id,
                               .object_name =
                                   register_cell(l, row, l->title)->text,
                               .before = before,
                               .after = after});
}

/* ---- changes ---- */

static void bind_fields(struct ctx *c, struct query *q,
                        const struct register_kind *l, const struct values *v)
{
    bind_int(q, 3, c->now_us);
    bind_text(q, 4, c->actor->name);
    for (size_t i = 0; i < l->form->count; i++) {
        const struct field *f = &l->form->fields[i];
        int n = FIRST_FIELD + (int)i;
        if (!values_has(v, f->name) || values_is_null(v, f->name))
            bind_null(q, n);
        else if (f->kind == FIELD_TEXT || f->kind == FIELD_LINES)
            bind_text(q, n, values_text(v, f->name));
        else if (f->kind == FIELD_BOOL)
            bind_int(q, n, values_bool(v, f->name, false));
        else
            bind_int(q, n, values_int(v, f->name, 0));
    }
}

static enum err finish(struct ctx *c, const struct register_kind *l,
                       const char *before, int64_t id, struct register_row *out)
{
    enum err e = get(c, l, id, out);

    if (e || (e = log_row(c, l, before ? "update" : "create", out, before,
                          as_json(c, l, out))))
        return e;
    return l->follow ? l->follow(c, out) : OK;
}

enum err register_create(struct ctx *c, const struct register_kind *l,
                         const struct values *v, struct register_row *out)
{
    enum err e = l->check ? l->check(c, NULL, v) : OK;

    if (e)
        return e;
    struct query *q = query(c, l->text[REGISTER_ADD]);
    bind_fields(c, q, l, v);
    e = query_run(c, q);
    return e ? e : finish(c, l, NULL, db_last_id(c), out);
}

enum err register_update(struct ctx *c, const struct register_kind *l,
                         int64_t id, int64_t version, const struct values *v,
                         struct register_row *out)
{
    struct register_row before;
    enum err e = get(c, l, id, &before);

    if (e || (l->check && (e = l->check(c, &before, v))))
        return e;
    struct query *q = query(c, l->text[REGISTER_UPDATE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_fields(c, q, l, v);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return finish(c, l, as_json(c, l, &before), id, out);
}

enum err register_delete(struct ctx *c, const struct register_kind *l,
                         int64_t id, int64_t version)
{
    struct register_row before;
    enum err e = get(c, l, id, &before);

    if (e || (l->check && (e = l->check(c, &before, NULL))))
        return e;
    struct query *q = query(c, l->text[REGISTER_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return log_row(c, l, "delete", &before, as_json(c, l, &before), NULL);
}
