/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include <stdbool.h>
#include <stddef.h>

/* Command-line words: "--name value", "--name=value" and "--flag". */
struct option_spec {
    const char *name;   /* without the dashes */
    const char **value; /* set to the word; NULL for a flag */
    bool *flag;
    const char *help;
};

/* Returns the number of words left over (moved to the front of argv), or -1
 * after saying what is wrong.  --help prints the list and exits 0. */
int option_parse(const char *usage, const struct option_spec *specs,
                 size_t count, int argc, char **argv);

/* On stderr, when what begins the words is no verb of this command (verbs end
 * with NULL): "yagura: there is no command tenant frob". */
void option_name_unknown(const char *command, const char *const *verbs,
                         const char *verb);

#endif
