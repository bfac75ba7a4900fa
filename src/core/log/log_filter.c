/* SPDX-License-Identifier: Apache-2.0 */
#include "core/log/log_filter.h"

#include "base/buf.h"
#include "base/json.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

#include <string.h>

enum { FILTER_LIST, FILTER_GET, FILTER_SAVE, FILTER_DELETE };
static const char *const log_filter_text[] = {
    [FILTER_LIST] = "SELECT id, name, query FROM log_filter WHERE user_id = ?1"
                    " ORDER BY name",
    [FILTER_GET] = "SELECT id, name, query FROM log_filter WHERE user_id = ?1"
                   " AND name = ?2",
    [FILTER_SAVE] = "INSERT INTO log_filter (user_id, name, query)"
                    " VALUES (?1, ?2, ?3)"
                    " ON CONFLICT DO UPDATE SET query = ?3",
    [FILTER_DELETE] = "DELETE FROM log_filter WHERE user_id = ?1 AND id = ?2",
};
const struct query_set log_filter_queries = {"log_filter", log_filter_text,
                                             COUNT(log_filter_text)};

static const struct field filter_fields[] = {
    {TEXT("name", 1, 100, REQUIRED, "名前", "Name")},
    {TEXT("query", 1, 500, REQUIRED, "条件", "Filter")},
};
const struct form log_filter_form = {"LogFilterSave", filter_fields,
                                     COUNT(filter_fields)};

static struct log_filter read_row(struct ctx *c, struct query *q)
{
    return (struct log_filter){.id = col_int(q, 0),
                               .name = col_text(c, q, 1),
                               .query = col_text(c, q, 2)};
}

enum err log_filter_list(struct ctx *c, const struct log_filter **out,
                         size_t *count)
{
    struct buf rows = buf_in(c->mem);
    struct query *q = query(c, log_filter_text[FILTER_LIST]);
    enum err e;

    bind_int(q, 1, c->actor->user_id);
    while (query_next(c, q, &e)) {
        struct log_filter f = read_row(c, q);
        buf_put(&rows, &f, sizeof f);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

static enum err log_step(struct ctx *c, const char *action,
                         const struct log_filter *f, bool is_gone)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "query", f->query);
    json_close(&o, '}');
    return operation_log(c,
                         &(struct operation){.action = action,
                                             .kind = "log_filter",
                                             .object_id = f->id,
                                             .object_name = f->name,
                                             .before = is_gone ? b.data : NULL,
                                             .after = is_gone ? NULL : b.data});
}

enum err log_filter_save(struct ctx *c, const struct values *v,
                         struct log_filter *out)
{
    const struct log_filter *list;
    size_t count;
    bool is_there = false;
    enum err e = log_filter_list(c, &list, &count);

    if (e)
        return e;
    for (size_t i = 0; i < count; i++)
        is_there =
            is_there || strcmp(list[i].name, values_text(v, "name")) == 0;
    if (count >= LOG_FILTERS_MAX && !is_there)
        return ctx_fail(c, ERR_CONFLICT, "", "filters",
                        "保存できるのは %d 件までです",
                        "At most %d filters can be saved", LOG_FILTERS_MAX);
    struct query *q = query(c, log_filter_text[FILTER_SAVE]);
    bind_int(q, 1, c->actor->user_id);
    bind_text(q, 2, values_text(v, "name"));
    bind_text(q, 3, values_text(v, "query"));
    if ((e = query_run(c, q)))
        return e;
    q = query(c, log_filter_text[FILTER_GET]);
    bind_int(q, 1, c->actor->user_id);
    bind_text(q, 2, values_text(v, "name"));
    if ((e = query_one(c, q)))
        return e;
    *out = read_row(c, q);
    query_done(q);
    return log_step(c, "create", out, false);
}

enum err log_filter_delete(struct ctx *c, int64_t id)
{
    const struct log_filter *list;
    size_t count, i = 0;
    enum err e = log_filter_list(c, &list, &count);

    while (!e && i < count && list[i].id != id)
        i++;
    if (e)
        return e;
    if (i == count)
        return ctx_fail(c, ERR_NOT_FOUND, "id", "not_found", "見つかりません",
                        "Not found");
    struct query *q = query(c, log_filter_text[FILTER_DELETE]);
    bind_int(q, 1, c->actor->user_id);
    bind_int(q, 2, id);
    e = query_run(c, q);
    return e ? e : log_step(c, "delete", &list[i], true);
}
