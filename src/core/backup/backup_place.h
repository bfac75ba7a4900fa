/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_BACKUP_BACKUP_PLACE_H
#define CORE_BACKUP_BACKUP_PLACE_H

#include "core/app.h"
#include "core/backup/backup_reason.h"
#include "db/backup_mirror.h"

/* A place that holds copies of generations: a second folder or a bucket; one
 * folder a generation, named by its date. */
enum backup_place_kind { BACKUP_DIR, BACKUP_S3, BACKUP_PLACES };
extern const char *const backup_place_words[]; /* "dir", "s3" and NULL */

struct backup_place {
    enum backup_place_kind kind;
    const char *dir;
    struct s3 *s3;
    struct arena *mem;
};

bool backup_place_is_set(const struct app *app, enum backup_place_kind kind);
/* How the operator knows it: the folder, or endpoint and bucket. */
const char *backup_place_name(const struct app *app, struct arena *mem,
                              enum backup_place_kind kind);
void backup_place_open(const struct app *app, struct arena *mem,
                       enum backup_place_kind kind, struct backup_place *out);
void backup_place_close(struct backup_place *p);

/* Dates of the generations there, whole or not. */
MUST_USE enum err backup_place_list(struct backup_place *p, struct arena *mem,
                                    const char *const **dates, size_t *count);
MUST_USE enum err backup_place_list_files(struct backup_place *p,
                                          struct arena *mem, const char *date,
                                          const struct backup_mirror_file **out,
                                          size_t *count);
MUST_USE enum err backup_place_put(struct backup_place *p, const char *date,
                                   const char *file, int fd, int64_t bytes,
                                   const uint8_t sha256[32]);
/* Into an empty file. */
MUST_USE enum err backup_place_get(struct backup_place *p, const char *date,
                                   const char *file, int fd, int64_t max);
MUST_USE enum err backup_place_delete(struct backup_place *p, const char *date,
                                      const char *file);
/* What a kill left of one being written or replaced. */
void backup_place_sweep(const struct backup_place *p, const char *date);
/* What went wrong last; lives in the arena. */
struct backup_reason backup_place_why(const struct backup_place *p, enum err e);

#endif
