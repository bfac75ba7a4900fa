/* SPDX-License-Identifier: Apache-2.0 */
/* A generation against its manifest: every file there, as it was written, and
 * sound.  When somebody asks, and the newest once a week: a file that nobody
 * writes to is one file in all generations, read again by none of their runs. */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "core/backup/backup_keep.h"
#include "core/backup/backup_work.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/mail/operator_mail.h"
#include "core/tenant/tenant_directory.h"
#include "db/query.h"

#include <stdlib.h>
#include <string.h>

#define US_PER_HOUR INT64_C(3600000000)
enum { STEP_MS = 500, BAD_MAX = 4000, KEPT = 100, WEEK_HOURS = 7 * 24 };
enum {
    CHECK_LIST,
    CHECK_BUSY,
    CHECK_ADD,
    CHECK_FORGET,
    CHECK_BROKEN,
    CHECK_DUE,
    CHECK_NEXT,
    CHECK_STEP,
    CHECK_END
};
static const char *const check_text[] = {
    [CHECK_LIST] = "SELECT id, date, state, asked_by, asked_at, ended_at, done,"
                   " total, reason_ja, reason_en FROM backup_check"
                   " ORDER BY id DESC LIMIT ?1",
    [CHECK_BUSY] = "SELECT 1 FROM backup_check WHERE state < 2",
    [CHECK_ADD] = "INSERT INTO backup_check (date, state, asked_by, asked_at)"
                  " VALUES (?1, 0, ?2, ?3)",
    [CHECK_FORGET] = "DELETE FROM backup_check WHERE id <= ?1",
    [CHECK_BROKEN] = "UPDATE backup_check SET state = 3, ended_at = ?1,"
                     " reason_ja = ?2, reason_en = ?3 WHERE state = 1"
                     " AND state < 2",
    /* one that was broken off does not count, but is not begun again at once */
    [CHECK_DUE] =
        "SELECT max(coalesce((SELECT max(ended_at) FROM backup_check"
        " WHERE state > 1 AND done = total AND ended_at <= ?1),"
        " (SELECT min(asked_at) FROM backup_run), ?1) + ?2,"
        " coalesce((SELECT max(asked_at) FROM backup_check"
        " WHERE asked_at <= ?1), 0) + ?3) <= ?1"
        " AND NOT EXISTS (SELECT 1 FROM backup_check WHERE state < 2)",
    [CHECK_NEXT] = "SELECT id, date, asked_by FROM backup_check"
                   " WHERE state = 0 AND state < 2 ORDER BY id LIMIT 1",
    [CHECK_STEP] = "UPDATE backup_check SET state = 1, done = ?2, total = ?3"
                   " WHERE id = ?1",
    [CHECK_END] =
        "UPDATE backup_check SET state = ?2, ended_at = ?3, done = ?4,"
        " total = ?5, reason_ja = ?6, reason_en = ?7 WHERE id = ?1",
};
const struct query_set backup_check_queries = {"backup_check", check_text,
                                               COUNT(check_text)};

const char *backup_manifest_text(const struct json *o, const char *name)
{
    const struct json *j = json_get(o, name);

    return j && j->text ? j->text : "";
}

enum err backup_read_manifest(struct ctx *c, const struct app *app,
                              const char *name, const struct json **files)
{
    const char *text = NULL;

    if (!generation_is_name(name))
        return ctx_fail(c, ERR_NOT_FOUND, "date", "generation",
                        "その日のバックアップはありません",
                        "There is no backup of that day");
    enum err e = generation_read_manifest(app->store, name, c->mem, &text);
    if (e == ERR_NOT_FOUND)
        return ctx_fail(c, e, "date", "generation",
                        "その日のバックアップはありません",
                        "There is no backup of that day");
    if (e)
        return e;
    const struct json *root = json_parse_own(c->mem, text, strlen(text));
    *files = json_get(root, "files");
    if (!*files)
        return ctx_fail(c, ERR_INTERNAL, "manifest.json", "broken",
                        "目録が壊れています", "The manifest is broken");
    return OK;
}

/* Of a tenant that is being deleted, or was. */
bool backup_is_deleted(struct ctx *c, const struct app *app, const char *id)
{
    struct tenant_directory_row row;

    return tenant_directory_get(c, app->store, id, &row) == OK &&
           row.state == TENANT_DIRECTORY_CLOSED;
}

/* ---- looking ---- */

struct check {
    struct ctx *c;
    const struct app *app;
    const char *name;
    struct buf ja, en; /* a line for each file that does not fit */
    struct buf bad;    /* ids of whom they are */
    size_t said;
    int64_t id; /* of its row; 0: none */
    int64_t done, total, noted_ms;
};

static void say(struct check *k, const char *file, const char *ja,
                const char *en)
{
    k->said++;
    if (k->en.len > BAD_MAX)
        return; /* so many say it all */
    buf_printf(&k->ja, "%s: %s\n", file, ja);
    buf_printf(&k->en, "%s: %s\n", file, en);
}

static void look_inside(struct check *k, const struct json *f, const char *file)
{
    struct arena *mem = k->c->mem;
    const char *wanted = backup_manifest_text(f, "rows");
    struct generation_found found;
    enum err e = generation_check(k->app->store, k->name,
                                  backup_manifest_text(f, "tenant"),
                                  backup_manifest_text(f, "suffix"), &found);

    if (e) {
        struct backup_reason why = backup_reason_of_fault(e, &found);
        say(k, file, arena_printf(mem, "開けません（%s）", why.ja),
            arena_printf(mem, "does not open (%s)", why.en));
    } else if (found.rows != strtoll(wanted, NULL, 10)) {
        say(k, file,
            arena_printf(mem, "%lld 行あります（目録では %s 行）",
                         (long long)found.rows, wanted),
            arena_printf(mem, "%lld rows, not %s", (long long)found.rows,
                         wanted));
    }
}

/* Each page of a file is signed: one that is sound and as long as it was is not
 * altered, but then it is not the file of which manifest.json speaks. */
static void say_changed(struct check *k, const struct json *f, const char *file,
                        int64_t bytes)
{
    struct generation_found found;

    if (strtoll(backup_manifest_text(f, "bytes"), NULL, 10) != bytes ||
        generation_check(k->app->store, k->name,
                         backup_manifest_text(f, "tenant"),
                         backup_manifest_text(f, "suffix"), &found))
        say(k, file, "書いたときと違います（SHA-256）",
            "not as it was written (SHA-256)");
    else
        say(k, file,
            "ファイルは壊れていませんが、目録 manifest.json の SHA-256 と"
            "違います（目録が変えられたか、ほかのファイルです）",
            "the file is sound, but manifest.json has another SHA-256 for it: "
            "the manifest was changed, or it is another file");
}

static void look_at(struct check *k, const struct json *f)
{
    const char *id = backup_manifest_text(f, "tenant");
    const char *file =
        arena_printf(k->c->mem, "%s%s", id, backup_manifest_text(f, "suffix"));
    uint8_t hash[32];
    char hex[65] = "";
    int64_t bytes;

    if (strcmp(id, GENERATION_CONTROL) != 0 && !tenant_is_id(id)) {
        say(k, file, "バックアップのファイル名ではありません", "no such file");
        return;
    }
    enum err e = generation_hash(k->app->store, k->name, file, hash, &bytes);
    if (!e)
        str_to_hex(hash, sizeof hash, hex);
    bool is_deleted = backup_is_deleted(k->c, k->app, id);
    if (e == ERR_NOT_FOUND && is_deleted)
        return; /* it had its time */
    if (e) {
        struct backup_reason why = backup_reason_of(e);
        say(k, file, why.ja, why.en);
    } else if (strcmp(hex, backup_manifest_text(f, "sha256")) != 0) {
        say_changed(k, f, file, bytes);
    } else if (!is_deleted) { /* nobody opens it again, its certificate says */
        look_inside(k, f, file);
    }
}

static enum err note_step(struct check *k)
{
    struct ctx *c = k->c;

    k->noted_ms = clock_monotonic_ms();
    if (!k->id)
        return OK;
    enum err e = tx_begin_control(c, k->app->store, TX_WRITE);
    if (e)
        return e;
    struct query *q = query(c, check_text[CHECK_STEP]);
    bind_int(q, 1, k->id);
    bind_int(q, 2, k->done);
    bind_int(q, 3, k->total);
    return tx_end_control(c, k->app->store, query_run(c, q));
}

/* Every file, and what it says of the tenants' copies. */
static enum err look_through(struct check *k)
{
    const struct json *list = NULL;
    enum err e = backup_read_manifest(k->c, k->app, k->name, &list);

    for (const struct json *f = e ? NULL : list->child; f; f = f->next)
        k->total++;
    if (!e)
        e = note_step(k);
    for (const struct json *f = e ? NULL : list->child; f && !e; f = f->next) {
        size_t said = k->said;
        if (k->app->is_stopping)
            return ERR_BUSY;
        look_at(k, f);
        if (k->said > said) {
            const char *id =
                arena_strdup(k->c->mem, backup_manifest_text(f, "tenant"));
            buf_put(&k->bad, &id, sizeof id);
        }
        k->done++;
        if (clock_monotonic_ms() - k->noted_ms >= STEP_MS)
            e = note_step(k);
    }
    return e ? e
             : backup_note_damage(k->c, k->app, k->name,
                                  (const void *)k->bad.data,
                                  k->bad.len / sizeof(const char *));
}

enum err backup_verify(struct ctx *c, const struct app *app, const char *name,
                       struct buf *bad, size_t *files)
{
    struct check k = {.c = c,
                      .app = app,
                      .name = name,
                      .ja = buf_in(c->mem),
                      .en = buf_in(c->mem),
                      .bad = buf_in(c->mem)};

    backup_hold();
    enum err e = look_through(&k);
    backup_let();
    *files = (size_t)k.done;
    if (k.en.len)
        buf_puts(bad, ctx_text(c, k.ja.data, k.en.data));
    return e;
}

/* ---- when it is asked for ---- */

static enum err is_busy(struct ctx *c, bool *out)
{
    struct query *q = query(c, check_text[CHECK_BUSY]);
    enum err e = query_one(c, q);

    *out = !e;
    query_done(q);
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err add(struct ctx *c, const char *name, int64_t *id)
{
    bool busy;
    enum err e = is_busy(c, &busy);

    if (!e && busy)
        return ctx_fail(c, ERR_CONFLICT, "", "busy", "検査はすでに実行中です",
                        "A check is running already");
    if (e)
        return e;
    struct query *q = query(c, check_text[CHECK_ADD]);
    bind_text(q, 1, name);
    bind_text(q, 2, c->actor->name[0] ? c->actor->name : NULL);
    bind_int(q, 3, c->now_us);
    if ((e = query_run(c, q)))
        return e;
    *id = db_last_id(c);
    q = query(c, check_text[CHECK_FORGET]);
    bind_int(q, 1, *id - KEPT);
    if ((e = query_run(c, q)))
        return e;
    return operation_log(c, &(struct operation){.action = "verify",
                                                .kind = "backup",
                                                .object_id = *id,
                                                .object_name = name});
}

enum err backup_check_ask(struct ctx *c, const struct app *app,
                          const char *name, int64_t *id)
{
    const struct json *list;
    enum err e = backup_read_manifest(c, app, name, &list);

    if (e || (e = tx_begin_control(c, app->store, TX_WRITE)))
        return e;
    return tx_end_control(c, app->store, add(c, name, id));
}

enum err backup_check_list(struct ctx *c, const struct backup_check **out,
                           size_t *count)
{
    struct backup_check *list =
        arena_array(c->mem, struct backup_check, BACKUP_CHECKS);
    struct query *q = query(c, check_text[CHECK_LIST]);
    enum err e;

    *count = 0;
    bind_int(q, 1, BACKUP_CHECKS);
    while (query_next(c, q, &e))
        list[(*count)++] = (struct backup_check){
            .id = col_int(q, 0),
            .date = col_text(c, q, 1),
            .state = (enum backup_state)(col_int(q, 2) & 3),
            .asked_by = col_text(c, q, 3),
            .asked_at = col_int(q, 4),
            .ended_at = col_int(q, 5),
            .done = col_int(q, 6),
            .total = col_int(q, 7),
            .why = {col_text(c, q, 8), col_text(c, q, 9)},
        };
    *out = list;
    return e;
}

/* Asks for the newest when it is time to. */
static enum err ask_weekly(struct ctx *c, const struct app *app)
{
    const char *const *names;
    int64_t id;
    struct query *q = query(c, check_text[CHECK_DUE]);

    bind_int(q, 1, c->now_us);
    bind_int(q, 2, WEEK_HOURS * US_PER_HOUR);
    bind_int(q, 3, US_PER_HOUR);
    enum err e = query_one(c, q);
    if (e)
        return e;
    bool is_due = col_int(q, 0) != 0;
    query_done(q);
    if (!is_due || !generation_list(app->store, c->mem, &names))
        return OK;
    return add(c, names[0], &id);
}

/* The next that is asked for; what a stop has broken off ends. */
static enum err find_asked(struct ctx *c, struct check *k, struct actor *who)
{
    struct query *q = query(c, check_text[CHECK_BROKEN]);

    bind_int(q, 1, c->now_us);
    bind_text(q, 2, BACKUP_STOPPED_JA);
    bind_text(q, 3, BACKUP_STOPPED_EN);
    enum err e = query_run(c, q);
    if (e)
        return e;
    if ((e = ask_weekly(c, k->app)))
        return e;
    q = query(c, check_text[CHECK_NEXT]);
    if ((e = query_one(c, q)))
        return e;
    k->id = col_int(q, 0);
    k->name = col_text(c, q, 1);
    const char *asked_by = col_text(c, q, 2);
    who->name = asked_by ? asked_by : "";
    query_done(q);
    return OK;
}

/* Whoever asked sees it on the screen; the others, and all of a week's check,
 * only by this. */
static enum err tell_damage(struct ctx *c, const struct check *k)
{
    enum err e = operator_mail_all(
        c, k->app,
        &(struct operator_news){
            .subject_ja = "バックアップの検査で問題が見つかりました",
            .subject_en = "A check found damage in a backup",
            .ja = arena_printf(
                c->mem,
                "世代 %s の検査で、次のファイルが目録と合いませんでした。"
                "\n\n%s\nディスクを確認し、運用者コンソールの「バックアップ」"
                "で新しい世代を作って検査してください。",
                k->name, k->ja.data),
            .en = arena_printf(
                c->mem,
                "In the generation %s these files do not fit its manifest."
                "\n\n%s\nPlease look at the disk, then make and check a new "
                "generation under Backups in the operator's console.",
                k->name, k->en.data),
        });

    log_error("backup damaged name=%s", k->name);
    return e == ERR_NOT_FOUND ? OK : e;
}

static enum err write_end(struct ctx *c, struct check *k)
{
    struct buf after = buf_in(c->mem);
    struct json_out o = {.b = &after};
    struct query *q = query(c, check_text[CHECK_END]);

    bind_int(q, 1, k->id);
    bind_int(q, 2, k->en.len ? BACKUP_FAILED : BACKUP_GOOD);
    bind_int(q, 3, c->now_us);
    bind_int(q, 4, k->done);
    bind_int(q, 5, k->total);
    bind_text(q, 6, k->en.len ? k->ja.data : NULL);
    bind_text(q, 7, k->en.len ? k->en.data : NULL);
    enum err e = query_run(c, q);
    if (e)
        return e;
    if (k->en.len && k->done == k->total && (e = tell_damage(c, k)))
        return e;
    json_open(&o, NULL, '{');
    json_text(&o, "state",
              backup_state_words[k->en.len ? BACKUP_FAILED : BACKUP_GOOD]);
    json_int(&o, "files", k->done);
    json_text(&o, "reason", k->en.len ? k->en.data : NULL);
    json_close(&o, '}');
    return operation_log(c, &(struct operation){.action = "verify",
                                                .kind = "backup",
                                                .object_id = k->id,
                                                .object_name = k->name,
                                                .after = after.data});
}

static enum err work(struct ctx *c, struct check *k)
{
    enum err e = look_through(k);

    if (e) {
        struct backup_reason why = {BACKUP_STOPPED_JA, BACKUP_STOPPED_EN};
        if (!k->app->is_stopping)
            why = backup_reason_of(e);
        say(k, k->name, why.ja, why.en);
    }
    c->now_us = clock_now_us();
    if ((e = tx_begin_control(c, k->app->store, TX_WRITE)))
        return e;
    return tx_end_control(c, k->app->store, write_end(c, k));
}

void backup_check_round(struct app *app, struct arena *mem)
{
    struct actor who = {
        .name = "", .ip = "", .request_id = "backup", .tenant = STORE_OPERATOR};
    struct ctx c = {.mem = mem, .actor = &who, .now_us = clock_now_us()};
    struct check k = {.c = &c,
                      .app = app,
                      .ja = buf_in(mem),
                      .en = buf_in(mem),
                      .bad = buf_in(mem)};

    if (!backup_try_hold())
        return; /* somebody is at it: the next look */
    enum err e = tx_begin_control(&c, app->store, TX_WRITE);
    if (!e) {
        e = find_asked(&c, &k, &who);
        bool is_none = e == ERR_NOT_FOUND;
        e = tx_end_control(&c, app->store, is_none ? OK : e);
    }
    if (!e && k.id)
        e = work(&c, &k);
    backup_let();
    if (e)
        log_error("backup check not done err=%s", err_name(e));
}
