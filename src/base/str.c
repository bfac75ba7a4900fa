/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 text.  Everything that enters is decoded once, strictly, by
 * str_decode(); later code may then trust its strings.  Folding is what makes
 * ｶﾞﾝﾄ, ガント and がんと the same word to a search: utf8proc does NFKC and case,
 * the step from katakana to hiragana is ours. */
#include "base/str.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/buf.h"
#include "base/err.h"

static size_t lead_length(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    if (lead >= 0xF0 && lead <= 0xF4)
        return 4;
    return 0;
}

size_t str_decode(const char *text, size_t len, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    static const unsigned char lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    if (len == 0)
        return 0;
    const unsigned char *byte = (const unsigned char *)text;
    size_t n = lead_length(byte[0]);
    if (n == 0 || n > len)
        return 0;
    uint32_t ch = byte[0] & lead_bits[n];
    for (size_t i = 1; i < n; i++) {
        if ((byte[i] & 0xC0) != 0x80)
            return 0;
        ch = ch << 6 | (byte[i] & 0x3FU);
    }
    if (ch < least[n] || ch > 0x10FFFF || (ch >= 0xD800 && ch <= 0xDFFF))
        return 0;
    *out = ch;
    return n;
}

bool str_is_utf8(const char *text, size_t len, size_t *bad_offset)
{
    uint32_t ch = 0;
    for (size_t at = 0; at < len;) {
        size_t n = str_decode(text + at, len - at, &ch);
        if (n == 0) {
            if (bad_offset)
                *bad_offset = at;
            return false;
        }
        at += n;
    }
    return true;
}

size_t str_count_chars(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

bool str_is_control(uint32_t ch, bool lines_allowed)
{
    if (ch == '\t' || ch == '\r' || ch == '\n')
        return !lines_allowed;
    return ch < 0x20 || (ch >= 0x7F && ch <= 0x9F) ||
           (ch >= 0x2028 && ch <= 0x202E) || (ch >= 0x2066 && ch <= 0x2069);
}

bool str_has_control(const char *text, bool lines_allowed)
{
    size_t len = strlen(text);
    for (size_t at = 0; at < len;) {
        uint32_t ch = 0;
        size_t n = str_decode(text + at, len - at, &ch);
        if (n == 0 || str_is_control(ch, lines_allowed))
            return true;
        at += n;
    }
    return false;
}

static bool is_letter_or_digit(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
           (ch >= '0' && ch <= '9');
}

static bool is_dot_atom(const char *text, size_t len)
{
    if (len == 0 || text[0] == '.' || text[len - 1] == '.')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' && text[i - 1] == '.')
            return false;
        if (text[i] != '.' && !is_letter_or_digit(text[i]) &&
            !memchr("!#$%&'*+-/=?^_`{|}~", text[i], 19))
            return false;
    }
    return true;
}

/* At least two labels, so that a forgotten ".co.jp" is caught. */
static bool is_domain(const char *text)
{
    size_t labels = 0;
    for (;;) {
        size_t len = strcspn(text, ".");
        if (len == 0 || len > 63 || text[0] == '-' || text[len - 1] == '-')
            return false;
        for (size_t i = 0; i < len; i++)
            if (!is_letter_or_digit(text[i]) && text[i] != '-')
                return false;
        labels++;
        if (!text[len])
            return labels >= 2;
        text += len + 1;
    }
}

bool str_is_email(const char *text)
{
    const char *at = strchr(text, '@');
    if (!at || strlen(text) > 254 || at - text > 64)
        return false;
    return is_dot_atom(text, (size_t)(at - text)) && is_domain(at + 1);
}

bool str_equal(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool str_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_parse_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
    bool is_negative = *text == '-';
    if (is_negative)
        text++;
    if (!*text)
        return false;
    /* Collected below zero, where one more number fits than above. */
    int64_t number = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        int64_t digit = *text - '0';
        if (number < (INT64_MIN + digit) / 10)
            return false;
        number = number * 10 - digit;
    }
    if (!is_negative && number == INT64_MIN)
        return false;
    if (!is_negative)
        number = -number;
    if (number < min || number > max)
        return false;
    *out = number;
    return true;
}

/* White space, and what no font shows: a text of these alone says nothing. */
static bool is_space(uint32_t ch)
{
    return ch == ' ' || (ch >= '\t' && ch <= '\r') || ch == 0xA0 ||
           ch == 0xAD || ch == 0x1680 || ch == 0x180E ||
           (ch >= 0x2000 && ch <= 0x200F) || (ch >= 0x2028 && ch <= 0x202F) ||
           (ch >= 0x205F && ch <= 0x206F) || ch == 0x115F || ch == 0x1160 ||
           ch == 0x2800 || ch == 0x3000 || ch == 0x3164 || ch == 0xFEFF ||
           ch == 0xFFA0;
}

char *str_trim(struct arena *mem, const char *text)
{
    size_t len = strlen(text);
    size_t start = len, end = len;
    for (size_t at = 0; at < len;) {
        uint32_t ch = 0;
        size_t n = str_decode(text + at, len - at, &ch);
        bool is_blank = n != 0 && is_space(ch);
        n = n ? n : 1;
        if (!is_blank) {
            if (start == len)
                start = at;
            end = at + n;
        }
        at += n;
    }
    return arena_strndup(mem, text + start, end - start);
}

/* Text that is not UTF-8 comes back unchanged: callers have refused it. */
static char *map_text(struct arena *mem, const char *text, unsigned options)
{
    utf8proc_uint8_t *mapped = NULL;
    utf8proc_ssize_t len =
        utf8proc_map((const utf8proc_uint8_t *)text, 0, &mapped,
                     (utf8proc_option_t)(options | UTF8PROC_NULLTERM |
                                         UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    must(len != UTF8PROC_ERROR_NOMEM);
    if (len < 0)
        return arena_strdup(mem, text);
    char *copy = arena_strndup(mem, (const char *)mapped, (size_t)len);
    free(mapped);
    return copy;
}

/* ヷヸヹヺ have no hiragana of their own: the plain kana and a voiced mark. */
static uint32_t fold_kana(uint32_t ch, bool *is_voiced)
{
    static const uint32_t plain[] = {0x308F, 0x3090, 0x3091, 0x3092};
    *is_voiced = ch >= 0x30F7 && ch <= 0x30FA;
    if (*is_voiced)
        return plain[ch - 0x30F7];
    if ((ch >= 0x30A1 && ch <= 0x30F6) || ch == 0x30FD || ch == 0x30FE)
        return ch - 0x60;
    return ch;
}

static void put_kana(struct buf *b, uint32_t ch)
{
    const char bytes[] = {(char)(0xE0 | ch >> 12),
                          (char)(0x80 | (ch >> 6 & 0x3F)),
                          (char)(0x80 | (ch & 0x3F))};
    buf_put(b, bytes, sizeof bytes);
}

/* Keys, addresses, plain text: what utf8proc would do to them. */
static char *fold_ascii(struct arena *mem, const char *text, size_t len)
{
    char *out = arena_strndup(mem, text, len);

    for (char *at = out; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return out;
}

/* What utf8proc leaves as it is, whatever stands beside it: most Japanese
 * text.  Marks that compose with the letter before are not among it. */
static bool is_plain(uint32_t ch)
{
    return ch < 0x80 || (ch >= 0x3041 && ch <= 0x3096) ||
           (ch >= 0x30A1 && ch <= 0x30FC) || (ch >= 0x4E00 && ch <= 0x9FFF) ||
           ch == 0x3001 || ch == 0x3002;
}

static bool is_plain_text(const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        uint32_t ch = 0;
        size_t n = str_decode(text + at, len - at, &ch);
        if (!n || !is_plain(ch))
            return false;
        at += n;
    }
    return true;
}

char *str_fold(struct arena *mem, const char *text)
{
    size_t ascii = 0;

    while (text[ascii] && (unsigned char)text[ascii] < 0x80)
        ascii++;
    if (!text[ascii])
        return fold_ascii(mem, text, ascii);
    size_t rest = strlen(text + ascii);
    const char *mapped =
        is_plain_text(text + ascii, rest)
            ? fold_ascii(mem, text, ascii + rest)
            : map_text(mem, text,
                       UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
    size_t len = strlen(mapped);
    struct buf b = buf_in(mem);
    bool has_marks = false;
    buf_reserve(&b, len);
    for (size_t at = 0; at < len;) {
        uint32_t ch = 0;
        size_t n = str_decode(mapped + at, len - at, &ch);
        bool is_voiced = false;
        uint32_t folded = n ? fold_kana(ch, &is_voiced) : ch;
        n = n ? n : 1;
        if (folded == ch)
            buf_put(&b, mapped + at, n);
        else
            put_kana(&b, folded);
        if (is_voiced)
            put_kana(&b, 0x3099);
        has_marks |= is_voiced;
        at += n;
    }
    buf_put(&b, "", 0);
    /* The mark put in may stand before one that goes before it. */
    return has_marks ? map_text(mem, b.data, 0) : b.data;
}

const char *str_digits(struct arena *mem, const char *text)
{
    char *out = str_fold(mem, text), *to = out;

    for (const char *p = out; *p; p++) {
        if (*p >= '0' && *p <= '9')
            *to++ = *p;
        else if (!strchr(" \t-", *p))
            return text;
    }
    *to = 0;
    return out;
}

char *str_normalize(struct arena *mem, const char *text)
{
    return map_text(mem, text, 0);
}

void str_to_hex(const void *data, size_t len, char *out)
{
    const unsigned char *byte = data;
    for (size_t i = 0; i < len; i++) {
        *out++ = "0123456789abcdef"[byte[i] >> 4];
        *out++ = "0123456789abcdef"[byte[i] & 15];
    }
    *out = '\0';
}

static int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    if (ch >= 'a' && ch <= 'f')
        return ch - 'a' + 10;
    if (ch >= 'A' && ch <= 'F')
        return ch - 'A' + 10;
    return -1;
}

bool str_from_hex(const char *hex, void *out, size_t len)
{
    if (strlen(hex) != len * 2)
        return false;
    unsigned char *byte = out;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(hex[2 * i]);
        int low = hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        byte[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                    "abcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Three bytes become four digits; a rest of 1 or 2 bytes becomes 2 or 3. */
static size_t encode(const unsigned char *byte, size_t len, const char *digits,
                     char *out)
{
    size_t used = 0;
    for (size_t at = 0; at < len; at += 3) {
        size_t n = len - at < 3 ? len - at : 3;
        uint32_t group = (uint32_t)byte[at] << 16;
        if (n > 1)
            group |= (uint32_t)byte[at + 1] << 8;
        if (n > 2)
            group |= byte[at + 2];
        for (size_t i = 0; i <= n; i++)
            out[used++] = digits[group >> (18 - 6 * i) & 63];
    }
    return used;
}

static char *encode_in(struct arena *mem, const void *data, size_t len,
                       const char *digits)
{
    must(len < SIZE_MAX / 2);
    char *out = arena_alloc(mem, len / 3 * 4 + 5);
    encode(data, len, digits, out);
    return out;
}

char *str_to_base64url(struct arena *mem, const void *data, size_t len)
{
    return encode_in(mem, data, len, base64url_digits);
}

char *str_to_base64(struct arena *mem, const void *data, size_t len)
{
    char *out = encode_in(mem, data, len, base64_digits);
    if (len % 3)
        memcpy(out + strlen(out), "==", 3 - len % 3);
    return out;
}

/* One spelling for each value: padding and stray low bits are refused. */
bool str_from_base64url(struct arena *mem, const char *text, void **out,
                        size_t *out_len)
{
    size_t len = strlen(text);
    if (len % 4 == 1)
        return false;
    unsigned char *byte = arena_alloc(mem, len / 4 * 3 + 4);
    size_t used = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (; *text; text++) {
        const char *digit = strchr(base64url_digits, *text);
        if (!digit)
            return false;
        bits = bits << 6 | (uint32_t)(digit - base64url_digits);
        held += 6;
        if (held >= 8) {
            held -= 8;
            byte[used++] = (unsigned char)(bits >> held);
            bits &= (1U << held) - 1;
        }
    }
    if (bits)
        return false;
    *out = byte;
    *out_len = used;
    return true;
}
