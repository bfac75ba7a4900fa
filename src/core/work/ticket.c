/* SPDX-License-Identifier: Apache-2.0 */
/* The ticket's row.  Everything a page shows around a ticket is read by key,
 * so a page costs the same in a project of ten tickets and of ten thousand. */
#include "core/work/ticket.h"

#include "base/str.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/master/field_value.h"
#include "core/master/label.h"
#include "core/master/team.h"

#include <string.h>

#define TICKET_COLS                                                            \
    "t.id, t.project_id, t.no, t.classification_id, t.status_id, t.subject,"   \
    " t.details, t.priority, t.parent_id, t.rank, t.planned_start,"            \
    " t.planned_end, t.actual_start, t.actual_end, t.due, t.progress,"         \
    " t.estimate, t.actual, t.is_manual, t.reporter_id, t.assignee_id,"        \
    " t.created_at, t.updated_at, t.deleted_at, t.version, t.revision"
enum { TICKET_COL_COUNT = 26 };
#define LINKED(self, other)                                                    \
    "SELECT d.id, t.id, p.key || '-' || t.no, t.subject, d.kind, d.lag"        \
    " FROM dependency d JOIN ticket t ON t.id = d." other                      \
    " JOIN project p ON p.id = t.project_id"                                   \
    " WHERE d." self " = ?1 AND t.deleted_at IS NULL ORDER BY t.no"

enum {
    TICKET_READ,
    TICKET_LAST_CHANGE,
    TICKET_BY_KEY,
    TICKET_INSERT,
    TICKET_WRITE,
    TICKET_ASSIGNEES,
    TICKET_ASSIGN,
    TICKET_UNASSIGN,
    TICKET_INDEX,
    TICKET_UNINDEX,
    TICKET_PAGE,
    TICKET_PEOPLE,
    TICKET_PREDECESSORS,
    TICKET_SUCCESSORS,
    TICKET_CHILDREN,
    TICKET_PATH,
};
static const char *const ticket_text[] = {
    [TICKET_READ] = "SELECT " TICKET_COLS " FROM ticket t WHERE t.id = ?1",
    [TICKET_LAST_CHANGE] = "SELECT u.name, h.at FROM change h LEFT JOIN user u"
                           " ON u.id = h.user_id WHERE h.ticket_id = ?1"
                           " ORDER BY h.id DESC LIMIT 1",
    [TICKET_BY_KEY] =
        "SELECT t.id FROM project p JOIN ticket t ON t.project_id = p.id"
        " AND t.no = ?2 WHERE p.key = ?1 AND p.deleted_at IS NULL",
    [TICKET_INSERT] =
        "INSERT INTO ticket (project_id, no, classification_id, status_id,"
        " subject, details, priority, parent_id, rank, planned_start,"
        " planned_end, actual_start, actual_end, due, progress, estimate,"
        " actual, is_manual, reporter_id, assignee_id, created_at, updated_at,"
        " deleted_at, version, revision) VALUES (?2, ?3, ?4, ?5, ?6, ?7, ?8,"
        " ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,"
        " ?23, ?24, ?25, ?26)",
    [TICKET_WRITE] =
        "UPDATE ticket SET classification_id = ?4, status_id = ?5,"
        " subject = ?6, details = ?7, priority = ?8, parent_id = ?9,"
        " rank = ?10, planned_start = ?11, planned_end = ?12,"
        " actual_start = ?13, actual_end = ?14, due = ?15, progress = ?16,"
        " estimate = ?17, actual = ?18, is_manual = ?19, reporter_id = ?20,"
        " assignee_id = ?21, updated_at = ?23, deleted_at = ?24,"
        " version = ?25, revision = ?26"
        " WHERE id = ?1 AND project_id = ?2 AND no = ?3 AND created_at = ?22",
    [TICKET_ASSIGNEES] = "SELECT user_id FROM ticket_assignee"
                         " WHERE ticket_id = ?1 ORDER BY rank",
    [TICKET_ASSIGN] = "INSERT INTO ticket_assignee (ticket_id, user_id, rank)"
                      " VALUES (?1, ?2, ?3)",
    [TICKET_UNASSIGN] = "DELETE FROM ticket_assignee WHERE ticket_id = ?1",
    [TICKET_INDEX] = "INSERT INTO ticket_search (rowid, text) VALUES (?1, ?2)",
    [TICKET_UNINDEX] = "DELETE FROM ticket_search WHERE rowid = ?1",
    [TICKET_PAGE] =
        "SELECT " TICKET_COLS ", k.key, s.category, p.key, p.name, u.name"
        " FROM ticket t JOIN project p ON p.id = t.project_id"
        " JOIN classification k ON k.id = t.classification_id"
        " JOIN status s ON s.id = t.status_id"
        " LEFT JOIN user u ON u.id = t.reporter_id"
        " WHERE t.id = ?1 AND t.deleted_at IS NULL",
    [TICKET_PEOPLE] =
        "SELECT u.id, u.name FROM ticket_assignee a JOIN user u"
        " ON u.id = a.user_id WHERE a.ticket_id = ?1 ORDER BY a.rank",
    [TICKET_PREDECESSORS] = LINKED("successor_id", "predecessor_id"),
    [TICKET_SUCCESSORS] = LINKED("predecessor_id", "successor_id"),
    [TICKET_CHILDREN] =
        "SELECT t.id, p.key || '-' || t.no, t.subject, t.status_id, t.progress"
        " FROM ticket t JOIN project p ON p.id = t.project_id"
        " WHERE t.parent_id = ?1 AND t.deleted_at IS NULL"
        " ORDER BY t.rank LIMIT 1000",
    [TICKET_PATH] =
        "WITH RECURSIVE up(id, depth) AS (SELECT parent_id, 1 FROM ticket"
        " WHERE id = ?1 UNION ALL SELECT t.parent_id, depth + 1 FROM up"
        " JOIN ticket t ON t.id = up.id WHERE depth < 100)"
        " SELECT t.id, p.key || '-' || t.no, t.subject, t.status_id,"
        " t.progress FROM up JOIN ticket t ON t.id = up.id"
        " JOIN project p ON p.id = t.project_id ORDER BY up.depth DESC",
};
const struct query_set ticket_queries = {"ticket", ticket_text,
                                         COUNT(ticket_text)};

/* ---- forms ---- */

enum { MINUTES_MAX = 60 * 24 * 365 * 100, DETAILS_MAX = 100000 };

#define TICKET_FIELDS(needed)                                                  \
    {TEXT("subject", 1, 255, needed, "件名", "Subject")},                      \
        {TEXT("classification", 1, 40, needed, "チケット分類",                 \
              "Classification")},                                              \
        {ID("status", OPTIONAL, "ステータス", "Status")},                      \
        {CHOICE("priority", priority_words, OPTIONAL, "優先度", "Priority")},  \
        {TEXT("parent", 1, 64, NULLABLE, "親チケット", "Parent")},             \
        {TEXT("after", 1, 64, NULLABLE, "直前のチケット",                      \
              "Previous sibling")},                                            \
        {ID("assignee", NULLABLE, "担当者", "Assignee")},                      \
        {IDS("assignees", 20, OPTIONAL, "担当者", "Assignees")},               \
        {IDS("labels", LABEL_PER_OBJECT, OPTIONAL, "ラベル", "Labels")},       \
        {ID("team", NULLABLE, "チーム", "Team")},                              \
        {ROWS("fields", &field_value_form, 0, FIELD_PER_KIND, OPTIONAL,        \
              "項目", "Fields")},                                              \
        {DAY("planned_start", NULLABLE, "予定開始日", "Planned start")},       \
        {DAY("planned_end", NULLABLE, "予定終了日", "Planned end")},           \
        {DAY("actual_start", NULLABLE, "実績開始日", "Actual start")},         \
        {DAY("actual_end", NULLABLE, "実績終了日", "Actual end")},             \
        {DAY("due", NULLABLE, "期限", "Due")},                                 \
        {INT("progress", 0, 100, OPTIONAL, "進捗率", "Progress")},             \
        {INT("estimate", 0, MINUTES_MAX, NULLABLE, "予定工数", "Estimate")},   \
        {INT("actual", 0, MINUTES_MAX, NULLABLE, "実績工数",                   \
             "Actual effort")},                                                \
        {BOOL("manual", OPTIONAL, "手動スケジュール", "Manual schedule")},     \
    {                                                                          \
        LINES("details", 0, DETAILS_MAX, OPTIONAL, "詳細", "Details")          \
    }

static const struct field create_fields[] = {
    TICKET_FIELDS(REQUIRED),
};
const struct form ticket_form = {"TicketCreate", create_fields,
                                 COUNT(create_fields)};
static const struct field plan_edit_fields[] = {
    TICKET_FIELDS(0),
};
const struct form ticket_edit_form = {"TicketEdit", plan_edit_fields,
                                      COUNT(plan_edit_fields)};

static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},           {OUT_TEXT("key", REQUIRED)},
    {OUT_INT("no", REQUIRED)},          TICKET_FIELDS(REQUIRED),
    {OUT_INT("version", REQUIRED)},     {OUT_TEXT("created_at", REQUIRED)},
    {OUT_TEXT("updated_at", REQUIRED)},
};
const struct form ticket_reply_form = {"Ticket", reply_fields,
                                       COUNT(reply_fields)};

/* ---- the row ---- */

static int64_t minutes(struct query *q, int i)
{
    return col_is_null(q, i) ? TICKET_MINUTES_NONE : col_int(q, i);
}

static void read_row(struct ctx *c, struct query *q, struct ticket *out)
{
    *out = (struct ticket){
        .id = col_int(q, 0),
        .project_id = col_int(q, 1),
        .no = col_int(q, 2),
        .classification_id = col_int(q, 3),
        .status_id = col_int(q, 4),
        .subject = col_text(c, q, 5),
        .details = col_text(c, q, 6),
        .priority = (enum priority)col_int(q, 7),
        .parent_id = col_int(q, 8),
        .rank = col_int(q, 9),
        .planned_start = col_day(q, 10),
        .planned_end = col_day(q, 11),
        .actual_start = col_day(q, 12),
        .actual_end = col_day(q, 13),
        .due = col_day(q, 14),
        .progress = (int)col_int(q, 15),
        .estimate = minutes(q, 16),
        .actual = minutes(q, 17),
        .is_manual = col_int(q, 18) != 0,
        .reporter_id = col_int(q, 19),
        .assignee_id = col_int(q, 20),
        .created_at = col_int(q, 21),
        .updated_at = col_int(q, 22),
        .deleted_at = col_int(q, 23),
        .version = col_int(q, 24),
        .revision = col_int(q, 25),
    };
}

static void bind_minutes(struct query *q, int n, int64_t value)
{
    if (value == TICKET_MINUTES_NONE)
        bind_null(q, n);
    else
        bind_int(q, n, value);
}

static void bind_row(struct query *q, const struct ticket *t)
{
    bind_int(q, 2, t->project_id);
    bind_int(q, 3, t->no);
    bind_int(q, 4, t->classification_id);
    bind_int(q, 5, t->status_id);
    bind_text(q, 6, t->subject);
    bind_text(q, 7, t->details);
    bind_int(q, 8, t->priority);
    bind_id(q, 9, t->parent_id);
    bind_int(q, 10, t->rank);
    bind_day(q, 11, t->planned_start);
    bind_day(q, 12, t->planned_end);
    bind_day(q, 13, t->actual_start);
    bind_day(q, 14, t->actual_end);
    bind_day(q, 15, t->due);
    bind_int(q, 16, t->progress);
    bind_minutes(q, 17, t->estimate);
    bind_minutes(q, 18, t->actual);
    bind_int(q, 19, t->is_manual);
    bind_id(q, 20, t->reporter_id);
    bind_id(q, 21, t->assignee_id);
    bind_int(q, 22, t->created_at);
    bind_int(q, 23, t->updated_at);
    bind_id(q, 24, t->deleted_at);
    bind_int(q, 25, t->version);
    bind_int(q, 26, t->revision);
}

static enum err not_found(struct ctx *c)
{
    return ctx_fail(c, ERR_NOT_FOUND, "id", "not_found",
                    "チケットが見つかりません", "No such ticket");
}

enum err ticket_read(struct ctx *c, int64_t id, struct ticket *out)
{
    struct query *q = query(c, ticket_text[TICKET_READ]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    read_row(c, q, out);
    query_done(q);
    return OK;
}

enum err ticket_get(struct ctx *c, int64_t id, struct ticket *out)
{
    enum err e = ticket_read(c, id, out);

    if (e == ERR_NOT_FOUND || (!e && out->deleted_at))
        return not_found(c);
    return e;
}

/* "12" or "KEY-12"; what there is no such ticket of is not recorded. */
static enum err resolve(struct ctx *c, const char *word, int64_t *id)
{
    const char *dash = strrchr(word, '-');
    int64_t no = 0;

    *id = 0;
    if (!dash || !str_parse_int(dash + 1, 1, INT64_MAX, &no))
        return str_parse_int(word, 1, INT64_MAX, id) ? OK : ERR_NOT_FOUND;
    struct query *q = query(c, ticket_text[TICKET_BY_KEY]);
    bind_text(q, 1, arena_strndup(c->mem, word, (size_t)(dash - word)));
    bind_int(q, 2, no);
    enum err e = query_one(c, q);
    if (!e)
        *id = col_int(q, 0);
    query_done(q);
    return e;
}

enum err ticket_put_last_change(struct ctx *c, const struct ticket *t,
                                const char *what, struct json_out *o,
                                const char **name)
{
    struct query *q = query(c, ticket_text[TICKET_LAST_CHANGE]);
    int64_t at = t->updated_at;

    *name = NULL;
    bind_int(q, 1, t->id);
    enum err e = query_one(c, q);
    if (e && e != ERR_NOT_FOUND)
        return e;
    if (!e) {
        *name = col_text(c, q, 0);
        at = col_int(q, 1);
        query_done(q);
    }
    json_open(o, arena_printf(c->mem, "%s_by", what), '{');
    json_text(o, "name", *name);
    json_close(o, '}');
    json_moment(o, arena_printf(c->mem, "%s_at", what), at);
    if (!*name)
        *name = ctx_text(c, "ほかの人", "Somebody");
    return OK;
}

enum err ticket_fail_deleted(struct ctx *c, const struct ticket *t)
{
    struct buf detail = buf_in(c->mem);
    struct json_out o = {.b = &detail};
    const char *name;
    enum err e = ticket_put_last_change(c, t, "deleted", &o, &name);

    if (e)
        return e;
    e = ctx_fail(c, ERR_NOT_FOUND, "id", "deleted",
                 "%sさんが「%s」を削除しました", "%s has deleted \"%s\"", name,
                 t->subject);
    ctx_fail_detail(c, detail.data);
    return e;
}

/* Of one in the bin, those who could see it there learn who deleted it. */
static enum err missing(struct ctx *c, int64_t id)
{
    struct ticket t;
    unsigned rights = 0;
    enum err e = id ? ticket_read(c, id, &t) : ERR_NOT_FOUND;

    if (!e && t.deleted_at)
        e = access_project(c, t.project_id, &rights);
    if (!e && rights & MAY_TICKET_VIEW)
        return ticket_fail_deleted(c, &t);
    return e && e != ERR_NOT_FOUND ? e : not_found(c);
}

static enum err find_seen(struct ctx *c, const char *word, int64_t *id,
                          unsigned *rights)
{
    enum err e = resolve(c, word, id);

    if (!e)
        e = access_ticket(c, *id, rights);
    if (e == ERR_NOT_FOUND || (!e && !(*rights & MAY_TICKET_VIEW)))
        return missing(c, *id);
    return e;
}

enum err ticket_find(struct ctx *c, const char *word, int64_t *id)
{
    unsigned rights;

    return find_seen(c, word, id, &rights);
}

enum err ticket_insert(struct ctx *c, struct ticket *t)
{
    struct query *q = query(c, ticket_text[TICKET_INSERT]);

    bind_row(q, t);
    enum err e = query_run(c, q);
    if (!e)
        t->id = db_last_id(c);
    return e;
}

enum err ticket_write(struct ctx *c, struct ticket *t)
{
    struct query *q = query(c, ticket_text[TICKET_WRITE]);

    t->version++;
    bind_int(q, 1, t->id);
    bind_row(q, t);
    return query_run(c, q);
}

enum err ticket_load_assignees(struct ctx *c, struct ticket *t)
{
    struct query *q = query(c, ticket_text[TICKET_ASSIGNEES]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, t->id);
    while (query_next(c, q, &e)) {
        int64_t id = col_int(q, 0);
        buf_put(&rows, &id, sizeof id);
    }
    t->assignees = (const void *)rows.data;
    t->assignee_count = rows.len / sizeof *t->assignees;
    return e;
}

enum err ticket_write_assignees(struct ctx *c, const struct ticket *t)
{
    struct query *q = query(c, ticket_text[TICKET_UNASSIGN]);

    bind_int(q, 1, t->id);
    enum err e = query_run(c, q);
    for (size_t i = 0; i < t->assignee_count && !e; i++) {
        q = query(c, ticket_text[TICKET_ASSIGN]);
        bind_int(q, 1, t->id);
        bind_int(q, 2, t->assignees[i]);
        bind_int(q, 3, (int64_t)i);
        e = query_run(c, q);
    }
    return e;
}

enum err ticket_index(struct ctx *c, const char *project_key,
                      const struct ticket *t, bool is_new)
{
    struct query *q;
    enum err e = OK;

    if (!is_new) {
        q = query(c, ticket_text[TICKET_UNINDEX]);
        bind_int(q, 1, t->id);
        e = query_run(c, q);
    }
    if (e)
        return e;
    q = query(c, ticket_text[TICKET_INDEX]);
    bind_int(q, 1, t->id);
    /* folded text may be eleven times as long: not kept until the end of an
     * import of thousands */
    struct arena *mem = arena_open(0);
    bind_text(
        q, 2,
        str_fold(mem, arena_printf(mem, "%s-%lld\n%s\n%s", project_key,
                                   (long long)t->no, t->subject, t->details)));
    e = query_run(c, q);
    arena_close(mem);
    return e;
}

/* ---- the page ---- */

static enum err list_people(struct ctx *c, struct ticket_page *out)
{
    struct query *q = query(c, ticket_text[TICKET_PEOPLE]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, out->t.id);
    while (query_next(c, q, &e)) {
        struct ticket_person p = {col_int(q, 0), col_text(c, q, 1)};
        buf_put(&rows, &p, sizeof p);
    }
    out->assignees = (const void *)rows.data;
    out->assignee_count = rows.len / sizeof *out->assignees;
    return e;
}

static enum err list_links(struct ctx *c, int text, int64_t id,
                           const struct ticket_link **out, size_t *count)
{
    struct query *q = query(c, ticket_text[text]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, id);
    while (query_next(c, q, &e)) {
        struct ticket_link l = {
            .link_id = col_int(q, 0),
            .id = col_int(q, 1),
            .key = col_text(c, q, 2),
            .subject = col_text(c, q, 3),
            .kind = (int)col_int(q, 4),
            .lag = col_int(q, 5),
        };
        buf_put(&rows, &l, sizeof l);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

static enum err list_family(struct ctx *c, int text, int64_t id,
                            const struct ticket_child **out, size_t *count)
{
    struct query *q = query(c, ticket_text[text]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, id);
    while (query_next(c, q, &e)) {
        struct ticket_child k = {
            .id = col_int(q, 0),
            .key = col_text(c, q, 1),
            .subject = col_text(c, q, 2),
            .status_id = col_int(q, 3),
            .progress = (int)col_int(q, 4),
        };
        buf_put(&rows, &k, sizeof k);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

static enum err read_page(struct ctx *c, int64_t id, unsigned rights,
                          struct ticket_page *out)
{
    struct query *q = query(c, ticket_text[TICKET_PAGE]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? not_found(c) : e;
    *out = (struct ticket_page){.rights = rights};
    read_row(c, q, &out->t);
    out->classification_key = col_text(c, q, TICKET_COL_COUNT);
    out->category = (enum category)col_int(q, TICKET_COL_COUNT + 1);
    out->project_key = col_text(c, q, TICKET_COL_COUNT + 2);
    out->project_name = col_text(c, q, TICKET_COL_COUNT + 3);
    out->reporter.id = out->t.reporter_id;
    out->reporter.name = col_text(c, q, TICKET_COL_COUNT + 4);
    query_done(q);
    struct buf key = buf_in(c->mem);
    buf_puts(&key, out->project_key);
    buf_putc(&key, '-');
    buf_put_int(&key, out->t.no);
    out->key = key.data;
    if ((e = list_people(c, out)) ||
        (e = list_links(c, TICKET_PREDECESSORS, id, &out->predecessors,
                        &out->predecessor_count)) ||
        (e = list_links(c, TICKET_SUCCESSORS, id, &out->successors,
                        &out->successor_count)) ||
        (e = list_family(c, TICKET_CHILDREN, id, &out->children,
                         &out->child_count)))
        return e;
    const char *team;
    if ((e = label_list_of(c, LABEL_OF_TICKET, id, &out->labels,
                           &out->label_count, NULL)) ||
        (e = team_get_of_ticket(c, id, &out->team_id, &team)) ||
        !out->t.parent_id)
        return e;
    return list_family(c, TICKET_PATH, id, &out->path, &out->path_count);
}

enum err ticket_get_page(struct ctx *c, int64_t id, struct ticket_page *out)
{
    unsigned rights;
    enum err e = access_ticket(c, id, &rights);

    return e ? e : read_page(c, id, rights, out);
}

enum err ticket_find_page(struct ctx *c, const char *word,
                          struct ticket_page *out)
{
    unsigned rights;
    int64_t id;
    enum err e = find_seen(c, word, &id, &rights);

    return e ? e : read_page(c, id, rights, out);
}
