/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_XML_H
#define BASE_XML_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

/* Reads a bounded XML document into the arena: elements, their text, no
 * attributes; namespace prefixes are dropped.  DOCTYPE and entity
 * declarations are refused before the parser sees the text, so there are no
 * external entities and no expansion. */
struct xml {
    const char *name; /* local name */
    const char *text; /* its own text, trimmed, "" when none */
    struct xml *child, *next;
};

/* NULL on failure; *rule is then "doctype", "encoding", "too_deep" (32
 * elements), "too_many" (1,500,000 elements, 32 attributes of one), "too_long"
 * (256 KiB of one tag, text, comment or CDATA section) or "xml", *line where
 * if known (else 0).  Time is linear in len: what costs the library more is
 * refused before it sees the text. */
const struct xml *xml_parse(struct arena *mem, const char *text, size_t len,
                            const char **rule, int *line);

const struct xml *xml_child(const struct xml *x, const char *name); /* NULL */
/* The child's text; NULL when it is absent or empty. */
const char *xml_text(const struct xml *x, const char *name);

#endif
