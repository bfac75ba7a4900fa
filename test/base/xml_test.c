/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded XML: what could hurt is refused before it is parsed, with its line.
 */
#include "base/xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"

static struct arena *mem;

static const struct xml *read_xml(const char *text, const char **rule,
                                  int *line)
{
    return xml_parse(mem, text, strlen(text), rule, line);
}

static void elements_have_names_and_text(void **state)
{
    const char *rule;
    int line;
    const struct xml *x =
        read_xml("\xef\xbb\xbf<?xml version=\"1.0\"?>\n<p:a x=\"1\">\n"
                 " <b> one &amp; two </b>\n <!-- no --> <b>3</b><c/>\n</p:a>",
                 &rule, &line);

    (void)state;
    assert_non_null(x);
    assert_string_equal(x->name, "a");
    assert_string_equal(xml_text(x, "b"), "one & two");
    assert_string_equal(xml_child(x, "b")->next->text, "3");
    assert_null(xml_text(x, "c"));
    assert_null(xml_child(x, "d"));
    assert_string_equal(x->text, "");
}

static void a_refusal_names_its_line(void **state)
{
    static const struct {
        const char *text, *rule;
        int line;
    } cases[] = {
        {"<a>\n<b>\n</a>\n", "xml", 3},
        {"<\t", "xml", 1},
        {"<a>\n<b c", "xml", 2},
        {"<a/>\n<b/>", "xml", 0},
        {"<a/>\n</ >", "xml", 2},
        {"text", "xml", 0},
        {"<a>\n<b c=d/></a>", "xml", 2},
        {"<a>\n<b c='<'/></a>", "xml", 2},
        {"</a>", "xml", 1},
        {"<a>\n<!-- ", "xml", 2},
        {"<a>\n<!DOCTYPE a>\n</a>", "doctype", 2},
        {"<!DOCTYPE a [\n<!ENTITY x \"y\">]><a/>", "doctype", 1},
        {"<a>\n\n\xff</a>", "encoding", 3},
        {"\xff\xfe<\0a", "encoding", 1},
    };
    const char *rule;
    int line;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_null(read_xml(cases[i].text, &rule, &line));
        assert_string_equal(rule, cases[i].rule);
        assert_int_equal(line, cases[i].line);
    }
}

static void size_and_depth_have_an_end(void **state)
{
    struct buf deep = buf_in(mem), wide = buf_in(mem);
    const char *rule;
    int line;

    (void)state;
    for (int i = 0; i < 40; i++)
        buf_puts(&deep, "<a>\n");
    assert_null(read_xml(deep.data, &rule, &line));
    assert_string_equal(rule, "too_deep");
    buf_puts(&wide, "<a>");
    for (int i = 0; i < 1500000; i++)
        buf_puts(&wide, "<b/>");
    buf_puts(&wide, "</a>");
    assert_null(read_xml(wide.data, &rule, &line));
    assert_string_equal(rule, "too_many");
}

/* Attributes of one element are looked through for each that is added, a text
 * is copied as it grows: both are bounded for each element, so that the time
 * is linear in the file (a file of 429 KB took 12.8 s). */
static void one_element_has_an_end(void **state)
{
    struct buf many = buf_in(mem);
    const char *rule;
    int line;
    static const struct {
        const char *head, *before, *after, *tail, *rule;
        int times;
    } cases[] = {
        {"<a>\n<b", " a", "=\"1\"", "/></a>", NULL, 32},
        {"<a>\n<b", " a", "=\"1\"", "/></a>", "too_many", 33},
        {"<a>\n<b c='", "", "", "'/></a>", "too_long", 40000},
        {"<a>\n", "", "", "</a>", NULL, 32000},
        {"<a>\n<b>", "", "", "</b></a>", "too_long", 40000},
        {"<a>\n<![CDATA[", "<br ", ">", "]]></a>", NULL, 1000},
        {"<a>\n<![CDATA[", "<", "", "]]></a>", "too_long", 40000},
        {"<a>\n<!-- --->", "<", "", "--></a>", "too_long", 40000},
        {"<a>\n<?x ", "<", "", "?></a>", "too_long", 40000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        many = buf_in(mem);
        buf_puts(&many, cases[i].head);
        for (int k = 0; k < cases[i].times; k++) {
            buf_puts(&many, cases[i].before);
            buf_put_int(&many, 10000000 + k);
            buf_puts(&many, cases[i].after);
        }
        buf_puts(&many, cases[i].tail);
        const struct xml *x = read_xml(many.data, &rule, &line);
        assert_int_equal(!x, cases[i].rule != NULL);
        if (cases[i].rule) {
            assert_string_equal(rule, cases[i].rule);
            assert_int_equal(line, 2);
        }
    }
}

static int set_up(void **state)
{
    (void)state;
    mem = arena_open(0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_close(mem);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_have_names_and_text),
        cmocka_unit_test(a_refusal_names_its_line),
        cmocka_unit_test(size_and_depth_have_an_end),
        cmocka_unit_test(one_element_has_an_end),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
