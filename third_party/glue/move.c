/* SPDX-License-Identifier: Apache-2.0 */
/* Three functions in the place of musl's, in the release alone.  musl copies
 * with "rep movsq", which takes some 30 cycles to get going, and compares byte
 * by byte; most pieces here are a few dozen bytes.  What is up to 64 bytes
 * long is read whole before any of it is written, longer copies go away from
 * the overlap: memcpy() is memmove() under another name.
 *
 * They run before the process has relocated itself: no call, no table, no
 * stack protector.  test/base/move_test.c compares them with plain loops. */
#include <stddef.h>
#include <stdint.h>

typedef uint16_t u16 __attribute__((aligned(1), may_alias));
typedef uint32_t u32 __attribute__((aligned(1), may_alias));
typedef uint64_t u64 __attribute__((aligned(1), may_alias));
typedef uint64_t block __attribute__((vector_size(16), aligned(1), may_alias));

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);

static inline void move_16(unsigned char *d, const unsigned char *s, size_t n)
{
    if (n >= 8) {
        uint64_t a = *(const u64 *)s, b = *(const u64 *)(s + n - 8);
        *(u64 *)d = a;
        *(u64 *)(d + n - 8) = b;
    } else if (n >= 4) {
        uint32_t a = *(const u32 *)s, b = *(const u32 *)(s + n - 4);
        *(u32 *)d = a;
        *(u32 *)(d + n - 4) = b;
    } else if (n >= 2) {
        uint16_t a = *(const u16 *)s, b = *(const u16 *)(s + n - 2);
        *(u16 *)d = a;
        *(u16 *)(d + n - 2) = b;
    } else if (n) {
        *d = *s;
    }
}

static void move_up(unsigned char *d, const unsigned char *s, size_t n)
{
    const block *tail = (const block *)(s + n - 64);
    block e = tail[0], f = tail[1], g = tail[2], h = tail[3];
    block *end = (block *)(d + n - 64);

    for (; n > 64; n -= 64, d += 64, s += 64) {
        const block *from = (const block *)s;
        block a0 = from[0], a1 = from[1], a2 = from[2], a3 = from[3];
        block *to = (block *)d;
        to[0] = a0;
        to[1] = a1;
        to[2] = a2;
        to[3] = a3;
    }
    end[0] = e;
    end[1] = f;
    end[2] = g;
    end[3] = h;
}

static void move_down(unsigned char *d, const unsigned char *s, size_t n)
{
    const block *head = (const block *)s;
    block e = head[0], f = head[1], g = head[2], h = head[3];
    block *begin = (block *)d;

    for (; n > 64; n -= 64) {
        const block *from = (const block *)(s + n - 64);
        block a0 = from[0], a1 = from[1], a2 = from[2], a3 = from[3];
        block *to = (block *)(d + n - 64);
        to[0] = a0;
        to[1] = a1;
        to[2] = a2;
        to[3] = a3;
    }
    begin[0] = e;
    begin[1] = f;
    begin[2] = g;
    begin[3] = h;
}

__attribute__((always_inline)) static inline void *
move(void *to, const void *from, size_t n)
{
    unsigned char *d = to;
    const unsigned char *s = from;

    if (n <= 16) {
        move_16(d, s, n);
    } else if (n <= 32) {
        block a = *(const block *)s, b = *(const block *)(s + n - 16);
        *(block *)d = a;
        *(block *)(d + n - 16) = b;
    } else if (n <= 64) {
        block a = *(const block *)s, b = *(const block *)(s + 16);
        block x = *(const block *)(s + n - 32),
              y = *(const block *)(s + n - 16);
        *(block *)d = a;
        *(block *)(d + 16) = b;
        *(block *)(d + n - 32) = x;
        *(block *)(d + n - 16) = y;
    } else if ((uintptr_t)d - (uintptr_t)s >= n) {
        move_up(d, s, n);
    } else {
        move_down(d, s, n);
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
    return move(to, from, n);
}

void *memmove(void *to, const void *from, size_t n)
{
    return move(to, from, n);
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;

    for (; n >= 8; n -= 8, x += 8, y += 8) {
        uint64_t p = *(const u64 *)x, q = *(const u64 *)y;
        if (p != q) {
            p = __builtin_bswap64(p);
            q = __builtin_bswap64(q);
            return p < q ? -1 : 1;
        }
    }
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}
