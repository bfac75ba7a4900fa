/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/arena.h"

#include <stdint.h>

/* Growing text or bytes inside an arena.  Always NUL-terminated after the
 * first write; data is NULL before. */
struct buf {
    struct arena *mem;
    char *data;
    size_t len, cap;
};

struct buf buf_in(struct arena *mem);
void buf_put(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_put_int(struct buf *b, int64_t number); /* decimal */
void buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));
void buf_grow(struct buf *b, size_t more); /* buf_reserve(), when it is full */

/* Room for more bytes and a NUL. */
static inline void buf_reserve(struct buf *b, size_t more)
{
    if (more >= b->cap - b->len) /* len never exceeds cap */
        buf_grow(b, more);
}

static inline void buf_putc(struct buf *b, char ch)
{
    buf_reserve(b, 1);
    b->data[b->len++] = ch;
    b->data[b->len] = '\0';
}

#endif
