/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/bearer.h"

#include "base/str.h"

#include <string.h>

const char *bearer_header(const struct request *r)
{
    return request_header(r, "Authorization");
}

enum err bearer_find(struct ctx *c, const struct app *app,
                     const struct request *r, struct token *out)
{
    static const char scheme[] = "Bearer ";
    const char *header = bearer_header(r);

    return token_find(
        c, app, str_starts(header, scheme) ? header + strlen(scheme) : "", out);
}

static enum err beyond(struct ctx *c)
{
    return ctx_fail(c, ERR_DENIED, "", "token_scope",
                    "このトークンではできない操作です",
                    "This token may not do this");
}

enum err bearer_check(const struct call *k, const struct token *t,
                      bool is_reading)
{
    const struct route *r = k->route;

    if (!(k->set->flags & SET_TOKENS) || r->right == RIGHT_HALF ||
        (r->flags & ROUTE_FRESH))
        return beyond(k->c);
    if (!is_reading && !t->may_write)
        return beyond(k->c);
    if (t->is_limited && r->right < RIGHT_PROGRAM_VIEW &&
        !(r->flags & ROUTE_NARROW))
        return beyond(k->c);
    return OK;
}
