/* SPDX-License-Identifier: Apache-2.0 */
/* Yagura: one binary, one word for what to do. */
#include "api/dispatch/call.h"
#include "base/build.h"
#include "base/crypto.h"
#include "base/tls.h"
#include "cli/cli.h"
#include "cli/option.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void print_record(const struct build_record *r)
{
    static const char no[] = "not recorded";

    printf("commit %s%s\nsources sha256 %s\n", r->commit ? r->commit : no,
           !r->commit || r->is_clean ? "" : " with changes", r->sources);
    printf("make test %s\nmake check %s\n", r->tested ? r->tested : no,
           r->checked ? r->checked : no);
    if (r->commits >= 0)
        printf("reviewed %d of %d commits\n", r->reviewed, r->commits);
    else
        printf("reviewed %s\n", no);
    for (int i = 0; i < build_component_count; i++)
        printf("%s %s, %s\n", build_parts[i].name, build_parts[i].version,
               build_parts[i].released);
    printf("\n%s", r->notes_en);
}

static void print_build(void)
{
    struct arena *mem = arena_open(0);
    struct buf suites = buf_in(mem);

    tls_put_suites(&suites);
    printf("compiler gcc %s\ncomponents %d, see --sbom\ntls suites %s\n",
           __VERSION__, build_component_count, suites.data);
    print_record(&build_record);
    arena_close(mem);
}

static int print_version(int argc, char **argv)
{
    bool sbom = false, licenses = false, build = false;
    const struct option_spec specs[] = {
        {"sbom", NULL, &sbom, "the components, CycloneDX 1.6"},
        {"licenses", NULL, &licenses, "every notice"},
        {"build", NULL, &build, "by what it was built, and for what"},
    };

    argc = option_parse("version [--sbom | --licenses | --build]", specs,
                        COUNT(specs), argc, argv);
    if (argc != 0)
        return 2;
    if (sbom)
        fputs(build_sbom, stdout);
    else if (licenses)
        fputs(build_licenses, stdout);
    else
        printf("yagura %s\n", YAGURA_VERSION);
    if (build)
        print_build();
    return 0;
}

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"demo", cli_demo, "try it: a sample company on loopback"},
    {"serve", cli_serve, "run the service"},
    {"reload", cli_reload, "have a running server read its files again"},
    {"tenant", cli_tenant, "create, list and show tenants"},
    {"import", cli_import, "bring a plan in from CSV or MS Project XML"},
    {"backup", cli_backup, "back up, check and restore"},
    {"certificate", cli_certificate,
     "verify and show certificates of deletion"},
    {"key", cli_key, "give the keys another master key, a tenant another key"},
    {"log", cli_log, "verify and export the logs of a tenant"},
    {"doctor", cli_doctor, "look at what is in force and what is not"},
    {"config", cli_config, "check or show the configuration"},
    {"openapi", cli_openapi, "print the OpenAPI description"},
    {"types", cli_types, "print the TypeScript types of the API"},
    {"version", print_version, "print the version"},
};

static void print_commands(FILE *to)
{
    fprintf(to, "usage: yagura COMMAND …    (each has --help)\n");
    for (size_t i = 0; i < COUNT(commands); i++)
        fprintf(to, "  %-11s %s\n", commands[i].name, commands[i].help);
}

int cli_openapi(int argc, char **argv)
{
    struct arena *mem = arena_open(0);
    struct buf b = buf_in(mem);

    (void)argc;
    (void)argv;
    openapi_print(&b);
    printf("%s\n", b.data);
    arena_close(mem);
    return 0;
}

int cli_types(int argc, char **argv)
{
    struct arena *mem = arena_open(0);
    struct buf b = buf_in(mem);

    (void)argc;
    (void)argv;
    openapi_print_types(&b);
    printf("%s", b.data);
    arena_close(mem);
    return 0;
}

int main(int argc, char **argv)
{
    umask(0077);
    if (crypto_init()) {
        fprintf(stderr, "yagura: the cryptographic self-test failed\n");
        return 1;
    }
    for (size_t i = 0; argc > 1 && i < COUNT(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    bool is_asked = argc == 2 && strcmp(argv[1], "--help") == 0;
    if (argc > 1 && !is_asked)
        fprintf(stderr, "yagura: there is no command %s\n", argv[1]);
    print_commands(is_asked ? stdout : stderr);
    return is_asked ? 0 : 2;
}
