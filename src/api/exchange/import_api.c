/* SPDX-License-Identifier: Apache-2.0 */
/* A plan from a file: CSV or MS Project XML, tried first or written at once.
 * The file is read outside any transaction, in an arena of its own, since it
 * may be far larger than other requests. */
#include "api/dispatch/problem.h"
#include "api/dispatch/routes.h"
#include "core/exchange/import.h"
#include "core/exchange/plan_export.h"
#include "core/tenant/quota.h"
#include "core/work/project.h"

#include <stdatomic.h>

enum {
    FILE_MAX_BYTES = 32 << 20,
    ARENA_MAX = 1 << 30,
    TX_SECONDS = 60,
    AT_ONCE = 2 /* files in memory */
};
static atomic_int in_hand;

static const char *const format_words[] = {"csv", "mspdi", NULL};
static const char *const encoding_words[] = {"auto", "utf-8", "cp932", NULL};

static const struct field import_fields[] = {
    {CHOICE("format", format_words, REQUIRED, "形式", "Format")},
    {CHOICE("encoding", encoding_words, OPTIONAL, "文字コード", "Encoding")},
    {BOOL("dry", OPTIONAL, "試行", "Dry run")},
};
static const struct form import_form = {"ImportQuery", import_fields,
                                        COUNT(import_fields)};

static enum err fail_busy(struct ctx *c)
{
    return ctx_fail(c, ERR_BUSY, "", "busy",
                    "ほかの取り込みか書き出しが実行中です。少し待ってから"
                    "やり直してください",
                    "Other files are being imported or exported; try again"
                    " in a moment");
}

static void close_arena(void *arg)
{
    arena_close(arg);
    atomic_fetch_sub(&in_hand, 1);
}

static enum err read_file(struct call *k, struct ctx *c, struct plan_file *file,
                          struct plan_error *error)
{
    const char *data;
    size_t len;
    enum err e = call_read_body(k, FILE_MAX_BYTES, &data, &len);

    if (e == ERR_LIMIT)
        return ctx_fail(k->c, e, "", "file_size",
                        "ファイルが大きすぎます（上限 32 MB）",
                        "The file is larger than 32 MB");
    if (e)
        return e;
    if (values_int(k->query, "format", 0) == 1)
        return mspdi_read(c, data, len, file, error);
    return plan_csv_read(
        c, data, len,
        (enum plan_encoding)values_int(k->query, "encoding", PLAN_AUTO), file,
        error);
}

static enum err import_file(struct call *k, struct ctx *c, bool dry,
                            struct plan_file *file,
                            struct import_report *report)
{
    enum err e = tx_begin(c, k->tenant, TX_WRITE);

    if (e)
        return e;
    tx_extend(c, TX_SECONDS);
    e = access_check(c, k->route->right, call_id(k, 0));
    if (!e)
        e = import_plan(c, call_id(k, 0), file, dry, report);
    if (!e && !dry)
        e = quota_check_written(c, k->app);
    return tx_end(c, k->tenant, e);
}

static enum err post_import(struct call *k)
{
    struct ctx big = *k->c;
    struct plan_file file = {.count = 0};
    struct plan_error error = {.line = 0};
    struct import_report report = {.file = &file};
    bool dry = values_bool(k->query, "dry", false);

    if (atomic_fetch_add(&in_hand, 1) >= AT_ONCE) {
        atomic_fetch_sub(&in_hand, 1);
        return fail_busy(k->c);
    }
    big.mem = arena_open(ARENA_MAX);
    arena_defer(k->c->mem, close_arena, big.mem);
    enum err e = read_file(k, &big, &file, &error);
    if (e && k->c->fail)
        return e;
    if (e) {
        report.errors = &error;
        report.error_count = 1;
        report.errors_total = 1;
    } else {
        e = import_file(k, &big, dry, &file, &report);
    }
    if (e && report.error_count == 0) {
        k->c->fail = big.fail;
        return e;
    }
    k->reply->status = e ? 422 : 200;
    json_open(&k->out, NULL, '{');
    if (e)
        problem_head(k->c, &k->out, k->reply);
    import_write_report(&k->out, k->c, dry, &report);
    json_close(&k->out, '}');
    return OK;
}

static enum err get_sample(struct call *k)
{
    k->reply->type = "text/csv; charset=utf-8";
    reply_header(k->reply, "Content-Disposition",
                 "attachment; filename=\"yagura-sample.csv\"");
    plan_csv_sample(&k->reply->body, k->c->actor->lang);
    return OK;
}

static const struct field export_fields[] = {
    {CHOICE("encoding", encoding_words, OPTIONAL, "文字コード", "Encoding")},
};
static const struct form export_form = {"ExportQuery", export_fields,
                                        COUNT(export_fields)};

static enum err get_export(struct call *k)
{
    struct ctx big = *k->c;
    struct project project;
    enum err e = project_get_plain(k->c, call_id(k, 0), &project);

    if (e)
        return e;
    if (atomic_fetch_add(&in_hand, 1) >= AT_ONCE) {
        atomic_fetch_sub(&in_hand, 1);
        return fail_busy(k->c);
    }
    big.mem = arena_open(ARENA_MAX);
    arena_defer(k->c->mem, close_arena, big.mem);
    k->reply->body = buf_in(big.mem);
    e = plan_export(
        &big, call_id(k, 0),
        (enum plan_encoding)values_int(k->query, "encoding", PLAN_AUTO),
        &k->reply->body);
    k->c->fail = big.fail;
    if (e)
        return e;
    k->reply->type = values_int(k->query, "encoding", PLAN_AUTO) == PLAN_CP932
                         ? "text/csv; charset=Shift_JIS"
                         : "text/csv; charset=utf-8";
    reply_header(k->reply, "Content-Disposition",
                 arena_printf(k->c->mem,
                              "attachment; filename=\"%s-tickets.csv\"",
                              project.key));
    return OK;
}

static const struct route routes[] = {
    {POST("/projects/:id/imports", post_import, RIGHT_PROJECT_TICKET_ADD,
          "Bring a plan in from a file", .query = &import_form,
          .flags = ROUTE_NO_TX | ROUTE_RAW | ROUTE_SUPPORT)},
    {GET("/projects/:id/export.csv", get_export, RIGHT_PROJECT_TICKET_VIEW,
         "Its tickets as CSV, as an import reads it", .query = &export_form,
         .flags = ROUTE_TERMS)},
    {GET("/imports/sample", get_sample, RIGHT_SIGNED_IN,
         "A sample CSV file in the reader's language")},
};
const struct route_set import_routes = {routes, COUNT(routes), SET_TOKENS};
