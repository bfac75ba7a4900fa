/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_DISPATCH_BEARER_H
#define API_DISPATCH_BEARER_H

#include "api/dispatch/call.h"
#include "core/account/token.h"

/* "Authorization: Bearer ygr_…": what a request by token may call.  A request
 * that brings the header is judged by it alone, its cookies are not read. */

/* The header's value as it came; NULL: none. */
const char *bearer_header(const struct request *r);
MUST_USE enum err bearer_find(struct ctx *c, const struct app *app,
                              const struct request *r, struct token *out);
/* ERR_DENIED "token_scope": a change by a token that reads, something beyond
 * the projects of one that is limited, the account, a sensitive step. */
MUST_USE enum err bearer_check(const struct call *k, const struct token *t,
                               bool is_reading);

#endif
