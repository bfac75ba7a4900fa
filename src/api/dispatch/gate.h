/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_DISPATCH_GATE_H
#define API_DISPATCH_GATE_H

#include "api/dispatch/visitor.h"

/* Everything that is asked before a handler runs, in the order it is asked. */

/* A change by a browser comes from our own page: the header X-Req, Origin and
 * Sec-Fetch-Site.  ERR_DENIED "csrf". */
MUST_USE enum err gate_origin(const struct call *k);
/* Whether the visitor may use the route, on the object its path names.  Within
 * a transaction; of a change it is asked twice: before its body is read, and
 * again inside its own transaction, where nobody can take the right away
 * meanwhile. */
MUST_USE enum err gate_rights(struct call *k, const struct visitor *v);
/* Of a supporter: the operator is still one, and what is read is noted before
 * it leaves.  Opens transactions of its own. */
MUST_USE enum err gate_supporter(struct call *k, const struct visitor *v);
/* Query and If-Match of what reads: fills k->query and k->if_match. */
MUST_USE enum err gate_reading(struct call *k);
/* The same for a change, and its body: type, size, form, key of repetition,
 * room on the disk.  Fills k->body and k->once.  Reads the whole body. */
MUST_USE enum err gate_change(struct call *k);
/* Whether it makes the tenant's file grow: not what one signs in, deletes or
 * exports with, which goes on when the disk is full. */
bool gate_is_adding(const struct call *k);

#endif
