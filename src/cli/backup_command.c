/* SPDX-License-Identifier: Apache-2.0 */
/* `yagura backup run|list|verify|drill|fetch|restore`, whether or not a server holds
 * the data directory; what takes the place of a tenant wants it stopped. */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/config_backup.h"
#include "cli/hold.h"
#include "cli/option.h"
#include "core/backup/backup.h"
#include "core/backup/backup_copy.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct actor system_actor = {.name = "system",
                                          .ip = "",
                                          .request_id = "cli",
                                          .tenant = STORE_OPERATOR,
                                          .base_url = "",
                                          .lang = LANG_EN};

struct words {
    const char *verb, *date, *tenant, *as, *to, *from;
    bool is_whole, is_over, as_json;
};

static enum err run_now(struct command *c)
{
    enum err e = backup_run_now(c->app, c->mem, "system", false);

    if (e)
        buf_printf(&c->err, "yagura: the backup failed: see `backup list`\n");
    return e;
}

static void print_run(struct command *c, const struct backup_run *r,
                      bool as_json)
{
    struct json_out o = {.b = &c->out};

    if (!as_json) {
        buf_printf(&c->out, "%s  %-8s %lld of %lld tenants, %lld bytes%s%s\n",
                   r->date, backup_state_words[r->state], (long long)r->tenants,
                   (long long)r->total, (long long)r->bytes,
                   r->why.en ? ": " : "", r->why.en ? r->why.en : "");
        return;
    }
    json_open(&o, NULL, '{');
    json_text(&o, "date", r->date);
    json_text(&o, "state", backup_state_words[r->state]);
    json_moment(&o, "asked_at", r->asked_at);
    json_moment(&o, "ended_at", r->ended_at);
    json_int(&o, "tenants", r->tenants);
    json_int(&o, "total", r->total);
    json_int(&o, "bytes", r->bytes);
    json_text(&o, "reason", r->why.en);
    json_close(&o, '}');
    buf_putc(&c->out, '\n');
}

static void print_generation(struct command *c, const struct backup_view *v,
                             const char *name)
{
    const struct backup_kept *kept = NULL;

    for (size_t i = 0; i < v->kept_count; i++)
        if (strcmp(v->kept[i].date, name) == 0)
            kept = &v->kept[i];
    buf_printf(&c->out, "generation %s", name);
    for (size_t i = 0; kept && i < kept->count; i++)
        buf_printf(&c->out, "%s%s", i ? ", " : "  kept for ", kept->tenants[i]);
    buf_printf(&c->out, "%s\n", kept ? ": no newer good copy" : "");
}

static enum err run_list(struct command *c, bool as_json)
{
    struct ctx x = server_process_ctx(c->mem, &system_actor);
    struct backup_view v = {.runs = NULL};
    enum err e = tx_begin_control(&x, c->app->store, TX_READ);

    if (!e)
        e = tx_end_control(&x, c->app->store, backup_read(&x, c->app, &v));
    for (size_t i = 0; i < v.run_count && !e; i++)
        print_run(c, &v.runs[i], as_json);
    for (size_t i = 0; i < v.name_count && !e && !as_json; i++)
        print_generation(c, &v, v.names[i]);
    return e;
}

static bool find_place(const char *word, enum backup_place_kind *out)
{
    for (int i = 0; word && i < BACKUP_PLACES; i++)
        if (strcmp(word, backup_place_words[i]) == 0) {
            *out = (enum backup_place_kind)i;
            return true;
        }
    return false;
}

static enum err run_list_from(struct command *c, const char *from)
{
    struct ctx x = server_process_ctx(c->mem, &system_actor);
    enum backup_place_kind kind = BACKUP_DIR;
    const char *const *dates;
    size_t count = 0;

    (void)find_place(from, &kind);
    enum err e = backup_copy_list(&x, c->app, kind, &dates, &count);
    if (e)
        command_complain(c, &x, e);
    for (size_t i = 0; i < count && !e; i++)
        buf_printf(&c->out, "copy %s\n", dates[i]);
    return e;
}

static enum err run_fetch(struct command *c, const struct words *w)
{
    struct ctx x = server_process_ctx(c->mem, &system_actor);
    enum backup_place_kind kind = BACKUP_DIR;
    struct buf notes = buf_in(c->mem);
    size_t files;

    (void)find_place(w->from, &kind);
    enum err e = backup_copy_fetch(&x, c->app, kind, w->date, &notes, &files);
    if (e) {
        command_complain(c, &x, e);
        return e;
    }
    if (notes.len)
        buf_put(&c->out, notes.data, notes.len);
    buf_printf(&c->out, "%s: %zu files are back\n", w->date, files);
    return OK;
}

static enum err run_verify(struct command *c, const char *date)
{
    struct ctx x = server_process_ctx(c->mem, &system_actor);
    struct buf bad = buf_in(c->mem);
    size_t files;
    enum err e = backup_verify(&x, c->app, date, &bad, &files);

    if (e) {
        command_complain(c, &x, e);
        return e;
    }
    if (bad.len) {
        buf_put(&c->out, bad.data, bad.len);
        return ERR_CONFLICT;
    }
    buf_printf(&c->out, "%s: %zu files whole\n", date, files);
    return OK;
}

static enum err run_drill(struct command *c, const struct words *w)
{
    struct backup_drill d = {.at = 0};
    enum err e = backup_drill_now(c->app, c->mem, w->date, w->tenant, &d);

    if (e)
        buf_printf(&c->err, "yagura: the drill failed: %s\n",
                   d.why.en             ? d.why.en
                   : e == ERR_NOT_FOUND ? "there is no such generation, or the "
                                          "tenant is not in it"
                   : e == ERR_FULL      ? "no room on the disk"
                                   : "what was restored does not open; the "
                                     "log says more");
    else
        buf_printf(&c->out, "%s of %s restored in %lld ms, %lld rows%s%s\n",
                   d.tenant, d.date, (long long)d.us / 1000, (long long)d.rows,
                   d.why.en ? ": " : "", d.why.en ? d.why.en : "");
    return e ? e : d.why.en ? ERR_CONFLICT : OK;
}

/* It stands as its tenant does, and whoever restored it should know. */
static enum err restore_beside(struct command *c, struct ctx *x,
                               const struct words *w)
{
    struct restored r = {.date = w->date, .id = w->tenant, .as = w->as};
    enum err e = backup_restore_beside(x, c->app, &r);

    if (!e && tenant_directory_status(&r.row, x->now_us) != TENANT_STATUS_OPEN)
        buf_printf(&c->out, "tenant %s is %s, as %s is\n", r.as,
                   tenant_directory_say_status(x, &r.row), r.id);
    return e;
}

/* What is where now. */
static void say_restored(struct command *c, const struct words *w,
                         size_t tenants, const struct buf *said)
{
    if (said->len)
        buf_put(&c->out, said->data, said->len);
    if (w->is_whole)
        buf_printf(&c->out, "restored: %zu tenant%s of %s into %s\n", tenants,
                   tenants == 1 ? "" : "s", w->date, w->to);
    else if (w->is_over)
        buf_printf(&c->out,
                   "restored: tenant %s as of %s; what was there is kept for "
                   "%d days\n",
                   w->tenant, w->date, BACKUP_KEEP_DAYS);
    else
        buf_printf(&c->out, "restored: tenant %s as of %s beside it, as %s\n",
                   w->tenant, w->date, w->as);
}

static enum err run_restore(struct command *c, const struct words *w)
{
    struct ctx x = server_process_ctx(c->mem, &system_actor);
    struct buf said = buf_in(c->mem);
    size_t tenants = 1;
    enum err e;

    if (w->is_over && c->is_served) {
        buf_printf(&c->err,
                   "yagura: stop the server first: %s is in use, and "
                   "would be replaced\n",
                   w->tenant);
        return ERR_CONFLICT;
    }
    if (w->is_whole && c->is_served) {
        buf_printf(&c->err,
                   "yagura: stop the server first: while it runs it may "
                   "write nowhere but in its own directory, and not in %s\n",
                   w->to);
        return ERR_CONFLICT;
    }
    if (w->is_whole)
        e = backup_restore_whole(&x, c->app, w->date, w->to, &said, &tenants);
    else if (w->is_over)
        e = backup_restore_over(&x, c->app, w->date, w->tenant);
    else
        e = restore_beside(c, &x, w);
    if (e)
        command_complain(c, &x, e);
    else
        say_restored(c, w, tenants, &said);
    return e;
}

static bool is_hold(const struct words *w)
{
    return strcmp(w->verb, "hold") == 0 || strcmp(w->verb, "release") == 0;
}

static bool is_whole(const struct words *w)
{
    enum backup_place_kind kind;

    if (w->from && !find_place(w->from, &kind))
        return false;
    if (strcmp(w->verb, "run") == 0 || strcmp(w->verb, "list") == 0 ||
        is_hold(w))
        return true;
    if (!w->date)
        return false;
    if (strcmp(w->verb, "verify") == 0 || strcmp(w->verb, "drill") == 0)
        return true;
    if (strcmp(w->verb, "fetch") == 0)
        return w->from != NULL;
    int ways = (w->is_whole && w->to) + (w->tenant && w->as) +
               (w->tenant && w->is_over);
    return strcmp(w->verb, "restore") == 0 && ways == 1;
}

static const char *const verbs[] = {"run",   "list",    "verify",
                                    "drill", "fetch",   "restore",
                                    "hold",  "release", NULL};

static bool read_words(struct words *w, int argc, char **argv)
{
    const struct option_spec specs[] = {
        {"date", &w->date, NULL, "the generation, 2026-11-24"},
        {"tenant", &w->tenant, NULL, "one tenant"},
        {"as", &w->as, NULL, "restore it under this id, beside"},
        {"in-place", NULL, &w->is_over, "in its place; the server stopped"},
        {"whole", NULL, &w->is_whole, "the whole service, into --to"},
        {"to", &w->to, NULL, "a new data directory"},
        {"from", &w->from, NULL, "dir or s3: a place of copies"},
        {"json", NULL, &w->as_json, "one JSON object a line"},
    };
    const char *usage =
        "backup run | list [--from dir|s3] | fetch --date D --from dir|s3 | "
        "verify --date D | drill --date D [--tenant ID] | "
        "restore --date D (--tenant ID --as ID | --tenant ID --in-place | "
        "--whole --to DIR) | hold | release";

    *w = (struct words){.verb = ""};
    argc = option_parse(usage, specs, COUNT(specs), argc, argv);
    if (argc > 0)
        option_name_unknown("backup", verbs, argv[0]);
    if (argc == 1)
        w->verb = argv[0];
    if (argc == 1 && is_whole(w))
        return true;
    if (argc >= 0)
        fprintf(stderr, "usage: yagura %s\n", usage);
    return false;
}

int backup_run_command(struct command *c, int argc, char **argv)
{
    struct words w;
    enum err e;

    if (!read_words(&w, argc, argv))
        return 2;
    if (strcmp(w.verb, "run") == 0)
        e = run_now(c);
    else if (strcmp(w.verb, "list") == 0)
        e = w.from ? run_list_from(c, w.from) : run_list(c, w.as_json);
    else if (strcmp(w.verb, "fetch") == 0)
        e = run_fetch(c, &w);
    else if (strcmp(w.verb, "verify") == 0)
        e = run_verify(c, w.date);
    else if (strcmp(w.verb, "drill") == 0)
        e = run_drill(c, &w);
    else
        e = run_restore(c, &w);
    return e ? 1 : 0;
}

/* Of the directory alone: whether or not a server has it. */
static int run_hold(const struct config *config, const struct words *w)
{
    bool is_hold = strcmp(w->verb, "hold") == 0;
    enum err e = is_hold ? hold_begin(config->data_dir, false)
                         : hold_end(config->data_dir);

    if (e == ERR_CONFLICT)
        fprintf(stderr, "yagura: %s is held already\n", config->data_dir);
    else if (e && is_hold)
        fprintf(stderr,
                "yagura: %s is no data directory, or cannot be "
                "written\n",
                config->data_dir);
    else if (e)
        fprintf(stderr, "yagura: %s is not held\n", config->data_dir);
    else if (is_hold)
        printf("%s is held: a server that is started waits until `yagura "
               "backup release`\n",
               config->data_dir);
    else
        printf("%s is no longer held\n", config->data_dir);
    return e ? 1 : 0;
}

static bool is_service(struct arena *mem, const char *dir)
{
    return access(arena_printf(mem, "%s/kind", dir), F_OK) == 0;
}

/* What lies at a place of copies, on a machine that has nothing yet. */
static int list_without(struct server_process *p, const struct config *config,
                        const struct words *w)
{
    struct command c = {.app = &p->app,
                        .mem = p->mem,
                        .file = -1,
                        .out = buf_in(p->mem),
                        .err = buf_in(p->mem)};
    enum err e = config_set_up_backup(p->mem, config, &p->app.backup);

    if (!e)
        e = run_list_from(&c, w->from);
    if (c.out.len)
        (void)fwrite(c.out.data, 1, c.out.len, stdout);
    if (c.err.len)
        (void)fwrite(c.err.data, 1, c.err.len, stderr);
    return e ? 1 : 0;
}

/* While it restores nobody starts a server on what is being changed. */
static int do_held(struct server_process *p, const struct config *config,
                   const struct words *w, int argc, char **argv)
{
    bool is_restore = w->is_over || w->is_whole;

    if (is_restore && hold_begin(config->data_dir, true) == ERR_INTERNAL)
        return 1;
    int code = command_do(p, config, "backup", argc, argv, -1);
    if (is_restore && hold_is_own(config->data_dir) &&
        hold_end(config->data_dir))
        fprintf(stderr, "yagura: %s/held could not be removed\n",
                config->data_dir);
    return code;
}

int cli_backup(int argc, char **argv)
{
    struct server_process p = {.mem = arena_open(0)};
    struct config config;
    struct words w;
    int code = 2;

    if (!config_load(p.mem, &argc, argv, &config) &&
        read_words(&w, argc, command_copy_words(p.mem, argc, argv))) {
        p.may_found = strcmp(w.verb, "fetch") == 0;
        if (is_hold(&w))
            code = run_hold(&config, &w);
        else if (strcmp(w.verb, "list") == 0 && w.from &&
                 !is_service(p.mem, config.data_dir))
            code = list_without(&p, &config, &w);
        else
            code = do_held(&p, &config, &w, argc, argv);
    }
    server_process_close(&p);
    return code;
}
