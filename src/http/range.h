/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

#include <stdbool.h>
#include <stdint.h>

/* The header Range of RFC 9110 section 14, one range of bytes alone. */
enum range_kind {
    RANGE_WHOLE,   /* none, or one we do not take: all of it is sent */
    RANGE_PART,    /* from and bytes are within */
    RANGE_OUTSIDE, /* nothing of it is there */
};
enum range_kind range_read(const char *header, int64_t whole_bytes,
                           int64_t *from, int64_t *bytes);

#endif
