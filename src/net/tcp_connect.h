/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_TCP_CONNECT_H
#define NET_TCP_CONNECT_H

#include "base/err.h"

#include <stdbool.h>

/* A connected, non-blocking socket to a name and port, each address tried
 * with the deadline.  ERR_NOT_FOUND: the name cannot be resolved; ERR_BUSY:
 * nobody answers.  only_loopback: other addresses are not tried. */
MUST_USE enum err tcp_connect(const char *host, int port, bool only_loopback,
                              int timeout_ms, int *fd);
/* poll() for one event; false past the deadline. */
bool tcp_connect_wait(int fd, short events, int timeout_ms);

#endif
