/* SPDX-License-Identifier: Apache-2.0 */
/* `yagura key rewrap|rotate`, whether or not a server holds the data
 * directory. */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/option.h"
#include "core/contract/master_key.h"

#include <stdio.h>
#include <string.h>

static const struct actor system_actor = {.name = "system",
                                          .ip = "",
                                          .request_id = "cli",
                                          .tenant = STORE_OPERATOR,
                                          .base_url = "",
                                          .lang = LANG_EN};
static const char usage[] = "key rewrap [--json] | rotate --tenant ID [--json]";

struct words {
    const char *verb, *tenant;
    bool as_json;
};

static enum err run_rewrap(struct command *c, struct ctx *x, bool as_json)
{
    struct json_out o = {.b = &c->out};
    struct rewrap_done done;
    char mark[17];
    enum err e = master_key_rewrap(x, c->app, &done);

    if (e)
        return e;
    store_key_mark(c->app->store, mark);
    if (!as_json) {
        buf_printf(&c->out,
                   "%zu keys wrapped by a fresh master key; opened by none: "
                   "%zu\ncopy the master key off this machine again (its "
                   "sha256sum begins with %s), destroy the older copies, then "
                   "yagura doctor --confirm-key-copy\n",
                   done.wrapped, done.unopened, mark);
        return OK;
    }
    json_open(&o, NULL, '{');
    json_int(&o, "keys", (int64_t)done.keys);
    json_int(&o, "wrapped", (int64_t)done.wrapped);
    json_int(&o, "unopened", (int64_t)done.unopened);
    json_text(&o, "key_mark", mark);
    json_close(&o, '}');
    buf_putc(&c->out, '\n');
    return OK;
}

static enum err run_rotate(struct command *c, struct ctx *x,
                           const struct words *w)
{
    struct json_out o = {.b = &c->out};
    enum err e = master_key_rotate(x, c->app, w->tenant);

    if (e)
        return e;
    if (!w->as_json) {
        buf_printf(&c->out,
                   "%s has fresh keys; backups made before keep theirs until "
                   "they go\n",
                   w->tenant);
        return OK;
    }
    json_open(&o, NULL, '{');
    json_text(&o, "tenant", w->tenant);
    json_close(&o, '}');
    buf_putc(&c->out, '\n');
    return OK;
}

static bool read_words(struct words *w, int argc, char **argv)
{
    static const char *const verbs[] = {"rewrap", "rotate", NULL};
    const struct option_spec specs[] = {
        {"tenant", &w->tenant, NULL, "whose keys"},
        {"json", NULL, &w->as_json, "one JSON object"},
    };

    *w = (struct words){.verb = ""};
    argc = option_parse(usage, specs, COUNT(specs), argc, argv);
    if (argc > 0) {
        option_name_unknown("key", verbs, argv[0]);
        w->verb = argv[0];
    }
    if (argc == 1 && strcmp(w->verb, w->tenant ? "rotate" : "rewrap") == 0)
        return true;
    if (argc >= 0)
        fprintf(stderr, "usage: yagura %s\n", usage);
    return false;
}

int key_run(struct command *c, int argc, char **argv)
{
    struct ctx x = server_process_ctx(c->mem, &system_actor);
    struct words w;

    if (!read_words(&w, argc, argv))
        return 2;
    enum err e =
        w.tenant ? run_rotate(c, &x, &w) : run_rewrap(c, &x, w.as_json);
    if (e)
        command_complain(c, &x, e);
    return e ? 1 : 0;
}

int cli_key(int argc, char **argv)
{
    struct server_process p = {.mem = arena_open(0)};
    struct config config;
    struct words w;
    int code = 2;

    if (!config_load(p.mem, &argc, argv, &config) &&
        read_words(&w, argc, command_copy_words(p.mem, argc, argv)))
        code = command_do(&p, &config, "key", argc, argv, -1);
    server_process_close(&p);
    return code;
}
