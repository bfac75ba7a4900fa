/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_MASTER_COLOR_H
#define CORE_MASTER_COLOR_H

/* Names of the colour tokens that labels, teams and statuses may have; NULL at
 * the end.  The web has a colour for each, light and dark. */
extern const char *const color_words[];

#endif
