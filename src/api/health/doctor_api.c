/* SPDX-License-Identifier: Apache-2.0 */
/* What doctor found, for the operators. */
#include "api/dispatch/routes.h"
#include "core/health/doctor.h"
#include "core/scheduler.h"

static const struct field finding_fields[] = {
    {OUT_TEXT("name", REQUIRED)},
    {OUT_CHOICE("state", doctor_state_words, REQUIRED)},
    {OUT_TEXT("ja", REQUIRED)},
    {OUT_TEXT("en", REQUIRED)},
    {OUT_TEXT("at", REQUIRED)},
};
static const struct form finding_form = {"DoctorFinding", finding_fields,
                                         COUNT(finding_fields)};

static void put_moment(struct json_out *o, const char *name, int64_t at)
{
    if (at)
        json_moment(o, name, at);
    else
        json_text(o, name, NULL);
}

static enum err get_doctor(struct call *k)
{
    struct doctor_view v;
    struct json_out *o = &k->out;
    enum err e = doctor_read(k->c, k->app, &v);

    if (e)
        return e;
    json_open(o, NULL, '{');
    put_moment(o, "ran_at", v.ran_at);
    json_bool(o, "is_asked", v.asked_at > v.ran_at);
    json_text(o, "key_mark", v.key_mark);
    put_moment(o, "key_copy_at", v.key_copy_at);
    json_text(o, "key_copy_by", v.key_copy_by);
    json_open(o, "items", '[');
    for (size_t i = 0; i < v.count; i++) {
        const struct doctor_finding *f = &v.findings[i];
        json_open(o, NULL, '{');
        json_text(o, "name", f->name);
        json_text(o, "state", doctor_state_words[f->state]);
        json_text(o, "ja", f->ja);
        json_text(o, "en", f->en);
        json_moment(o, "at", f->at);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_close(o, '}');
    return OK;
}

static enum err ask(struct call *k, bool is_confirmed)
{
    enum err e = tx_begin_control(k->c, k->app->store, TX_WRITE);

    if (e)
        return e;
    if (is_confirmed)
        e = doctor_confirm_copy(k->c, k->app);
    if (!e)
        e = doctor_ask(k->c);
    if ((e = tx_end_control(k->c, k->app->store, e)))
        return e;
    scheduler_wake(k->app->scheduler);
    k->reply->status = 202;
    return OK;
}

static enum err post_doctor(struct call *k)
{
    return ask(k, false);
}

static enum err post_key_copy(struct call *k)
{
    return ask(k, true);
}

static const struct route routes[] = {
    {GET("/doctor", get_doctor, RIGHT_AUDITOR, "What doctor found, and when",
         .reply = &finding_form)},
    {POST("/doctor", post_doctor, RIGHT_OPERATOR, "Look again now",
          .flags = ROUTE_NO_TX)},
    {POST("/doctor/key-copy", post_key_copy, RIGHT_OPERATOR,
          "Confirm that a copy of the master key lies elsewhere",
          .flags = ROUTE_NO_TX)},
};
const struct route_set doctor_routes = {routes, COUNT(routes), 0};
