/* SPDX-License-Identifier: Apache-2.0 */
/* A set of statuses is written as a whole: a person arranges it on one screen,
 * and the rules (something to start from, something to end in) are about the
 * set.  Tickets of a removed status move in a fixed number of statements. */
#include "core/master/classification.h"

#include "base/str.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/log/ticket_history.h"
#include "core/master/catalogue.h"

enum {
    KIND_UPDATE,
    KIND_RANK,
    KIND_TOUCH,
    STATUS_INSERT,
    STATUS_UPDATE,
    STATUS_DELETE,
    STATUS_USES,
    STATUS_HISTORY,
    STATUS_PROJECTS,
    STATUS_MOVE
};
static const char *const classification_text[] = {
    [KIND_UPDATE] =
        "UPDATE classification SET ja = ?3, en = ?4, color = ?5,"
        " is_hidden = ?6, version = version + 1 WHERE id = ?1 AND version = ?2",
    [KIND_RANK] = "UPDATE classification SET rank = ?2 WHERE id = ?1",
    [KIND_TOUCH] = "UPDATE classification SET version = version + 1"
                   " WHERE id = ?1 AND version = ?2",
    [STATUS_INSERT] = "INSERT INTO status (classification_id, ja, en, color,"
                      " category, is_hidden, rank)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [STATUS_UPDATE] = "UPDATE status SET ja = ?2, en = ?3, color = ?4,"
                      " category = ?5, is_hidden = ?6, rank = ?7 WHERE id = ?1",
    [STATUS_DELETE] = "DELETE FROM status WHERE id = ?1",
    [STATUS_USES] = "SELECT count(*) FROM ticket WHERE status_id = ?1",
    [STATUS_HISTORY] =
        "INSERT INTO change (ticket_id, at, user_id, cause, field, before,"
        " after) SELECT id, ?2, ?3, ?4, 'status', ?5, ?6 FROM ticket"
        " WHERE status_id = ?1",
    [STATUS_PROJECTS] = "UPDATE project SET revision = revision + 1 WHERE id IN"
                        " (SELECT project_id FROM ticket WHERE status_id = ?1)",
    [STATUS_MOVE] =
        "UPDATE ticket SET status_id = ?2, version = version + 1,"
        " updated_at = ?3, revision = (SELECT p.revision FROM project p"
        " WHERE p.id = ticket.project_id) WHERE status_id = ?1",
};
const struct query_set classification_queries = {
    "classification", classification_text, COUNT(classification_text)};

enum { NAME_MAX_CHARS = 40, ORDER_MAX = 100 };

static const struct field kind_fields[] = {
    {TEXT("ja", 1, NAME_MAX_CHARS, OPTIONAL, "日本語名", "Japanese name")},
    {TEXT("en", 1, NAME_MAX_CHARS, OPTIONAL, "英語名", "English name")},
    {CHOICE("color", color_words, OPTIONAL, "色", "Colour")},
    {BOOL("is_hidden", OPTIONAL, "非表示", "Hidden")},
};
const struct form classification_form = {"ClassificationEdit", kind_fields,
                                         COUNT(kind_fields)};
static const struct field order_fields[] = {
    {IDS("ids", ORDER_MAX, REQUIRED, "順序", "Order")},
};
const struct form classification_order_form = {
    "ClassificationOrder", order_fields, COUNT(order_fields)};
static const struct field status_fields[] = {
    {ID("id", OPTIONAL, "ステータス", "Status")},
    {TEXT("ja", 1, NAME_MAX_CHARS, REQUIRED, "日本語名", "Japanese name")},
    {TEXT("en", 1, NAME_MAX_CHARS, REQUIRED, "英語名", "English name")},
    {CHOICE("color", color_words, REQUIRED, "色", "Colour")},
    {CHOICE("category", category_words, REQUIRED, "進行区分", "Category")},
    {BOOL("is_hidden", OPTIONAL, "非表示", "Hidden")},
};
static const struct form status_form = {"StatusRow", status_fields,
                                        COUNT(status_fields)};
static const struct field replaced_fields[] = {
    {ID("status", REQUIRED, "ステータス", "Status")},
    {ID("by", REQUIRED, "移動先", "Moved to")},
};
static const struct form replaced_form = {"StatusReplaced", replaced_fields,
                                          COUNT(replaced_fields)};
static const struct field statuses_fields[] = {
    {ROWS("statuses", &status_form, 1, CATALOGUE_STATUSES_MAX, REQUIRED,
          "ステータス", "Statuses")},
    {ROWS("replaced", &replaced_form, 0, CATALOGUE_STATUSES_MAX, OPTIONAL,
          "置き換え", "Replacements")},
};
const struct form classification_statuses_form = {"StatusSet", statuses_fields,
                                                  COUNT(statuses_fields)};

/* ---- the log ---- */

static const char *as_json(struct ctx *c, const struct classification *k)
{
    struct buf b = buf_in(c->mem), list = buf_in(c->mem);
    struct json_out o = {.b = &b};

    for (size_t i = 0; i < k->status_count; i++) {
        const struct status *s = &k->statuses[i];
        buf_printf(&list, "%s%s (%s%s)", i ? ", " : "",
                   ctx_text(c, s->ja, s->en), category_words[s->category],
                   s->is_hidden ? ", hidden" : "");
    }
    json_open(&o, NULL, '{');
    json_text(&o, "ja", k->ja);
    json_text(&o, "en", k->en);
    json_text(&o, "color", k->color);
    json_bool(&o, "is_hidden", k->is_hidden);
    json_text(&o, "statuses", list.data);
    json_close(&o, '}');
    return b.data;
}

static enum err find(struct ctx *c, int64_t id,
                     const struct classification **out)
{
    const struct catalogue *k;
    enum err e = catalogue_load(c, &k);

    if (e)
        return e;
    *out = catalogue_find(k, id);
    if (*out)
        return OK;
    return ctx_fail(c, ERR_NOT_FOUND, "id", "not_found",
                    "チケット分類が見つかりません", "No such classification");
}

static enum err log_change(struct ctx *c, const struct classification *before)
{
    const struct classification *after;
    enum err e = find(c, before->id, &after);

    if (e)
        return e;
    return operation_log(
        c, &(struct operation){.action = "update",
                               .kind = "classification",
                               .object_id = after->id,
                               .object_name = ctx_text(c, after->ja, after->en),
                               .before = as_json(c, before),
                               .after = as_json(c, after)});
}

/* ---- one classification ---- */

/* The family must keep one that tickets can be made of. */
static enum err check_hiding(struct ctx *c, const struct classification *it)
{
    const struct catalogue *k;
    enum err e = catalogue_load(c, &k);

    for (size_t i = 0; !e && i < k->count; i++)
        if (k->classifications[i].family == it->family &&
            k->classifications[i].id != it->id &&
            !k->classifications[i].is_hidden)
            return OK;
    if (e)
        return e;
    return ctx_fail(c, ERR_CONFLICT, "is_hidden", "last_one",
                    "この系統で最後の分類は非表示にできません",
                    "The last classification of its family cannot be hidden");
}

enum err classification_update(struct ctx *c, int64_t id, int64_t version,
                               const struct values *v)
{
    const struct classification *it;
    enum err e = find(c, id, &it);

    if (e)
        return e;
    const char *ja = values_text(v, "ja"), *en = values_text(v, "en");
    bool is_hidden = values_bool(v, "is_hidden", it->is_hidden);
    if (is_hidden && !it->is_hidden && (e = check_hiding(c, it)))
        return e;
    struct query *q = query(c, classification_text[KIND_UPDATE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_text(q, 3, ja ? ja : it->ja);
    bind_text(q, 4, en ? en : it->en);
    bind_text(q, 5,
              values_has(v, "color") ? color_words[values_int(v, "color", 0)]
                                     : it->color);
    bind_int(q, 6, is_hidden);
    if ((e = query_run(c, q)))
        return e;
    return db_changes(c) ? log_change(c, it) : ctx_stale(c);
}

static const char *order_words(struct ctx *c)
{
    const struct catalogue *k;
    struct buf b = buf_in(c->mem), text = buf_in(c->mem);
    struct json_out o = {.b = &b};

    if (catalogue_load(c, &k))
        return NULL;
    for (size_t i = 0; i < k->count; i++)
        buf_printf(
            &text, "%s%s", i ? ", " : "",
            ctx_text(c, k->classifications[i].ja, k->classifications[i].en));
    json_open(&o, NULL, '{');
    json_text(&o, "order", text.data);
    json_close(&o, '}');
    return b.data;
}

enum err classification_order(struct ctx *c, const int64_t *ids, size_t count)
{
    const char *before = order_words(c);
    const struct catalogue *k;
    enum err e = catalogue_load(c, &k);
    int64_t rank = 0;

    for (size_t i = 0; i < count + (e ? 0 : k->count) && !e; i++) {
        bool is_named = i < count;
        int64_t id = is_named ? ids[i] : k->classifications[i - count].id;
        for (size_t j = 0; !is_named && j < count; j++)
            if (ids[j] == id)
                id = 0;
        if (!id)
            continue;
        struct query *q = query(c, classification_text[KIND_RANK]);
        bind_int(q, 1, id);
        bind_int(q, 2, ++rank);
        e = query_run(c, q);
    }
    if (e)
        return e;
    return operation_log(c, &(struct operation){.action = "update",
                                                .kind = "classification",
                                                .object_name = "",
                                                .before = before,
                                                .after = order_words(c)});
}

/* ---- statuses ---- */

static int64_t row_id(const struct values *row)
{
    return values_int(row, "id", 0);
}

static bool is_kept(const struct values *v, int64_t id)
{
    const struct values *const *rows;
    size_t n = values_rows(v, "statuses", &rows);

    for (size_t i = 0; i < n; i++)
        if (row_id(rows[i]) == id)
            return true;
    return false;
}

static enum err check_names(struct ctx *c, const struct values *const *rows,
                            size_t i)
{
    for (size_t j = 0; j < i; j++)
        for (int n = 0; n < 2; n++) {
            const char *name = n ? "en" : "ja";
            if (str_equal(values_text(rows[i], name),
                          values_text(rows[j], name)))
                return ctx_fail(
                    c, ERR_INVALID,
                    arena_printf(c->mem, "statuses.%zu.%s", i, name), "unique",
                    "同じ名前のステータスがあります",
                    "There is a status of this name already");
        }
    return OK;
}

static enum err check_set(struct ctx *c, const struct classification *k,
                          const struct values *v)
{
    const struct values *const *rows;
    size_t n = values_rows(v, "statuses", &rows);
    bool has[3] = {false, false, false};
    enum err e = OK;

    for (size_t i = 0; i < n; i++) {
        int64_t id = row_id(rows[i]);
        if (id && !classification_find_status(k, id))
            e = ctx_fail(c, ERR_INVALID,
                         arena_printf(c->mem, "statuses.%zu.id", i), "choice",
                         "このチケット分類にないステータスです",
                         "The classification has no such status");
        if (!e)
            e = check_names(c, rows, i);
        if (!values_bool(rows[i], "is_hidden", false))
            has[values_int(rows[i], "category", 0) % 3] = true;
    }
    if (!e && (!has[CATEGORY_TODO] || !has[CATEGORY_DONE]))
        e = ctx_fail(c, ERR_INVALID, "statuses", "category_missing",
                     "「未着手」と「完了」のステータスを"
                     "それぞれ1つ以上残してください",
                     "Keep at least one status of not started and one of"
                     " done");
    return e;
}

static enum err run_move(struct ctx *c, const struct status *from,
                         const struct status *to)
{
    struct query *q = query(c, classification_text[STATUS_HISTORY]);

    bind_int(q, 1, from->id);
    bind_int(q, 2, c->now_us);
    bind_id(q, 3, c->actor->user_id);
    bind_text(q, 4, c->actor->request_id ? c->actor->request_id : "");
    bind_text(q, 5, ticket_history_words(c, from->ja, from->en));
    bind_text(q, 6, ticket_history_words(c, to->ja, to->en));
    enum err e = query_run(c, q);
    if (e)
        return e;
    q = query(c, classification_text[STATUS_PROJECTS]);
    bind_int(q, 1, from->id);
    if ((e = query_run(c, q)))
        return e;
    q = query(c, classification_text[STATUS_MOVE]);
    bind_int(q, 1, from->id);
    bind_int(q, 2, to->id);
    bind_int(q, 3, c->now_us);
    return query_run(c, q);
}

static const struct status *replacement(const struct classification *k,
                                        const struct values *v, int64_t id)
{
    const struct values *const *rows;
    size_t n = values_rows(v, "replaced", &rows);

    for (size_t i = 0; i < n; i++) {
        int64_t by = values_int(rows[i], "by", 0);
        if (values_int(rows[i], "status", 0) == id && is_kept(v, by))
            return classification_find_status(k, by);
    }
    return NULL;
}

static enum err remove_status(struct ctx *c, const struct classification *k,
                              const struct values *v, const struct status *s)
{
    const struct status *to = replacement(k, v, s->id);
    struct query *q = query(c, classification_text[STATUS_USES]);

    bind_int(q, 1, s->id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    int64_t uses = col_int(q, 0);
    query_done(q);
    if (uses && !to)
        return ctx_fail(c, ERR_CONFLICT, "statuses", "in_use",
                        "「%s」は %lld 件のチケットで使われています。"
                        "移動先のステータスを選んでください",
                        "“%s” is the status of %lld tickets; choose the one"
                        " they move to",
                        ctx_text(c, s->ja, s->en), (long long)uses);
    if (uses && (e = run_move(c, s, to)))
        return e;
    q = query(c, classification_text[STATUS_DELETE]);
    bind_int(q, 1, s->id);
    return query_run(c, q);
}

static enum err write_status(struct ctx *c, int64_t kind_id,
                             const struct values *row, size_t rank)
{
    int64_t id = row_id(row);
    struct query *q =
        query(c, classification_text[id ? STATUS_UPDATE : STATUS_INSERT]);

    bind_int(q, 1, id ? id : kind_id);
    bind_text(q, 2, values_text(row, "ja"));
    bind_text(q, 3, values_text(row, "en"));
    bind_text(q, 4, color_words[values_int(row, "color", 0)]);
    bind_int(q, 5, values_int(row, "category", 0));
    bind_int(q, 6, values_bool(row, "is_hidden", false));
    bind_int(q, 7, (int64_t)rank);
    return query_run(c, q);
}

enum err classification_put_statuses(struct ctx *c, int64_t id, int64_t version,
                                     const struct values *v)
{
    const struct classification *k;
    const struct values *const *rows;
    size_t n = values_rows(v, "statuses", &rows);
    enum err e = find(c, id, &k);

    if (e || (e = check_set(c, k, v)))
        return e;
    struct query *q = query(c, classification_text[KIND_TOUCH]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    for (size_t i = 0; i < n && !e; i++)
        e = write_status(c, id, rows[i], i);
    for (size_t i = 0; i < k->status_count && !e; i++)
        if (!is_kept(v, k->statuses[i].id))
            e = remove_status(c, k, v, &k->statuses[i]);
    return e ? e : log_change(c, k);
}
