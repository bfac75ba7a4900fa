/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cp932.h"

#include "base/buf.h"
#include "base/str.h"

#include <pthread.h>
#include <string.h>

static void put_utf8(struct buf *b, unsigned code)
{
    if (code < 0x80) {
        buf_putc(b, (char)code);
    } else if (code < 0x800) {
        buf_putc(b, (char)(0xc0 | code >> 6));
        buf_putc(b, (char)(0x80 | (code & 0x3f)));
    } else {
        buf_putc(b, (char)(0xe0 | code >> 12));
        buf_putc(b, (char)(0x80 | (code >> 6 & 0x3f)));
        buf_putc(b, (char)(0x80 | (code & 0x3f)));
    }
}

static unsigned find_pair(unsigned lead, unsigned trail)
{
    bool low = lead >= 0x81 && lead <= 0x9f;
    bool high = lead >= 0xe0 && lead <= 0xfc;

    if ((!low && !high) || trail < 0x40 || trail > 0xfc)
        return 0;
    return cp932_table[low ? lead - 0x81 : lead - 0xe0 + 31][trail - 0x40];
}

bool cp932_decode(struct arena *mem, const char *in, size_t len, char **out,
                  size_t *out_len, size_t *bad_offset)
{
    struct buf b = buf_in(mem);

    buf_reserve(&b, len + len / 2 + 1);
    for (size_t i = 0; i < len; i++) {
        unsigned ch = (unsigned char)in[i];
        unsigned code = ch;
        if (ch >= 0xa1 && ch <= 0xdf) {
            code = 0xff61 + (ch - 0xa1); /* half-width kana */
        } else if (ch >= 0x80) {
            code = i + 1 < len ? find_pair(ch, (unsigned char)in[i + 1]) : 0;
            *bad_offset = i;
            i++;
        }
        if (code == 0)
            return false;
        put_utf8(&b, code);
    }
    *out = b.data ? b.data : arena_strdup(mem, "");
    *out_len = b.len;
    return true;
}

/* ---- the other way ---- */

static unsigned short pairs[65536]; /* by code point: lead << 8 | trail */

static void learn_row(unsigned lead)
{
    for (unsigned trail = 0x40; trail <= 0xfc; trail++) {
        unsigned code = find_pair(lead, trail);
        if (code && !pairs[code])
            pairs[code] = (unsigned short)(lead << 8 | trail);
    }
}

/* Of two places for one character Windows writes the first, but for the rows
 * 0xED and 0xEE, which repeat what 0xFA to 0xFC hold. */
static void learn_pairs(void)
{
    for (unsigned lead = 0x81; lead <= 0xfc; lead++)
        if (lead != 0xed && lead != 0xee)
            learn_row(lead);
    learn_row(0xed);
    learn_row(0xee);
}

static uint32_t as_windows(uint32_t code)
{
    static const unsigned short others[][2] = {
        {0x301c, 0xff5e}, {0x2212, 0xff0d}, {0x2016, 0x2225}, {0x2014, 0x2015},
        {0x00a2, 0xffe0}, {0x00a3, 0xffe1}, {0x00ac, 0xffe2},
    };

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (others[i][0] == code)
            return others[i][1];
    return code;
}

static bool put_932(struct buf *b, uint32_t code)
{
    if (code < 0x80) {
        buf_putc(b, (char)code);
        return true;
    }
    if (code >= 0xff61 && code <= 0xff9f) {
        buf_putc(b, (char)(0xa1 + (code - 0xff61)));
        return true;
    }
    unsigned pair = code < 0x10000 ? pairs[as_windows(code)] : 0;
    if (!pair)
        return false;
    buf_putc(b, (char)(pair >> 8));
    buf_putc(b, (char)(pair & 0xff));
    return true;
}

/* A kana and the mark behind it (U+3099, U+309A; macOS writes file names so),
 * as the one character that they are.  Only these are composed: NFC of a whole
 * text would also replace ideographs that CP932 has. */
static uint32_t compose_kana(struct arena *mem, const char *in, size_t len,
                             uint32_t code, size_t *bytes)
{
    uint32_t mark = 0, one = 0;
    size_t n = *bytes < len ? str_decode(in + *bytes, len - *bytes, &mark) : 0;

    if (code < 0x3041 || code > 0x30ff || (mark != 0x3099 && mark != 0x309a))
        return code;
    const char *pair = str_normalize(mem, arena_strndup(mem, in, *bytes + n));
    if (str_decode(pair, strlen(pair), &one) != strlen(pair))
        return code;
    *bytes += n;
    return one;
}

bool cp932_encode(struct arena *mem, const char *in, size_t len, char **out,
                  size_t *out_len, size_t *bad_offset)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct buf b = buf_in(mem);

    (void)pthread_once(&once, learn_pairs);
    buf_reserve(&b, len + 1);
    for (size_t i = 0; i < len;) {
        uint32_t code = 0;
        size_t n = str_decode(in + i, len - i, &code);
        *bad_offset = i;
        code = compose_kana(mem, in + i, len - i, code, &n);
        if (n == 0 || !put_932(&b, code))
            return false;
        i += n;
    }
    *out = b.data ? b.data : arena_strdup(mem, "");
    *out_len = b.len;
    return true;
}
