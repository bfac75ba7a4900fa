/* SPDX-License-Identifier: Apache-2.0 */
/* The colours people choose from, as they stand in files and replies. */
#include "core/master/color.h"

#include <stddef.h>

const char *const color_words[] = {"gray",   "blue", "green", "violet", "teal",
                                   "orange", "red",  "amber", NULL};
