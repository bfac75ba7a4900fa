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

/* NULL on failure; *rule is then "doctype", "encoding", "too_deep",
 * "too_many" or "xml", *line where if known (else 0). */
const struct xml *xml_parse(struct arena *mem, const char *text, size_t len,
                            const char **rule, int *line);

const struct xml *xml_child(const struct xml *x, const char *name); /* NULL */
/* The child's text; NULL when it is absent or empty. */
const char *xml_text(const struct xml *x, const char *name);

#endif
