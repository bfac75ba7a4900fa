/* SPDX-License-Identifier: Apache-2.0 */
#include "api/routes.h"
#include "core/catalogue.h"

static enum err get_catalogue(struct call *k)
{
    return catalogue_write(k->c, &k->out);
}

static const struct route routes[] = {
    {METHOD_GET, "/api/v1/catalogue", get_catalogue, RIGHT_SIGNED_IN, NULL,
     NULL, NULL, 0, "Classifications, statuses, roles, priorities"},
};
const struct route_set catalogue_routes = {routes, COUNT(routes)};
