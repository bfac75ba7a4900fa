/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Asks another server by HTTP/1.1.  Over TLS its certificate and name are
 * verified; in the clear only loopback is spoken to.  Every wait has a
 * deadline, and so has the whole call; what comes back is bounded; redirects
 * are answers like any other and not followed.  Never on a request thread. */
struct http_place {
    const char *host;
    int port;
    bool is_tls;
    const char *ca_file;
    int timeout_ms; /* of each wait, 0: 30 s */
};

struct http_call {
    const char *method, *target; /* as they stand in the request line */
    const char *headers;         /* whole lines; Host and length are ours */
    int body_fd;                 /* read from its start; -1: no body */
    int64_t body_bytes;
    int sink_fd; /* takes the body of a 2xx; -1: kept in memory */
    int64_t sink_max;
};
struct http_answer {
    int status;
    const char *body; /* in the arena, ends with NUL; "" when in the sink */
    size_t len;       /* at most HTTP_BODY_MAX */
    int64_t bytes;    /* of the body, wherever it went */
};
enum { HTTP_BODY_MAX = 4 << 20 };
struct http_why { /* one line for the operator; "": no failure */
    const char *ja, *en;
};

/* Keeps its connection from call to call; lives in the arena until closed. */
struct http_client *http_client_open(struct arena *mem,
                                     const struct http_place *place);
/* OK: there is a whole answer, of whatever status.  ERR_DENIED: the
 * certificate; ERR_BUSY: nobody there, broken off or too slow, try later;
 * ERR_INVALID: no HTTP, or more than it may be; ERR_FULL, ERR_INTERNAL: our
 * own files.  *why is one line for the operator, free of secrets. */
MUST_USE enum err http_client_call(struct http_client *h, struct arena *mem,
                                   const struct http_call *call,
                                   struct http_answer *out,
                                   struct http_why *why);
void http_client_close(struct http_client *h); /* NULL is allowed */

#endif
