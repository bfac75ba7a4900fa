/* SPDX-License-Identifier: Apache-2.0 */
#include "api/log/log_reply.h"

#include "base/civil.h"
#include "core/backup/log_break.h"
#include "core/log/log_export.h"
#include "core/log/operation.h"
#include "core/log/request_log_writer.h"

#define EXPORT_MAX ((size_t)24 << 20)

static const char *const format_words[] = {"ndjson", "csv", NULL};
static const struct field export_fields[] = {
    {CHOICE("format", format_words, REQUIRED, "形式", "Format")},
    {DAY("from", OPTIONAL, "開始日", "From")},
    {DAY("to", OPTIONAL, "終了日", "To")},
};
const struct form log_export_form = {"LogExport", export_fields,
                                     COUNT(export_fields)};

/* Midnight in Japan of a day. */
static int64_t day_us(int64_t day)
{
    return (day * 86400 - 9 * 3600) * INT64_C(1000000);
}

void log_reply_days(const struct values *v, int64_t *from_us, int64_t *to_us)
{
    *from_us = values_has(v, "from") ? day_us(values_int(v, "from", 0)) : 0;
    *to_us = values_has(v, "to") ? day_us(values_int(v, "to", 0) + 1) : 0;
}

static enum err note_export(struct call *k, const struct log_export *what)
{
    enum err e = tx_begin(k->c, k->tenant, TX_WRITE);

    if (e)
        return e;
    if (!(e = access_check(k->c, k->route->right, 0)))
        e = operation_log_export(k->c, what->kind, what->format, what->from_us,
                                 what->to_us);
    return tx_end(k->c, k->tenant, e);
}

enum err log_reply_export(struct call *k, enum log_kind kind)
{
    struct log_export what = {
        .kind = kind,
        .format = (enum log_format)values_int(k->body, "format", 0),
        .max_bytes = EXPORT_MAX};
    const char *ending = what.format == LOG_CSV ? "csv" : "ndjson";
    int64_t rows;

    log_reply_days(k->body, &what.from_us, &what.to_us);
    enum err e = note_export(k, &what);
    if (e)
        return e;
    request_log_writer_flush(k->app->access_log);
    e = log_export(k->c, k->tenant, &what, &k->reply->body, &rows);
    if (e) /* half a file is no reply */
        k->reply->body.len = 0;
    if (e == ERR_LIMIT)
        return ctx_fail(
            k->c, ERR_INVALID, "from", "export_size",
            "記録が多すぎます（上限 24 MB）。期間を短くしてください",
            "Too many records (limit 24 MB): choose a shorter time");
    if (e)
        return e;
    k->reply->type = what.format == LOG_CSV ? "text/csv; charset=utf-8"
                                            : "application/x-ndjson";
    reply_header(k->reply, "Content-Disposition",
                 arena_printf(k->c->mem,
                              "attachment; filename=\"yagura-%s-log.%s\"",
                              log_shape(kind)->name, ending));
    return OK;
}

enum err log_reply_verify(struct call *k, enum log_kind kind)
{
    struct log_proof proof;

    request_log_writer_flush(k->app->access_log);
    enum err e = log_check(k->c, k->app, k->tenant, kind, &proof);
    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_bool(&k->out, "ok", proof.broken_seq == 0);
    json_int(&k->out, "first", proof.first_seq);
    json_int(&k->out, "last", proof.last_seq);
    if (proof.broken_seq)
        json_int(&k->out, "broken_at", proof.broken_seq);
    else
        json_null(&k->out, "broken_at");
    if (proof.kept_at)
        json_int(&k->out, "kept", proof.kept_seq);
    else
        json_null(&k->out, "kept");
    json_moment(&k->out, "kept_at", proof.kept_at);
    json_close(&k->out, '}');
    return OK;
}
