/* SPDX-License-Identifier: Apache-2.0 */
/* Mini-XML does the parsing; this file is what stands in front of it (a scan
 * that refuses what could hurt) and behind it (a copy into the arena). */
#include "base/xml.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <mxml.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32, ELEMENTS_MAX = 1500000 };

static bool find(const char *text, size_t len, const char *word)
{
    return memmem(text, len, word, strlen(word)) != NULL;
}

static const char *refuse(const char *text, size_t len)
{
    size_t elements = 0, depth = 0, deepest = 0;

    if (len >= 2 &&
        (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        return "encoding";
    if (!str_is_utf8(text, len, NULL) || memchr(text, 0, len))
        return "encoding";
    if (find(text, len, "<!DOCTYPE") || find(text, len, "<!doctype") ||
        find(text, len, "<!ENTITY"))
        return "doctype";
    for (size_t i = 0; i + 1 < len; i++) {
        bool is_tag = text[i] == '<';
        if ((is_tag && text[i + 1] == '/') ||
            (text[i] == '/' && text[i + 1] == '>')) {
            depth -= depth > 0;
        } else if (is_tag && text[i + 1] != '?' && text[i + 1] != '!') {
            depth++;
            elements++;
        }
        if (depth > deepest)
            deepest = depth;
    }
    if (deepest > DEPTH_MAX)
        return "too_deep";
    return elements > ELEMENTS_MAX ? "too_many" : NULL;
}

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');

    return colon ? colon + 1 : name;
}

/* Depth is bounded by refuse(), so recursion is safe. */
static struct xml *copy(struct arena *mem, mxml_node_t *node)
{
    struct xml *x = arena_new(mem, struct xml), **tail = &x->child;
    struct buf text = buf_in(mem);

    x->name = arena_strdup(mem, local_name(mxmlGetElement(node)));
    for (mxml_node_t *n = mxmlGetFirstChild(node); n;
         n = mxmlGetNextSibling(n)) {
        const char *opaque = mxmlGetOpaque(n);
        if (mxmlGetType(n) == MXML_OPAQUE && opaque) {
            buf_puts(&text, opaque);
        } else if (mxmlGetType(n) == MXML_ELEMENT &&
                   *mxmlGetElement(n) != '?' && *mxmlGetElement(n) != '!') {
            *tail = copy(mem, n);
            tail = &(*tail)->next;
        }
    }
    x->text = text.data ? str_trim(mem, text.data) : "";
    return x;
}

/* The one element there is; NULL when there are more. */
static mxml_node_t *find_root(mxml_node_t *top)
{
    mxml_node_t *root = NULL;

    for (mxml_node_t *n = mxmlGetFirstChild(top); n; n = mxmlGetNextSibling(n))
        if (mxmlGetType(n) == MXML_ELEMENT && *mxmlGetElement(n) != '?' &&
            *mxmlGetElement(n) != '!') {
            if (root)
                return NULL;
            root = n;
        }
    return root;
}

/* The parser's words end in "on line 12."; one thread parses one text. */
static _Thread_local int bad_line;

static void note_line(const char *message)
{
    const char *at = strstr(message, "line ");

    if (at && !bad_line)
        bad_line = (int)strtol(at + 5, NULL, 10);
}

static int line_of(const char *text, size_t offset)
{
    int line = 1;

    for (size_t i = 0; i < offset; i++)
        line += text[i] == '\n';
    return line;
}

/* Where what refuse() means stands, 0 when that is the whole. */
static int refused_line(const char *text, size_t len, const char *rule)
{
    static const char *const words[] = {"<!DOCTYPE", "<!doctype", "<!ENTITY"};
    size_t bad = 0;

    if (strcmp(rule, "encoding") == 0 && !str_is_utf8(text, len, &bad))
        return line_of(text, bad);
    for (size_t i = 0; strcmp(rule, "doctype") == 0 && i < COUNT(words); i++) {
        const char *at = memmem(text, len, words[i], strlen(words[i]));
        if (at)
            return line_of(text, (size_t)(at - text));
    }
    return 0;
}

const struct xml *xml_parse(struct arena *mem, const char *text, size_t len,
                            const char **rule, int *line)
{
    *line = 0;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        len -= 3;
    }
    if ((*rule = refuse(text, len))) {
        *line = refused_line(text, len, *rule);
        return NULL;
    }
    *rule = "xml";
    bad_line = 0;
    mxmlSetErrorCallback(note_line);
    /* With a node above all, by a name that no text can close, nothing is
     * lost that the parser gives up half made. */
    mxml_node_t *top = mxmlNewElement(MXML_NO_PARENT, " ");
    bool is_read = mxmlLoadString(top, arena_strndup(mem, text, len),
                                  MXML_OPAQUE_CALLBACK) != NULL;
    mxml_node_t *root = is_read ? find_root(top) : NULL;
    struct xml *x = root ? copy(mem, root) : NULL;
    mxmlDelete(top);
    *line = x ? 0 : bad_line;
    return x;
}

const struct xml *xml_child(const struct xml *x, const char *name)
{
    const struct xml *n = x ? x->child : NULL;

    while (n && strcmp(n->name, name) != 0)
        n = n->next;
    return n;
}

const char *xml_text(const struct xml *x, const char *name)
{
    const struct xml *n = xml_child(x, name);

    return n && *n->text ? n->text : NULL;
}
