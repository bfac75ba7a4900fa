/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tenant/tenant_settings.h"

#include "base/json.h"
#include "core/core.h"
#include "core/log/operation.h"

enum { TENANT_SETTINGS_GET, TENANT_SETTINGS_UPDATE };
static const char *const tenant_settings_text[] = {
    [TENANT_SETTINGS_GET] = "SELECT name, lang, first_weekday, fiscal_month,"
                            " calendar_id, version FROM tenant WHERE id = 1",
    [TENANT_SETTINGS_UPDATE] =
        "UPDATE tenant SET name = ?2, lang = ?3, first_weekday = ?4,"
        " fiscal_month = ?5, version = version + 1"
        " WHERE id = 1 AND version = ?1",
};
const struct query_set tenant_settings_queries = {
    "tenancy", tenant_settings_text, COUNT(tenant_settings_text)};

static const struct field tenant_settings_fields[] = {
    {TEXT("name", 1, 100, OPTIONAL, "テナント名", "Name")},
    {CHOICE("lang", lang_words, OPTIONAL, "言語", "Language")},
    {INT("first_weekday", 0, 6, OPTIONAL, "週の始まり",
         "First day of the week")},
    {INT("fiscal_month", 1, 12, OPTIONAL, "年度の始まり",
         "First month of the fiscal year")},
};
const struct form tenant_settings_form = {"TenantEdit", tenant_settings_fields,
                                          COUNT(tenant_settings_fields)};

enum err tenant_settings_get(struct ctx *c, struct tenant_settings *out)
{
    struct query *q = query(c, tenant_settings_text[TENANT_SETTINGS_GET]);
    enum err e = query_one(c, q);

    if (e)
        return e == ERR_NOT_FOUND ? ERR_INTERNAL : e;
    *out = (struct tenant_settings){
        .name = col_text(c, q, 0),
        .lang = col_int(q, 1) ? LANG_EN : LANG_JA,
        .first_weekday = (int)col_int(q, 2),
        .fiscal_month = (int)col_int(q, 3),
        .calendar_id = col_int(q, 4),
        .version = col_int(q, 5),
    };
    query_done(q);
    return OK;
}

static const char *as_json(struct ctx *c, const struct tenant_settings *t)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "name", t->name);
    json_text(&o, "lang", lang_words[t->lang]);
    json_int(&o, "first_weekday", t->first_weekday);
    json_int(&o, "fiscal_month", t->fiscal_month);
    json_close(&o, '}');
    return b.data;
}

enum err tenant_settings_update(struct ctx *c, int64_t version,
                                const struct values *v,
                                struct tenant_settings *out)
{
    struct tenant_settings before;
    enum err e = tenant_settings_get(c, &before);

    if (e)
        return e;
    const char *name = values_text(v, "name");
    struct query *q = query(c, tenant_settings_text[TENANT_SETTINGS_UPDATE]);
    bind_int(q, 1, version);
    bind_text(q, 2, name ? name : before.name);
    bind_int(q, 3, values_int(v, "lang", before.lang));
    bind_int(q, 4, values_int(v, "first_weekday", before.first_weekday));
    bind_int(q, 5, values_int(v, "fiscal_month", before.fiscal_month));
    if ((e = query_run(c, q)))
        return e;
    if (db_changes(c) == 0)
        return ctx_stale(c);
    if ((e = tenant_settings_get(c, out)))
        return e;
    return operation_log(c, &(struct operation){.action = "update",
                                                .kind = "tenant",
                                                .object_id = 1,
                                                .object_name = out->name,
                                                .before = as_json(c, &before),
                                                .after = as_json(c, out)});
}
