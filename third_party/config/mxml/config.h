/* SPDX-License-Identifier: Apache-2.0 */
/* Mini-XML's config.h: what its configure would find on any Linux. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MXML_VERSION       "Mini-XML v3.3.1"
#define HAVE_LONG_LONG_INT 1
#define HAVE_SNPRINTF      1
#define HAVE_VASPRINTF     1
#define HAVE_VSNPRINTF     1
#define HAVE_STRDUP        1
#define HAVE_STRLCAT       1
#define HAVE_STRLCPY       1
#define HAVE_PTHREAD_H     1
