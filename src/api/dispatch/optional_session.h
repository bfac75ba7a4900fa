/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_DISPATCH_OPTIONAL_SESSION_H
#define API_DISPATCH_OPTIONAL_SESSION_H

#include "api/dispatch/call.h"

/* Who reads a page that is open to everybody and says more to some. */
enum reader {
    READER_ANYONE,
    READER_TENANT, /* a master administrator, the terms accepted */
    READER_OPERATOR,
};
/* For routes without a transaction; opens its own. */
MUST_USE enum err optional_session_find(struct call *k, enum reader *out);

#endif
