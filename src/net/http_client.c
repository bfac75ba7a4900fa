/* SPDX-License-Identifier: Apache-2.0 */
/* One connection, one call after the other.  A kept connection may have died
 * in the meantime: a call that hears nothing on it is made once more on a
 * fresh one.  Everything read goes through one buffer of fixed size. */
#include "net/http_client.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/tls.h"
#include "net/tcp_connect.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD_MAX = 16384,
    CHUNK_BYTES = 16384,
    TIMEOUT_MS = 30000,
    BYTES_PER_MS = 64, /* slower than 64 KB/s is too slow */
    LEAST_MS = 60000,
    INTERIM_MAX = 8
};

struct http_client {
    struct http_place place;
    int fd;
    struct tls *tls;
    char in[HEAD_MAX];
    size_t in_len;
    int64_t deadline_ms; /* of the call */
    struct http_why why;
    bool is_kept, has_heard;
};

/* Of one answer. */
struct head {
    int status;
    int64_t length; /* -1: not said */
    bool is_chunked, closes;
};

static enum err fail(struct http_client *h, enum err e, const char *ja,
                     const char *en)
{
    h->why = (struct http_why){ja, en};
    return e;
}

static int wait_ms(const struct http_client *h)
{
    int64_t left = h->deadline_ms - clock_monotonic_ms();

    return left <= 0                    ? 0
           : left < h->place.timeout_ms ? (int)left
                                        : h->place.timeout_ms;
}

/* ---- the connection ---- */

static void hang_up(struct http_client *h)
{
    if (h->tls)
        tls_close(h->tls);
    else if (h->fd >= 0)
        (void)close(h->fd);
    h->tls = NULL;
    h->fd = -1;
    h->in_len = 0;
    h->is_kept = false;
}

static enum err reach(struct http_client *h)
{
    const struct http_place *p = &h->place;
    enum err e = tcp_connect(p->host, p->port, !p->is_tls, wait_ms(h), &h->fd);

    if (e == ERR_NOT_FOUND)
        return fail(h, ERR_BUSY, "接続先の名前を解決できません",
                    "its name cannot be resolved");
    if (e)
        return fail(h, e, "接続できません", "it cannot be reached");
    if (!p->is_tls)
        return OK;
    const char *why;
    e = tls_connect(h->fd, p->host, p->ca_file, wait_ms(h), &why, &h->tls);
    if (!e)
        return OK;
    return e == ERR_DENIED
               ? fail(h, e, "接続先の証明書を受け入れられません", why)
               : fail(h, ERR_BUSY, "TLS の接続ができません", why);
}

static enum err write_all(struct http_client *h, const char *data, size_t len)
{
    while (len > 0) {
        long n;
        if (h->tls)
            n = tls_write(h->tls, data, len, wait_ms(h));
        else if (!tcp_connect_wait(h->fd, POLLOUT, wait_ms(h)))
            return fail(h, ERR_BUSY, "接続先がデータを受け取りません",
                        "it does not take data");
        else
            n = send(h->fd, data, len, MSG_NOSIGNAL);
        if (n <= 0)
            return fail(h, ERR_BUSY, "送信中に接続が切れました",
                        "the connection broke while sending");
        data += n;
        len -= (size_t)n;
    }
    return OK;
}

/* Adds to the buffer; *ended when the other side closed in good order. */
static enum err fill(struct http_client *h, bool *ended)
{
    size_t room = sizeof h->in - h->in_len;
    long n;

    *ended = false;
    if (h->tls)
        n = tls_read(h->tls, h->in + h->in_len, room, wait_ms(h));
    else if (!tcp_connect_wait(h->fd, POLLIN, wait_ms(h)))
        return fail(h, ERR_BUSY, "時間内に応答がありません",
                    "it did not answer in time");
    else
        n = recv(h->fd, h->in + h->in_len, room, 0);
    if (n < 0)
        return fail(h, ERR_BUSY, "接続が切れたか、時間内に応答がありません",
                    "the connection broke, or no answer came in time");
    h->has_heard = h->has_heard || n > 0;
    *ended = n == 0;
    h->in_len += (size_t)n;
    return OK;
}

static void drop(struct http_client *h, size_t len)
{
    h->in_len -= len;
    memmove(h->in, h->in + len, h->in_len);
}

/* ---- asking ---- */

static enum err send_file(struct http_client *h, int fd, int64_t bytes)
{
    static _Thread_local char chunk[CHUNK_BYTES];
    int64_t at = 0;

    while (at < bytes) {
        size_t want = bytes - at < CHUNK_BYTES ? (size_t)(bytes - at)
                                               : (size_t)CHUNK_BYTES;
        ssize_t n = pread(fd, chunk, want, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(h, ERR_INTERNAL, "こちらのファイルを読めません",
                        "our own file cannot be read");
        enum err e = write_all(h, chunk, (size_t)n);
        if (e)
            return e;
        at += n;
    }
    return OK;
}

static enum err ask(struct http_client *h, struct arena *mem,
                    const struct http_call *call)
{
    bool is_usual = h->place.port == (h->place.is_tls ? 443 : 80);
    struct buf b = buf_in(mem);

    buf_printf(&b, "%s %s HTTP/1.1\r\nHost: %s", call->method, call->target,
               h->place.host);
    if (!is_usual)
        buf_printf(&b, ":%d", h->place.port);
    buf_printf(&b, "\r\nUser-Agent: yagura\r\n%s", call->headers);
    if (call->body_fd >= 0 || strcmp(call->method, "PUT") == 0 ||
        strcmp(call->method, "POST") == 0)
        buf_printf(&b, "Content-Length: %lld\r\n",
                   (long long)(call->body_fd >= 0 ? call->body_bytes : 0));
    buf_puts(&b, "\r\n");
    enum err e = write_all(h, b.data, b.len);
    if (!e && call->body_fd >= 0)
        e = send_file(h, call->body_fd, call->body_bytes);
    return e;
}

/* ---- the head of the answer ---- */

static bool read_field(struct http_client *h, struct arena *mem,
                       const char *line, struct head *out)
{
    const char *colon = strchr(line, ':');

    if (!colon || colon == line)
        return false;
    size_t len = (size_t)(colon - line);
    const char *value = str_trim(mem, colon + 1);
    if (len == 14 && strncasecmp(line, "content-length", len) == 0) {
        if (out->length >= 0 ||
            !str_parse_int(value, 0, INT64_MAX / 2, &out->length))
            return false;
    } else if (len == 17 && strncasecmp(line, "transfer-encoding", len) == 0) {
        if (out->is_chunked || strcasecmp(value, "chunked") != 0)
            return false;
        out->is_chunked = true;
    } else if (len == 10 && strncasecmp(line, "connection", len) == 0) {
        out->closes = strcasecmp(value, "close") == 0;
    }
    (void)h;
    return true;
}

static bool read_lines(struct http_client *h, struct arena *mem, char *text,
                       struct head *out)
{
    int64_t status;
    char *rest, *line = strtok_r(text, "\r\n", &rest);

    *out = (struct head){.length = -1};
    if (!line ||
        (!str_starts(line, "HTTP/1.1 ") && !str_starts(line, "HTTP/1.0 ")) ||
        !str_parse_int(arena_strndup(mem, line + 9, 3), 100, 599, &status))
        return false;
    out->status = (int)status;
    out->closes = line[7] == '0';
    while ((line = strtok_r(NULL, "\r\n", &rest)))
        if (!read_field(h, mem, line, out))
            return false;
    return !(out->is_chunked && out->length >= 0);
}

/* Words said before the answer proper (1xx) are skipped. */
static enum err read_head(struct http_client *h, struct arena *mem,
                          struct head *out)
{
    bool ended = false;

    for (int i = 0; i < INTERIM_MAX;) {
        const char *end = memmem(h->in, h->in_len, "\r\n\r\n", 4);
        if (end) {
            size_t len = (size_t)(end - h->in) + 4;
            char *text = arena_strndup(mem, h->in, len);
            drop(h, len);
            if (strlen(text) != len || !read_lines(h, mem, text, out))
                return fail(h, ERR_INVALID, "応答が HTTP ではありません",
                            "its answer is not HTTP");
            if (out->status >= 200)
                return OK;
            i++;
            continue;
        }
        if (h->in_len == sizeof h->in)
            return fail(h, ERR_INVALID, "応答のヘッダーが長すぎます",
                        "the head of its answer is too long");
        if (ended)
            return fail(h, ERR_BUSY, "接続先が接続を閉じました",
                        "it closed the connection");
        enum err e = fill(h, &ended);
        if (e)
            return e;
    }
    return fail(h, ERR_INVALID, "応答が始まりません",
                "its answer does not begin");
}

/* ---- the body ---- */

struct sink {
    int fd; /* -1: memory */
    int64_t max, bytes;
    struct buf b;
};

static enum err take(struct http_client *h, struct sink *s, size_t len)
{
    size_t done = 0;

    if (s->bytes + (int64_t)len > s->max)
        return fail(h, ERR_INVALID, "応答が長すぎます",
                    "its answer is too long");
    if (s->fd < 0)
        buf_put(&s->b, h->in, len);
    while (s->fd >= 0 && done < len) {
        ssize_t n = write(s->fd, h->in + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(h, errno == ENOSPC ? ERR_FULL : ERR_INTERNAL,
                        "こちらのファイルに書き込めません",
                        "our own file cannot be written");
        done += (size_t)n;
    }
    s->bytes += (int64_t)len;
    drop(h, len);
    return OK;
}

static enum err take_counted(struct http_client *h, struct sink *s,
                             int64_t left)
{
    bool ended = false;

    while (left > 0) {
        size_t n = (int64_t)h->in_len < left ? h->in_len : (size_t)left;
        enum err e = n ? take(h, s, n) : OK;
        left -= (int64_t)n;
        if (!e && left > 0 && ended)
            e = fail(h, ERR_BUSY, "応答が途中で切れました",
                     "its answer breaks off");
        if (!e && left > 0)
            e = fill(h, &ended);
        if (e)
            return e;
    }
    return OK;
}

static enum err take_to_end(struct http_client *h, struct sink *s)
{
    for (bool ended = false;;) {
        enum err e = h->in_len ? take(h, s, h->in_len) : OK;
        if (e || ended)
            return e;
        if ((e = fill(h, &ended)))
            return e;
    }
}

static enum err read_line(struct http_client *h, char out[64])
{
    bool ended = false;

    for (;;) {
        const char *end = memmem(h->in, h->in_len, "\r\n", 2);
        size_t len = end ? (size_t)(end - h->in) : h->in_len;
        if (len >= 64)
            return fail(h, ERR_INVALID, "応答の形式が正しくありません",
                        "a chunk of its answer is odd");
        if (end) {
            memcpy(out, h->in, len);
            out[len] = 0;
            drop(h, len + 2);
            return OK;
        }
        if (ended)
            return fail(h, ERR_BUSY, "応答が途中で切れました",
                        "its answer breaks off");
        enum err e = fill(h, &ended);
        if (e)
            return e;
    }
}

static bool parse_size(const char *hex, int64_t *out)
{
    size_t n = strspn(hex, "0123456789abcdefABCDEF");

    *out = 0;
    if (n == 0 || n > 12 || (hex[n] && hex[n] != ';'))
        return false;
    for (size_t i = 0; i < n; i++)
        *out = *out * 16 +
               (hex[i] <= '9' ? hex[i] - '0' : (hex[i] | 0x20) - 'a' + 10);
    return true;
}

static enum err take_chunks(struct http_client *h, struct sink *s)
{
    char line[64];
    int64_t size;
    enum err e;

    for (;;) {
        if ((e = read_line(h, line)))
            return e;
        if (!parse_size(line, &size))
            return fail(h, ERR_INVALID, "応答の形式が正しくありません",
                        "a chunk of its answer is odd");
        if (size == 0)
            break;
        if ((e = take_counted(h, s, size)) || (e = read_line(h, line)))
            return e;
        if (*line)
            return fail(h, ERR_INVALID, "応答の形式が正しくありません",
                        "a chunk of its answer is odd");
    }
    for (int i = 0; i < 64; i++) /* trailers */
        if ((e = read_line(h, line)) || !*line)
            return e;
    return fail(h, ERR_INVALID, "応答が終わりません",
                "its answer does not end");
}

static enum err read_body(struct http_client *h, struct arena *mem,
                          const struct http_call *call, struct head *head,
                          struct http_answer *out)
{
    bool to_file = call->sink_fd >= 0 && head->status / 100 == 2;
    struct sink s = {.fd = to_file ? call->sink_fd : -1,
                     .max = to_file ? call->sink_max : HTTP_BODY_MAX,
                     .b = buf_in(mem)};
    enum err e = OK;

    if (strcmp(call->method, "HEAD") == 0 || head->status == 204 ||
        head->status == 304)
        e = OK;
    else if (head->is_chunked)
        e = take_chunks(h, &s);
    else if (head->length >= 0)
        e = take_counted(h, &s, head->length);
    else {
        head->closes = true;
        e = take_to_end(h, &s);
    }
    *out = (struct http_answer){.status = head->status,
                                .body = s.b.data ? s.b.data : "",
                                .len = s.b.len,
                                .bytes = s.bytes};
    return e;
}

/* ---- calls ---- */

static enum err call_once(struct http_client *h, struct arena *mem,
                          const struct http_call *call, struct http_answer *out)
{
    struct head head;
    enum err e = OK;

    h->has_heard = false;
    if (h->fd < 0 && (e = reach(h)))
        return e;
    enum err sent = ask(h, mem, call);
    if (sent == ERR_INTERNAL)
        return sent;
    /* who refuses a body may say so and close before all of it is sent */
    struct http_why why = h->why;
    if ((e = read_head(h, mem, &head))) {
        if (sent)
            h->why = why;
        return e;
    }
    if ((e = read_body(h, mem, call, &head, out)))
        return e;
    if (sent || head.closes || h->in_len)
        hang_up(h);
    else
        h->is_kept = true;
    return OK;
}

enum err http_client_call(struct http_client *h, struct arena *mem,
                          const struct http_call *call, struct http_answer *out,
                          struct http_why *why)
{
    int64_t bytes = call->body_fd >= 0   ? call->body_bytes
                    : call->sink_fd >= 0 ? call->sink_max
                                         : 0;

    *out = (struct http_answer){.body = ""};
    h->why = (struct http_why){"", ""};
    h->deadline_ms = clock_monotonic_ms() + LEAST_MS + bytes / BYTES_PER_MS;
    bool was_kept = h->is_kept;
    enum err e = call_once(h, mem, call, out);
    if (e == ERR_BUSY && was_kept && !h->has_heard) {
        hang_up(h);
        e = call_once(h, mem, call, out);
    }
    if (e)
        hang_up(h);
    *why = h->why;
    return e;
}

struct http_client *http_client_open(struct arena *mem,
                                     const struct http_place *place)
{
    struct http_client *h = arena_new(mem, struct http_client);

    h->place = *place;
    if (!h->place.timeout_ms)
        h->place.timeout_ms = TIMEOUT_MS;
    h->fd = -1;
    h->why = (struct http_why){"", ""};
    return h;
}

void http_client_close(struct http_client *h)
{
    if (h)
        hang_up(h);
}
