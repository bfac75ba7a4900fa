/* SPDX-License-Identifier: Apache-2.0 */
/* How a row of the archive's tables is written: for spreadsheets and for
 * programs, in bounded memory. */
#include "core/archive/archive_table.h"

#include "base/civil.h"
#include "base/clock.h"
#include "base/csv.h"
#include "base/ip_address.h"
#include "base/json.h"
#include "base/str.h"
#include "core/core.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const archive_endings[] = {"csv", "ndjson"};

/* ---- names of files ---- */

enum { NAME_BYTES_MAX = 120 };

const char *archive_path(struct arena *mem, enum archive_cell cell, int64_t id,
                         const char *name)
{
    const char *folder = cell == CELL_TICKET_PATH ? "tickets/" : "";
    char *out =
        arena_printf(mem, "attachments/%s%lld-%s", folder, (long long)id, name);
    char *part = strchr(out, '-') + 1;
    size_t len = 0;

    for (char *p = part; *p;) {
        uint32_t ch = 0;
        size_t n = str_decode(p, strlen(p), &ch);
        if (n == 0 || len + n > NAME_BYTES_MAX)
            break;
        if (ch < 0x80 && (ch < 0x20 || strchr("\\/:*?\"<>|\x7f", (int)ch)))
            *p = '_';
        len += n;
        p += n;
    }
    while (len > 0 && (part[len - 1] == '.' || part[len - 1] == ' '))
        len--; /* Windows would drop them */
    part[len] = '\0';
    return out;
}

/* ---- one cell ---- */

struct cell {
    struct ctx *c;
    struct query *q;
    const struct archive_column *column;
    int i;
};

/* NULL: nothing is there. */
static const char *word_of(const struct cell *x)
{
    int64_t n = col_int(x->q, x->i), i = 0;

    while (x->column->words[i] && i < n)
        i++;
    return x->column->words[i];
}

static const char *bits_of(const struct cell *x, char *out, size_t size)
{
    int64_t bits = col_int(x->q, x->i);
    size_t len = 0;

    *out = '\0';
    for (int i = 0; x->column->words[i]; i++)
        if (bits >> i & 1)
            len += (size_t)snprintf(out + len, size - len, "%s%s",
                                    len ? " " : "", x->column->words[i]);
    return out;
}

static const char *bytes_of(const struct cell *x, char *out, size_t size)
{
    struct ip_address a;
    size_t len;
    const void *data = col_blob(x->c, x->q, x->i, &len);

    *out = '\0';
    if (x->column->cell == CELL_ADDRESS && len == sizeof a.bytes) {
        memcpy(a.bytes, data, len);
        ip_address_format(&a, out);
    } else if (2 * len + 1 <= size) {
        str_to_hex(data, len, out);
    }
    return out;
}

enum { CELL_BYTES = 160 };

/* Everything but numbers, truths and moments as text; short ones in out. */
static const char *text_of(const struct cell *x, char out[CELL_BYTES])
{
    switch (x->column->cell) {
    case CELL_DAY:
        civil_format(col_day(x->q, x->i), out);
        return out;
    case CELL_WORD:
        return word_of(x);
    case CELL_BITS:
        return bits_of(x, out, CELL_BYTES);
    case CELL_PATH:
    case CELL_TICKET_PATH:
        return archive_path(x->c->mem, x->column->cell, col_int(x->q, 0),
                            col_peek(x->q, x->i));
    case CELL_HEX:
    case CELL_ADDRESS:
        return bytes_of(x, out, CELL_BYTES);
    case CELL_MOMENT:
        clock_print(col_int(x->q, x->i), out);
        return out;
    case CELL_BOOL:
        return col_int(x->q, x->i) ? "true" : "false";
    case CELL_INT:
        (void)snprintf(out, CELL_BYTES, "%" PRId64, col_int(x->q, x->i));
        return out;
    case CELL_TEXT:
        break;
    }
    return col_peek(x->q, x->i);
}

static void put_json(struct json_out *o, const struct cell *x)
{
    char text[CELL_BYTES];
    const char *name = x->column->name;

    if (col_is_null(x->q, x->i))
        json_null(o, name);
    else if (x->column->cell == CELL_INT)
        json_int(o, name, col_int(x->q, x->i));
    else if (x->column->cell == CELL_BOOL)
        json_bool(o, name, col_int(x->q, x->i) != 0);
    else
        json_text(o, name, text_of(x, text));
}

static void put_row(struct buf *b, const struct archive_table *t,
                    enum archive_format format, struct cell *x)
{
    struct json_out o = {.b = b};
    char text[CELL_BYTES];

    if (format == ARCHIVE_JSON)
        json_open(&o, NULL, '{');
    for (size_t i = 0; i < t->count; i++) {
        x->column = &t->columns[i];
        x->i = (int)i;
        if (format == ARCHIVE_JSON)
            put_json(&o, x);
        else
            csv_put(b, col_is_null(x->q, x->i) ? "" : text_of(x, text),
                    i + 1 == t->count);
    }
    if (format == ARCHIVE_JSON) {
        json_close(&o, '}');
        buf_putc(b, '\n');
    }
}

static void put_names(struct buf *b, const struct archive_table *t,
                      enum lang lang)
{
    buf_puts(b, "\xEF\xBB\xBF"); /* spreadsheets ask for it */
    for (size_t i = 0; i < t->count; i++)
        csv_put(b, lang == LANG_JA ? t->columns[i].ja : t->columns[i].name,
                i + 1 == t->count);
}

/* Rows are handed on a few at a time, so that memory does not grow; what a
 * row took of the arena goes with its own. */
enum err archive_table_write(struct ctx *c, const struct archive_table *t,
                             enum archive_format format, enum lang lang,
                             archive_part_fn *put, void *arg, int64_t *rows)
{
    enum { PART_BYTES = 32 << 10 };
    struct arena *own = arena_open(0);
    struct ctx row = *c;
    struct buf b = buf_in(c->mem);
    struct cell x = {.c = &row,
                     .q = query(c, archive_table_queries.text[t->query])};
    enum err e = OK, failed = OK;

    row.mem = own;
    *rows = 0;
    buf_puts(&b, "");
    if (format == ARCHIVE_CSV)
        put_names(&b, t, lang);
    while (!failed && query_next(c, x.q, &e)) {
        put_row(&b, t, format, &x);
        arena_reset(own);
        ++*rows;
        if (b.len >= PART_BYTES) {
            failed = put(arg, b.data, b.len);
            b.len = 0;
        }
    }
    query_done(x.q);
    arena_close(own);
    if (!failed && !e)
        failed = put(arg, b.data, b.len);
    return e ? e : failed;
}
