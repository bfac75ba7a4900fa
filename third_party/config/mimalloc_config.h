/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of musl's malloc, whose one lock all threads share.  Level 4:
 * guard pages, encoded free lists, random order, double frees found. */
#define MI_MALLOC_OVERRIDE 1
#define MI_SECURE          4
#define NDEBUG
