/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_SEALED_H
#define DB_SEALED_H

#include "db/store.h"

/* Large files that lie for a while in a tenant's folder, encrypted under a key
 * derived from the tenant's: they become unreadable with it.  Written once
 * from front to back, read from anywhere. */
enum { SEALED_NAME_CHARS = 16 };

struct sealed; /* being written */
MUST_USE enum err sealed_create(struct tenant *t, struct sealed **out);
/* ERR_FULL when the disk is. */
MUST_USE enum err sealed_put(struct sealed *s, const void *data, size_t len);
/* Everything is on the disk then, still without its name. */
MUST_USE enum err sealed_finish(struct sealed *s, int64_t *bytes);
/* Gives it its name; it is there from now on. */
MUST_USE enum err sealed_keep(struct sealed *s,
                              char name[SEALED_NAME_CHARS + 1]);
/* Frees it; what was not kept is gone.  NULL is allowed. */
void sealed_close(struct sealed *s);

struct sealed_file; /* being read; it needs the tenant no longer */
/* ERR_NOT_FOUND. */
MUST_USE enum err sealed_open(struct tenant *t, const char *name,
                              struct sealed_file **out);
int64_t sealed_bytes(const struct sealed_file *f); /* of what was put in */
/* Exactly len bytes; ERR_INTERNAL, logged, when they were changed. */
MUST_USE enum err sealed_read(struct sealed_file *f, int64_t at, void *data,
                              size_t len);
void sealed_leave(struct sealed_file *f);

/* Not there any more is no error. */
MUST_USE enum err sealed_remove(struct tenant *t, const char *name);
/* Names of all that are kept. */
size_t sealed_list(struct tenant *t, struct arena *mem,
                   const char *const **out);

/* All that are kept in a folder, into another one and under another key of the
 * tenant; on the disk then.  Inside db/ only. */
MUST_USE enum err sealed_seal_anew(const char *from, const uint8_t old[32],
                                   const char *to, const uint8_t key[32]);

#endif
