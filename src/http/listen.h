/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "base/err.h"

#include <stdbool.h>

struct listener {
    const char *address; /* "127.0.0.1", "::", … */
    int port;            /* 0: any free one, see server_port() */
    bool is_tls;
    /* people reach it by https: it is TLS, or a proxy before it is */
    bool is_https;
};

/* The descriptors that systemd's socket activation handed over (LISTEN_PID,
 * LISTEN_FDS), and which of them a listener has. */
enum { INHERITED_MAX = 64 };
struct inherited {
    int count;
    bool is_taken[INHERITED_MAX];
};

/* Marks them to be closed on exec. */
void listen_find_inherited(struct inherited *out);
/* The one that listens at l's address and port, non-blocking; -1: none. */
int listen_take(struct inherited *from, const struct listener *l);
/* ERR_INVALID when one is left that no listener took: each is logged with its
 * name and address. */
MUST_USE enum err listen_refuse_rest(const struct inherited *from);

/* A new listening socket for l, non-blocking.  Failures are logged. */
MUST_USE enum err listen_open(const struct listener *l, int *fd);
int listen_port(int fd);
/* Raises the limit of open files as far as allowed, at most to 65536; what it
 * is now. */
int listen_raise_files(void);

#endif
