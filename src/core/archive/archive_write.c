/* SPDX-License-Identifier: Apache-2.0 */
/* Everything is read from one copy of the tenant's file (db/snapshot.h), so
 * that all parts of the archive show the same moment and nobody waits for it.
 * What is in memory is one part of one entry, and a line for each entry. */
#include "core/archive/archive_write.h"

#include "base/json.h"
#include "base/str.h"
#include "core/archive/archive_readme.h"
#include "core/archive/archive_table.h"
#include "core/core.h"
#include "core/log/log_file.h"
#include "core/log/operation.h"
#include "core/tenant/tenant_settings.h"
#include "db/query.h"
#include "db/snapshot.h"

#include <string.h>

/* What files hang on: each kind has its tables. */
enum { OF_ENQUIRY, OF_TICKET, OF_COUNT };
static const char *const archive_file_text[] = {
    [OF_ENQUIRY] = "SELECT id, name FROM enquiry_file WHERE id > ?1"
                   " ORDER BY id LIMIT 1",
    [OF_TICKET] = "SELECT id, name FROM ticket_file WHERE id > ?1"
                  " ORDER BY id LIMIT 1",
};
static const char *const archive_chunk_text[] = {
    [OF_ENQUIRY] = "SELECT data FROM enquiry_chunk WHERE file_id = ?1"
                   " AND no = ?2",
    [OF_TICKET] = "SELECT data FROM ticket_chunk WHERE file_id = ?1"
                  " AND no = ?2",
};
static const char *const archive_total_text[] = {
    "SELECT (SELECT coalesce(sum(size), 0) FROM enquiry_file WHERE id > 0)"
    " + (SELECT coalesce(sum(size), 0) FROM ticket_file WHERE id > 0)",
};
const struct query_set archive_file_queries = {
    "archive_file", archive_file_text, COUNT(archive_file_text)};
const struct query_set archive_chunk_queries = {
    "archive_chunk", archive_chunk_text, COUNT(archive_chunk_text)};
const struct query_set archive_total_queries = {
    "archive_total", archive_total_text, COUNT(archive_total_text)};

/* From here a file may make an entry of more than 4 GB. */
#define LARGE_BYTES (INT64_C(256) << 20)

/* Shares of the whole, in steps. */
enum { DONE_COPY = 15, DONE_DATABASE = 45, DONE_TABLES = 75 };

struct writing {
    struct ctx *c;
    const struct archive_order *order;
    struct archive_totals *totals;
    struct snapshot *snapshot;
    struct zip_writer *zip;
    struct tenant_settings tenancy;
    unsigned flags; /* of entries that grow with the tenant */
    struct buf entries, tables, sums;
    struct json_out out_entries, out_tables;
    int64_t from, to, part, whole; /* of what is being done, in steps */
};

static bool go(struct writing *w)
{
    int64_t done = w->from;

    if (w->whole > 0)
        done += (w->to - w->from) * w->part / w->whole;
    return w->order->step(w->order->step_arg, done);
}

static bool go_on(void *arg)
{
    return go(arg);
}

static void begin_share(struct writing *w, int from, int to, int64_t whole)
{
    w->from = from;
    w->to = to;
    w->part = 0;
    w->whole = whole;
}

/* ---- entries ---- */

static enum err count_out(void *arg, const void *data, size_t len)
{
    struct writing *w = arg;

    w->totals->bytes += (int64_t)len;
    return w->order->sink(w->order->sink_arg, data, len);
}

static enum err put(void *arg, const void *data, size_t len)
{
    struct writing *w = arg;

    return go(w) ? zip_put(w->zip, data, len) : ERR_CONFLICT;
}

static enum err put_page(void *arg, const void *data, size_t len)
{
    struct writing *w = arg;

    w->part += (int64_t)len;
    return put(arg, data, len);
}

/* rows: -1 for what has none. */
static enum err close_entry(struct writing *w, const char *name, int64_t rows)
{
    struct zip_written done;
    char hex[2 * CRYPTO_HASH_BYTES + 1];
    enum err e = zip_close_entry(w->zip, &done);

    if (e)
        return e;
    str_to_hex(done.sha256, sizeof done.sha256, hex);
    buf_printf(&w->sums, "%s  %s\n", hex, name);
    if (str_starts(name, "attachments/")) /* their list has an entry */
        return OK;
    json_open(&w->out_entries, NULL, '{');
    json_text(&w->out_entries, "name", name);
    json_int(&w->out_entries, "bytes", done.size);
    json_text(&w->out_entries, "sha256", hex);
    if (rows >= 0)
        json_int(&w->out_entries, "rows", rows);
    json_close(&w->out_entries, '}');
    return OK;
}

static enum err add_text(struct writing *w, const char *name,
                         const struct buf *text)
{
    enum err e = zip_open_entry(w->zip, name, 0);

    if (!e)
        e = zip_put(w->zip, text->data, text->len);
    return e ? e : close_entry(w, name, -1);
}

/* ---- the parts ---- */

static void count_table(void *arg, const char *table, int64_t rows)
{
    struct writing *w = arg;

    json_open(&w->out_tables, NULL, '{');
    json_text(&w->out_tables, "name", table);
    json_int(&w->out_tables, "rows", rows);
    json_close(&w->out_tables, '}');
    w->totals->rows += rows;
}

static enum err add_database(struct writing *w)
{
    enum err e = snapshot_count(w->snapshot, count_table, w);

    begin_share(w, DONE_COPY, DONE_DATABASE, snapshot_bytes(w->snapshot));
    if (!e)
        e = zip_open_entry(w->zip, ARCHIVE_DATABASE, w->flags);
    if (!e)
        e = snapshot_write_plain(w->snapshot, put_page, w);
    return e ? e : close_entry(w, ARCHIVE_DATABASE, -1);
}

static const char *entry_name(struct writing *w, const char *table,
                              enum archive_format format)
{
    return arena_printf(w->c->mem, "%s/%s.%s",
                        format == ARCHIVE_CSV ? "csv" : "json", table,
                        archive_endings[format]);
}

static enum err add_table(struct writing *w, const struct archive_table *t,
                          enum archive_format format)
{
    const char *name = entry_name(w, t->name, format);
    int64_t rows = 0;
    enum err e = zip_open_entry(w->zip, name, w->flags);

    if (!e)
        e = archive_table_write(w->c, t, format, w->tenancy.lang, put, w,
                                &rows);
    return e ? e : close_entry(w, name, rows);
}

struct log_part {
    struct writing *w;
    struct log_file file;
};

static enum err flush_log(struct log_part *x)
{
    struct buf *b = x->file.b;
    enum err e = b->len ? put(x->w, b->data, b->len) : OK;

    b->len = 0;
    return e;
}

static enum err visit_log(void *arg, const struct log_mark *before,
                          const struct log_row *row)
{
    enum { PART_BYTES = 32 << 10 };
    struct log_part *x = arg;

    if (before)
        log_file_begin(&x->file, before);
    else
        log_file_put(&x->file, row);
    return x->file.b->len < PART_BYTES ? OK : flush_log(x);
}

/* The lines are formatted in an arena of their own, which the log's walk
 * does not know: it is dropped when the log is through. */
static enum err add_log(struct writing *w, enum archive_format format)
{
    const char *name = entry_name(w, "operation_log", format);
    struct arena *own = arena_open((size_t)1 << 30);
    struct buf lines = buf_in(own);
    struct log_part x = {
        .w = w,
        .file = {.b = &lines,
                 .kind = LOG_OPERATION,
                 .format = format == ARCHIVE_CSV ? LOG_CSV : LOG_NDJSON}};
    uint8_t key[CRYPTO_KEY_BYTES];
    enum err e = zip_open_entry(w->zip, name, w->flags);

    if (!e)
        e = operation_walk(w->c, 0, 0, visit_log, &x);
    if (!e) {
        log_sign_key(w->order->tenant, key);
        log_file_end(&x.file, tenant_id(w->order->tenant), w->c->now_us, key);
        crypto_wipe(key, sizeof key);
        e = flush_log(&x);
    }
    int64_t rows = x.file.count;
    arena_close(own);
    return e ? e : close_entry(w, name, rows);
}

static enum err add_tables(struct writing *w)
{
    enum err e = OK;

    begin_share(w, DONE_DATABASE, DONE_TABLES,
                2 * (int64_t)archive_table_count + 2);
    for (int format = ARCHIVE_CSV; format <= ARCHIVE_JSON; format++) {
        for (size_t i = 0; i < archive_table_count && !e; i++, w->part++)
            e = add_table(w, &archive_tables[i], (enum archive_format)format);
        if (!e)
            e = add_log(w, (enum archive_format)format);
        w->part++;
    }
    return e;
}

static enum err put_chunks(struct writing *w, struct arena *own, int of,
                           int64_t id)
{
    struct ctx row = *w->c;
    enum err e = OK;

    row.mem = own;
    for (int64_t no = 0; !e; no++) {
        struct query *q = query(&row, archive_chunk_text[of]);
        size_t len;
        bind_int(q, 1, id);
        bind_int(q, 2, no);
        if ((e = query_one(&row, q)))
            return e == ERR_NOT_FOUND ? OK : e;
        const void *data = col_blob(&row, q, 0, &len);
        query_done(q);
        w->part += (int64_t)len;
        e = put(w, data, len);
        arena_reset(own);
    }
    return e;
}

static enum err add_files_of(struct writing *w, struct arena *own, int of)
{
    const enum archive_cell cell =
        of == OF_TICKET ? CELL_TICKET_PATH : CELL_PATH;
    int64_t id = 0;
    enum err e = OK;

    while (!e) {
        struct query *q = query(w->c, archive_file_text[of]);
        bind_int(q, 1, id);
        if ((e = query_one(w->c, q)))
            break;
        id = col_int(q, 0);
        const char *name = archive_path(w->c->mem, cell, id, col_peek(q, 1));
        query_done(q);
        if (!(e = zip_open_entry(w->zip, name, ZIP_PLAIN)) &&
            !(e = put_chunks(w, own, of, id)))
            e = close_entry(w, name, -1);
        w->totals->files++;
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err add_files(struct writing *w)
{
    struct query *q = query(w->c, archive_total_text[0]);
    struct arena *own = arena_open(0);
    enum err e = query_one(w->c, q);

    if (!e) {
        begin_share(w, DONE_TABLES, ARCHIVE_STEPS - 1, col_int(q, 0));
        query_done(q);
    }
    for (int of = 0; of < OF_COUNT && !e; of++)
        e = add_files_of(w, own, of);
    arena_close(own);
    return e;
}

static enum err add_manifest(struct writing *w)
{
    struct buf b = buf_in(w->c->mem);
    struct json_out o = {.b = &b};

    json_close(&w->out_entries, ']');
    json_close(&w->out_tables, ']');
    json_open(&o, NULL, '{');
    json_text(&o, "format", ARCHIVE_FORMAT);
    json_int(&o, "version", ARCHIVE_VERSION);
    json_text(&o, "product", "Yagura " YAGURA_VERSION);
    json_int(&o, "schema_version", snapshot_version());
    json_int(&o, "schema", snapshot_schema());
    json_text(&o, "tenant", tenant_id(w->order->tenant));
    json_text(&o, "name", w->tenancy.name);
    json_moment(&o, "made_at", w->c->now_us);
    json_text(&o, "made_by", w->c->actor->name);
    json_int(&o, "attached_files", w->totals->files);
    json_raw(&o, "tables", w->tables.data);
    json_raw(&o, "entries", w->entries.data);
    json_close(&o, '}');
    buf_putc(&b, '\n');
    return add_text(w, ARCHIVE_MANIFEST, &b);
}

static enum err add_all(struct writing *w)
{
    struct buf readme = buf_in(w->c->mem);
    enum err e = snapshot_begin(w->c, w->snapshot);

    if (e)
        return e;
    e = tenant_settings_get(w->c, &w->tenancy);
    snapshot_end(w->c, w->snapshot);
    if (e)
        return e;
    archive_readme(&readme, tenant_id(w->order->tenant), w->tenancy.name,
                   w->c->now_us);
    if ((e = add_text(w, ARCHIVE_README, &readme)) || (e = add_database(w)) ||
        (e = snapshot_begin(w->c, w->snapshot)))
        return e;
    if (!(e = add_tables(w)))
        e = add_files(w);
    snapshot_end(w->c, w->snapshot);
    if (!e)
        e = add_manifest(w);
    if (!e)
        e = add_text(w, ARCHIVE_SUMS, &w->sums);
    return e ? e : zip_end(w->zip);
}

static enum err say(struct ctx *c, enum err e)
{
    if (e == ERR_FULL)
        return ctx_fail(c, e, "", "disk_full",
                        "サーバーのディスクの空きが足りないため、書き出しを"
                        "中止しました。途中のファイルは残っていません。運用者に"
                        "ご連絡ください",
                        "The export stopped: the server's disk has no room "
                        "left. Nothing half done remains. Please tell the "
                        "operator");
    return e;
}

enum err archive_write(struct ctx *c, const struct archive_order *o,
                       struct archive_totals *out)
{
    struct writing w = {.c = c,
                        .order = o,
                        .totals = out,
                        .entries = buf_in(c->mem),
                        .tables = buf_in(c->mem),
                        .sums = buf_in(c->mem)};

    *out = (struct archive_totals){0};
    w.out_entries.b = &w.entries;
    w.out_tables.b = &w.tables;
    json_open(&w.out_entries, NULL, '[');
    json_open(&w.out_tables, NULL, '[');
    begin_share(&w, 0, DONE_COPY, 0);
    enum err e = snapshot_take(o->tenant, go_on, &w, &w.snapshot);
    if (e)
        return say(c, e);
    w.flags = snapshot_bytes(w.snapshot) > LARGE_BYTES ? ZIP_LARGE : 0;
    w.zip = zip_begin(c->mem, c->now_us, count_out, &w);
    e = add_all(&w);
    snapshot_close(w.snapshot);
    return say(c, e);
}
