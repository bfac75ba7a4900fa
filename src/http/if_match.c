/* SPDX-License-Identifier: Apache-2.0 */
/* Versions only grow: of several that a client knows, only the newest can be
 * the one that is there. */
#include "http/if_match.h"

#include "base/str.h"

#include <stdbool.h>
#include <string.h>

enum { DIGITS_MAX = 18 };

/* Our tags are the digits of a version and nothing else. */
static bool read_version(const char *text, size_t len, int64_t *version)
{
    char digits[DIGITS_MAX + 1] = "";

    if (len == 0 || len > DIGITS_MAX)
        return false;
    memcpy(digits, text, len);
    return str_parse_int(digits, 0, INT64_MAX, version);
}

/* One tag of the list and what parts it from the next; false when malformed. */
static bool read_tag(const char **at, int64_t *version)
{
    const char *p = *at;
    bool is_weak = str_starts(p, "W/");
    int64_t found = 0;

    p += is_weak ? 2 : 0;
    if (*p++ != '"')
        return false;
    size_t len = strcspn(p, "\"");
    if (p[len] != '"')
        return false;
    if (!is_weak && read_version(p, len, &found) && found > *version)
        *version = found;
    p += len + 1;
    p += strspn(p, " \t");
    if (*p && *p != ',')
        return false;
    *at = p + strspn(p, ", \t");
    return true;
}

enum if_match_kind if_match_read(const char *header, int64_t *version)
{
    const char *p = header ? header + strspn(header, ", \t") : "";

    *version = -1;
    if (!*p)
        return IF_MATCH_MISSING;
    while (*p)
        if (!read_tag(&p, version))
            return IF_MATCH_MISSING;
    return *version < 0 ? IF_MATCH_NEVER : IF_MATCH_VERSION;
}
