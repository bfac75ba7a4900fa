/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where the operator's hand touches a tenant's file outside a
 * grant: to found it, and to count. */
#include "core/contract/customer.h"

#include "base/json.h"
#include "base/str.h"
#include "core/account/user.h"
#include "core/contract/customer_make.h"
#include "core/core.h"
#include "core/document/consent.h"
#include "core/log/operation.h"
#include "core/tenant/link_base.h"
#include "db/query.h"

#include <string.h>

enum { CUSTOMER_FIGURES };
static const char *const customer_text[] = {
    [CUSTOMER_FIGURES] =
        "SELECT coalesce(sum(state = 1), 0),"
        " coalesce(sum(state = 1 AND is_admin), 0),"
        " coalesce(sum(state = 0), 0), coalesce(sum(state = 2), 0),"
        " (SELECT count(*) FROM project WHERE deleted_at IS NULL),"
        " (SELECT count(*) FROM ticket), coalesce(max(signed_in_at), 0)"
        " FROM user",
};
const struct query_set customer_queries = {"customer", customer_text,
                                           COUNT(customer_text)};

static const struct field customer_fields[] = {
    {TEXT("id", 1, 32, REQUIRED, "テナントID", "Tenant id")},
    {TEXT("name", 1, 100, REQUIRED, "名称", "Name")},
    {TEXT("host", 1, 253, NULLABLE, "ホスト名", "Host name")},
    {TEXT("admin_email", 3, 254, REQUIRED, "最初の管理者のメールアドレス",
          "First administrator's e-mail")},
    {TEXT("admin_name", 1, 100, REQUIRED, "最初の管理者の氏名",
          "First administrator's name")},
    {CHOICE("lang", lang_words, OPTIONAL, "言語", "Language")},
};
const struct form customer_form = {"TenantCreate", customer_fields,
                                   COUNT(customer_fields)};

static enum err log_founding(struct ctx *c, const struct app *app,
                             const struct tenant_directory_create *what)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    if (e)
        return e;
    json_open(&o, NULL, '{');
    json_text(&o, "name", what->name);
    json_text(&o, "host", what->host);
    json_text(&o, "admin_email", what->admin_email);
    json_close(&o, '}');
    e = operation_log(c, &(struct operation){.action = "create",
                                             .kind = "tenant",
                                             .object_name = what->id,
                                             .after = b.data});
    return tx_end_control(c, app->store, e);
}

enum err customer_create(struct ctx *c, struct app *app, const struct values *v,
                         struct tenant_directory_row *out)
{
    struct tenant_directory_create what = {
        .id = values_text(v, "id"),
        .name = values_text(v, "name"),
        .host = values_text(v, "host"),
        .admin_email = values_text(v, "admin_email"),
        .admin_name = values_text(v, "admin_name"),
        .lang = (enum lang)values_int(v, "lang", LANG_JA),
    };
    struct actor founder = *c->actor;
    struct ctx there = *c;
    enum err e;

    founder.user_id = 0; /* nobody of the tenant's */
    founder.name = arena_printf(c->mem, "operator: %s", c->actor->name);
    founder.tenant = what.id;
    founder.base_url = LINK_BASE;
    there.actor = &founder;
    if ((e = customer_make(&there, app, &what))) {
        c->fail = there.fail;
        return e;
    }
    tenant_directory_find_sole(app, c->mem);
    if ((e = log_founding(c, app, &what)))
        return e;
    return tenant_directory_get(c, app->store, what.id, out);
}

/* In the name of nobody of the tenant's. */
static enum err count(struct ctx *c, struct customer_figures *out)
{
    struct query *q = query(c, customer_text[CUSTOMER_FIGURES]);
    enum err e = query_one(c, q);

    if (e)
        return e;
    *out = (struct customer_figures){
        .users = col_int(q, 0),
        .admins = col_int(q, 1),
        .invited = col_int(q, 2),
        .suspended = col_int(q, 3),
        .projects = col_int(q, 4),
        .tickets = col_int(q, 5),
        .signed_in_at = col_int(q, 6),
    };
    query_done(q);
    return consent_find_whole(c, &out->terms_no, &out->terms_at);
}

enum err customer_get(struct ctx *c, const struct app *app, const char *id,
                      struct tenant_directory_row *out,
                      struct customer_figures *figures)
{
    struct actor there = {.name = "", .ip = "", .tenant = id};
    struct ctx inside = {.mem = c->mem, .actor = &there, .now_us = c->now_us};
    struct tenant *t;
    enum err e = tenant_directory_get(c, app->store, id, out);

    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "", "tenant", "テナントが見つかりません",
                        "No such tenant");
    *figures = (struct customer_figures){0};
    if (e || out->state != TENANT_DIRECTORY_OPEN)
        return e;
    if ((e = tenant_open(app->store, id, &t)))
        return tenant_directory_explain_open(c, e);
    if (!(e = tx_begin(&inside, t, TX_READ)))
        e = tx_end(&inside, t, count(&inside, figures));
    figures->size_bytes = tenant_size(t);
    figures->used_bytes = tenant_used_bytes(t);
    tenant_close(t);
    return e;
}
