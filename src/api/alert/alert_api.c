/* SPDX-License-Identifier: Apache-2.0 */
/* What of the logs is told of by mail, and filters kept for looking. */
#include "api/dispatch/routes.h"
#include "base/log.h"
#include "core/alert/alert.h"
#include "core/log/log_filter.h"

static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("name", REQUIRED)},
    {OUT_CHOICE("source", alert_source_words, REQUIRED)},
    {OUT_TEXT("kind", NULLABLE)},
    {OUT_TEXT("action", NULLABLE)},
    {OUT_INT("threshold", REQUIRED)},
    {OUT_BOOL("is_on", REQUIRED)},
    {OUT_TEXT("told_at", NULLABLE)},
    {OUT_INT("version", REQUIRED)},
};
static const struct form reply_form = {"Alert", reply_fields,
                                       COUNT(reply_fields)};
static const struct field filter_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("name", REQUIRED)},
    {OUT_TEXT("query", REQUIRED)},
};
static const struct form filter_form = {"LogFilter", filter_fields,
                                        COUNT(filter_fields)};

static void put_person(struct call *k, const char *name, int64_t id,
                       const char *text)
{
    json_open(&k->out, name, '{');
    json_id(&k->out, "id", id);
    json_text(&k->out, "name", text);
    json_close(&k->out, '}');
}

static void put_rule(struct call *k, const struct alert_rule *r)
{
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "id", r->id);
    json_text(&k->out, "name", r->name);
    json_text(&k->out, "source", alert_source_words[r->source]);
    json_text(&k->out, "kind", r->kind);
    json_text(&k->out, "action", r->action);
    if (r->user_id)
        put_person(k, "user", r->user_id, r->user_name);
    else
        json_null(&k->out, "user");
    json_int(&k->out, "threshold", r->threshold);
    json_bool(&k->out, "is_on", r->is_on);
    json_moment(&k->out, "told_at", r->mailed_at);
    json_open(&k->out, "readers", '[');
    for (size_t i = 0; i < r->reader_count; i++)
        put_person(k, NULL, r->readers[i].id, r->readers[i].name);
    json_close(&k->out, ']');
    json_int(&k->out, "version", r->version);
    json_close(&k->out, '}');
}

static enum err list_rules(struct call *k)
{
    const struct alert_rule *list;
    size_t count;
    enum err e = alert_list(k->c, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_rule(k, &list[i]);
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

typedef enum err step_fn(struct call *k, int64_t last_entry,
                         struct alert_rule *out);

/* control.db learns afterwards whether this tenant is looked at; if it does
 * not, the daily round sees to it. */
static enum err run_step(struct call *k, step_fn *step, struct alert_rule *out)
{
    int64_t last = 0;
    bool on = false;
    enum err e = alert_last_entry(k->c, k->app, k->tenant, &last);

    if (e || (e = tx_begin(k->c, k->tenant, TX_WRITE)))
        return e;
    if (!(e = access_check(k->c, k->route->right, 0)))
        e = step(k, last, out);
    if (!e)
        e = alert_has_rules(k->c, &on);
    if ((e = tx_end(k->c, k->tenant, e)))
        return e;
    if (alert_watch(k->c, k->app, k->c->actor->tenant, on))
        log_error("alerts not watched tenant=%s", k->c->actor->tenant);
    k->c->fail = NULL;
    return OK;
}

static enum err reply(struct call *k, step_fn *step)
{
    struct alert_rule r = {.id = 0};
    enum err e = run_step(k, step, &r);

    if (e)
        return e;
    call_etag(k, r.version);
    put_rule(k, &r);
    return OK;
}

static enum err create(struct call *k, int64_t last_entry,
                       struct alert_rule *out)
{
    return alert_create(k->c, k->body, last_entry, out);
}

static enum err post_rule(struct call *k)
{
    return reply(k, create);
}

static enum err update(struct call *k, int64_t last_entry,
                       struct alert_rule *out)
{
    return alert_update(k->c, call_id(k, 0), k->if_match, k->body, last_entry,
                        out);
}

static enum err patch_rule(struct call *k)
{
    return reply(k, update);
}

static enum err drop(struct call *k, int64_t last_entry, struct alert_rule *out)
{
    (void)last_entry;
    (void)out;
    return alert_delete(k->c, call_id(k, 0), k->if_match);
}

static enum err delete_rule(struct call *k)
{
    struct alert_rule none;

    return run_step(k, drop, &none);
}

/* ---- saved filters ---- */

static void put_filter(struct call *k, const struct log_filter *f)
{
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "id", f->id);
    json_text(&k->out, "name", f->name);
    json_text(&k->out, "query", f->query);
    json_close(&k->out, '}');
}

static enum err list_filters(struct call *k)
{
    const struct log_filter *list;
    size_t count;
    enum err e = log_filter_list(k->c, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_filter(k, &list[i]);
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err post_filter(struct call *k)
{
    struct log_filter f;
    enum err e = log_filter_save(k->c, k->body, &f);

    if (!e)
        put_filter(k, &f);
    return e;
}

static enum err delete_filter(struct call *k)
{
    return log_filter_delete(k->c, call_id(k, 0));
}

static const struct route routes[] = {
    {GET("/alerts", list_rules, RIGHT_ADMIN_LOG,
         "Rules by which people are told of the logs", .reply = &reply_form,
         .flags = ROUTE_LIST)},
    {POST("/alerts", post_rule, RIGHT_ADMIN_LOG, "Make a rule",
          .form = &alert_form, .reply = &reply_form,
          .flags = ROUTE_NO_TX | ROUTE_CREATED)},
    {PATCH("/alerts/:id", patch_rule, RIGHT_ADMIN_LOG, "Change a rule",
           .form = &alert_edit_form, .reply = &reply_form,
           .flags = ROUTE_NO_TX | ROUTE_MATCH)},
    {DELETE("/alerts/:id", delete_rule, RIGHT_ADMIN_LOG, "Drop a rule",
            .flags = ROUTE_NO_TX | ROUTE_MATCH)},
    {GET("/log-filters", list_filters, RIGHT_ADMIN_LOG,
         "One's saved filters of the operation log", .reply = &filter_form,
         .flags = ROUTE_LIST)},
    {POST("/log-filters", post_filter, RIGHT_ADMIN_LOG,
          "Save a filter; the same name again replaces it",
          .form = &log_filter_form, .reply = &filter_form,
          .flags = ROUTE_CREATED)},
    {DELETE("/log-filters/:id", delete_filter, RIGHT_ADMIN_LOG,
            "Drop a saved filter")},
};
const struct route_set alert_routes = {routes, COUNT(routes), SET_TOKENS};
