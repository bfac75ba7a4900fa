/* SPDX-License-Identifier: Apache-2.0 */
/* Regions are held against the published statement of where data is kept. */
#include "core/document/region.h"

#include "core/core.h"
#include "core/document/document.h"
#include "db/query.h"

static const char *const region_text[] = {
    "SELECT regions FROM document WHERE kind = ?1 AND no > 0"
    " ORDER BY no DESC LIMIT 1",
};
const struct query_set region_queries = {"region", region_text,
                                         COUNT(region_text)};

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
