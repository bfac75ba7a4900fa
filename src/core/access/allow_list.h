/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ACCESS_ALLOW_LIST_H
#define CORE_ACCESS_ALLOW_LIST_H

#include "base/form.h"
#include "base/ip_address.h"

/* The source addresses a tenant's requests may come from; an empty list lets
 * everybody in.  What each request asks is one row with all ranges packed, so
 * a change holds from the moment it commits. */
enum { ALLOW_LIST_MAX = 100, ALLOW_TEXT_BYTES = IP_ADDRESS_TEXT_BYTES + 4 };

struct allow_range {
    int64_t id, created_at;
    struct ip_address_range range;
    const char *note;
};

extern const struct form allow_list_form; /* {cidr, note} */
extern const struct form allow_list_reply_form;

/* For the dispatcher, before anything else is looked at: ERR_DENIED "address"
 * unless the actor's address is on the list. */
MUST_USE enum err allow_list_check(struct ctx *c);
/* "192.0.2.0/24"; IPv4 as such. */
void allow_list_format(const struct ip_address_range *range,
                       char out[ALLOW_TEXT_BYTES]);

MUST_USE enum err allow_list_get(struct ctx *c, const struct allow_range **out,
                                 size_t *count);
/* A list that would shut out the actor is refused: "locks_out". */
MUST_USE enum err allow_list_add(struct ctx *c, const struct values *v,
                                 struct allow_range *out);
MUST_USE enum err allow_list_remove(struct ctx *c, int64_t id);
/* The operator's way out of a wrong list; *removed: how many it had. */
MUST_USE enum err allow_list_clear(struct ctx *c, size_t *removed);

#endif
