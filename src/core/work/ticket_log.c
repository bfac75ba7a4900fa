/* SPDX-License-Identifier: Apache-2.0 */
/* History is read years later by somebody who has only these words, so every
 * value is written out as it was then, in both languages where it has both;
 * the operation log keeps what the person who changed it saw. */
#include "core/work/ticket_log.h"

#include "base/json.h"
#include "base/str.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/log/ticket_history.h"

#include <string.h>

enum { LOG_USER, LOG_TICKET };
static const char *const ticket_log_text[] = {
    [LOG_USER] = "SELECT name FROM user WHERE id = ?1",
    [LOG_TICKET] = "SELECT p.key || '-' || t.no || ' ' || t.subject"
                   " FROM ticket t JOIN project p ON p.id = t.project_id"
                   " WHERE t.id = ?1",
};
const struct query_set ticket_log_queries = {"ticket_log", ticket_log_text,
                                             COUNT(ticket_log_text)};

static enum err name_of(struct ctx *c, int text, int64_t id, const char **out)
{
    *out = NULL;
    if (id == 0)
        return OK;
    struct query *q = query(c, ticket_log_text[text]);
    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    *out = col_text(c, q, 0);
    query_done(q);
    return OK;
}

/* ---- one field in words; NULL: none ---- */

typedef enum err show_fn(struct ctx *c, const struct catalogue *k,
                         const struct ticket *t, const char **out);

static const char *day_text(struct ctx *c, int32_t day)
{
    char text[11];

    if (day == DAY_NONE)
        return NULL;
    civil_format(day, text);
    return arena_strdup(c->mem, text);
}

static const char *minutes_text(struct ctx *c, int64_t minutes)
{
    return minutes == TICKET_MINUTES_NONE
               ? NULL
               : arena_printf(c->mem, "%.4gh", (double)minutes / 60);
}

static enum err show_subject(struct ctx *c, const struct catalogue *k,
                             const struct ticket *t, const char **out)
{
    (void)c, (void)k;
    *out = t->subject;
    return OK;
}

static enum err show_details(struct ctx *c, const struct catalogue *k,
                             const struct ticket *t, const char **out)
{
    (void)c, (void)k;
    *out = *t->details ? t->details : NULL;
    return OK;
}

static enum err show_classification(struct ctx *c, const struct catalogue *k,
                                    const struct ticket *t, const char **out)
{
    const struct classification *it = catalogue_find(k, t->classification_id);

    *out = it ? ticket_history_words(c, it->ja, it->en) : NULL;
    return OK;
}

static enum err show_status(struct ctx *c, const struct catalogue *k,
                            const struct ticket *t, const char **out)
{
    const struct classification *it = catalogue_find(k, t->classification_id);
    const struct status *s =
        it ? classification_find_status(it, t->status_id) : NULL;

    *out = s ? ticket_history_words(c, s->ja, s->en) : NULL;
    return OK;
}

static enum err show_priority(struct ctx *c, const struct catalogue *k,
                              const struct ticket *t, const char **out)
{
    static const char *const ja[] = {"緊急", "高", "中", "低"};
    static const char *const en[] = {"Urgent", "High", "Medium", "Low"};

    (void)k;
    *out = ticket_history_words(c, ja[t->priority], en[t->priority]);
    return OK;
}

static enum err show_parent(struct ctx *c, const struct catalogue *k,
                            const struct ticket *t, const char **out)
{
    (void)k;
    return name_of(c, LOG_TICKET, t->parent_id, out);
}

static enum err show_assignees(struct ctx *c, const struct catalogue *k,
                               const struct ticket *t, const char **out)
{
    struct buf b = buf_in(c->mem);
    enum err e = OK;

    (void)k;
    for (size_t i = 0; i < t->assignee_count && !e; i++) {
        const char *name;
        e = name_of(c, LOG_USER, t->assignees[i], &name);
        if (!e && name)
            buf_printf(&b, "%s%s", b.len ? ", " : "", name);
    }
    *out = b.data;
    return e;
}

#define SHOW_DAY(member)                                                       \
    static enum err show_##member(struct ctx *c, const struct catalogue *k,    \
                                  const struct ticket *t, const char **out)    \
    {                                                                          \
        (void)k;                                                               \
        *out = day_text(c, t->member);                                         \
        return OK;                                                             \
    }
SHOW_DAY(planned_start)
SHOW_DAY(planned_end)
SHOW_DAY(actual_start)
SHOW_DAY(actual_end)
SHOW_DAY(due)

static enum err show_progress(struct ctx *c, const struct catalogue *k,
                              const struct ticket *t, const char **out)
{
    (void)k;
    *out = arena_printf(c->mem, "%d%%", t->progress);
    return OK;
}

static enum err show_estimate(struct ctx *c, const struct catalogue *k,
                              const struct ticket *t, const char **out)
{
    (void)k;
    *out = minutes_text(c, t->estimate);
    return OK;
}

static enum err show_actual(struct ctx *c, const struct catalogue *k,
                            const struct ticket *t, const char **out)
{
    (void)k;
    *out = minutes_text(c, t->actual);
    return OK;
}

static enum err show_manual(struct ctx *c, const struct catalogue *k,
                            const struct ticket *t, const char **out)
{
    (void)k;
    *out = t->is_manual ? ticket_history_words(c, "手動", "Manual")
                        : ticket_history_words(c, "自動", "Automatic");
    return OK;
}

/* ---- what differs ---- */

enum ticket_field {
    IN_SUBJECT,
    IN_DETAILS,
    IN_CLASSIFICATION,
    IN_STATUS,
    IN_PRIORITY,
    IN_PARENT,
    IN_ASSIGNEES,
    IN_PLANNED_START,
    IN_PLANNED_END,
    IN_ACTUAL_START,
    IN_ACTUAL_END,
    IN_DUE,
    IN_PROGRESS,
    IN_ESTIMATE,
    IN_ACTUAL,
    IN_MANUAL,
    IN_COUNT
};

static const struct {
    const char *name;
    show_fn *show;
} shown[IN_COUNT] = {
    [IN_SUBJECT] = {"subject", show_subject},
    [IN_DETAILS] = {"details", show_details},
    [IN_CLASSIFICATION] = {"classification", show_classification},
    [IN_STATUS] = {"status", show_status},
    [IN_PRIORITY] = {"priority", show_priority},
    [IN_PARENT] = {"parent", show_parent},
    [IN_ASSIGNEES] = {"assignees", show_assignees},
    [IN_PLANNED_START] = {"planned_start", show_planned_start},
    [IN_PLANNED_END] = {"planned_end", show_planned_end},
    [IN_ACTUAL_START] = {"actual_start", show_actual_start},
    [IN_ACTUAL_END] = {"actual_end", show_actual_end},
    [IN_DUE] = {"due", show_due},
    [IN_PROGRESS] = {"progress", show_progress},
    [IN_ESTIMATE] = {"estimate", show_estimate},
    [IN_ACTUAL] = {"actual", show_actual},
    [IN_MANUAL] = {"manual", show_manual},
};

static bool same_people(const struct ticket *a, const struct ticket *b)
{
    return a->assignee_id == b->assignee_id &&
           a->assignee_count == b->assignee_count &&
           (a->assignee_count == 0 ||
            memcmp(a->assignees, b->assignees,
                   a->assignee_count * sizeof *a->assignees) == 0);
}

/* One bit a field. */
static unsigned compare(const struct ticket *a, const struct ticket *b)
{
    const bool differs[IN_COUNT] = {
        [IN_SUBJECT] = !str_equal(a->subject, b->subject),
        [IN_DETAILS] = !str_equal(a->details, b->details),
        [IN_CLASSIFICATION] = a->classification_id != b->classification_id,
        [IN_STATUS] = a->status_id != b->status_id,
        [IN_PRIORITY] = a->priority != b->priority,
        [IN_PARENT] = a->parent_id != b->parent_id,
        [IN_ASSIGNEES] = !same_people(a, b),
        [IN_PLANNED_START] = a->planned_start != b->planned_start,
        [IN_PLANNED_END] = a->planned_end != b->planned_end,
        [IN_ACTUAL_START] = a->actual_start != b->actual_start,
        [IN_ACTUAL_END] = a->actual_end != b->actual_end,
        [IN_DUE] = a->due != b->due,
        [IN_PROGRESS] = a->progress != b->progress,
        [IN_ESTIMATE] = a->estimate != b->estimate,
        [IN_ACTUAL] = a->actual != b->actual,
        [IN_MANUAL] = a->is_manual != b->is_manual,
    };
    unsigned bits = 0;

    for (unsigned i = 0; i < IN_COUNT; i++)
        if (differs[i])
            bits |= 1u << i;
    return bits;
}

bool ticket_log_differs(const struct ticket *a, const struct ticket *b)
{
    return compare(a, b) != 0;
}

/* ---- writing ---- */

static enum err write_operation(struct ctx *c, const struct ticket_record *r,
                                const char *before, const char *after)
{
    const struct ticket *any = r->after ? r->after : r->before;

    return operation_log(
        c, &(struct operation){
               .action = r->action,
               .kind = "ticket",
               .object_id = any->id,
               .object_name = arena_printf(c->mem, "%s-%lld %s", r->project_key,
                                           (long long)any->no, any->subject),
               .before = before,
               .after = after});
}

static void put_extra(struct ctx *c, struct json_out *o,
                      const struct ticket_extra *x, const char *value)
{
    json_text(o, ticket_history_pick(c, x->name),
              ticket_history_pick(c, value));
}

/* Created and deleted: one history row, the values in the operation log. */
static enum err write_whole(struct ctx *c, const struct ticket_record *r)
{
    const struct ticket *t = r->after ? r->after : r->before;
    must(t != NULL);
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};
    enum err e = ticket_history_add(
        c, t->id,
        !r->after                           ? "deleted"
        : strcmp(r->action, "restore") == 0 ? "restored"
                                            : "created",
        r->after ? NULL : t->subject, r->after ? t->subject : NULL);

    json_open(&o, NULL, '{');
    for (int i = 0; i < IN_COUNT && !e; i++) {
        const char *text;
        e = shown[i].show(c, r->catalogue, t, &text);
        if (!e && text)
            json_text(&o, shown[i].name, ticket_history_pick(c, text));
    }
    for (size_t i = 0; i < r->extra_count; i++)
        if (r->extras[i].after)
            put_extra(c, &o, &r->extras[i], r->extras[i].after);
    json_close(&o, '}');
    if (e || r->where == TICKET_LOG_HISTORY)
        return e;
    return write_operation(c, r, r->after ? NULL : b.data,
                           r->after ? b.data : NULL);
}

static enum err write_extras(struct ctx *c, const struct ticket_record *r,
                             struct json_out o[2])
{
    enum err e = OK;

    for (size_t i = 0; i < r->extra_count && !e; i++) {
        const struct ticket_extra *x = &r->extras[i];
        e = ticket_history_add(c, r->after->id, x->name, x->before, x->after);
        put_extra(c, &o[0], x, x->before);
        put_extra(c, &o[1], x, x->after);
    }
    return e;
}

enum err ticket_log_write(struct ctx *c, const struct ticket_record *r)
{
    struct buf b[2] = {buf_in(c->mem), buf_in(c->mem)};
    struct json_out o[2] = {{.b = &b[0]}, {.b = &b[1]}};
    enum err e = OK;

    if (!r->before || !r->after)
        return write_whole(c, r);
    unsigned bits = compare(r->before, r->after);
    if (bits == 0 && r->extra_count == 0)
        return OK;
    json_open(&o[0], NULL, '{');
    json_open(&o[1], NULL, '{');
    for (unsigned i = 0; i < IN_COUNT && !e; i++) {
        const char *before, *after;
        if (!(bits & 1u << i))
            continue;
        if ((e = shown[i].show(c, r->catalogue, r->before, &before)) ||
            (e = shown[i].show(c, r->catalogue, r->after, &after)) ||
            (e = ticket_history_add(c, r->after->id, shown[i].name, before,
                                    after)))
            break;
        json_text(&o[0], shown[i].name, ticket_history_pick(c, before));
        json_text(&o[1], shown[i].name, ticket_history_pick(c, after));
    }
    if (!e)
        e = write_extras(c, r, o);
    json_close(&o[0], '}');
    json_close(&o[1], '}');
    if (e || r->where == TICKET_LOG_HISTORY)
        return e;
    return write_operation(c, r, b[0].data, b[1].data);
}
