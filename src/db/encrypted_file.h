/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_ENCRYPTED_FILE_H
#define DB_ENCRYPTED_FILE_H

#include "db/store.h"

/* Large files that lie for a while in a tenant's folder, encrypted under a key
 * derived from the tenant's: they become unreadable with it.  Written once
 * from front to back, read from anywhere. */
enum { ENCRYPTED_FILE_NAME_CHARS = 16 };

struct encrypted_file; /* being written */
MUST_USE enum err encrypted_file_create(struct tenant *t,
                                        struct encrypted_file **out);
/* ERR_FULL when the disk is. */
MUST_USE enum err encrypted_file_put(struct encrypted_file *s, const void *data,
                                     size_t len);
/* Everything is on the disk then, still without its name. */
MUST_USE enum err encrypted_file_finish(struct encrypted_file *s,
                                        int64_t *bytes);
/* Gives it its name; it is there from now on. */
MUST_USE enum err encrypted_file_keep(struct encrypted_file *s,
                                      char name[ENCRYPTED_FILE_NAME_CHARS + 1]);
/* Frees it; what was not kept is gone.  NULL is allowed. */
void encrypted_file_close(struct encrypted_file *s);

struct encrypted_file_reader; /* being read; it needs the tenant no longer */
/* ERR_NOT_FOUND. */
MUST_USE enum err encrypted_file_open(struct tenant *t, const char *name,
                                      struct encrypted_file_reader **out);
int64_t encrypted_file_bytes(
    const struct encrypted_file_reader *f); /* of what was put in */
/* Exactly len bytes; ERR_INTERNAL, logged, when they were changed. */
MUST_USE enum err encrypted_file_read(struct encrypted_file_reader *f,
                                      int64_t at, void *data, size_t len);
void encrypted_file_leave(struct encrypted_file_reader *f);

/* Not there any more is no error. */
MUST_USE enum err encrypted_file_remove(struct tenant *t, const char *name);
/* Names of all that are kept. */
size_t encrypted_file_list(struct tenant *t, struct arena *mem,
                           const char *const **out);

/* All that are kept in a folder, into another one and under another key of the
 * tenant; on the disk then.  Inside db/ only. */
MUST_USE enum err encrypted_file_seal_anew(const char *from,
                                           const uint8_t old[32],
                                           const char *to,
                                           const uint8_t key[32]);

#endif
