/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the line for broken invariants.  Going on with a wrong state
 * would risk acknowledged data; stopping costs one restart, since an
 * acknowledged write is already on the disk. */
#include "base/err.h"

#include <stdlib.h>

#include "base/log.h"

void err_abort(const char *what, const char *file, int line)
{
    log_error("abort at=%s:%d what=%s", file, line, what);
    abort();
}

const char *err_name(enum err e)
{
    switch (e) {
    case OK:
        return "ok";
    case ERR_INVALID:
        return "invalid";
    case ERR_AUTH:
        return "auth";
    case ERR_DENIED:
        return "denied";
    case ERR_NOT_FOUND:
        return "not_found";
    case ERR_CONFLICT:
        return "conflict";
    case ERR_STALE:
        return "stale";
    case ERR_LIMIT:
        return "limit";
    case ERR_FULL:
        return "full";
    case ERR_BUSY:
        return "busy";
    case ERR_INTERNAL:
        return "internal";
    }
    return "unknown";
}
