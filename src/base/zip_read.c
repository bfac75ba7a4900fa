/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what may be hostile.  Entries must follow each other without a gap
 * from the first byte to the directory, in its order, and every head must say
 * what the directory says: so nothing overlaps, nothing hides, and two readers
 * cannot see two different archives.  Sizes are checked before anything is
 * unpacked and again while it is. */
#include "base/zip.h"

#include "base/zip_form.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ZLIB_CONST
#include <zlib.h>

enum { PART_BYTES = 64 << 10, RATIO_FROM_BYTES = 1 << 20 };

static uint64_t number(const unsigned char *p, int bytes)
{
    uint64_t value = 0;

    for (int i = bytes; i > 0; i--)
        value = value << 8 | p[i - 1];
    return value;
}

static int64_t size_of(const unsigned char *p)
{
    uint64_t value = number(p, 8);

    return value > INT64_MAX / 4 ? -1 : (int64_t)value;
}

static enum err refuse(struct zip *z, const char *rule, const char *name)
{
    if (!z->rule) {
        z->rule = rule;
        z->name = name;
    }
    return ERR_INVALID;
}

static enum err get(struct zip *z, int64_t at, void *data, size_t len)
{
    if (at < 0 || (int64_t)len > z->bytes - at)
        return refuse(z, "overlap", "");
    return z->source(z->arg, at, data, len);
}

/* ---- the end ---- */

struct end {
    int64_t at, size, count; /* of the directory */
};

static enum err read_end64(struct zip *z, int64_t file_bytes, struct end *out)
{
    unsigned char p[ZIP_END64_BYTES + ZIP_LOCATOR_BYTES];
    int64_t at = file_bytes - ZIP_END_BYTES - (int64_t)sizeof p;
    const unsigned char *locator = p + ZIP_END64_BYTES;

    if (at < 0)
        return refuse(z, "not_zip", "");
    enum err e = get(z, at, p, sizeof p);
    if (e)
        return e;
    if (number(p, 4) != ZIP_END64 || number(p + 4, 8) != ZIP_END64_BYTES - 12 ||
        number(p + 12, 4) != (ZIP_VERSION64 << 16 | ZIP_MADE_BY) ||
        number(p + 16, 8) != 0 || number(locator, 4) != ZIP_LOCATOR ||
        number(locator + 4, 4) != 0 || size_of(locator + 8) != at ||
        number(locator + 16, 4) != 1 || number(p + 24, 8) != number(p + 32, 8))
        return refuse(z, "form", "");
    *out = (struct end){size_of(p + 48), size_of(p + 40), size_of(p + 32)};
    return out->at < 0 || out->size < 0 || out->count < 0 ||
                   out->at + out->size != at
               ? refuse(z, "form", "")
               : OK;
}

static enum err read_end(struct zip *z, int64_t file_bytes, struct end *out)
{
    unsigned char p[ZIP_END_BYTES];
    int64_t at = file_bytes - ZIP_END_BYTES;

    if (at < 0)
        return refuse(z, "not_zip", "");
    enum err e = get(z, at, p, sizeof p);
    if (e)
        return e;
    if (number(p, 4) != ZIP_END || number(p + 20, 2) != 0)
        return refuse(z, "not_zip", "");
    if (number(p + 4, 4) != 0 || number(p + 8, 2) != number(p + 10, 2))
        return refuse(z, "form", "");
    *out = (struct end){(int64_t)number(p + 16, 4), (int64_t)number(p + 12, 4),
                        (int64_t)number(p + 10, 2)};
    if (out->count == ZIP_WORD_MAX)
        return read_end64(z, file_bytes, out);
    return out->at + out->size == at ? OK : refuse(z, "form", "");
}

/* ---- the directory ---- */

struct row {
    int64_t at;    /* of its head */
    bool is_large; /* sizes of 64 bits */
    const unsigned char *moment;
};

/* The extra field: only the sizes and the place that did not fit. */
static bool read_extra(const unsigned char *p, size_t len, struct row *r,
                       struct zip_entry *out)
{
    bool is_far = r->at == ZIP_LONG_MAX;
    size_t want = (r->is_large ? 16u : 0) + (is_far ? 8u : 0);

    if (len == 0)
        return want == 0;
    if (len < 4 || number(p, 2) != ZIP_EXTRA64 || number(p + 2, 2) != want ||
        len != want + 4 || want == 0)
        return false;
    p += 4;
    if (r->is_large) {
        out->size = size_of(p);
        out->packed = size_of(p + 8);
        p += 16;
    }
    if (is_far)
        r->at = size_of(p);
    return out->size >= 0 && out->packed >= 0 && r->at >= 0;
}

/* Bytes of the row; 0: refused. */
static size_t read_row(struct zip *z, const unsigned char *p, size_t len,
                       struct row *r, struct zip_entry *out)
{
    if (len < ZIP_ROW_BYTES || number(p, 4) != ZIP_ROW) {
        (void)refuse(z, "form", "");
        return 0;
    }
    size_t name = number(p + 28, 2), extra = number(p + 30, 2);
    if (len - ZIP_ROW_BYTES < name + extra || number(p + 32, 2) != 0) {
        (void)refuse(z, "form", "");
        return 0;
    }
    const char *text = (const char *)p + ZIP_ROW_BYTES;
    if (!zip_is_name(text, name)) {
        (void)refuse(z, "name", "");
        return 0;
    }
    out->name = arena_strndup(z->mem, text, name);
    uint64_t mode = number(p + 38, 4) >> 16 & 0170000;
    if (mode != 0100000 || (number(p + 8, 2) & 1) ||
        number(p + 4, 2) != ZIP_MADE_BY) {
        (void)refuse(z, "kind", out->name);
        return 0;
    }
    out->crc = (uint32_t)number(p + 16, 4);
    out->packed = (int64_t)number(p + 20, 4);
    out->size = (int64_t)number(p + 24, 4);
    r->at = (int64_t)number(p + 42, 4);
    r->is_large = out->packed == ZIP_LONG_MAX && out->size == ZIP_LONG_MAX;
    r->moment = p + 12;
    if (number(p + 8, 2) != ZIP_FLAGS || number(p + 10, 2) != ZIP_DEFLATED ||
        number(p + 34, 4) != 0 || number(p + 38, 4) != ZIP_MODE ||
        number(p + 6, 2) != (extra ? ZIP_VERSION64 : ZIP_VERSION) ||
        !read_extra(p + ZIP_ROW_BYTES + name, extra, r, out)) {
        (void)refuse(z, "form", out->name);
        return 0;
    }
    return ZIP_ROW_BYTES + name + extra;
}

/* The head before the data and the mark after it say the same. */
static enum err check_frame(struct zip *z, const struct row *r,
                            struct zip_entry *out, int64_t *next)
{
    unsigned char p[ZIP_HEAD_BYTES + ZIP_NAME_MAX + 20], mark[ZIP_MARK64_BYTES];
    size_t name = strlen(out->name), extra = r->is_large ? 20 : 0;
    size_t head = ZIP_HEAD_BYTES + name + extra;
    int wide = r->is_large ? 8 : 4;
    uint64_t unknown = r->is_large ? ZIP_LONG_MAX : 0;
    enum err e = get(z, r->at, p, head);

    if (e)
        return e;
    if (number(p, 4) != ZIP_HEAD || number(p + 6, 2) != ZIP_FLAGS ||
        number(p + 4, 2) != (extra ? ZIP_VERSION64 : ZIP_VERSION) ||
        number(p + 8, 2) != ZIP_DEFLATED || memcmp(p + 10, r->moment, 4) != 0 ||
        number(p + 14, 4) != 0 || number(p + 18, 4) != unknown ||
        number(p + 22, 4) != unknown || number(p + 26, 2) != name ||
        number(p + 28, 2) != extra ||
        memcmp(p + ZIP_HEAD_BYTES, out->name, name) != 0)
        return refuse(z, "form", out->name);
    out->at = r->at + (int64_t)head;
    if ((e = get(z, out->at + out->packed, mark, (size_t)wide * 2 + 8)))
        return e;
    if (number(mark, 4) != ZIP_MARK || number(mark + 4, 4) != out->crc ||
        number(mark + 8, wide) != (uint64_t)out->packed ||
        number(mark + 8 + wide, wide) != (uint64_t)out->size)
        return refuse(z, "form", out->name);
    *next = out->at + out->packed + wide * 2 + 8;
    return OK;
}

static enum err check_size(struct zip *z, const struct zip_entry *it,
                           const struct zip_limits *limits, int64_t *total)
{
    if (it->size > limits->bytes - *total)
        return refuse(z, "total", it->name);
    *total += it->size;
    if (it->size > RATIO_FROM_BYTES && it->size / limits->ratio > it->packed)
        return refuse(z, "ratio", it->name);
    return OK;
}

static int by_name(const void *a, const void *b)
{
    const struct zip_entry *x = a, *y = b;

    return strcasecmp(x->name, y->name);
}

static enum err find_duplicate(struct zip *z, const struct zip_entry *list,
                               size_t count)
{
    struct zip_entry *sorted = arena_copy(z->mem, list, count * sizeof *list);

    qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 1; i < count; i++)
        if (by_name(&sorted[i - 1], &sorted[i]) == 0)
            return refuse(z, "duplicate", sorted[i].name);
    return OK;
}

static enum err read_entries(struct zip *z, const struct end *end,
                             const unsigned char *p,
                             const struct zip_limits *limits,
                             struct zip_entry *list)
{
    size_t left = (size_t)end->size;
    int64_t next = 0, total = 0;
    enum err e = OK;

    for (size_t i = 0; i < (size_t)end->count && !e; i++) {
        struct row r;
        size_t len = read_row(z, p, left, &r, &list[i]);
        if (len == 0)
            return ERR_INVALID;
        p += len;
        left -= len;
        if (r.at != next || list[i].packed > end->at - next)
            return refuse(z, "overlap", list[i].name);
        if (!(e = check_size(z, &list[i], limits, &total)))
            e = check_frame(z, &r, &list[i], &next);
        if (!e && next > end->at)
            return refuse(z, "overlap", list[i].name);
    }
    if (!e && (left != 0 || next != end->at))
        e = refuse(z, "overlap", "");
    return e;
}

enum err zip_open(struct arena *mem, zip_source_fn *source, void *arg,
                  int64_t size, const struct zip_limits *limits,
                  struct zip *out)
{
    struct end end;

    *out = (struct zip){
        .mem = mem, .source = source, .arg = arg, .bytes = size, .name = ""};
    enum err e = read_end(out, size, &end);
    if (e)
        return e;
    if (end.count > (int64_t)limits->entries)
        return refuse(out, "entries", "");
    if (end.size > end.count * (ZIP_ROW_BYTES + ZIP_NAME_MAX + 28))
        return refuse(out, "form", "");
    unsigned char *rows = arena_alloc(mem, (size_t)end.size + 1);
    struct zip_entry *list =
        arena_array(mem, struct zip_entry, (size_t)end.count + 1);
    if ((e = get(out, end.at, rows, (size_t)end.size)) ||
        (e = read_entries(out, &end, rows, limits, list)) ||
        (e = find_duplicate(out, list, (size_t)end.count)))
        return e;
    out->entries = list;
    out->count = (size_t)end.count;
    return OK;
}

const struct zip_entry *zip_find(const struct zip *z, const char *name)
{
    for (size_t i = 0; i < z->count; i++)
        if (strcmp(z->entries[i].name, name) == 0)
            return &z->entries[i];
    return NULL;
}

/* ---- unpacking ---- */

static voidpf take(voidpf mem, uInt count, uInt size_bytes)
{
    return arena_alloc(mem, (size_t)count * size_bytes);
}

static void leave(voidpf mem, voidpf at)
{
    (void)mem;
    (void)at;
}

struct unpacking {
    z_stream z;
    int64_t left_in, left_out, at;
    uint32_t crc;
    unsigned char in[PART_BYTES], out[PART_BYTES];
};

static enum err fill(struct zip *z, struct unpacking *u)
{
    size_t len =
        u->left_in < PART_BYTES ? (size_t)u->left_in : (size_t)PART_BYTES;
    enum err e = get(z, u->at, u->in, len);

    u->at += (int64_t)len;
    u->left_in -= (int64_t)len;
    u->z.next_in = u->in;
    u->z.avail_in = (uInt)len;
    return e;
}

enum err zip_extract(struct zip *z, const struct zip_entry *it,
                     zip_sink_fn *sink, void *arg)
{
    struct arena *own = arena_open(0);
    struct unpacking *u = arena_new(own, struct unpacking);
    int rc = Z_OK;
    enum err e = OK;

    u->left_in = it->packed;
    u->left_out = it->size;
    u->at = it->at;
    u->crc = (uint32_t)crc32(0, NULL, 0);
    u->z = (z_stream){.zalloc = take, .zfree = leave, .opaque = own};
    must(inflateInit2(&u->z, -MAX_WBITS) == Z_OK);
    while (!e && rc == Z_OK) {
        if (u->z.avail_in == 0 && u->left_in > 0 && (e = fill(z, u)))
            break;
        u->z.next_out = u->out;
        u->z.avail_out = PART_BYTES;
        rc = inflate(&u->z, Z_NO_FLUSH);
        size_t len = PART_BYTES - u->z.avail_out;
        u->left_out -= (int64_t)len;
        if (u->left_out < 0 || (rc != Z_OK && rc != Z_STREAM_END)) {
            e = refuse(z, "content", it->name);
        } else if (len) {
            u->crc = (uint32_t)crc32(u->crc, u->out, (uInt)len);
            e = sink(arg, u->out, len);
        }
    }
    if (!e && (rc != Z_STREAM_END || u->left_in || u->z.avail_in ||
               u->left_out || u->crc != it->crc))
        e = refuse(z, "content", it->name);
    arena_close(own);
    return e;
}
