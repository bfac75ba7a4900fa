/* SPDX-License-Identifier: Apache-2.0 */
/* A tenant's contract and its end: as the operator keeps it, and as the
 * tenant's own administrators see it. */
#include "api/dispatch/routes.h"
#include "base/civil.h"
#include "core/contract/contract.h"
#include "core/scheduler.h"

static void put_end(struct json_out *o, const struct termination *t)
{
    if (t->end_on == DAY_NONE) {
        json_null(o, "end");
        return;
    }
    json_open(o, "end", '{');
    json_day(o, "end_on", t->end_on);
    json_day(o, "delete_on", t->delete_on);
    json_text(o, "asked_for_by", t->is_customers ? "customer" : "operator");
    json_text(o, "asked_by", t->asked_by);
    json_moment(o, "asked_at", t->asked_at);
    json_text(o, "operator_by", t->operator_by);
    json_moment(o, "operator_at", t->operator_at);
    json_text(o, "customer_by", t->customer_by);
    json_moment(o, "customer_at", t->customer_at);
    json_bool(o, "is_confirmed", termination_is_confirmed(t));
    json_moment(o, "alone_from", t->asked_at + CONTRACT_ALONE_US);
    json_close(o, '}');
}

/* Why it is suspended is for the operators. */
static enum err put_contract(struct call *k, const char *tenant,
                             bool is_console)
{
    struct contract_view v;
    struct json_out *o = &k->out;
    enum err e = contract_get(k->c, k->app, tenant, &v);

    if (e)
        return e;
    if (is_console)
        call_etag(k, v.contract.version);
    json_open(o, NULL, '{');
    json_text(o, "name", v.name);
    json_text(o, "number", v.contract.number);
    json_day(o, "starts_on", v.contract.starts_on);
    json_day(o, "ends_on", v.contract.ends_on);
    json_text(o, "place", v.contract.place);
    json_int(o, "version", v.contract.version);
    if (is_console && v.suspended_at) {
        json_open(o, "suspended", '{');
        json_moment(o, "at", v.suspended_at);
        json_text(o, "by", v.suspended_by);
        json_text(o, "reason", v.suspended_why);
        json_close(o, '}');
    } else if (is_console) {
        json_null(o, "suspended");
    }
    put_end(o, &v.termination);
    json_close(o, '}');
    return OK;
}

/* Whom the change concerns is told without waiting for the next minute. */
static enum err answer(struct call *k, enum err e, bool is_console)
{
    if (e)
        return e;
    if (k->app->scheduler)
        scheduler_wake(k->app->scheduler);
    return put_contract(k, is_console ? k->params[0] : k->c->actor->tenant,
                        is_console);
}

/* ---- the operator's ---- */

static enum err get_of_tenant(struct call *k)
{
    return put_contract(k, k->params[0], true);
}

static enum err patch_contract(struct call *k)
{
    return answer(
        k, contract_set(k->c, k->app, k->params[0], k->if_match, k->body),
        true);
}

static enum err post_suspend(struct call *k)
{
    return answer(k, contract_suspend(k->c, k->app, k->params[0], k->body),
                  true);
}

static enum err post_resume(struct call *k)
{
    return answer(k, contract_resume(k->c, k->app, k->params[0]), true);
}

static enum err post_end(struct call *k)
{
    return answer(
        k, contract_end(k->c, k->app, k->params[0], CONTRACT_OPERATOR, k->body),
        true);
}

static enum err delete_end(struct call *k)
{
    return answer(
        k, contract_withdraw(k->c, k->app, k->params[0], CONTRACT_OPERATOR),
        true);
}

static enum err post_confirm(struct call *k)
{
    return answer(k,
                  contract_confirm(k->c, k->app, k->params[0],
                                   CONTRACT_OPERATOR, k->body),
                  true);
}

/* ---- the customer's ---- */

static enum err get_own(struct call *k)
{
    return put_contract(k, k->c->actor->tenant, false);
}

static enum err post_own_end(struct call *k)
{
    return answer(k,
                  contract_end(k->c, k->app, k->c->actor->tenant,
                               CONTRACT_CUSTOMER, k->body),
                  false);
}

static enum err delete_own_end(struct call *k)
{
    return answer(
        k,
        contract_withdraw(k->c, k->app, k->c->actor->tenant, CONTRACT_CUSTOMER),
        false);
}

static enum err post_own_confirm(struct call *k)
{
    return answer(k,
                  contract_confirm(k->c, k->app, k->c->actor->tenant,
                                   CONTRACT_CUSTOMER, k->body),
                  false);
}

static const struct route routes[] = {
    {GET("/tenants/:id/contract", get_of_tenant, RIGHT_AUDITOR,
         "A tenant's contract, whether it is suspended, and its end",
         .flags = ROUTE_NO_TX)},
    {PATCH("/tenants/:id/contract", patch_contract, RIGHT_OPERATOR,
           "Write the record of the contract", .form = &contract_form,
           .flags = ROUTE_NO_TX | ROUTE_MATCH)},
    {POST("/tenants/:id/suspend", post_suspend, RIGHT_OPERATOR,
          "The tenant answers nothing; its data is kept",
          .form = &suspension_form, .flags = ROUTE_NO_TX)},
    {POST("/tenants/:id/resume", post_resume, RIGHT_OPERATOR,
          "The tenant answers again", .flags = ROUTE_NO_TX)},
    {POST("/tenants/:id/end", post_end, RIGHT_OPERATOR,
          "Set the last day of use and the day of the deletion",
          .form = &termination_form, .flags = ROUTE_NO_TX | ROUTE_FRESH)},
    {DELETE("/tenants/:id/end", delete_end, RIGHT_OPERATOR,
            "Withdraw what the operator set",
            .flags = ROUTE_NO_TX | ROUTE_FRESH)},
    {POST("/tenants/:id/confirm", post_confirm, RIGHT_OPERATOR,
          "Confirm the deletion for the operator", .form = &confirmation_form,
          .flags = ROUTE_NO_TX | ROUTE_FRESH)},
    {GET("/contract", get_own, RIGHT_ADMIN, "One's own contract and its end",
         .flags = ROUTE_NO_TX | ROUTE_CLOSED)},
    {POST("/contract/end", post_own_end, RIGHT_ADMIN,
          "Ask for the end of the contract", .form = &termination_form,
          .flags = ROUTE_NO_TX | ROUTE_FRESH | ROUTE_CLOSED)},
    {DELETE("/contract/end", delete_own_end, RIGHT_ADMIN,
            "Withdraw what the customer asked for",
            .flags = ROUTE_NO_TX | ROUTE_FRESH | ROUTE_CLOSED)},
    {POST("/contract/confirm", post_own_confirm, RIGHT_ADMIN,
          "Confirm the deletion for the customer, or ask for it earlier",
          .form = &confirmation_form,
          .flags = ROUTE_NO_TX | ROUTE_FRESH | ROUTE_CLOSED)},
};
const struct route_set contract_routes = {routes, COUNT(routes), SET_TOKENS};
