/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_S3_H
#define NET_S3_H

#include "base/arena.h"
#include "base/err.h"
#include "net/http_client.h"

/* A bucket of an S3-compatible store, each request signed (AWS Signature
 * Version 4) with the hash of what it carries, so that the store refuses what
 * was altered on the way.  Names of objects are [A-Za-z0-9._/-]; a prefix of
 * the configuration goes before them.  What may be better in a moment (no
 * answer, 429, 5xx) is tried four times. */
struct s3_config {
    struct http_place place;
    const char *bucket, *prefix; /* prefix "" or "folder/" */
    const char *region, *key_id, *secret;
    bool is_path_style; /* else the bucket is the first label of the host */
    int pause_ms;       /* before the second try, then doubled; 0: 500 */
};
struct s3_object {
    const char *name; /* without the prefix; a folder ends with "/" */
    int64_t bytes;
};
struct s3;

struct s3 *s3_open(struct arena *mem, const struct s3_config *config);
void s3_close(struct s3 *s); /* NULL is allowed */

/* Errors as http_client_call(), and by status ERR_NOT_FOUND, ERR_DENIED
 * (401, 403), ERR_BUSY (429, 5xx), else ERR_INVALID. */
MUST_USE enum err s3_put(struct s3 *s, const char *name, int fd, int64_t bytes,
                         const uint8_t sha256[32]);
/* Into an empty file; ERR_INVALID when it is longer than max. */
MUST_USE enum err s3_get(struct s3 *s, const char *name, int fd, int64_t max);
MUST_USE enum err s3_delete(struct s3 *s, const char *name);
/* Objects directly under a folder ("" or "a/"), or its folders. */
MUST_USE enum err s3_list(struct s3 *s, struct arena *mem, const char *folder,
                          const struct s3_object **out, size_t *count);
/* What the last failure was, one line, free of secrets. */
struct http_why s3_why(const struct s3 *s);

/* For the test of the signature: the value of the header Authorization. */
struct s3_request {
    const char *method, *host, *path, *query; /* query sorted, encoded */
    const char *hash_hex;                     /* of the body */
    const char *date;                         /* "20130524T000000Z" */
};
const char *s3_sign(struct arena *mem, const struct s3_config *config,
                    const struct s3_request *request);

#endif
