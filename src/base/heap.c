/* SPDX-License-Identifier: Apache-2.0 */
/* The release has an allocator of its own, with a heap for each thread;
 * sanitizers have another, which is not asked. */
#include "base/heap.h"

#include <stdbool.h>

void mi_collect(bool force) __attribute__((weak));

void heap_rest(void)
{
    if (mi_collect)
        mi_collect(true);
}
