/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_ACCOUNT_SUPPORT_ACCESS_REPLY_H
#define API_ACCOUNT_SUPPORT_ACCESS_REPLY_H

#include "api/dispatch/call.h"
#include "core/account/support_access.h"

extern const struct form support_access_reply_form;
extern const struct form support_access_page_form; /* limit after */

void support_access_put(struct call *k, const struct support_access *s);
/* {items: […], next} */
void support_access_put_list(struct call *k, const struct support_access *list,
                             size_t count, bool more);
/* What everybody of the tenant sees of the grants that are open. */
MUST_USE enum err support_access_put_open(struct call *k, const char *name);

#endif
