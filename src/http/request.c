/* SPDX-License-Identifier: Apache-2.0 */
/* What a handler may ask of its request, and reading the body.
 *
 * Nothing civetweb has decoded is used: path and query are the raw bytes that
 * passed the head check, and the body is read by us, as civetweb's deadline
 * starts afresh with every byte.  Ours is one for the whole body. */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "http/chunk.h"
#include "http/server_wire.h"

#define BODY_MS          10000
#define BODY_BYTES_PER_S 16384
#define READ_BYTES       ((size_t)16384)
#define MUCH_BYTES       ((size_t)1 << 20)

struct worker *worker_of(const struct request *r)
{
    return mg_get_thread_pointer(r->conn);
}

const char *request_header(const struct request *r, const char *name)
{
    return mg_get_header(r->conn, name);
}

/* splitmix64 from a random start: ids are unique, not secret. */
static void make_id(struct worker *w, char out[17])
{
    uint64_t z = w->id_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    for (int i = 0; i < 16; i++)
        out[i] = "0123456789abcdef"[z >> (60 - 4 * i) & 15];
    out[16] = '\0';
}

static const char *lower(struct arena *mem, const char *text)
{
    char *copy = arena_strdup(mem, text ? text : "");
    for (char *p = copy; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return copy;
}

/* A trusted proxy may say who asked, and nothing else: the host is what Host
 * names, for other lines (X-Forwarded-Host, Forwarded, …) pass a proxy as the
 * client wrote them.  A chain that came in several lines is one chain. */
static void believe_proxy(struct request *r, struct ip_address *client)
{
    const struct mg_request_info *info = mg_get_request_info(r->conn);
    struct buf chain = buf_in(r->mem);
    for (int i = 0; i < info->num_headers; i++) {
        if (strcasecmp(info->http_headers[i].name, "X-Forwarded-For") != 0)
            continue;
        buf_puts(&chain, chain.len ? "," : "");
        buf_puts(&chain, info->http_headers[i].value);
    }
    if (chain.len)
        proxy_find_client(server_proxies(worker_of(r)->server), chain.data,
                          client);
}

void request_begin(struct request *r, struct mg_connection *conn)
{
    const struct mg_request_info *info = mg_get_request_info(conn);
    struct worker *w = mg_get_thread_pointer(conn);
    struct ip_address client = w->peer;
    *r = (struct request){
        .mem = w->mem,
        .method = w->head.method,
        .path = info->request_uri,
        .query = info->query_string ? info->query_string : "",
        .is_tls = w->is_https,
        .listener = w->listener,
        .started_ms = clock_monotonic_ms(),
        .conn = conn,
    };
    make_id(w, r->id);
    r->host = lower(r->mem, request_header(r, "Host"));
    r->tls_name = lower(r->mem, w->is_tls ? tls_server_name() : "");
    r->is_proxied = proxy_is_trusted(server_proxies(w->server), &client);
    if (r->is_proxied)
        believe_proxy(r, &client);
    char *ip = arena_alloc(r->mem, IP_ADDRESS_TEXT_BYTES);
    ip_address_format(&client, ip);
    r->ip = ip;
}

static int hex_value(char ch)
{
    return ch <= '9' ? ch - '0' : (ch | 0x20) - 'a' + 10;
}

/* The escapes are known to be well-formed: the head check saw to it. */
static const char *decode(struct arena *mem, const char *text, size_t len)
{
    char *out = arena_alloc(mem, len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        out[n] = text[i] == '+' ? ' ' : text[i];
        if (text[i] == '%') {
            out[n] =
                (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        }
        n++;
    }
    out[n] = '\0';
    return out;
}

const char *request_param(struct request *r, const char *name)
{
    const char *value = NULL;
    size_t name_len = strlen(name), value_len = 0;
    for (const char *p = r->query; *p;) {
        size_t len = strcspn(p, "&");
        size_t key = strcspn(p, "=&");
        if (key == name_len && memcmp(p, name, key) == 0) {
            if (value)
                return NULL;
            value = p + key + (key < len);
            value_len = len - key - (key < len);
        }
        p += len + (p[len] == '&');
    }
    return value ? decode(r->mem, value, value_len) : NULL;
}

const char *request_param_name(struct request *r, size_t n)
{
    for (const char *p = r->query; *p;) {
        size_t len = strcspn(p, "&");
        if (len > 0 && n-- == 0)
            return arena_strndup(r->mem, p, strcspn(p, "=&"));
        p += len + (p[len] == '&');
    }
    return NULL;
}

const char *request_cookie(struct request *r, const char *name)
{
    return cookie_find(r->mem, request_header(r, "Cookie"), name);
}

/* One read before the deadline of a body of which size bytes are known to
 * be meant: the bytes read, 0 past the deadline, -1 when nothing more comes. */
static int read_some(struct request *r, char *data, size_t len,
                     int64_t begun_ms, size_t size)
{
    int64_t allowed = BODY_MS + (int64_t)size * 1000 / BODY_BYTES_PER_S;
    int64_t left = begun_ms + allowed - clock_monotonic_ms();
    if (left <= 0)
        return 0;
    return mg_pull(r->conn, data, (int)(len < READ_BYTES ? len : READ_BYTES),
                   (int)left);
}

/* Room grows with what has come, not with what was promised, until that is
 * much: from there doubling would leave as much behind as is needed, and what
 * is not written to is only addresses. */
static void make_room(struct buf *b, size_t left)
{
    bool is_much = b->len >= MUCH_BYTES;

    buf_reserve(b, is_much || left < READ_BYTES ? left : READ_BYTES);
}

static enum err read_counted(struct request *r, size_t size, struct buf *out)
{
    int64_t begun_ms = clock_monotonic_ms();
    while (out->len < size) {
        size_t left = size - out->len;
        make_room(out, left);
        int n = read_some(r, out->data + out->len, left, begun_ms, size);
        if (n <= 0)
            return n ? ERR_INVALID : ERR_BUSY;
        out->len += (size_t)n;
    }
    return OK;
}

static enum err read_chunked(struct request *r, size_t limit, struct buf *out)
{
    int64_t begun_ms = clock_monotonic_ms();
    char *data = arena_alloc(r->mem, READ_BYTES);
    struct chunk chunk = {0};
    size_t used = 0;
    int n = 0;
    while (chunk.state != CHUNK_DONE) {
        make_room(out, limit - out->len);
        n = read_some(r, data, READ_BYTES, begun_ms, out->len);
        if (n <= 0)
            return n ? ERR_INVALID : ERR_BUSY;
        enum err e = chunk_feed(&chunk, data, (size_t)n, limit, out, &used);
        if (e)
            return e;
    }
    mg_end_body(r->conn);
    /* A request already sent behind this one is dropped: it is sent again. */
    if (used < (size_t)n)
        mg_disable_connection_keep_alive(r->conn);
    return OK;
}

enum err request_body(struct request *r, size_t limit_bytes, const char **data,
                      size_t *len)
{
    const struct request_head *head = &worker_of(r)->head;
    struct buf body = buf_in(r->mem);
    *data = "";
    *len = 0;
    if (head->body_bytes > 0 && (uint64_t)head->body_bytes > limit_bytes)
        return ERR_LIMIT;
    if (mg_body_left(r->conn) <= 0)
        return OK;
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (head->wants_continue && !head->is_http_10 &&
        mg_push(r->conn, go_on, sizeof go_on - 1, BODY_MS) <= 0)
        return ERR_INVALID;
    enum err e = head->is_chunked
                     ? read_chunked(r, limit_bytes, &body)
                     : read_counted(r, (size_t)head->body_bytes, &body);
    if (e)
        return e;
    buf_put(&body, "", 0);
    if (body.data)
        *data = body.data;
    *len = body.len;
    return OK;
}
