/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator promises about places is compared as words here; whether
 * a machine stands where its tag says, no program can know. */
#include "core/document/region_tag.h"

#include <stddef.h>
#include <string.h>

static bool is_lower(char ch)
{
    return ch >= 'a' && ch <= 'z';
}

static bool is_tag(const char *text, size_t len)
{
    if (len < 2 || len > REGION_CHARS || !is_lower(text[0]) ||
        !is_lower(text[1]))
        return false;
    if (len > 2 && (text[2] != '-' || len == 3))
        return false;
    for (size_t i = 3; i < len; i++)
        if (!is_lower(text[i]) && !(text[i] >= '0' && text[i] <= '9') &&
            text[i] != '-')
            return false;
    return true;
}

bool region_is_tag(const char *text)
{
    return text && is_tag(text, strlen(text));
}

bool region_is_list(const char *text)
{
    bool any = false;

    while (text && *text) {
        size_t len = strcspn(text, " ");
        if (len && !is_tag(text, len))
            return false;
        any = any || len;
        text += len + (text[len] == ' ');
    }
    return any;
}

bool region_list_covers(const char *list, const char *tag)
{
    while (*list) {
        size_t len = strcspn(list, " ");
        if (len && strncmp(list, tag, len) == 0 &&
            (!tag[len] || (len == 2 && tag[len] == '-')))
            return true;
        list += len + (list[len] == ' ');
    }
    return false;
}
