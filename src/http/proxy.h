/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H

#include "base/err.h"
#include "base/ip_address.h"

/* The reverse proxies whose X-Forwarded-For is believed.  Empty by default:
 * then that line is never looked at. */
struct proxy_list {
    struct ip_address_range *ranges;
    size_t count;
};

/* texts: CIDR, NULL-terminated, or NULL.  ERR_INVALID for a bad one, which is
 * logged. */
MUST_USE enum err proxy_init(struct proxy_list *list, const char *const *texts);
void proxy_free(struct proxy_list *list);
bool proxy_is_trusted(const struct proxy_list *list,
                      const struct ip_address *a);

/* The client of a chain "a, b, c" of X-Forwarded-For, as a trusted proxy
 * handed it in: from the right, the first that is no trusted proxy; what
 * cannot be read ends the walk.  Starts from *client, the peer. */
void proxy_find_client(const struct proxy_list *list, const char *chain,
                       struct ip_address *client);

#endif
