/* SPDX-License-Identifier: Apache-2.0 */
/* `yagura doctor`: what is in force and what is not.  The command asks the
 * package manager, which the server cannot; the server that holds the
 * directory looks at itself, and both are kept for console and trust page. */
#include "base/build.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/option.h"
#include "core/health/doctor.h"
#include "core/tenant/tenant_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* updates, security: handed to the server, numbers or NULL */
struct words {
    const char *support, *updates, *security;
    bool as_json, is_confirmed, is_support, is_short;
};

static bool read_words(struct words *w, int argc, char **argv)
{
    const struct option_spec specs[] = {
        {"json", NULL, &w->as_json, "one JSON object"},
        {"support", &w->support, NULL, "write a text for support, no secrets"},
        {"confirm-key-copy", NULL, &w->is_confirmed,
         "a copy of the master key lies elsewhere"},
        {"skip-updates", NULL, &w->is_short, "do not ask the package manager"},
        {"updates", &w->updates, NULL, "of the system, waiting (else asked)"},
        {"security", &w->security, NULL, "of them, of security"},
        {"text", NULL, &w->is_support, "the text of --support"},
    };
    const char *usage = "doctor [--json] [--support FILE] [--confirm-key-copy] "
                        "[--skip-updates]";

    *w = (struct words){.support = NULL};
    if (option_parse(usage, specs, COUNT(specs), argc, argv) == 0)
        return true;
    fprintf(stderr, "usage: yagura %s\n", usage);
    return false;
}

/* ---- what was found ---- */

static void put_json(struct command *c, const struct doctor_view *v)
{
    struct json_out o = {.b = &c->out};

    json_open(&o, NULL, '{');
    json_moment(&o, "ran_at", v->ran_at);
    json_text(&o, "key_mark", v->key_mark);
    json_bool(&o, "key_copied", v->key_copy_at > 0);
    json_open(&o, "findings", '[');
    for (size_t i = 0; i < v->count; i++) {
        json_open(&o, NULL, '{');
        json_text(&o, "name", v->findings[i].name);
        json_text(&o, "state", doctor_state_words[v->findings[i].state]);
        json_text(&o, "text", v->findings[i].en);
        json_text(&o, "text_ja", v->findings[i].ja);
        json_moment(&o, "at", v->findings[i].at);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    json_close(&o, '}');
    buf_puts(&c->out, "\n");
}

static void put_text(struct command *c, const struct doctor_view *v)
{
    static const char *const marks[] = {"ok  ", "warn", "BAD "};

    for (size_t i = 0; i < v->count; i++)
        buf_printf(&c->out, "%s  %-11s  %s\n", marks[v->findings[i].state],
                   v->findings[i].name, v->findings[i].en);
}

/* Numbers and versions; no name, address or secret of anybody. */
static void put_support(struct command *c, const struct doctor_view *v)
{
    struct arena *list = arena_open(0);
    const char *const *ids;
    struct store_stats s;
    struct store_disk disk = {0, 0};
    struct utsname os;

    store_stats(c->app->store, &s);
    (void)store_disk(c->app->store, &disk);
    buf_printf(&c->out, "yagura %s, gcc %s, %d components\n", YAGURA_VERSION,
               __VERSION__, build_component_count);
    if (uname(&os) == 0)
        buf_printf(&c->out, "%s %s %s\n", os.sysname, os.release, os.machine);
    buf_printf(&c->out, "at %s, served: %s\n", clock_format(c->mem, v->ran_at),
               c->is_served ? "yes" : "no");
    buf_printf(&c->out,
               "tenants %zu, open %zu; commits %lld, shared %lld, busy %lld, "
               "stopped %lld\ndisk %lld MB, free %lld MB\n\n",
               tenant_directory_list_ids(c->app->store, list, &ids),
               s.tenants_open, (long long)s.commits,
               (long long)s.shared_commits, (long long)s.busy,
               (long long)s.stopped, (long long)(disk.bytes >> 20),
               (long long)(disk.free_bytes >> 20));
    arena_close(list);
    put_text(c, v);
}

static enum err confirm(struct ctx *x, struct app *app)
{
    enum err e = tx_begin_control(x, app->store, TX_WRITE);

    return e ? e : tx_end_control(x, app->store, doctor_confirm_copy(x, app));
}

static enum err look(struct ctx *x, struct app *app, const struct words *w,
                     struct doctor_view *out)
{
    struct doctor_host host = {0, 0};
    bool is_known = w->updates && w->security &&
                    str_parse_int(w->updates, 0, INT32_MAX, &host.updates) &&
                    str_parse_int(w->security, 0, INT32_MAX, &host.security);
    enum err e = w->is_confirmed ? confirm(x, app) : OK;

    return e ? e : doctor_run(x, app, is_known ? &host : NULL, out);
}

int doctor_run_command(struct command *c, int argc, char **argv)
{
    const struct actor system = {.name = "",
                                 .ip = "",
                                 .request_id = "doctor",
                                 .tenant = STORE_OPERATOR,
                                 .base_url = "",
                                 .lang = LANG_EN};
    struct ctx x = server_process_ctx(c->mem, &system);
    struct doctor_view view = {.count = 0};
    struct words w;
    int code = 0;

    if (!read_words(&w, argc, argv))
        return 2;
    enum err e = look(&x, c->app, &w, &view);
    if (e) {
        command_complain(c, &x, e);
        return 1;
    }
    if (w.is_support)
        put_support(c, &view);
    else if (w.as_json)
        put_json(c, &view);
    else
        put_text(c, &view);
    for (size_t i = 0; i < view.count; i++)
        code |= view.findings[i].state == DOCTOR_BAD;
    return code;
}

/* ---- outside ---- */

/* What apt would do, without a lock and without doing it; -1: not started. */
static pid_t start_apt(int out)
{
    static const char *const words[] = {
        "/usr/bin/apt-get",   "-s",           "-o",
        "Debug::NoLocking=1", "dist-upgrade", NULL};
    static const char *const environment[] = {"LC_ALL=C", "PATH=/usr/bin:/bin",
                                              NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;

    if (posix_spawn_file_actions_init(&actions))
        return -1;
    if (posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) ||
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
                                         O_WRONLY, 0) ||
        posix_spawn(&pid, words[0], &actions, NULL,
                    (char *const *)(uintptr_t)words,
                    (char *const *)(uintptr_t)environment))
        pid = -1;
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void count_updates(int fd, struct doctor_host *out)
{
    char line[1024];
    FILE *f = fdopen(fd, "r");

    if (!f)
        return;
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, "Inst ", 5) != 0)
            continue;
        out->updates++;
        if (strstr(line, "-Security") || strstr(line, "-security"))
            out->security++;
    }
    (void)fclose(f);
}

/* False: it is no Debian, or apt does not answer. */
static bool ask_apt(struct doctor_host *out)
{
    int ends[2], status = 1;

    *out = (struct doctor_host){0, 0};
    if (access("/usr/bin/apt-get", X_OK) || pipe2(ends, O_CLOEXEC))
        return false;
    pid_t pid = start_apt(ends[1]);
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return false;
    }
    count_updates(ends[0], out);
    return waitpid(pid, &status, 0) == pid && status == 0;
}

/* The words for the server: with what was found here. */
static int add_words(struct arena *mem, const struct words *w, char **out)
{
    struct doctor_host host;
    int n = 0;

    if (w->as_json)
        out[n++] = arena_strdup(mem, "--json");
    if (w->is_confirmed)
        out[n++] = arena_strdup(mem, "--confirm-key-copy");
    if (w->support || w->is_support)
        out[n++] = arena_strdup(mem, "--text");
    if (!w->is_short && ask_apt(&host)) {
        out[n++] = arena_printf(mem, "--updates=%lld", (long long)host.updates);
        out[n++] =
            arena_printf(mem, "--security=%lld", (long long)host.security);
    }
    return n;
}

/* stdout becomes the file, which must be new; then the configuration, which
 * holds no secret but names people. */
static bool write_to(const char *path, const struct config *config)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0) {
        fprintf(stderr, "yagura: %s cannot be made: %s\n", path,
                strerror(errno));
        return false;
    }
    (void)close(fd);
    config_show_discreetly(config);
    printf("\n");
    (void)fflush(stdout);
    return true;
}

int cli_doctor(int argc, char **argv)
{
    struct server_process p = {.mem = arena_open(0)};
    struct config config;
    struct words w;
    char *words[8];
    int code = 2;

    if (!config_load(p.mem, &argc, argv, &config) &&
        read_words(&w, argc, command_copy_words(p.mem, argc, argv))) {
        int n = add_words(p.mem, &w, words);
        p.app.around = server_process_surroundings(&config);
        code = w.support && !write_to(w.support, &config)
                   ? 1
                   : command_do(&p, &config, "doctor", n, words, -1);
    }
    server_process_close(&p);
    return code;
}
