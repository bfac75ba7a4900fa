/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_SUPPORT_REPLY_H
#define API_SUPPORT_REPLY_H

#include "api/api.h"
#include "core/support.h"

extern const struct form support_reply_form;
extern const struct form support_page_form; /* limit after */

void support_put(struct call *k, const struct support *s);
/* {items: […], next} */
void support_put_list(struct call *k, const struct support *list, size_t count,
                      bool more);
/* What everybody of the tenant sees of the grants that are open. */
MUST_USE enum err support_put_open(struct call *k, const char *name);

#endif
