/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_DISPATCH_PAGE_H
#define API_DISPATCH_PAGE_H

#include "api/dispatch/call.h"

/* What is not an API call: health, the description of the API, embedded
 * assets, and the one page of the browser UI, which draws every other path. */
bool page_serve_system(struct call *k); /* true: answered */
MUST_USE enum err page_serve(struct call *k);

#endif
