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

enum {
    DEPTH_MAX = 32,
    ELEMENTS_MAX = 1500000,
    /* Bounds of one element: the library looks through all attributes for each
     * one it adds, and copies a text anew for every KiB it grows by. */
    ATTRIBUTES_MAX = 32,
    TEXT_MAX = 256 * 1024,
};

/* ---- the scan: well-formed tags, bounded, before the library sees them ---- */

struct scan {
    const char *text;
    size_t len, at; /* at: where the scan is, or what was refused begins */
    size_t elements, depth;
};

static bool is_space(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

static bool is_name(char ch)
{
    return !is_space(ch) && !strchr("=/<>\"'", ch);
}

static size_t skip_spaces(const struct scan *s, size_t at)
{
    while (at < s->len && is_space(s->text[at]))
        at++;
    return at;
}

/* The end of a name that begins at `at`; `at` itself when none does. */
static size_t skip_name(const struct scan *s, size_t at)
{
    while (at < s->len && is_name(s->text[at]))
        at++;
    return at;
}

/* One name="value" at `at`; its end, 0 when it is none. */
static size_t skip_attribute(const struct scan *s, size_t at)
{
    size_t end = skip_name(s, at);

    if (end == at)
        return 0;
    at = skip_spaces(s, end);
    if (at >= s->len || s->text[at] != '=')
        return 0;
    at = skip_spaces(s, at + 1);
    if (at >= s->len || (s->text[at] != '"' && s->text[at] != '\''))
        return 0;
    const char *quote = memchr(s->text + at + 1, s->text[at], s->len - at - 1);
    if (!quote || memchr(s->text + at, '<', (size_t)(quote - s->text) - at))
        return 0;
    return (size_t)(quote - s->text) + 1;
}

/* From behind the name to the '>' or '/' that ends the tag, at *at. */
static const char *scan_attributes(const struct scan *s, bool is_end,
                                   size_t *at)
{
    for (int attributes = 0;; attributes++) {
        size_t next = skip_spaces(s, *at);
        if (next >= s->len)
            return "xml";
        bool has_more = s->text[next] != '>' && s->text[next] != '/';
        if (has_more && (is_end || next == *at))
            return "xml";
        *at = has_more ? skip_attribute(s, next) : next;
        if (!has_more)
            return NULL;
        if (!*at)
            return "xml";
        if (attributes == ATTRIBUTES_MAX)
            return "too_many";
    }
}

/* <name a="1"> or <name/> or </name>; s->at stands on the '<'. */
static const char *scan_tag(struct scan *s)
{
    bool is_end = s->at + 1 < s->len && s->text[s->at + 1] == '/';
    size_t name = s->at + 1 + is_end, at = skip_name(s, name);
    const char *rule = at == name ? "xml" : scan_attributes(s, is_end, &at);

    if (rule)
        return rule;
    if (at - s->at > TEXT_MAX)
        return "too_long";
    bool is_empty = s->text[at] == '/';
    at += is_empty;
    if (at >= s->len || s->text[at] != '>' || (is_empty && is_end))
        return "xml";
    if (is_end && !s->depth)
        return "xml";
    if (is_end) {
        s->depth--;
    } else {
        s->elements++;
        s->depth += !is_empty;
    }
    if (s->elements > ELEMENTS_MAX)
        return "too_many";
    if (s->depth > DEPTH_MAX)
        return "too_deep";
    s->at = at + 1;
    return NULL;
}

/* What begins with `from` and ends with `to` is not looked into.  A comment
 * ends, for the library, where no third dash stands before the '>'. */
static const char *scan_opaque(struct scan *s, const char *from, const char *to)
{
    size_t at = s->at + strlen(from), to_len = strlen(to);
    const char *end;

    do {
        end = memmem(s->text + at, s->len - at, to, to_len);
        if (!end)
            return "xml";
        at = (size_t)(end - s->text) + 1;
    } while (*to == '-' && end[-1] == '-');
    if ((size_t)(end - s->text) - s->at > TEXT_MAX)
        return "too_long";
    s->at = (size_t)(end - s->text) + to_len;
    return NULL;
}

static bool begins(const struct scan *s, const char *with)
{
    size_t len = strlen(with);

    return s->len - s->at >= len && memcmp(s->text + s->at, with, len) == 0;
}

/* NULL, or the rule that is broken at s->at. */
static const char *scan(struct scan *s)
{
    const char *rule = NULL;

    while (!rule && s->at < s->len) {
        const char *next = memchr(s->text + s->at, '<', s->len - s->at);
        size_t end = next ? (size_t)(next - s->text) : s->len;
        if (end - s->at > TEXT_MAX)
            return "too_long";
        s->at = end;
        if (!next)
            break;
        if (begins(s, "<!--"))
            rule = scan_opaque(s, "<!--", "-->");
        else if (begins(s, "<![CDATA["))
            rule = scan_opaque(s, "<![CDATA[", "]]>");
        else if (begins(s, "<?"))
            rule = scan_opaque(s, "<?", "?>");
        else if (begins(s, "<!"))
            rule = "doctype"; /* or one of the declarations inside it */
        else
            rule = scan_tag(s);
    }
    return rule;
}

static int line_of(const char *text, size_t offset)
{
    int line = 1;

    for (size_t i = 0; i < offset; i++)
        line += text[i] == '\n';
    return line;
}

/* The rule that is broken, with its line; NULL when the library may see it. */
static const char *refuse(const char *text, size_t len, int *line)
{
    struct scan s = {.text = text, .len = len};
    const char *rule;

    if (!str_is_utf8(text, len, &s.at)) {
        rule = "encoding";
    } else if (memchr(text, 0, len)) {
        rule = "encoding";
        s.at = (size_t)((const char *)memchr(text, 0, len) - text);
    } else {
        s.at = 0;
        rule = scan(&s);
    }
    *line = rule ? line_of(text, s.at) : 0;
    return rule;
}

/* ---- the library ---- */

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

const struct xml *xml_parse(struct arena *mem, const char *text, size_t len,
                            const char **rule, int *line)
{
    *line = 0;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        len -= 3;
    }
    if ((*rule = refuse(text, len, line)))
        return NULL;
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
