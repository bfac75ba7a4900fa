/* SPDX-License-Identifier: Apache-2.0 */
/* What handlers ask of a call. */
#include "api/dispatch/call.h"

#include "base/str.h"
#include "core/account/session.h"

int64_t call_id(const struct call *k, int n)
{
    int64_t id = 0;

    if (!k->params[n] || !str_parse_int(k->params[n], 1, INT64_MAX, &id))
        return 0;
    return id;
}

void call_etag(struct call *k, int64_t version)
{
    struct buf b = buf_in(k->c->mem);

    buf_putc(&b, '"');
    buf_put_int(&b, version);
    buf_putc(&b, '"');
    k->reply->etag = b.data;
}

enum err call_read_body(struct call *k, size_t limit_bytes, const char **data,
                        size_t *len)
{
    enum err e = request_body(k->request, limit_bytes, data, len);

    if (e == ERR_BUSY)
        return ctx_fail(k->c, e, "", "slow_body",
                        "データが時間内に届きませんでした",
                        "The body did not arrive in time");
    if (e == ERR_INVALID)
        return ctx_fail(k->c, e, "", "cut_short", "データが途中で切れています",
                        "The body was cut short");
    return e;
}

int call_limit(const struct call *k)
{
    int64_t limit = k->query ? values_int(k->query, "limit", 50) : 50;

    return limit < 1 ? 1 : limit > 200 ? 200 : (int)limit;
}

enum err call_need_fresh(const struct call *k)
{
    if (k->session && k->session->is_fresh)
        return OK;
    return ctx_fail(k->c, ERR_AUTH, "", "fresh_sign_in",
                    "本人確認のため、もう一度パスワードを入力してください",
                    "Give your password again before this step");
}
