/* SPDX-License-Identifier: Apache-2.0 */
/* Growth doubles, so that n bytes cost O(n) copying; the old halves stay in
 * the arena until its reset, at most as much again as the final text. */
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

struct buf buf_in(struct arena *mem)
{
    return (struct buf){.mem = mem};
}

void buf_grow(struct buf *b, size_t more)
{
    must(more < SIZE_MAX / 4 && b->len < SIZE_MAX / 4);
    size_t need = b->len + more + 1;
    size_t cap = b->cap ? b->cap * 2 : 256;
    if (cap < need)
        cap = need;
    char *data = arena_alloc(b->mem, cap);
    if (b->len)
        memcpy(data, b->data, b->len);
    b->data = data;
    b->cap = cap;
}

/* Copies of a fixed size become single moves; a call of musl's memcpy costs
 * more than most pieces of JSON are long. */
static void copy_piece(char *to, const char *from, size_t len)
{
    if (len > 16) {
        memcpy(to, from, len);
    } else if (len >= 8) {
        memcpy(to, from, 8);
        memcpy(to + len - 8, from + len - 8, 8);
    } else if (len >= 4) {
        memcpy(to, from, 4);
        memcpy(to + len - 4, from + len - 4, 4);
    } else if (len >= 2) {
        memcpy(to, from, 2);
        memcpy(to + len - 2, from + len - 2, 2);
    } else if (len == 1) {
        *to = *from;
    }
}

void buf_put(struct buf *b, const void *data, size_t len)
{
    buf_reserve(b, len);
    copy_piece(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text));
}

void buf_put_int(struct buf *b, int64_t number)
{
    char text[24], *at = text + sizeof text;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        *--at = '-';
    buf_put(b, at, (size_t)(text + sizeof text - at));
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    must(len >= 0);
    buf_reserve(b, (size_t)len);
    vsnprintf(b->data + b->len, (size_t)len + 1, format, args);
    va_end(args);
    b->len += (size_t)len;
}
