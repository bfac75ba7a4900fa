/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/buf.h"
#include "base/ctx.h"
#include "http/listen.h"
#include "http/request_head.h"

/* The web server: civetweb behind a strict check of the request head, our TLS
 * glue, deadlines and limits.  Everything above sees struct request/reply. */
struct request {
    struct arena *mem; /* dies after the reply */
    enum method method;
    const char *path;     /* raw, only [A-Za-z0-9._~/-] */
    const char *query;    /* raw, "" when none */
    const char *host;     /* lower case, port kept */
    const char *tls_name; /* asked for in the handshake, lower case, or "" */
    const char *ip;       /* peer, or by trusted proxy; mapped IPv6 folded */
    bool is_tls;          /* for the client: here, or at the proxy before us */
    bool is_proxied;      /* came by a trusted proxy */
    int listener;         /* index of the listener it came in by */
    int64_t started_ms;   /* monotonic */
    char id[17];          /* request id */
    void *conn;           /* civetweb's, for http/ only */
};

/* A body that is not held in memory: handed out from front to back, from
 * wherever the client wants it. */
struct reply_stream {
    int64_t bytes;
    MUST_USE enum err (*read)(void *arg, int64_t at, void *data, size_t len);
    void *arg;
};

struct reply {
    int status;
    const char *type; /* content type, NULL: application/json */
    struct buf body;
    const char *etag;  /* quoted; NULL: none */
    const char *cache; /* Cache-Control, NULL: no-store */
    bool is_gzip;      /* body is gzip already (assets) */
    bool has_ranges;   /* parts of the body may be asked for */
    struct buf head;   /* further header lines, each ending CRLF */
    /* In the request's arena, in place of body; NULL: none.  Ranges are looked
     * after: 206, 416. */
    const struct reply_stream *stream;
};

typedef void request_fn(void *app, struct request *r, struct reply *out);

struct server;
struct server_config {
    const struct listener *listeners;
    size_t listener_count;
    const char *cert_path, *key_path;   /* PEM, for TLS listeners */
    const char *const *trusted_proxies; /* CIDR, NULL-terminated, or NULL */
    int max_threads;                    /* 0: 2048 */
    bool owns_domain; /* all hosts below its own are the operator's too */
    request_fn *handle;
    void *app;
};

/* Opens the sockets; no thread is started, and what config points at (but
 * listeners and trusted_proxies) must last as long as the server. */
MUST_USE enum err server_open(const struct server_config *config,
                              struct server **out);
MUST_USE enum err server_start(struct server *s); /* serves from now on */
int server_port(const struct server *s, int listener);
/* Stops accepting, finishes what it has within deadline_ms, frees all. */
void server_close(struct server *s, int deadline_ms);
MUST_USE enum err server_reload(struct server *s); /* certificate again */

struct server_stats {
    int64_t requests, refused_heads, shed, handshakes, failed_handshakes;
    int connections, threads, max_threads, busy_threads;
    int waiting; /* connections that no thread has taken up yet */
};
void server_stats(const struct server *s, struct server_stats *out);

/* ---- reading the request ---- */
const char *request_header(const struct request *r, const char *name);
/* Value of a query parameter, percent-decoded once and checked as UTF-8, in
 * the arena; NULL when absent, given twice or malformed. */
const char *request_param(struct request *r, const char *name);
/* The nth of the query as it was sent, in the arena; NULL beyond the last. */
const char *request_param_name(struct request *r, size_t n);
/* A cookie's value in the arena, NULL when absent or given twice. */
const char *request_cookie(struct request *r, const char *name);
/* The whole body within the deadline; ERR_LIMIT when longer than limit (what
 * is declared is refused before a byte is read), ERR_INVALID when cut short,
 * ERR_BUSY when it does not come in time.
 * The connection closes after a refused body. */
MUST_USE enum err request_body(struct request *r, size_t limit_bytes,
                               const char **data, size_t *len);

/* ---- making the reply ---- */
void reply_header(struct reply *out, const char *name, const char *value);
struct cookie {
    const char *name, *value, *path;
    int max_age_s; /* 0: session cookie, -1: delete */
    bool is_secure, is_lax;
};
void reply_cookie(struct reply *out, const struct cookie *cookie);

#endif
