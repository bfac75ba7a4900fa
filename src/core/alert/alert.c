/* SPDX-License-Identifier: Apache-2.0 */
#include "core/alert/alert.h"

#include "base/buf.h"
#include "base/json.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

#define ALERT_COLS                                                             \
    "r.id, r.name, r.source, r.kind, r.action, coalesce(r.user_id, 0),"        \
    " r.threshold, r.is_on, r.from_seq, r.seen_seq, r.mailed_at, r.version,"   \
    " u.name FROM alert_rule r LEFT JOIN user u ON u.id = r.user_id"

enum {
    ALERT_LIST,
    ALERT_GET,
    ALERT_READERS,
    ALERT_COUNT,
    ALERT_ADD,
    ALERT_UPDATE,
    ALERT_DELETE,
    ALERT_DROP_READERS,
    ALERT_ADD_READER,
    ALERT_HAS,
    ALERT_SEEN,
    ALERT_PERSON,
};
static const char *const alert_text[] = {
    [ALERT_LIST] = "SELECT " ALERT_COLS " ORDER BY r.id",
    [ALERT_GET] = "SELECT " ALERT_COLS " WHERE r.id = ?1",
    [ALERT_READERS] = "SELECT u.id, u.name FROM alert_reader a JOIN user u"
                      " ON u.id = a.user_id WHERE a.rule_id = ?1 ORDER BY u.id",
    [ALERT_COUNT] = "SELECT count(*) FROM alert_rule",
    [ALERT_ADD] = "INSERT INTO alert_rule (name, source, kind, action, user_id,"
                  " threshold, is_on, from_seq, seen_seq)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
    [ALERT_UPDATE] =
        "UPDATE alert_rule SET name = ?3, kind = ?4, action = ?5, user_id = ?6,"
        " threshold = ?7, is_on = ?8, from_seq = ?9, seen_seq = ?10,"
        " version = version + 1 WHERE id = ?1 AND version = ?2",
    [ALERT_DELETE] = "DELETE FROM alert_rule WHERE id = ?1 AND version = ?2",
    [ALERT_DROP_READERS] = "DELETE FROM alert_reader WHERE rule_id = ?1",
    [ALERT_ADD_READER] = "INSERT OR IGNORE INTO alert_reader (rule_id, user_id)"
                         " VALUES (?1, ?2)",
    [ALERT_HAS] = "SELECT EXISTS (SELECT 1 FROM alert_rule WHERE is_on = 1)",
    [ALERT_SEEN] =
        "UPDATE alert_rule SET from_seq = ?4, seen_seq = ?5,"
        " mailed_at = CASE WHEN ?6 THEN ?7 ELSE mailed_at END"
        " WHERE id = ?1 AND version = ?2 AND seen_seq = ?3 AND is_on = 1",
    [ALERT_PERSON] = "SELECT is_admin FROM user WHERE id = ?1 AND state = 1",
};
const struct query_set alert_queries = {"alert", alert_text, COUNT(alert_text)};

const char *const alert_source_words[] = {"operation", "sign_in", NULL};

#define RULE_FIELDS(flags)                                                     \
    {TEXT("name", 1, 100, flags, "名前", "Name")},                             \
        {TEXT("kind", 1, 40, NULLABLE, "対象", "Kind")},                       \
        {TEXT("action", 1, 40, NULLABLE, "操作", "Action")},                   \
        {ID("user", NULLABLE, "ユーザー", "Person")},                          \
        {INT("threshold", 1, 1000, OPTIONAL, "件数", "Count")},                \
        {BOOL("is_on", OPTIONAL, "有効", "On")},                               \
    {                                                                          \
        IDS("readers", ALERT_READERS_MAX, flags, "宛先", "Readers")            \
    }
static const struct field alert_fields[] = {
    RULE_FIELDS(REQUIRED),
    {CHOICE("source", alert_source_words, REQUIRED, "種類", "Source")},
};
const struct form alert_form = {"AlertCreate", alert_fields,
                                COUNT(alert_fields)};
static const struct field plan_edit_fields[] = {
    RULE_FIELDS(0),
};
const struct form alert_edit_form = {"AlertEdit", plan_edit_fields,
                                     COUNT(plan_edit_fields)};

/* ---- reading ---- */

static void read_row(struct ctx *c, struct query *q, struct alert_rule *out)
{
    *out = (struct alert_rule){
        .id = col_int(q, 0),
        .name = col_text(c, q, 1),
        .source = (enum alert_source)col_int(q, 2),
        .kind = col_text(c, q, 3),
        .action = col_text(c, q, 4),
        .user_id = col_int(q, 5),
        .threshold = (int)col_int(q, 6),
        .is_on = col_int(q, 7) != 0,
        .from_seq = col_int(q, 8),
        .seen_seq = col_int(q, 9),
        .mailed_at = col_int(q, 10),
        .version = col_int(q, 11),
        .user_name = col_text(c, q, 12),
    };
}

static enum err read_readers(struct ctx *c, struct alert_rule *rule)
{
    struct buf rows = buf_in(c->mem);
    struct query *q = query(c, alert_text[ALERT_READERS]);
    enum err e;

    bind_int(q, 1, rule->id);
    while (query_next(c, q, &e)) {
        struct alert_reader r = {.id = col_int(q, 0),
                                 .name = col_text(c, q, 1)};
        buf_put(&rows, &r, sizeof r);
    }
    rule->readers = (const void *)rows.data;
    rule->reader_count = rows.len / sizeof *rule->readers;
    return e;
}

enum err alert_list(struct ctx *c, const struct alert_rule **out, size_t *count)
{
    struct buf rows = buf_in(c->mem);
    struct query *q = query(c, alert_text[ALERT_LIST]);
    enum err e;

    while (query_next(c, q, &e)) {
        struct alert_rule rule;
        read_row(c, q, &rule);
        buf_put(&rows, &rule, sizeof rule);
    }
    struct alert_rule *list = (void *)rows.data;
    *count = rows.len / sizeof *list;
    for (size_t i = 0; !e && i < *count; i++)
        e = read_readers(c, &list[i]);
    *out = list;
    return e;
}

enum err alert_get(struct ctx *c, int64_t id, struct alert_rule *out)
{
    struct query *q = query(c, alert_text[ALERT_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "id", "not_found", "見つかりません", "Not found");
    if (e)
        return e;
    read_row(c, q, out);
    query_done(q);
    return read_readers(c, out);
}

static enum err read_number(struct ctx *c, const char *text, int64_t *out)
{
    struct query *q = query(c, text);
    enum err e = query_one(c, q);

    if (e)
        return e;
    *out = col_int(q, 0);
    query_done(q);
    return OK;
}

enum err alert_has_rules(struct ctx *c, bool *out)
{
    int64_t has = 0;
    enum err e = read_number(c, alert_text[ALERT_HAS], &has);

    *out = has != 0;
    return e;
}

/* ---- changing ---- */

enum err alert_check_reader(struct ctx *c, int64_t user_id)
{
    struct query *q = query(c, alert_text[ALERT_PERSON]);

    bind_int(q, 1, user_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    struct actor who = {.user_id = user_id,
                        .name = "",
                        .ip = "",
                        .request_id = "",
                        .tenant = c->actor->tenant,
                        .base_url = "",
                        .is_admin = col_int(q, 0) != 0};
    query_done(q);
    struct ctx there = *c;
    there.actor = &who;
    return access_check(&there, RIGHT_ADMIN_LOG, 0);
}

static const char *as_json(struct ctx *c, const struct alert_rule *r)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "name", r->name);
    json_text(&o, "source", alert_source_words[r->source]);
    json_text(&o, "kind", r->kind);
    json_text(&o, "action", r->action);
    json_id(&o, "user", r->user_id);
    json_int(&o, "threshold", r->threshold);
    json_bool(&o, "is_on", r->is_on);
    json_open(&o, "readers", '[');
    for (size_t i = 0; i < r->reader_count; i++)
        json_text(&o, NULL, r->readers[i].name);
    json_close(&o, ']');
    json_close(&o, '}');
    return b.data;
}

static enum err log_rule(struct ctx *c, const char *action,
                         const struct alert_rule *before,
                         const struct alert_rule *after)
{
    const struct alert_rule *it = after ? after : before;

    return operation_log(
        c, &(struct operation){.action = action,
                               .kind = "alert",
                               .object_id = it->id,
                               .object_name = it->name,
                               .before = before ? as_json(c, before) : NULL,
                               .after = after ? as_json(c, after) : NULL});
}

static enum err set_readers(struct ctx *c, int64_t id, const struct values *v)
{
    const int64_t *ids;
    size_t count = values_ids(v, "readers", &ids);
    struct query *q = query(c, alert_text[ALERT_DROP_READERS]);

    bind_int(q, 1, id);
    enum err e = query_run(c, q);
    for (size_t i = 0; !e && i < count; i++) {
        if ((e = alert_check_reader(c, ids[i])) && e != ERR_DENIED &&
            e != ERR_NOT_FOUND)
            return e;
        if (e)
            return ctx_fail(c, ERR_INVALID, "readers", "reader",
                            "宛先にはログを閲覧できる人を選んでください",
                            "Readers must be people who may read the log");
        q = query(c, alert_text[ALERT_ADD_READER]);
        bind_int(q, 1, id);
        bind_int(q, 2, ids[i]);
        e = query_run(c, q);
    }
    return e;
}

static void read_form(const struct values *v, struct alert_rule *r)
{
    if (values_has(v, "name"))
        r->name = values_text(v, "name");
    if (values_has(v, "kind"))
        r->kind = values_text(v, "kind");
    if (values_has(v, "action"))
        r->action = values_text(v, "action");
    if (values_has(v, "user"))
        r->user_id = values_int(v, "user", 0);
    r->threshold = (int)values_int(v, "threshold", r->threshold);
    r->is_on = values_bool(v, "is_on", r->is_on);
    if (r->source == ALERT_SIGN_IN) {
        r->kind = r->action = NULL;
        r->user_id = 0;
    }
}

/* Where a rule begins that is new, or was off. */
static enum err begin_now(struct ctx *c, int64_t last_entry,
                          struct alert_rule *r)
{
    struct log_mark last = {.seq = last_entry};
    enum err e = r->source == ALERT_OPERATION ? operation_last(c, &last) : OK;

    r->from_seq = r->seen_seq = last.seq;
    return e;
}

static enum err check_count(struct ctx *c)
{
    int64_t count = 0;
    enum err e = read_number(c, alert_text[ALERT_COUNT], &count);

    if (!e && count >= ALERT_RULES_MAX)
        return ctx_fail(c, ERR_CONFLICT, "", "rules",
                        "アラートは %d 件までです",
                        "There may be %d rules at most", ALERT_RULES_MAX);
    return e;
}

static enum err need_readers(struct ctx *c, const struct values *v)
{
    const int64_t *ids;

    if (!values_has(v, "readers") || values_ids(v, "readers", &ids) > 0)
        return OK;
    return ctx_fail(c, ERR_INVALID, "readers", "required",
                    "宛先を選んでください", "Please choose who is told");
}

enum err alert_create(struct ctx *c, const struct values *v, int64_t last_entry,
                      struct alert_rule *out)
{
    struct alert_rule r = {.source =
                               (enum alert_source)values_int(v, "source", 0),
                           .threshold = 1,
                           .is_on = true};
    enum err e = check_count(c);

    if (e || (e = need_readers(c, v)))
        return e;
    read_form(v, &r);
    if ((e = begin_now(c, last_entry, &r)))
        return e;
    struct query *q = query(c, alert_text[ALERT_ADD]);
    bind_text(q, 1, r.name);
    bind_int(q, 2, r.source);
    bind_text(q, 3, r.kind);
    bind_text(q, 4, r.action);
    bind_id(q, 5, r.user_id);
    bind_int(q, 6, r.threshold);
    bind_int(q, 7, r.is_on);
    bind_int(q, 8, r.seen_seq);
    if ((e = query_run(c, q)))
        return e;
    r.id = db_last_id(c);
    if ((e = set_readers(c, r.id, v)) || (e = alert_get(c, r.id, out)))
        return e;
    return log_rule(c, "create", NULL, out);
}

static enum err write_rule(struct ctx *c, int64_t version,
                           const struct alert_rule *r)
{
    struct query *q = query(c, alert_text[ALERT_UPDATE]);

    bind_int(q, 1, r->id);
    bind_int(q, 2, version);
    bind_text(q, 3, r->name);
    bind_text(q, 4, r->kind);
    bind_text(q, 5, r->action);
    bind_id(q, 6, r->user_id);
    bind_int(q, 7, r->threshold);
    bind_int(q, 8, r->is_on);
    bind_int(q, 9, r->from_seq);
    bind_int(q, 10, r->seen_seq);
    enum err e = query_run(c, q);
    if (!e && db_changes(c) == 0)
        return ctx_stale(c);
    return e;
}

enum err alert_update(struct ctx *c, int64_t id, int64_t version,
                      const struct values *v, int64_t last_entry,
                      struct alert_rule *out)
{
    struct alert_rule before;
    enum err e = alert_get(c, id, &before);

    if (e || (e = need_readers(c, v)))
        return e;
    struct alert_rule r = before;
    read_form(v, &r);
    if (r.is_on && !before.is_on && (e = begin_now(c, last_entry, &r)))
        return e;
    if ((e = write_rule(c, version, &r)))
        return e;
    if (values_has(v, "readers") && (e = set_readers(c, id, v)))
        return e;
    if ((e = alert_get(c, id, out)))
        return e;
    return log_rule(c, "update", &before, out);
}

enum err alert_delete(struct ctx *c, int64_t id, int64_t version)
{
    struct alert_rule before;
    enum err e = alert_get(c, id, &before);

    if (e)
        return e;
    struct query *q = query(c, alert_text[ALERT_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    return log_rule(c, "delete", &before, NULL);
}

enum err alert_set_seen(struct ctx *c, const struct alert_rule *rule,
                        int64_t from_seq, int64_t seen_seq, bool is_told,
                        bool *won)
{
    struct query *q = query(c, alert_text[ALERT_SEEN]);

    bind_int(q, 1, rule->id);
    bind_int(q, 2, rule->version);
    bind_int(q, 3, rule->seen_seq);
    bind_int(q, 4, from_seq);
    bind_int(q, 5, seen_seq);
    bind_int(q, 6, is_told);
    bind_int(q, 7, c->now_us);
    enum err e = query_run(c, q);
    *won = !e && db_changes(c) > 0;
    return e;
}
