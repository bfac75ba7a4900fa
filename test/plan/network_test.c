/* SPDX-License-Identifier: Apache-2.0 */
/* The network by known answers, in a month that shows its week-ends, and by
 * what must hold of any network: an independent count of working time judges
 * every link after a push. */
#include "plan/network.h"

#include "base/civil.h"
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* June 2026 begins on a Monday and has no holiday: 6, 7, 13, 14, 20, 21 are
 * free.  Tables write its days as numbers; 0 is not planned. */
static int32_t june(int day)
{
    return day == 0 ? DAY_NONE : civil_from_ymd(2026, 5, 31) + day;
}

static int as_june(int32_t day)
{
    return day == DAY_NONE ? 0 : (int)(day - june(1)) + 1;
}

static const struct calendar *weekdays(struct arena *mem)
{
    return calendar_compile(mem, &(struct calendar_rule){.weekdays = 62},
                            june(1) - 400, june(1) + 400);
}

enum what { BAR, MILESTONE, MANUAL, MANUAL_MILESTONE, FIXED };

static struct activity activity_of(enum what what, int parent, int start,
                                   int end)
{
    return (struct activity){
        .parent = parent,
        .is_milestone = what == MILESTONE || what == MANUAL_MILESTONE,
        .is_manual = what == MANUAL || what == MANUAL_MILESTONE,
        .is_fixed = what == FIXED,
        .start = june(start),
        .end = june(end),
    };
}

/* ---- one link: the earliest start ---- */

static void test_the_earliest_start_by_kind_and_lag(void **state)
{
    (void)state;
    static const struct {
        enum link_kind kind;
        int64_t lag;
        enum what from;
        int from_start, from_end;
        enum what to; /* two days long, or a milestone */
        int earliest;
    } rows[] = {
        {LINK_FS, 0, BAR, 3, 5, BAR, 8},
        {LINK_FS, 1, BAR, 3, 5, BAR, 9},
        {LINK_FS, -1, BAR, 3, 5, BAR, 5},
        {LINK_FS, -3, BAR, 3, 5, BAR, 3},
        {LINK_FS, 5, BAR, 3, 5, BAR, 15},
        /* a milestone stands at the end of the day its predecessor ends */
        {LINK_FS, 0, BAR, 3, 5, MILESTONE, 5},
        {LINK_FS, 1, BAR, 3, 5, MILESTONE, 8},
        {LINK_SS, 0, BAR, 3, 5, BAR, 3},
        {LINK_SS, 3, BAR, 3, 5, BAR, 8},
        {LINK_SS, -2, BAR, 3, 5, BAR, 1},
        {LINK_SS, 0, BAR, 3, 5, MILESTONE, 3},
        /* both days of the bar lie before the wanted end */
        {LINK_FF, 0, BAR, 3, 5, BAR, 4},
        {LINK_FF, 1, BAR, 3, 5, BAR, 5},
        {LINK_FF, 2, BAR, 3, 5, BAR, 8},
        {LINK_FF, -2, BAR, 3, 5, BAR, 2},
        {LINK_FF, 0, BAR, 3, 5, MILESTONE, 5},
        {LINK_FF, 1, BAR, 3, 5, MILESTONE, 8},
        /* it ends the day before the predecessor begins */
        {LINK_SF, 0, BAR, 3, 5, BAR, 1},
        {LINK_SF, 1, BAR, 3, 5, BAR, 2},
        {LINK_SF, 4, BAR, 3, 5, BAR, 5},
        {LINK_SF, 0, BAR, 3, 5, MILESTONE, 2},
        /* what follows a milestone begins on the next working day … */
        {LINK_FS, 0, MILESTONE, 5, 5, BAR, 8},
        {LINK_FS, 0, MILESTONE, 5, 5, MILESTONE, 5},
        {LINK_FF, 0, MILESTONE, 5, 5, BAR, 4},
        /* … what begins with it, on its day */
        {LINK_SS, 0, MILESTONE, 5, 5, BAR, 5},
        {LINK_SF, 0, MILESTONE, 5, 5, BAR, 3},
        /* on days off by hand: no further than the work around it */
        {LINK_FS, 0, MANUAL, 6, 7, BAR, 8},
        {LINK_FS, 0, MANUAL, 4, 6, BAR, 8},
        {LINK_FS, 0, MANUAL, 6, 7, MILESTONE, 5},
        {LINK_SS, 0, MANUAL, 6, 7, BAR, 8},
        {LINK_FF, 0, MANUAL, 6, 7, BAR, 4},
        {LINK_FS, 0, MANUAL_MILESTONE, 6, 6, BAR, 8},
        {LINK_FS, 1, MANUAL_MILESTONE, 6, 6, BAR, 9},
    };
    struct arena *mem = arena_open(0);
    const struct calendar *k = weekdays(mem);

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct activity from =
            activity_of(rows[i].from, -1, rows[i].from_start, rows[i].from_end);
        struct activity to =
            activity_of(rows[i].to, -1, 1, rows[i].to == MILESTONE ? 1 : 2);
        struct network_link l = {0, 1, rows[i].kind, rows[i].lag};
        int day = as_june(network_earliest(k, &l, &from, &to));
        if (day != rows[i].earliest)
            fail_msg("row %zu: %d, not %d", i, day, rows[i].earliest);
    }
    arena_close(mem);
}

/* ---- whole networks ---- */

enum { ACTIVITIES_MAX = 16, LINKS_MAX = 24 };

struct sample {
    struct network n;
    struct activity activities[ACTIVITIES_MAX], before[ACTIVITIES_MAX];
    struct network_link links[LINKS_MAX];
    bool changed[ACTIVITIES_MAX];
    const int *conflicts;
    size_t conflict_count;
};

static void push(struct arena *mem, struct sample *s, bool roll_up)
{
    const int *cycle;
    size_t cycle_count;
    const struct network_order *o =
        network_sort(mem, &s->n, &cycle, &cycle_count);

    assert_non_null(o);
    memset(s->changed, 0, sizeof s->changed);
    memcpy(s->before, s->activities, sizeof s->before);
    network_push(mem, &s->n, o, roll_up, s->changed, &s->conflicts,
                 &s->conflict_count);
    for (size_t i = 0; i < s->n.count; i++)
        assert_int_equal(s->changed[i],
                         s->before[i].start != s->activities[i].start ||
                             s->before[i].end != s->activities[i].end);
}

/* "3-5" or "4". */
static void read_span(const char **at, int *start, int *end)
{
    char *rest;

    *start = (int)strtol(*at, &rest, 10);
    *end = *rest == '-' ? (int)strtol(rest + 1, &rest, 10) : *start;
    *at = rest;
}

/* "bar 3-5; .milestone 1 > 5": what and when, a dot for each summary above
 * it, and what the push makes of it where that differs.  wanted[] takes start
 * and end by turns. */
static void read_activities(struct sample *s, const char *text, int *wanted)
{
    static const char *const words[] = {"bar", "milestone", "manual",
                                        "manual_milestone", "fixed"};
    int above[4] = {-1};

    for (const char *at = text; *at; at += strspn(at, "; ")) {
        int start, end, *w = wanted + 2 * s->n.count;
        size_t depth = strspn(at, "."), what = 0;
        at += depth;
        size_t len = strcspn(at, " ");
        while (strlen(words[what]) != len || memcmp(at, words[what], len) != 0)
            what++;
        at += len;
        read_span(&at, &start, &end);
        w[0] = start;
        w[1] = end;
        if (strncmp(at, " > ", 3) == 0) {
            at += 3;
            read_span(&at, &w[0], &w[1]);
        }
        s->activities[s->n.count] =
            activity_of((enum what)what, above[depth], start, end);
        above[depth + 1] = (int)s->n.count++;
    }
}

/* "0 FS+1 2": activities are numbered from 0. */
static void read_links(struct sample *s, const char *text)
{
    static const char *const kinds[] = {"FS", "SS", "FF", "SF"};
    int from, to, lag, used = 0;
    char kind[3];

    for (;
         sscanf(text, " %d %2[A-Z]%d %d%n", &from, kind, &lag, &to, &used) == 4;
         text += used) {
        int k = 0;
        while (strcmp(kinds[k], kind) != 0)
            k++;
        s->links[s->n.link_count++] =
            (struct network_link){from, to, (enum link_kind)k, lag};
    }
    assert_string_equal(text, "");
}

static void example(const char *activities, const char *links,
                    const char *conflicts, bool roll_up)
{
    struct arena *mem = arena_open(0);
    struct sample s = {.n = {.calendar = weekdays(mem)}};
    int wanted[2 * ACTIVITIES_MAX] = {0};
    char told[LINKS_MAX + 1] = "";

    s.n.activities = s.activities;
    s.n.links = s.links;
    read_activities(&s, activities, wanted);
    read_links(&s, links);
    push(mem, &s, roll_up);
    for (size_t i = 0; i < s.n.count; i++) {
        int start = as_june(s.activities[i].start);
        int end = as_june(s.activities[i].end);
        if (start != wanted[2 * i] || end != wanted[2 * i + 1])
            fail_msg("%s: no. %zu is %d-%d", activities, i, start, end);
    }
    for (size_t i = 0; i < s.conflict_count; i++)
        told[i] = (char)('0' + s.conflicts[i]);
    assert_string_equal(told, conflicts);
    arena_close(mem);
}

static void test_bars_are_pushed_along_links(void **state)
{
    (void)state;
    /* a chain moves, each bar with its length in working days */
    example("bar 3-5; bar 1-2 > 8-9; bar 5-8 > 10-11", "0 FS+0 1 1 FS+0 2", "",
            true);
    /* never earlier */
    example("bar 1-2; bar 9-10", "0 FS+0 1", "", true);
    /* the latest of several links counts */
    example("bar 1-2; bar 1-4; bar 1 > 5", "0 FS+0 2 1 FS+0 2", "", true);
    example("bar 3-4; bar 1-2 > 4-5", "0 SS+1 1 0 FF-1 1", "", true);
    example("bar 8-9; bar 1-2 > 5-8", "0 SF+1 1", "", true);
    /* a milestone goes to the end of the day, what follows to the next */
    example("bar 3-5; milestone 1 > 5; bar 1 > 8", "0 FS+0 1 1 FS+0 2", "",
            true);
    /* what has no dates neither pushes nor moves */
    example("bar 3-5; bar 0; bar 1", "0 FS+0 1 1 FS+0 2", "", true);
}

static void test_what_may_not_move_is_told(void **state)
{
    (void)state;
    /* manual, or outside the calculation; what follows goes by its dates */
    example("bar 3-5; manual 4; bar 1 > 5", "0 FS+0 1 1 FS+0 2", "0", true);
    example("bar 3-5; fixed 4; bar 1 > 5", "0 FS+0 1 1 FS+0 2", "0", true);
    example("bar 3-5; manual_milestone 4; manual_milestone 5",
            "0 FS+0 1 0 FS+0 2", "0", true);
    example("bar 3-5; manual 1-4", "0 FF+0 1 0 SS+0 1 0 SF+0 1", "01", true);
    example("bar 3-5; manual 8-9", "0 FS+0 1", "", true);
}

/* Work that may not move is, on days off, as far as the work around it: what
 * is compared is working time, not the date.  Other work begins on the working
 * day after them, once a link asks for it. */
static void test_days_off(void **state)
{
    (void)state;
    example("bar 3-5; manual 6-7; manual 6-13; manual_milestone 6",
            "0 FS+0 1 0 FS+0 2 0 FS+0 3", "", true);
    example("bar 3-5; manual 6-7; manual_milestone 6", "0 FS+1 1 0 FS+1 2",
            "01", true);
    /* … which ends on the Friday before */
    example("bar 8; manual 6-7; manual 6-8", "0 FF+0 1 0 FF+0 2", "0", true);
    example("bar 3-5; bar 6-7 > 8; bar 6-13 > 8-12", "0 FS+0 1 0 FS+0 2", "",
            true);
    example("bar 3-4; bar 6-7; bar 7-8", "0 FS+0 1 0 FS+0 2", "", true);
    example("bar 5-8; bar 6-9 > 9-10", "0 FS+0 1", "", true);
    example("milestone 6; bar 5 > 8; milestone 5", "0 FS+0 1 0 FS+0 2", "",
            true);
}

static void test_summaries(void **state)
{
    (void)state;
    /* a link into one binds every leaf below, by what the leaf is */
    example("bar 3-5; bar 1-2 > 5-9; .bar 1-2 > 8-9; .bar 2 > 5-8;"
            " ..milestone 2 > 5; ..bar 2 > 8",
            "0 FS+0 1", "", true);
    example("bar 3-5; milestone 1-2 > 8-9; .bar 1-2 > 8-9", "0 FS+0 1", "",
            true);
    /* … by its own links as well */
    example("bar 3-5; bar 1-2 > 9-10; .bar 1-2 > 9-10; bar 8",
            "0 FS+0 1 3 FS+0 2", "", true);
    /* one out of it leaves from the end of what is below, once that is known */
    example("bar 1 > 1-9; .bar 1-4; .bar 2-3 > 8-9; bar 5; bar 2 > 10",
            "0 FS+0 4 3 FS+0 2", "", true);
    /* only starts bind a summary */
    example("bar 8-9; bar 1-2; .bar 1-2", "0 FF+0 1 0 SF+5 1", "", true);
    /* its span is that of its planned children, manual ones too */
    example("bar 1-30 > 3-12; .manual 3-4; .bar 12; .bar 0", "", "", true);
    example("bar 1-2 > 0; .bar 0", "", "", true);
    example("bar 3-5; bar 1-2; .bar 1-2 > 8-9; bar 1 > 3", "0 FS+0 1 1 FS+0 3",
            "", false);
    /* a manual bar below stays; the link of its summary is not told */
    example("bar 3-5; bar 1-2 > 1-8; .manual 1-2; .bar 1 > 8", "0 FS+0 1", "",
            true);
}

/* ---- cycles ---- */

static void test_cycles_are_named_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *parents; /* a digit each: index + 1, 0 top */
        const char *links;   /* pairs of indices */
        const char *cycle;   /* "" none; from its lowest */
    } rows[] = {
        {"000", "0112", ""},
        {"000", "011220", "012"},
        {"0000", "01122331", "123"},
        {"00", "00", "0"},
        {"01", "01", "01"}, /* a summary and its own child */
        {"01", "10", "01"},
        {"010", "1220", "012"},   /* out of it and back at its parent */
        {"0103", "1230", "0123"}, /* two, each after a child of the other */
        {"0101", "1330", "013"},  /* siblings, and back at the parent */
        {"0103", "1213", ""},
    };
    struct arena *mem = arena_open(0);

    for (size_t r = 0; r < COUNT(rows); r++) {
        struct activity activities[4];
        struct network_link links[5];
        struct network n = {.activities = activities,
                            .links = links,
                            .count = strlen(rows[r].parents),
                            .link_count = strlen(rows[r].links) / 2};
        const int *cycle = NULL;
        size_t count = 0, lowest = 0;
        char text[8] = "";
        for (size_t i = 0; i < n.count; i++)
            activities[i] = activity_of(BAR, rows[r].parents[i] - '1', 1, 1);
        for (size_t i = 0; i < n.link_count; i++)
            links[i] = (struct network_link){rows[r].links[i * 2] - '0',
                                             rows[r].links[i * 2 + 1] - '0',
                                             LINK_FS, 0};
        bool sorted = network_sort(mem, &n, &cycle, &count) != NULL;
        assert_int_equal(sorted, rows[r].cycle[0] == 0);
        for (size_t i = 0; i < count; i++)
            if (cycle[i] < cycle[lowest])
                lowest = i;
        for (size_t i = 0; i < count; i++)
            text[i] = (char)('0' + cycle[(lowest + i) % count]);
        if (strcmp(text, rows[r].cycle) != 0)
            fail_msg("row %zu: %s, not %s", r, text, rows[r].cycle);
    }
    arena_close(mem);
}

/* ---- any network ---- */

static uint32_t seed;

static int random_below(int n)
{
    seed = seed * 1664525U + 1013904223U;
    return (int)((seed >> 16) % (uint32_t)n);
}

/* Golden Week of 2026 and the weeks around it. */
static const struct calendar *spring(struct arena *mem)
{
    struct calendar_rule rule = {.weekdays = 62, .holidays = true};

    return calendar_compile(mem, &rule, june(1) - 200, june(1) + 200);
}

static void make_random(struct sample *s, const struct calendar *k)
{
    int first = (int)june(1) - 40, count = 2 + random_below(12);

    *s = (struct sample){.n = {.calendar = k, .count = (size_t)count}};
    s->n.activities = s->activities;
    s->n.links = s->links;
    for (int i = 0; i < count; i++) {
        bool is_milestone = random_below(4) == 0;
        int32_t start = first + random_below(20);
        int32_t end = start + (is_milestone ? 0 : random_below(12));
        bool is_planned = random_below(8) != 0;
        s->activities[i] = (struct activity){
            .parent = i > 0 && random_below(3) == 0 ? random_below(i) : -1,
            .is_milestone = is_milestone,
            .is_manual = random_below(6) == 0,
            .is_fixed = random_below(12) == 0,
            .start = is_planned ? start : DAY_NONE,
            .end = is_planned ? end : DAY_NONE};
    }
    s->n.link_count = (size_t)random_below(2 * count);
    for (size_t i = 0; i < s->n.link_count && i < LINKS_MAX; i++) {
        int from = random_below(count - 1);
        s->links[i] = (struct network_link){
            from, from + 1 + random_below(count - from - 1),
            (enum link_kind)random_below(4), random_below(9) - 4};
    }
    if (s->n.link_count > LINKS_MAX)
        s->n.link_count = LINKS_MAX;
    if (s->n.link_count && random_below(4) == 0) /* one that may go back */
        s->links[0].successor = random_below(count);
}

static bool has_children(const struct sample *s, int i)
{
    for (size_t c = 0; c < s->n.count; c++)
        if (s->activities[c].parent == i)
            return true;
    return false;
}

/* Working days before the end, or the beginning, of a day. */
static int64_t time_of(const struct sample *s, int32_t day, bool at_end)
{
    return calendar_count(s->n.calendar, june(1) - 150, at_end ? day : day - 1);
}

/* The rule of network.h in working time, in place of earliest dates. */
static bool holds(const struct sample *s, const struct network_link *l,
                  const struct activity *to)
{
    const struct activity *from = &s->activities[l->predecessor];
    int64_t from_start = time_of(s, from->start, false);
    int64_t from_end = time_of(s, from->end, true);
    int64_t to_start = time_of(s, to->start, to->is_milestone);
    int64_t to_end = time_of(s, to->end, true);

    switch (l->kind) {
    case LINK_FS:
        return to_start >= from_end + l->lag;
    case LINK_SS: /* a milestone is on the day, at its end */
        return to_start >= from_start + l->lag + to->is_milestone;
    case LINK_FF:
        return to_end >= from_end + l->lag;
    case LINK_SF:
        return to_end >= from_start + l->lag;
    }
    return false;
}

static bool is_planned(const struct activity *a)
{
    return a->start != DAY_NONE;
}

/* Of the links that bind a leaf, its own and those of the summaries above it,
 * how many it breaks with these dates. */
static int broken(const struct sample *s, int leaf, const struct activity *as)
{
    int count = 0;

    for (int i = leaf; i >= 0; i = s->activities[i].parent)
        for (size_t n = 0; n < s->n.link_count; n++) {
            const struct network_link *l = &s->links[n];
            bool binds = i == leaf || l->kind == LINK_FS || l->kind == LINK_SS;
            if (l->successor == i && binds &&
                is_planned(&s->activities[l->predecessor]))
                count += !holds(s, l, as);
        }
    return count;
}

static void check_leaf(const struct sample *s, int i)
{
    const struct calendar *k = s->n.calendar;
    const struct activity *before = &s->before[i], *a = &s->activities[i];

    if (!s->changed[i]) {
        if (is_planned(a) && !a->is_manual && !a->is_fixed)
            assert_int_equal(broken(s, i, a), 0);
        return;
    }
    assert_true(is_planned(before) && !a->is_manual && !a->is_fixed);
    assert_true(a->start > before->start);
    assert_true(time_of(s, a->end, true) >= time_of(s, before->end, true));
    assert_true(calendar_is_working(k, a->start));
    int64_t days = calendar_count(k, before->start, before->end);
    assert_int_equal(calendar_count(k, a->start, a->end), days ? days : 1);
    /* it had to, and no less would do */
    assert_int_equal(broken(s, i, a), 0);
    assert_true(broken(s, i, before) > 0 ||
                !calendar_is_working(k, before->start));
    struct activity less = *a;
    less.start = calendar_previous(k, a->start - 1);
    less.end = a->is_milestone
                   ? less.start
                   : calendar_add(k, less.start, (days ? days : 1) - 1);
    assert_int_not_equal(broken(s, i, &less), 0);
}

static void check_span(const struct sample *s, int i)
{
    const struct activity *a = &s->activities[i];
    int32_t start = DAY_NONE, end = DAY_NONE;

    for (size_t c = 0; c < s->n.count; c++) {
        const struct activity *child = &s->activities[c];
        if (child->parent != i || !is_planned(child))
            continue;
        if (start == DAY_NONE || child->start < start)
            start = child->start;
        if (child->end > end)
            end = child->end;
    }
    assert_int_equal(a->start, a->is_fixed ? s->before[i].start : start);
    assert_int_equal(a->end, a->is_fixed ? s->before[i].end : end);
}

/* Told is each broken link of what may not move, once, and no other. */
static void check_conflicts(const struct sample *s)
{
    for (size_t n = 0; n < s->n.link_count; n++) {
        const struct network_link *l = &s->links[n];
        const struct activity *to = &s->activities[l->successor];
        int told = 0, wanted = 0;
        for (size_t c = 0; c < s->conflict_count; c++)
            told += s->conflicts[c] == (int)n;
        if ((to->is_manual || to->is_fixed) && is_planned(to) &&
            is_planned(&s->activities[l->predecessor]) &&
            !has_children(s, l->successor))
            wanted = !holds(s, l, to);
        assert_int_equal(told, wanted);
    }
}

/* Each stands before the next: by a link, or as summary and child. */
static void check_cycle(const struct sample *s, const int *cycle, size_t count)
{
    assert_int_not_equal(count, 0);
    for (size_t i = 0; i < count; i++) {
        int a = cycle[i], b = cycle[(i + 1) % count];
        bool is_bound =
            s->activities[a].parent == b || s->activities[b].parent == a;
        for (size_t n = 0; n < s->n.link_count; n++)
            is_bound = is_bound || (s->links[n].predecessor == a &&
                                    s->links[n].successor == b);
        assert_true(is_bound);
    }
}

static void check_push(struct arena *mem, struct sample *s, bool roll_up)
{
    struct activity after[ACTIVITIES_MAX];

    push(mem, s, roll_up);
    for (int i = 0; i < (int)s->n.count; i++)
        if (!has_children(s, i))
            check_leaf(s, i);
        else if (roll_up)
            check_span(s, i);
        else
            assert_false(s->changed[i]);
    check_conflicts(s);
    /* twice changes nothing */
    memcpy(after, s->activities, sizeof after);
    push(mem, s, roll_up);
    assert_memory_equal(after, s->activities, sizeof after);
    check_conflicts(s);
}

static void test_what_holds_of_any_network(void **state)
{
    (void)state;
    struct arena *mem = arena_open(0), *scratch = arena_open(0);
    const struct calendar *k = spring(mem);
    int pushed = 0, cycles = 0;

    seed = 11;
    for (int round = 0; round < 20000; round++) {
        struct sample s;
        const int *cycle;
        size_t count;
        make_random(&s, k);
        if (network_sort(scratch, &s.n, &cycle, &count)) {
            check_push(scratch, &s, random_below(4) != 0);
            pushed++;
        } else {
            check_cycle(&s, cycle, count);
            cycles++;
        }
        arena_reset(scratch);
    }
    assert_true(pushed > 5000 && cycles > 1000);
    arena_close(scratch);
    arena_close(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_earliest_start_by_kind_and_lag),
        cmocka_unit_test(test_bars_are_pushed_along_links),
        cmocka_unit_test(test_what_may_not_move_is_told),
        cmocka_unit_test(test_days_off),
        cmocka_unit_test(test_summaries),
        cmocka_unit_test(test_cycles_are_named_in_order),
        cmocka_unit_test(test_what_holds_of_any_network),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
