/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#include "cli/config_listen.h"
#include "cli/control.h"

#include <stdio.h>
#include <string.h>

static int reload_run(struct command *c, int argc, char **argv)
{
    enum err e = c->is_served ? server_process_reload() : ERR_NOT_FOUND;

    (void)argc;
    (void)argv;
    if (e)
        buf_puts(&c->err, "yagura: not taken over, the server's log says what "
                          "and why; what is in use stays\n");
    return e ? 1 : 0;
}

static const struct {
    const char *name;
    int (*run)(struct command *c, int argc, char **argv);
} commands[] = {
    {"tenant", tenant_run},
    {"import", import_run},
    {"backup", backup_run_command},
    {"doctor", doctor_run_command},
    {"certificate", certificate_run},
    {"key", key_run},
    {"log", log_run},
    {"reload", reload_run},
};

int command_run(struct command *c, const char *name, int argc, char **argv)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(c, argc, argv);
    buf_printf(&c->err, "yagura: the server knows no command %s\n", name);
    return 2;
}

static void print(const struct buf *text, FILE *where)
{
    if (text->len > 0)
        (void)fwrite(text->data, 1, text->len, where);
}

static int run_here(struct server_process *p, const struct config *config,
                    const char *name, int argc, char **argv, int file)
{
    struct command c = {.app = &p->app,
                        .mem = p->mem,
                        .file = file,
                        .out = buf_in(p->mem),
                        .err = buf_in(p->mem)};

    if (server_process_open_store(p, config))
        return 1;
    if (!p->app.base_url)
        p->app.base_url = config_base_url(p->mem, config);
    p->app.operator_host = config->operator_host;
    struct listen_plan *plan = arena_new(p->mem, struct listen_plan);
    if (!config_read_listeners(p->mem, config, plan))
        return 1;
    for (size_t i = 0; i < plan->count; i++) {
        p->app.listener_tenants[i] = plan->tenants[i];
        p->app.listener_ports[i] = plan->list[i].port;
    }
    int code = command_run(&c, name, argc, argv);
    print(&c.out, stdout);
    print(&c.err, stderr);
    return code;
}

int command_do(struct server_process *p, const struct config *config,
               const char *name, int argc, char **argv, int file)
{
    int code = control_ask(config->data_dir, name, argc, argv, file);

    return code >= 0 ? code : run_here(p, config, name, argc, argv, file);
}

char **command_copy_words(struct arena *mem, int argc, char **argv)
{
    return arena_copy(mem, argv, (size_t)argc * sizeof *argv);
}

const char *command_explain(enum err e)
{
    return e == ERR_BUSY ? "a file was made by another version or build of "
                           "Yagura, or is in use: the log says which"
                         : err_name(e);
}

void command_complain_tenant(struct command *c, const char *id, enum err e)
{
    if (e == ERR_NOT_FOUND)
        buf_printf(&c->err, "yagura: there is no tenant %s\n", id);
    else
        buf_printf(&c->err, "yagura: tenant %s: %s\n", id, command_explain(e));
}

void command_complain(struct command *c, const struct ctx *x, enum err e)
{
    buf_printf(&c->err, "yagura: %s\n",
               x->fail ? err_name(e) : command_explain(e));
    for (const struct failure *f = x->fail; f; f = f->next)
        buf_printf(&c->err, "  %s%s%s\n", f->field, *f->field ? ": " : "",
                   f->message);
}
