/* SPDX-License-Identifier: Apache-2.0 */
/* Each person's row remembers the day of the last mail, so neither a restart
 * nor a second look repeats it.  What a person may see is asked while the mail
 * is written; it is dropped if the relay does not take it soon after. */
#include "core/work/due_mail.h"

#include "base/buf.h"
#include "base/civil.h"
#include "base/clock.h"
#include "core/access/access.h"
#include "core/core.h"
#include "core/mail/outbox.h"
#include "core/tenant/tenant_settings.h"
#include "core/work/work_mail.h"

enum { ROWS_MAX = 50, EXPIRES_MINUTES = 120 };

enum { DUE_NEXT, DUE_TOLD, DUE_TICKETS };
static const char *const due_text[] = {
    [DUE_NEXT] = "SELECT id, email, name, lang, is_admin FROM user"
                 " WHERE notify >= 4 AND state = 1 AND id > ?2"
                 /* a mark beyond tomorrow: the clock was ahead */
                 " AND (due_day < ?1 OR due_day > ?1 + 1)"
                 " ORDER BY id LIMIT 1",
    [DUE_TOLD] = "UPDATE user SET due_day = ?2 WHERE id = ?1",
    [DUE_TICKETS] =
        "SELECT t.project_id, p.key || '-' || t.no,"
        " coalesce(t.due, t.planned_end) FROM ticket_assignee w"
        " JOIN ticket t ON t.id = w.ticket_id JOIN project p"
        " ON p.id = t.project_id JOIN status s ON s.id = t.status_id"
        " WHERE w.user_id = ?1 AND t.deleted_at IS NULL AND s.category < 2"
        " AND p.deleted_at IS NULL AND p.state = 0"
        " AND coalesce(t.due, t.planned_end) <= ?2"
        " ORDER BY coalesce(t.due, t.planned_end), t.id LIMIT ?3",
};
const struct query_set due_mail_queries = {"due_mail", due_text,
                                           COUNT(due_text)};

struct reader {
    int64_t id;
    const char *email, *name;
    enum lang lang;
    bool is_admin;
};

static enum err next_reader(struct ctx *c, int32_t today, int64_t after,
                            struct reader *out)
{
    struct query *q = query(c, due_text[DUE_NEXT]);

    bind_int(q, 1, today);
    bind_int(q, 2, after);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = (struct reader){.id = col_int(q, 0),
                           .email = col_text(c, q, 1),
                           .name = col_text(c, q, 2),
                           .lang = col_int(q, 3) ? LANG_EN : LANG_JA,
                           .is_admin = col_int(q, 4) != 0};
    query_done(q);
    return OK;
}

struct due_row {
    int64_t project_id;
    const char *key;
    int32_t day;
};

static enum err read_rows(struct ctx *c, const struct reader *r, int32_t until,
                          struct due_row *rows, size_t *count)
{
    struct query *q = query(c, due_text[DUE_TICKETS]);
    enum err e;

    *count = 0;
    bind_int(q, 1, r->id);
    bind_int(q, 2, until);
    bind_int(q, 3, ROWS_MAX);
    while (query_next(c, q, &e)) {
        rows[*count].project_id = col_int(q, 0);
        rows[*count].key = col_text(c, q, 1);
        rows[(*count)++].day = col_day(q, 2);
    }
    return e;
}

/* The lines of what the reader may see. */
static enum err list(struct ctx *c, const struct reader *r, int32_t today,
                     struct buf *out, size_t *shown)
{
    struct due_row *rows = arena_array(c->mem, struct due_row, ROWS_MAX);
    size_t count;
    enum err e = read_rows(c, r, today + DUE_MAIL_DAYS, rows, &count);

    *shown = 0;
    for (size_t i = 0; !e && i < count; i++) {
        char day[11];
        bool may_see;
        e = work_mail_may_go(c, r->id, rows[i].project_id, &may_see);
        if (e || !may_see)
            continue;
        civil_format(rows[i].day, day);
        buf_printf(out, "%s  %s%s  %s/tickets/%s\n", day, rows[i].key,
                   rows[i].day < today ? " (!)" : "", c->actor->base_url,
                   rows[i].key);
        (*shown)++;
    }
    return e;
}

static enum err send(struct ctx *c, const struct app *app,
                     const struct reader *r, int32_t today)
{
    bool ja = r->lang == LANG_JA;
    struct buf lines = buf_in(c->mem);
    struct tenant_settings t;
    size_t shown;
    enum err e = list(c, r, today, &lines, &shown);

    if (e || shown == 0 || (e = tenant_settings_get(c, &t)))
        return e;
    const char *text = arena_printf(
        c->mem,
        ja ? "%s 様\n\n期限が近い、または過ぎているチケットです（(!) は超過）。"
             "\n\n%s\nテナント: %s\n\n-- \n櫓（Yagura）から自動で送信して"
             "います。通知はマイアカウントで選べます。\n"
           : "Dear %s,\n\nTickets of yours that end soon or are late (!).\n\n"
             "%s\nTenant: %s\n\n-- \nSent automatically by Yagura. Choose "
             "your mails under My account.\n",
        r->name, lines.data, t.name);
    return outbox_add(
        c, app,
        &(struct outbox_mail){
            .address = r->email,
            .subject = arena_printf(c->mem,
                                    ja ? "【櫓】期限の近いチケット: %zu件"
                                       : "[Yagura] Tickets due soon: %zu",
                                    shown),
            .text = text,
            .expires_minutes = EXPIRES_MINUTES});
}

enum err due_mail_send(struct ctx *c, const struct app *app)
{
    int32_t today = clock_today(c->now_us);
    struct reader r = {.id = 0};
    enum err e;

    while (!(e = next_reader(c, today, r.id, &r))) {
        struct query *q = query(c, due_text[DUE_TOLD]);
        bind_int(q, 1, r.id);
        bind_int(q, 2, today);
        if ((e = query_run(c, q)) || (e = send(c, app, &r, today)))
            return e;
    }
    return e == ERR_NOT_FOUND ? OK : e;
}
