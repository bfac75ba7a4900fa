/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/download.h"

#include "base/buf.h"

#include <ctype.h>

/* RFC 6266: the name in UTF-8, for the one header that may hold it. */
static const char *encode_name(struct arena *mem, const char *name)
{
    struct buf b = buf_in(mem);

    buf_puts(&b, "");
    for (; *name; name++) {
        unsigned char ch = (unsigned char)*name;
        if (isalnum(ch) || ch == '.' || ch == '-' || ch == '_')
            buf_putc(&b, *name);
        else
            buf_printf(&b, "%%%02X", ch);
    }
    return b.data;
}

static void put_head(struct call *k, const char *way, const char *name)
{
    k->reply->has_ranges = true;
    reply_header(k->reply, "Content-Disposition",
                 arena_printf(k->c->mem,
                              "%s; filename=\"file\"; filename*=UTF-8''%s", way,
                              encode_name(k->c->mem, name)));
    reply_header(k->reply, "Content-Security-Policy",
                 "sandbox; default-src 'none'");
}

void download_head(struct call *k, const char *name)
{
    k->reply->type = "application/octet-stream";
    put_head(k, "attachment", name);
}

void download_head_picture(struct call *k, const char *name, const char *type)
{
    k->reply->type = type;
    put_head(k, "inline", name);
}
