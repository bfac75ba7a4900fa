/* SPDX-License-Identifier: Apache-2.0 */
/* `yagura tenant create|list|show|clear-allow-list`: on a data directory that no server holds
 * at the moment. */
#include "base/clock.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/option.h"
#include "cli/process.h"
#include "core/allow_list.h"
#include "core/registry.h"

#include <stdio.h>
#include <string.h>

static const struct actor system_actor = {.name = "system",
                                          .ip = "",
                                          .request_id = "cli",
                                          .tenant = "",
                                          .base_url = "",
                                          .lang = LANG_EN};

static void put_row(struct json_out *o, const struct registry_row *r)
{
    static const char *const states[] = {"making", "open", "closed"};

    json_open(o, NULL, '{');
    json_text(o, "id", r->id);
    json_text(o, "name", r->name);
    json_text(o, "host", r->host);
    json_text(o, "state", states[r->state]);
    json_moment(o, "created_at", r->created_at);
    json_close(o, '}');
}

static void print_row(struct process *p, const struct registry_row *r,
                      bool as_json)
{
    struct buf b = buf_in(p->mem);
    struct json_out o = {.b = &b};

    if (as_json) {
        put_row(&o, r);
        printf("%s\n", b.data);
    } else {
        printf("%-32s %-24s %s\n", r->id, r->host ? r->host : "(by path)",
               r->name);
    }
}

static enum err run_list(struct process *p, struct ctx *c, bool as_json)
{
    const struct registry_row *rows;
    size_t count;
    enum err e = registry_list(c, p->app.store, &rows, &count);

    for (size_t i = 0; !e && i < count; i++)
        print_row(p, &rows[i], as_json);
    return e;
}

static enum err run_show(struct process *p, struct ctx *c, const char *id,
                         bool as_json)
{
    struct registry_row row;
    enum err e = registry_get(c, p->app.store, id, &row);

    if (e)
        fprintf(stderr, "yagura: there is no tenant %s (%s)\n", id,
                err_name(e));
    else
        print_row(p, &row, as_json);
    return e;
}

static enum err run_create(struct process *p, const struct config *config,
                           const struct registry_create *what)
{
    struct actor actor = system_actor;
    actor.tenant = what->id;
    actor.base_url = registry_url(p->mem, config_base_url(p->mem, config),
                                  what->id, what->host);
    struct ctx c = process_ctx(p->mem, &actor);
    enum err e = registry_create(&c, &p->app, what);

    if (e)
        process_complain(&c, e);
    else
        printf("tenant %s created; the invitation to %s leaves with the next "
               "start of the server\n",
               what->id, what->admin_email);
    return e;
}

/* Whoever shut everybody out by a wrong list of addresses asks for this. */
static enum err run_clear_allow_list(struct process *p, const char *id)
{
    struct actor actor = system_actor;
    struct tenant *t;
    size_t removed = 0;

    actor.tenant = id;
    struct ctx c = process_ctx(p->mem, &actor);
    enum err e = tenant_open(p->app.store, id, &t);
    if (!e) {
        if (!(e = tx_begin(&c, t, TX_WRITE)))
            e = tx_end(&c, t, allow_list_clear(&c, &removed));
        tenant_close(t);
    }
    if (e)
        process_complain(&c, e);
    else
        printf("tenant %s: %zu ranges removed; requests are accepted from any "
               "address\n",
               id, removed);
    return e;
}

int cli_tenant(int argc, char **argv)
{
    struct process p = {.mem = arena_open(0)};
    struct registry_create what = {.name = NULL};
    const char *lang = "ja";
    bool as_json = false;
    const struct option_spec specs[] = {
        {"name",        &what.name,        NULL,     "the customer's name"               },
        {"host",        &what.host,        NULL,     "own host name (else by path /t/ID)"},
        {"admin-email", &what.admin_email, NULL,     "first master administrator"        },
        {"admin-name",  &what.admin_name,  NULL,     "that person's name"                },
        {"lang",        &lang,             NULL,     "ja or en"                          },
        {"json",        NULL,              &as_json, "one JSON object a line"            },
    };
    const char *usage = "tenant create ID --name N --admin-email E "
                        "--admin-name N | list | show ID | clear-allow-list ID";
    struct config config;
    struct ctx c = process_ctx(p.mem, &system_actor);
    enum err e = config_load(p.mem, &argc, argv, &config);

    argc = e ? -1 : option_parse(usage, specs, COUNT(specs), argc, argv);
    if (argc < 1)
        return 2;
    what.id = argc > 1 ? argv[1] : NULL;
    what.lang = strcmp(lang, "en") == 0 ? LANG_EN : LANG_JA;
    if ((e = process_open_store(&p, &config)))
        ; /* said already */
    else if (strcmp(argv[0], "list") == 0)
        e = run_list(&p, &c, as_json);
    else if (strcmp(argv[0], "show") == 0 && what.id)
        e = run_show(&p, &c, what.id, as_json);
    else if (strcmp(argv[0], "clear-allow-list") == 0 && what.id)
        e = run_clear_allow_list(&p, what.id);
    else if (strcmp(argv[0], "create") == 0 && what.id && what.name &&
             what.admin_email && what.admin_name)
        e = run_create(&p, &config, &what);
    else
        fprintf(stderr, "usage: yagura %s\n", usage);
    process_close(&p);
    return e ? 1 : 0;
}
