/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ip_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "http/proxy.h"

static void test_folds_mapped_addresses(void **state)
{
    (void)state;
    struct ip_address four, six;
    char text[IP_ADDRESS_TEXT_BYTES];
    assert_true(ip_address_parse("192.0.2.1", &four));
    assert_true(ip_address_parse("::ffff:192.0.2.1", &six));
    assert_memory_equal(&four, &six, sizeof four);
    ip_address_format(&six, text);
    assert_string_equal(text, "192.0.2.1");
    assert_true(ip_address_parse("2001:DB8:0:0::1", &six));
    ip_address_format(&six, text);
    assert_string_equal(text, "2001:db8::1");
    assert_false(ip_address_is_v4(&six));
}

static void test_knows_its_own_machine(void **state)
{
    static const struct {
        const char *text;
        bool is;
    } samples[] = {
        {"127.0.0.1", true},    {"127.9.8.7", true},
        {"::1", true},          {"::ffff:127.0.0.1", true},
        {"128.0.0.1", false},   {"10.127.0.1", false},
        {"::2", false},         {"1::1", false},
        {"::127.0.0.1", false},
    };
    struct ip_address a;
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++) {
        assert_true(ip_address_parse(samples[i].text, &a));
        assert_int_equal(ip_address_is_loopback(&a), samples[i].is);
    }
}

static void test_refuses_what_is_no_address(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",         " ",        "1.2.3",      "1.2.3.4.5", "256.1.1.1",
        "01.2.3.4", "1.2.3.4 ", " 1.2.3.4",   "0x1.2.3.4", "::g",
        "[::1]",    "::1%eth0", "1.2.3.4:80", "localhost", ":::",
    };
    struct ip_address a;
    for (size_t i = 0; i < COUNT(texts); i++)
        if (ip_address_parse(texts[i], &a))
            fail_msg("%s", texts[i]);
}

static void test_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *range, *address;
        bool is_in;
    } samples[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.0.0.0/8", "::ffff:10.1.1.1", true},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.6", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "203.0.113.9", true},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"::ffff:192.0.2.0/120", "192.0.2.200", true},
    };
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct ip_address_range range;
        struct ip_address a;
        assert_true(ip_address_parse_range(samples[i].range, &range));
        assert_true(ip_address_parse(samples[i].address, &a));
        if (ip_address_in(&a, &range) != samples[i].is_in)
            fail_msg("%s in %s", samples[i].address, samples[i].range);
    }
}

static void test_refuses_sloppy_ranges(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "10.0.0.1/8", "10.0.0.0/33",  "10.0.0.0/",   "10.0.0.0/-1",
        "/8",         "10.0.0.0/08",  "10.0.0.0/8x", "2001:db8::1/64",
        "::/129",     "10.0.0.0/8/8", "10/8",        "::/+1",
    };
    struct ip_address_range range;
    for (size_t i = 0; i < COUNT(texts); i++)
        if (ip_address_parse_range(texts[i], &range))
            fail_msg("%s", texts[i]);
}

/* The first stranger from the right is the client, whatever it claims. */
static void test_walks_the_chain_of_proxies(void **state)
{
    (void)state;
    static const char *const trusted[] = {"10.0.0.0/8", "2001:db8::/32", NULL};
    static const struct {
        const char *peer, *chain, *client;
    } samples[] = {
        {"203.0.113.1", "198.51.100.7", "203.0.113.1"},
        {"10.0.0.1", "198.51.100.7", "198.51.100.7"},
        {"10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"},
        {"10.0.0.1", "1.1.1.1,198.51.100.7 , 10.2.3.4", "198.51.100.7"},
        {"10.0.0.1", "2001:db8::5", "2001:db8::5"},
        {"10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"},
        {"10.0.0.1", "", "10.0.0.1"},
        {"10.0.0.1", "unknown", "10.0.0.1"},
        {"10.0.0.1", "1.1.1.1, junk, 10.0.0.2", "10.0.0.2"},
        {"10.0.0.1", "198.51.100.7,", "10.0.0.1"},
        {"10.0.0.1", "198.51.100.7:4711", "10.0.0.1"},
        {"10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"},
    };
    struct proxy_list list;
    assert_int_equal(proxy_init(&list, trusted), OK);
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct ip_address client;
        char text[IP_ADDRESS_TEXT_BYTES];
        assert_true(ip_address_parse(samples[i].peer, &client));
        proxy_find_client(&list, samples[i].chain, &client);
        ip_address_format(&client, text);
        assert_string_equal(text, samples[i].client);
    }
    proxy_free(&list);
}

static void test_trusts_nobody_by_default(void **state)
{
    (void)state;
    struct proxy_list list;
    struct ip_address a;
    assert_int_equal(proxy_init(&list, NULL), OK);
    assert_true(ip_address_parse("127.0.0.1", &a));
    assert_false(proxy_is_trusted(&list, &a));
    static const char *const wrong[] = {"10.0.0.1/8", NULL};
    assert_int_equal(proxy_init(&list, wrong), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folds_mapped_addresses),
        cmocka_unit_test(test_knows_its_own_machine),
        cmocka_unit_test(test_refuses_what_is_no_address),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_refuses_sloppy_ranges),
        cmocka_unit_test(test_walks_the_chain_of_proxies),
        cmocka_unit_test(test_trusts_nobody_by_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
