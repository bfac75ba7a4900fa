/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever becomes an administrator does so before another one goes, so that
 * the rule of the last one looks at what the file means as a whole. */
#include "core/exchange/people_import.h"

#include "core/account/user.h"

void people_import_put(struct json_out *o, const struct people_file *f)
{
    json_int(o, "added", f->added);
    json_int(o, "changed", f->changed);
    json_int(o, "deleted", f->deleted);
    json_int(o, "kept", f->kept);
    json_open(o, "errors", '[');
    for (size_t i = 0; i < f->error_count; i++) {
        const struct people_error *x = &f->errors[i];
        json_open(o, NULL, '{');
        json_int(o, "line", x->line);
        json_int(o, "column", x->column);
        json_text(o, "column_name", x->column_name);
        json_text(o, "rule", x->rule);
        json_text(o, "message", x->message);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static enum err write_row(struct ctx *c, const struct app *app,
                          const struct people_row *row)
{
    struct user u, after;

    if (row->action == PEOPLE_ADD)
        return user_create(c, app, row->values, &after);
    enum err e = user_find(c, row->cell[PEOPLE_EMAIL], &u);
    if (e)
        return e;
    if (row->action == PEOPLE_DELETE)
        return user_delete(c, u.id, u.version);
    return user_update(c, app, u.id, u.version, row->values, &after);
}

/* Rows that cannot take an administrator away. */
static bool is_early(const struct people_row *row)
{
    return row->action == PEOPLE_ADD ||
           (row->action == PEOPLE_CHANGE &&
            values_bool(row->values, "is_admin", false));
}

static enum err write_rows(struct ctx *c, const struct app *app,
                           struct worker *w, const struct people_file *f)
{
    int64_t done = f->kept;

    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < f->count; i++) {
            const struct people_row *row = &f->rows[i];
            if (row->action == PEOPLE_KEEP || is_early(row) == (pass == 1))
                continue;
            enum err e = write_row(c, app, row);
            if (e)
                return e;
            if (!worker_step(w, ++done))
                return ERR_CONFLICT;
        }
    return OK;
}

/* What no row could foresee: the tenant's quota. */
static void tell(struct ctx *c, struct people_file *f)
{
    f->errors = arena_array(c->mem, struct people_error, 1);
    f->errors[0] = (struct people_error){
        .column_name = "", .rule = c->fail->rule, .message = c->fail->message};
    f->error_count = 1;
}

enum err people_import_run(struct ctx *c, const struct app *app,
                           struct worker *w, const struct job_order *order,
                           const char **result)
{
    struct people_file f;
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    people_csv_read(c, order->input, order->input_len, &f);
    enum err e = f.error_count ? ERR_INVALID : people_csv_check(c, &f);
    if (!e && f.error_count)
        e = ERR_INVALID;
    if (!e)
        e = write_rows(c, app, w, &f);
    if (e && f.error_count == 0 && c->fail)
        tell(c, &f);
    json_open(&o, NULL, '{');
    people_import_put(&o, &f);
    json_close(&o, '}');
    *result = b.data;
    return e;
}
