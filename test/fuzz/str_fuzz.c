/* SPDX-License-Identifier: Apache-2.0 */
/* Folding and normalizing keep valid UTF-8 valid and change nothing the
 * second time; encodings come back as they went. */
#include "base/str.h"

#include <stdint.h>
#include <string.h>

#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct arena *mem, const char *text)
{
    char *folded = str_fold(mem, text);
    must(str_is_utf8(folded, strlen(folded), NULL));
    must(strcmp(str_fold(mem, folded), folded) == 0);
    char *normal = str_normalize(mem, text);
    must(str_is_utf8(normal, strlen(normal), NULL));
    must(strcmp(str_normalize(mem, normal), normal) == 0);
    must(strcmp(str_fold(mem, normal), folded) == 0);
    char *trimmed = str_trim(mem, text);
    must(strcmp(str_trim(mem, trimmed), trimmed) == 0);
    must(str_count_chars(trimmed) <= str_count_chars(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_open(0);
    size_t bad = 0, len = 0;
    void *back = NULL;
    int64_t number = 0;
    char *text = arena_strndup(mem, (const char *)data, size);
    if (str_is_utf8(text, strlen(text), &bad))
        check_text(mem, text);
    else
        must(bad < strlen(text) && str_has_control(text, true));
    (void)str_fold(mem, text);
    (void)str_trim(mem, text);
    (void)str_is_email(text);
    (void)str_parse_int(text, INT64_MIN, INT64_MAX, &number);

    char *coded = str_to_base64url(mem, data, size);
    must(str_from_base64url(mem, coded, &back, &len));
    must(len == size && memcmp(back, data, size) == 0);
    if (str_from_base64url(mem, text, &back, &len))
        must(strcmp(str_to_base64url(mem, back, len), text) == 0);
    arena_close(mem);
    return 0;
}
