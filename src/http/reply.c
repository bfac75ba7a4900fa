/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a reply on the wire: security headers on every one, conditional
 * and compressed replies, one write for head and body.
 *
 * Whether the connection lives on is decided here and nowhere else: it closes
 * after a body that was not read to its end, when the server stops or is
 * short of workers, and when the client says so. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "http/gzip.h"
#include "http/range.h"
#include "http/server_wire.h"

#define WRITE_MS          30000
#define WRITE_BYTES_PER_S 16384
#define GZIP_FROM_BYTES   1024
#define ONE_WRITE_BYTES   65536
#define STREAM_PART_BYTES ((int64_t)64 * 1024)

static const char common_head[] =
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Frame-Options: DENY\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";
static const char tls_head[] =
    "Strict-Transport-Security: max-age=63072000\r\n";
static const char own_domain_head[] =
    "Strict-Transport-Security: max-age=63072000; includeSubDomains\r\n";
static const char page_policy[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; object-src 'none'; "
    "require-trusted-types-for 'script'\r\n";
/* Features are granted to documents; elsewhere the line means nothing. */
static const char page_features[] =
    "Permissions-Policy: accelerometer=(), autoplay=(), camera=(), "
    "display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), "
    "gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), "
    "picture-in-picture=(), publickey-credentials-get=(self), "
    "screen-wake-lock=(), usb=(), web-share=(), xr-spatial-tracking=()\r\n";
/* What is not a page needs nothing at all. */
static const char data_policy[] =
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n";

static const char *transport_head(const struct server *s)
{
    return server_owns_domain(s) ? own_domain_head : tls_head;
}

static const struct {
    int status;
    const char *text;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

static const char *find_reason(int status)
{
    for (size_t i = 0; i < COUNT(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "Other";
}

/* A value made from data can end neither its line nor the head. */
void reply_header(struct reply *out, const char *name, const char *value)
{
    buf_puts(&out->head, name);
    buf_puts(&out->head, ": ");
    size_t from = out->head.len;
    buf_puts(&out->head, value);
    for (size_t i = from; i < out->head.len; i++)
        if ((unsigned char)out->head.data[i] < 0x20 ||
            out->head.data[i] == 0x7f)
            out->head.data[i] = ' ';
    buf_puts(&out->head, "\r\n");
}

/* Whether a comma-separated list names the word; parameters are cut off, and
 * q=0 means it does not. */
static bool has_word(const char *list, const char *word)
{
    size_t word_len = strlen(word);
    for (const char *p = list ? list : ""; *p;) {
        p += strspn(p, ", \t");
        size_t len = strcspn(p, ","), name = strcspn(p, ",; \t");
        if (name == word_len && strncasecmp(p, word, name) == 0) {
            const char *q = memmem(p, len, "q=0", 3);
            return !q || strspn(q + 3, ".0") != (size_t)(p + len - q) - 3;
        }
        p += len;
    }
    return false;
}

/* If-None-Match compares weakly: W/ is left aside. */
static bool is_cached(const char *list, const char *etag)
{
    size_t len = strlen(etag);
    if (!list)
        return false;
    if (strcmp(list, "*") == 0)
        return true;
    for (const char *p = list; (p = strstr(p, etag)) != NULL; p += len) {
        bool begins = p == list || strchr(", /", p[-1]);
        if (begins && (p[len] == '\0' || strchr(", ", p[len])))
            return true;
    }
    return false;
}

static bool is_text(const char *type)
{
    return !type || strncmp(type, "text/", 5) == 0 ||
           strncmp(type, "application/json", 16) == 0 ||
           strncmp(type, "application/problem+json", 24) == 0;
}

static const char *tell_date(struct worker *w)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed",
                                       "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr",
                                         "May", "Jun", "Jul", "Aug",
                                         "Sep", "Oct", "Nov", "Dec"};
    time_t now = (time_t)(clock_now_us() / 1000000);
    struct tm t;
    if (now != w->date_s && gmtime_r(&now, &t)) {
        (void)snprintf(w->date, sizeof w->date,
                       "%s, %02d %s %04d %02d:%02d:%02d GMT",
                       days[t.tm_wday % 7], t.tm_mday % 100,
                       months[t.tm_mon % 12], (t.tm_year + 1900) % 10000,
                       t.tm_hour % 100, t.tm_min % 100, t.tm_sec % 100);
        w->date_s = now;
    }
    return w->date;
}

/* The body in the coding the client takes. */
static void settle_coding(struct request *r, struct reply *out)
{
    bool takes_gzip = has_word(request_header(r, "Accept-Encoding"), "gzip");
    if (out->is_gzip && !takes_gzip) {
        struct reply_stream *plain = arena_new(r->mem, struct reply_stream);
        plain->arg =
            gzip_open(r->mem, out->body.data, out->body.len, &plain->bytes);
        must(plain->arg); /* our own assets */
        plain->read = gzip_read;
        out->stream = plain;
        out->is_gzip = false;
    } else if (!out->is_gzip && takes_gzip && is_text(out->type) &&
               out->body.len > GZIP_FROM_BYTES) {
        struct buf packed = buf_in(r->mem);
        gzip_pack(&packed, out->body.data, out->body.len);
        out->body = packed;
        out->is_gzip = true;
    }
}

static bool may_keep(const struct request *r)
{
    const struct worker *w = worker_of(r);
    const char *wish = request_header(r, "Connection");
    if (w->head.is_http_10 || server_wants_close(w->server) ||
        mg_body_left(r->conn) != 0)
        return false;
    return !wish || (has_word(wish, "keep-alive") && !has_word(wish, "close"));
}

static void put_number(struct buf *b, const char *name, size_t number)
{
    char digits[24];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    buf_puts(b, name);
    buf_put(b, digits + at, sizeof digits - at);
}

static void put_line(struct buf *b, const char *name, const char *value)
{
    buf_puts(b, name);
    buf_puts(b, value);
    buf_put(b, "\r\n", 2);
}

static void put_head(struct buf *b, const struct request *r,
                     const struct reply *out, int64_t body_bytes)
{
    bool has_body = out->status != 204 && out->status != 304;
    const char *type = out->type ? out->type : "application/json";
    bool is_page = strncmp(type, "text/html", 9) == 0;
    put_number(b, "HTTP/1.1 ", (size_t)out->status);
    put_line(b, " ", find_reason(out->status));
    put_line(b, "Date: ", tell_date(worker_of(r)));
    if (has_body && (body_bytes || out->type))
        put_line(b, "Content-Type: ", type);
    if (has_body) {
        put_number(b, "Content-Length: ", (size_t)body_bytes);
        buf_put(b, "\r\n", 2);
        if (out->is_gzip)
            buf_puts(b, "Content-Encoding: gzip\r\n");
    }
    if (is_text(out->type) || out->is_gzip)
        buf_puts(b, "Vary: Accept-Encoding\r\n");
    put_line(b, "Cache-Control: ", out->cache ? out->cache : "no-store");
    if (out->etag)
        put_line(b, "ETag: ", out->etag);
    buf_put(b, common_head, sizeof common_head - 1);
    if (r->is_tls)
        buf_puts(b, transport_head(worker_of(r)->server));
    if (is_page)
        buf_put(b, page_features, sizeof page_features - 1);
    if (!out->head.data ||
        !strcasestr(out->head.data, "content-security-policy:"))
        buf_puts(b, is_page ? page_policy : data_policy);
    if (out->head.len)
        buf_put(b, out->head.data, out->head.len);
}

static bool push_all(struct mg_connection *conn, const char *data, size_t len,
                     int64_t deadline_ms)
{
    while (len > 0) {
        int64_t left = deadline_ms - clock_monotonic_ms();
        if (left <= 0)
            return false;
        const size_t most = (size_t)1 << 20;
        int n = mg_push(conn, data, (int)(len < most ? len : most), (int)left);
        if (n < 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* ---- bodies that are streamed ---- */

struct span {
    int64_t from, bytes;
};

/* What of it is sent: all, or the part asked for of this very version. */
static struct span choose_span(struct request *r, struct reply *out)
{
    struct span s = {0, out->stream->bytes};
    const char *same = request_header(r, "If-Range");

    reply_header(out, "Accept-Ranges", "bytes");
    if (out->status != 200 || (same && !str_equal(same, out->etag)))
        return s;
    enum range_kind kind = range_read(request_header(r, "Range"),
                                      out->stream->bytes, &s.from, &s.bytes);
    if (kind == RANGE_WHOLE)
        return s;
    out->status = kind == RANGE_PART ? 206 : 416;
    if (kind == RANGE_OUTSIDE) {
        s = (struct span){0, 0};
        reply_header(out, "Content-Range",
                     arena_printf(r->mem, "bytes */%lld",
                                  (long long)out->stream->bytes));
    } else {
        reply_header(out, "Content-Range",
                     arena_printf(r->mem, "bytes %lld-%lld/%lld",
                                  (long long)s.from,
                                  (long long)(s.from + s.bytes - 1),
                                  (long long)out->stream->bytes));
    }
    return s;
}

static enum err read_memory(void *arg, int64_t at, void *data, size_t len)
{
    memcpy(data, (const char *)arg + at, len);
    return OK;
}

/* A body in memory, so that parts of it can be sent. */
static const struct reply_stream *stream_body(struct request *r,
                                              const struct reply *out)
{
    struct reply_stream *s = arena_new(r->mem, struct reply_stream);
    *s = (struct reply_stream){(int64_t)out->body.len, read_memory,
                               out->body.data};
    return s;
}

static bool push_stream(struct request *r, const struct reply_stream *stream,
                        struct span s)
{
    char *part = arena_alloc(r->mem, STREAM_PART_BYTES);
    int64_t deadline_ms =
        clock_monotonic_ms() + WRITE_MS + s.bytes / WRITE_BYTES_PER_S * 1000;

    while (s.bytes > 0) {
        size_t len = s.bytes < STREAM_PART_BYTES ? (size_t)s.bytes
                                                 : (size_t)STREAM_PART_BYTES;
        if (stream->read(stream->arg, s.from, part, len) ||
            !push_all(r->conn, part, len, deadline_ms))
            return false; /* the client sees that it is cut short */
        s.from += (int64_t)len;
        s.bytes -= (int64_t)len;
    }
    return true;
}

static void send_stream(struct request *r, struct reply *out)
{
    struct span s = choose_span(r, out);
    struct buf wire = buf_in(r->mem);

    put_head(&wire, r, out, s.bytes);
    bool is_kept = may_keep(r);
    if (!is_kept)
        buf_puts(&wire, "Connection: close\r\n");
    buf_put(&wire, "\r\n", 2);
    if (r->method == METHOD_HEAD)
        s.bytes = 0;
    bool is_sent =
        push_all(r->conn, wire.data, wire.len, clock_monotonic_ms() + WRITE_MS);
    if (is_sent)
        is_sent = push_stream(r, out->stream, s);
    if (!is_sent || !is_kept)
        mg_disable_connection_keep_alive(r->conn);
}

/* What is sent: nothing, the body in some coding, or a stream. */
static void settle_body(struct request *r, struct reply *out)
{
    if (out->status == 200 && out->etag &&
        (r->method == METHOD_GET || r->method == METHOD_HEAD) &&
        is_cached(request_header(r, "If-None-Match"), out->etag))
        out->status = 304;
    if (out->status == 204 || out->status == 304) {
        out->body.len = 0;
        out->stream = NULL;
    } else if (out->has_ranges && !out->stream) {
        out->stream = stream_body(r, out);
    } else if (!out->stream) {
        settle_coding(r, out);
    }
}

void reply_send(struct request *r, struct reply *out)
{
    settle_body(r, out);
    if (out->stream) {
        send_stream(r, out);
        return;
    }
    struct buf wire = buf_in(r->mem);
    size_t body_len = r->method == METHOD_HEAD ? 0 : out->body.len;
    bool is_one = body_len <= ONE_WRITE_BYTES;
    buf_reserve(&wire, 2048 + out->head.len + (is_one ? body_len : 0));
    put_head(&wire, r, out, (int64_t)out->body.len);
    bool is_kept = may_keep(r);
    if (!is_kept)
        buf_puts(&wire, "Connection: close\r\n");
    buf_put(&wire, "\r\n", 2);
    if (is_one && body_len)
        buf_put(&wire, out->body.data, body_len);

    int64_t deadline_ms = clock_monotonic_ms() + WRITE_MS +
                          (int64_t)body_len * 1000 / WRITE_BYTES_PER_S;
    bool is_sent = push_all(r->conn, wire.data, wire.len, deadline_ms);
    if (is_sent && !is_one)
        is_sent = push_all(r->conn, out->body.data, body_len, deadline_ms);
    if (is_sent && mg_body_left(r->conn) != 0)
        mg_linger(r->conn);
    else if (!is_sent || !is_kept)
        mg_disable_connection_keep_alive(r->conn);
}

/* Nobody's language is known yet: both. */
static const char *explain(int status)
{
    switch (status) {
    case 405:
        return "このメソッドは使えません / This method is not served";
    case 408:
        return "リクエストが時間内に届きませんでした / The request did not "
               "arrive in time";
    case 414:
        return "アドレスが長すぎます / The address is too long";
    case 431:
        return "ヘッダーが大きすぎます / The header fields are too large";
    case 505:
        return "HTTP/1.0 か 1.1 を使ってください / Please use HTTP/1.0 or 1.1";
    default:
        return "リクエストの形が正しくありません / The request is not well "
               "formed";
    }
}

void reply_refuse(struct mg_connection *conn, int status, bool is_tls)
{
    const struct worker *w = mg_get_thread_pointer(conn);
    char wire[2048], body[512];
    int size = snprintf(body, sizeof body,
                        "{\"type\":\"about:blank\",\"title\":\"%s\","
                        "\"status\":%d,\"errors\":[{\"field\":\"\",\"rule\":"
                        "\"request\",\"message\":\"%s\"}]}",
                        explain(status), status, explain(status));
    int len = snprintf(
        wire, sizeof wire,
        "HTTP/1.1 %d %s\r\n%sContent-Length: %d\r\n"
        "Content-Type: application/problem+json\r\nCache-Control: no-store\r\n"
        "%s%s%sConnection: close\r\n\r\n%s",
        status, find_reason(status),
        status == 405 ? "Allow: " REQUEST_HEAD_ALLOW "\r\n" : "", size,
        common_head, is_tls ? transport_head(w->server) : "", data_policy,
        body);
    must(len > 0 && (size_t)len < sizeof wire);
    (void)push_all(conn, wire, (size_t)len, clock_monotonic_ms() + WRITE_MS);
    mg_linger(conn);
}
