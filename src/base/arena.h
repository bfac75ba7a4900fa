/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

/* Memory of one request: allocated piecemeal, dropped all at once.  Nothing
 * here returns NULL; lack of memory, or a request beyond the arena's ceiling,
 * aborts with a log line, so every input is bounded before it is read. */
struct arena;

/* ceiling_bytes 0 means 64 MiB.  The first block is kept across resets. */
struct arena *arena_open(size_t ceiling_bytes);
void arena_close(struct arena *a); /* NULL is allowed */
void arena_reset(struct arena *a); /* runs the deferred calls, last first */

void *arena_alloc(struct arena *a, size_t size_bytes); /* zeroed, aligned 16 */
void *arena_copy(struct arena *a, const void *data, size_t size_bytes);
char *arena_strdup(struct arena *a, const char *text); /* NULL gives NULL */
char *arena_strndup(struct arena *a, const char *text, size_t len);
char *arena_join(struct arena *a, const char *first, const char *second,
                 const char *third);
char *arena_printf(struct arena *a, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));
char *arena_vprintf(struct arena *a, const char *format, va_list args)
    __attribute__((format(printf, 2, 0), nonnull(2)));

/* Calls fn(arg) at reset: for handles that are not memory. */
void arena_defer(struct arena *a, void (*fn)(void *), void *arg);

#define arena_new(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), (n) * sizeof(type)))

#endif
