/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_REGISTER_AUDIT_REQUEST_H
#define CORE_REGISTER_AUDIT_REQUEST_H

#include "core/desk/support_request.h"

enum { AUDIT_REQUESTS_MAX = 100 };
struct audit_requests {
    size_t count;
    struct support_request items[AUDIT_REQUESTS_MAX];
};

/* In a write transaction on the tenant's file: every request for an audit
 * report that is not closed is answered by the title of the one that was
 * released, and closed; nothing is due on it any more.  Afterwards control.db
 * is to be told of each (helpdesk_tell). */
MUST_USE enum err audit_request_close(struct ctx *c, const struct app *app,
                                      const struct support_request_side *by,
                                      const char *title,
                                      struct audit_requests *out);

#endif
