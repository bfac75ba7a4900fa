/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_DISPATCH_VISITOR_H
#define API_DISPATCH_VISITOR_H

#include "api/dispatch/call.h"
#include "core/account/session.h"
#include "core/account/token.h"

/* Who a request comes from.  The cookie of a session or the header of a token;
 * neither is no error: a visitor without a name. */
struct visitor {
    struct actor actor;
    struct session session;
    struct token token;
    bool has_session, has_token;
};

/* What the client says it reads (Accept-Language); false when it says nothing
 * of ours, then out is untouched. */
bool visitor_lang(const struct request *r, enum lang *out);
/* Fills v and k->session, within a transaction of k->tenant.  A header
 * Authorization is judged alone, cookies are not read beside it; at the
 * operator's place there are no tokens.  A cookie that is no session's is
 * nobody; a token that is none fails. */
MUST_USE enum err visitor_find(struct ctx *c, struct call *k,
                               struct visitor *v);
/* ERR_AUTH unless there is a session that is far enough for the right:
 * "session", "code_required", "locked". */
MUST_USE enum err visitor_need_session(struct ctx *c, const struct visitor *v,
                                       enum right right);
/* Marks session or token as used, at most once a minute, in a transaction of
 * its own; a failure is logged and no more. */
void visitor_touch(struct call *k, const struct visitor *v);

#endif
