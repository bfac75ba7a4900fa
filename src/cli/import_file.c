/* SPDX-License-Identifier: Apache-2.0 */
/* `yagura import`: the same import as on screen, whether or not a server holds
 * the data directory. */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/option.h"
#include "core/account/user.h"
#include "core/exchange/import.h"
#include "core/tenant/tenant_directory.h"
#include "core/work/project.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 32 << 20, TX_SECONDS = 600, SERVED_TX_SECONDS = 60 };

struct request_words {
    const char *tenant, *project, *as, *format, *encoding, *path;
    bool dry, as_json;
};

static const char *read_all(struct arena *mem, int fd, size_t *len)
{
    struct stat st;
    char *data = NULL;

    *len = 0;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_size <= FILE_MAX_BYTES) {
        data = arena_alloc(mem, (size_t)st.st_size + 1);
        ssize_t n;
        while ((n = pread(fd, data + *len, (size_t)st.st_size - *len,
                          (off_t)*len)) > 0)
            *len += (size_t)n;
        if (n < 0)
            data = NULL;
    }
    return data;
}

static enum err read_plan(struct ctx *c, int fd, const struct request_words *w,
                          struct plan_file *file, struct plan_error *error)
{
    size_t len;
    const char *data = read_all(c->mem, fd, &len);
    const char *dot = strrchr(w->path, '.');
    bool is_xml = w->format ? strcmp(w->format, "mspdi") == 0
                            : dot && strcmp(dot, ".xml") == 0;
    enum plan_encoding encoding = strcmp(w->encoding, "cp932") == 0 ? PLAN_CP932
                                  : strcmp(w->encoding, "utf-8") == 0
                                      ? PLAN_UTF8
                                      : PLAN_AUTO;

    if (!data) {
        *error = (struct plan_error){
            .column_name = "",
            .rule = "file",
            .message = "the file cannot be read, or is larger than 32 MB"};
        return ERR_INVALID;
    }
    return is_xml ? mspdi_read(c, data, len, file, error)
                  : plan_csv_read(c, data, len, encoding, file, error);
}

static enum err find_project(struct ctx *c, const char *key, int64_t *id)
{
    const struct project *list;
    size_t count;
    enum err e = project_list(c, &list, &count);

    for (size_t i = 0; !e && i < count; i++)
        if (strcmp(list[i].key, key) == 0) {
            *id = list[i].id;
            return OK;
        }
    if (e)
        return e;
    return ctx_fail(c, ERR_NOT_FOUND, "project", "not_found",
                    "プロジェクト %s はありません", "There is no project %s",
                    key);
}

static enum err import_in_tx(struct ctx *c, const struct request_words *w,
                             struct plan_file *file,
                             struct import_report *report)
{
    int64_t project = 0;
    enum err e = find_project(c, w->project, &project);

    return e ? e : import_plan(c, project, file, w->dry, report);
}

static void print_report(struct buf *out, const struct ctx *c,
                         const struct request_words *w,
                         const struct import_report *r)
{
    struct json_out o = {.b = out};

    if (w->as_json) {
        json_open(&o, NULL, '{');
        import_write_report(&o, c, w->dry, r);
        json_close(&o, '}');
        buf_putc(out, '\n');
        return;
    }
    for (size_t i = 0; i < r->error_count; i++)
        buf_printf(out, "line %d, column %d (%s): %s\n", r->errors[i].line,
                   r->errors[i].column, r->errors[i].column_name,
                   r->errors[i].message);
    if ((size_t)r->errors_total > r->error_count)
        buf_printf(out, "%zu errors in all\n", (size_t)r->errors_total);
    for (size_t i = 0; r->file && i < r->file->loss_count; i++)
        buf_printf(out, "not taken: %s (%lld)\n", r->file->losses[i].en,
                   (long long)r->file->losses[i].count);
    if (r->error_count == 0)
        buf_printf(out,
                   "%s%lld rows: %lld added, %lld changed, %lld deleted, %lld "
                   "links\n",
                   w->dry ? "dry run, nothing written: " : "",
                   (long long)r->rows, (long long)r->added,
                   (long long)r->changed, (long long)r->deleted,
                   (long long)r->links);
}

/* The change is made, and logged, in the name of a master administrator. */
static enum err act_as(struct ctx *c, const char *email, struct actor *actor)
{
    struct user_secret u;
    struct user row;
    enum err e = user_find_secret(c, email, &u);

    if (!e)
        e = user_get(c, u.id, &row);
    if (e || !row.is_admin)
        return ctx_fail(c, ERR_DENIED, "as", "admin",
                        "マスター管理者のメールアドレスを指定してください",
                        "--as must be the address of a master administrator");
    actor->user_id = u.id;
    actor->name = u.name;
    actor->is_admin = true;
    return OK;
}

static enum err run(struct command *c, const struct request_words *w,
                    struct ctx *x, struct actor *actor)
{
    struct plan_file file = {.count = 0};
    struct plan_error error = {.line = 0};
    struct import_report report = {.file = &file};
    struct tenant *t;
    enum err e = read_plan(x, c->file, w, &file, &error);

    if (e) {
        report.errors = &error;
        report.error_count = 1;
        report.errors_total = 1;
        print_report(&c->out, x, w, &report);
        return e;
    }
    if ((e = tenant_open(c->app->store, w->tenant, &t))) {
        command_complain_tenant(c, w->tenant, e);
        return e;
    }
    if (!(e = tx_begin(x, t, TX_WRITE))) {
        tx_extend(x, c->is_served ? SERVED_TX_SECONDS : TX_SECONDS);
        e = act_as(x, w->as, actor);
        if (!e)
            e = import_in_tx(x, w, &file, &report);
        e = tx_end(x, t, e);
    }
    tenant_close(t);
    if (!e || report.error_count)
        print_report(&c->out, x, w, &report);
    else
        command_complain(c, x, e);
    return e;
}

/* ---- the words ---- */

static bool is_one_of(const char *word, const char *const *list)
{
    if (!word) /* not given */
        return true;
    while (*list && strcmp(*list, word) != 0)
        list++;
    return *list != NULL;
}

/* false: said on stderr what is wrong. */
static bool read_words(struct request_words *w, int argc, char **argv)
{
    static const char *const formats[] = {"csv", "mspdi", NULL};
    static const char *const encodings[] = {"auto", "utf-8", "cp932", NULL};
    const struct option_spec specs[] = {
        {"tenant", &w->tenant, NULL, "tenant id"},
        {"project", &w->project, NULL, "KEY of the project"},
        {"as", &w->as, NULL, "address of the administrator who does it"},
        {"format", &w->format, NULL, "csv or mspdi (by the file's name)"},
        {"encoding", &w->encoding, NULL, "auto, utf-8 or cp932"},
        {"dry-run", NULL, &w->dry, "try only"},
        {"json", NULL, &w->as_json, "print the report as JSON"},
    };
    const char *usage = "import --tenant ID --project KEY --as EMAIL FILE";

    *w = (struct request_words){.encoding = "auto"};
    argc = option_parse(usage, specs, COUNT(specs), argc, argv);
    if (argc == 1 && !is_one_of(w->format, formats))
        fprintf(stderr, "yagura: --format is csv or mspdi\n");
    else if (argc == 1 && !is_one_of(w->encoding, encodings))
        fprintf(stderr, "yagura: --encoding is auto, utf-8 or cp932\n");
    else if (argc != 1 || !w->tenant || !w->project || !w->as)
        fprintf(stderr, "usage: yagura %s\n", usage);
    else
        w->path = argv[0];
    return w->path;
}

int import_run(struct command *c, int argc, char **argv)
{
    struct request_words w;
    struct actor actor = {.name = "system",
                          .ip = "",
                          .request_id = "cli",
                          .base_url = "",
                          .lang = LANG_EN};

    if (!read_words(&w, argc, argv))
        return 2;
    actor.tenant = w.tenant;
    struct ctx x = server_process_ctx(c->mem, &actor);
    return run(c, &w, &x, &actor) ? 1 : 0;
}

int cli_import(int argc, char **argv)
{
    struct server_process p = {.mem = arena_open(1u << 30)};
    struct config config;
    struct request_words w;
    int code = 2;

    if (!config_load(p.mem, &argc, argv, &config) &&
        read_words(&w, argc, command_copy_words(p.mem, argc, argv))) {
        int file = open(w.path, O_RDONLY | O_CLOEXEC);
        code = command_do(&p, &config, "import", argc, argv, file);
        if (file >= 0)
            (void)close(file);
    }
    server_process_close(&p);
    return code;
}
