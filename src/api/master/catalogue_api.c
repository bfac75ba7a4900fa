/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/master/catalogue.h"
#include "core/master/classification.h"
#include "core/master/field.h"

static enum err get_catalogue(struct call *k)
{
    return catalogue_write(k->c, &k->out);
}

/* Changes answer with the whole: it is small, and the screens need it. */
static enum err reply(struct call *k, enum err e)
{
    return e ? e : catalogue_write(k->c, &k->out);
}

static enum err patch_classification(struct call *k)
{
    return reply(
        k, classification_update(k->c, call_id(k, 0), k->if_match, k->body));
}

static enum err put_order(struct call *k)
{
    const int64_t *ids;
    size_t count = values_ids(k->body, "ids", &ids);

    return reply(k, classification_order(k->c, ids, count));
}

static enum err put_statuses(struct call *k)
{
    return reply(k, classification_put_statuses(k->c, call_id(k, 0),
                                                k->if_match, k->body));
}

static enum err put_fields(struct call *k)
{
    return reply(k, field_put(k->c, call_id(k, 0), k->if_match, k->body));
}

static enum err put_layout(struct call *k)
{
    return reply(k,
                 field_put_layout(k->c, call_id(k, 0), k->if_match, k->body));
}

static const struct route routes[] = {
    {GET("/catalogue", get_catalogue, RIGHT_SIGNED_IN,
         "Classifications, statuses, roles, priorities, labels, teams",
         .flags = ROUTE_NARROW)},
    {PATCH("/classifications/:id", patch_classification, RIGHT_ADMIN_MASTER,
           "Rename, recolour or hide a classification",
           .form = &classification_form, .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
    {PUT("/classification-order", put_order, RIGHT_ADMIN_MASTER,
         "Order the classifications of each family",
         .form = &classification_order_form, .flags = ROUTE_SUPPORT)},
    {PUT("/classifications/:id/statuses", put_statuses, RIGHT_ADMIN_MASTER,
         "Replace the statuses of a classification",
         .form = &classification_statuses_form,
         .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
    {PUT("/classifications/:id/fields", put_fields, RIGHT_ADMIN_MASTER,
         "Replace the custom fields of a classification",
         .form = &field_set_form, .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
    {PUT("/classifications/:id/layout", put_layout, RIGHT_ADMIN_MASTER,
         "Help texts and hiding of the standard fields",
         .form = &field_layout_form, .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
};
const struct route_set catalogue_routes = {routes, COUNT(routes), SET_TOKENS};
