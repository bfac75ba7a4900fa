/* SPDX-License-Identifier: Apache-2.0 */
/* The signature against the examples of Amazon's own documentation. */
#include "net/s3.h"

#include "base/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const char *sign(struct arena *mem, const char *query)
{
    const struct s3_config config = {
        .region = "us-east-1",
        .key_id = "AKIAIOSFODNN7EXAMPLE",
        .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};

    return s3_sign(
        mem, &config,
        &(struct s3_request){.method = "GET",
                             .host = "examplebucket.s3.amazonaws.com",
                             .path = "/",
                             .query = query,
                             .hash_hex = EMPTY,
                             .date = "20130524T000000Z"});
}

static void examples_are_signed_alike(void **state)
{
    struct arena *mem = arena_open(0);

    (void)state;
    assert_non_null(strstr(sign(mem, "lifecycle="),
                           "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c69"
                           "9e0f91ac7a200a0136783543"));
    const char *list = sign(mem, "max-keys=2&prefix=J");
    assert_non_null(strstr(list, "Signature=34b48302e7b5fa45bde8084f4b7868a86f0"
                                 "a534bc59db6670ed5711ef69dc6f7"));
    assert_non_null(strstr(list, "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-"
                                 "east-1/s3/aws4_request"));
    assert_null(strstr(list, "wJalr"));
    arena_close(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_are_signed_alike),
    };

    if (crypto_init())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
