/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator promises about places is compared as words here; whether
 * a machine stands where its tag says, no program can know. */
#include "core/region.h"

#include "core/core.h"
#include "core/document.h"
#include "db/query.h"

#include <string.h>

static const char *const region_text[] = {
    "SELECT regions FROM document WHERE kind = ?1 AND no > 0"
    " ORDER BY no DESC LIMIT 1",
};
const struct query_set region_queries = {"region", region_text,
                                         COUNT(region_text)};

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

enum err region_list_stated(struct ctx *c, const char **out)
{
    struct query *q = query(c, region_text[0]);

    bind_int(q, 1, DOCUMENT_LOCATION);
    enum err e = query_one(c, q);
    if (e && e != ERR_NOT_FOUND)
        return e;
    *out = e ? REGION_DEFAULT : col_text(c, q, 0);
    query_done(q);
    return OK;
}

enum err region_check(struct ctx *c, const char *field, const char *tag)
{
    const char *list;

    if (!region_is_tag(tag))
        return ctx_fail(
            c, ERR_INVALID, field, "region",
            "地域は国の2文字、または国と詳細（例: jp、jp-tokyo）で書いて"
            "ください",
            "Write the region as a country's two letters, with more after a "
            "hyphen if need be: jp, jp-tokyo");
    enum err e = region_list_stated(c, &list);
    if (e || region_list_covers(list, tag))
        return e;
    return ctx_fail(
        c, ERR_INVALID, field, "outside",
        "この地域（%s）は「データの所在」で示した地域（%s）の外です",
        "This region (%s) is not among those the statement of "
        "where data is kept names (%s)",
        tag, list);
}
