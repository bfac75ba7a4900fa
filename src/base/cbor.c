/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cbor.h"

enum {
    MAJOR_UNSIGNED,
    MAJOR_NEGATIVE,
    MAJOR_BYTES,
    MAJOR_TEXT,
    MAJOR_ARRAY,
    MAJOR_MAP,
    MAJOR_TAG,
    MAJOR_SIMPLE,
    MAJOR_NONE
};
enum { DEPTH_MAX = 4, SIMPLE_FALSE = 20, SIMPLE_NULL = 22 };

struct cbor cbor_open(const void *data, size_t len)
{
    return (struct cbor){.at = data, .left = len};
}

static int next_major(const struct cbor *c)
{
    return c->is_bad || c->left == 0 ? MAJOR_NONE : c->at[0] >> 5;
}

static uint64_t fail(struct cbor *c)
{
    c->is_bad = true;
    c->left = 0;
    return 0;
}

/* The argument of the head, which must be in its shortest form. */
static uint64_t read_head(struct cbor *c, int major)
{
    if (next_major(c) != major)
        return fail(c);
    unsigned info = c->at[0] & 31;
    size_t extra = info < 24 ? 0 : (size_t)1 << (info & 3);
    uint64_t value = info;

    if (info > 27 || extra >= c->left) /* 28-31: reserved, or endless */
        return fail(c);
    if (extra) {
        value = 0;
        for (size_t i = 1; i <= extra; i++)
            value = value << 8 | c->at[i];
        if (value < 24 || (extra > 1 && value >> (extra * 4) == 0))
            return fail(c);
    }
    c->at += 1 + extra;
    c->left -= 1 + extra;
    return value;
}

static const uint8_t *read_string(struct cbor *c, int major, size_t *len)
{
    uint64_t n = read_head(c, major);
    const uint8_t *data = c->at;

    *len = 0;
    if (c->is_bad || n > c->left) {
        fail(c);
        return data;
    }
    *len = (size_t)n;
    c->at += n;
    c->left -= (size_t)n;
    return data;
}

/* No item is shorter than a byte, so counts beyond the rest are lies. */
static size_t read_count(struct cbor *c, int major, size_t item_bytes)
{
    uint64_t n = read_head(c, major);

    if (c->is_bad || n > c->left / item_bytes)
        return (size_t)fail(c);
    return (size_t)n;
}

size_t cbor_map(struct cbor *c)
{
    return read_count(c, MAJOR_MAP, 2);
}

bool cbor_is_int(const struct cbor *c)
{
    int major = next_major(c);

    return major == MAJOR_UNSIGNED || major == MAJOR_NEGATIVE;
}

int64_t cbor_int(struct cbor *c)
{
    bool is_negative = next_major(c) == MAJOR_NEGATIVE;
    uint64_t n = read_head(c, is_negative ? MAJOR_NEGATIVE : MAJOR_UNSIGNED);

    if (n > INT64_MAX)
        return (int64_t)fail(c);
    return is_negative ? -1 - (int64_t)n : (int64_t)n;
}

const uint8_t *cbor_bytes(struct cbor *c, size_t *len)
{
    return read_string(c, MAJOR_BYTES, len);
}

const char *cbor_text(struct cbor *c, size_t *len)
{
    return (const char *)read_string(c, MAJOR_TEXT, len);
}

/* A number, false, true, or null: a head and nothing after it. */
static bool is_plain(const struct cbor *c, int major)
{
    unsigned info = major == MAJOR_NONE ? 0 : c->at[0] & 31;

    return major == MAJOR_UNSIGNED || major == MAJOR_NEGATIVE ||
           (major == MAJOR_SIMPLE && info >= SIMPLE_FALSE &&
            info <= SIMPLE_NULL);
}

/* Without recursion: how many items are still due on each level. */
void cbor_skip(struct cbor *c)
{
    size_t due[DEPTH_MAX + 1] = {1}, len;
    int depth = 0;

    while (!c->is_bad && depth >= 0) {
        size_t inside = 0;
        int major = next_major(c);

        if (due[depth] == 0) {
            depth--;
            continue;
        }
        due[depth]--;
        if (major == MAJOR_BYTES || major == MAJOR_TEXT)
            (void)read_string(c, major, &len);
        else if (is_plain(c, major))
            (void)read_head(c, major);
        else if (major == MAJOR_ARRAY)
            inside = read_count(c, major, 1);
        else if (major == MAJOR_MAP)
            inside = 2 * cbor_map(c);
        else
            fail(c);
        if (inside && depth == DEPTH_MAX)
            fail(c);
        else if (inside)
            due[++depth] = inside;
    }
}

bool cbor_at_end(const struct cbor *c)
{
    return !c->is_bad && c->left == 0;
}
