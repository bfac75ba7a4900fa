/* SPDX-License-Identifier: Apache-2.0 */
/* The browser UI comes from a table in the binary: no name in a request ever
 * becomes a name in the file system.  Files are packed at build time and sent
 * as they are; who does not take gzip gets them unpacked by reply.c. */
#include "http/web_asset.h"

#include <string.h>

#include "base/asset.h"

bool web_asset_reply(struct request *r, const char *path, struct reply *out)
{
    const struct asset *a = asset_find(path);
    if (!a)
        return false;
    bool is_hashed = strncmp(path, "/assets/", 8) == 0;
    out->status = 200;
    out->type = a->mime;
    out->etag = arena_printf(r->mem, "\"%s\"", a->etag);
    out->cache = is_hashed ? "public, max-age=31536000, immutable" : "no-cache";
    out->body = buf_in(r->mem);
    out->is_gzip = true;
    /* Constant data: only read from here on, cap 0 keeps buf_put() off. */
    out->body.data = (char *)(uintptr_t)a->gzip;
    out->body.len = a->gzip_size;
    return true;
}
