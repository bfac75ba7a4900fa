/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "base/err.h"
#include "http/server.h"

/* A listening socket for l, non-blocking: the index-th one inherited by
 * systemd's socket activation (LISTEN_PID, LISTEN_FDS) when there is one, a
 * new one otherwise.  Failures are logged. */
MUST_USE enum err listen_open(const struct listener *l, int index, int *fd);
int listen_port(int fd);
/* Raises the limit of open files as far as allowed, at most to 65536; what it
 * is now. */
int listen_raise_files(void);

#endif
