/* SPDX-License-Identifier: Apache-2.0 */
#include "core/notice/notice_period.h"

#include "base/json.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/notice/incident.h"
#include "db/query.h"

enum { PERIOD_GET, PERIOD_ADD, PERIOD_UPDATE };
static const char *const period_text[] = {
    [PERIOD_GET] = "SELECT change_hours, maintenance_hours, version"
                   " FROM notice_setting WHERE id = 1",
    [PERIOD_ADD] =
        "INSERT INTO notice_setting (id, contact_ja, contact_en, warn_hours,"
        " change_hours, maintenance_hours) VALUES (1, '', '', ?3, ?1, ?2)",
    [PERIOD_UPDATE] =
        "UPDATE notice_setting SET change_hours = ?1, maintenance_hours = ?2,"
        " version = version + 1 WHERE id = 1",
};
const struct query_set notice_period_queries = {"notice_period", period_text,
                                                COUNT(period_text)};

static const struct field period_fields[] = {
    {INT("change_hours", 1, 2160, REQUIRED, "変更の予告期間（時間）",
         "Notice period of changes (hours)")},
    {INT("maintenance_hours", 1, 2160, REQUIRED,
         "メンテナンスの予告期間（時間）",
         "Notice period of maintenance (hours)")},
};
const struct form notice_period_form = {"NoticePeriodSet", period_fields,
                                        COUNT(period_fields)};

enum err notice_period_get(struct ctx *c, struct notice_period *out)
{
    struct query *q = query(c, period_text[PERIOD_GET]);
    enum err e = query_one(c, q);

    *out = (struct notice_period){NOTICE_PERIOD_HOURS, NOTICE_PERIOD_HOURS, 0};
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    *out = (struct notice_period){(int)col_int(q, 0), (int)col_int(q, 1),
                                  col_int(q, 2)};
    query_done(q);
    return OK;
}

static const char *as_json(struct ctx *c, const struct notice_period *p)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_int(&o, "change_hours", p->change_hours);
    json_int(&o, "maintenance_hours", p->maintenance_hours);
    json_close(&o, '}');
    return b.data;
}

enum err notice_period_set(struct ctx *c, int64_t version,
                           const struct values *v, struct notice_period *out)
{
    struct incident_setting incidents;
    struct notice_period before;
    enum err e = notice_period_get(c, &before);

    if (e || (e = incident_setting_get(c, &incidents)))
        return e;
    if (before.version != version)
        return ctx_stale(c);
    *out = (struct notice_period){
        (int)values_int(v, "change_hours", before.change_hours),
        (int)values_int(v, "maintenance_hours", before.maintenance_hours),
        version + 1};
    struct query *q =
        query(c, period_text[version ? PERIOD_UPDATE : PERIOD_ADD]);
    bind_int(q, 1, out->change_hours);
    bind_int(q, 2, out->maintenance_hours);
    if (!version)
        bind_int(q, 3, incidents.warn_hours);
    if ((e = query_run(c, q)))
        return e;
    return operation_log(c, &(struct operation){.action = "update",
                                                .kind = "notice_setting",
                                                .object_name = "",
                                                .before = as_json(c, &before),
                                                .after = as_json(c, out)});
}
