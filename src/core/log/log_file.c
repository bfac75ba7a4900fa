/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and reading exports of the logs.  A reader knows the order of the
 * members and cells, so that no tree is built and JSON of before and after is
 * taken byte by byte as it was hashed. */
#include "core/log/log_file.h"

#include "base/clock.h"
#include "base/csv.h"
#include "base/json.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char MAGIC[] = "yagura-log-1", BOM[] = "\xEF\xBB\xBF";
enum {
    TAIL_HEX = 2 * 64 + 1,
    CELLS_MAX = LOG_COLUMNS_MAX + 2, /* a moment takes two; the tail */
    P_MAGIC = 0,
    P_LOG,
    P_TENANT,
    P_BEFORE_SEQ,
    P_BEFORE_HASH,
    P_LAST_SEQ,
    P_LAST_HASH,
    P_COUNT,
    P_SIGNED_AT,
    P_PUBLIC_KEY
};

/* ---- writing ---- */

/* A spreadsheet must not take a text for a formula; csv_put() puts an
 * apostrophe before one, and here also before an apostrophe, so that the
 * reader may take one away from whatever begins with it. */
static void put_cell(struct buf *b, const char *text, bool is_last)
{
    if (text && *text == '\'')
        text = arena_printf(b->mem, "'%s", text);
    csv_put(b, text, is_last);
}

static void put_csv(struct buf *b, const struct log_shape *s,
                    const struct log_row *row, const char *tail)
{
    for (size_t i = 0; i < s->count; i++) {
        char number[24], at[CLOCK_CHARS + 1];
        (void)snprintf(number, sizeof number, "%" PRId64, row->numbers[i]);
        if (s->columns[i].cell == LOG_MOMENT) {
            clock_print(row->numbers[i], at);
            put_cell(b, at, false);
        }
        put_cell(b, s->columns[i].cell <= LOG_MOMENT ? number : row->texts[i],
                 false);
    }
    put_cell(b, tail, true);
}

static const char *us_name(struct arena *mem, const struct log_column *c)
{
    return arena_printf(mem, "%s_us", c->name);
}

static void put_json(struct buf *b, const struct log_shape *s,
                     const struct log_row *row, const char *tail)
{
    struct json_out o = {.b = b};

    json_open(&o, NULL, '{');
    for (size_t i = 0; i < s->count; i++) {
        const struct log_column *c = &s->columns[i];
        char at[CLOCK_CHARS + 1];
        if (c->cell == LOG_MOMENT) {
            clock_print(row->numbers[i], at);
            json_text(&o, c->name, at);
            json_int(&o, us_name(b->mem, c), row->numbers[i]);
        } else if (c->cell == LOG_INT) {
            json_int(&o, c->name, row->numbers[i]);
        } else if (c->cell == LOG_TEXT) {
            json_text(&o, c->name, row->texts[i]);
        } else {
            json_raw(&o, c->name, row->texts[i] ? row->texts[i] : "null");
        }
    }
    json_text(&o, s->tail, tail);
    json_close(&o, '}');
    buf_putc(b, '\n');
}

static void put_record(struct buf *b, enum log_format format,
                       enum log_kind kind, const struct log_row *row,
                       const char *tail)
{
    if (format == LOG_CSV)
        put_csv(b, log_shape(kind), row, tail);
    else
        put_json(b, log_shape(kind), row, tail);
}

static void put_names(struct buf *b, const struct log_shape *s)
{
    buf_puts(b, BOM);
    for (size_t i = 0; i < s->count; i++) {
        put_cell(b, s->columns[i].name, false);
        if (s->columns[i].cell == LOG_MOMENT)
            put_cell(b, us_name(b->mem, &s->columns[i]), false);
    }
    put_cell(b, s->tail, true);
}

void log_file_begin(struct log_file *f, const struct log_mark *before)
{
    f->before = f->last = *before;
    f->count = 0;
    if (f->format == LOG_CSV)
        put_names(f->b, log_shape(f->kind));
}

void log_file_put(struct log_file *f, const struct log_row *row)
{
    char hash[TAIL_HEX];

    str_to_hex(row->hash, sizeof row->hash, hash);
    put_record(f->b, f->format, f->kind, row, hash);
    f->last.seq = row->numbers[0];
    memcpy(f->last.hash, row->hash, sizeof f->last.hash);
    f->count++;
}

static void hash_proof(const struct log_row *proof, uint8_t out[32])
{
    static const uint8_t none[CRYPTO_HASH_BYTES];

    log_chain(LOG_PROOF, none, proof, out);
}

static void fill_proof(const struct log_file *f, char before[TAIL_HEX],
                       char last[TAIL_HEX], struct log_row *out)
{
    str_to_hex(f->before.hash, sizeof f->before.hash, before);
    str_to_hex(f->last.hash, sizeof f->last.hash, last);
    *out = (struct log_row){.numbers = {[P_BEFORE_SEQ] = f->before.seq,
                                        [P_LAST_SEQ] = f->last.seq,
                                        [P_COUNT] = f->count},
                            .texts = {[P_MAGIC] = MAGIC,
                                      [P_LOG] = log_shape(f->kind)->name,
                                      [P_BEFORE_HASH] = before,
                                      [P_LAST_HASH] = last}};
}

void log_file_end(struct log_file *f, const char *tenant, int64_t now_us,
                  const uint8_t key[CRYPTO_KEY_BYTES])
{
    char before[TAIL_HEX], last[TAIL_HEX], tail[TAIL_HEX], pub[2 * 65 + 1];
    uint8_t public_key[65], hash[CRYPTO_HASH_BYTES], signature[64];
    struct log_row proof;

    must(crypto_public_key(key, public_key));
    str_to_hex(public_key, sizeof public_key, pub);
    fill_proof(f, before, last, &proof);
    proof.texts[P_TENANT] = tenant;
    proof.texts[P_PUBLIC_KEY] = pub;
    proof.numbers[P_SIGNED_AT] = now_us;
    hash_proof(&proof, hash);
    crypto_sign(key, hash, sizeof hash, signature);
    str_to_hex(signature, sizeof signature, tail);
    put_record(f->b, f->format, LOG_PROOF, &proof, tail);
}

/* ---- reading one line ---- */

struct cursor {
    struct arena *mem;
    const char *at, *end;
};

static bool eat(struct cursor *c, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(c->end - c->at) < len || memcmp(c->at, text, len) != 0)
        return false;
    c->at += len;
    return true;
}

/* The end of a JSON value: a comma or bracket that is not inside it. */
static const char *value_end(const struct cursor *c)
{
    const char *p = c->at;
    int depth = 0;

    for (bool quoted = false; p < c->end; p++) {
        if (quoted && *p == '\\' && p + 1 < c->end)
            p++;
        else if (*p == '"')
            quoted = !quoted;
        else if (!quoted && (*p == '{' || *p == '['))
            depth++;
        else if (!quoted && depth > 0 && (*p == '}' || *p == ']'))
            depth--;
        else if (!quoted && depth == 0 && (*p == ',' || *p == '}'))
            return p;
    }
    return NULL;
}

static bool read_member(struct cursor *c, const char *name, bool is_raw,
                        const char **out)
{
    if (!eat(c, arena_printf(c->mem, "\"%s\":", name)))
        return false;
    const char *end = value_end(c);
    if (!end)
        return false;
    size_t len = (size_t)(end - c->at);
    const char *raw = arena_strndup(c->mem, c->at, len);
    c->at = end + 1;
    if (is_raw || *raw != '"') {
        *out = strcmp(raw, "null") == 0 ? NULL : raw;
        return true;
    }
    const struct json *value = json_parse(c->mem, raw, len, NULL);
    *out = value ? value->text : NULL;
    return *out != NULL;
}

static bool read_cell(struct cursor *c, const char **out)
{
    struct buf b = buf_in(c->mem);

    buf_puts(&b, "");
    if (!eat(c, "\""))
        return false;
    while (c->at < c->end &&
           !(*c->at == '"' && (c->at + 1 == c->end || c->at[1] != '"'))) {
        c->at += *c->at == '"';
        buf_putc(&b, *c->at++);
    }
    if (c->at >= c->end || c->end - c->at < 2)
        return false;
    c->at += 2; /* the quote, a comma or CR */
    *out = *b.data == '\'' ? b.data + 1 : b.data;
    return true;
}

static bool read_one(struct cursor *c, enum log_format format, const char *name,
                     enum log_cell cell, const char **out)
{
    if (format == LOG_NDJSON)
        return read_member(c, name, cell == LOG_JSON, out);
    if (!read_cell(c, out))
        return false;
    if (cell == LOG_JSON && !**out)
        *out = NULL;
    return true;
}

static bool read_column(struct cursor *c, enum log_format format,
                        const struct log_column *col, int64_t *number,
                        const char **text)
{
    const char *name = col->name, *value = NULL;

    if (col->cell == LOG_MOMENT) {
        if (!read_one(c, format, name, LOG_TEXT, &value))
            return false;
        name = us_name(c->mem, col);
    }
    if (!read_one(c, format, name, col->cell, &value))
        return false;
    *text = value;
    return col->cell > LOG_MOMENT ||
           (value && str_parse_int(value, 0, INT64_MAX, number));
}

/* What was read is written again and must be the same line. */
static bool read_record(struct arena *mem, enum log_format format,
                        enum log_kind kind, const char *line, size_t len,
                        struct log_row *row, const char **tail)
{
    const struct log_shape *s = log_shape(kind);
    struct cursor c = {mem, line, line + len};
    struct buf again = buf_in(mem);

    *row = (struct log_row){.numbers = {0}};
    if (format == LOG_NDJSON && !eat(&c, "{"))
        return false;
    for (size_t i = 0; i < s->count; i++)
        if (!read_column(&c, format, &s->columns[i], &row->numbers[i],
                         &row->texts[i]))
            return false;
    if (!read_one(&c, format, s->tail, LOG_TEXT, tail) || !*tail)
        return false;
    if ((*tail)[strspn(*tail, "0123456789abcdef")]) /* one way of writing */
        return false;
    put_record(&again, format, kind, row, *tail);
    return again.len == len && memcmp(again.data, line, len) == 0;
}

/* ---- reading the file ---- */

/* The length of the record at p, its line break included: in CSV a break
 * inside quotes belongs to the cell. */
static size_t record_len(enum log_format format, const char *p, const char *end)
{
    bool quoted = false;

    for (const char *q = p; q < end; q++) {
        if (format == LOG_CSV && *q == '"')
            quoted = !quoted;
        else if (*q == '\n' && !quoted)
            return (size_t)(q + 1 - p);
    }
    return (size_t)(end - p);
}

static void find(struct log_report *out, const char *rule, int64_t line,
                 int64_t seq)
{
    if (out->rule)
        return;
    out->rule = rule;
    out->line = line;
    out->seq = seq;
}

/* The last line: cells of a proof never hold a line break. */
static const char *last_line(const char *data, size_t len)
{
    const char *p = data + len;

    if (p > data)
        p--;
    while (p > data && p[-1] != '\n')
        p--;
    return p;
}

struct proof {
    struct log_mark before, last;
    int64_t count;
    const char *rule; /* what is wrong with it */
};

static bool read_hash(const char *hex, uint8_t out[CRYPTO_HASH_BYTES])
{
    return hex && strlen(hex) == 2 * CRYPTO_HASH_BYTES &&
           str_from_hex(hex, out, CRYPTO_HASH_BYTES);
}

static const char *judge_proof(const struct log_row *row, const char *tail,
                               const uint8_t *public_key,
                               struct log_report *report)
{
    const char *pub = row->texts[P_PUBLIC_KEY];
    uint8_t signature[64], hash[CRYPTO_HASH_BYTES];

    if (!pub || strlen(pub) != 2 * sizeof report->public_key ||
        !str_from_hex(pub, report->public_key, sizeof report->public_key) ||
        strlen(tail) != 2 * sizeof signature ||
        !str_from_hex(tail, signature, sizeof signature))
        return "signature";
    if (public_key && memcmp(public_key, report->public_key, 65) != 0)
        return "key";
    hash_proof(row, hash);
    return crypto_verify(report->public_key, hash, sizeof hash, signature)
               ? NULL
               : "signature";
}

static bool read_proof(struct arena *mem, enum log_format format,
                       const char *line, size_t len, const uint8_t *public_key,
                       struct log_report *report, struct proof *out)
{
    struct log_row row;
    const char *tail;

    if (!read_record(mem, format, LOG_PROOF, line, len, &row, &tail) ||
        !str_equal(row.texts[P_MAGIC], MAGIC) ||
        !read_hash(row.texts[P_BEFORE_HASH], out->before.hash) ||
        !read_hash(row.texts[P_LAST_HASH], out->last.hash))
        return false;
    out->before.seq = row.numbers[P_BEFORE_SEQ];
    out->last.seq = row.numbers[P_LAST_SEQ];
    out->count = row.numbers[P_COUNT];
    report->kind = str_equal(row.texts[P_LOG], log_shape(LOG_ACCESS)->name)
                       ? LOG_ACCESS
                       : LOG_OPERATION;
    (void)snprintf(report->tenant, sizeof report->tenant, "%s",
                   row.texts[P_TENANT] ? row.texts[P_TENANT] : "");
    out->rule = judge_proof(&row, tail, public_key, report);
    return true;
}

static void check_row(struct arena *mem, enum log_format format,
                      const char *line, size_t len, int64_t line_no,
                      struct log_mark *mark, struct log_report *out)
{
    struct log_row row;
    const char *tail;
    int64_t next = mark->seq + 1;

    if (!read_record(mem, format, out->kind, line, len, &row, &tail) ||
        !read_hash(tail, row.hash)) {
        find(out, "line", line_no, next);
        return;
    }
    bool fits = log_follows(out->kind, mark, &row);
    out->rows++;
    if (mark->seq > next)
        find(out, "gap", line_no, next);
    else if (mark->seq < next)
        find(out, "order", line_no, mark->seq);
    else if (!fits)
        find(out, "changed", line_no, next);
}

static const char *skip_header(struct arena *mem, enum log_format format,
                               const char *data, const char *end,
                               struct log_report *out)
{
    struct buf names = buf_in(mem);

    if (format == LOG_NDJSON)
        return data;
    put_names(&names, log_shape(out->kind));
    if ((size_t)(end - data) >= names.len &&
        memcmp(data, names.data, names.len) == 0)
        return data + names.len;
    find(out, "header", 1, 0);
    return data + record_len(format, data, end);
}

static int64_t count_breaks(const char *p, size_t len)
{
    int64_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += p[i] == '\n';
    return n;
}

void log_file_check(struct arena *scratch, const char *data, size_t len,
                    const uint8_t *public_key, struct log_report *out)
{
    enum log_format format = len && *data == '{' ? LOG_NDJSON : LOG_CSV;
    const char *end = last_line(data, len);
    struct proof proof = {.rule = NULL};

    *out = (struct log_report){.rule = NULL};
    bool has_proof =
        read_proof(scratch, format, end, (size_t)(data + len - end), public_key,
                   out, &proof);
    arena_reset(scratch);
    struct log_mark mark = proof.before;
    out->first_seq = mark.seq + 1;
    int64_t proof_line = count_breaks(data, (size_t)(end - data)) + 1;
    if (!has_proof) {
        find(out, "no_proof", proof_line, 0);
        return;
    }
    if (proof.rule)
        find(out, proof.rule, proof_line, 0);
    const char *p = skip_header(scratch, format, data, end, out);
    int64_t line = 1 + (format == LOG_CSV);
    while (p < end) {
        size_t size = record_len(format, p, end);
        check_row(scratch, format, p, size, line, &mark, out);
        arena_reset(scratch);
        line += count_breaks(p, size);
        p += size;
    }
    out->last_seq = mark.seq;
    if (mark.seq != proof.last.seq || out->rows != proof.count ||
        !crypto_equal(mark.hash, proof.last.hash, sizeof mark.hash))
        find(out, "end", proof_line, mark.seq + 1);
}
