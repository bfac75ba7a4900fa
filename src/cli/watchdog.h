/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WATCHDOG_H
#define CLI_WATCHDOG_H

#include "core/app.h"
#include "http/server.h"

/* Whether a request through this listener is answered within 5 s, as
 * anybody's would be: connection, TLS, worker thread, reply. */
bool watchdog_is_answered(const struct listener *door);
/* The same of the first, and what the first with TLS agrees on and refuses. */
void watchdog_prove(const struct listener *doors, size_t count,
                    struct server_proof *out);

#endif
