/* SPDX-License-Identifier: Apache-2.0 */
/* The file gets its name inside the transaction that adds its row: whatever
 * interrupts the two, archive_tidy() finds either a row with its file or a
 * file without a row, and removes the latter. */
#include "core/archive/archive.h"

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "core/account/user.h"
#include "core/archive/archive_write.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/mail/outbox.h"
#include "db/encrypted_file.h"
#include "db/query.h"
#include "db/room.h"

#include <string.h>

#define US_PER_DAY INT64_C(86400000000)
#define ARCHIVE_COLS                                                           \
    "id, name, user_name, made_at, expires_at, bytes, removed_at, sha256"

enum {
    ARCH_ADD,
    ARCH_LIST,
    ARCH_GET,
    ARCH_OVER,
    ARCH_OLDEST,
    ARCH_KNOWN,
    ARCH_REMOVED,
};
static const char *const archive_text[] = {
    [ARCH_ADD] = "INSERT INTO archive (name, user_id, user_name, made_at,"
                 " expires_at, bytes, sha256)"
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [ARCH_LIST] = "SELECT " ARCHIVE_COLS " FROM archive WHERE id > 0"
                  " ORDER BY id DESC LIMIT ?1",
    [ARCH_GET] = "SELECT " ARCHIVE_COLS " FROM archive WHERE id = ?1"
                 " AND removed_at IS NULL AND expires_at > ?2",
    [ARCH_OVER] = "SELECT " ARCHIVE_COLS " FROM archive WHERE removed_at IS"
                  " NULL AND expires_at <= ?1 ORDER BY expires_at LIMIT 1",
    [ARCH_OLDEST] = "SELECT " ARCHIVE_COLS " FROM archive WHERE removed_at IS"
                    " NULL ORDER BY expires_at DESC LIMIT 1 OFFSET ?1",
    [ARCH_KNOWN] = "SELECT 1 FROM archive WHERE name = ?1"
                   " AND removed_at IS NULL",
    [ARCH_REMOVED] = "UPDATE archive SET removed_at = ?2 WHERE id = ?1",
};
const struct query_set archive_queries = {"archive", archive_text,
                                          COUNT(archive_text)};

static void read_row(struct ctx *c, struct query *q, struct archive *out)
{
    size_t len;

    *out = (struct archive){
        .id = col_int(q, 0),
        .name = col_text(c, q, 1),
        .user_name = col_text(c, q, 2),
        .made_at = col_int(q, 3),
        .expires_at = col_int(q, 4),
        .bytes = col_int(q, 5),
        .removed_at = col_int(q, 6),
    };
    const void *hash = col_blob(c, q, 7, &len);
    if (len == sizeof out->sha256)
        memcpy(out->sha256, hash, len);
}

/* ---- asking and looking ---- */

static enum err check_room(struct ctx *c, const struct app *app,
                           const struct tenant *t)
{
    int64_t wanted = 3 * tenant_used_bytes(t) + (INT64_C(64) << 20);

    if (room_is_there(app->store, wanted))
        return OK;
    return ctx_fail(c, ERR_FULL, "", "disk_full",
                    "サーバーのディスクの空きが足りないため、書き出しを"
                    "始められません（必要: %lld MB）。運用者にご連絡ください",
                    "Not begun: the server's disk has no room for the export "
                    "(%lld MB are needed). Please tell the operator",
                    (long long)(wanted >> 20));
}

enum err archive_ask(struct ctx *c, const struct app *app,
                     const struct tenant *t, struct job *out)
{
    enum err e = check_room(c, app, t);

    return e ? e : job_add(c, JOB_ARCHIVE, "", 0, ARCHIVE_STEPS, out);
}

enum err archive_list(struct ctx *c, const struct archive **out, size_t *count)
{
    enum { LIST_MAX = 20 };
    struct archive *list = arena_array(c->mem, struct archive, LIST_MAX);
    struct query *q = query(c, archive_text[ARCH_LIST]);
    enum err e;

    *count = 0;
    bind_int(q, 1, LIST_MAX);
    while (query_next(c, q, &e))
        read_row(c, q, &list[(*count)++]);
    *out = list;
    return e;
}

static enum err find_one(struct ctx *c, struct query *q, struct archive *out)
{
    enum err e = query_one(c, q);

    if (!e) {
        read_row(c, q, out);
        query_done(q);
    }
    return e;
}

enum err archive_get(struct ctx *c, int64_t id, struct archive *out)
{
    struct query *q = query(c, archive_text[ARCH_GET]);

    bind_int(q, 1, id);
    bind_int(q, 2, c->now_us);
    enum err e = find_one(c, q, out);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "id", "gone",
                        "この書き出しはもうありません。もう一度作成して"
                        "ください",
                        "This export is not there any more. Please make a "
                        "new one");
    return e;
}

static enum err log_it(struct ctx *c, const char *action,
                       const struct archive *a, const char *after)
{
    return operation_log(c, &(struct operation){.action = action,
                                                .kind = "archive",
                                                .object_id = a->id,
                                                .object_name = a->name,
                                                .after = after});
}

static const char *describe(struct ctx *c, const struct archive *a,
                            const char *range)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};
    char hex[2 * CRYPTO_HASH_BYTES + 1];

    str_to_hex(a->sha256, sizeof a->sha256, hex);
    json_open(&o, NULL, '{');
    json_int(&o, "bytes", a->bytes);
    json_text(&o, "sha256", hex);
    if (range)
        json_text(&o, "range", range);
    json_close(&o, '}');
    return b.data;
}

enum err archive_note_download(struct ctx *c, const struct archive *a,
                               const char *range)
{
    return log_it(
        c, "download", a,
        describe(c, a, range ? arena_strndup(c->mem, range, 100) : NULL));
}

/* The same thing under the name that api/ knows. */
enum err archive_open(struct tenant *t, const struct archive *a,
                      struct archive_file **out)
{
    struct encrypted_file_reader *f = NULL;
    enum err e = encrypted_file_open(t, a->name, &f);

    if (!e && encrypted_file_bytes(f) != a->bytes) {
        log_error("archive: a file has another length, tenant=%s",
                  tenant_id(t));
        encrypted_file_leave(f);
        return ERR_INTERNAL;
    }
    *out = (struct archive_file *)f;
    return e;
}

enum err archive_read(struct archive_file *f, int64_t at, void *data,
                      size_t len)
{
    return encrypted_file_read((struct encrypted_file_reader *)f, at, data,
                               len);
}

void archive_leave(struct archive_file *f)
{
    encrypted_file_leave((struct encrypted_file_reader *)f);
}

/* ---- removing ---- */

static enum err remove_one(struct ctx *c, struct tenant *t,
                           const struct archive *a)
{
    enum err e = encrypted_file_remove(t, a->name);

    if (e)
        return e;
    struct query *q = query(c, archive_text[ARCH_REMOVED]);
    bind_int(q, 1, a->id);
    bind_int(q, 2, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    return log_it(c, "delete", a, NULL);
}

enum err archive_remove(struct ctx *c, struct tenant *t, int64_t id)
{
    struct archive a;
    enum err e = archive_get(c, id, &a);

    return e ? e : remove_one(c, t, &a);
}

/* As long as the statement finds one. */
static enum err remove_all(struct ctx *c, struct tenant *t, int statement,
                           int64_t value)
{
    struct archive a;
    enum err e;

    do {
        struct query *q = query(c, archive_text[statement]);
        bind_int(q, 1, value);
        if (!(e = find_one(c, q, &a)))
            e = remove_one(c, t, &a);
    } while (!e);
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err remove_unknown(struct ctx *c, struct tenant *t)
{
    const char *const *names;
    size_t count = encrypted_file_list(t, c->mem, &names);
    enum err e = OK;

    for (size_t i = 0; i < count && !e; i++) {
        struct query *q = query(c, archive_text[ARCH_KNOWN]);
        bind_text(q, 1, names[i]);
        e = query_one(c, q);
        query_done(q);
        if (e == ERR_NOT_FOUND) {
            log_warn("archive: removing one that no row names, tenant=%s",
                     tenant_id(t));
            e = encrypted_file_remove(t, names[i]);
        }
    }
    return e;
}

enum err archive_tidy(struct ctx *c, struct tenant *t)
{
    enum err e = tx_begin(c, t, TX_WRITE);

    if (e)
        return e;
    if (!(e = remove_all(c, t, ARCH_OVER, c->now_us)))
        e = remove_unknown(c, t);
    return tx_end(c, t, e);
}

/* ---- the job ---- */

struct keeping {
    struct encrypted_file *file;
    struct crypto_hash hash;
    struct worker *worker;
};

static enum err keep_part(void *arg, const void *data, size_t len)
{
    struct keeping *k = arg;

    crypto_hash_add(&k->hash, data, len);
    return encrypted_file_put(k->file, data, len);
}

static bool step(void *arg, int64_t done)
{
    return worker_step(arg, done);
}

static enum err send_letter(struct ctx *c, const struct app *app,
                            const char *subject_ja, const char *subject_en,
                            const char *text)
{
    struct user u;
    enum err e = user_get(c, c->actor->user_id, &u);

    if (e)
        return e;
    return outbox_add(
        c, app,
        &(struct outbox_mail){.address = u.email,
                              .subject = ctx_text(c, subject_ja, subject_en),
                              .text = text});
}

static enum err tell_ready(struct ctx *c, const struct app *app)
{
    const char *name = c->actor->name, *base = c->actor->base_url;
    const char *ja = arena_printf(
        c->mem,
        "%s 様\n\n全データの書き出しができました。サインインして、管理の"
        "「データの書き出し」からダウンロードしてください。\n"
        "%d日後に自動で削除します。\n\n    %s/export\n",
        name, ARCHIVE_DAYS, base);
    const char *en = arena_printf(
        c->mem,
        "Dear %s,\n\nthe export of all data is ready. Sign in and download "
        "it from Administration, Data export.\nIt is deleted after %d days."
        "\n\n    %s/export\n",
        name, ARCHIVE_DAYS, base);

    return send_letter(c, app, "【櫓】データの書き出しができました",
                       "[Yagura] Your data export is ready",
                       ctx_text(c, ja, en));
}

static enum err tell_failed(struct ctx *c, const struct app *app,
                            const char *why)
{
    const char *name = c->actor->name;
    const char *ja =
        arena_printf(c->mem,
                     "%s 様\n\n全データの書き出しができませんでした。\n\n"
                     "    %s\n\n途中のファイルは残っていません。\n",
                     name, why);
    const char *en =
        arena_printf(c->mem,
                     "Dear %s,\n\nthe export of all data could not be made."
                     "\n\n    %s\n\nNothing half done remains.\n",
                     name, why);

    return send_letter(c, app, "【櫓】データの書き出しができませんでした",
                       "[Yagura] Your data export could not be made",
                       ctx_text(c, ja, en));
}

static enum err add_row(struct ctx *c, struct archive *a)
{
    struct query *q = query(c, archive_text[ARCH_ADD]);

    bind_text(q, 1, a->name);
    bind_int(q, 2, c->actor->user_id);
    bind_text(q, 3, c->actor->name);
    bind_int(q, 4, a->made_at);
    bind_int(q, 5, a->expires_at);
    bind_int(q, 6, a->bytes);
    bind_blob(q, 7, a->sha256, sizeof a->sha256);
    enum err e = query_run(c, q);
    if (e)
        return e;
    a->id = db_last_id(c);
    return log_it(c, "create", a, describe(c, a, NULL));
}

/* The file's name, its row, and the end of the job. */
static enum err settle(struct ctx *c, const struct app *app, struct tenant *t,
                       struct encrypted_file *file, struct archive *a,
                       const struct job_order *order, const char **result)
{
    char name[ENCRYPTED_FILE_NAME_CHARS + 1] = "";
    enum err e = encrypted_file_keep(file, name);

    a->name = arena_strdup(c->mem, name);
    if (!e)
        e = add_row(c, a);
    if (!e)
        e = remove_all(c, t, ARCH_OLDEST, ARCHIVE_MAX);
    if (!e)
        e = tell_ready(c, app);
    *result =
        arena_printf(c->mem, "{\"archive_id\":\"%lld\"}", (long long)a->id);
    return e ? e
             : job_end(c, order->job.id, JOB_DONE, order->job.total, *result);
}

static enum err make(struct ctx *c, const struct app *app, struct keeping *k,
                     struct tenant *t, const struct job_order *order,
                     const char **result)
{
    struct archive_order what = {.tenant = t,
                                 .sink = keep_part,
                                 .sink_arg = k,
                                 .step = step,
                                 .step_arg = k->worker};
    struct archive a = {.made_at = c->now_us,
                        .expires_at = c->now_us + ARCHIVE_DAYS * US_PER_DAY};
    struct archive_totals totals;
    enum err e = archive_write(c, &what, &totals);

    if (!e)
        e = encrypted_file_finish(k->file, &a.bytes);
    if (e)
        return e;
    crypto_hash_end(&k->hash, a.sha256);
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    e = tx_end(c, t, settle(c, app, t, k->file, &a, order, result));
    if (e && a.name && *a.name && encrypted_file_remove(t, a.name))
        log_warn("archive: a file is left for the daily round, tenant=%s",
                 tenant_id(t));
    return e;
}

static const char *as_result(struct ctx *c, const char *message)
{
    struct buf b = buf_in(c->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "message", message);
    json_close(&o, '}');
    return b.data;
}

static void report(struct ctx *c, const struct app *app, struct tenant *t,
                   const char **result)
{
    const char *why =
        c->fail ? c->fail->message
                : ctx_text(c, "サーバー側の問題で作成できませんでした",
                           "The server could not make it");

    *result = as_result(c, why);
    if (tx_begin(c, t, TX_WRITE) || tx_end(c, t, tell_failed(c, app, why)))
        log_warn("archive: nobody was told, tenant=%s", tenant_id(t));
}

enum err archive_run(struct ctx *c, const struct app *app, struct worker *w,
                     struct tenant *t, const struct job_order *order,
                     const char **result)
{
    struct keeping k = {.worker = w};

    if (!c->actor->is_admin)
        return ERR_DENIED;
    crypto_hash_begin(&k.hash);
    enum err e = encrypted_file_create(t, &k.file);
    if (!e)
        e = make(c, app, &k, t, order, result);
    encrypted_file_close(k.file);
    if (e && e != ERR_CONFLICT) /* which is: somebody stopped it */
        report(c, app, t, result);
    return e;
}

/* ---- the command line ---- */

struct passing {
    zip_sink_fn *sink;
    void *arg;
    struct crypto_hash hash;
};

static enum err pass_on(void *arg, const void *data, size_t len)
{
    struct passing *p = arg;

    crypto_hash_add(&p->hash, data, len);
    return p->sink(p->arg, data, len);
}

static bool go_on(void *arg, int64_t done)
{
    const struct app *app = arg;

    (void)done;
    return !app->is_stopping;
}

enum err archive_export(struct ctx *c, struct app *app, struct tenant *t,
                        zip_sink_fn *sink, void *arg, int64_t *bytes)
{
    struct passing p = {.sink = sink, .arg = arg};
    struct archive_order what = {.tenant = t,
                                 .sink = pass_on,
                                 .sink_arg = &p,
                                 .step = go_on,
                                 .step_arg = app};
    struct archive a = {.name = "command line"};
    struct archive_totals totals;

    crypto_hash_begin(&p.hash);
    enum err e = archive_write(c, &what, &totals);
    if (e)
        return e;
    crypto_hash_end(&p.hash, a.sha256);
    a.bytes = *bytes = totals.bytes;
    if ((e = tx_begin(c, t, TX_WRITE)))
        return e;
    return tx_end(c, t, log_it(c, "export", &a, describe(c, &a, NULL)));
}
