/* SPDX-License-Identifier: Apache-2.0 */
/* Labels are few, what bears them is many: every statement over the pairs goes
 * by one of their two indexes, and a merge is a fixed number of statements
 * however many tickets it touches. */
#include "core/master/label.h"

#include "base/str.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/master/color.h"

#define LABEL_COLS                                                             \
    "SELECT l.id, l.kind, l.name, l.color, l.is_archived, l.version,"          \
    " (SELECT count(*) FROM ticket_label x JOIN ticket t ON t.id ="            \
    " x.ticket_id AND t.deleted_at IS NULL WHERE x.label_id = l.id),"          \
    " (SELECT count(*) FROM project_label x JOIN project p ON p.id ="          \
    " x.project_id AND p.deleted_at IS NULL WHERE x.label_id = l.id),"         \
    " (SELECT count(*) FROM program_label x JOIN program p ON p.id ="          \
    " x.program_id AND p.deleted_at IS NULL WHERE x.label_id = l.id)"          \
    " FROM label l"

/* ?2: a token that knows only its projects knows only what is borne there. */
#define IN_REACH                                                               \
    "(?2 IS NULL OR EXISTS (SELECT 1 FROM project_label x JOIN token_project"  \
    " k ON k.project_id = x.project_id WHERE x.label_id = label.id"            \
    " AND k.token_id = ?2) OR EXISTS (SELECT 1 FROM ticket_label x"            \
    " JOIN ticket t ON t.id = x.ticket_id JOIN token_project k"                \
    " ON k.project_id = t.project_id WHERE x.label_id = label.id"              \
    " AND t.deleted_at IS NULL AND k.token_id = ?2))"

enum {
    LABEL_LIST,
    LABEL_GET,
    LABEL_PLAIN,
    LABEL_INSERT,
    LABEL_UPDATE,
    LABEL_DELETE,
    LABEL_IS_USED,
    LABEL_TOUCH_PROJECTS,
    LABEL_TOUCH_TICKETS,
    LABEL_HISTORY,
    LABEL_MOVE_TICKETS,
    LABEL_DROP_TICKETS,
    LABEL_MOVE_PROJECTS,
    LABEL_DROP_PROJECTS,
    LABEL_MOVE_PROGRAMS,
    LABEL_DROP_PROGRAMS,
    LABEL_ONE,
    LABEL_OF, /* LABEL_OF + owner, and so on */
    LABEL_ADD_TO = LABEL_OF + 3,
    LABEL_CLEAR_OF = LABEL_ADD_TO + 3,
    LABEL_PAIRS = LABEL_CLEAR_OF + 3,
    LABEL_TEXTS = LABEL_PAIRS + 3
};
static const char *const label_text[LABEL_TEXTS] = {
    [LABEL_LIST] = LABEL_COLS " ORDER BY l.kind, l.name",
    [LABEL_GET] = LABEL_COLS " WHERE l.id = ?1",
    [LABEL_PLAIN] = "SELECT id, kind, name, color, is_archived, version"
                    " FROM label WHERE " IN_REACH " ORDER BY kind, name",
    [LABEL_INSERT] =
        "INSERT INTO label (kind, name, color) VALUES (?1, ?2, ?3)",
    [LABEL_UPDATE] = "UPDATE label SET name = ?3, color = ?4,"
                     " is_archived = ?5, version = version + 1"
                     " WHERE id = ?1 AND version = ?2",
    [LABEL_DELETE] = "DELETE FROM label WHERE id = ?1 AND version = ?2",
    [LABEL_IS_USED] =
        "SELECT EXISTS (SELECT 1 FROM ticket_label WHERE label_id = ?1)"
        " OR EXISTS (SELECT 1 FROM project_label WHERE label_id = ?1)"
        " OR EXISTS (SELECT 1 FROM program_label WHERE label_id = ?1)",
    [LABEL_TOUCH_PROJECTS] =
        "UPDATE project SET revision = revision + 1 WHERE id IN"
        " (SELECT t.project_id FROM ticket_label x JOIN ticket t"
        " ON t.id = x.ticket_id WHERE x.label_id = ?1)",
    [LABEL_TOUCH_TICKETS] =
        "UPDATE ticket SET version = version + 1, updated_at = ?2,"
        " revision = (SELECT p.revision FROM project p"
        " WHERE p.id = ticket.project_id) WHERE id IN"
        " (SELECT ticket_id FROM ticket_label WHERE label_id = ?1)",
    [LABEL_HISTORY] =
        "INSERT INTO change (ticket_id, at, user_id, cause, field, before,"
        " after) SELECT ticket_id, ?2, ?3, ?4, 'labels', ?5, ?6"
        " FROM ticket_label WHERE label_id = ?1",
    [LABEL_MOVE_TICKETS] =
        "UPDATE OR IGNORE ticket_label SET label_id = ?2 WHERE label_id = ?1",
    [LABEL_DROP_TICKETS] = "DELETE FROM ticket_label WHERE label_id = ?1",
    [LABEL_MOVE_PROJECTS] =
        "UPDATE OR IGNORE project_label SET label_id = ?2 WHERE label_id = ?1",
    [LABEL_DROP_PROJECTS] = "DELETE FROM project_label WHERE label_id = ?1",
    [LABEL_MOVE_PROGRAMS] =
        "UPDATE OR IGNORE program_label SET label_id = ?2 WHERE label_id = ?1",
    [LABEL_DROP_PROGRAMS] = "DELETE FROM program_label WHERE label_id = ?1",
    [LABEL_ONE] =
        "SELECT name, is_archived FROM label WHERE id = ?1 AND " IN_REACH,
    [LABEL_OF + LABEL_OF_TICKET] =
        "SELECT l.id, l.name FROM ticket_label x JOIN label l"
        " ON l.id = x.label_id WHERE x.ticket_id = ?1 ORDER BY l.kind, l.name",
    [LABEL_OF + LABEL_OF_PROJECT] =
        "SELECT l.id, l.name FROM project_label x JOIN label l"
        " ON l.id = x.label_id WHERE x.project_id = ?1 ORDER BY l.kind, l.name",
    [LABEL_OF + LABEL_OF_PROGRAM] =
        "SELECT l.id, l.name FROM program_label x JOIN label l"
        " ON l.id = x.label_id WHERE x.program_id = ?1 ORDER BY l.kind, l.name",
    [LABEL_ADD_TO + LABEL_OF_PROGRAM] =
        "INSERT OR IGNORE INTO program_label (program_id, label_id)"
        " VALUES (?1, ?2)",
    [LABEL_CLEAR_OF + LABEL_OF_PROGRAM] =
        "DELETE FROM program_label WHERE program_id = ?1",
    [LABEL_PAIRS + LABEL_OF_TICKET] =
        "SELECT x.ticket_id, x.label_id FROM json_each(?1) CROSS JOIN"
        " ticket_label x ON x.ticket_id = value JOIN label l"
        " ON l.id = x.label_id ORDER BY 1, l.kind, l.name",
    [LABEL_PAIRS + LABEL_OF_PROJECT] =
        "SELECT x.project_id, x.label_id FROM json_each(?1) CROSS JOIN"
        " project_label x ON x.project_id = value JOIN label l"
        " ON l.id = x.label_id ORDER BY 1, l.kind, l.name",
    [LABEL_PAIRS + LABEL_OF_PROGRAM] =
        "SELECT x.program_id, x.label_id FROM json_each(?1) CROSS JOIN"
        " program_label x ON x.program_id = value JOIN label l"
        " ON l.id = x.label_id ORDER BY 1, l.kind, l.name",
    [LABEL_ADD_TO + LABEL_OF_TICKET] =
        "INSERT OR IGNORE INTO ticket_label (ticket_id, label_id)"
        " VALUES (?1, ?2)",
    [LABEL_ADD_TO + LABEL_OF_PROJECT] =
        "INSERT OR IGNORE INTO project_label (project_id, label_id)"
        " VALUES (?1, ?2)",
    [LABEL_CLEAR_OF + LABEL_OF_TICKET] =
        "DELETE FROM ticket_label WHERE ticket_id = ?1",
    [LABEL_CLEAR_OF + LABEL_OF_PROJECT] =
        "DELETE FROM project_label WHERE project_id = ?1",
};
const struct query_set label_queries = {"label", label_text, COUNT(label_text)};

const char *const label_kind_words[] = {"project", "phase", "team", "free",
                                        NULL};

static const struct field create_fields[] = {
    {CHOICE("kind", label_kind_words, REQUIRED, "種類", "Kind")},
    {TEXT("name", 1, 60, REQUIRED, "名前", "Name")},
    {CHOICE("color", color_words, REQUIRED, "色", "Colour")},
};
const struct form label_form = {"LabelCreate", create_fields,
                                COUNT(create_fields)};
static const struct field plan_edit_fields[] = {
    {TEXT("name", 1, 60, OPTIONAL, "名前", "Name")},
    {CHOICE("color", color_words, OPTIONAL, "色", "Colour")},
    {BOOL("is_archived", OPTIONAL, "アーカイブ", "Archived")},
};
const struct form label_edit_form = {"LabelEdit", plan_edit_fields,
                                     COUNT(plan_edit_fields)};
static const struct field merge_fields[] = {
    {ID("into", REQUIRED, "統合先", "Into")},
};
const struct form label_merge_form = {"LabelMerge", merge_fields,
                                      COUNT(merge_fields)};
static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_CHOICE("kind", label_kind_words, REQUIRED)},
    {OUT_TEXT("name", REQUIRED)},
    {OUT_CHOICE("color", color_words, REQUIRED)},
    {OUT_BOOL("is_archived", REQUIRED)},
    {OUT_INT("version", REQUIRED)},
    {OUT_INT("tickets", OPTIONAL)},
    {OUT_INT("projects", OPTIONAL)},
    {OUT_INT("programs", OPTIONAL)},
};
const struct form label_reply_form = {"Label", reply_fields,
                                      COUNT(reply_fields)};

/* ---- reading ---- */

static struct label read_plain(struct ctx *c, struct query *q)
{
    return (struct label){
        .id = col_int(q, 0),
        .kind = (enum label_kind)col_int(q, 1),
        .name = col_text(c, q, 2),
        .color = col_text(c, q, 3),
        .is_archived = col_int(q, 4) != 0,
        .version = col_int(q, 5),
    };
}

static struct label read_counted(struct ctx *c, struct query *q)
{
    struct label l = read_plain(c, q);

    l.tickets = col_int(q, 6);
    l.projects = col_int(q, 7);
    l.programs = col_int(q, 8);
    return l;
}

enum err label_list(struct ctx *c, const struct label **out, size_t *count)
{
    struct query *q = query(c, label_text[LABEL_LIST]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct label l = read_counted(c, q);
        buf_put(&rows, &l, sizeof l);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

enum err label_get(struct ctx *c, int64_t id, struct label *out)
{
    struct query *q = query(c, label_text[LABEL_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "id", "not_found", "ラベルが見つかりません",
                        "No such label");
    if (e)
        return e;
    *out = read_counted(c, q);
    query_done(q);
    return OK;
}

static void put_plain(struct json_out *o, const struct label *l)
{
    json_id(o, "id", l->id);
    json_text(o, "kind", label_kind_words[l->kind]);
    json_text(o, "name", l->name);
    json_text(o, "color", l->color);
    json_bool(o, "is_archived", l->is_archived);
    json_int(o, "version", l->version);
}

void label_put_json(struct json_out *o, const struct label *l)
{
    json_open(o, NULL, '{');
    put_plain(o, l);
    json_int(o, "tickets", l->tickets);
    json_int(o, "projects", l->projects);
    json_int(o, "programs", l->programs);
    json_close(o, '}');
}

enum err label_list_plain(struct ctx *c, const struct label **out,
                          size_t *count)
{
    struct query *q = query(c, label_text[LABEL_PLAIN]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_id(q, 2, c->actor->limit_token_id);
    while (query_next(c, q, &e)) {
        struct label l = read_plain(c, q);
        buf_put(&rows, &l, sizeof l);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

enum err label_put_catalogue(struct ctx *c, struct json_out *o)
{
    const struct label *list = NULL;
    size_t count = 0;
    bool is_some;
    enum err e = access_has_somewhere(c, MAY_ANYTHING, &is_some);

    if (!e && (is_some || c->actor->limit_token_id)) /* else nothing to name */
        e = label_list_plain(c, &list, &count);
    json_open(o, "labels", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(o, NULL, '{');
        put_plain(o, &list[i]);
        json_close(o, '}');
    }
    json_close(o, ']');
    return e;
}

/* ---- changing ---- */

static enum err log_label(struct ctx *c, const char *action,
                          const struct label *before, const struct label *after)
{
    const struct label *l[2] = {before, after};
    const char *json[2] = {NULL, NULL};
    const struct label *any = after ? after : before;

    for (int i = 0; i < 2; i++) {
        struct buf b = buf_in(c->mem);
        struct json_out o = {.b = &b};
        if (!l[i])
            continue;
        json_open(&o, NULL, '{');
        json_text(&o, "kind", label_kind_words[l[i]->kind]);
        json_text(&o, "name", l[i]->name);
        json_text(&o, "color", l[i]->color);
        json_bool(&o, "is_archived", l[i]->is_archived);
        json_close(&o, '}');
        json[i] = b.data;
    }
    return operation_log(c, &(struct operation){.action = action,
                                                .kind = "label",
                                                .object_id = any->id,
                                                .object_name = any->name,
                                                .before = json[0],
                                                .after = json[1]});
}

static enum err taken(struct ctx *c, enum err e)
{
    if (e != ERR_CONFLICT)
        return e;
    return ctx_fail(c, e, "name", "unique",
                    "同じ種類に同じ名前のラベルがあります",
                    "There is a label of this kind and name");
}

enum err label_create(struct ctx *c, const struct values *v, struct label *out)
{
    struct query *q = query(c, label_text[LABEL_INSERT]);

    bind_int(q, 1, values_int(v, "kind", LABEL_FREE));
    bind_text(q, 2, values_text(v, "name"));
    bind_text(q, 3, color_words[values_int(v, "color", 0)]);
    enum err e = query_run(c, q);
    if (e)
        return taken(c, e);
    if ((e = label_get(c, db_last_id(c), out)))
        return e;
    return log_label(c, "create", NULL, out);
}

enum err label_update(struct ctx *c, int64_t id, int64_t version,
                      const struct values *v, struct label *out)
{
    struct label before;
    enum err e = label_get(c, id, &before);

    if (e)
        return e;
    struct query *q = query(c, label_text[LABEL_UPDATE]);
    const char *name = values_text(v, "name");
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    bind_text(q, 3, name ? name : before.name);
    bind_text(q, 4,
              values_has(v, "color") ? color_words[values_int(v, "color", 0)]
                                     : before.color);
    bind_int(q, 5, values_bool(v, "is_archived", before.is_archived));
    if ((e = query_run(c, q)))
        return taken(c, e);
    if (db_changes(c) == 0)
        return ctx_stale(c);
    if ((e = label_get(c, id, out)))
        return e;
    return log_label(c, "update", &before, out);
}

enum err label_delete(struct ctx *c, int64_t id, int64_t version)
{
    struct label before;
    enum err e = label_get(c, id, &before);

    if (e)
        return e;
    struct query *q = query(c, label_text[LABEL_IS_USED]);
    bind_int(q, 1, id);
    if ((e = query_one(c, q)))
        return e;
    bool is_used = col_int(q, 0) != 0;
    query_done(q);
    if (is_used)
        return ctx_fail(c, ERR_CONFLICT, "id", "in_use",
                        "使われているラベルは削除できません。"
                        "アーカイブするか、ほかのラベルに統合してください",
                        "A label in use cannot be deleted; archive it or"
                        " merge it into another");
    q = query(c, label_text[LABEL_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return log_label(c, "delete", &before, NULL);
}

static enum err run(struct ctx *c, int text, int64_t id, int64_t second)
{
    struct query *q = query(c, label_text[text]);

    bind_int(q, 1, id);
    if (second)
        bind_int(q, 2, second);
    return query_run(c, q);
}

static enum err move_uses(struct ctx *c, const struct label *from,
                          const struct label *to)
{
    struct query *q = query(c, label_text[LABEL_HISTORY]);

    bind_int(q, 1, from->id);
    bind_int(q, 2, c->now_us);
    bind_id(q, 3, c->actor->user_id);
    bind_text(q, 4, c->actor->request_id ? c->actor->request_id : "");
    bind_text(q, 5, from->name);
    bind_text(q, 6, to->name);
    enum err e = query_run(c, q);
    if (e || (e = run(c, LABEL_TOUCH_PROJECTS, from->id, 0)) ||
        (e = run(c, LABEL_TOUCH_TICKETS, from->id, c->now_us)) ||
        (e = run(c, LABEL_MOVE_TICKETS, from->id, to->id)) ||
        (e = run(c, LABEL_DROP_TICKETS, from->id, 0)) ||
        (e = run(c, LABEL_MOVE_PROJECTS, from->id, to->id)) ||
        (e = run(c, LABEL_MOVE_PROGRAMS, from->id, to->id)) ||
        (e = run(c, LABEL_DROP_PROGRAMS, from->id, 0)))
        return e;
    return run(c, LABEL_DROP_PROJECTS, from->id, 0);
}

enum err label_merge(struct ctx *c, int64_t id, int64_t version, int64_t into,
                     struct label *out)
{
    struct label from;
    enum err e = label_get(c, id, &from);

    if (e)
        return e;
    e = label_get(c, into, out);
    if (e == ERR_NOT_FOUND || id == into || (!e && from.kind != out->kind))
        return ctx_fail(c, ERR_INVALID, "into", "choice",
                        "同じ種類のほかのラベルを選んでください",
                        "Choose another label of the same kind");
    if (e)
        return e;
    if (from.version != version)
        return ctx_stale(c);
    if ((e = move_uses(c, &from, out)) ||
        (e = run(c, LABEL_DELETE, id, version)) ||
        (e = log_label(c, "merge", &from, out)))
        return e;
    return label_get(c, into, out);
}

/* ---- what bears them ---- */

static void add_name(struct buf *b, const char *name)
{
    buf_printf(b, "%s%s", b->len ? ", " : "", name);
}

enum err label_list_of(struct ctx *c, enum label_owner owner, int64_t owner_id,
                       const int64_t **ids, size_t *count, const char **names)
{
    struct query *q = query(c, label_text[LABEL_OF + (int)owner]);
    struct buf rows = buf_in(c->mem), text = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, owner_id);
    while (query_next(c, q, &e)) {
        int64_t id = col_int(q, 0);
        buf_put(&rows, &id, sizeof id);
        add_name(&text, col_peek(q, 1));
    }
    *ids = (const void *)rows.data;
    *count = rows.len / sizeof **ids;
    if (names)
        *names = text.len ? text.data : NULL;
    return e;
}

enum err label_list_pairs(struct ctx *c, enum label_owner owner,
                          const struct buf *ids, const struct label_pair **out,
                          size_t *count)
{
    struct query *q = query(c, label_text[LABEL_PAIRS + (int)owner]);
    const int64_t *list = (const void *)ids->data;
    struct buf text = buf_in(c->mem), rows = buf_in(c->mem);
    enum err e;

    for (size_t i = 0; i < ids->len / sizeof *list; i++) {
        buf_putc(&text, i ? ',' : '[');
        buf_put_int(&text, list[i]);
    }
    buf_puts(&text, text.len ? "]" : "[]");
    bind_text(q, 1, text.data);
    while (query_next(c, q, &e)) {
        struct label_pair p = {col_int(q, 0), col_int(q, 1)};
        buf_put(&rows, &p, sizeof p);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

void label_put_pairs(struct json_out *o, const struct label_pair *list,
                     size_t count, int64_t owner_id)
{
    size_t low = 0, high = count;

    while (low < high) { /* ordered by owner */
        size_t mid = low + (high - low) / 2;
        if (list[mid].owner_id < owner_id)
            low = mid + 1;
        else
            high = mid;
    }
    json_open(o, "labels", '[');
    for (; low < count && list[low].owner_id == owner_id; low++)
        json_id(o, NULL, list[low].label_id);
    json_close(o, ']');
}

static bool holds(const int64_t *ids, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

bool label_same(const int64_t *a, size_t n, const int64_t *b, size_t m)
{
    for (size_t i = 0; i < n; i++)
        if (!holds(b, m, a[i]))
            return false;
    for (size_t i = 0; i < m; i++)
        if (!holds(a, n, b[i]))
            return false;
    return true;
}

enum err label_check(struct ctx *c, const int64_t *ids, size_t count,
                     const int64_t *had, size_t had_count, const char **names)
{
    struct buf text = buf_in(c->mem);

    for (size_t i = 0; i < count; i++) {
        struct query *q = query(c, label_text[LABEL_ONE]);
        bind_int(q, 1, ids[i]);
        bind_id(q, 2, c->actor->limit_token_id);
        enum err e = query_one(c, q);
        if (e && e != ERR_NOT_FOUND)
            return e;
        if (e)
            return ctx_fail(c, ERR_INVALID, "labels", "choice",
                            "ラベルが見つかりません", "No such label");
        bool is_archived = col_int(q, 1) != 0;
        add_name(&text, col_peek(q, 0));
        query_done(q);
        if (is_archived && !holds(had, had_count, ids[i]))
            return ctx_fail(c, ERR_INVALID, "labels", "archived",
                            "アーカイブされたラベルは付けられません",
                            "An archived label cannot be given");
    }
    *names = text.len ? text.data : NULL;
    return OK;
}

enum err label_write_of(struct ctx *c, enum label_owner owner, int64_t owner_id,
                        const int64_t *ids, size_t count)
{
    enum err e = run(c, LABEL_CLEAR_OF + (int)owner, owner_id, 0);

    for (size_t i = 0; i < count && !e; i++)
        e = run(c, LABEL_ADD_TO + (int)owner, owner_id, ids[i]);
    return e;
}

void label_put_ids(struct json_out *o, const char *name, const int64_t *ids,
                   size_t count)
{
    json_open(o, name, '[');
    for (size_t i = 0; i < count; i++)
        json_id(o, NULL, ids[i]);
    json_close(o, ']');
}
