/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

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
