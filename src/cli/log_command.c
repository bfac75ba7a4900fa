/* SPDX-License-Identifier: Apache-2.0 */
/* `yagura log verify|export|key`: on a data directory that no server holds at
 * the moment; an export alone is verified anywhere. */
#include "base/clock.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/option.h"
#include "cli/process.h"
#include "core/log_export.h"
#include "core/operation.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA_MAX ((size_t)4 << 30)

struct wish {
    struct process p;
    const char *verb, *tenant, *file, *key, *out;
    bool is_access, is_csv;
    struct config config;
    struct tenant *t;
};

static const struct actor system_actor = {.name = "system",
                                          .ip = "",
                                          .request_id = "cli",
                                          .tenant = "",
                                          .base_url = "",
                                          .lang = LANG_EN};

static enum err open_tenant(struct wish *w)
{
    enum err e = process_open_store(&w->p, &w->config);

    if (e)
        return e;
    e = tenant_open(w->p.app.store, w->tenant, &w->t);
    if (e) { /* of a deleted one the logs are kept for three months */
        enum err kept = tenant_open_retained(w->p.app.store, w->tenant, &w->t);
        e = kept ? e : OK;
    }
    if (e)
        fprintf(stderr, "yagura: there is no tenant %s (%s)\n", w->tenant,
                err_name(e));
    return e;
}

static void public_key_of(const struct tenant *t, uint8_t out[65])
{
    uint8_t key[CRYPTO_KEY_BYTES];

    log_sign_key(t, key);
    must(crypto_public_key(key, out));
    crypto_wipe(key, sizeof key);
}

/* ---- verify ---- */

static enum err verify_one(struct wish *w, enum log_kind kind)
{
    struct actor actor = system_actor;
    struct log_proof proof;

    actor.tenant = w->tenant;
    struct ctx c = process_ctx(w->p.mem, &actor);
    enum err e = log_verify(&c, w->p.app.store, w->t, kind, &proof);
    if (e) {
        process_complain(&c, e);
        return e;
    }
    if (proof.broken_seq) {
        printf("%s log: BROKEN at row %lld: it is missing, or not as it was "
               "written (rows %lld to %lld are there)\n",
               log_shape(kind)->name, (long long)proof.broken_seq,
               (long long)proof.first_seq, (long long)proof.last_seq);
        return ERR_CONFLICT;
    }
    printf("%s log: whole, rows %lld to %lld", log_shape(kind)->name,
           (long long)proof.first_seq, (long long)proof.last_seq);
    if (proof.kept_at)
        printf("; kept outside: row %lld at %s", (long long)proof.kept_seq,
               clock_format(c.mem, proof.kept_at));
    printf("\n");
    return OK;
}

static enum err verify_tenant(struct wish *w)
{
    enum err e = open_tenant(w);

    if (e)
        return e;
    e = verify_one(w, LOG_OPERATION);
    enum err of_access = verify_one(w, LOG_ACCESS);
    return e ? e : of_access;
}

static const char *explain(const char *rule)
{
    static const struct {
        const char *rule, *text;
    } texts[] = {
        {"key",       "signed by another key than the one expected"         },
        {"signature", "the signature does not fit what it signs"            },
        {"no_proof",  "the proof, which is the last line, is missing"       },
        {"header",    "the line of names is not as it was written"          },
        {"line",      "the line is not as it was written"                   },
        {"gap",       "rows are missing before this line"                   },
        {"order",     "the row does not belong here"                        },
        {"changed",   "the row is not as it was written"                    },
        {"end",       "rows are missing at the end, or all was written anew"},
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
    struct ctx c = process_ctx(w->p.mem, &actor);
    if (w->out && !freopen(w->out, "wb", stdout)) {
        fprintf(stderr, "yagura: %s cannot be written\n", w->out);
        return ERR_INTERNAL;
    }
    if (!(e = note_export(w, &c)))
        e = log_export(&c, w->t, &what, &b, &rows);
    if (fflush(stdout) && !e)
        e = ERR_FULL;
    if (e)
        process_complain(&c, e);
    else
        fprintf(stderr, "%lld rows\n", (long long)rows);
    return e;
}

static enum err print_key(struct wish *w)
{
    uint8_t public_key[65];
    char hex[2 * sizeof public_key + 1];
    enum err e = open_tenant(w);

    if (e)
        return e;
    public_key_of(w->t, public_key);
    str_to_hex(public_key, sizeof public_key, hex);
    printf("%s\n", hex);
    return OK;
}

static int run(struct wish *w, const char *usage)
{
    enum err e;

    if (strcmp(w->verb, "verify") == 0 && w->file)
        e = verify_file(w);
    else if (strcmp(w->verb, "verify") == 0 && w->tenant)
        e = verify_tenant(w);
    else if (strcmp(w->verb, "export") == 0 && w->tenant)
        e = export_tenant(w);
    else if (strcmp(w->verb, "key") == 0 && w->tenant)
        e = print_key(w);
    else {
        fprintf(stderr, "usage: yagura %s\n", usage);
        return 2;
    }
    return e ? 1 : 0;
}

int cli_log(int argc, char **argv)
{
    struct wish w = {.p = {.mem = arena_open(ARENA_MAX)}};
    const struct option_spec specs[] = {
        {"tenant", &w.tenant, NULL,         "whose log"                      },
        {"file",   &w.file,   NULL,         "verify this export instead"     },
        {"key",    &w.key,    NULL,         "public key it must be signed by"},
        {"out",    &w.out,    NULL,         "write the export there"         },
        {"access", NULL,      &w.is_access, "export the access log instead"  },
        {"csv",    NULL,      &w.is_csv,    "CSV instead of NDJSON"          },
    };
    const char *usage = "log verify --tenant T | verify --file EXPORT "
                        "[--tenant T | --key HEX] | export --tenant T "
                        "[--access] [--csv] [--out FILE] | key --tenant T";
    enum err e = config_load(w.p.mem, &argc, argv, &w.config);

    argc = e ? -1 : option_parse(usage, specs, COUNT(specs), argc, argv);
    if (argc != 1)
        return 2;
    w.verb = argv[0];
    int code = run(&w, usage);
    tenant_close(w.t);
    process_close(&w.p);
    return code;
}
