/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: nothing is ever gone back to, so the sizes of an entry follow its
 * data, and the directory at the end says them once more. */
#include "base/zip.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/zip_form.h"

#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

enum { OUT_BYTES = 64 << 10, LEVEL = 6 };

struct row {
    const char *name;
    unsigned flags;
    uint32_t crc;
    int64_t size, packed, at;
    struct row *next;
};

struct zip_writer {
    struct arena *mem;
    zip_sink_fn *sink;
    void *arg;
    uint32_t moment; /* as DOS kept it */
    int64_t at;      /* bytes written */
    z_stream z;
    struct crypto_hash hash;
    struct row *first, *last;
    bool is_open;
    size_t count;
    unsigned char out[OUT_BYTES];
};

static voidpf take(voidpf mem, uInt count, uInt size_bytes)
{
    return arena_alloc(mem, (size_t)count * size_bytes);
}

static void leave(voidpf mem, voidpf at)
{
    (void)mem;
    (void)at; /* the arena is dropped as a whole */
}

/* ---- names ---- */

bool zip_is_name(const char *name, size_t len)
{
    size_t from = 0, bad;

    if (len == 0 || len > ZIP_NAME_MAX || !str_is_utf8(name, len, &bad))
        return false;
    for (size_t i = 0; i <= len; i++) {
        unsigned char ch = i < len ? (unsigned char)name[i] : '/';
        if (ch < 0x20 || ch == 0x7f || ch == '\\' || ch == ':')
            return false;
        if (ch != '/')
            continue;
        size_t part = i - from;
        if (part == 0 || (part <= 2 && strncmp(name + from, "..", part) == 0))
            return false;
        from = i + 1;
    }
    return true;
}

/* ---- numbers, least byte first ---- */

static void put_number(struct buf *b, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_putc(b, (char)(value >> 8 * i & 0xff));
}

/* "2026-11-22T09:30:00+09:00" */
static uint32_t dos_moment(int64_t moment_us)
{
    static const int places[] = {0, 5, 8, 11, 14, 17};
    char text[CLOCK_CHARS + 1];
    uint32_t n[6];

    clock_print(moment_us, text);
    for (size_t i = 0; i < 6; i++) {
        n[i] = 0;
        for (const char *p = text + places[i]; *p >= '0' && *p <= '9'; p++)
            n[i] = n[i] * 10 + (uint32_t)(*p - '0');
    }
    return (n[0] - 1980) << 25 | n[1] << 21 | n[2] << 16 | n[3] << 11 |
           n[4] << 5 | n[5] / 2;
}

static enum err send(struct zip_writer *w, const void *data, size_t len)
{
    w->at += (int64_t)len;
    return w->sink(w->arg, data, len);
}

struct zip_writer *zip_begin(struct arena *mem, int64_t moment_us,
                             zip_sink_fn *sink, void *arg)
{
    struct zip_writer *w = arena_new(mem, struct zip_writer);

    w->mem = mem;
    w->sink = sink;
    w->arg = arg;
    w->moment = dos_moment(moment_us);
    w->z = (z_stream){.zalloc = take, .zfree = leave, .opaque = mem};
    must(deflateInit2(&w->z, LEVEL, Z_DEFLATED, -MAX_WBITS, 8,
                      Z_DEFAULT_STRATEGY) == Z_OK);
    return w;
}

/* ---- entries ---- */

static enum err send_head(struct zip_writer *w, const struct row *r)
{
    struct buf b = buf_in(w->mem);
    bool is_large = r->flags & ZIP_LARGE;
    uint32_t unknown = is_large ? ZIP_LONG_MAX : 0;

    put_number(&b, ZIP_HEAD, 4);
    put_number(&b, is_large ? ZIP_VERSION64 : ZIP_VERSION, 2);
    put_number(&b, ZIP_FLAGS, 2);
    put_number(&b, ZIP_DEFLATED, 2);
    put_number(&b, w->moment, 4);
    put_number(&b, 0, 4);
    put_number(&b, unknown, 4);
    put_number(&b, unknown, 4);
    put_number(&b, strlen(r->name), 2);
    put_number(&b, is_large ? 20 : 0, 2);
    buf_puts(&b, r->name);
    if (is_large) {
        put_number(&b, ZIP_EXTRA64, 2);
        put_number(&b, 16, 2);
        put_number(&b, 0, 8);
        put_number(&b, 0, 8);
    }
    return send(w, b.data, b.len);
}

enum err zip_open_entry(struct zip_writer *w, const char *name, unsigned flags)
{
    struct row *r = arena_new(w->mem, struct row);

    must(!w->is_open && zip_is_name(name, strlen(name)));
    r->name = arena_strdup(w->mem, name);
    r->flags = flags;
    r->at = w->at;
    r->crc = (uint32_t)crc32(0, NULL, 0);
    if (w->last)
        w->last->next = r;
    else
        w->first = r;
    w->last = r;
    w->count++;
    w->is_open = true;
    must(deflateReset(&w->z) == Z_OK);
    must(deflateParams(&w->z, flags & ZIP_PLAIN ? 0 : LEVEL,
                       Z_DEFAULT_STRATEGY) == Z_OK);
    crypto_hash_begin(&w->hash);
    return send_head(w, r);
}

static enum err pump(struct zip_writer *w, int flush)
{
    int rc = Z_OK;
    enum err e = OK;

    do {
        w->z.next_out = w->out;
        w->z.avail_out = OUT_BYTES;
        rc = deflate(&w->z, flush);
        must(rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR);
        size_t len = OUT_BYTES - w->z.avail_out;
        w->last->packed += (int64_t)len;
        if (len)
            e = send(w, w->out, len);
    } while (!e && (w->z.avail_out == 0 ||
                    (flush == Z_FINISH && rc != Z_STREAM_END)));
    return e;
}

enum err zip_put(struct zip_writer *w, const void *data, size_t len)
{
    struct row *r = w->last;

    must(w->is_open && len <= UINT32_MAX / 2);
    if (len == 0)
        return OK;
    r->crc = (uint32_t)crc32(r->crc, data, (uInt)len);
    r->size += (int64_t)len;
    crypto_hash_add(&w->hash, data, len);
    w->z.next_in = data;
    w->z.avail_in = (uInt)len;
    return pump(w, Z_NO_FLUSH);
}

enum err zip_close_entry(struct zip_writer *w, struct zip_written *out)
{
    struct row *r = w->last;
    struct buf b = buf_in(w->mem);
    int bytes = r->flags & ZIP_LARGE ? 8 : 4;

    must(w->is_open);
    w->z.next_in = NULL;
    w->z.avail_in = 0;
    enum err e = pump(w, Z_FINISH);
    w->is_open = false;
    crypto_hash_end(&w->hash, out->sha256);
    out->size = r->size;
    out->packed = r->packed;
    if (e)
        return e;
    if (bytes == 4 && (r->size >= ZIP_LONG_MAX || r->packed >= ZIP_LONG_MAX))
        return ERR_LIMIT;
    put_number(&b, ZIP_MARK, 4);
    put_number(&b, r->crc, 4);
    put_number(&b, (uint64_t)r->packed, bytes);
    put_number(&b, (uint64_t)r->size, bytes);
    return send(w, b.data, b.len);
}

/* ---- the directory ---- */

static uint64_t short_form(int64_t value, bool is_long)
{
    return is_long ? ZIP_LONG_MAX : (uint64_t)value;
}

static enum err send_row(struct zip_writer *w, const struct row *r,
                         struct buf *b)
{
    bool is_large = r->flags & ZIP_LARGE, is_far = r->at >= ZIP_LONG_MAX;
    unsigned extra = (is_large ? 16u : 0) + (is_far ? 8u : 0);

    b->len = 0;
    put_number(b, ZIP_ROW, 4);
    put_number(b, ZIP_MADE_BY, 2);
    put_number(b, extra ? ZIP_VERSION64 : ZIP_VERSION, 2);
    put_number(b, ZIP_FLAGS, 2);
    put_number(b, ZIP_DEFLATED, 2);
    put_number(b, w->moment, 4);
    put_number(b, r->crc, 4);
    put_number(b, short_form(r->packed, is_large), 4);
    put_number(b, short_form(r->size, is_large), 4);
    put_number(b, strlen(r->name), 2);
    put_number(b, extra ? extra + 4 : 0, 2);
    put_number(b, 0, 2 + 2 + 2); /* no comment, one disk, plain bytes */
    put_number(b, ZIP_MODE, 4);
    put_number(b, short_form(r->at, is_far), 4);
    buf_puts(b, r->name);
    if (extra) {
        put_number(b, ZIP_EXTRA64, 2);
        put_number(b, extra, 2);
    }
    if (is_large) {
        put_number(b, (uint64_t)r->size, 8);
        put_number(b, (uint64_t)r->packed, 8);
    }
    if (is_far)
        put_number(b, (uint64_t)r->at, 8);
    return send(w, b->data, b->len);
}

static void put_end64(struct buf *b, size_t count, int64_t at, int64_t size)
{
    put_number(b, ZIP_END64, 4);
    put_number(b, ZIP_END64_BYTES - 12, 8);
    put_number(b, ZIP_MADE_BY, 2);
    put_number(b, ZIP_VERSION64, 2);
    put_number(b, 0, 4 + 4);
    put_number(b, count, 8);
    put_number(b, count, 8);
    put_number(b, (uint64_t)size, 8);
    put_number(b, (uint64_t)at, 8);
    put_number(b, ZIP_LOCATOR, 4);
    put_number(b, 0, 4);
    put_number(b, (uint64_t)(at + size), 8);
    put_number(b, 1, 4);
}

enum err zip_end(struct zip_writer *w)
{
    struct buf b = buf_in(w->mem);
    int64_t at = w->at;
    enum err e = OK;

    must(!w->is_open);
    for (const struct row *r = w->first; r && !e; r = r->next)
        e = send_row(w, r, &b);
    int64_t size = w->at - at;
    bool is_long =
        w->count >= ZIP_WORD_MAX || at >= ZIP_LONG_MAX || size >= ZIP_LONG_MAX;
    uint64_t count = is_long ? ZIP_WORD_MAX : w->count;
    b.len = 0;
    if (is_long)
        put_end64(&b, w->count, at, size);
    put_number(&b, ZIP_END, 4);
    put_number(&b, 0, 2 + 2);
    put_number(&b, count, 2);
    put_number(&b, count, 2);
    put_number(&b, short_form(size, is_long), 4);
    put_number(&b, short_form(at, is_long), 4);
    put_number(&b, 0, 2);
    return e ? e : send(w, b.data, b.len);
}

const char *zip_library_version(void)
{
    return zlibVersion();
}
