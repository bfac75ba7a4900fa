/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SECCOMP_H
#define BASE_SECCOMP_H

#include <stdbool.h>

/* The seccomp filter: which system calls this program makes.  Others fail
 * with ENOSYS; those that only an intruder makes end the process. */
bool seccomp_enter(void); /* for all threads; needs no_new_privs */
int seccomp_count(void);  /* calls allowed */
bool seccomp_is_wide(void);

#endif
