/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include "base/err.h"
#include "base/landlock.h"

#include <stdbool.h>
#include <stddef.h>

/* What this process gives up for good once its sockets are open and before it
 * has a second thread.  Linux only; what the kernel does not have is left out
 * and shows in the report. */

/* Root acts as this user from now on (files made belong to him) but may come
 * back for a port below 1024: sandbox_lend_root().  ERR_NOT_FOUND: no such
 * user.  Without root it must be the user there is: ERR_DENIED. */
MUST_USE enum err sandbox_become(const char *user);
/* Root once more, or no longer; nothing for who never was. */
void sandbox_lend_root(bool on);

/* The user for good, no capability, no new privilege, Landlock, seccomp, no
 * core dump.  Must be called from the only thread.  ERR_INTERNAL: privileges
 * could not be given up; the process must not go on. */
MUST_USE enum err sandbox_enter(const struct sandbox_config *config);

/* Measured now, by asking the kernel and by trying what must fail. */
struct sandbox_report {
    bool is_root;          /* the user is root still */
    bool has_capabilities; /* of any kind, but for root's over files */
    bool no_new_privs, is_dumpable;
    bool keeps_files;   /* Landlock: what is outside cannot be opened */
    bool keeps_ports;   /* Landlock: other TCP ports cannot be reached */
    bool filters_calls; /* seccomp: filter on, unlisted calls fail */
    bool is_test_build; /* a wider filter, for sanitizers */
    int landlock_abi;   /* of the kernel; 0: none */
    int calls;          /* that the filter allows */
    long files_max;     /* open files */
    bool has_cores;     /* core dumps are allowed */
};
void sandbox_read(struct sandbox_report *out);

#endif
