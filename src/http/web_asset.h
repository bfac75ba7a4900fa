/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_WEB_ASSET_H
#define HTTP_WEB_ASSET_H

#include "http/server.h"

/* Fills the reply with a file built into the binary ("/index.html"); false,
 * and the reply untouched, when there is none.  Names that carry a hash
 * (below /assets/) may be cached for ever, others are asked for each time. */
bool web_asset_reply(struct request *r, const char *path, struct reply *out);

#endif
