/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/* UTF-8 text.  Offsets are bytes, lengths named chars are code points. */
/* Reads one code point strictly (no overlong forms, no surrogates); returns
 * its bytes, or 0 when text does not begin with a whole one. */
size_t str_decode(const char *text, size_t len, uint32_t *out);
bool str_is_utf8(const char *text, size_t len, size_t *bad_offset);
size_t str_count_chars(const char *text);
/* C0, DEL, C1, line separators, and the bidi embeddings, overrides and
 * isolates; lines_allowed lets tab, CR, LF pass. */
bool str_is_control(uint32_t ch, bool lines_allowed);
bool str_has_control(const char *text, bool lines_allowed);
bool str_is_email(const char *text); /* RFC 5321 dot-atom, <= 254 bytes */
bool str_equal(const char *a, const char *b); /* NULL-safe */
bool str_starts(const char *text, const char *prefix);
bool str_parse_int(const char *text, int64_t min, int64_t max, int64_t *out);
/* Also U+3000, and what no font shows, such as U+200B. */
char *str_trim(struct arena *mem, const char *text);

/* NFKC, case-folded, kana folded (katakana to hiragana, half width to full):
 * the form two texts are compared and searched in. */
char *str_fold(struct arena *mem, const char *text);
/* What a person types for a code of digits: full width or not, with spaces or
 * hyphens between them; any other text comes back as it is. */
const char *str_digits(struct arena *mem, const char *text);
/* NFC, for storing names. */
char *str_normalize(struct arena *mem, const char *text);

/* Lower-case hex; the buffer holds 2 * len + 1. */
void str_to_hex(const void *data, size_t len, char *out);
bool str_from_hex(const char *hex, void *out, size_t len);
/* base64url without padding. */
char *str_to_base64url(struct arena *mem, const void *data, size_t len);
bool str_from_base64url(struct arena *mem, const char *text, void **out,
                        size_t *out_len);
char *str_to_base64(struct arena *mem, const void *data, size_t len);

#endif
