/* SPDX-License-Identifier: Apache-2.0 */
/* What documents prove: that they are published, and that somebody looked at
 * them when it was due.  The regions of paths are what the operator stated in
 * the configuration, compared with what customers are told. */
#include "core/document/document.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/str.h"
#include "core/document/region.h"
#include "core/trust/trust.h"

/* What row 1 says is public is; what is stated says something. */
static const char *find_lack(struct ctx *c, int row, const struct document *d)
{
    if (!*str_trim(c->mem, d->ja) || !*str_trim(c->mem, d->en))
        return ctx_text(c, "本文が空です", "its text is empty");
    if (row == 1 && !d->is_public)
        return ctx_text(c, "公開ページに出ていません",
                        "not on the public page");
    return NULL;
}

static enum err measure_one(struct ctx *c, int row, enum document_kind kind,
                            struct trust_list *out)
{
    const char *title =
        ctx_text(c, document_titles[kind][0], document_titles[kind][1]);
    struct document d;
    enum err e = document_get_newest(c, kind, &d);

    if (e == ERR_NOT_FOUND) {
        trust_show(c, out, row, false, "%s: まだ公開されていません",
                   "%s: not published yet", title);
        return OK;
    }
    if (e)
        return e;
    const char *since = trust_day(c, clock_today(d.published_at));
    const char *lack = find_lack(c, row, &d);
    if (lack)
        trust_show(c, out, row, false, "%s: 第%lld版（%s）、%s",
                   "%s: version %lld of %s, %s", title, (long long)d.no, since,
                   lack);
    else if (d.review_on < clock_today(c->now_us))
        trust_show(c, out, row, false,
                   "%s: 第%lld版（%s）、見直しの期限 %s を過ぎています",
                   "%s: version %lld of %s, whose review was due on %s", title,
                   (long long)d.no, since, trust_day(c, d.review_on));
    else
        trust_show(c, out, row, true, "%s: 第%lld版（%s）、次の見直し %s",
                   "%s: version %lld of %s, next review %s", title,
                   (long long)d.no, since, trust_day(c, d.review_on));
    return OK;
}

static void measure_path(struct ctx *c, const char *list, const char *what,
                         const char *key, const char *tag,
                         struct trust_list *out)
{
    if (!tag) {
        trust_say(c, out, 3, false, "%sの地域が設定されていません（%s）",
                  "%s: no region is set (%s)", what, key);
        trust_tell_others(c, out, arena_printf(c->mem, "%sの地域の設定", what),
                          arena_printf(c->mem, "%s: the region set", what));
    } else
        trust_show(c, out, 3, region_list_covers(list, tag),
                   "%sの地域: %s（示した地域: %s）",
                   "%s: region %s (stated: %s)", what, tag, list);
}

enum err document_measure(struct ctx *c, const struct app *app,
                          struct trust_list *out)
{
    static const struct {
        int row;
        enum document_kind kind;
    } rows[] = {
        {1, DOCUMENT_BASIC},          {1, DOCUMENT_INDIVIDUAL},
        {1, DOCUMENT_CLOUD},          {3, DOCUMENT_LOCATION},
        {4, DOCUMENT_RESPONSIBILITY}, {26, DOCUMENT_PLATFORM},
        {34, DOCUMENT_LAW},           {34, DOCUMENT_PRIVACY},
    };
    const char *list;
    enum err e = OK;

    for (size_t i = 0; !e && i < COUNT(rows); i++)
        e = measure_one(c, rows[i].row, rows[i].kind, out);
    if (e || (e = region_list_stated(c, &list)))
        return e;
    measure_path(c, list, ctx_text(c, "データ", "Data"), "data_region",
                 app->data_region, out);
    measure_path(c, list, ctx_text(c, "バックアップ", "Backups"),
                 "backup_region", app->backup_region, out);
    measure_path(c, list, ctx_text(c, "ログ", "Logs"), "log_region",
                 app->log_region, out);
    return OK;
}
