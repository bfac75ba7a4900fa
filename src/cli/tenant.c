/* SPDX-License-Identifier: Apache-2.0 */
/* `yagura tenant create|list|show|suspend|resume|terminate|withdraw|
 * clear-allow-list|export|import`, whether or not a server holds the data
 * directory.  Who ends a contract here confirms it for the operator as far as
 * the customer confirms it too; alone the operator does so at the console, by
 * a fresh sign-in. */
#include "base/civil.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/option.h"
#include "cli/tenant_archive.h"
#include "core/access/allow_list.h"
#include "core/contract/contract.h"
#include "core/contract/customer.h"
#include "core/contract/customer_make.h"
#include "core/scheduler.h"
#include "core/tenant/link_base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct actor system_actor = {.name = "system",
                                          .ip = "",
                                          .request_id = "cli",
                                          .tenant = "",
                                          .base_url = "",
                                          .lang = LANG_EN};

static void put_row(struct json_out *o, const struct tenant_directory_row *r,
                    int64_t now_us)
{
    json_open(o, NULL, '{');
    json_text(o, "id", r->id);
    json_text(o, "name", r->name);
    json_text(o, "host", r->host);
    json_text(
        o, "state",
        tenant_directory_status_words[tenant_directory_status(r, now_us)]);
    json_bool(o, "is_suspended", r->is_suspended);
    json_day(o, "end_on", r->end_on);
    json_day(o, "delete_on", r->delete_on);
    json_moment(o, "created_at", r->created_at);
    json_close(o, '}');
}

static void print_row(struct command *c, const struct ctx *x,
                      const struct tenant_directory_row *r, bool as_json)
{
    struct json_out o = {.b = &c->out};

    if (as_json) {
        put_row(&o, r, x->now_us);
        buf_putc(&c->out, '\n');
    } else {
        buf_printf(&c->out, "%-32s %-24s %-22s %s\n", r->id,
                   r->host ? r->host : "(by path)",
                   tenant_directory_say_status(x, r), r->name);
    }
}

static enum err run_list(struct command *c, bool as_json)
{
    struct ctx x = server_process_ctx(c->mem, &system_actor);
    const struct tenant_directory_row *rows;
    size_t count;
    enum err e = tenant_directory_list(&x, c->app->store, &rows, &count);

    for (size_t i = 0; !e && i < count; i++)
        print_row(c, &x, &rows[i], as_json);
    if (e)
        command_complain(c, &x, e);
    return e;
}

static enum err run_show(struct command *c, const char *id, bool as_json)
{
    struct ctx x = server_process_ctx(c->mem, &system_actor);
    struct tenant_directory_row row;
    enum err e = tenant_directory_get(&x, c->app->store, id, &row);

    if (e)
        command_complain_tenant(c, id, e);
    else
        print_row(c, &x, &row, as_json);
    return e;
}

/* A refused value is named as it was typed. */
static void name_flags(struct ctx *x)
{
    static const char *const flags[][2] = {
        {"admin_email", "--admin-email"},
        {"admin_name", "--admin-name"},
        {"name", "--name"},
        {"host", "--host"},
        {"reason", "--reason"},
        {"end_on", "--end"},
        {"delete_on", "--delete"},
    };

    for (struct failure *f = x->fail; f; f = f->next)
        for (size_t i = 0; i < COUNT(flags); i++)
            if (strcmp(f->field, flags[i][0]) == 0)
                f->field = flags[i][1];
}

/* Whoever shut everybody out by a wrong list of addresses asks for this. */
static enum err run_clear_allow_list(struct command *c, const char *id)
{
    struct actor actor = system_actor;
    struct tenant *t;
    size_t removed = 0;

    actor.tenant = id;
    struct ctx x = server_process_ctx(c->mem, &actor);
    enum err e = tenant_open(c->app->store, id, &t);
    if (!e) {
        if (!(e = tx_begin(&x, t, TX_WRITE)))
            e = tx_end(&x, t, allow_list_clear(&x, &removed));
        tenant_close(t);
    }
    if (e)
        command_complain(c, &x, e);
    else
        buf_printf(&c->out,
                   "tenant %s: %zu ranges removed; requests are accepted from"
                   " any address\n",
                   id, removed);
    return e;
}

static enum err complain(struct command *c, struct ctx *x, enum err e)
{
    name_flags(x);
    command_complain(c, x, e);
    return e;
}

/* By the same form as a request's body. */
static enum err parse(struct command *c, struct ctx *x, const struct form *form,
                      const char *const *cells, const struct values **out)
{
    enum err e = values_parse_cells(x, form, cells, out);

    return e ? complain(c, x, e) : OK;
}

static enum err run_create(struct command *c,
                           const struct tenant_directory_create *asked)
{
    struct actor actor = system_actor;
    struct tenant_directory_create what = *asked;
    const char *cells[] = {what.id,          what.name,       what.host,
                           what.admin_email, what.admin_name, NULL};
    const struct values *v = NULL;
    struct ctx x = server_process_ctx(c->mem, &actor);
    enum err e = parse(c, &x, &customer_form, cells, &v);

    if (e)
        return e;
    what.name = values_text(v, "name");
    what.admin_name = values_text(v, "admin_name");
    actor.tenant = what.id;
    actor.base_url = LINK_BASE;
    if ((e = customer_make(&x, c->app, &what)))
        return complain(c, &x, e);
    tenant_directory_find_sole(c->app, c->mem);
    buf_printf(&c->out, "tenant %s created; the invitation to %s leaves %s\n",
               what.id, what.admin_email,
               c->is_served ? "now" : "with the next start of the server");
    return OK;
}

/* ---- the contract ---- */

static enum err say(struct command *c, struct ctx *x, enum err e,
                    const char *id, const char *what)
{
    if (e)
        return complain(c, x, e);
    if (c->app->scheduler)
        scheduler_wake(c->app->scheduler);
    buf_printf(&c->out, "tenant %s %s\n", id, what);
    return OK;
}

static enum err run_suspend(struct command *c, const char *id,
                            const char *reason, const char *name)
{
    struct ctx x = server_process_ctx(c->mem, &system_actor);
    const char *cells[] = {reason, name};
    const struct values *v = NULL;
    enum err e = parse(c, &x, &suspension_form, cells, &v);

    return e ? e
             : say(c, &x, contract_suspend(&x, c->app, id, v), id,
                   "suspended; its data is kept");
}

static enum err run_resume(struct command *c, const char *id)
{
    struct ctx x = server_process_ctx(c->mem, &system_actor);

    return say(c, &x, contract_resume(&x, c->app, id), id, "resumed");
}

static enum err run_withdraw(struct command *c, const char *id)
{
    struct ctx x = server_process_ctx(c->mem, &system_actor);

    return say(c, &x, contract_withdraw(&x, c->app, id, CONTRACT_OPERATOR), id,
               "goes on: the end is withdrawn");
}

static enum err run_terminate(struct command *c, const char *id,
                              const char *end, const char *gone,
                              const char *name)
{
    struct ctx x = server_process_ctx(c->mem, &system_actor);
    const char *cells[] = {end, gone, name};
    const struct values *v = NULL;
    struct contract_view view;
    char day[2][11];
    enum err e = parse(c, &x, &termination_form, cells, &v);

    if (e)
        return e;
    if ((e = contract_end(&x, c->app, id, CONTRACT_OPERATOR, v)) ||
        (e = contract_get(&x, c->app, id, &view)))
        return say(c, &x, e, id, "");
    civil_format(view.termination.end_on, day[0]);
    civil_format(view.termination.delete_on, day[1]);
    return say(c, &x, OK, id,
               arena_printf(c->mem,
                            "ends with %s; it is deleted on %s once the "
                            "customer has confirmed, or an operator at the "
                            "console after 24 hours",
                            day[0], day[1]));
}

/* ---- the words ---- */

struct words {
    const char *verb, *lang, *out, *as; /* as: the id an import gets */
    const char *reason, *end, *gone;
    struct tenant_directory_create what;
    bool as_json;
};

static bool is_whole(const struct words *w)
{
    const struct tenant_directory_create *what = &w->what;

    if (strcmp(w->verb, "list") == 0)
        return true;
    if (strcmp(w->verb, "show") == 0 || strcmp(w->verb, "resume") == 0 ||
        strcmp(w->verb, "withdraw") == 0 ||
        strcmp(w->verb, "clear-allow-list") == 0)
        return what->id;
    if (strcmp(w->verb, "export") == 0)
        return what->id && w->out;
    if (strcmp(w->verb, "import") == 0)
        return what->id && w->as; /* id: the file */
    if (strcmp(w->verb, "suspend") == 0)
        return what->id && what->name && w->reason;
    if (strcmp(w->verb, "terminate") == 0)
        return what->id && what->name && w->end;
    return strcmp(w->verb, "create") == 0 && what->id && what->name &&
           what->admin_email && what->admin_name;
}

static const char *const verbs[] = {
    "create", "list",      "show",     "suspend",
    "resume", "terminate", "withdraw", "clear-allow-list",
    "export", "import",    NULL};

/* false: said on stderr what is wrong. */
static bool read_words(struct words *w, int argc, char **argv)
{
    const struct option_spec specs[] = {
        {"name", &w->what.name, NULL, "the customer's name"},
        {"host", &w->what.host, NULL, "own host name (else by path /t/ID)"},
        {"admin-email", &w->what.admin_email, NULL,
         "first master administrator"},
        {"admin-name", &w->what.admin_name, NULL, "that person's name"},
        {"lang", &w->lang, NULL, "ja or en"},
        {"out", &w->out, NULL, "export: the file to write"},
        {"id", &w->as, NULL, "import: id of the new tenant"},
        {"reason", &w->reason, NULL, "why it is suspended"},
        {"end", &w->end, NULL, "last day of use, 2026-12-31"},
        {"delete", &w->gone, NULL,
         "day of the deletion (else 30 days after the end)"},
        {"json", NULL, &w->as_json, "one JSON object a line"},
    };
    const char *usage = "tenant create ID --name N --admin-email E "
                        "--admin-name N | list | show ID | suspend ID --name "
                        "N --reason R | resume ID | terminate ID --name N "
                        "--end D [--delete D] | withdraw ID | clear-allow-list "
                        "ID | export ID --out FILE | import FILE --id NEW "
                        "[--host H]";

    *w = (struct words){.verb = "", .lang = "ja"};
    argc = option_parse(usage, specs, COUNT(specs), argc, argv);
    if (argc > 0)
        w->verb = argv[0];
    w->what.id = argc > 1 ? argv[1] : NULL;
    w->what.lang = strcmp(w->lang, "en") == 0 ? LANG_EN : LANG_JA;
    if (argc > 0 && argc < 3 && is_whole(w))
        return true;
    if (argc > 0)
        option_name_unknown("tenant", verbs, w->verb);
    if (argc >= 0)
        fprintf(stderr, "usage: yagura %s\n", usage);
    return false;
}

static enum err run_of_contract(struct command *c, const struct words *w)
{
    const char *id = w->what.id;

    if (strcmp(w->verb, "suspend") == 0)
        return run_suspend(c, id, w->reason, w->what.name);
    if (strcmp(w->verb, "terminate") == 0)
        return run_terminate(c, id, w->end, w->gone, w->what.name);
    return strcmp(w->verb, "resume") == 0 ? run_resume(c, id)
                                          : run_withdraw(c, id);
}

int tenant_run(struct command *c, int argc, char **argv)
{
    struct words w;
    enum err e;

    if (!read_words(&w, argc, argv))
        return 2;
    if (strcmp(w.verb, "list") == 0)
        e = run_list(c, w.as_json);
    else if (strcmp(w.verb, "show") == 0)
        e = run_show(c, w.what.id, w.as_json);
    else if (strcmp(w.verb, "create") == 0)
        e = run_create(c, &w.what);
    else if (strcmp(w.verb, "export") == 0)
        e = tenant_archive_export(c, w.what.id);
    else if (strcmp(w.verb, "import") == 0)
        e = tenant_archive_import(c, w.as, w.what.host);
    else if (strcmp(w.verb, "clear-allow-list") == 0)
        e = run_clear_allow_list(c, w.what.id);
    else
        e = run_of_contract(c, &w);
    return e ? 1 : 0;
}

/* The file of an export or import is opened here, by whoever typed it. */
static int run_with_file(struct server_process *p, const struct config *config,
                         const struct words *w, int argc, char **argv)
{
    bool is_export = strcmp(w->verb, "export") == 0;
    int file = -1, code = 1;

    if (!w->what.id || (!is_export && strcmp(w->verb, "import") != 0))
        return command_do(p, config, "tenant", argc, argv, -1);
    file = is_export ? tenant_archive_create(w->out)
                     : open(w->what.id, O_RDONLY | O_CLOEXEC);
    if (file < 0 && !is_export)
        fprintf(stderr, "yagura: %s cannot be read: %s\n", w->what.id,
                strerror(errno));
    if (file < 0)
        return 1;
    code = command_do(p, config, "tenant", argc, argv, file);
    if (code == 0 && is_export)
        code = tenant_archive_name(file, w->out);
    (void)close(file);
    return code;
}

int cli_tenant(int argc, char **argv)
{
    struct server_process p = {.mem = arena_open(1u << 30)};
    struct config config;
    struct words w;
    int code = 2;

    if (!config_load(p.mem, &argc, argv, &config) &&
        read_words(&w, argc, command_copy_words(p.mem, argc, argv))) {
        p.may_found =
            strcmp(w.verb, "create") == 0 || strcmp(w.verb, "import") == 0;
        code = run_with_file(&p, &config, &w, argc, argv);
    }
    server_process_close(&p);
    return code;
}
