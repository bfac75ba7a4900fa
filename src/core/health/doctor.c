/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the checks, keeps what they found.  A run may wait for the mail relay,
 * so no transaction is open while it looks. */
#include "core/health/doctor.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "core/core.h"
#include "core/health/doctor_check.h"
#include "core/log/operation.h"
#include "db/query.h"

#include <stdarg.h>
#include <string.h>

enum { PLACE_UPDATES = 100 }; /* stays over runs: a place of its own */

const char *const doctor_state_words[] = {"good", "warning", "bad", NULL};

enum {
    ROW_READ,
    ROW_RAN,
    ROW_ASK,
    ROW_COPY,
    FOUND_LIST,
    FOUND_CLEAR,
    FOUND_ADD
};
static const char *const doctor_text[] = {
    [ROW_READ] = "SELECT ran_at, asked_at, key_mark, key_at, key_by"
                 " FROM doctor WHERE id = 1",
    [ROW_RAN] = "INSERT INTO doctor (id, ran_at) VALUES (1, ?1)"
                " ON CONFLICT DO UPDATE SET ran_at = ?1",
    [ROW_ASK] = "INSERT INTO doctor (id, asked_at) VALUES (1, ?1)"
                " ON CONFLICT DO UPDATE SET asked_at = ?1",
    [ROW_COPY] = "INSERT INTO doctor (id, key_mark, key_at, key_by)"
                 " VALUES (1, ?1, ?2, ?3) ON CONFLICT DO UPDATE SET"
                 " key_mark = ?1, key_at = ?2, key_by = ?3",
    [FOUND_LIST] = "SELECT name, state, ja, en, at FROM doctor_finding"
                   " WHERE place >= 0 ORDER BY place",
    /* what the package manager said stays until it is asked again */
    [FOUND_CLEAR] = "DELETE FROM doctor_finding WHERE place >= 0"
                    " AND (name <> 'updates' OR ?1 OR at < ?2)",
    [FOUND_ADD] = "INSERT INTO doctor_finding (place, name, state, ja, en, at)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
};
const struct query_set doctor_queries = {"doctor", doctor_text,
                                         COUNT(doctor_text)};

void doctor_say(struct doctor *d, const char *name, enum doctor_state state,
                const char *ja, const char *en, ...)
{
    va_list args, again;

    must(d->count < COUNT(d->findings));
    va_start(args, en);
    va_copy(again, args);
    d->findings[d->count++] =
        (struct doctor_finding){.name = name,
                                .state = state,
                                .ja = arena_vprintf(d->c->mem, ja, args),
                                .en = arena_vprintf(d->c->mem, en, again),
                                .at = d->c->now_us};
    va_end(again);
    va_end(args);
}

/* An enum in SQL is what was written here. */
static enum doctor_state to_state(int64_t n)
{
    return n == DOCTOR_GOOD || n == DOCTOR_WARNING ? (enum doctor_state)n
                                                   : DOCTOR_BAD;
}

static enum err read_findings(struct ctx *c, struct doctor_view *out)
{
    struct doctor_finding *list =
        arena_array(c->mem, struct doctor_finding, DOCTOR_FINDINGS_MAX);
    struct query *q = query(c, doctor_text[FOUND_LIST]);
    enum err e;

    out->findings = list;
    while (query_next(c, q, &e))
        if (out->count < DOCTOR_FINDINGS_MAX)
            list[out->count++] =
                (struct doctor_finding){.name = col_text(c, q, 0),
                                        .state = to_state(col_int(q, 1)),
                                        .ja = col_text(c, q, 2),
                                        .en = col_text(c, q, 3),
                                        .at = col_int(q, 4)};
    return e;
}

enum err doctor_read(struct ctx *c, const struct app *app,
                     struct doctor_view *out)
{
    struct query *q = query(c, doctor_text[ROW_READ]);
    enum err e = query_one(c, q);

    *out = (struct doctor_view){.count = 0};
    store_key_mark(app->store, out->key_mark);
    if (!e) {
        const char *mark = col_text(c, q, 2);
        out->ran_at = col_int(q, 0);
        out->asked_at = col_int(q, 1);
        if (mark && strcmp(mark, out->key_mark) == 0) {
            out->key_copy_at = col_int(q, 3);
            out->key_copy_by = col_text(c, q, 4);
        }
        query_done(q);
    }
    if (e && e != ERR_NOT_FOUND)
        return e;
    return read_findings(c, out);
}

static enum err write_findings(struct ctx *c, const struct doctor *d)
{
    struct query *q = query(c, doctor_text[FOUND_CLEAR]);

    bind_int(q, 1, d->host != NULL);
    bind_int(q, 2, c->now_us - 8 * 24 * INT64_C(3600000000));
    enum err e = query_run(c, q);
    for (size_t i = 0; i < d->count && !e; i++) {
        const struct doctor_finding *f = &d->findings[i];
        q = query(c, doctor_text[FOUND_ADD]);
        bind_int(q, 1,
                 strcmp(f->name, "updates") == 0 ? PLACE_UPDATES : (int64_t)i);
        bind_text(q, 2, f->name);
        bind_int(q, 3, f->state);
        bind_text(q, 4, f->ja);
        bind_text(q, 5, f->en);
        bind_int(q, 6, f->at);
        e = query_run(c, q);
    }
    if (e)
        return e;
    q = query(c, doctor_text[ROW_RAN]);
    bind_int(q, 1, c->now_us);
    return query_run(c, q);
}

static enum err read_now(struct ctx *c, const struct app *app,
                         struct doctor_view *out)
{
    enum err e = tx_begin_control(c, app->store, TX_READ);

    return e ? e : tx_end_control(c, app->store, doctor_read(c, app, out));
}

enum err doctor_run(struct ctx *c, struct app *app,
                    const struct doctor_host *host, struct doctor_view *out)
{
    struct doctor *d = arena_new(c->mem, struct doctor);
    struct doctor_view view;
    enum err e = read_now(c, app, &view);

    if (e)
        return e;
    *d = (struct doctor){.c = c,
                         .app = app,
                         .host = host,
                         .is_key_copied = view.key_copy_at > 0};
    memcpy(d->key_mark, view.key_mark, sizeof d->key_mark);
    doctor_check_machine(d);
    doctor_check_service(d);
    doctor_check_remains(d);
    for (size_t i = 0; i < d->count; i++)
        if (d->findings[i].state == DOCTOR_BAD)
            log_warn("doctor: %s: %s", d->findings[i].name, d->findings[i].en);
    e = tx_begin_control(c, app->store, TX_WRITE);
    if (!e)
        e = tx_end_control(c, app->store, write_findings(c, d));
    if (!e)
        return read_now(c, app, out);
    doctor_say(d, "kept", DOCTOR_BAD,
               "この結果を保存できません（%s）。control.db に書き込めません",
               "These findings cannot be kept (%s): control.db cannot be "
               "written",
               err_name(e));
    view.findings = d->findings;
    view.count = d->count;
    view.ran_at = c->now_us;
    *out = view;
    return OK;
}

enum err doctor_ask(struct ctx *c)
{
    struct query *q = query(c, doctor_text[ROW_ASK]);

    bind_int(q, 1, c->now_us);
    return query_run(c, q);
}

enum err doctor_confirm_copy(struct ctx *c, const struct app *app)
{
    struct query *q = query(c, doctor_text[ROW_COPY]);
    char mark[17];

    store_key_mark(app->store, mark);
    bind_text(q, 1, mark);
    bind_int(q, 2, c->now_us);
    bind_text(q, 3, c->actor->name);
    enum err e = query_run(c, q);
    return e ? e
             : operation_log(c, &(struct operation){.action = "confirm",
                                                    .kind = "key_copy",
                                                    .object_name = mark});
}

/* ---- by the scheduler ---- */

static void look(struct app *app, struct arena *mem)
{
    struct actor system = {.name = "",
                           .ip = "",
                           .request_id = "doctor",
                           .tenant = STORE_OPERATOR,
                           .base_url = ""};
    struct ctx c = {.mem = mem, .actor = &system, .now_us = clock_now_us()};
    struct doctor_view view;
    enum err e = doctor_run(&c, app, NULL, &view);

    if (e)
        log_error("doctor: nothing found err=%s", err_name(e));
}

void doctor_look_daily(struct app *app, struct arena *mem)
{
    look(app, mem);
}

void doctor_look_asked(struct app *app, struct arena *mem)
{
    struct ctx c = {.mem = mem, .now_us = clock_now_us()};
    struct doctor_view view;

    if (!read_now(&c, app, &view) && view.asked_at > view.ran_at)
        look(app, mem);
}

/* ---- the trust page ---- */

/* What it found names files, people and what is not mended yet: others than
 * the operator read ja and en, or, without, only that it was looked at. */
static const struct {
    const char *finding;
    int no;
    const char *ja, *en;
} evidence[] = {
    {"user", 14, NULL, NULL},
    {"landlock", 14, NULL, NULL},
    {"seccomp", 14, NULL, NULL},
    {"memory", 14, NULL, NULL},
    {"updates", 14, NULL, NULL},
    {"reboot", 14, NULL, NULL},
    {"tls", 15, "TLS の版", "The versions of TLS"},
    {"listen", 15, "平文の待ち受けがこの機械の外にないこと",
     "That nothing plain is listened for beyond this machine"},
    {"strays", 16, "持ち主のない鍵とファイルがないこと",
     "That no key or file is nobody's"},
    {"rewrap", 16, "削除のあとの鍵の包み直し",
     "Keys wrapped anew after deletions"},
    {"certificate", 15, "証明書の期限とホスト名",
     "The certificate's dates and names"},
    {"key", 15, "鍵ファイルの権限", "The key file's rights"},
    {"tls", 37, "TLS の版", "The versions of TLS"},
    {"certificate", 37, "証明書の期限とホスト名",
     "The certificate's dates and names"},
};

static void tell_sum(struct ctx *c, const struct doctor_view *v,
                     struct trust_list *out)
{
    int bad = 0, warnings = 0;

    for (size_t i = 0; i < v->count; i++) {
        bad += v->findings[i].state == DOCTOR_BAD;
        warnings += v->findings[i].state == DOCTOR_WARNING;
    }
    if (!v->ran_at)
        trust_say(c, out, 14, false, "点検（doctor）はまだ行われていません",
                  "Doctor has not looked yet");
    else
        trust_say(c, out, 14, bad == 0,
                  "点検（doctor）%s: %zu 項目、問題 %d 件、注意 %d 件",
                  "Doctor at %s: %zu items, %d problems, %d warnings",
                  trust_moment(c, v->ran_at), v->count, bad, warnings);
    if (v->ran_at)
        trust_date(out, v->ran_at, TRUST_AGE_US);
}

enum err doctor_tell_trust(struct ctx *c, struct trust_list *out)
{
    struct doctor_view v = {.count = 0};
    struct query *q = query(c, doctor_text[ROW_READ]);
    enum err e = query_one(c, q);

    if (!e) {
        v.ran_at = col_int(q, 0);
        query_done(q);
    }
    if ((e && e != ERR_NOT_FOUND) || (e = read_findings(c, &v)))
        return e;
    tell_sum(c, &v, out);
    for (size_t i = 0; i < COUNT(evidence); i++)
        for (size_t n = 0; n < v.count; n++) {
            const struct doctor_finding *f = &v.findings[n];
            if (strcmp(f->name, evidence[i].finding) != 0)
                continue;
            trust_say(c, out, evidence[i].no, f->state == DOCTOR_GOOD, "%s",
                      "%s", ctx_text(c, f->ja, f->en));
            if (evidence[i].ja)
                trust_tell_others(c, out, evidence[i].ja, evidence[i].en);
            trust_date(out, f->at, TRUST_AGE_US);
        }
    return OK;
}
