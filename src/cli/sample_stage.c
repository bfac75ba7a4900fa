/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sample_stage.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/form.h"
#include "core/tenant/link_base.h"

const char sample_tenant[] = "kaku";

#define US_PER_MINUTE INT64_C(60000000)
#define US_PER_DAY    (1440 * US_PER_MINUTE)
#define JAPAN_US      (540 * US_PER_MINUTE)

int64_t sample_moment(const struct sample_stage *s, struct sample_when when)
{
    int64_t local = s->now_us + JAPAN_US;

    return local - local % US_PER_DAY - JAPAN_US - when.days_ago * US_PER_DAY +
           when.minute * US_PER_MINUTE;
}

static void set_scene(struct sample_stage *s, struct sample_when when)
{
    s->c->actor = &s->actor;
    s->c->now_us = when.days_ago ? sample_moment(s, when) : s->now_us;
    s->c->fail = NULL;
}

void sample_as_operator(struct sample_stage *s, struct sample_when when)
{
    s->actor = (struct actor){.user_id = s->oper->id,
                              .name = s->oper->name ? s->oper->name : "demo",
                              .ip = "127.0.0.1",
                              .request_id = "demo",
                              .tenant = STORE_OPERATOR,
                              .base_url = LINK_BASE,
                              .lang = LANG_JA,
                              .is_admin = true};
    set_scene(s, when);
}

void sample_as_person(struct sample_stage *s, struct sample_when when,
                      const struct sample_account *who)
{
    s->actor = (struct actor){.user_id = who ? who->id : 0,
                              .name = who ? who->name : "demo",
                              .ip = "127.0.0.1",
                              .request_id = "demo",
                              .tenant = sample_tenant,
                              .base_url = LINK_BASE,
                              .lang = LANG_JA,
                              .is_admin = who && who->is_admin};
    set_scene(s, when);
}

enum err sample_fill(struct sample_stage *s, const struct form *form,
                     const struct buf *json, const struct values **out)
{
    return values_parse_json(s->c, form, json->data, json->len, out);
}
