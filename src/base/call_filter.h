/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CALL_FILTER_H
#define BASE_CALL_FILTER_H

#include <stdbool.h>

/* The seccomp filter: which system calls this program makes.  Others fail
 * with ENOSYS; those that only an intruder makes end the process. */
bool call_filter_enter(void); /* for all threads; needs no_new_privs */
int call_filter_count(void);  /* calls allowed */
bool call_filter_is_wide(void);

#endif
