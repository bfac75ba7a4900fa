/* SPDX-License-Identifier: Apache-2.0 */
/* MS Project XML (schemas.microsoft.com/project) to plan_file.  Elements that
 * have a place here are taken; for the others a count is kept, so that the
 * report can say what stayed behind. */
#include "base/civil.h"
#include "base/str.h"
#include "base/xml.h"
#include "core/exchange/plan_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BYTES_MAX = 32 << 20,
    DAYS_MAX = 4000,
    LINKS_MAX = 1000 /* of a task */
};

/* Who works on what: sorted by task, so that each finds its own at once. */
struct assignment {
    int64_t task;
    size_t place; /* in the file */
    const char *person;
};

struct reader {
    struct ctx *c;
    struct plan_file *out;
    const struct xml *project;
    int minutes_per_day;
    struct assignment *assignments;
    size_t assignment_count;
};

static bool is_true(const struct xml *x, const char *name)
{
    const char *text = xml_text(x, name);

    return text && (strcmp(text, "1") == 0 || strcmp(text, "true") == 0);
}

static int64_t number(const struct xml *x, const char *name, int64_t missing)
{
    const char *text = xml_text(x, name);
    int64_t n;

    return text && str_parse_int(text, INT64_MIN / 2, INT64_MAX / 2, &n)
               ? n
               : missing;
}

/* The day of "2026-11-22T17:00:00", as text; NULL when absent or "NA". */
static const char *day_text(struct reader *r, const struct xml *x,
                            const char *name)
{
    const char *text = xml_text(x, name);
    int32_t day;

    if (!text || strlen(text) < 10)
        return NULL;
    const char *cut = arena_strndup(r->c->mem, text, 10);
    return civil_parse(cut, &day) ? cut : NULL;
}

/* "PT16H30M0S" in minutes (ISO 8601; MS Project writes hours, minutes and
 * seconds only); -1 when it is none. */
static int64_t duration_minutes(const char *text)
{
    int64_t minutes = 0;

    if (!text || strncmp(text, "PT", 2) != 0)
        return -1;
    for (text += 2; *text;) {
        char *end;
        long long n = strtoll(text, &end, 10);
        if (end == text || n < 0 || n > 100000000)
            return -1;
        if (*end == '.')
            for (end++; isdigit((unsigned char)*end);)
                end++;
        if (*end == 'H')
            minutes += n * 60;
        else if (*end == 'M')
            minutes += n;
        else if (*end != 'S')
            return -1;
        text = end + 1;
    }
    return minutes;
}

static const char *hours_text(struct reader *r, const char *text)
{
    int64_t minutes = duration_minutes(text);

    if (minutes <= 0)
        return NULL;
    return arena_printf(r->c->mem, "%.2f", (double)minutes / 60);
}

/* ---- resources ---- */

struct resource {
    int64_t uid;
    const char *person; /* e-mail address, else the name */
};

static int compare_resources(const void *a, const void *b)
{
    const struct resource *x = a, *y = b;

    return (x->uid > y->uid) - (x->uid < y->uid);
}

static int compare_assignments(const void *a, const void *b)
{
    const struct assignment *x = a, *y = b;

    if (x->task != y->task)
        return x->task < y->task ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static size_t count_children(const struct xml *list)
{
    size_t n = 0;

    for (const struct xml *x = list ? list->child : NULL; x; x = x->next)
        n++;
    return n;
}

static struct resource *read_resources(struct reader *r, size_t *count)
{
    const struct xml *list = xml_child(r->project, "Resources");
    struct resource *out =
        arena_array(r->c->mem, struct resource, count_children(list) + 1);

    *count = 0;
    for (const struct xml *x = list ? list->child : NULL; x; x = x->next) {
        const char *mail = xml_text(x, "EmailAddress");
        out[(*count)++] = (struct resource){number(x, "UID", -1),
                                            mail ? mail : xml_text(x, "Name")};
    }
    qsort(out, *count, sizeof(*out), compare_resources);
    return out;
}

static void read_assignments(struct reader *r)
{
    const struct xml *list = xml_child(r->project, "Assignments");
    size_t resources;
    struct resource *people = read_resources(r, &resources);

    r->assignments =
        arena_array(r->c->mem, struct assignment, count_children(list) + 1);
    for (const struct xml *x = list ? list->child : NULL; x; x = x->next) {
        struct resource key = {number(x, "ResourceUID", -2), NULL};
        const struct resource *who =
            bsearch(&key, people, resources, sizeof(key), compare_resources);
        if (!who || !who->person)
            continue;
        r->assignments[r->assignment_count] = (struct assignment){
            number(x, "TaskUID", -1), r->assignment_count, who->person};
        r->assignment_count++;
    }
    qsort(r->assignments, r->assignment_count, sizeof(*r->assignments),
          compare_assignments);
}

/* The people of a task, || between. */
static const char *assignee_text(struct reader *r, int64_t task)
{
    size_t low = 0, high = r->assignment_count;
    struct buf text = buf_in(r->c->mem);
    int people = 0;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (r->assignments[middle].task < task)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < r->assignment_count && r->assignments[low].task == task;
         low++) {
        const char *one = r->assignments[low].person;
        if (people++ < PLAN_PEOPLE_MAX)
            buf_printf(&text, "%s%s", text.len ? "||" : "", one);
        else
            plan_file_lose(r->out, "20人を超える担当者",
                           "Assignees beyond twenty", one);
    }
    return text.data;
}

/* ---- links ---- */

static const char *lag_text(struct reader *r, const struct xml *link)
{
    int64_t lag = number(link, "LinkLag", 0);
    int64_t format = number(link, "LagFormat", 7);

    if (lag == 0)
        return "";
    if (format == 19 || format == 20 || format == 51 || format == 52) {
        plan_file_lose(r->out, "パーセントのラグ", "Lags in percent", NULL);
        return "";
    }
    if (format % 2 == 0)
        plan_file_lose(r->out, "経過時間のラグ（稼働日として取り込み）",
                       "Elapsed lags (taken as working days)", NULL);
    /* tenths of a minute; half a day and more counts as a day */
    int64_t day = (int64_t)r->minutes_per_day * 10;
    int64_t days = (lag >= 0 ? lag + day / 2 : lag - day / 2) / day;
    if (days * day != lag)
        plan_file_lose(r->out, "1日未満のラグ（日に丸め）",
                       "Lags finer than a day (rounded)", NULL);
    return days ? arena_printf(r->c->mem, "%+lld", (long long)days) : "";
}

static const char *links_text(struct reader *r, const struct xml *task)
{
    static const char *const kinds[] = {"FF", "FS", "SF", "SS"};
    struct buf text = buf_in(r->c->mem);
    int links = 0;

    for (const struct xml *l = task->child; l; l = l->next) {
        if (strcmp(l->name, "PredecessorLink") != 0)
            continue;
        int64_t kind = number(l, "Type", 1);
        const char *uid = xml_text(l, "PredecessorUID");
        if (is_true(l, "CrossProject") || !uid || kind < 0 || kind > 3) {
            plan_file_lose(r->out, "ほかのプロジェクトへの依存",
                           "Links to other projects", xml_text(task, "Name"));
            continue;
        }
        if (links++ == LINKS_MAX)
            break;
        buf_printf(&text, "%sU%s %s%s", text.len ? "||" : "", uid, kinds[kind],
                   lag_text(r, l));
    }
    return text.data;
}

/* ---- tasks ---- */

static void note_losses(struct reader *r, const struct xml *task)
{
    const char *name = xml_text(task, "Name");
    int64_t constraint = number(task, "ConstraintType", 0);

    if (constraint != 0)
        plan_file_lose(r->out, "制約（日付は予定日として取り込み）",
                       "Constraints (dates are taken as planned)", name);
    if (xml_child(task, "Baseline"))
        plan_file_lose(r->out, "ベースライン", "Baselines", name);
    if (xml_child(task, "ExtendedAttribute"))
        plan_file_lose(r->out, "独自フィールド", "Custom fields", name);
    if (number(task, "Cost", 0) > 0 || number(task, "FixedCost", 0) > 0)
        plan_file_lose(r->out, "コスト", "Costs", name);
    if (number(task, "CalendarUID", -1) > 0)
        plan_file_lose(r->out, "タスク個別のカレンダー", "Calendars of tasks",
                       name);
    if (is_true(task, "Recurring"))
        plan_file_lose(r->out, "定期タスクの設定", "Recurrence", name);
    if (xml_text(task, "Active") && !is_true(task, "Active"))
        plan_file_lose(r->out, "無効のタスク（有効として取り込み）",
                       "Inactive tasks (taken as active)", name);
}

static const char *priority_word(int64_t priority)
{
    return priority >= 800   ? "urgent"
           : priority >= 600 ? "high"
           : priority >= 400 ? "medium"
                             : "low";
}

static void read_task(struct reader *r, const struct xml *task,
                      struct plan_item *item)
{
    struct arena *mem = r->c->mem;
    const char *uid = xml_text(task, "UID");
    int64_t level = number(task, "OutlineLevel", 1);
    bool summary = is_true(task, "Summary");
    const char *progress = xml_text(task, "PercentComplete");

    item->line = (int)number(task, "ID", 0);
    item->cell[PLAN_ID] = arena_printf(mem, "U%s", uid ? uid : "");
    item->cell[PLAN_LEVEL] =
        arena_printf(mem, "%lld", (long long)(level < 1 ? 1 : level));
    item->cell[PLAN_SUBJECT] = xml_text(task, "Name");
    item->cell[PLAN_CLASSIFICATION] = is_true(task, "Milestone") ? "milestone"
                                      : summary && level <= 1    ? "phase"
                                                                 : "task";
    item->cell[PLAN_PRIORITY] = priority_word(number(task, "Priority", 500));
    item->cell[PLAN_ASSIGNEE] = assignee_text(r, number(task, "UID", -1));
    item->cell[PLAN_START] = day_text(r, task, "Start");
    item->cell[PLAN_END] = day_text(r, task, "Finish");
    item->cell[PLAN_ACTUAL_START] = day_text(r, task, "ActualStart");
    item->cell[PLAN_ACTUAL_END] = day_text(r, task, "ActualFinish");
    item->cell[PLAN_DUE] = day_text(r, task, "Deadline");
    item->cell[PLAN_PROGRESS] = progress;
    item->cell[PLAN_DETAILS] = xml_text(task, "Notes");
    item->cell[PLAN_PREDECESSORS] = links_text(r, task);
    if (!summary) {
        item->cell[PLAN_ESTIMATE] = hours_text(r, xml_text(task, "Work"));
        item->cell[PLAN_ACTUAL] = hours_text(r, xml_text(task, "ActualWork"));
        item->cell[PLAN_MANUAL] = is_true(task, "Manual") ? "true" : NULL;
    }
    if (!item->cell[PLAN_SUBJECT])
        item->cell[PLAN_SUBJECT] = ctx_text(r->c, "（名称なし）", "(no name)");
    note_losses(r, task);
}

/* UID 0 is the project itself, IsNull marks an empty row. */
static bool is_row(const struct xml *task)
{
    return strcmp(task->name, "Task") == 0 && !is_true(task, "IsNull") &&
           number(task, "UID", 0) != 0;
}

static enum err read_tasks(struct reader *r, struct plan_error *error)
{
    const struct xml *tasks = xml_child(r->project, "Tasks");
    size_t count = 0;

    for (const struct xml *t = tasks ? tasks->child : NULL; t; t = t->next)
        count += is_row(t);
    if (count > PLAN_ROWS_MAX || count == 0) {
        *error = (struct plan_error){
            .column_name = "",
            .rule = count ? "rows" : "empty",
            .message = count ? ctx_text(r->c, "タスクが多すぎます",
                                        "There are too many tasks")
                             : ctx_text(r->c, "タスクがありません",
                                        "There are no tasks")};
        return ERR_INVALID;
    }
    r->out->items = arena_array(r->c->mem, struct plan_item, count);
    for (const struct xml *t = tasks->child; t; t = t->next)
        if (is_row(t))
            read_task(r, t, &r->out->items[r->out->count++]);
    return OK;
}

/* ---- calendar ---- */

static void add_days(struct reader *r, const struct xml *x, bool working,
                     const char *name)
{
    const struct xml *period = xml_child(x, "TimePeriod");
    const char *from = day_text(r, period, "FromDate");
    const char *to = day_text(r, period, "ToDate");
    int32_t day, last;

    if (!from || !to || !civil_parse(from, &day) || !civil_parse(to, &last))
        return;
    if (last - day > 366) {
        plan_file_lose(r->out, "1年を超える例外日", "Exceptions over a year",
                       name);
        return;
    }
    for (; day <= last && r->out->day_count < DAYS_MAX; day++)
        r->out->days[r->out->day_count++] =
            (struct plan_day){day, working, name ? name : ""};
}

static void read_week_day(struct reader *r, const struct xml *x)
{
    int64_t type = number(x, "DayType", -1);
    bool working = is_true(x, "DayWorking");

    if (type == 0)
        add_days(r, x, working, NULL);
    else if (type >= 1 && type <= 7 && working)
        r->out->weekdays |= 1 << (type - 1);
    else if (type >= 1 && type <= 7)
        r->out->weekdays &= ~(1 << (type - 1));
}

static void read_exceptions(struct reader *r, const struct xml *calendar)
{
    const struct xml *list = xml_child(calendar, "Exceptions");

    for (const struct xml *x = list ? list->child : NULL; x; x = x->next) {
        const char *name = xml_text(x, "Name");
        if (number(x, "Type", 1) != 1 && number(x, "Occurrences", 1) > 1)
            plan_file_lose(r->out, "くり返しの例外日（初回のみ取り込み）",
                           "Recurring exceptions (first one taken)", name);
        add_days(r, x, is_true(x, "DayWorking"), name);
    }
}

static void read_calendar(struct reader *r)
{
    const struct xml *list = xml_child(r->project, "Calendars");
    const char *wanted = xml_text(r->project, "CalendarUID");
    const struct xml *found = NULL;

    for (const struct xml *x = list ? list->child : NULL; x; x = x->next)
        if (!found || str_equal(xml_text(x, "UID"), wanted))
            found = x;
    if (!found)
        return;
    r->out->has_calendar = true;
    r->out->weekdays = 62;
    r->out->days = arena_array(r->c->mem, struct plan_day, DAYS_MAX);
    const struct xml *week = xml_child(found, "WeekDays");
    for (const struct xml *x = week ? week->child : NULL; x; x = x->next)
        read_week_day(r, x);
    read_exceptions(r, found);
    if (r->out->weekdays == 0)
        r->out->weekdays = 62;
    if (xml_child(found, "WorkWeeks"))
        plan_file_lose(r->out, "期間別の稼働曜日", "Work weeks of a period",
                       NULL);
}

/* ---- the file ---- */

static const char *xml_message(struct ctx *c, const char *rule)
{
    if (strcmp(rule, "doctype") == 0)
        return ctx_text(c,
                        "DOCTYPE やエンティティ宣言を含む XML は安全のため"
                        "受け付けません",
                        "XML with a DOCTYPE or entity declarations is refused "
                        "for safety");
    if (strcmp(rule, "encoding") == 0)
        return ctx_text(c, "UTF-8 の XML にしてください",
                        "The XML must be UTF-8");
    if (strcmp(rule, "too_deep") == 0 || strcmp(rule, "too_many") == 0)
        return ctx_text(c, "XML の構造が大きすぎます",
                        "The XML is nested too deep or too large");
    if (strcmp(rule, "too_long") == 0)
        return ctx_text(c, "XML の一つの要素が 256 KB を超えています",
                        "One element of the XML is longer than 256 KB");
    return ctx_text(c, "XML として読めません", "This is not well-formed XML");
}

enum err mspdi_read(struct ctx *c, const char *data, size_t len,
                    struct plan_file *out, struct plan_error *error)
{
    struct reader r = {.c = c, .out = out};
    const char *rule = "file_size";
    int line = 0;

    *out = (struct plan_file){.is_foreign = true};
    r.project =
        len <= BYTES_MAX ? xml_parse(c->mem, data, len, &rule, &line) : NULL;
    if (r.project && strcmp(r.project->name, "Project") != 0) {
        rule = "not_project";
        r.project = NULL;
    }
    if (!r.project) {
        const char *message =
            strcmp(rule, "not_project") == 0
                ? ctx_text(c, "MS Project の XML ではありません",
                           "This is not MS Project XML")
                : xml_message(c, rule);
        *error = (struct plan_error){line, 0, "", rule, message};
        return ERR_INVALID;
    }
    r.minutes_per_day = (int)number(r.project, "MinutesPerDay", 480);
    if (r.minutes_per_day < 1 || r.minutes_per_day > 1440)
        r.minutes_per_day = 480;
    read_calendar(&r);
    read_assignments(&r);
    return read_tasks(&r, error);
}
