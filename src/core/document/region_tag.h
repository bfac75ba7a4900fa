/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DOCUMENT_REGION_TAG_H
#define CORE_DOCUMENT_REGION_TAG_H

#include <stdbool.h>

/* Where data is kept, in short: a country's two letters, and what the operator
 * says more exactly after a hyphen: "jp", "jp-tokyo".  A list has blanks
 * between. */
enum { REGION_CHARS = 40, REGION_LIST_CHARS = 400 };
#define REGION_DEFAULT "jp"

bool region_is_tag(const char *text);
bool region_is_list(const char *text); /* at least one */
/* "jp" covers "jp" and "jp-tokyo"; "jp-tokyo" covers itself alone. */
bool region_list_covers(const char *list, const char *tag);

#endif
