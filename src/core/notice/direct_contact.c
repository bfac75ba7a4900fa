/* SPDX-License-Identifier: Apache-2.0 */
/* Who was reached, when, how, and what was answered. */
#include "core/notice/contact.h"

#include "base/buf.h"
#include "base/json.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "db/query.h"

const char *const contact_means_words[] = {"phone", "mail", "visit", "other",
                                           NULL};

#define DIRECT_SELECT                                                          \
    "SELECT d.id, d.at, d.recorded_at, d.customer_id, coalesce(t.name,"        \
    " d.customer_id), d.person, d.answer, d.recorded_by, d.means"              \
    " FROM direct_contact d LEFT JOIN customer t ON t.id = d.customer_id"

enum {
    DIRECT_OF_NOTICE,
    DIRECT_OF_INCIDENT,
    DIRECT_GET,
    DIRECT_ADD,
    DIRECT_HAS_NOTICE,
    DIRECT_HAS_INCIDENT,
    DIRECT_HAS_TENANT,
};
static const char *const direct_text[] = {
    [DIRECT_OF_NOTICE] =
        DIRECT_SELECT " WHERE d.notice_id = ?1 ORDER BY d.id DESC LIMIT 2000",
    [DIRECT_OF_INCIDENT] =
        DIRECT_SELECT " WHERE d.incident_id = ?1 ORDER BY d.id DESC LIMIT 2000",
    [DIRECT_GET] = DIRECT_SELECT " WHERE d.id = ?1",
    [DIRECT_ADD] =
        "INSERT INTO direct_contact (notice_id, incident_id, customer_id,"
        " person, means, at, answer, recorded_by, recorded_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [DIRECT_HAS_NOTICE] = "SELECT 1 FROM notice WHERE id = ?1",
    [DIRECT_HAS_INCIDENT] = "SELECT 1 FROM incident WHERE id = ?1",
    [DIRECT_HAS_TENANT] = "SELECT 1 FROM customer WHERE id = ?1",
};
const struct query_set direct_contact_queries = {"direct_contact", direct_text,
                                                 COUNT(direct_text)};

static const struct field direct_fields[] = {
    {TEXT("tenant", 1, 32, REQUIRED, "テナント", "Tenant")},
    {TEXT("person", 1, 100, REQUIRED, "相手", "Person")},
    {CHOICE("means", contact_means_words, REQUIRED, "手段", "Means")},
    {MOMENT("at", REQUIRED, "日時", "When")},
    {LINES("answer", 1, 4000, REQUIRED, "回答", "Answer")},
};
const struct form direct_contact_form = {"DirectContactCreate", direct_fields,
                                         COUNT(direct_fields)};

static void read_row(struct ctx *c, struct query *q, struct direct_contact *out)
{
    *out = (struct direct_contact){
        .id = col_int(q, 0),
        .at = col_int(q, 1),
        .recorded_at = col_int(q, 2),
        .tenant = col_text(c, q, 3),
        .tenant_name = col_text(c, q, 4),
        .person = col_text(c, q, 5),
        .answer = col_text(c, q, 6),
        .recorded_by = col_text(c, q, 7),
        .means = (enum contact_means)col_int(q, 8),
    };
}

enum err direct_contact_list(struct ctx *c, struct direct_contact_of of,
                             const struct direct_contact **out, size_t *count)
{
    struct query *q = query(
        c, direct_text[of.notice_id ? DIRECT_OF_NOTICE : DIRECT_OF_INCIDENT]);
    struct buf rows = buf_in(c->mem);
    enum err e;

    bind_int(q, 1, of.notice_id ? of.notice_id : of.incident_id);
    while (query_next(c, q, &e)) {
        struct direct_contact row;
        read_row(c, q, &row);
        buf_put(&rows, &row, sizeof row);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

static enum err has(struct ctx *c, struct query *q)
{
    enum err e = query_one(c, q);

    if (!e)
        query_done(q);
    return e;
}

static enum err check_object(struct ctx *c, struct direct_contact_of of)
{
    struct query *q = query(
        c, direct_text[of.notice_id ? DIRECT_HAS_NOTICE : DIRECT_HAS_INCIDENT]);

    bind_int(q, 1, of.notice_id ? of.notice_id : of.incident_id);
    enum err e = has(c, q);
    if (e != ERR_NOT_FOUND)
        return e;
    return ctx_fail(c, e, "", "not_found", "見つかりません", "Not found");
}

static enum err check(struct ctx *c, const struct direct_contact *d)
{
    struct query *q = query(c, direct_text[DIRECT_HAS_TENANT]);

    bind_text(q, 1, d->tenant);
    enum err e = has(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, ERR_INVALID, "tenant", "tenant",
                        "テナントが見つかりません", "No such tenant");
    if (e || d->at <= c->now_us)
        return e;
    return ctx_fail(c, ERR_INVALID, "at", "future", "未来の日時です",
                    "This moment is in the future");
}

static const char *as_json(struct ctx *c, const struct direct_contact *d)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "tenant", d->tenant);
    json_text(&o, "person", d->person);
    json_text(&o, "means", contact_means_words[d->means]);
    json_moment(&o, "at", d->at);
    json_text(&o, "answer", d->answer);
    json_close(&o, '}');
    return b.data;
}

static enum err add(struct ctx *c, struct direct_contact_of of,
                    const struct direct_contact *d, struct direct_contact *out)
{
    struct query *q = query(c, direct_text[DIRECT_ADD]);

    bind_id(q, 1, of.notice_id);
    bind_id(q, 2, of.incident_id);
    bind_text(q, 3, d->tenant);
    bind_text(q, 4, d->person);
    bind_int(q, 5, d->means);
    bind_int(q, 6, d->at);
    bind_text(q, 7, d->answer);
    bind_text(q, 8, c->actor->name);
    bind_int(q, 9, c->now_us);
    enum err e = query_run(c, q);
    if (e)
        return e;
    q = query(c, direct_text[DIRECT_GET]);
    bind_int(q, 1, db_last_id(c));
    if ((e = query_one(c, q)))
        return e;
    read_row(c, q, out);
    query_done(q);
    return OK;
}

enum err direct_contact_add(struct ctx *c, struct direct_contact_of of,
                            const struct values *v, struct direct_contact *out)
{
    const struct direct_contact d = {
        .tenant = values_text(v, "tenant"),
        .person = values_text(v, "person"),
        .means = (enum contact_means)values_int(v, "means", 0),
        .at = values_int(v, "at", 0),
        .answer = values_text(v, "answer"),
    };
    enum err e = check_object(c, of);

    if (e || (e = check(c, &d)) || (e = add(c, of, &d, out)))
        return e;
    return operation_log(
        c, &(struct operation){.action = "contact",
                               .kind = of.notice_id ? "notice" : "incident",
                               .object_id =
                                   of.notice_id ? of.notice_id : of.incident_id,
                               .object_name = d.person,
                               .after = as_json(c, out)});
}
