/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_IF_MATCH_H
#define HTTP_IF_MATCH_H

#include <stdint.h>

/* The header If-Match of RFC 9110 section 13.1.1, where a tag is the number of
 * a version in quotes. */
enum if_match_kind {
    IF_MATCH_VERSION, /* version is the one named, the newest of several */
    IF_MATCH_NEVER,   /* no tag that could be ours; weak ones never match */
    IF_MATCH_MISSING, /* none, "*", which names no version, or no list of tags */
};
enum if_match_kind if_match_read(const char *header, int64_t *version);

#endif
