/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_HOLD_H
#define CLI_HOLD_H

#include "base/err.h"

#include <stdbool.h>

/* A data directory that no server may take up for now: somebody restores.
 * The next connection may start a server by its socket; that one waits, with
 * the connection, and goes on when the hold ends. */

/* is_own: as long as this process lives; else until hold_end().  ERR_CONFLICT:
 * somebody else holds it.  ERR_NOT_FOUND: it is no data directory. */
MUST_USE enum err hold_begin(const char *data_dir, bool is_own);
MUST_USE enum err hold_end(const char *data_dir);
/* Begun by this process, and by nobody before. */
bool hold_is_own(const char *data_dir);
/* Returns when nobody holds it (any more), or false when a signal says that
 * the process is to end.  Signals are blocked already. */
bool hold_wait(const char *data_dir);

#endif
