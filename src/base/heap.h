/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

/* Gives back to the system what the calling thread has freed, and what threads
 * left behind that have ended.  The allocator keeps it otherwise, for the next
 * time.  Some microseconds when there is little: for threads that begin to
 * wait, not for each request. */
void heap_rest(void);

#endif
