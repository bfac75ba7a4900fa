/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_READER_H
#define API_READER_H

#include "api/api.h"

/* Who reads a page that is open to everybody and says more to some. */
enum reader {
    READER_ANYONE,
    READER_TENANT, /* a master administrator, the terms accepted */
    READER_OPERATOR,
};
/* For routes without a transaction; opens its own. */
MUST_USE enum err reader_find(struct call *k, enum reader *out);

#endif
