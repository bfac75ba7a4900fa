/* SPDX-License-Identifier: Apache-2.0 */
/* Why a request was refused.  The list is short by design: a body of bad rows
 * must not become a reply a hundred times its size. */
#include "base/ctx.h"

#include <stdarg.h>

#include "base/log.h"

#define CTX_FAILURES_MAX 100

const char *const lang_words[] = {"ja", "en", NULL};

const char *ctx_text(const struct ctx *c, const char *ja, const char *en)
{
    return c->actor->lang == LANG_EN ? en : ja;
}

/* Where a new failure belongs, or NULL when it is not to be recorded. */
static struct failure **find_place(struct ctx *c, enum err e)
{
    if (!c->fail)
        return &c->fail;
    if (e != ERR_INVALID || c->fail->err != ERR_INVALID)
        return NULL;
    struct failure **at = &c->fail;
    for (int n = 0; *at; n++) {
        if (n == CTX_FAILURES_MAX - 1)
            return NULL;
        at = &(*at)->next;
    }
    return at;
}

void ctx_record(struct ctx *c, enum err e, const char *field, const char *rule,
                const char *ja, const char *en, ...)
{
    struct failure **at = find_place(c, e);
    if (!at)
        return;
    struct failure *f = arena_new(c->mem, struct failure);
    f->err = e;
    f->field = arena_strdup(c->mem, field);
    f->rule = arena_strdup(c->mem, rule);
    va_list args;
    va_start(args, en);
    if (c->actor->lang == LANG_EN)
        f->message = arena_vprintf(c->mem, en, args);
    else
        f->message = arena_vprintf(c->mem, ja, args);
    va_end(args);
    *at = f;
    if (e == ERR_INTERNAL)
        log_error("internal request=%s field=%s rule=%s message=%s",
                  c->actor->request_id ? c->actor->request_id : "-",
                  field ? field : "-", rule ? rule : "-", f->message);
}

void ctx_fail_detail(struct ctx *c, const char *members_json)
{
    if (c->fail)
        c->fail->detail_json = arena_strdup(c->mem, members_json);
}

enum err ctx_stale(struct ctx *c)
{
    return ctx_fail(c, ERR_STALE, "version", "stale",
                    "ほかの人が先に変更しました。最新の内容を確認してください",
                    "Somebody changed this meanwhile; look at it again");
}
