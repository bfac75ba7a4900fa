/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/problem.h"

#include "base/log.h"
#include "base/str.h"

#include <string.h>

static const struct {
    int status;
    const char *ja, *en;
} titles[] = {
    [OK] = {500, "内部エラー", "Internal error"},
    [ERR_INVALID] = {422, "入力内容に誤りがあります", "The input is not valid"},
    [ERR_AUTH] = {401, "サインインが必要です", "Sign-in needed"},
    [ERR_DENIED] = {403, "権限がありません", "Not allowed"},
    [ERR_NOT_FOUND] = {404, "見つかりません", "Not found"},
    [ERR_CONFLICT] = {409, "いまは実行できません", "Not possible now"},
    [ERR_STALE] = {412, "ほかの人が先に変更しました",
                   "Somebody changed it meanwhile"},
    [ERR_LIMIT] = {413, "上限を超えています", "Beyond the limit"},
    [ERR_FULL] = {507, "保存する空き容量がありません", "No space left to save"},
    [ERR_BUSY] = {503, "混み合っています", "Busy"},
    [ERR_INTERNAL] = {500, "内部エラー", "Internal error"},
};

static const struct {
    const char *rule;
    int status;
} by_rule[] = {
    {"json", 400},      {"unknown_field", 400}, {"cut_short", 400},
    {"slow_body", 408}, {"content_type", 415},  {"throttled", 429},
    {"stopped", 429},   {"sends", 429},         {"tenant_requests", 429},
    {"if_match", 428},  {"method", 405},        {"host", 421},
    {"csrf", 403},
};

int problem_status(const struct ctx *c, enum err e)
{
    for (size_t i = 0; c->fail && i < COUNT(by_rule); i++)
        if (strcmp(by_rule[i].rule, c->fail->rule) == 0)
            return by_rule[i].status;
    return titles[e].status;
}

/* Of statuses that no err has for its own. */
static const struct {
    int status;
    const char *ja, *en;
} by_status[] = {
    {400, "リクエストを読めません", "The request cannot be read"},
    {405, "このメソッドは使えません", "The method is not allowed"},
    {408, "時間内に届きませんでした", "It did not arrive in time"},
    {415, "この形式は受け付けません", "The format is not supported"},
    {421, "このホスト名では提供していません",
     "Not served under this host name"},
    {428, "版番号が必要です", "A version is needed"},
    {429, "試行回数が多すぎます", "Too many tries"},
};

static const char *title_of(const struct ctx *c, enum err e, int status)
{
    for (size_t i = 0; i < COUNT(by_status); i++)
        if (by_status[i].status == status)
            return ctx_text(c, by_status[i].ja, by_status[i].en);
    return ctx_text(c, titles[e].ja, titles[e].en);
}

void problem_head(const struct ctx *c, struct json_out *o, struct reply *out)
{
    out->type = "application/problem+json";
    json_text(o, "type", "about:blank");
    json_text(o, "title", title_of(c, ERR_INVALID, out->status));
    json_int(o, "status", out->status);
    json_text(o, "request_id", c->actor->request_id);
}

static void write_errors(struct json_out *o, const struct failure *f)
{
    json_open(o, "errors", '[');
    for (; f; f = f->next) {
        json_open(o, NULL, '{');
        json_text(o, "field", f->field);
        json_text(o, "rule", f->rule);
        json_text(o, "message", f->message);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void retry_after(struct ctx *c, int status, struct reply *out)
{
    const char *detail = c->fail ? c->fail->detail_json : NULL;
    const char *at = detail ? strstr(detail, "\"retry_after\":") : NULL;
    bool is_stopped = c->fail && str_equal(c->fail->rule, "stopped");

    if (at)
        reply_header(out, "Retry-After", at + strlen("\"retry_after\":"));
    else if (status == 503 || (status == 429 && !is_stopped))
        reply_header(out, "Retry-After", "1");
}

void problem_write(struct ctx *c, enum err e, struct reply *out)
{
    struct json_out o = {.b = &out->body};
    const char *detail = c->fail ? c->fail->detail_json : NULL;

    out->status = problem_status(c, e);
    out->type = "application/problem+json";
    out->etag = NULL;
    out->cache = NULL;
    out->body.len = 0;
    if (e == ERR_INTERNAL)
        log_error("internal error request=%s", c->actor->request_id);
    json_open(&o, NULL, '{');
    json_text(&o, "type", "about:blank");
    json_text(&o, "title", title_of(c, e, out->status));
    json_int(&o, "status", out->status);
    if (!c->fail) /* a fault of the server's: no field is wrong */
        (void)ctx_fail(c, e, "", err_name(e), "%s", "%s",
                       ctx_text(c, titles[e].ja, titles[e].en));
    write_errors(&o, c->fail);
    json_text(&o, "request_id", c->actor->request_id);
    if (detail) {
        buf_puts(&out->body, ",");
        buf_puts(&out->body, detail);
    }
    json_close(&o, '}');
    retry_after(c, out->status, out);
}
