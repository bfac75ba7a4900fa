/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cp932.h"

#include "base/buf.h"

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
