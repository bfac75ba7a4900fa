/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_DISPATCH_DOWNLOAD_H
#define API_DISPATCH_DOWNLOAD_H

#include "api/dispatch/call.h"

/* The bytes are in k->reply->body: whatever they are, they are only ever a
 * download.  name is data, RFC 6266. */
void download_head(struct call *k, const char *name);
/* A picture whose bytes have been looked at: may be shown, in a sandbox. */
void download_head_picture(struct call *k, const char *name, const char *type);

#endif
