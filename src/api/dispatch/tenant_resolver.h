/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_DISPATCH_TENANT_RESOLVER_H
#define API_DISPATCH_TENANT_RESOLVER_H

#include "api/dispatch/call.h"

/* Which tenant a request is for: by its own host name, by its own listener, or
 * at base_url by path (/t/ID/…) or as the only one there is.  Every other host
 * is answered 421: no link in a mail is ever built from what a request says.
 * The operator's console is under /operator/ of its own host name
 * (operator_host) or listener (operator_listen); with neither, of base_url.
 * Elsewhere that path is not found. */
struct tenant_place {
    const char *tenant; /* NULL: none, only the entrance page */
    const char *prefix; /* "/t/acme" or "" */
    const char *path;   /* what follows the prefix, "/" at least */
    bool is_root;       /* the only tenant, without its path */
    const char *cookie; /* name of the session cookie */
    const char *device_cookie;
    const char *cookie_path;
    bool is_operator; /* tenant is STORE_OPERATOR, the console's place */
};

/* Tried on two tenants at once, by host name and by path, with and without
 * TLS: their cookies have names of their own, and what has a path is bound to
 * it, the rest to its host. */
bool tenant_resolver_parts_cookies(void);

MUST_USE enum err tenant_resolver_find(struct ctx *c, const struct app *app,
                                       const struct request *r,
                                       struct tenant_place *out);

#endif
