/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_LANGUAGE_H
#define HTTP_LANGUAGE_H

#include <stddef.h>

/* Which of the known languages ("ja", "en") the header Accept-Language (RFC
 * 9110 section 12.5.4) likes best, the first of equals; regions are left
 * aside, so "en-GB" is "en".  -1: it names none of them, or is NULL. */
int language_choose(const char *header, const char *const *known, size_t count);

#endif
