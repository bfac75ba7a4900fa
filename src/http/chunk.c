/* SPDX-License-Identifier: Apache-2.0 */
/* Chunked transfer coding, RFC 9112 section 7.1, as a state machine over
 * bytes: it never asks for more than it was given, so that the reader alone
 * decides on deadlines, and it knows to the byte where the body ends. */
#include "http/chunk.h"

static int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    if (ch >= 'a' && ch <= 'f')
        return ch - 'a' + 10;
    return ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

static enum err take_size(struct chunk *c, char ch)
{
    int digit = hex_digit(ch);
    if (digit >= 0 && c->digits < 8) {
        c->left = c->left * 16 + (size_t)digit;
        c->digits++;
        return OK;
    }
    if (ch != '\r' || c->digits == 0)
        return ERR_INVALID;
    c->state = CHUNK_SIZE_LF;
    return OK;
}

/* A byte of framing must be the one expected. */
static enum err take_mark(struct chunk *c, char ch)
{
    static const char expected[] = {
        [CHUNK_SIZE_LF] = '\n', [CHUNK_DATA_CR] = '\r', [CHUNK_DATA_LF] = '\n',
        [CHUNK_END_CR] = '\r',  [CHUNK_END_LF] = '\n',
    };
    if (ch != expected[c->state])
        return ERR_INVALID;
    if (c->state == CHUNK_SIZE_LF) {
        c->state = c->left ? CHUNK_DATA : CHUNK_END_CR;
        c->digits = 0;
    } else if (c->state == CHUNK_DATA_LF) {
        c->state = CHUNK_SIZE;
    } else {
        c->state++;
    }
    return OK;
}

enum err chunk_feed(struct chunk *c, const char *data, size_t len, size_t limit,
                    struct buf *out, size_t *used)
{
    size_t at = 0;
    while (at < len && c->state != CHUNK_DONE) {
        enum err e = OK;
        if (c->state == CHUNK_DATA) {
            size_t n = len - at < c->left ? len - at : c->left;
            buf_put(out, data + at, n);
            at += n;
            c->left -= n;
            if (c->left == 0)
                c->state = CHUNK_DATA_CR;
        } else if (c->state == CHUNK_SIZE) {
            e = take_size(c, data[at++]);
            if (!e && c->state == CHUNK_SIZE_LF && c->left > limit - out->len)
                e = ERR_LIMIT;
        } else {
            e = take_mark(c, data[at++]);
        }
        *used = at;
        if (e)
            return e;
    }
    *used = at;
    return OK;
}
