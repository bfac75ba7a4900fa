/* SPDX-License-Identifier: Apache-2.0 */
/* `yagura demo`: a sample company on loopback, plain HTTP, mail captured and
 * shown.  It lives in a directory marked as evaluation, which `serve` refuses;
 * the first passwords are kept there for the next start. */
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/config_backup.h"
#include "cli/option.h"
#include "cli/sample.h"
#include "cli/server_process.h"
#include "core/scheduler.h"
#include "core/tenant/tenant_directory.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the file with the accounts ---- */

/* The company's people, and after them the operator. */
enum { DEMO_OPERATOR = SAMPLE_ACCOUNTS, DEMO_ACCOUNTS };
enum { SAMPLE_ARENA_MAX = 512 << 20 };

static void put_account(struct json_out *o, const char *name,
                        const struct sample_account *account)
{
    json_open(o, name, '{');
    json_text(o, "email", account->email);
    json_text(o, "name", account->name);
    json_text(o, "role", account->role);
    json_text(o, "password", account->password);
    json_close(o, '}');
}

static void put_accounts(struct json_out *o,
                         const struct sample_account *accounts)
{
    json_open(o, "accounts", '[');
    for (int i = 0; i < SAMPLE_ACCOUNTS; i++)
        put_account(o, NULL, &accounts[i]);
    json_close(o, ']');
    put_account(o, "operator", &accounts[DEMO_OPERATOR]);
}

static enum err save_accounts(struct arena *mem, const char *path,
                              const struct sample_account *accounts)
{
    struct buf b = buf_in(mem);
    struct json_out o = {.b = &b};
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    json_open(&o, NULL, '{');
    put_accounts(&o, accounts);
    json_close(&o, '}');
    bool good = fd >= 0 && write(fd, b.data, b.len) == (ssize_t)b.len;
    if (fd >= 0)
        good = close(fd) == 0 && good;
    return good ? OK : ERR_INTERNAL;
}

static void read_account(const struct json *a, struct sample_account *out)
{
    out->email = json_get(a, "email")->text;
    out->name = json_get(a, "name")->text;
    out->role = json_get(a, "role")->text;
    snprintf(out->password, sizeof(out->password), "%s",
             json_get(a, "password")->text);
}

static bool load_accounts(struct arena *mem, const char *path,
                          struct sample_account *accounts)
{
    char *text = arena_alloc(mem, 16384);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, 16383);
    int n = 0;

    if (fd >= 0)
        (void)close(fd);
    if (len <= 0)
        return false;
    const struct json *root = json_parse(mem, text, (size_t)len, NULL);
    const struct json *list = root ? json_get(root, "accounts") : NULL;
    for (const struct json *a = list ? list->child : NULL;
         a && n < SAMPLE_ACCOUNTS; a = a->next, n++)
        read_account(a, &accounts[n]);
    const struct json *oper = root ? json_get(root, "operator") : NULL;
    if (oper)
        read_account(oper, &accounts[DEMO_OPERATOR]);
    return oper && n == SAMPLE_ACCOUNTS;
}

/* ---- what is printed ---- */

static const char *console_url(struct server_process *p)
{
    return arena_printf(p->mem, "http://localhost:%d/operator",
                        server_port(p->app.server, 0));
}

static void print_json(struct server_process *p, const char *url,
                       const struct sample_account *accounts)
{
    struct buf b = buf_in(p->mem);
    struct json_out o = {.b = &b};

    json_open(&o, NULL, '{');
    json_text(&o, "url", url);
    json_text(&o, "tenant", sample_tenant);
    put_accounts(&o, accounts);
    json_text(&o, "console", console_url(p));
    json_text(&o, "mail", arena_printf(p->mem, "%s/demo/mail", url));
    json_text(&o, "mail_api", arena_printf(p->mem, "%s/api/v1/demo/mail", url));
    json_close(&o, '}');
    printf("%s\n", b.data);
    (void)fflush(stdout);
}

static void print_text(struct server_process *p, const char *url,
                       const struct sample_account *accounts)
{
    const struct sample_account *oper = &accounts[DEMO_OPERATOR];

    printf("\n  櫓 Yagura  %s/\n\n", url);
    for (int i = 0; i < SAMPLE_ACCOUNTS; i++)
        printf("  %-14s %-24s %s\n", accounts[i].role, accounts[i].email,
               accounts[i].password);
    printf("\n  運用者の画面 / the operator's console  %s/\n"
           "  %-14s %-24s %s\n",
           console_url(p), oper->role, oper->email, oper->password);
    printf("\n  確認コードのメール / mail with the sign-in code:\n"
           "  %s/demo/mail\n\n  Ctrl+C で終了 / ends it\n\n",
           url);
    (void)fflush(stdout);
}

/* ---- start ---- */

static enum err make_sample(struct server_process *p, const char *path,
                            struct sample_account *accounts)
{
    static const struct actor nobody = {.name = "",
                                        .ip = "",
                                        .request_id = "demo",
                                        .tenant = STORE_OPERATOR,
                                        .base_url = ""};
    struct sample_account *oper = &accounts[DEMO_OPERATOR];
    /* its end tells the workers of the mails, so it comes before theirs */
    struct arena *mem = arena_open(SAMPLE_ARENA_MAX);
    struct ctx c = server_process_ctx(mem, &nobody);
    struct sample_stage stage = {.c = &c, .app = &p->app, .now_us = c.now_us};

    fprintf(stderr, "making the sample company …\n");
    enum err e = sample_operator(&stage, p->setup_token, oper);
    if (!e)
        e = sample_create(&stage, accounts);
    if (!e)
        e = sample_finish(&stage, oper);
    if (e)
        server_process_complain(&c, e);
    arena_close(mem);
    return e ? e : save_accounts(p->mem, path, accounts);
}

static enum err check_file(struct server_process *p)
{
    struct tenant *t;
    enum err e = tenant_open(p->app.store, sample_tenant, &t);

    if (e)
        return e;
    e = tenant_check(t);
    tenant_close(t);
    fprintf(stderr, "integrity check: %s\n", e ? "failed" : "ok");
    return e;
}

/* Where backups are copied to, and where the machine is, can be tried in a demo
 * too: by YAGURA_BACKUP_… and YAGURA_…_REGION in the environment. */
static enum err set_up_places(struct server_process *p, const char *dir)
{
    struct config config;
    int none = 0;
    enum err e = config_load(p->mem, &none, NULL, &config);

    config.data_dir = dir;
    p->app.operator_name = config.operator_name;
    p->app.data_region = config.data_region;
    p->app.backup_region = config.backup_region;
    p->app.log_region = config.log_region;
    return e ? e : config_set_up_backup(p->mem, &config, &p->app.backup);
}

static enum err start(struct server_process *p, const char *dir, int port,
                      bool check, struct sample_account *accounts)
{
    struct store_config sc = {.dir = dir,
                              .master_key_path =
                                  arena_printf(p->mem, "%s.key", dir),
                              .kind = STORE_EVALUATION,
                              .create = true};
    const char *path = arena_printf(p->mem, "%s/accounts.json", dir);
    struct listener *l = arena_new(p->mem, struct listener);
    enum err e = set_up_places(p, dir);

    if (!e)
        e = store_open(&sc, &p->app.store);
    p->app.around = (struct surroundings){.data_dir = dir,
                                          .master_key = sc.master_key_path};
    if (e || (e = server_process_open(p)))
        return e;
    if (check && (e = check_file(p)))
        return e;
    *l = (struct listener){.address = "127.0.0.1", .port = port};
    p->server.listeners = l;
    p->server.listener_count = 1;
    p->app.is_demo = true;
    p->app.operator_listener = -1;
    if ((e = server_process_start(p)))
        return e;
    if (load_accounts(p->mem, path, accounts))
        return OK;
    e = make_sample(p, path, accounts);
    if (p->scheduler)
        scheduler_wake(p->scheduler); /* a tenant more to look after */
    return e;
}

int cli_demo(int argc, char **argv)
{
    struct server_process p = {.mem = arena_open(0)};
    struct sample_account accounts[DEMO_ACCOUNTS] = {0};
    const char *port_text = "8080", *dir = "yagura-demo";
    bool as_json = false, check = false, make = false;
    const struct option_spec specs[] = {
        {"port", &port_text, NULL, "0 takes any free one (8080)"},
        {"data", &dir, NULL, "evaluation data directory (yagura-demo)"},
        {"json", NULL, &as_json, "one JSON line once it is ready"},
        {"check", NULL, &check, "check the integrity of the file first"},
        {"make", NULL, &make, "make the company, for a later start"},
    };
    int64_t port;

    argc = option_parse("demo [--json] [--make] [--port N] [--data DIR]", specs,
                        COUNT(specs), argc, argv);
    if (argc != 0 || !str_parse_int(port_text, 0, 65535, &port))
        return 2;
    server_process_block_signals();
    p.is_making = make;
    enum err e = start(&p, dir, (int)port, check, accounts);
    if (e) {
        fprintf(stderr, "yagura: the demo cannot start in %s: %s\n", dir,
                err_name(e));
        if (e == ERR_BUSY)
            fprintf(stderr, "if an older build made it: remove it, or name"
                            " another directory with --data\n");
    } else if (!make) {
        const char *url =
            tenant_directory_url(p.mem, p.app.base_url, sample_tenant, NULL);
        if (as_json)
            print_json(&p, url, accounts);
        else
            print_text(&p, url, accounts);
        server_process_wait(&p);
    }
    server_process_close(&p);
    return e ? 1 : 0;
}
