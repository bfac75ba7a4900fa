/* SPDX-License-Identifier: Apache-2.0 */
/* A whole log on its way out: walked row by row into a file of either form. */
#include "core/log/log_export.h"

#include "core/log/operation.h"
#include "core/log/request_log.h"

enum { WALK_SECONDS = 300 }; /* a second for each million rows, and more */

enum err log_walk_begin(struct ctx *c, struct tenant *t, enum log_kind kind)
{
    enum err e = kind == LOG_ACCESS ? tx_begin_access(c, t, TX_READ)
                                    : tx_begin(c, t, TX_READ);

    if (!e)
        tx_extend(c, WALK_SECONDS);
    return e;
}

enum err log_walk_end(struct ctx *c, struct tenant *t, enum log_kind kind,
                      enum err e)
{
    return kind == LOG_ACCESS ? tx_end_access(c, t, e) : tx_end(c, t, e);
}

struct export
{
    const struct log_export *what;
    struct log_file file;
    size_t written;
};

static void flush(struct export *x)
{
    struct buf *b = x->file.b;

    if (!x->what->file || !b->len)
        return;
    (void)fwrite(b->data, 1, b->len, x->what->file);
    b->len = 0;
}

static enum err visit(void *arg, const struct log_mark *before,
                      const struct log_row *row)
{
    struct export *x = arg;
    size_t max = x->what->max_bytes;

    if (before)
        log_file_begin(&x->file, before);
    else
        log_file_put(&x->file, row);
    if (max && x->file.b->len > max)
        return ERR_LIMIT;
    flush(x);
    return OK;
}

enum err log_export(struct ctx *c, struct tenant *t,
                    const struct log_export *what, struct buf *b, int64_t *rows)
{
    struct export x = {
        .what = what,
        .file = {.b = b, .kind = what->kind, .format = what->format}};
    uint8_t key[CRYPTO_KEY_BYTES];
    enum err e = log_walk_begin(c, t, what->kind);

    *rows = 0;
    if (e)
        return e;
    e = what->kind == LOG_ACCESS
            ? request_log_walk(c, what->from_us, what->to_us, visit, &x)
            : operation_walk(c, what->from_us, what->to_us, visit, &x);
    if ((e = log_walk_end(c, t, what->kind, e)))
        return e;
    log_sign_key(t, key);
    log_file_end(&x.file, tenant_id(t), c->now_us, key);
    crypto_wipe(key, sizeof key);
    flush(&x);
    *rows = x.file.count;
    return what->file && ferror(what->file) ? ERR_FULL : OK;
}
