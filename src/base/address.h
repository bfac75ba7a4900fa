/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_TEXT_BYTES 46

/* An IP address; IPv4 is kept in its IPv6 form ::ffff:a.b.c.d, so that one
 * client has one address however the socket was opened. */
struct address {
    uint8_t bytes[16];
};

/* Addresses that agree in the first prefix bits (of 128). */
struct address_range {
    struct address base;
    int prefix;
};

/* "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"; nothing around it. */
bool address_parse(const char *text, struct address *out);
/* Also with "/24"; bits beyond the prefix must be zero. */
bool address_parse_range(const char *text, struct address_range *out);
/* From a struct sockaddr; false when it is neither IPv4 nor IPv6. */
bool address_read(const void *sockaddr, struct address *out);
/* IPv4 in dots, also when it came mapped. */
void address_format(const struct address *a, char out[ADDRESS_TEXT_BYTES]);
bool address_is_v4(const struct address *a);
bool address_is_loopback(const struct address *a); /* 127.0.0.0/8, ::1 */
/* The network it is in: what follows the first so many bits is zero. */
struct address address_cut(const struct address *a, int v4_bits, int v6_bits);
bool address_in(const struct address *a, const struct address_range *range);

#endif
