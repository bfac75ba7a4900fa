/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_ARCHIVE_ARCHIVE_README_H
#define CORE_ARCHIVE_ARCHIVE_README_H

#include "base/buf.h"

#include <stdint.h>

/* What each file of the archive is, in Japanese and in English. */
void archive_readme(struct buf *b, const char *tenant, const char *name,
                    int64_t made_at);

#endif
