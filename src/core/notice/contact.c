/* SPDX-License-Identifier: Apache-2.0 */
#include "core/notice/contact.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/trust_evidence.h"
#include "db/query.h"

#include <string.h>

enum {
    CONTACT_LIST,
    CONTACT_GET,
    CONTACT_COUNT,
    CONTACT_ADD,
    CONTACT_UPDATE,
    CONTACT_DELETE,
};
static const char *const contact_text[] = {
    [CONTACT_LIST] = "SELECT id, name, role, email, phone, version FROM contact"
                     " ORDER BY id LIMIT 100",
    [CONTACT_GET] = "SELECT id, name, role, email, phone, version FROM contact"
                    " WHERE id = ?1",
    [CONTACT_COUNT] = "SELECT count(*) FROM contact",
    [CONTACT_ADD] = "INSERT INTO contact (name, role, email, phone)"
                    " VALUES (?1, ?2, ?3, ?4)",
    [CONTACT_UPDATE] = "UPDATE contact SET name = ?1, role = ?2, email = ?3,"
                       " phone = ?4, version = version + 1"
                       " WHERE id = ?5 AND version = ?6",
    [CONTACT_DELETE] = "DELETE FROM contact WHERE id = ?1 AND version = ?2",
};
const struct query_set contact_queries = {"contact", contact_text,
                                          COUNT(contact_text)};

enum { COPY_CLEAR, COPY_ADD, COPY_LIST };
static const char *const copy_text[] = {
    [COPY_CLEAR] = "DELETE FROM customer_contact WHERE customer_id = ?1",
    [COPY_ADD] = "INSERT INTO customer_contact (customer_id, id, name, role,"
                 " email, phone) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [COPY_LIST] = "SELECT id, name, role, email, phone, 0 FROM customer_contact"
                  " WHERE customer_id = ?1 ORDER BY id",
};
const struct query_set contact_copy_queries = {"contact_copy", copy_text,
                                               COUNT(copy_text)};

#define CONTACT_FIELDS(flags)                                                  \
    {                                                                          \
        {TEXT("name", 1, 100, flags, "氏名", "Name")},                         \
            {TEXT("role", 0, 100, OPTIONAL, "部署・役割", "Department")},      \
            {TEXT("email", 3, 254, flags, "メール", "Mail")},                  \
            {TEXT("phone", 3, 40, flags, "電話", "Telephone")},                \
    }
static const struct field contact_fields[] = CONTACT_FIELDS(REQUIRED);
const struct form contact_form = {"ContactCreate", contact_fields,
                                  COUNT(contact_fields)};
static const struct field contact_edit_fields[] = CONTACT_FIELDS(0);
const struct form contact_edit_form = {"ContactEdit", contact_edit_fields,
                                       COUNT(contact_edit_fields)};

static void read_row(struct ctx *c, struct query *q, struct contact *out)
{
    *out = (struct contact){
        .id = col_int(q, 0),
        .name = col_text(c, q, 1),
        .role = col_text(c, q, 2),
        .email = col_text(c, q, 3),
        .phone = col_text(c, q, 4),
        .version = col_int(q, 5),
    };
}

static enum err read_all(struct ctx *c, struct query *q,
                         const struct contact **out, size_t *count)
{
    struct buf rows = buf_in(c->mem);
    enum err e;

    while (query_next(c, q, &e)) {
        struct contact row;
        read_row(c, q, &row);
        buf_put(&rows, &row, sizeof row);
    }
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    return e;
}

enum err contact_list(struct ctx *c, const struct contact **out, size_t *count)
{
    return read_all(c, query(c, contact_text[CONTACT_LIST]), out, count);
}

static enum err get(struct ctx *c, int64_t id, struct contact *out)
{
    struct query *q = query(c, contact_text[CONTACT_GET]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "", "not_found", "連絡担当者が見つかりません",
                        "No such contact");
    if (e)
        return e;
    read_row(c, q, out);
    query_done(q);
    return OK;
}

/* ---- changes ---- */

static const char *as_json(struct ctx *c, const struct contact *p)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "name", p->name);
    json_text(&o, "role", p->role);
    json_text(&o, "email", p->email);
    json_text(&o, "phone", p->phone);
    json_close(&o, '}');
    return b.data;
}

/* p: the one it is about, as it is or was. */
static enum err log_it(struct ctx *c, const char *action,
                       const struct contact *p, const struct contact *before,
                       const struct contact *after)
{
    return operation_log(
        c, &(struct operation){.action = action,
                               .kind = "contact",
                               .object_id = p->id,
                               .object_name = p->name,
                               .before = before ? as_json(c, before) : NULL,
                               .after = after ? as_json(c, after) : NULL});
}

static void take(const struct values *v, const char *name, const char **out)
{
    const char *text = values_text(v, name);

    if (values_has(v, name))
        *out = text ? text : "";
}

/* A plausible address; a number as people write it. */
static enum err check(struct ctx *c, const struct contact *p)
{
    const char *at = strchr(p->email, '@');

    if (!at || at == p->email || !at[1] || strchr(at + 1, '@') ||
        strpbrk(p->email, " ,;<>"))
        return ctx_fail(c, ERR_INVALID, "email", "email",
                        "メールアドレスの形ではありません",
                        "This is not a mail address");
    if (strspn(p->phone, "0123456789+-() #") != strlen(p->phone) ||
        !strpbrk(p->phone, "0123456789"))
        return ctx_fail(c, ERR_INVALID, "phone", "phone",
                        "電話番号には数字と + - ( ) # だけを使えます",
                        "A telephone number holds digits and + - ( ) # only");
    return OK;
}

static void read_form(const struct values *v, struct contact *p)
{
    take(v, "name", &p->name);
    take(v, "role", &p->role);
    take(v, "email", &p->email);
    take(v, "phone", &p->phone);
}

static void bind_fields(struct query *q, const struct contact *p)
{
    bind_text(q, 1, p->name);
    bind_text(q, 2, p->role);
    bind_text(q, 3, p->email);
    bind_text(q, 4, p->phone);
}

static enum err count_all(struct ctx *c, int64_t *out)
{
    struct query *q = query(c, contact_text[CONTACT_COUNT]);
    enum err e = query_one(c, q);

    if (e)
        return e;
    *out = col_int(q, 0);
    query_done(q);
    return OK;
}

enum err contact_create(struct ctx *c, const struct values *v,
                        struct contact *out)
{
    struct contact p = {.name = "", .role = "", .email = "", .phone = ""};
    int64_t count;
    enum err e = count_all(c, &count);

    if (e)
        return e;
    if (count >= CONTACTS_MAX)
        return ctx_fail(c, ERR_CONFLICT, "", "too_many",
                        "連絡担当者は%d人までです",
                        "There can be at most %d contacts", CONTACTS_MAX);
    read_form(v, &p);
    if ((e = check(c, &p)))
        return e;
    struct query *q = query(c, contact_text[CONTACT_ADD]);
    bind_fields(q, &p);
    if ((e = query_run(c, q)) || (e = get(c, db_last_id(c), out)))
        return e;
    return log_it(c, "create", out, NULL, out);
}

enum err contact_update(struct ctx *c, int64_t id, int64_t version,
                        const struct values *v, struct contact *out)
{
    struct contact before;
    enum err e = get(c, id, &before);

    if (e)
        return e;
    struct contact p = before;
    read_form(v, &p);
    if ((e = check(c, &p)))
        return e;
    struct query *q = query(c, contact_text[CONTACT_UPDATE]);
    bind_fields(q, &p);
    bind_int(q, 5, id);
    bind_int(q, 6, version);
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    e = get(c, id, out);
    return e ? e : log_it(c, "update", out, &before, out);
}

enum err contact_delete(struct ctx *c, int64_t id, int64_t version)
{
    struct contact before;
    enum err e = get(c, id, &before);

    if (e)
        return e;
    struct query *q = query(c, contact_text[CONTACT_DELETE]);
    bind_int(q, 1, id);
    bind_int(q, 2, version);
    if ((e = query_run(c, q)))
        return e;
    return db_changes(c) ? log_it(c, "delete", &before, &before, NULL)
                         : ctx_stale(c);
}

/* ---- the operator's copy ---- */

static enum err write_copy(struct ctx *c, const char *tenant,
                           const struct contact *list, size_t count)
{
    struct query *q = query(c, copy_text[COPY_CLEAR]);

    bind_text(q, 1, tenant);
    enum err e = query_run(c, q);
    for (size_t i = 0; i < count && !e; i++) {
        q = query(c, copy_text[COPY_ADD]);
        bind_text(q, 1, tenant);
        bind_int(q, 2, list[i].id);
        bind_text(q, 3, list[i].name);
        bind_text(q, 4, list[i].role);
        bind_text(q, 5, list[i].email);
        bind_text(q, 6, list[i].phone);
        e = query_run(c, q);
    }
    return e;
}

enum err contact_copy(struct ctx *c, const struct app *app, const char *tenant)
{
    const struct contact *list = NULL;
    size_t count = 0;
    struct tenant *t;
    enum err e = tenant_open(app->store, tenant, &t);

    if (e)
        return e;
    if (!(e = tx_begin(c, t, TX_READ)))
        e = tx_end(c, t, contact_list(c, &list, &count));
    tenant_close(t);
    if (e || (e = tx_begin_control(c, app->store, TX_WRITE)))
        return e;
    return tx_end_control(c, app->store, write_copy(c, tenant, list, count));
}

enum err contact_list_copied(struct ctx *c, const char *tenant,
                             const struct contact **out, size_t *count)
{
    struct query *q = query(c, copy_text[COPY_LIST]);

    bind_text(q, 1, tenant);
    return read_all(c, q, out, count);
}

enum err contact_measure(struct ctx *c, struct trust_list *out)
{
    int64_t count;
    enum err e = count_all(c, &count);

    if (e)
        return e;
    for (int no = 17; no <= 32; no += 15)
        trust_show(c, out, no, count > 0, "登録された連絡担当者 %lld 人",
                   "Named contacts: %lld", (long long)count);
    return OK;
}
