/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_help(const char *usage, const struct option_spec *specs,
                       size_t count)
{
    printf("usage: yagura %s\n", usage);
    for (size_t i = 0; i < count; i++)
        printf("  --%-18s %s\n", specs[i].name, specs[i].help);
}

static const struct option_spec *find_spec(const struct option_spec *specs,
                                           size_t count, const char *word,
                                           const char **value)
{
    size_t len = strcspn(word, "=");

    *value = word[len] ? word + len + 1 : NULL;
    for (size_t i = 0; i < count; i++)
        if (strlen(specs[i].name) == len &&
            strncmp(specs[i].name, word, len) == 0)
            return &specs[i];
    return NULL;
}

int option_parse(const char *usage, const struct option_spec *specs,
                 size_t count, int argc, char **argv)
{
    int left = 0;

    for (int i = 0; i < argc; i++) {
        const char *value;
        if (strncmp(argv[i], "--", 2) != 0) {
            argv[left++] = argv[i];
            continue;
        }
        if (strcmp(argv[i], "--help") == 0) {
            print_help(usage, specs, count);
            exit(0);
        }
        const struct option_spec *s =
            find_spec(specs, count, argv[i] + 2, &value);
        if (s && s->flag && !value) {
            *s->flag = true;
        } else if (s && s->value && (value || i + 1 < argc)) {
            *s->value = value ? value : argv[++i];
        } else {
            fprintf(stderr, "yagura: what is %s? See yagura %.*s --help\n",
                    argv[i], (int)strcspn(usage, " "), usage);
            return -1;
        }
    }
    return left;
}

void option_name_unknown(const char *command, const char *const *verbs,
                         const char *verb)
{
    for (; *verbs; verbs++)
        if (strcmp(*verbs, verb) == 0)
            return;
    fprintf(stderr, "yagura: there is no command %s %s\n", command, verb);
}
