/* SPDX-License-Identifier: Apache-2.0 */
/* Each format is a row of parts with a length in front; a part is kept when it
 * is known to belong to the picture, never because it is unknown.  The walk is
 * done twice: to see whether all of it may stay, and only then to copy.
 *
 * A JPEG's way up is told in EXIF alone, so it is read and written anew as the
 * one tag of an EXIF of our own: photos would lie on their side otherwise. */
#include "base/image_metadata.h"

#include <string.h>

struct walk {
    const uint8_t *data;
    size_t len, kept;
    struct buf *out; /* NULL: only counting */
    struct image_metadata *p;
    bool is_changed;
};

static void keep(struct walk *w, const void *data, size_t len)
{
    w->kept += len;
    if (w->out)
        buf_put(w->out, data, len);
}

static uint32_t big16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t big32(const uint8_t *p)
{
    return big16(p) << 16 | big16(p + 2);
}

static uint32_t little16(const uint8_t *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t little24(const uint8_t *p)
{
    return (uint32_t)p[2] << 16 | little16(p);
}

static uint32_t little32(const uint8_t *p)
{
    return little16(p + 2) << 16 | little16(p);
}

static bool is_one_of(const uint8_t *name, const char *list)
{
    for (; *list; list += 4)
        if (memcmp(name, list, 4) == 0)
            return true;
    return false;
}

/* ---- PNG: length, type, data, checksum ---- */

static bool walk_png(struct walk *w)
{
    static const char known[] = "tRNScHRMgAMAiCCPsBITsRGBcICPmDCVcLLIbKGDhIST"
                                "pHYssPLTacTLfcTLfdAT";
    size_t at = 8;

    keep(w, w->data, 8);
    while (w->len - at >= 12) {
        const uint8_t *part = w->data + at;
        size_t len = big32(part);
        if (len > w->len - at - 12)
            return false;
        bool is_head = memcmp(part + 4, "IHDR", 4) == 0;
        if (is_head != (at == 8) || (is_head && len != 13))
            return false;
        if (is_head)
            *w->p = (struct image_metadata){big32(part + 8), big32(part + 12)};
        /* a capital: nothing can be drawn without it */
        if (!(part[4] & 0x20) || is_one_of(part + 4, known))
            keep(w, part, len + 12);
        if (memcmp(part + 4, "IEND", 4) == 0)
            return true;
        at += len + 12;
    }
    return false;
}

/* ---- JPEG: 0xff, marker, length, data; coded lines behind each SOS ---- */

enum {
    JPEG_SOI = 0xd8,
    JPEG_EOI = 0xd9,
    JPEG_SOS = 0xda,
    JPEG_APP0 = 0xe0,
    JPEG_APP1 = 0xe1,
    JPEG_APP2 = 0xe2,
    JPEG_APP14 = 0xee,
    JPEG_APP15 = 0xef,
    JPEG_COMMENT = 0xfe,
};

static bool begins(const uint8_t *data, size_t len, const char *with,
                   size_t with_len)
{
    return len >= with_len && memcmp(data, with, with_len) == 0;
}

/* 2 to 8, or 0: none told, or upright. */
static uint8_t read_way_up(const uint8_t *tiff, size_t len)
{
    bool is_big = begins(tiff, len, "MM\0*", 4);

    if (len < 8 || (!is_big && !begins(tiff, len, "II*\0", 4)))
        return 0;
    uint32_t (*two)(const uint8_t *) = is_big ? big16 : little16;
    size_t at = is_big ? big32(tiff + 4) : little32(tiff + 4);
    if (at < 8 || at > len - 2)
        return 0;
    size_t tags = two(tiff + at);
    for (at += 2; tags-- && len - at >= 12; at += 12) {
        uint32_t way = two(tiff + at + 8);
        if (two(tiff + at) == 0x0112 && two(tiff + at + 2) == 3)
            return way >= 2 && way <= 8 ? (uint8_t)way : 0;
    }
    return 0;
}

static void keep_way_up(struct walk *w, uint8_t way)
{
    uint8_t part[] = {0xff, JPEG_APP1, 0,    34,   'E', 'x', 'i', 'f', 0,
                      0,    'M',       'M',  0,    '*', 0,   0,   0,   8,
                      0,    1,         0x01, 0x12, 0,   3,   0,   0,   0,
                      1,    0,         way,  0,    0,   0,   0,   0,   0};

    keep(w, part, sizeof part);
    w->is_changed = true;
}

static bool is_jpeg_picture(uint8_t marker, const uint8_t *data, size_t len)
{
    if (marker == JPEG_APP0)
        return begins(data, len, "JFIF", 5);
    if (marker == JPEG_APP2)
        return begins(data, len, "ICC_PROFILE", 12);
    if (marker == JPEG_APP14)
        return begins(data, len, "Adobe", 5);
    return marker != JPEG_COMMENT &&
           (marker < JPEG_APP0 || marker > JPEG_APP15);
}

static bool is_jpeg_frame(uint8_t marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 &&
           marker != 0xc8 && marker != 0xcc;
}

/* Where the coded lines end that begin at at. */
static size_t skip_lines(const struct walk *w, size_t at)
{
    while (at < w->len) {
        const uint8_t *mark = memchr(w->data + at, 0xff, w->len - at);
        if (!mark || mark + 1 == w->data + w->len)
            return w->len;
        at = (size_t)(mark - w->data);
        bool is_line = mark[1] == 0 || (mark[1] >= 0xd0 && mark[1] <= 0xd7);
        if (!is_line && mark[1] != 0xff)
            return at;
        at += is_line ? 2 : 1;
    }
    return w->len;
}

/* One part with a length; its end, or 0: broken. */
static size_t walk_segment(struct walk *w, size_t at, uint8_t *way)
{
    const uint8_t *part = w->data + at;
    uint8_t marker = part[1];

    if (w->len - at < 4)
        return 0;
    size_t len = big16(part + 2), end = at + 2 + len;
    if (len < 2 || end > w->len)
        return 0;
    if (is_jpeg_frame(marker) && len >= 7)
        *w->p = (struct image_metadata){big16(part + 7), big16(part + 5)};
    if (is_jpeg_picture(marker, part + 4, len - 2)) {
        size_t last = marker == JPEG_SOS ? skip_lines(w, end) : end;
        keep(w, part, last - at);
        return last;
    }
    if (marker == JPEG_APP1 && !*way && begins(part + 4, len - 2, "Exif\0", 6))
        if ((*way = read_way_up(part + 10, len - 8)))
            keep_way_up(w, *way);
    return end;
}

static bool walk_jpeg(struct walk *w)
{
    uint8_t way = 0;
    size_t at = 2;

    keep(w, w->data, 2);
    while (w->len - at >= 2) {
        const uint8_t *part = w->data + at;
        /* below 0xc0 no marker has a length; 0 stands among coded lines */
        if (part[0] != 0xff || (part[1] < 0xc0 && part[1] != 0x01))
            return false;
        if (part[1] == 0xff) { /* any number may stand before a marker */
            at++;
            continue;
        }
        bool is_bare = part[1] == 0x01 || part[1] == JPEG_EOI ||
                       (part[1] >= 0xd0 && part[1] <= JPEG_SOI);
        if (is_bare)
            keep(w, part, 2);
        if (part[1] == JPEG_EOI)
            return true;
        at = is_bare ? at + 2 : walk_segment(w, at, &way);
        if (at == 0)
            return false;
    }
    return true; /* cut short: as much as there is */
}

/* ---- WebP: RIFF ---- */

static void measure_webp(struct walk *w, const uint8_t *part, size_t len)
{
    const uint8_t *d = part + 8;

    if (w->p->width)
        return;
    if (memcmp(part, "VP8X", 4) == 0 && len >= 10)
        *w->p =
            (struct image_metadata){little24(d + 4) + 1, little24(d + 7) + 1};
    else if (memcmp(part, "VP8 ", 4) == 0 && len >= 10)
        *w->p = (struct image_metadata){little16(d + 6) & 0x3fff,
                                        little16(d + 8) & 0x3fff};
    else if (memcmp(part, "VP8L", 4) == 0 && len >= 5)
        *w->p = (struct image_metadata){(little32(d + 1) & 0x3fff) + 1,
                                        (little32(d + 1) >> 14 & 0x3fff) + 1};
}

/* VP8X says which parts there are: EXIF and XMP are there no longer. */
static void keep_webp(struct walk *w, const uint8_t *part, size_t len)
{
    uint8_t flags;

    if (memcmp(part, "VP8X", 4) != 0 || len < 9) {
        keep(w, part, len);
        return;
    }
    flags = part[8] & (uint8_t)~0x0cU;
    w->is_changed |= flags != part[8];
    keep(w, part, 8);
    keep(w, &flags, 1);
    keep(w, part + 9, len - 9);
}

static bool walk_webp(struct walk *w)
{
    static const char known[] = "VP8XVP8 VP8LALPHANIMANMFICCP";
    size_t size = little32(w->data + 4), at = 12;
    size_t from = w->out ? w->out->len : 0, before = w->kept;

    if (size < 4 || size > w->len - 8)
        return false;
    keep(w, w->data, 12);
    for (size_t end = 8 + size; end - at >= 8;) {
        const uint8_t *part = w->data + at;
        size_t len = little32(part + 4), rest = end - at - 8;
        if (len > rest)
            return false;
        size_t padded = len + (len & 1) > rest ? rest : len + (len & 1);
        measure_webp(w, part, len);
        if (is_one_of(part, known))
            keep_webp(w, part, 8 + padded);
        at += 8 + padded;
    }
    uint32_t now = (uint32_t)(w->kept - before - 8);
    for (int i = 0; w->out && i < 4; i++)
        w->out->data[from + 4 + (size_t)i] = (char)(now >> 8 * i);
    return true;
}

/* ---- all ---- */

static bool walk(enum image_metadata_kind kind, struct walk *w)
{
    switch (kind) {
    case IMAGE_PNG:
        return w->len >= 8 && walk_png(w);
    case IMAGE_JPEG:
        return w->len >= 2 && walk_jpeg(w);
    case IMAGE_WEBP:
        return w->len >= 12 && walk_webp(w);
    case IMAGE_GIF:
        if (w->len < 13)
            return false;
        *w->p = (struct image_metadata){little16(w->data + 6),
                                        little16(w->data + 8)};
        keep(w, w->data, w->len);
        return true;
    case IMAGE_NONE:
        break;
    }
    return false;
}

bool image_metadata_strip(enum image_metadata_kind kind, const void *data,
                          size_t len, struct buf *out, struct image_metadata *p)
{
    struct walk w = {.data = data, .len = len, .p = p};

    *p = (struct image_metadata){0};
    if (!walk(kind, &w) || !p->width || !p->height)
        return false;
    if (w.kept == len && !w.is_changed)
        return true;
    buf_reserve(out, w.kept);
    w = (struct walk){.data = data, .len = len, .out = out, .p = p};
    return walk(kind, &w);
}
