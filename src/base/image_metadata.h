/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_IMAGE_METADATA_H
#define BASE_IMAGE_METADATA_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

/* Pictures as they come from cameras and screens.  Nothing is decoded: the
 * parts a file is made of are walked, and each is kept or left out. */
enum image_metadata_kind {
    IMAGE_NONE,
    IMAGE_PNG,
    IMAGE_JPEG,
    IMAGE_WEBP,
    IMAGE_GIF,
};

struct image_metadata {
    uint32_t width, height; /* as the file says */
};

/* Leaves out what tells of the maker and not of the picture: EXIF with the
 * place it was taken at, XMP, IPTC, comments, thumbnails, and whatever hangs
 * behind the end.  Colour profile and, for JPEG, the way up are kept; GIF is
 * only measured.  What is left goes to the end of out, or nothing does where
 * all of it is left.  false: the parts do not fit together, or no size is told. */
MUST_USE bool image_metadata_strip(enum image_metadata_kind kind,
                                   const void *data, size_t len,
                                   struct buf *out, struct image_metadata *p);

#endif
