/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of one request.  Blocks are filled from the bottom and never given
 * back singly; a reset frees all but the first.  One idea makes mistakes
 * visible: under AddressSanitizer everything not handed out is poisoned, so a
 * pointer kept across a reset, or a step past an allocation, is reported. */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif

#if defined(ARENA_ASAN)
#include <sanitizer/asan_interface.h>
#define ARENA_GAP_BYTES 16
#else
#define ASAN_POISON_MEMORY_REGION(at, size)   ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ARENA_GAP_BYTES                       0
#endif

#define BLOCK_BYTES   ((size_t)64 * 1024)
#define CEILING_BYTES ((size_t)64 * 1024 * 1024)

struct block {
    struct block *next;
    size_t size_bytes, used;
    _Alignas(16) unsigned char data[];
};

struct deferred {
    struct deferred *next;
    void (*fn)(void *);
    void *arg;
};

struct arena {
    struct block *first, *current;
    struct deferred *deferred;
    size_t ceiling_bytes, total_bytes; /* total counts whole blocks */
};

static struct block *new_block(struct arena *a, size_t size_bytes)
{
    must(size_bytes <= a->ceiling_bytes - a->total_bytes);
    struct block *block = malloc(sizeof *block + size_bytes);
    must(block != NULL);
    *block = (struct block){.size_bytes = size_bytes};
    a->total_bytes += size_bytes;
    ASAN_POISON_MEMORY_REGION(block->data, size_bytes);
    return block;
}

static void free_block(struct block *block)
{
    ASAN_UNPOISON_MEMORY_REGION(block->data, block->size_bytes);
    free(block);
}

struct arena *arena_open(size_t ceiling_bytes)
{
    struct arena *a = calloc(1, sizeof *a);
    must(a != NULL);
    a->ceiling_bytes = ceiling_bytes ? ceiling_bytes : CEILING_BYTES;
    if (a->ceiling_bytes < BLOCK_BYTES)
        a->ceiling_bytes = BLOCK_BYTES;
    a->first = a->current = new_block(a, BLOCK_BYTES);
    return a;
}

void arena_close(struct arena *a)
{
    if (!a)
        return;
    arena_reset(a);
    free_block(a->first);
    free(a);
}

void arena_reset(struct arena *a)
{
    /* A deferred call may itself defer: it is run too, before the rest. */
    while (a->deferred) {
        struct deferred *d = a->deferred;
        a->deferred = d->next;
        d->fn(d->arg);
    }
    struct block *next = NULL;
    for (struct block *block = a->first->next; block; block = next) {
        next = block->next;
        free_block(block);
    }
    a->first->next = NULL;
    a->first->used = 0;
    a->current = a->first;
    a->total_bytes = BLOCK_BYTES;
    ASAN_POISON_MEMORY_REGION(a->first->data, a->first->size_bytes);
}

void *arena_alloc(struct arena *a, size_t size_bytes)
{
    must(size_bytes <= a->ceiling_bytes);
    size_t step = ((size_bytes + 15) & ~(size_t)15) + ARENA_GAP_BYTES;
    if (step == 0)
        step = 16;
    struct block *block = a->current;
    if (step > block->size_bytes - block->used) {
        struct block *fresh =
            new_block(a, step > BLOCK_BYTES / 4 ? step : BLOCK_BYTES);
        block->next = fresh;
        a->current = block = fresh;
    }
    void *at = block->data + block->used;
    block->used += step;
    ASAN_UNPOISON_MEMORY_REGION(at, size_bytes);
    memset(at, 0, size_bytes);
    return at;
}

void *arena_copy(struct arena *a, const void *data, size_t size_bytes)
{
    void *copy = arena_alloc(a, size_bytes);
    if (size_bytes)
        memcpy(copy, data, size_bytes);
    return copy;
}

char *arena_strdup(struct arena *a, const char *text)
{
    return text ? arena_copy(a, text, strlen(text) + 1) : NULL;
}

char *arena_strndup(struct arena *a, const char *text, size_t len)
{
    must(len < SIZE_MAX);
    char *copy = arena_alloc(a, len + 1);
    if (len)
        memcpy(copy, text, len);
    return copy;
}

char *arena_vprintf(struct arena *a, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    must(len >= 0);
    char *text = arena_alloc(a, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, args);
    return text;
}

char *arena_join(struct arena *a, const char *first, const char *second,
                 const char *third)
{
    const char *parts[] = {first, second, third};
    size_t lens[] = {strlen(first), strlen(second), strlen(third)};
    char *out = arena_alloc(a, lens[0] + lens[1] + lens[2] + 1), *at = out;

    for (size_t i = 0; i < COUNT(parts); i++) {
        memcpy(at, parts[i], lens[i]);
        at += lens[i];
    }
    return out;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(a, format, args);
    va_end(args);
    return text;
}

void arena_defer(struct arena *a, void (*fn)(void *), void *arg)
{
    struct deferred *d = arena_new(a, struct deferred);
    *d = (struct deferred){a->deferred, fn, arg};
    a->deferred = d;
}
