/* SPDX-License-Identifier: Apache-2.0 */
/* The list of measurements that the trust page is put together from: adding
 * to it, and the two ways in which a reader's language writes a moment. */
#include "core/trust_evidence.h"

#include "base/civil.h"
#include "base/clock.h"

#include <stdarg.h>
#include <string.h>

#define US_PER_DAY INT64_C(86400000000)

const char *trust_moment(struct ctx *c, int64_t at)
{
    return clock_say(c->mem, at, c->actor->lang != LANG_EN);
}

const char *trust_day(struct ctx *c, int32_t day)
{
    if (day == DAY_NONE)
        return "-";
    /* noon in UTC is the evening of the same day in Japan */
    const char *text = trust_moment(c, day * US_PER_DAY + US_PER_DAY / 2);
    return arena_strndup(c->mem, text, strlen(text) - strlen(" 21:00"));
}

static struct trust_evidence *add(struct ctx *c, struct trust_list *list,
                                  int no, bool holds)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 64;
        struct trust_evidence *items =
            arena_array(c->mem, struct trust_evidence, cap);
        if (list->count)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->cap = cap;
    }
    struct trust_evidence *item = &list->items[list->count++];
    *item = (struct trust_evidence){
        .no = no, .holds = holds, .at = c->now_us, .period_us = TRUST_AGE_US};
    return item;
}

void trust_say(struct ctx *c, struct trust_list *list, int no, bool holds,
               const char *ja, const char *en, ...)
{
    va_list args;

    va_start(args, en);
    add(c, list, no, holds)->text = c->actor->lang == LANG_EN
                                        ? arena_vprintf(c->mem, en, args)
                                        : arena_vprintf(c->mem, ja, args);
    va_end(args);
}

void trust_show(struct ctx *c, struct trust_list *list, int no, bool holds,
                const char *ja, const char *en, ...)
{
    struct trust_evidence *item = add(c, list, no, holds);
    va_list args;

    va_start(args, en);
    item->text = c->actor->lang == LANG_EN ? arena_vprintf(c->mem, en, args)
                                           : arena_vprintf(c->mem, ja, args);
    va_end(args);
    item->shown = item->text;
}

void trust_date(struct trust_list *list, int64_t at, int64_t period_us)
{
    list->items[list->count - 1].at = at;
    list->items[list->count - 1].period_us = period_us;
}

void trust_tell_others(struct ctx *c, struct trust_list *list, const char *ja,
                       const char *en)
{
    struct trust_evidence *item = &list->items[list->count - 1];

    item->shown = arena_printf(
        c->mem, "%s%s", ctx_text(c, ja, en),
        item->holds
            ? ctx_text(c, "：満たしています", ": as it should be")
            : ctx_text(c, "：満たしていません", ": not as it should be"));
}
