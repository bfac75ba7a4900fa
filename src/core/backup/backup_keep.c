/* SPDX-License-Identifier: Apache-2.0 */
/* Decided by what lies on the disk: a copy counts only while the manifest of
 * its generation, which names what was checked, fits the files beside it. */
#include "core/backup/backup_keep.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "core/backup/backup_work.h"
#include "core/core.h"
#include "core/mail/clock_monitor.h"
#include "db/query.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEEP_ENDED,
    KEEP_DAMAGED,
    KEEP_MOVE,
    DAMAGE_ADD,
    DAMAGE_FORGET,
    DAMAGE_PRUNE,
};
static const char *const keep_text[] = {
    [KEEP_ENDED] = "SELECT id FROM customer WHERE state = 2 UNION SELECT"
                   " customer_id FROM termination WHERE customer_id >= ''"
                   " AND end_on < ?1 ORDER BY 1",
    [KEEP_DAMAGED] =
        "SELECT date, tenant_id FROM backup_damage WHERE date >= ''"
        " ORDER BY date, tenant_id",
    [KEEP_MOVE] = "UPDATE backup_tenant SET date = ?2, at = ?3, bytes = ?4,"
                  " row_count = ?5 WHERE tenant_id = ?1",
    [DAMAGE_ADD] = "INSERT INTO backup_damage (date, tenant_id, at)"
                   " VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    [DAMAGE_FORGET] = "DELETE FROM backup_damage WHERE date = ?1",
    [DAMAGE_PRUNE] = "DELETE FROM backup_damage WHERE date < ?1",
};
const struct query_set backup_keep_queries = {"backup_keep", keep_text,
                                              COUNT(keep_text)};

/* A tenant of which a generation's manifest names all files. */
struct held {
    const char *id;
    int64_t bytes, rows;
    bool is_good;
};
struct shelf {
    const char *date;
    bool is_read, is_thin; /* is_thin: only what outlives its time is left */
    const struct json *root, *files;
    struct held *list; /* sorted by id */
    size_t count;
};
struct damage {
    const char *date, *id;
};
struct backup_stock {
    const struct app *app;
    struct arena *mem;
    char today[11], oldest[11]; /* that is within its time */
    struct shelf *shelves;      /* newest first */
    size_t count;
    const char *const *ended; /* sorted */
    size_t ended_count;
    const struct damage *damaged;
    size_t damaged_count;
};

/* ---- what is known ---- */

static enum err read_ended(struct ctx *c, struct backup_stock *s)
{
    struct buf list = buf_in(c->mem);
    struct query *q = query(c, keep_text[KEEP_ENDED]);
    enum err e;

    bind_int(q, 1, clock_today(c->now_us));
    while (query_next(c, q, &e)) {
        const char *id = col_text(c, q, 0);
        buf_put(&list, &id, sizeof id);
    }
    s->ended = (const void *)list.data;
    s->ended_count = list.len / sizeof *s->ended;
    return e;
}

static enum err read_damaged(struct ctx *c, struct backup_stock *s)
{
    struct buf list = buf_in(c->mem);
    struct query *q = query(c, keep_text[KEEP_DAMAGED]);
    enum err e;

    while (query_next(c, q, &e)) {
        struct damage one = {col_text(c, q, 0), col_text(c, q, 1)};
        buf_put(&list, &one, sizeof one);
    }
    s->damaged = (const void *)list.data;
    s->damaged_count = list.len / sizeof *s->damaged;
    return e;
}

enum err backup_stock_read(struct ctx *c, const struct app *app,
                           struct backup_stock **out)
{
    struct backup_stock *s = arena_new(c->mem, struct backup_stock);
    const char *const *names;

    *s = (struct backup_stock){.app = app, .mem = c->mem};
    *out = s;
    civil_format(clock_today(c->now_us), s->today);
    civil_format(clock_today(c->now_us) - BACKUP_KEEP_DAYS + 1, s->oldest);
    s->count = generation_list(app->store, c->mem, &names);
    s->shelves = arena_array(c->mem, struct shelf, s->count + 1);
    for (size_t i = 0; i < s->count; i++)
        s->shelves[i] = (struct shelf){.date = names[i]};
    enum err e = read_ended(c, s);
    return e ? e : read_damaged(c, s);
}

enum err backup_stock_open(struct ctx *c, const struct app *app,
                           struct backup_stock **out)
{
    enum err e = tx_begin_control(c, app->store, TX_READ);

    return e ? e
             : tx_end_control(c, app->store, backup_stock_read(c, app, out));
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool backup_stock_is_ended(const struct backup_stock *s, const char *tenant)
{
    return s->ended_count && bsearch(&tenant, s->ended, s->ended_count,
                                     sizeof *s->ended, by_text) != NULL;
}

static bool is_damaged(const struct backup_stock *s, const char *date,
                       const char *id)
{
    for (size_t i = 0; i < s->damaged_count; i++)
        if (strcmp(s->damaged[i].date, date) == 0 &&
            strcmp(s->damaged[i].id, id) == 0)
            return true;
    return false;
}

/* ---- what lies there ---- */

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct held *)a)->id, ((const struct held *)b)->id);
}

static int64_t number_of(const struct json *line, const char *name)
{
    return strtoll(backup_manifest_text(line, name), NULL, 10);
}

/* The lines of a tenant follow each other. */
static void read_lines(struct backup_stock *s, struct shelf *g)
{
    size_t lines = 0;

    for (const struct json *f = g->files->child; f; f = f->next)
        lines++;
    g->list = arena_array(s->mem, struct held, lines + 1);
    for (const struct json *f = g->files->child; f;) {
        const char *id = backup_manifest_text(f, "tenant");
        struct held h = {.id = id};
        int files = 0;
        for (; f && strcmp(backup_manifest_text(f, "tenant"), id) == 0;
             f = f->next, files++) {
            h.bytes += number_of(f, "bytes");
            h.rows += number_of(f, "rows");
        }
        bool is_control = strcmp(id, GENERATION_CONTROL) == 0;
        if (!is_control && !tenant_is_id(id))
            continue;
        h.is_good =
            files == (is_control ? 1 : 2) &&
            generation_tenant_bytes(s->app->store, g->date, id) == h.bytes &&
            !is_damaged(s, g->date, id);
        g->list[g->count++] = h;
    }
    if (g->count)
        qsort(g->list, g->count, sizeof *g->list, by_id);
}

static struct shelf *read_shelf(struct backup_stock *s, size_t i)
{
    struct shelf *g = &s->shelves[i];
    const char *text = NULL;

    if (g->is_read)
        return g;
    g->is_read = true;
    if (generation_read_manifest(s->app->store, g->date, s->mem, &text))
        return g;
    g->root = json_parse_own(s->mem, text, strlen(text));
    g->files = json_get(g->root, "files");
    const struct json *thin = json_get(g->root, "outlives");
    g->is_thin = thin && thin->truth;
    if (g->files)
        read_lines(s, g);
    return g;
}

static const struct held *find_held(struct backup_stock *s, size_t i,
                                    const char *id)
{
    const struct shelf *g = read_shelf(s, i);
    const struct held key = {.id = id};

    return g->count ? bsearch(&key, g->list, g->count, sizeof key, by_id)
                    : NULL;
}

static bool holds(struct backup_stock *s, size_t i, const char *id)
{
    const struct held *h = find_held(s, i, id);

    return h && h->is_good;
}

/* By its place in the list; count: there is none. */
static size_t find_newest(struct backup_stock *s, const char *id,
                          const char *until)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->shelves[i].date, until) <= 0 && holds(s, i, id))
            return i;
    return s->count;
}

const char *backup_stock_newest(struct backup_stock *s, const char *tenant,
                                const char *until)
{
    size_t i = find_newest(s, tenant, until ? until : s->today);

    return i < s->count ? s->shelves[i].date : NULL;
}

size_t backup_stock_ids(struct backup_stock *s, const char *until,
                        const char *const **out)
{
    struct buf list = buf_in(s->mem);
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++) {
        const struct shelf *g = read_shelf(s, i);
        for (size_t n = 0; n < g->count; n++)
            if (strcmp(g->date, until) <= 0 && g->list[n].is_good &&
                strcmp(g->list[n].id, GENERATION_CONTROL) != 0)
                buf_put(&list, &g->list[n].id, sizeof g->list[n].id);
    }
    const char **ids = (void *)list.data;
    size_t all = list.len / sizeof *ids;
    if (all)
        qsort(ids, all, sizeof *ids, by_text);
    for (size_t i = 0; i < all; i++)
        if (!count || strcmp(ids[count - 1], ids[i]) != 0)
            ids[count++] = ids[i];
    *out = (const char *const *)ids;
    return count;
}

size_t backup_stock_kept(struct backup_stock *s, const struct backup_kept **out)
{
    struct backup_kept *kept =
        arena_array(s->mem, struct backup_kept, s->count + 1);
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++) {
        const char *date = s->shelves[i].date;
        if (strcmp(date, s->oldest) >= 0 && strcmp(date, s->today) <= 0)
            continue;
        const struct shelf *g = read_shelf(s, i);
        if (!g->is_thin)
            continue;
        const char **ids = arena_array(s->mem, const char *, g->count + 1);
        for (size_t n = 0; n < g->count; n++)
            ids[n] = g->list[n].id;
        kept[count++] = (struct backup_kept){g->date, ids, g->count};
    }
    *out = kept;
    return count;
}

/* ---- what goes ---- */

/* A good copy that was made after this one, or in the place of a damaged one
 * any.  A date ahead of today was set by a wrong clock: what is within its time
 * was made after that. */
static bool is_superseded(struct backup_stock *s, size_t at, const char *id)
{
    const char *date = s->shelves[at].date;
    bool is_ahead = strcmp(date, s->today) > 0;
    bool is_bad = is_damaged(s, date, id);

    for (size_t i = 0; i < s->count; i++) {
        const char *other = s->shelves[i].date;
        bool is_newer =
            is_ahead ? strcmp(other, s->oldest) >= 0 : strcmp(other, date) > 0;
        if (i != at && (is_newer || is_bad) && strcmp(other, s->today) <= 0 &&
            holds(s, i, id))
            return true;
    }
    return false;
}

static void put_line(struct json_out *o, const struct json *f)
{
    static const char *const texts[] = {"tenant", "suffix", "sha256", "seen"};
    static const char *const numbers[] = {"bytes", "rows"};

    json_open(o, NULL, '{');
    for (size_t i = 0; i < COUNT(texts); i++)
        json_text(o, texts[i], backup_manifest_text(f, texts[i]));
    for (size_t i = 0; i < COUNT(numbers); i++)
        json_int(o, numbers[i], number_of(f, numbers[i]));
    json_close(o, '}');
}

static bool is_among(const char *id, const char *const *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(ids[i], id) == 0)
            return true;
    return false;
}

const char *backup_manifest_thin(struct arena *mem, const struct json *root,
                                 const char *const *ids, size_t count)
{
    struct buf b = buf_in(mem);
    struct json_out o = {.b = &b};
    const struct json *files = json_get(root, "files");

    json_open(&o, NULL, '{');
    json_int(&o, "version", 1);
    json_text(&o, "at", backup_manifest_text(root, "at"));
    json_bool(&o, "outlives", true);
    json_open(&o, "files", '[');
    for (const struct json *f = files->child; f; f = f->next)
        if (is_among(backup_manifest_text(f, "tenant"), ids, count))
            put_line(&o, f);
    json_close(&o, ']');
    json_close(&o, '}');
    return b.data;
}

static void drop_past(struct backup_stock *s, size_t at)
{
    const struct shelf *g = read_shelf(s, at);
    const char **ids = arena_array(s->mem, const char *, g->count + 1);
    size_t count = 0;
    enum err e;

    for (size_t i = 0; i < g->count; i++) {
        const char *id = g->list[i].id;
        bool is_left = g->list[i].is_good || is_damaged(s, g->date, id);
        if (is_left && !backup_stock_is_ended(s, id) &&
            !is_superseded(s, at, id))
            ids[count++] = id;
    }
    if (count == 0) {
        e = generation_remove(s->app->store, g->date);
        if (e)
            log_error("backup not removed name=%s err=%s", g->date,
                      err_name(e));
        else
            log_info("backup removed name=%s", g->date);
        return;
    }
    if (count == g->count) { /* a kill may have left files of others */
        e = generation_thin(s->app->store, g->date, ids, count, NULL, 0);
    } else {
        const char *text = backup_manifest_thin(s->mem, g->root, ids, count);
        e = generation_thin(s->app->store, g->date, ids, count, text,
                            strlen(text));
        log_warn("backup thinned name=%s: no newer good copy of %s%s", g->date,
                 ids[0], count > 1 ? " and others" : "");
    }
    if (e)
        log_error("backup not thinned name=%s err=%s", g->date, err_name(e));
}

static struct ctx own_ctx(struct arena *mem, int64_t now_us)
{
    static const struct actor actor = {
        .name = "", .ip = "", .request_id = "backup", .tenant = STORE_OPERATOR};

    return (struct ctx){.mem = mem, .actor = &actor, .now_us = now_us};
}

/* Whether seven more were made since, whatever their dates say. */
static bool is_followed(struct ctx *c, const struct app *app, const char *name)
{
    int64_t days = 0;
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (!e)
        e = tx_end_control(c, app->store, backup_count_since(c, name, &days));
    return !e && days >= BACKUP_KEEP_DAYS;
}

void backup_rotate(struct app *app, struct arena *mem, int64_t now_us)
{
    struct ctx c = own_ctx(mem, now_us);
    struct backup_stock *s;

    if (!clock_monitor_may_destroy(app))
        return;
    enum err e = backup_stock_open(&c, app, &s);
    if (e) {
        log_error("backups not looked through err=%s", err_name(e));
        return;
    }
    /* the oldest first, while what may follow it is still in the list */
    for (size_t i = s->count; i-- > 0;) {
        const char *date = s->shelves[i].date;
        bool is_past = strcmp(date, s->today) > 0 ? is_followed(&c, app, date)
                                                  : strcmp(date, s->oldest) < 0;
        if (is_past)
            drop_past(s, i);
    }
}

/* ---- what a check found ---- */

enum err backup_forget_damage(struct ctx *c, const char *date)
{
    struct query *q = query(c, keep_text[DAMAGE_FORGET]);

    bind_text(q, 1, date);
    return query_run(c, q);
}

static enum err write_damage(struct ctx *c, const char *date,
                             const char *const *ids, size_t count)
{
    char oldest[11];
    enum err e = backup_forget_damage(c, date);

    for (size_t i = 0; i < count && !e; i++) {
        struct query *q = query(c, keep_text[DAMAGE_ADD]);
        bind_text(q, 1, date);
        bind_text(q, 2, ids[i]);
        bind_int(q, 3, c->now_us);
        e = query_run(c, q);
    }
    if (e)
        return e;
    civil_format(clock_today(c->now_us) - 366, oldest);
    struct query *q = query(c, keep_text[DAMAGE_PRUNE]);
    bind_text(q, 1, oldest);
    return query_run(c, q);
}

/* What is called a tenant's last good copy is one. */
static enum err move_last(struct ctx *c, struct backup_stock *s, const char *id)
{
    size_t i = find_newest(s, id, s->today);
    int64_t at = 0;

    if (i == s->count)
        return OK; /* it stays, and is known to be damaged */
    const struct held *h = find_held(s, i, id);
    (void)clock_parse(backup_manifest_text(s->shelves[i].root, "at"), &at);
    struct query *q = query(c, keep_text[KEEP_MOVE]);
    bind_text(q, 1, id);
    bind_text(q, 2, s->shelves[i].date);
    bind_int(q, 3, at);
    bind_int(q, 4, h->bytes);
    bind_int(q, 5, h->rows);
    return query_run(c, q);
}

static enum err move_all(struct ctx *c, struct backup_stock *s,
                         const char *const *ids, size_t count,
                         const struct damage *was, size_t was_count)
{
    enum err e = OK;

    for (size_t i = 0; i < count && !e; i++)
        e = move_last(c, s, ids[i]);
    for (size_t i = 0; i < was_count && !e; i++)
        e = move_last(c, s, was[i].id);
    return e;
}

enum err backup_note_damage(struct ctx *c, const struct app *app,
                            const char *date, const char *const *ids,
                            size_t count)
{
    struct backup_stock *was, *is;
    enum err e = backup_stock_open(c, app, &was);

    if (e || (count == 0 && was->damaged_count == 0))
        return e;
    if (!(e = tx_begin_control(c, app->store, TX_WRITE)))
        e = tx_end_control(c, app->store, write_damage(c, date, ids, count));
    if (!e)
        e = backup_stock_open(c, app, &is);
    if (e || (e = tx_begin_control(c, app->store, TX_WRITE)))
        return e;
    return tx_end_control(
        c, app->store,
        move_all(c, is, ids, count, was->damaged, was->damaged_count));
}
