/* SPDX-License-Identifier: Apache-2.0 */
/* A list of tenants with the moment each wants to be looked at; the mails
 * themselves are only in the tenants' files.  A mail is read in one
 * transaction, sent outside of any, and removed or put off in another: a crash
 * between sending and removing repeats it under the same Message-ID.  There
 * are several senders, so that a relay that hangs over one mail holds up no
 * other; each claims a mail, then reads it once more: what another has sent
 * meanwhile is no longer there. */
#include "core/mail/outbox.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/str.h"
#include "core/core.h"
#include "core/tenant/link_base.h"
#include "core/tenant/tenant_directory.h"
#include "db/query.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define US_PER_MINUTE INT64_C(60000000)
enum {
    TENANT_MAX = 10000,
    CAPTURE_MAX = 100,
    RETRY_MAX_MINUTES = 30,
    SENDERS = 4,
    NOTE_AGAIN_MS = 5000
};
/* Nothing is put off for longer: what is due later than that was written
 * before the clock was set back. */
#define LATEST_US ((RETRY_MAX_MINUTES + 1) * US_PER_MINUTE)

enum {
    MAIL_ADD,
    MAIL_DUE,
    MAIL_GET,
    MAIL_NEXT,
    MAIL_DONE,
    MAIL_RETRY,
    MAIL_GIVE_UP,
    MAIL_REFUSED,
    MAIL_TAKEN
};
static const char *const outbox_text[] = {
    [MAIL_ADD] = "INSERT INTO mail (message_id, address, subject, body,"
                 " due_at, expires_at, created_at, user_id, project_id,"
                 " alert_id, notice_id)"
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?5, ?7, ?8, ?9, ?10)",
    [MAIL_DUE] = "SELECT id FROM mail WHERE state = 0 AND (due_at <= ?1"
                 " OR due_at > ?2) ORDER BY due_at LIMIT ?3",
    [MAIL_GET] = "SELECT id, message_id, address, subject, body, tries,"
                 " expires_at, created_at, user_id, project_id FROM mail"
                 " WHERE id = ?3 AND state = 0 AND (due_at <= ?1"
                 " OR due_at > ?2)",
    [MAIL_NEXT] = "SELECT id, due_at, (SELECT min(created_at) FROM mail"
                  " WHERE state = 0) FROM mail WHERE state = 0"
                  " ORDER BY due_at LIMIT ?1",
    [MAIL_DONE] = "DELETE FROM mail WHERE id = ?1",
    [MAIL_RETRY] = "UPDATE mail SET tries = tries + 1, due_at = ?2,"
                   " error = ?3 WHERE id = ?1",
    [MAIL_GIVE_UP] = "UPDATE mail SET state = 1, body = '', error = ?2"
                     " WHERE id = ?1",
    [MAIL_REFUSED] = "INSERT OR REPLACE INTO mail_refusal (email_fold, at, why)"
                     " SELECT email_fold, ?2, ?3 FROM user"
                     " WHERE email_fold = lower(?1) AND state < 3",
    [MAIL_TAKEN] = "DELETE FROM mail_refusal WHERE email_fold = lower(?1)",
};
const struct query_set outbox_queries = {"outbox", outbox_text,
                                         COUNT(outbox_text)};

struct waiting {
    char tenant[33];
    int64_t due_us;
    int64_t oldest_us; /* when its oldest mail was written; 0: not known */
};

/* id 0: nothing at hand. */
struct sender {
    struct outbox *owner;
    pthread_t thread;
    char tenant[33];
    int64_t mail_id;
};

struct outbox {
    struct app *app;
    const struct outbox_hooks *hooks;
    struct sender senders[SENDERS]; /* tenant and mail_id under the lock */
    int count_of_senders;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    bool stop;
    struct waiting list[TENANT_MAX];
    size_t count;
    struct captured_mail captured[CAPTURE_MAX]; /* ring, owns its texts */
    size_t captured_next;
    int64_t sent, failed; /* tries */
};

struct due_mail {
    int64_t id, tries, expires_at;
    int64_t user_id, project_id; /* see struct letter */
    struct mail mail;
};

/* ---- adding ---- */

static void want(struct outbox *o, const char *tenant, int64_t due_us)
{
    pthread_mutex_lock(&o->lock);
    size_t i = 0;
    while (i < o->count && strcmp(o->list[i].tenant, tenant) != 0)
        i++;
    if (i == o->count && o->count < TENANT_MAX) {
        memcpy(o->list[i].tenant, tenant, strlen(tenant) + 1);
        o->list[i].due_us = due_us;
        o->list[i].oldest_us = 0;
        o->count++;
    } else if (i < o->count && due_us < o->list[i].due_us) {
        o->list[i].due_us = due_us;
    }
    pthread_cond_signal(&o->wake);
    pthread_mutex_unlock(&o->lock);
}

static void note_oldest(struct outbox *o, const char *tenant, int64_t oldest_us)
{
    pthread_mutex_lock(&o->lock);
    for (size_t i = 0; i < o->count; i++)
        if (strcmp(o->list[i].tenant, tenant) == 0)
            o->list[i].oldest_us = oldest_us;
    pthread_mutex_unlock(&o->lock);
}

struct wake_note {
    struct outbox *outbox;
    const char *tenant;
};

static void wake_later(void *arg)
{
    struct wake_note *n = arg;

    want(n->outbox, n->tenant, 0);
}

void outbox_wake(struct ctx *c, const struct app *app)
{
    if (!app->outbox)
        return;
    struct wake_note *n = arena_new(c->mem, struct wake_note);
    n->outbox = app->outbox;
    n->tenant = arena_strdup(c->mem, c->actor->tenant);
    arena_defer(c->mem, wake_later, n);
}

enum err outbox_add(struct ctx *c, const struct app *app,
                    const struct outbox_mail *letter)
{
    uint8_t random[16];
    char hex[33];
    int minutes = letter->expires_minutes ? letter->expires_minutes : 24 * 60;
    struct query *q = query(c, outbox_text[MAIL_ADD]);

    crypto_random(random, sizeof(random));
    str_to_hex(random, sizeof(random), hex);
    bind_text(q, 1, hex);
    bind_text(q, 2, letter->address);
    bind_text(q, 3, letter->subject);
    bind_text(q, 4, letter->text);
    bind_int(q, 5, c->now_us);
    bind_int(q, 6, c->now_us + minutes * US_PER_MINUTE);
    bind_id(q, 7, letter->user_id);
    bind_id(q, 8, letter->project_id);
    bind_id(q, 9, letter->alert_id);
    bind_id(q, 10, letter->notice_id);
    enum err e = query_run(c, q);
    if (!e)
        outbox_wake(c, app);
    return e;
}

/* ---- sending ---- */

static void capture(struct outbox *o, const struct mail *m)
{
    struct captured_mail *slot;

    must(m->to && m->subject && m->text);
    pthread_mutex_lock(&o->lock);
    slot = &o->captured[o->captured_next++ % CAPTURE_MAX];
    free((void *)(uintptr_t)slot->to);
    free((void *)(uintptr_t)slot->subject);
    free((void *)(uintptr_t)slot->text);
    *slot = (struct captured_mail){strdup(m->to), strdup(m->subject),
                                   strdup(m->text), m->sent_at_us};
    must(slot->to && slot->subject && slot->text);
    pthread_mutex_unlock(&o->lock);
}

size_t outbox_list_captured(struct outbox *o, struct arena *mem,
                            const struct captured_mail **out)
{
    struct captured_mail *list =
        arena_array(mem, struct captured_mail, CAPTURE_MAX);
    size_t n = 0;

    pthread_mutex_lock(&o->lock);
    for (size_t i = o->captured_next; i-- > 0 && n < CAPTURE_MAX;) {
        const struct captured_mail *m = &o->captured[i % CAPTURE_MAX];
        list[n++] = (struct captured_mail){
            arena_strdup(mem, m->to), arena_strdup(mem, m->subject),
            arena_strdup(mem, m->text), m->at_us};
    }
    pthread_mutex_unlock(&o->lock);
    *out = list;
    return n;
}

static enum err send_mail(struct outbox *o, struct ctx *c, struct due_mail *d,
                          const char **why)
{
    enum err e = link_base_fill(c, o->app, c->actor->tenant, d->mail.text,
                                &d->mail.text);

    if (e) {
        *why = c->fail ? c->fail->rule : err_name(e);
        return ERR_BUSY; /* until somebody has set it right */
    }
    if (o->app->is_demo) {
        capture(o, &d->mail);
        return OK;
    }
    return smtp_send(o->app->mail, c->mem, &d->mail, why);
}

/* ---- who has which mail in hand ---- */

static bool is_claimed(struct outbox *o, const char *tenant, int64_t id)
{
    bool found = false;

    for (int i = 0; i < o->count_of_senders; i++)
        found = found || (o->senders[i].mail_id == id &&
                          strcmp(o->senders[i].tenant, tenant) == 0);
    return found;
}

static bool claim(struct sender *s, const char *tenant, int64_t id)
{
    struct outbox *o = s->owner;

    pthread_mutex_lock(&o->lock);
    bool is_free = !is_claimed(o, tenant, id);
    if (is_free) {
        memcpy(s->tenant, tenant, strlen(tenant) + 1);
        s->mail_id = id;
    }
    pthread_mutex_unlock(&o->lock);
    return is_free;
}

static void let_go(struct sender *s)
{
    pthread_mutex_lock(&s->owner->lock);
    s->mail_id = 0;
    pthread_mutex_unlock(&s->owner->lock);
}

/* ERR_NOT_FOUND: none is due that nobody has in hand. */
static enum err claim_due(struct sender *s, struct ctx *c)
{
    int64_t ids[SENDERS];
    size_t count = 0;
    struct query *q = query(c, outbox_text[MAIL_DUE]);
    enum err e;

    bind_int(q, 1, c->now_us);
    bind_int(q, 2, c->now_us + LATEST_US);
    bind_int(q, 3, SENDERS);
    while (query_next(c, q, &e))
        ids[count++] = col_int(q, 0);
    for (size_t i = 0; i < count && !e; i++)
        if (claim(s, c->actor->tenant, ids[i]))
            return OK;
    return e ? e : ERR_NOT_FOUND;
}

/* ERR_NOT_FOUND: another sender was quicker. */
static enum err read_claimed(struct ctx *c, int64_t id, struct due_mail *d)
{
    struct query *q = query(c, outbox_text[MAIL_GET]);

    bind_int(q, 1, c->now_us);
    bind_int(q, 2, c->now_us + LATEST_US);
    bind_int(q, 3, id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    d->id = col_int(q, 0);
    d->mail.message_id = col_text(c, q, 1);
    d->mail.to = col_text(c, q, 2);
    d->mail.subject = col_text(c, q, 3);
    d->mail.text = col_text(c, q, 4);
    d->tries = col_int(q, 5);
    d->expires_at = col_int(q, 6);
    d->mail.sent_at_us = col_int(q, 7);
    d->user_id = col_int(q, 8);
    d->project_id = col_int(q, 9);
    query_done(q);
    return OK;
}

/* What an administrator sees beside the person: whoever is not reached cannot
 * sign in, and is told nothing. */
static enum err note_answer(struct ctx *c, const struct due_mail *d,
                            enum err sent, const char *why)
{
    struct query *q = query(c, outbox_text[sent ? MAIL_REFUSED : MAIL_TAKEN]);

    bind_text(q, 1, d->mail.to);
    if (sent) {
        bind_int(q, 2, c->now_us);
        bind_text(q, 3, why);
    }
    return query_run(c, q);
}

/* Removes the mail, puts it off, or gives it up. */
static enum err settle(struct ctx *c, const struct due_mail *d, enum err sent,
                       const char *why)
{
    int64_t minutes = d->tries < 5 ? (int64_t)1 << d->tries : RETRY_MAX_MINUTES;
    int64_t next = c->now_us + minutes * US_PER_MINUTE;
    struct query *q;

    if (!sent) {
        q = query(c, outbox_text[MAIL_DONE]);
        bind_int(q, 1, d->id);
    } else if (sent == ERR_INVALID || next >= d->expires_at) {
        log_error("mail given up id=%s err=%s", d->mail.message_id, why);
        q = query(c, outbox_text[MAIL_GIVE_UP]);
        bind_int(q, 1, d->id);
        bind_text(q, 2, why);
    } else {
        log_warn("mail put off id=%s err=%s", d->mail.message_id, why);
        q = query(c, outbox_text[MAIL_RETRY]);
        bind_int(q, 1, d->id);
        bind_int(q, 2, next);
        bind_text(q, 3, why);
    }
    return query_run(c, q);
}

/* What lives for a day or more is tried once in any case: the server may have
 * been down, or the clock wrong. */
static bool is_too_late(const struct due_mail *d, int64_t now_us)
{
    return now_us >= d->expires_at &&
           (d->tries > 0 ||
            d->expires_at - d->mail.sent_at_us < INT64_C(1440) * US_PER_MINUTE);
}

static void count_outcome(struct outbox *o, enum err sent)
{
    pthread_mutex_lock(&o->lock);
    if (sent)
        o->failed++;
    else
        o->sent++;
    pthread_mutex_unlock(&o->lock);
}

void outbox_stats(struct outbox *o, struct outbox_stats *out)
{
    *out = (struct outbox_stats){0};
    if (!o)
        return;
    pthread_mutex_lock(&o->lock);
    *out = (struct outbox_stats){
        .tenants = (int64_t)o->count, .sent = o->sent, .failed = o->failed};
    for (size_t i = 0; i < o->count; i++) {
        int64_t at = o->list[i].oldest_us;
        if (at && (!out->oldest_us || at < out->oldest_us))
            out->oldest_us = at;
    }
    pthread_mutex_unlock(&o->lock);
}

/* What is sent but cannot be removed, as on a full disk, stays in hand: it
 * would be sent again each minute.  False when the server stops. */
static bool wait_a_little(struct outbox *o)
{
    struct timespec until =
        clock_after_ms(clock_test_value("YAGURA_TEST_LOOK_MS", NOTE_AGAIN_MS));

    pthread_mutex_lock(&o->lock);
    while (!o->stop &&
           pthread_cond_timedwait(&o->wake, &o->lock, &until) != ETIMEDOUT)
        ;
    bool goes_on = !o->stop;
    pthread_mutex_unlock(&o->lock);
    return goes_on;
}

static enum err send_claimed(struct sender *s, struct ctx *c, struct tenant *t)
{
    struct outbox *o = s->owner;
    struct due_mail d = {0};
    const char *why = "expired";
    bool may_go = true;

    enum err e = tx_begin(c, t, TX_READ);
    if (e)
        return e;
    if (!(e = read_claimed(c, s->mail_id, &d)) && d.user_id)
        e = o->hooks->may_go(c, d.user_id, d.project_id, &may_go);
    if ((e = tx_end(c, t, e)))
        return e == ERR_NOT_FOUND ? OK : e;
    want(o, c->actor->tenant, 0); /* others see to the other mails */
    bool is_tried = may_go && !is_too_late(&d, c->now_us);
    enum err sent = is_tried ? send_mail(o, c, &d, &why)
                    : may_go ? ERR_INVALID
                             : OK;
    c->fail = NULL;
    count_outcome(o, sent);
    do {
        if ((e = tx_begin(c, t, TX_WRITE)))
            continue;
        e = settle(c, &d, sent, why);
        if (!e && is_tried && sent != ERR_BUSY)
            e = note_answer(c, &d, sent, why);
        e = tx_end(c, t, e);
    } while (!sent && (e == ERR_FULL || e == ERR_BUSY) && wait_a_little(o));
    return e;
}

/* Sends one mail of the tenant.  ERR_NOT_FOUND: none is due. */
static enum err send_one(struct sender *s, struct ctx *c, struct tenant *t)
{
    c->now_us = clock_now_us();
    enum err e = tx_begin(c, t, TX_READ);
    if (e || (e = tx_end(c, t, claim_due(s, c))))
        return e;
    e = send_claimed(s, c, t);
    let_go(s);
    return e;
}

/* When the first mail is due that nobody has in hand; who has one looks at
 * the rest afterwards. */
static int64_t next_due(struct outbox *o, struct ctx *c, struct tenant *t,
                        int64_t *oldest_us)
{
    int64_t due = INT64_MAX;
    enum err e = OK;

    if (tx_begin(c, t, TX_READ))
        return c->now_us + US_PER_MINUTE;
    int64_t ids[SENDERS], dues[SENDERS];
    size_t count = 0;
    struct query *q = query(c, outbox_text[MAIL_NEXT]);
    bind_int(q, 1, SENDERS);
    while (query_next(c, q, &e)) {
        ids[count] = col_int(q, 0);
        dues[count++] = col_int(q, 1);
        *oldest_us = col_int(q, 2);
    }
    pthread_mutex_lock(&o->lock);
    while (count-- > 0)
        if (!is_claimed(o, c->actor->tenant, ids[count]))
            due = dues[count];
    pthread_mutex_unlock(&o->lock);
    return tx_end(c, t, e) ? c->now_us + US_PER_MINUTE : due;
}

/* Empties one tenant's outbox; returns when to look again. */
static int64_t serve_tenant(struct sender *s, struct arena *mem, const char *id,
                            int64_t *oldest_us)
{
    struct outbox *o = s->owner;
    struct actor system = {.name = "",
                           .ip = "",
                           .request_id = "outbox",
                           .tenant = id,
                           .base_url = ""};
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    struct tenant *t;
    enum err e;

    if (tenant_open(o->app->store, id, &t))
        return INT64_MAX;
    while (!o->hooks->answer_wish(&c, o->app, t))
        ;
    do
        e = send_one(s, &c, t);
    while (!e);
    int64_t due = e == ERR_NOT_FOUND ? next_due(o, &c, t, oldest_us)
                                     : clock_now_us() + US_PER_MINUTE;
    tenant_close(t);
    return due;
}

/* Takes the tenant that is due first; false when none is due yet. */
static bool take_due(struct outbox *o, char id[33], int64_t *wait_us)
{
    int64_t now = clock_now_us();
    size_t best = 0;

    *wait_us = US_PER_MINUTE;
    for (size_t i = 1; i < o->count; i++)
        if (o->list[i].due_us < o->list[best].due_us)
            best = i;
    if (o->count == 0)
        return false;
    if (o->list[best].due_us > now && o->list[best].due_us <= now + LATEST_US) {
        if (o->list[best].due_us - now < *wait_us)
            *wait_us = o->list[best].due_us - now;
        return false;
    }
    memcpy(id, o->list[best].tenant, sizeof(o->list[best].tenant));
    o->list[best] = o->list[--o->count];
    return true;
}

static void sleep_until_woken(struct outbox *o, int64_t wait_us)
{
    int64_t ms = clock_test_value("YAGURA_TEST_LOOK_MS", wait_us / 1000 + 1000);
    struct timespec until = clock_after_ms(ms);

    pthread_cond_timedwait(&o->wake, &o->lock, &until);
}

static void look_through_all(struct outbox *o, struct arena *mem)
{
    const char *const *ids;
    size_t count = tenant_directory_list_ids(o->app->store, mem, &ids);

    for (size_t i = 0; i < count; i++)
        want(o, ids[i], 0);
    want(o, STORE_OPERATOR, 0);
    arena_reset(mem);
}

static void *run(void *arg)
{
    struct sender *s = arg;
    struct outbox *o = s->owner;
    struct arena *mem = arena_open(0);
    char id[33];
    int64_t wait_us;

    if (s == o->senders)
        look_through_all(o, mem);
    pthread_mutex_lock(&o->lock);
    while (!o->stop) {
        if (!take_due(o, id, &wait_us)) {
            sleep_until_woken(o, wait_us);
            continue;
        }
        pthread_mutex_unlock(&o->lock);
        int64_t oldest_us = 0, due = serve_tenant(s, mem, id, &oldest_us);
        if (due < INT64_MAX)
            want(o, id, due);
        note_oldest(o, id, oldest_us);
        arena_reset(mem);
        pthread_mutex_lock(&o->lock);
    }
    pthread_mutex_unlock(&o->lock);
    arena_close(mem);
    return NULL;
}

/* demo: what is captured never hangs, and keeps its order. */
struct outbox *outbox_open(struct app *app, const struct outbox_hooks *hooks)
{
    struct outbox *o = calloc(1, sizeof(*o));

    must(o);
    o->app = app;
    o->hooks = hooks;
    o->count_of_senders = app->is_demo ? 1 : SENDERS;
    must(pthread_mutex_init(&o->lock, NULL) == 0);
    clock_init_cond(&o->wake);
    for (int i = 0; i < o->count_of_senders; i++)
        o->senders[i].owner = o;
    for (int i = 0; i < o->count_of_senders; i++)
        must(pthread_create(&o->senders[i].thread, NULL, run, &o->senders[i]) ==
             0);
    return o;
}

void outbox_close(struct outbox *o)
{
    if (!o)
        return;
    pthread_mutex_lock(&o->lock);
    o->stop = true;
    pthread_cond_broadcast(&o->wake);
    pthread_mutex_unlock(&o->lock);
    for (int i = 0; i < o->count_of_senders; i++)
        pthread_join(o->senders[i].thread, NULL);
    for (size_t i = 0; i < CAPTURE_MAX; i++) {
        free((void *)(uintptr_t)o->captured[i].to);
        free((void *)(uintptr_t)o->captured[i].subject);
        free((void *)(uintptr_t)o->captured[i].text);
    }
    free(o);
}
