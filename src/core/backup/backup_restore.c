/* SPDX-License-Identifier: Apache-2.0 */
/* Tenants of a generation put back: for a try, beside the live one, in its
 * place, or all of them elsewhere.  What is to be restored is checked wholly
 * before anything is touched. */
#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "core/backup/backup_keep.h"
#include "core/backup/backup_work.h"
#include "core/backup/log_head.h"
#include "core/backup/log_watch.h"
#include "core/core.h"
#include "core/log/operation.h"
#include "core/tenant/tenant_directory.h"
#include "core/tenant/tenant_status.h"
#include "db/generation_merge.h"
#include "db/query.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RESTORE_NAME, RESTORE_SUSPEND, RESTORE_END };
static const char *const restore_text[] = {
    [RESTORE_NAME] = "SELECT name FROM customer WHERE id = ?1",
    [RESTORE_SUSPEND] = "INSERT INTO suspension (customer_id, reason, by, at)"
                        " SELECT ?2, reason, by, at FROM suspension"
                        " WHERE customer_id = ?1",
    /* nobody is told twice, and nobody confirmed the deletion of this one: it
     * goes with what it is a copy of */
    [RESTORE_END] =
        "INSERT INTO termination (customer_id, end_on, delete_on,"
        " is_customers, asked_by, asked_at, told) SELECT ?2, end_on,"
        " delete_on, is_customers, asked_by, asked_at, 15 FROM termination"
        " WHERE customer_id = ?1",
};
const struct query_set backup_run_queries = {"backup_run", restore_text,
                                             COUNT(restore_text)};

/* ---- before anything is touched ---- */

static enum err refuse_file(struct ctx *c, enum err e, const char *file,
                            const struct generation_found *found)
{
    if (e == ERR_BUSY && found->version > found->known)
        return ctx_fail(
            c, e, "date", "newer_schema",
            "%s は、より新しい版の櫓で作られたバックアップです（スキーマ "
            "%lld、このプログラムが読めるのは %d まで）。その版以降の yagura "
            "を入れてから、もう一度復元してください。いまのデータはそのまま"
            "です",
            "%s was written by a newer Yagura (schema %lld, this program "
            "knows %d): install that version or a later one, then restore "
            "again. Nothing was changed",
            file, (long long)found->version, found->known);
    const struct backup_reason why = backup_reason_of_fault(e, found);
    bool is_key = found->fault == GENERATION_KEY_GONE ||
                  found->fault == GENERATION_KEY_BAD;
    return ctx_fail(
        c, e, "date", is_key ? "key" : "not_sound",
        "%s: %s。%s復元してください。いまのデータはそのままです",
        "%s: %s. %s. Nothing was changed", file, ctx_text(c, why.ja, why.en),
        found->fault == GENERATION_KEY_BAD
            ? ctx_text(c, "そのときのマスター鍵か、ほかの世代で",
                       "Restore with the master key of that day, or from "
                       "another generation")
            : ctx_text(c, "ほかの世代から", "Restore from another generation"));
}

static enum err check_file(struct ctx *c, const struct app *app,
                           const char *name, const char *id, const char *suffix)
{
    struct generation_found found;
    enum err e = generation_check(app->store, name, id, suffix, &found);

    return e ? refuse_file(c, e, arena_printf(c->mem, "%s%s", id, suffix),
                           &found)
             : OK;
}

static enum err check_tenant(struct ctx *c, const struct app *app,
                             const char *name, const char *id)
{
    enum err e = check_file(c, app, name, id, ".db");

    return e ? e : check_file(c, app, name, id, ".access.db");
}

/* Why what was found good could not be put there. */
static enum err explain(struct ctx *c, enum err e)
{
    if (e == ERR_FULL)
        return ctx_fail(c, e, "", "no_space",
                        "復元する空き容量がありません。空きを作って、もう一度"
                        "実行してください。いまのデータはそのままです",
                        "No space left for the restore: make room and run it "
                        "again. What is there was not touched");
    if (e && !c->fail)
        return ctx_fail(c, e, "", "restore",
                        "復元したものを書き込めませんでした。いまのデータは"
                        "そのままです。詳しくはサーバーのログにあります",
                        "What was restored could not be written; what is "
                        "there was not touched. The log says more");
    return e;
}

/* ---- the drill ---- */

/* Not control.db, not an access log. */
static bool is_tenant_file(const struct json *f)
{
    return strcmp(backup_manifest_text(f, "tenant"), GENERATION_CONTROL) != 0 &&
           strcmp(backup_manifest_text(f, "suffix"), ".db") == 0;
}

static const char *choose(struct ctx *c, const struct app *app,
                          const char *name, const struct json *files,
                          const char *wanted, int64_t *rows)
{
    const struct json *chosen = NULL;
    uint32_t seen = 0, dice;

    for (const struct json *f = files->child; f; f = f->next) {
        const char *id = backup_manifest_text(f, "tenant");
        if (!is_tenant_file(f) || (wanted && strcmp(id, wanted) != 0) ||
            !generation_has_key(app->store, name, id))
            continue;
        crypto_random((uint8_t *)&dice, sizeof dice);
        if (dice % ++seen == 0)
            chosen = f;
    }
    if (!chosen)
        return NULL;
    *rows = strtoll(backup_manifest_text(chosen, "rows"), NULL, 10);
    return arena_strdup(c->mem, backup_manifest_text(chosen, "tenant"));
}

/* check_tenant() for whoever reads it later, in either language. */
static enum err check_sample(struct arena *mem, const struct app *app,
                             const char *name, const char *id,
                             struct backup_reason *why)
{
    static const char *const suffixes[] = {".db", ".access.db"};
    enum err e = OK;

    for (size_t i = 0; i < COUNT(suffixes) && !e; i++) {
        struct generation_found found;
        e = generation_check(app->store, name, id, suffixes[i], &found);
        if (!e)
            continue;
        struct backup_reason r = backup_reason_of_fault(e, &found);
        *why = (struct backup_reason){
            arena_printf(mem, "%s%s: %s", id, suffixes[i], r.ja),
            arena_printf(mem, "%s%s: %s", id, suffixes[i], r.en)};
    }
    return e;
}

static enum err do_drill(struct app *app, struct arena *mem, const char *name,
                         const char *tenant, struct backup_drill *out)
{
    struct actor actor = {
        .name = "", .ip = "", .request_id = "backup", .tenant = STORE_OPERATOR};
    struct ctx c = {.mem = mem, .actor = &actor, .now_us = clock_now_us()};
    const struct json *files;
    int64_t wanted = 0, from = clock_now_us();
    enum err e = backup_read_manifest(&c, app, name, &files);

    if (e)
        return e;
    const char *id = choose(&c, app, name, files, tenant, &wanted);
    if (!id)
        return ERR_NOT_FOUND;
    *out = (struct backup_drill){.at = from, .date = name, .tenant = id};
    struct tenant_directory_row row;
    int64_t left;
    if (tenant_directory_get(&c, app->store, TENANT_DIRECTORY_DRILL_ID, &row) ==
            ERR_NOT_FOUND &&
        !generation_drop(app->store, TENANT_DIRECTORY_DRILL_ID, &left))
        log_warn("backup: what a broken drill left was removed");
    e = check_sample(mem, app, name, id, &out->why);
    if (!e)
        e = generation_restore(
            app->store,
            &(struct generation_aim){
                .name = name, .id = id, .as = TENANT_DIRECTORY_DRILL_ID});
    if (!e)
        e = generation_drop(app->store, TENANT_DIRECTORY_DRILL_ID, &out->rows);
    out->us = clock_now_us() - from;
    if (e && !out->why.en)
        out->why = backup_reason_of(e);
    else if (!e && (out->rows > wanted || out->rows == 0))
        out->why = (struct backup_reason){
            arena_printf(mem, "行数が合いません（目録 %lld、復元 %lld）",
                         (long long)wanted, (long long)out->rows),
            arena_printf(mem, "%lld rows, the manifest says %lld",
                         (long long)out->rows, (long long)wanted)};
    enum err noted = tx_begin_control(&c, app->store, TX_WRITE);
    if (!noted)
        noted = tx_end_control(&c, app->store, backup_note_drill(&c, out));
    return e ? e : noted;
}

enum err backup_drill_now(struct app *app, struct arena *mem, const char *name,
                          const char *tenant, struct backup_drill *out)
{
    backup_hold();
    enum err e = do_drill(app, mem, name, tenant, out);
    backup_let();
    return e;
}

/* ---- restoring ---- */

/* "Acme (2026-11-24)" */
static enum err name_copy(struct ctx *c, const struct app *app,
                          const struct restored *r, const char **out)
{
    const char *name = r->id;
    enum err e = tx_begin_control(c, app->store, TX_READ);

    if (e)
        return e;
    struct query *q = query(c, restore_text[RESTORE_NAME]);
    bind_text(q, 1, r->id);
    if (!(e = query_one(c, q)))
        name = col_text(c, q, 0);
    query_done(q);
    *out = arena_printf(c->mem, "%s (%s)", name, r->date);
    return tx_end_control(c, app->store, e == ERR_NOT_FOUND ? OK : e);
}

static enum err copy_row(struct ctx *c, const struct restored *r, int text)
{
    struct query *q = query(c, restore_text[text]);

    bind_text(q, 1, r->id);
    bind_text(q, 2, r->as);
    return query_run(c, q);
}

/* It stands as its tenant does: who may not enter the one, may not enter the
 * other. */
static enum err copy_standing(struct ctx *c, const struct restored *r)
{
    enum err e = copy_row(c, r, RESTORE_SUSPEND);

    if (!e)
        e = copy_row(c, r, RESTORE_END);
    return e ? e
             : operation_log(c, &(struct operation){.action = "restore",
                                                    .kind = "tenant",
                                                    .object_name = r->as});
}

static enum err refuse_deleted(struct ctx *c, const char *id)
{
    return ctx_fail(c, ERR_CONFLICT, "tenant", "deleted",
                    "%s は削除されました。鍵が破壊されたため、だれにも"
                    "復元できません",
                    "%s was deleted: its key is destroyed, nobody can restore "
                    "it",
                    id);
}

/* The tenant is in the backup, may come back, and is sound. */
static enum err check_wanted(struct ctx *c, const struct app *app,
                             const char *name, const char *id)
{
    const struct json *files;
    int64_t rows;
    enum err e = backup_read_manifest(c, app, name, &files);

    if (e)
        return e;
    if (backup_is_deleted(c, app, id))
        return refuse_deleted(c, id);
    if (!choose(c, app, name, files, id, &rows))
        return ctx_fail(c, ERR_NOT_FOUND, "tenant", "not_in_backup",
                        "このバックアップに %s はありません",
                        "%s is not in this backup", id);
    return check_tenant(c, app, name, id);
}

/* The files of a reserved id, and all that is known of it but that it is
 * open. */
static enum err place_copy(struct ctx *c, const struct app *app,
                           const struct restored *r)
{
    int64_t rows;
    enum err e = generation_restore(
        app->store,
        &(struct generation_aim){.name = r->date, .id = r->id, .as = r->as});

    if (e == ERR_CONFLICT)
        return ctx_fail(c, e, "as", "files",
                        "テナントID「%s」のファイルまたは鍵がすでにあります",
                        "There are files or a key of a tenant %s already",
                        r->as);
    if (e)
        return explain(c, e);
    if (!(e = tx_begin_control(c, app->store, TX_WRITE)))
        e = tx_end_control(c, app->store, copy_standing(c, r));
    if (e && generation_drop(app->store, r->as, &rows))
        log_warn("tenant=%s half restored, the next start removes it", r->as);
    return explain(c, e);
}

static enum err restore_beside(struct ctx *c, struct app *app,
                               struct restored *r)
{
    struct tenant_directory_create what = {
        .id = r->as, .id_field = "as", .copy_of = r->id};
    enum err e = tenant_directory_check_id(c, "as", r->as);

    if (!e)
        e = check_wanted(c, app, r->date, r->id);
    if (!e)
        e = name_copy(c, app, r, &what.name);
    if (e || (e = tenant_directory_reserve(c, app, &what)))
        return e;
    if ((e = place_copy(c, app, r))) {
        tenant_directory_drop(c, app->store, r->as);
        return e;
    }
    if ((e = tenant_directory_open(c, app->store, r->as)) ||
        (e = tenant_status_load(c, app)) ||
        (e = tenant_directory_get(c, app->store, r->as, &r->row)))
        return explain(c, e);
    tenant_directory_find_sole(app, c->mem);
    return OK;
}

/* Held against a deletion of the same tenant, which takes all copies. */
enum err backup_restore_beside(struct ctx *c, struct app *app,
                               struct restored *r)
{
    backup_hold();
    enum err e = restore_beside(c, app, r);
    backup_let();
    return e;
}

/* Its logs end earlier than was known: that is written down, not found. */
static enum err note_restored(struct ctx *c, const char *id, const char *date)
{
    struct buf was = buf_in(c->mem), is = buf_in(c->mem);
    struct json_out o = {.b = &was};
    int64_t seq = 0;
    enum err e = log_watch_forget(c, id, &seq);

    if (e)
        return e;
    json_open(&o, NULL, '{');
    json_int(&o, "log_seq", seq);
    json_close(&o, '}');
    o = (struct json_out){.b = &is};
    json_open(&o, NULL, '{');
    json_text(&o, "backup", date);
    json_close(&o, '}');
    return operation_log(c, &(struct operation){.action = "restore",
                                                .kind = "tenant",
                                                .object_name = id,
                                                .before = was.data,
                                                .after = is.data});
}

static enum err restore_over(struct ctx *c, const struct app *app,
                             const char *name, const char *id)
{
    enum err e = check_wanted(c, app, name, id);

    if (e)
        return e;
    e = explain(c, generation_restore(
                       app->store,
                       &(struct generation_aim){
                           .name = name, .id = id, .as = id, .is_over = true}));
    if (e || (e = tx_begin_control(c, app->store, TX_WRITE)))
        return e;
    return tx_end_control(c, app->store, note_restored(c, id, name));
}

/* No head of the files before is written down after theirs are forgotten. */
enum err backup_restore_over(struct ctx *c, const struct app *app,
                             const char *name, const char *id)
{
    log_head_hold();
    enum err e = restore_over(c, app, name, id);
    log_head_let();
    return e;
}

/* ---- the whole ---- */

/* Who comes back, from where: the newest good copy up to the day. */
struct part_of_whole {
    const char *id, *date; /* date NULL: there is none */
};
struct whole {
    struct ctx *c;
    const struct app *app;
    const char *name, *to;
    struct part_of_whole *parts;
    size_t count;
};

static enum err find_parts(struct whole *w, const struct generation_merged *m)
{
    struct backup_stock *stock;
    enum err e = backup_stock_open(w->c, w->app, &stock);

    if (e)
        return e;
    w->parts = arena_array(w->c->mem, struct part_of_whole, m->count + 1);
    for (size_t i = 0; i < m->count; i++)
        w->parts[w->count++] = (struct part_of_whole){
            m->open[i], backup_stock_newest(stock, m->open[i], w->name)};
    return OK;
}

static enum err check_parts(const struct whole *w)
{
    enum err e = OK;

    for (size_t i = 0; i < w->count && !e; i++)
        if (w->parts[i].date)
            e = check_tenant(w->c, w->app, w->parts[i].date, w->parts[i].id);
    return e;
}

static enum err place_parts(const struct whole *w, size_t *placed)
{
    enum err e = OK;

    for (size_t i = 0; i < w->count && !e; i++) {
        const struct part_of_whole *p = &w->parts[i];
        if (!p->date)
            continue;
        e = generation_restore(
            w->app->store,
            &(struct generation_aim){
                .name = p->date, .id = p->id, .as = p->id, .to = w->to});
        (*placed)++;
    }
    return e;
}

/* In the log that goes along: what is restored says so itself. */
static enum err note_whole(struct ctx *c, const struct app *app,
                           const char *name, const char *to)
{
    struct buf after = buf_in(c->mem);
    struct json_out o = {.b = &after};
    enum err e = tx_begin_control(c, app->store, TX_WRITE);

    if (e)
        return e;
    json_open(&o, NULL, '{');
    json_text(&o, "to", to);
    json_close(&o, '}');
    return tx_end_control(
        c, app->store,
        operation_log(c, &(struct operation){.action = "restore",
                                             .kind = "backup",
                                             .object_name = name,
                                             .after = after.data}));
}

static void say_whole(const struct whole *w, const struct generation_merged *m,
                      struct buf *said)
{
    for (size_t i = 0; i < w->count; i++) {
        const struct part_of_whole *p = &w->parts[i];
        if (!p->date)
            buf_printf(said,
                       "%s is in no backup up to %s: it was not "
                       "restored\n",
                       p->id, w->name);
        else if (strcmp(p->date, w->name) != 0)
            buf_printf(said, "%s of %s: its last good copy until then\n", p->id,
                       p->date);
    }
    if (m->from == GENERATION_FROM_NEWER)
        buf_printf(said,
                   "what happened since then is as of %s (deletions, "
                   "certificates, the operator's log)\n",
                   m->newer);
    else if (m->from == GENERATION_FROM_NOTHING)
        buf_puts(said, "no newer control.db is here: what happened since "
                       "then is not known\n");
}

static enum err restore_whole(struct whole *w, struct generation_merged *m,
                              size_t *tenants)
{
    struct ctx *c = w->c;
    const struct store *s = w->app->store;
    enum err e = generation_merge_control(s, w->name, w->to, c->mem, m);

    if (!e)
        e = find_parts(w, m);
    if (!e)
        e = check_parts(w);
    if (!e)
        e = place_parts(w, tenants);
    if (!e)
        e = generation_restore_retained(s, w->to);
    return e ? e : generation_finish(w->to);
}

enum err backup_restore_whole(struct ctx *c, const struct app *app,
                              const char *name, const char *to,
                              struct buf *said, size_t *tenants)
{
    struct whole w = {.c = c, .app = app, .name = name, .to = to};
    struct generation_merged merged;
    const struct json *files;
    enum err e = backup_read_manifest(c, app, name, &files);

    *tenants = 0;
    if (!e && !generation_tenant_bytes(app->store, name, GENERATION_CONTROL))
        return ctx_fail(c, ERR_NOT_FOUND, "date", "not_whole",
                        "世代 %s には control.db がありません。一部のテナントの"
                        "写しだけが残っています（yagura backup list）。全体は"
                        "ほかの世代から復元してください",
                        "%s has no control.db: only copies of some tenants are "
                        "left of it (yagura backup list). Restore the whole "
                        "from another generation",
                        name);
    if (!e)
        e = check_file(c, app, name, GENERATION_CONTROL, ".db");
    if (e)
        return e;
    if (access(to, F_OK) && (e = note_whole(c, app, name, to)))
        return e;
    e = generation_restore_control(app->store, name, to);
    if (e == ERR_CONFLICT)
        return ctx_fail(c, e, "to", "not_new", "%s か %s.part がすでにあります",
                        "%s or %s.part is there already", to, to);
    if (!e)
        e = restore_whole(&w, &merged, tenants);
    if (e && generation_abandon(to))
        log_error("backup: %s.part could not be removed", to);
    if (!e)
        say_whole(&w, &merged, said);
    return explain(c, e);
}
