/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WATCHDOG_H
#define CLI_WATCHDOG_H

#include "core/app.h"
#include "http/server.h"

#include <pthread.h>

/* Whether a request through this listener is answered within 5 s, as
 * anybody's would be: connection, TLS, worker thread, reply. */
bool watchdog_is_answered(const struct listener *door);
/* Whether strangers get in by TLS: the server shakes hands with itself, and is
 * given 2 s.  What was found holds for 5 s; while one thread looks, the others
 * are told what was found last.  Always, where no listener speaks TLS. */
struct reach {
    pthread_mutex_t lock; /* guards the rest */
    bool is_looking, is_good;
    int64_t looked_ms; /* monotonic, 0: never */
};
bool watchdog_is_reached(struct reach *r, const struct listener *doors,
                         size_t count);
/* The same of the first, and what the first with TLS agrees on and refuses. */
void watchdog_prove(const struct listener *doors, size_t count,
                    struct server_proof *out);

#endif
