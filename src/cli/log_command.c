/* SPDX-License-Identifier: Apache-2.0 */
/* `yagura log verify|export|key`: a tenant's chains and key are looked at where
 * the data directory is held; an export is written while no server holds it,
 * and verified anywhere. */
#include "base/clock.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/option.h"
#include "cli/server_process.h"
#include "core/backup/log_break.h"
#include "core/log/log_export.h"
#include "core/log/operation.h"
#include "core/log/request_log_writer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA_MAX ((size_t)4 << 30)

struct wish {
    struct server_process p;
    const char *tenant, *file, *key, *out;
    bool is_access, is_csv;
    struct config config;
    struct tenant *t;
};

static const char usage[] =
    "log verify --tenant T | verify --file EXPORT [--tenant T | --key HEX] | "
    "export --tenant T [--access] [--csv] [--out FILE] | key --tenant T";

static const struct actor system_actor = {.name = "system",
                                          .ip = "",
                                          .request_id = "cli",
                                          .tenant = "",
                                          .base_url = "",
                                          .lang = LANG_EN};

/* Of a deleted one the logs are kept for three months. */
static enum err open_logs(struct app *app, const char *id, struct tenant **out)
{
    enum err e = tenant_open(app->store, id, out);

    return e && !tenant_open_retained(app->store, id, out) ? OK : e;
}

static const char *explain_open(enum err e)
{
    return e == ERR_NOT_FOUND ? "there is no such tenant, or its key is missing"
                              : command_explain(e);
}

static enum err open_tenant(struct wish *w)
{
    enum err e = server_process_open_store(&w->p, &w->config);

    if (e == ERR_CONFLICT)
        fprintf(stderr, "while a server runs, export in the console, and "
                        "verify an export with --key (yagura log key)\n");
    if (e)
        return e;
    e = open_logs(&w->p.app, w->tenant, &w->t);
    if (e)
        fprintf(stderr, "yagura: %s: %s\n", w->tenant, explain_open(e));
    return e;
}

static void public_key_of(const struct tenant *t, uint8_t out[65])
{
    uint8_t key[CRYPTO_KEY_BYTES];

    log_sign_key(t, key);
    must(crypto_public_key(key, out));
    crypto_wipe(key, sizeof key);
}

/* ---- of a tenant, where its directory is held ---- */

static enum err verify_one(struct command *c, const char *tenant,
                           struct tenant *t, enum log_kind kind)
{
    struct actor actor = system_actor;
    struct log_proof proof;

    actor.tenant = tenant;
    struct ctx x = server_process_ctx(c->mem, &actor);
    enum err e = log_check(&x, c->app, t, kind, &proof);
    if (e) {
        command_complain(c, &x, e);
        return e;
    }
    if (proof.broken_seq) {
        buf_printf(&c->out,
                   "%s log: BROKEN at row %lld: it is missing, or not as it "
                   "was written (rows %lld to %lld are there)\n",
                   log_shape(kind)->name, (long long)proof.broken_seq,
                   (long long)proof.first_seq, (long long)proof.last_seq);
        return ERR_CONFLICT;
    }
    buf_printf(&c->out, "%s log: whole, rows %lld to %lld",
               log_shape(kind)->name, (long long)proof.first_seq,
               (long long)proof.last_seq);
    if (proof.kept_at)
        buf_printf(&c->out, "; kept outside: row %lld at %s",
                   (long long)proof.kept_seq,
                   clock_format(x.mem, proof.kept_at));
    buf_puts(&c->out, "\n");
    return OK;
}

static void print_key(struct command *c, const struct tenant *t)
{
    uint8_t public_key[65];
    char hex[2 * sizeof public_key + 1];

    public_key_of(t, public_key);
    str_to_hex(public_key, sizeof public_key, hex);
    buf_printf(&c->out, "%s\n", hex);
}

int log_run(struct command *c, int argc, char **argv)
{
    const char *id = NULL;
    const struct option_spec specs[] = {{"tenant", &id, NULL, "whose log"}};
    struct tenant *t;

    argc = option_parse(usage, specs, COUNT(specs), argc, argv);
    if (argc != 1 || !id)
        return 2;
    request_log_writer_flush(c->app->access_log);
    enum err e = open_logs(c->app, id, &t);
    if (e) {
        buf_printf(&c->err, "yagura: %s: %s\n", id, explain_open(e));
        return 1;
    }
    if (strcmp(argv[0], "key") == 0) {
        print_key(c, t);
    } else {
        e = verify_one(c, id, t, LOG_OPERATION);
        enum err of_access = strcmp(id, STORE_OPERATOR) == 0
                                 ? OK /* none is kept there */
                                 : verify_one(c, id, t, LOG_ACCESS);
        e = e ? e : of_access;
    }
    tenant_close(t);
    return e ? 1 : 0;
}

/* ---- an export alone ---- */

static const char *explain(const char *rule)
{
    static const struct {
        const char *rule, *text;
    } texts[] = {
        {"key", "signed by another key than the one expected"},
        {"signature", "the signature does not fit what it signs"},
        {"no_proof", "the proof, which is the last line, is missing"},
        {"header", "the line of names is not as it was written"},
        {"line", "the line is not as it was written"},
        {"gap", "rows are missing before this line"},
        {"order", "the row does not belong here"},
        {"changed", "the row is not as it was written"},
        {"end", "rows are missing at the end, or all was written anew"},
    };

    for (size_t i = 0; i < COUNT(texts); i++)
        if (strcmp(texts[i].rule, rule) == 0)
            return texts[i].text;
    return rule;
}

static enum err say_report(const struct wish *w, const struct log_report *r,
                           bool is_known)
{
    char hex[2 * 65 + 1];

    if (r->rule) {
        printf("%s: BROKEN at line %lld", w->file, (long long)r->line);
        if (r->seq)
            printf(", row %lld", (long long)r->seq);
        printf(": %s\n", explain(r->rule));
        return ERR_CONFLICT;
    }
    str_to_hex(r->public_key, sizeof r->public_key, hex);
    printf("%s: %s log of %s: whole, %lld rows, %lld to %lld\n", w->file,
           log_shape(r->kind)->name, r->tenant, (long long)r->rows,
           (long long)r->first_seq, (long long)r->last_seq);
    printf("%s %s\n",
           is_known ? "signed by the expected key"
                    : "signed by a key that was not compared (--key):",
           hex);
    return OK;
}

static enum err verify_file(struct wish *w)
{
    uint8_t public_key[65];
    struct log_report report;
    struct stat st;
    bool is_known = w->key || w->tenant;
    enum err e = OK;

    if (w->key && (strlen(w->key) != 2 * sizeof public_key ||
                   !str_from_hex(w->key, public_key, sizeof public_key))) {
        fprintf(stderr, "yagura: --key wants 130 hexadecimal digits\n");
        return ERR_INVALID;
    }
    if (!w->key && w->tenant) {
        if ((e = open_tenant(w)))
            return e;
        public_key_of(w->t, public_key);
    }
    int fd = open(w->file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) || st.st_size <= 0) {
        fprintf(stderr, "yagura: %s cannot be read or is empty\n", w->file);
        if (fd >= 0)
            (void)close(fd);
        return ERR_NOT_FOUND;
    }
    size_t len = (size_t)st.st_size;
    void *data = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    must(data != MAP_FAILED);
    struct arena *scratch = arena_open(ARENA_MAX);
    log_file_check(scratch, data, len, is_known ? public_key : NULL, &report);
    arena_close(scratch);
    (void)munmap(data, len);
    return say_report(w, &report, is_known);
}

/* ---- export ---- */

static enum err note_export(struct wish *w, struct ctx *c)
{
    enum err e = tx_begin(c, w->t, TX_WRITE);

    if (e)
        return e;
    return tx_end(
        c, w->t,
        operation_log_export(c, w->is_access ? LOG_ACCESS : LOG_OPERATION,
                             w->is_csv ? LOG_CSV : LOG_NDJSON, 0, 0));
}

static enum err export_tenant(struct wish *w)
{
    struct actor actor = system_actor;
    struct buf b = buf_in(w->p.mem);
    struct log_export what = {.kind = w->is_access ? LOG_ACCESS : LOG_OPERATION,
                              .format = w->is_csv ? LOG_CSV : LOG_NDJSON,
                              .file = stdout};
    int64_t rows = 0;
    enum err e = open_tenant(w);

    if (e)
        return e;
    actor.tenant = w->tenant;
    struct ctx c = server_process_ctx(w->p.mem, &actor);
    if (w->out && !freopen(w->out, "wb", stdout)) {
        fprintf(stderr, "yagura: %s cannot be written\n", w->out);
        return ERR_INTERNAL;
    }
    if (!(e = note_export(w, &c)))
        e = log_export(&c, w->t, &what, &b, &rows);
    if (fflush(stdout) && !e)
        e = ERR_FULL;
    if (e)
        server_process_complain(&c, e);
    else
        fprintf(stderr, "%lld rows\n", (long long)rows);
    return e;
}

int cli_log(int argc, char **argv)
{
    struct wish w = {.p = {.mem = arena_open(ARENA_MAX)}};
    const struct option_spec specs[] = {
        {"tenant", &w.tenant, NULL, "whose log"},
        {"file", &w.file, NULL, "verify this export instead"},
        {"key", &w.key, NULL, "public key it must be signed by"},
        {"out", &w.out, NULL, "write the export there"},
        {"access", NULL, &w.is_access, "export the access log instead"},
        {"csv", NULL, &w.is_csv, "CSV instead of NDJSON"},
    };
    enum err e = config_load(w.p.mem, &argc, argv, &w.config);
    char **words = command_copy_words(w.p.mem, argc, argv);
    int count = argc, code = 2;

    argc = e ? -1 : option_parse(usage, specs, COUNT(specs), argc, argv);
    if (argc != 1)
        return 2;
    bool verifies = strcmp(argv[0], "verify") == 0;
    if (verifies && w.file)
        code = verify_file(&w) ? 1 : 0;
    else if ((verifies || strcmp(argv[0], "key") == 0) && w.tenant)
        code = command_do(&w.p, &w.config, "log", count, words, -1);
    else if (strcmp(argv[0], "export") == 0 && w.tenant)
        code = export_tenant(&w) ? 1 : 0;
    else
        fprintf(stderr, "usage: yagura %s\n", usage);
    tenant_close(w.t);
    server_process_close(&w.p);
    return code;
}
