/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_SERVER_WIRE_H
#define HTTP_SERVER_WIRE_H

#include <civetweb.h>

#include "http/connection_limit.h"
#include "http/proxy.h"
#include "http/request_head.h"
#include "http/server.h"

/* What the files of http/ share and nobody else sees: the worker thread that
 * serves a connection.  request.conn is civetweb's connection, whose thread
 * pointer is this. */
struct worker {
    struct server *server;
    struct seat *seat;
    struct arena *mem; /* NULL until the first request, and after a rest */
    struct request_head head; /* of the request in hand */
    struct ip_address peer;
    uint64_t id_state; /* of the request ids */
    int listener, tag;
    bool is_tls, is_https, is_shaking, is_in_hand;
    int64_t date_s; /* the second that date tells */
    char date[32];
};

/* third_party/glue: the name the client of this thread's connection asked for
 * in the TLS handshake, "" when it named none. */
const char *tls_server_name(void);

struct worker *worker_of(const struct request *r);
/* Whether this connection must not be kept after the reply. */
bool server_wants_close(const struct server *s);
const struct proxy_list *server_proxies(const struct server *s);
/* Whether HSTS is for every host below this one too. */
bool server_owns_domain(const struct server *s);

/* ---- reply.c ---- */
/* Writes the whole reply; the connection stays open when it may. */
void reply_send(struct request *r, struct reply *out);
/* A refusal without a request, such as a head that did not pass: status line,
 * Connection: close, and what still comes is dropped. */
void reply_refuse(struct mg_connection *conn, int status, bool is_tls);
/* ---- cookie.c ---- */
/* Of the text of a Cookie header (NULL: none): the value, in mem; NULL when it
 * is absent or given twice. */
const char *cookie_find(struct arena *mem, const char *line, const char *name);

/* ---- request.c ---- */
void request_begin(struct request *r, struct mg_connection *conn);

#endif
