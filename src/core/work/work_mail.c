/* SPDX-License-Identifier: Apache-2.0 */
#include "core/work/work_mail.h"

#include "core/access/access.h"
#include "core/core.h"
#include "core/mail/outbox.h"
#include "core/tenant/tenant_settings.h"

enum { KEYS_SHOWN = 20 };

enum {
    WORK_MAIL_READER,
    WORK_MAIL_TICKET,
    WORK_MAIL_CONCERNED,
    WORK_MAIL_WISHES,
    WORK_MAIL_SET,
    WORK_MAIL_WHO
};
static const char *const work_mail_text[] = {
    [WORK_MAIL_READER] = "SELECT email, name, lang FROM user WHERE id = ?1"
                         " AND state = 1 AND notify & ?2",
    [WORK_MAIL_TICKET] =
        "SELECT t.project_id, p.key || '-' || t.no FROM ticket t"
        " JOIN project p ON p.id = t.project_id WHERE t.id = ?1",
    [WORK_MAIL_CONCERNED] =
        "SELECT user_id FROM ticket_assignee WHERE ticket_id = ?1"
        " UNION SELECT reporter_id FROM ticket WHERE id = ?1"
        " AND reporter_id IS NOT NULL",
    [WORK_MAIL_WISHES] = "SELECT notify FROM user WHERE id = ?1",
    [WORK_MAIL_SET] = "UPDATE user SET notify = ?2 WHERE id = ?1",
    [WORK_MAIL_WHO] = "SELECT 1 FROM user WHERE id = ?1 AND state = 1",
};
const struct query_set work_mail_queries = {"work_mail", work_mail_text,
                                            COUNT(work_mail_text)};

static const struct field work_mail_fields[] = {
    {BOOL("assigned", OPTIONAL, "担当に設定されたとき",
          "When something is assigned to me")},
    {BOOL("commented", OPTIONAL, "コメントされたとき",
          "When somebody comments")},
    {BOOL("due", OPTIONAL, "期限が近いとき", "When something is due")},
};
const struct form work_mail_form = {"NotificationEdit", work_mail_fields,
                                    COUNT(work_mail_fields)};

/* ---- noting ---- */

static void note(struct ctx *c, struct work_mail n)
{
    struct work_mail *copy = arena_new(c->mem, struct work_mail);

    *copy = n;
    copy->next = c->work_mails;
    c->work_mails = copy;
}

static bool is_in(const int64_t *ids, size_t count, int64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

void work_mail_assigned(struct ctx *c, const char *project_key,
                        const struct ticket *before, const struct ticket *after)
{
    for (size_t i = 0; i < after->assignee_count; i++) {
        int64_t id = after->assignees[i];
        if (id == c->actor->user_id ||
            (before && is_in(before->assignees, before->assignee_count, id)))
            continue;
        note(c, (struct work_mail){.kind = WORK_MAIL_ASSIGNED,
                                   .user_id = id,
                                   .ticket_id = after->id,
                                   .project_id = after->project_id,
                                   .key = arena_printf(c->mem, "%s-%lld",
                                                       project_key,
                                                       (long long)after->no)});
    }
}

enum err work_mail_commented(struct ctx *c, int64_t ticket_id)
{
    struct work_mail n = {.kind = WORK_MAIL_COMMENTED, .ticket_id = ticket_id};
    struct query *q = query(c, work_mail_text[WORK_MAIL_TICKET]);

    bind_int(q, 1, ticket_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    n.project_id = col_int(q, 0);
    n.key = col_text(c, q, 1);
    query_done(q);
    q = query(c, work_mail_text[WORK_MAIL_CONCERNED]);
    bind_int(q, 1, ticket_id);
    while (query_next(c, q, &e)) {
        n.user_id = col_int(q, 0);
        if (n.user_id != c->actor->user_id)
            note(c, n);
    }
    return e;
}

/* ---- the mails ---- */

struct reader {
    const char *email, *name;
    enum lang lang;
};

/* ERR_NOT_FOUND: gone, or does not want it. */
static enum err find_reader(struct ctx *c, const struct work_mail *n,
                            struct reader *out)
{
    struct query *q = query(c, work_mail_text[WORK_MAIL_READER]);

    bind_int(q, 1, n->user_id);
    bind_int(q, 2, 1 << n->kind);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = (struct reader){.email = col_text(c, q, 0),
                           .name = col_text(c, q, 1),
                           .lang = col_int(q, 2) ? LANG_EN : LANG_JA};
    query_done(q);
    return OK;
}

static bool same_mail(const struct work_mail *a, const struct work_mail *b)
{
    return a->kind == b->kind && a->user_id == b->user_id &&
           a->project_id == b->project_id;
}

static bool is_earlier(const struct work_mail *list, const struct work_mail *n)
{
    for (; list != n; list = list->next)
        if (same_mail(list, n))
            return true;
    return false;
}

/* A line a ticket; *count: of all of them. */
static const char *list_tickets(struct ctx *c, const struct work_mail *n,
                                size_t *count)
{
    struct buf b = buf_in(c->mem);

    *count = 0;
    for (const struct work_mail *at = n; at; at = at->next)
        if (same_mail(at, n) && (*count)++ < KEYS_SHOWN)
            buf_printf(&b, "%s  %s/tickets/%s\n", at->key, c->actor->base_url,
                       at->key);
    if (*count > KEYS_SHOWN)
        buf_printf(&b, "… +%zu\n", *count - KEYS_SHOWN);
    return b.data;
}

static const struct {
    const char *subject_ja, *subject_en, *ja, *en;
} words[] = {
    [WORK_MAIL_ASSIGNED] = {"【櫓】担当に設定されました",
                            "[Yagura] Assigned to you",
                            "さんが、あなたを担当に設定しました。",
                            " has assigned this to you."},
    [WORK_MAIL_COMMENTED] = {"【櫓】コメントがありました",
                             "[Yagura] New comment",
                             "さんが、あなたの関わるチケットにコメント"
                             "しました。",
                             " has commented on a ticket of yours."},
};

static enum err write_mail(struct ctx *c, const struct app *app,
                           const struct work_mail *n, const struct reader *r)
{
    bool ja = r->lang == LANG_JA;
    struct tenant_settings t;
    size_t count;
    enum err e = tenant_settings_get(c, &t);

    if (e)
        return e;
    const char *tickets = list_tickets(c, n, &count);
    const char *subject =
        arena_printf(c->mem, count > 1 ? "%s: %s …+%zu" : "%s: %s",
                     ja ? words[n->kind].subject_ja : words[n->kind].subject_en,
                     n->key, count - 1);
    const char *news = ja ? words[n->kind].ja : words[n->kind].en;
    const char *text = arena_printf(
        c->mem,
        ja ? "%s 様\n\n%s%s\n\n%s\nテナント: %s\n\n-- \n櫓（Yagura）から自動で"
             "送信しています。通知はマイアカウントで選べます。\n"
           : "Dear %s,\n\n%s%s\n\n%s\nTenant: %s\n\n-- \nSent automatically by "
             "Yagura. Choose your mails under My account.\n",
        r->name, c->actor->name, news, tickets, t.name);
    return outbox_add(c, app,
                      &(struct outbox_mail){.address = r->email,
                                            .subject = subject,
                                            .text = text,
                                            .user_id = n->user_id,
                                            .project_id = n->project_id});
}

enum err work_mail_flush(struct ctx *c, const struct app *app)
{
    const struct work_mail *list = c->work_mails;

    for (const struct work_mail *n = list; n; n = n->next) {
        struct reader r;
        enum err e;
        if (is_earlier(list, n))
            continue;
        if (!(e = find_reader(c, n, &r)))
            e = write_mail(c, app, n, &r);
        if (e && e != ERR_NOT_FOUND)
            return e;
    }
    c->work_mails = NULL;
    return OK;
}

enum err work_mail_may_go(struct ctx *c, int64_t user_id, int64_t project_id,
                          bool *out)
{
    unsigned rights = 0;
    struct query *q = query(c, work_mail_text[WORK_MAIL_WHO]);

    *out = false;
    bind_int(q, 1, user_id);
    enum err e = query_one(c, q);
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    query_done(q);
    e = access_project_of(c, user_id, project_id, &rights);
    *out = rights & MAY_TICKET_VIEW;
    return e;
}

/* ---- what a person wants ---- */

enum err work_mail_get_wishes(struct ctx *c, struct work_mail_wishes *out)
{
    struct query *q = query(c, work_mail_text[WORK_MAIL_WISHES]);

    bind_int(q, 1, c->actor->user_id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = (struct work_mail_wishes){
        .assigned = col_int(q, 0) & (1 << WORK_MAIL_ASSIGNED),
        .commented = col_int(q, 0) & (1 << WORK_MAIL_COMMENTED),
        .due = col_int(q, 0) & (1 << WORK_MAIL_DUE),
    };
    query_done(q);
    return OK;
}

enum err work_mail_set_wishes(struct ctx *c, const struct values *v,
                              struct work_mail_wishes *out)
{
    enum err e = work_mail_get_wishes(c, out);

    if (e)
        return e;
    out->assigned = values_bool(v, "assigned", out->assigned);
    out->commented = values_bool(v, "commented", out->commented);
    out->due = values_bool(v, "due", out->due);
    struct query *q = query(c, work_mail_text[WORK_MAIL_SET]);
    bind_int(q, 1, c->actor->user_id);
    bind_int(q, 2,
             (out->assigned ? 1 << WORK_MAIL_ASSIGNED : 0) |
                 (out->commented ? 1 << WORK_MAIL_COMMENTED : 0) |
                 (out->due ? 1 << WORK_MAIL_DUE : 0));
    return query_run(c, q);
}
