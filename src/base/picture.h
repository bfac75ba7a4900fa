/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PICTURE_H
#define BASE_PICTURE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

/* Pictures as they come from cameras and screens.  Nothing is decoded: the
 * parts a file is made of are walked, and each is kept or left out. */
enum picture_kind {
    PICTURE_NONE,
    PICTURE_PNG,
    PICTURE_JPEG,
    PICTURE_WEBP,
    PICTURE_GIF,
};

struct picture {
    uint32_t width, height; /* as the file says */
};

/* Leaves out what tells of the maker and not of the picture: EXIF with the
 * place it was taken at, XMP, IPTC, comments, thumbnails, and whatever hangs
 * behind the end.  Colour profile and, for JPEG, the way up are kept; GIF is
 * only measured.  What is left goes to the end of out, or nothing does where
 * all of it is left.  false: the parts do not fit together, or no size is told. */
MUST_USE bool picture_strip(enum picture_kind kind, const void *data,
                            size_t len, struct buf *out, struct picture *p);

#endif
