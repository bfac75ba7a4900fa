/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ZIP_H
#define BASE_ZIP_H

#include "base/arena.h"
#include "base/crypto.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ZIP with ZIP64 where it is needed.  Written as a stream, entry by entry, in
 * bounded memory; read strictly: what this writer would not write is refused.
 * All memory is the arena's. */
typedef enum err zip_sink_fn(void *arg, const void *data, size_t len);

/* ---- writing ---- */
enum zip_flag {
    ZIP_PLAIN = 1, /* not worth compressing */
    ZIP_LARGE = 2, /* may grow beyond 4 GB */
};
struct zip_written {
    int64_t size, packed;
    uint8_t sha256[CRYPTO_HASH_BYTES]; /* of the content */
};
struct zip_writer;

/* moment_us: what all entries are dated with, in Japan. */
struct zip_writer *zip_begin(struct arena *mem, int64_t moment_us,
                             zip_sink_fn *sink, void *arg);
/* name is copied; one zip_is_name() refuses is a mistake of ours. */
MUST_USE enum err zip_open_entry(struct zip_writer *w, const char *name,
                                 unsigned flags);
MUST_USE enum err zip_put(struct zip_writer *w, const void *data, size_t len);
/* ERR_LIMIT beyond 4 GB without ZIP_LARGE. */
MUST_USE enum err zip_close_entry(struct zip_writer *w,
                                  struct zip_written *out);
/* The directory; nothing may be added after it. */
MUST_USE enum err zip_end(struct zip_writer *w);
/* What zlib says that it is: "1.3.2". */
const char *zip_library_version(void);

/* A relative path of UTF-8 with '/', no empty, "." or ".." part, no
 * backslash, colon or control character, at most 255 bytes. */
bool zip_is_name(const char *name, size_t len);

/* ---- reading ---- */
/* len bytes from at, all of them; an error is passed through. */
typedef enum err zip_source_fn(void *arg, int64_t at, void *data, size_t len);
struct zip_limits {
    size_t entries;
    int64_t bytes; /* of all entries, unpacked */
    int ratio;     /* unpacked to packed, of entries larger than 1 MB */
};
struct zip_entry {
    const char *name;
    int64_t at, packed, size; /* at: of the data in the file */
    uint32_t crc;
};
struct zip {
    struct arena *mem;
    zip_source_fn *source;
    void *arg;
    int64_t bytes; /* of the file */
    const struct zip_entry *entries;
    size_t count;
    /* of a refusal: "not_zip" no directory at the end; "form" not as the
     * writer above writes; "overlap" entries overlap or leave gaps; "kind" no
     * plain file, or encrypted; "name"; "duplicate"; "entries"; "total";
     * "ratio"; "content" does not unpack to what the directory says */
    const char *rule;
    const char *name; /* of the entry concerned, or "" */
};

/* Reads the directory and every entry's head: ERR_INVALID with out->rule. */
MUST_USE enum err zip_open(struct arena *mem, zip_source_fn *source, void *arg,
                           int64_t size, const struct zip_limits *limits,
                           struct zip *out);
const struct zip_entry *zip_find(const struct zip *z, const char *name);
/* Unpacks one entry into the sink, never more than its size; ERR_INVALID
 * "content" when length or checksum differ, in the end. */
MUST_USE enum err zip_extract(struct zip *z, const struct zip_entry *entry,
                              zip_sink_fn *sink, void *arg);

#endif
