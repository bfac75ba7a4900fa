/* SPDX-License-Identifier: Apache-2.0 */
#include "base/csv.h"

#include "base/buf.h"

#include <string.h>

struct reader {
    struct arena *mem;
    const char *at, *end;
    char comma;
    int line;
    const struct csv_limits *limits;
    struct csv_error *error;
    const char **cells; /* of the row being read */
    size_t count;
};

static bool stop(struct reader *r, const char *rule)
{
    *r->error = (struct csv_error){r->line, (int)r->count + 1, rule};
    return false;
}

static bool at_line_end(const struct reader *r)
{
    return r->at == r->end || *r->at == '\n' ||
           (*r->at == '\r' && (r->at + 1 == r->end || r->at[1] == '\n'));
}

static bool add_cell(struct reader *r, const char *text, size_t len)
{
    if (len > r->limits->cell_bytes)
        return stop(r, "cell_size");
    if (r->count == r->limits->cells)
        return stop(r, "cells");
    r->cells[r->count++] = arena_strndup(r->mem, text, len);
    return true;
}

static bool read_quoted(struct reader *r)
{
    struct buf b = buf_in(r->mem);
    int opened = r->line;

    for (r->at++; r->at < r->end; r->at++) {
        if (*r->at == '\n')
            r->line++;
        if (*r->at != '"') {
            buf_putc(&b, *r->at);
        } else if (r->at + 1 < r->end && r->at[1] == '"') {
            buf_putc(&b, '"');
            r->at++;
        } else {
            r->at++;
            if (!at_line_end(r) && *r->at != r->comma)
                return stop(r, "text_after_quote");
            return add_cell(r, b.data ? b.data : "", b.len);
        }
    }
    r->line = opened; /* the end of the file tells nobody anything */
    return stop(r, "quote");
}

static bool read_plain(struct reader *r)
{
    const char *begin = r->at;

    while (!at_line_end(r) && *r->at != r->comma)
        r->at++;
    return add_cell(r, begin, (size_t)(r->at - begin));
}

/* One row, its line end included. */
static bool read_row(struct reader *r)
{
    r->count = 0;
    for (;;) {
        if (r->at < r->end && *r->at == '"' ? !read_quoted(r) : !read_plain(r))
            return false;
        if (at_line_end(r))
            break;
        r->at++; /* the comma */
    }
    if (r->at < r->end && *r->at == '\r')
        r->at++;
    if (r->at < r->end)
        r->at++;
    return true;
}

static bool is_blank(const struct reader *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (*r->cells[i])
            return false;
    return true;
}

static size_t count_lines(const char *text, size_t len)
{
    size_t n = 1;

    for (size_t i = 0; i < len; i++)
        n += text[i] == '\n';
    return n;
}

static char find_comma(const char *text, size_t len)
{
    const char *end = memchr(text, '\n', len);
    size_t first = end ? (size_t)(end - text) : len;

    return memchr(text, '\t', first) && !memchr(text, ',', first) ? '\t' : ',';
}

bool csv_parse(struct arena *mem, const char *text, size_t len,
               const struct csv_limits *limits, struct csv *out,
               struct csv_error *error)
{
    struct reader r = {.mem = mem,
                       .at = text,
                       .end = text + len,
                       .comma = find_comma(text, len),
                       .line = 1,
                       .limits = limits,
                       .error = error};
    size_t max = count_lines(text, len);

    if (max > limits->rows + 1)
        max = limits->rows + 1;
    r.cells = arena_array(mem, const char *, limits->cells);
    out->rows = arena_array(mem, struct csv_row, max);
    out->count = 0;
    while (r.at < r.end) {
        int line = r.line;
        if (!read_row(&r))
            return false;
        r.line++;
        if (is_blank(&r))
            continue;
        if (out->count == limits->rows) {
            r.count = 0;
            return stop(&r, "rows");
        }
        out->rows[out->count++] = (struct csv_row){
            line, r.count,
            arena_copy(mem, r.cells, r.count * sizeof(*r.cells))};
    }
    return true;
}

static bool looks_like_formula(const char *text)
{
    text += strspn(text, "'");
    return *text && strchr("=+-@\t\r\n", *text);
}

const char *csv_plain(const char *text)
{
    return *text == '\'' && looks_like_formula(text) ? text + 1 : text;
}

void csv_put(struct buf *b, const char *text, bool is_last)
{
    buf_putc(b, '"');
    if (text && looks_like_formula(text))
        buf_putc(b, '\'');
    for (; text && *text; text++) {
        if (*text == '"')
            buf_putc(b, '"');
        buf_putc(b, *text);
    }
    buf_puts(b, is_last ? "\"\r\n" : "\",");
}
