/* SPDX-License-Identifier: Apache-2.0 */
/* `yagura certificate verify FILE` needs nothing but the file and, to be sure
 * of who signed it, the installation's public key; the rest asks the server or
 * the data directory. */
#include "base/str.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/option.h"
#include "core/contract/deletion_certificate.h"

#include <stdio.h>
#include <string.h>

enum { CERTIFICATE_BYTES_MAX = 1 << 20, LIST_MAX = 200 };

static const struct actor system_actor = {.name = "system",
                                          .ip = "",
                                          .request_id = "cli",
                                          .tenant = STORE_OPERATOR,
                                          .base_url = "",
                                          .lang = LANG_EN};
static const char usage[] =
    "certificate verify FILE [--key HEX] | list | show TENANT | key";

struct words {
    const char *verb, *what, *key;
};

/* ---- asked of the data directory ---- */

static enum err run_list(struct command *c, struct ctx *x)
{
    const struct deletion_certificate *list = NULL;
    size_t count = 0;
    bool more = true;
    int64_t after = 0;
    enum err e = OK;

    while (more && !e) {
        e = deletion_certificate_list(x, after, LIST_MAX, &list, &count, &more);
        for (size_t i = 0; i < count && !e; i++) {
            buf_printf(&c->out, "%-32s revision %lld  %s\n", list[i].tenant,
                       (long long)list[i].revision, list[i].name);
            after = list[i].id;
        }
    }
    return e;
}

static enum err run_show(struct command *c, struct ctx *x, const char *tenant)
{
    struct deletion_certificate it;
    enum err e = deletion_certificate_get(x, tenant, &it);

    if (!e)
        buf_puts(&c->out, it.text);
    return e;
}

static void print_key(struct command *c)
{
    uint8_t key[65];
    char hex[2 * sizeof key + 1];

    deletion_certificate_public_key(c->app, key);
    str_to_hex(key, sizeof key, hex);
    buf_printf(&c->out, "%s\n", hex);
}

static bool read_words(struct words *w, int argc, char **argv)
{
    const struct option_spec specs[] = {
        {"key", &w->key, NULL, "public key it must be signed by"},
    };

    *w = (struct words){.verb = ""};
    argc = option_parse(usage, specs, COUNT(specs), argc, argv);
    if (argc > 0)
        w->verb = argv[0];
    w->what = argc > 1 ? argv[1] : NULL;
    bool wants_more =
        strcmp(w->verb, "verify") == 0 || strcmp(w->verb, "show") == 0;
    bool is_known = wants_more || strcmp(w->verb, "list") == 0 ||
                    strcmp(w->verb, "key") == 0;
    if (is_known && argc == (wants_more ? 2 : 1))
        return true;
    if (argc >= 0)
        fprintf(stderr, "usage: yagura %s\n", usage);
    return false;
}

int certificate_run(struct command *c, int argc, char **argv)
{
    struct ctx x = server_process_ctx(c->mem, &system_actor);
    struct words w;

    if (!read_words(&w, argc, argv) || strcmp(w.verb, "verify") == 0)
        return 2;
    if (strcmp(w.verb, "key") == 0) {
        print_key(c);
        return 0;
    }
    enum err e = tx_begin_control(&x, c->app->store, TX_READ);
    if (!e)
        e = tx_end_control(&x, c->app->store,
                           strcmp(w.verb, "list") == 0
                               ? run_list(c, &x)
                               : run_show(c, &x, w.what));
    if (e)
        command_complain(c, &x, e);
    return e ? 1 : 0;
}

/* ---- a file alone ---- */

static int say(const char *file, const struct deletion_certificate_report *r,
               bool is_known)
{
    char hex[2 * sizeof r->public_key + 1];

    if (r->rule) {
        printf("%s: NOT VALID: %s\n", file,
               strcmp(r->rule, "form") == 0
                   ? "this is no certificate of deletion"
               : strcmp(r->rule, "key") == 0
                   ? "signed by another key than the one expected"
                   : "the signature does not fit what it signs");
        return 1;
    }
    str_to_hex(r->public_key, sizeof r->public_key, hex);
    printf("%s: valid: deletion of %s (%s), revision %lld, issued %s\n", file,
           r->tenant, r->name, (long long)r->revision, r->issued_at);
    printf("%s %s\n",
           is_known ? "signed by the expected key"
                    : "signed by a key that was not compared (--key):",
           hex);
    return 0;
}

static int verify(struct arena *mem, const struct words *w)
{
    char *text = arena_alloc(mem, CERTIFICATE_BYTES_MAX + 1);
    struct deletion_certificate_report report;
    uint8_t key[65];
    FILE *f;

    if (w->key && (strlen(w->key) != 2 * sizeof key ||
                   !str_from_hex(w->key, key, sizeof key))) {
        fprintf(stderr, "yagura: --key wants 130 hexadecimal digits\n");
        return 2;
    }
    if (!(f = fopen(w->what, "rbe"))) {
        fprintf(stderr, "yagura: %s cannot be read\n", w->what);
        return 1;
    }
    size_t len = fread(text, 1, CERTIFICATE_BYTES_MAX, f);
    (void)fclose(f);
    deletion_certificate_check(mem, text, len, w->key ? key : NULL, &report);
    return say(w->what, &report, w->key != NULL);
}

int cli_certificate(int argc, char **argv)
{
    struct server_process p = {.mem = arena_open(0)};
    struct config config;
    struct words w;
    int code = 2;

    if (!config_load(p.mem, &argc, argv, &config) &&
        read_words(&w, argc, command_copy_words(p.mem, argc, argv)))
        code = strcmp(w.verb, "verify") == 0
                   ? verify(p.mem, &w)
                   : command_do(&p, &config, "certificate", argc, argv, -1);
    server_process_close(&p);
    return code;
}
