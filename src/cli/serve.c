/* SPDX-License-Identifier: Apache-2.0 */
/* `yagura serve`: the service, from its configuration. */
#include "base/ip_address.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "base/str.h"
#include "base/tls.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/config_backup.h"
#include "cli/config_listen.h"
#include "cli/control.h"
#include "cli/hold.h"
#include "cli/option.h"
#include "cli/server_process.h"
#include "core/tenant/tenant_directory.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum err ensure_certificate(struct server_process *p, struct config *c)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "::1"};
    char fingerprint[96];

    if (c->cert)
        return OK;
    c->cert = arena_printf(p->mem, "%s/tls.crt", c->data_dir);
    c->cert_key = arena_printf(p->mem, "%s/tls.key", c->data_dir);
    if (access(c->cert, R_OK) == 0)
        return OK;
    enum err e = tls_make_certificate(c->cert, c->cert_key, names, COUNT(names),
                                      fingerprint);
    if (!e)
        fprintf(stderr, "self-signed certificate made, SHA-256 %s\n",
                fingerprint);
    return e;
}

/* What serve was started with. */
struct words {
    int count;
    char **list;
    struct config config;
};

/* The host of base_url when it is a whole name and no address; else NULL, and
 * the sender's does. */
static const char *find_mail_name(struct arena *mem, const char *base_url)
{
    const char *host = strstr(base_url, "://");
    const char *start = host ? host + 3 : base_url;
    const char *name = arena_strndup(mem, start, strcspn(start, ":/"));
    const char *dot = strrchr(name, '.');
    struct ip_address a;

    return dot && dot[1] && *name != '[' && !ip_address_parse(name, &a) ? name
                                                                        : NULL;
}

static enum err make_mail(struct server_process *p, const struct config *c,
                          const struct smtp_config **out)
{
    struct smtp_config *m = arena_new(p->mem, struct smtp_config);
    int64_t port = 0;

    m->host = c->smtp_host;
    if (!str_parse_int(c->smtp_port, 1, 65535, &port))
        return ERR_INVALID;
    m->port = (int)port;
    m->security = strcmp(c->smtp_security, "starttls") == 0 ? SMTP_STARTTLS
                  : strcmp(c->smtp_security, "plain") == 0 ? SMTP_PLAIN_LOOPBACK
                                                           : SMTP_TLS;
    m->user = c->smtp_user;
    m->ca_file = c->smtp_ca;
    m->from = c->smtp_from ? c->smtp_from : "yagura@localhost";
    m->from_name = c->smtp_from_name;
    m->name = c->base_url ? find_mail_name(p->mem, c->base_url) : NULL;
    m->spool_dir = c->mail_spool;
    m->stop = p->app.mail_stop;
    *out = m;
    if (c->smtp_user)
        return config_read_secret(p->mem, c->smtp_password_file, 027,
                                  &m->password);
    return OK;
}

static enum err set_up_mail(struct server_process *p, const struct config *c)
{
    const struct smtp_config *mail = NULL;
    p->app.mail_stop = smtp_stop_open();
    enum err e = make_mail(p, c, &mail);

    p->app.mail = mail;
    return e;
}

/* A file that a later mail needs, now that the sandbox is what it is. */
static bool may_read(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        log_complain("yagura: cannot read %s: a file in another folder "
                     "takes a restart",
                     path);
    else
        (void)close(fd);
    return fd >= 0;
}

/* What a running server takes over: mail and the log's level.  Both lists of
 * words live as long as the process, for a mail may be on its way. */
static bool reload(struct server_process *p)
{
    struct words *w = p->reload_arg;
    const struct smtp_config *mail = NULL, *old = p->app.mail;
    struct config c;
    int argc = w->count;
    char **argv = arena_copy(p->mem, w->list, (size_t)argc * sizeof *argv);

    if (config_load(p->mem, &argc, argv, &c) || !config_check(&c) ||
        make_mail(p, &c, &mail) ||
        (strcmp(mail->ca_file, old->ca_file) != 0 &&
         !may_read(mail->ca_file))) {
        log_error("configuration not taken over: the one in use stays");
        return false;
    }
    config_set_log_level(&c);
    bool needs_restart = !old->spool_dir && !mail->spool_dir && c.smtp_host &&
                         old->host && mail->port != old->port;
    if (old->spool_dir || mail->spool_dir)
        log_info("mails go into a folder: smtp keys are of no effect");
    else if (needs_restart)
        log_error("smtp_port=%d needs a restart: this process may not connect"
                  " there",
                  mail->port);
    else
        p->app.mail = mail;
    log_info("configuration read again: mail, log_level");
    config_tell_changes(&w->config, &c);
    return !needs_restart;
}

/* The values were checked by config_check(). */
static enum err set_up_listeners(struct server_process *p,
                                 const struct config *c)
{
    struct listen_plan *l = arena_new(p->mem, struct listen_plan);
    int64_t threads = 0;

    if (!config_read_listeners(p->mem, c, l))
        return ERR_INVALID;
    for (size_t i = 0; i < l->count; i++)
        p->app.listener_tenants[i] = l->tenants[i];
    p->app.operator_listener = l->operator_listener;
    if (c->threads && !str_parse_int(c->threads, 1, 4096, &threads))
        return ERR_INVALID;
    p->server.listeners = l->list;
    p->server.listener_count = l->count;
    p->server.max_threads = (int)threads;
    p->server.owns_domain = strcmp(c->domain_is_own, "yes") == 0;
    p->server.cert_path = c->cert;
    p->server.key_path = c->cert_key;
    p->server.trusted_proxies = config_split(p->mem, c->trusted_proxies);
    return OK;
}

static void set_up_floor(struct auth_policy_floor *floor,
                         const struct config *c)
{
    int64_t min = 0, days = 0;

    floor->is_modern = strcmp(c->password_profile, "modern") == 0;
    if (c->password_min && str_parse_int(c->password_min, 8, 128, &min))
        floor->min = (int)min;
    if (c->password_days && str_parse_int(c->password_days, 1, 3650, &days))
        floor->days = (int)days;
}

/* Where the console answers: tenant_resolver_find() in api/dispatch/tenant_resolver.c says the same. */
static const char *find_console(const struct server_process *p,
                                const struct config *c)
{
    int own = p->app.operator_listener;

    if (c->operator_host)
        return tenant_directory_url(p->mem, p->app.base_url, "",
                                    c->operator_host);
    if (own < 0)
        return p->app.base_url;
    return arena_printf(p->mem, "http://localhost:%d",
                        server_port(p->app.server, own));
}

/* The first operator is set up with what only this output tells. */
static void say_token(const struct server_process *p, const struct config *c)
{
    if (!*p->setup_token)
        return;
    printf("no operator yet; set up the first one with this token\n"
           "(good until then, or until the next start):\n"
           "  %s\n  %s/operator/setup\n",
           p->setup_token, find_console(p, c));
    (void)fflush(stdout);
}

static enum err start(struct server_process *p, struct config *c)
{
    struct store_config sc = {.dir = c->data_dir,
                              .master_key_path = c->master_key,
                              .kind = STORE_SERVICE,
                              .create = true};
    enum err e;

    p->app.base_url = c->base_url ? config_base_url(p->mem, c) : NULL;
    p->app.operator_host = c->operator_host;
    if (!config_check(c))
        return ERR_INVALID;
    config_set_log_level(c);
    if (c->user && (e = sandbox_become(c->user)))
        return e;
    set_up_floor(&p->app.floor, c);
    p->app.operator_name = c->operator_name;
    p->app.data_region = c->data_region;
    p->app.backup_region = c->backup_region;
    p->app.log_region = c->log_region;
    if ((e = config_set_up_backup(p->mem, c, &p->app.backup)))
        return e;
    if (!hold_wait(c->data_dir))
        return ERR_CONFLICT;
    if ((e = store_open(&sc, &p->app.store)))
        return e;
    if ((e = ensure_certificate(p, c)) || (e = set_up_mail(p, c)) ||
        (e = set_up_listeners(p, c)))
        return e;
    p->app.around = server_process_surroundings(c);
    if ((e = server_process_open(p)) || (e = server_process_check_region(p)))
        return e;
    tenant_directory_find_sole(&p->app, p->mem);
    if ((e = server_process_start(p)))
        return e;
    say_token(p, c);
    return OK;
}

int cli_reload(int argc, char **argv)
{
    static const char usage[] = "reload [--config FILE]";
    struct arena *mem = arena_open(0);
    struct config config;
    int code = 2;

    if (!config_load(mem, &argc, argv, &config) &&
        option_parse(usage, NULL, 0, argc, argv) == 0) {
        code = control_ask(config.data_dir, "reload", 0, NULL, -1);
        if (code < 0)
            fprintf(stderr, "yagura: no server runs on %s\n", config.data_dir);
        code = code < 0 ? 1 : code;
    }
    arena_close(mem);
    return code;
}

int cli_serve(int argc, char **argv)
{
    struct server_process p = {.mem = arena_open(0)};
    struct config config;
    struct words words = {argc, command_copy_words(p.mem, argc, argv), {0}};
    enum err e = config_load(p.mem, &argc, argv, &config);

    if (!e && argc == 1 && strcmp(argv[0], "--help") == 0) {
        printf("usage: yagura serve [--config FILE] [--KEY VALUE]\n");
        config_print_keys();
        return 0;
    }
    if (!e && argc > 0) {
        fprintf(stderr,
                "yagura: serve does not know %s\n"
                "usage: yagura serve [--config FILE] [--KEY VALUE]\n"
                "keys: see yagura serve --help\n",
                argv[0]);
        return 2;
    }
    server_process_block_signals();
    words.config = config;
    p.reload = reload;
    p.reload_arg = &words;
    if (!e)
        e = start(&p, &config);
    if (!e) {
        for (size_t i = 0; i < p.server.listener_count; i++)
            log_info("listening address=%s port=%d tls=%d",
                     p.server.listeners[i].address,
                     server_port(p.app.server, (int)i),
                     p.server.listeners[i].is_tls);
        server_process_wait(&p);
    } else {
        log_complain("yagura: cannot start: %s", command_explain(e));
    }
    server_process_close(&p);
    return e ? 1 : 0;
}
