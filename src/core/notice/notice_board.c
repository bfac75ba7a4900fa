/* SPDX-License-Identifier: Apache-2.0 */
/* What is for a tenant is decided by control.db in one condition, used by
 * every statement here; marks of reading are the tenant's, and control.db only
 * hears how many there are. */
#include "core/notice/notice_board.h"

#include "base/buf.h"
#include "base/log.h"
#include "core/core.h"
#include "core/notice/incident.h"
#include "db/query.h"

#define US_PER_DAY INT64_C(86400000000)
#define SPAN_US    (90 * US_PER_DAY)
enum { NOW_MAX = 200, RELATED_MAX = 50 };

/* For tenant ?1 at ?2: those it was published to, and of those for all what
 * came, or still lasts, since the tenant is there. */
#define FOR_TENANT                                                             \
    " n.state >= 2 AND (EXISTS (SELECT 1 FROM notice_tenant x WHERE"           \
    " x.notice_id = n.id AND x.customer_id = ?1) OR (n.is_for_all = 1 AND"     \
    " (coalesce(n.ends_at, 0) > ?2 OR n.published_at >= (SELECT created_at"    \
    " FROM customer WHERE id = ?1))))"
#define BOARD_SELECT                                                           \
    "SELECT " NOTICE_COLS ", coalesce(i.recovered_at, i.closed_at)"            \
    " FROM notice n LEFT JOIN incident i ON i.id = n.incident_id WHERE"

enum {
    BOARD_LIST,
    BOARD_LIST_AFTER,
    BOARD_GET,
    BOARD_OF_INCIDENT,
    BOARD_CHAIN,
    BOARD_NOW,
    BOARD_SET_READERS,
};
static const char *const board_text[] = {
    [BOARD_LIST] = BOARD_SELECT FOR_TENANT
    " ORDER BY n.published_at DESC, n.id DESC LIMIT ?3",
    [BOARD_LIST_AFTER] = BOARD_SELECT FOR_TENANT
    " AND (n.published_at, n.id) < (SELECT n.published_at, n.id"
    " FROM notice n WHERE n.id = ?4 AND" FOR_TENANT
    ") ORDER BY n.published_at DESC, n.id DESC LIMIT ?3",
    [BOARD_GET] = BOARD_SELECT FOR_TENANT " AND n.id = ?4",
    [BOARD_OF_INCIDENT] = BOARD_SELECT FOR_TENANT
    " AND n.incident_id = ?5 AND n.id <> ?4 ORDER BY n.id LIMIT ?3",
    [BOARD_CHAIN] = BOARD_SELECT FOR_TENANT
    " AND (n.id = ?5 OR n.follows_id = ?4) AND n.id <> ?4"
    " ORDER BY n.id LIMIT ?3",
    [BOARD_NOW] = BOARD_SELECT FOR_TENANT
    " AND (n.published_at > ?2 - ?4 OR n.ends_at > ?2)"
    " ORDER BY n.published_at DESC, n.id DESC LIMIT ?3",
    [BOARD_SET_READERS] =
        "INSERT INTO notice_tenant (notice_id, customer_id, readers)"
        " VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET"
        " readers = max(readers, ?3)",
};
const struct query_set notice_board_queries = {"notice_board", board_text,
                                               COUNT(board_text)};

enum { MARK_OF, MARK_BORN, MARK_READ, MARK_DISMISS, MARK_COUNT, MARK_READERS };
static const char *const mark_text[] = {
    [MARK_OF] = "SELECT notice_id, revision, dismissed FROM notice_read"
                " WHERE user_id = ?1 AND notice_id BETWEEN ?2 AND ?3",
    [MARK_BORN] = "SELECT created_at FROM user WHERE id = ?1",
    [MARK_READ] =
        "INSERT INTO notice_read (notice_id, user_id, revision, read_at)"
        " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET"
        " revision = max(revision, ?3), read_at = coalesce(read_at, ?4)",
    [MARK_DISMISS] = "INSERT INTO notice_read (notice_id, user_id, dismissed)"
                     " VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET"
                     " dismissed = max(dismissed, ?3)",
    [MARK_COUNT] =
        "SELECT count(read_at) FROM notice_read WHERE notice_id = ?1",
    [MARK_READERS] =
        "SELECT r.user_id, u.name, r.read_at, r.revision FROM notice_read r"
        " JOIN user u ON u.id = r.user_id WHERE r.notice_id = ?1"
        " AND r.user_id > ?2 AND r.read_at IS NOT NULL"
        " ORDER BY r.user_id LIMIT ?3",
};
const struct query_set notice_mark_queries = {"notice_mark", mark_text,
                                              COUNT(mark_text)};

/* ---- what is for the tenant ---- */

static bool is_current(const struct notice *n, int64_t over_at, int64_t now)
{
    int64_t from = n->starts_at ? n->starts_at : n->published_at;

    if (n->state != NOTICE_PUBLISHED || from > now)
        return false;
    if (n->ends_at)
        return n->ends_at > now;
    return n->kind == NOTICE_INCIDENT && !over_at;
}

static enum err read_rows(struct ctx *c, struct query *q, struct buf *rows)
{
    enum err e;

    while (query_next(c, q, &e)) {
        struct board_row row = {.is_read = false};
        notice_read_row(c, q, &row.notice);
        row.is_current =
            is_current(&row.notice, col_int(q, NOTICE_COL_COUNT), c->now_us);
        buf_put(rows, &row, sizeof row);
    }
    return e;
}

static struct query *ask(struct ctx *c, int statement, int limit)
{
    struct query *q = query(c, board_text[statement]);

    bind_text(q, 1, c->actor->tenant);
    bind_int(q, 2, c->now_us);
    if (limit)
        bind_int(q, 3, limit);
    return q;
}

/* ---- marks ---- */

static struct board_row *find_row(struct board_row *rows, size_t count,
                                  int64_t id)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].notice.id == id)
            return &rows[i];
    return NULL;
}

static enum err read_marks(struct ctx *c, struct board_row *rows, size_t count)
{
    int64_t first = INT64_MAX, last = 0;
    struct query *q = query(c, mark_text[MARK_OF]);
    enum err e;

    for (size_t i = 0; i < count; i++) {
        int64_t id = rows[i].notice.id;
        first = id < first ? id : first;
        last = id > last ? id : last;
    }
    bind_int(q, 1, c->actor->user_id);
    bind_int(q, 2, first);
    bind_int(q, 3, last);
    while (query_next(c, q, &e)) {
        struct board_row *row = find_row(rows, count, col_int(q, 0));
        if (!row)
            continue;
        row->is_read = col_int(q, 1) >= row->notice.revision;
        row->is_dismissed = col_int(q, 2) >= row->notice.revision;
    }
    return e;
}

static enum err mark_rows(struct ctx *c, struct tenant *t,
                          struct board_row *rows, size_t count)
{
    enum err e = tx_begin(c, t, TX_READ);

    return e ? e : tx_end(c, t, read_marks(c, rows, count));
}

enum err board_list(struct ctx *c, const struct app *app, struct tenant *t,
                    int64_t after_id, int limit, const struct board_row **out,
                    size_t *count, bool *more)
{
    struct buf rows = buf_in(c->mem);
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e)
        return e;
    struct query *q =
        ask(c, after_id ? BOARD_LIST_AFTER : BOARD_LIST, limit + 1);
    if (after_id)
        bind_int(q, 4, after_id);
    if ((e = tx_end_control(c, app->store, read_rows(c, q, &rows))))
        return e;
    struct board_row *list = (void *)rows.data;
    *out = list;
    *count = rows.len / sizeof *list;
    *more = *count > (size_t)limit;
    if (*more)
        (*count)--;
    return mark_rows(c, t, list, *count);
}

/* ---- one of them ---- */

static enum err find_one(struct ctx *c, int64_t id, struct board_row *out)
{
    struct buf rows = buf_in(c->mem);
    struct query *q = ask(c, BOARD_GET, 0);

    bind_int(q, 4, id);
    enum err e = read_rows(c, q, &rows);
    if (e)
        return e;
    if (rows.len == 0)
        return ctx_fail(c, ERR_NOT_FOUND, "", "not_found",
                        "お知らせが見つかりません", "No such notice");
    *out = *(const struct board_row *)(const void *)rows.data;
    return OK;
}

static enum err find_related(struct ctx *c, const struct notice *n,
                             struct buf *rows)
{
    struct query *q =
        ask(c, n->incident_id ? BOARD_OF_INCIDENT : BOARD_CHAIN, RELATED_MAX);

    bind_int(q, 4, n->id);
    bind_int(q, 5, n->incident_id ? n->incident_id : n->follows_id);
    return read_rows(c, q, rows);
}

static enum err find_page(struct ctx *c, int64_t id, struct board_page *out,
                          struct buf *rows)
{
    struct incident_setting setting;
    enum err e = find_one(c, id, &out->row);

    if (e || (e = find_related(c, &out->row.notice, rows)) ||
        (e = incident_setting_get(c, &setting)))
        return e;
    out->contact_ja = setting.contact_ja;
    out->contact_en = setting.contact_en;
    return OK;
}

static enum err count_readers(struct ctx *c, int64_t id, int64_t *out)
{
    struct query *q = query(c, mark_text[MARK_COUNT]);

    bind_int(q, 1, id);
    enum err e = query_one(c, q);
    if (e)
        return e;
    *out = col_int(q, 0);
    query_done(q);
    return OK;
}

static enum err mark_page(struct ctx *c, struct board_page *out,
                          struct board_row *related)
{
    enum err e = read_marks(c, &out->row, 1);

    if (!e)
        e = read_marks(c, related, out->related_count);
    return e ? e : count_readers(c, out->row.notice.id, &out->readers);
}

enum err board_get(struct ctx *c, const struct app *app, struct tenant *t,
                   int64_t id, struct board_page *out)
{
    struct buf rows = buf_in(c->mem);
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e || (e = tx_end_control(c, app->store, find_page(c, id, out, &rows))))
        return e;
    struct board_row *related = (void *)rows.data;
    out->related = related;
    out->related_count = rows.len / sizeof *related;
    if ((e = tx_begin(c, t, TX_READ)))
        return e;
    return tx_end(c, t, mark_page(c, out, related));
}

/* ---- now ---- */

/* Whoever came later need not read what was published before, unless it
 * lasts. */
static enum err read_born(struct ctx *c, int64_t *out)
{
    struct query *q = query(c, mark_text[MARK_BORN]);

    bind_int(q, 1, c->actor->user_id);
    enum err e = query_one(c, q);
    *out = 0;
    if (e)
        return e == ERR_NOT_FOUND ? OK : e;
    *out = col_int(q, 0);
    query_done(q);
    return OK;
}

static bool is_banner(const struct board_row *row)
{
    enum notice_kind kind = row->notice.kind;

    return row->is_current && !row->is_dismissed &&
           (kind == NOTICE_MAINTENANCE || kind == NOTICE_INCIDENT);
}

static enum err mark_now(struct ctx *c, struct board_row *rows, size_t count,
                         int64_t *born)
{
    enum err e = read_marks(c, rows, count);

    return e ? e : read_born(c, born);
}

enum err board_now(struct ctx *c, const struct app *app, struct tenant *t,
                   struct board_now *out)
{
    struct buf found = buf_in(c->mem), banners = buf_in(c->mem);
    int64_t born = 0;
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e)
        return e;
    struct query *q = ask(c, BOARD_NOW, NOW_MAX);
    bind_int(q, 4, SPAN_US);
    if ((e = tx_end_control(c, app->store, read_rows(c, q, &found))))
        return e;
    struct board_row *rows = (void *)found.data;
    size_t count = found.len / sizeof *rows;
    *out = (struct board_now){.unread = 0};
    if ((e = tx_begin(c, t, TX_READ)) ||
        (e = tx_end(c, t, mark_now(c, rows, count, &born))))
        return e;
    for (size_t i = 0; i < count; i++) {
        const struct notice *n = &rows[i].notice;
        bool is_owed = n->state == NOTICE_PUBLISHED &&
                       (n->published_at >= born || rows[i].is_current);
        out->unread += is_owed && !rows[i].is_read;
        if (is_banner(&rows[i]))
            buf_put(&banners, &rows[i], sizeof rows[i]);
    }
    out->banners = (const void *)banners.data;
    out->banner_count = banners.len / sizeof *out->banners;
    return OK;
}

/* ---- reading and putting away ---- */

static enum err find_for(struct ctx *c, const struct app *app, int64_t id,
                         struct board_row *out)
{
    enum err e = tx_begin_control(c, app->store, TX_READ);

    return e ? e : tx_end_control(c, app->store, find_one(c, id, out));
}

static enum err put_mark(struct ctx *c, int statement, const struct notice *n)
{
    struct query *q = query(c, mark_text[statement]);

    bind_int(q, 1, n->id);
    bind_int(q, 2, c->actor->user_id);
    bind_int(q, 3, n->revision);
    if (statement == MARK_READ)
        bind_int(q, 4, c->now_us);
    return query_run(c, q);
}

static enum err put_readers(struct ctx *c, struct store *s, int64_t id,
                            int64_t count)
{
    enum err e = tx_begin_control(c, s, TX_WRITE);

    if (e)
        return e;
    struct query *q = query(c, board_text[BOARD_SET_READERS]);
    bind_int(q, 1, id);
    bind_text(q, 2, c->actor->tenant);
    bind_int(q, 3, count);
    return tx_end_control(c, s, query_run(c, q));
}

static enum err mark_read(struct ctx *c, const struct notice *n, int64_t *count)
{
    enum err e = put_mark(c, MARK_READ, n);

    return e ? e : count_readers(c, n->id, count);
}

/* The number is what all of them come to, so that the next reader brings what
 * a stop kept from control.db. */
enum err board_read(struct ctx *c, const struct app *app, struct tenant *t,
                    int64_t id)
{
    struct board_row row = {.is_read = false};
    int64_t count = 0;
    enum err e = find_for(c, app, id, &row);

    if (e || (e = tx_begin(c, t, TX_WRITE)) ||
        (e = tx_end(c, t, mark_read(c, &row.notice, &count))))
        return e;
    if (put_readers(c, app->store, id, count))
        log_warn("readers not counted notice=%lld tenant=%s", (long long)id,
                 c->actor->tenant);
    return OK;
}

enum err board_dismiss(struct ctx *c, const struct app *app, struct tenant *t,
                       int64_t id)
{
    struct board_row row = {.is_read = false};
    enum err e = find_for(c, app, id, &row);

    if (e || (e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t, put_mark(c, MARK_DISMISS, &row.notice));
}

static enum err read_readers(struct ctx *c, const struct notice *n,
                             int64_t after_id, int limit, struct buf *rows)
{
    struct query *q = query(c, mark_text[MARK_READERS]);
    enum err e;

    bind_int(q, 1, n->id);
    bind_int(q, 2, after_id);
    bind_int(q, 3, limit);
    while (query_next(c, q, &e)) {
        struct board_reader row = {.id = col_int(q, 0),
                                   .name = col_text(c, q, 1),
                                   .read_at = col_int(q, 2),
                                   .is_current = col_int(q, 3) >= n->revision};
        buf_put(rows, &row, sizeof row);
    }
    return e;
}

enum err board_list_readers(struct ctx *c, const struct app *app,
                            struct tenant *t, int64_t id, int64_t after_id,
                            int limit, const struct board_reader **out,
                            size_t *count, bool *more)
{
    struct board_row row = {.is_read = false};
    struct buf rows = buf_in(c->mem);
    enum err e = find_for(c, app, id, &row);

    if (e || (e = tx_begin(c, t, TX_READ)) ||
        (e = tx_end(c, t,
                    read_readers(c, &row.notice, after_id, limit + 1, &rows))))
        return e;
    *out = (const void *)rows.data;
    *count = rows.len / sizeof **out;
    *more = *count > (size_t)limit;
    if (*more)
        (*count)--;
    return OK;
}
