/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_DISPATCH_ROUTE_MATCH_H
#define API_DISPATCH_ROUTE_MATCH_H

#include "api/dispatch/call.h"

/* The route tables, searched by method and path. */

/* The route of a request at k->place, NULL: there is none; a HEAD is answered
 * by the route of the GET.  Fills k->set and k->params.  path: "/api/v1/…".
 * allowed: a bit for each method that the path has. */
const struct route *route_find(struct call *k, const char *path,
                               unsigned *allowed);
/* Whether it changes nothing: all GETs, and what is flagged so. */
bool route_is_reading(const struct route *r);
/* Adds the header Location to a reply of 201: where what was made can be read,
 * by the id its body begins with; nothing when no route reads it. */
void route_tell_location(struct call *k);
/* ERR_INVALID "method", with the header Allow. */
MUST_USE enum err route_fail_method(struct call *k, unsigned allowed);

#endif
