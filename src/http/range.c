/* SPDX-License-Identifier: Apache-2.0 */
#include "http/range.h"

#include "base/str.h"

#include <string.h>

enum { DIGITS_MAX = 18 };

/* Digits up to end, -1 for none or what is no number. */
static int64_t read_number(const char *text, size_t len)
{
    int64_t value = 0;

    if (len == 0 || len > DIGITS_MAX)
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

enum range_kind range_read(const char *header, int64_t whole_bytes,
                           int64_t *from, int64_t *bytes)
{
    *from = 0;
    *bytes = whole_bytes;
    if (!header || !str_starts(header, "bytes="))
        return RANGE_WHOLE;
    const char *text = header + strlen("bytes=");
    const char *dash = strchr(text, '-');
    if (!dash)
        return RANGE_WHOLE;
    int64_t first = read_number(text, (size_t)(dash - text));
    int64_t last = read_number(dash + 1, strlen(dash + 1));
    if ((dash > text && first < 0) || (dash[1] && last < 0) ||
        (first < 0 && last < 0) || (first >= 0 && last >= 0 && last < first))
        return RANGE_WHOLE;
    if (first < 0) { /* the last so many */
        first = last < whole_bytes ? whole_bytes - last : 0;
        if (last == 0)
            return RANGE_OUTSIDE;
        last = whole_bytes - 1;
    }
    if (first >= whole_bytes)
        return RANGE_OUTSIDE;
    if (last < 0 || last >= whole_bytes)
        last = whole_bytes - 1;
    *from = first;
    *bytes = last - first + 1;
    return RANGE_PART;
}
