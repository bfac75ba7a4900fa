/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LANDLOCK_H
#define BASE_LANDLOCK_H

#include <stdbool.h>

/* What a process may still reach. */
struct sandbox_config {
    const char *const *write_paths; /* folders, all beneath; NULL at the end */
    const char *const *read_paths;  /* folders or files; missing ones pass */
    const int *connect_ports;       /* TCP; 0 at the end */
};

/* The kernel's Landlock for the calling thread and the threads it starts. */
int landlock_abi(void); /* 0: none */
/* False when the kernel has none that is good enough (before 5.19), or it
 * could not be put in force; nothing changed then.  Needs no_new_privs. */
bool landlock_enter(const struct sandbox_config *config);

#endif
