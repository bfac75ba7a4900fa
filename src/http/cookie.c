/* SPDX-License-Identifier: Apache-2.0 */
/* Cookies coming in and going out.  Every one is HttpOnly: no script of ours
 * reads any. */
#include <string.h>

#include "base/err.h"
#include "http/server_wire.h"

/* RFC 6265 cookie-octet: what needs no quoting and cannot end the line. */
static bool is_plain(const char *value)
{
    for (const char *p = value; *p; p++)
        if (*p <= 0x20 || *p == 0x7f || strchr("\",;\\", *p))
            return false;
    return true;
}

void reply_cookie(struct reply *out, const struct cookie *cookie)
{
    must(is_plain(cookie->name) && is_plain(cookie->value));
    const char *path = cookie->path ? cookie->path : "/";
    must(is_plain(path));
    buf_printf(&out->head, "Set-Cookie: %s=%s; Path=%s; HttpOnly; SameSite=%s",
               cookie->name, cookie->value, path,
               cookie->is_lax ? "Lax" : "Strict");
    if (cookie->is_secure)
        buf_puts(&out->head, "; Secure");
    if (cookie->max_age_s > 0)
        buf_printf(&out->head, "; Max-Age=%d", cookie->max_age_s);
    if (cookie->max_age_s < 0)
        buf_puts(&out->head, "; Max-Age=0");
    buf_puts(&out->head, "\r\n");
}

const char *cookie_find(struct arena *mem, const char *line, const char *name)
{
    const char *value = NULL;
    size_t name_len = strlen(name), value_len = 0;

    for (const char *p = line ? line : ""; *p;) {
        p += strspn(p, "; \t");
        size_t len = strcspn(p, ";");
        if (len > name_len && p[name_len] == '=' &&
            memcmp(p, name, name_len) == 0) {
            if (value)
                return NULL;
            value = p + name_len + 1;
            value_len = len - name_len - 1;
        }
        p += len;
    }
    while (value && value_len > 0 &&
           (value[value_len - 1] == ' ' || value[value_len - 1] == '\t'))
        value_len--;
    return value ? arena_strndup(mem, value, value_len) : NULL;
}
