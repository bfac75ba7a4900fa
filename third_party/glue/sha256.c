/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by the processor's own instructions where it has them: mbedTLS does
 * this on ARM alone.  The block function of 7-Zip, or its portable one, stands
 * where mbedTLS's would. */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <mbedtls/sha256.h>

#include "Sha256.h"

static SHA256_FUNC_UPDATE_BLOCKS update_blocks;

__attribute__((constructor)) static void choose(void)
{
    CSha256 sha;

    Sha256Prepare();
    Sha256_Init(&sha);
    update_blocks = sha.v.vars.func_UpdateBlocks;
}

int mbedtls_internal_sha256_process(mbedtls_sha256_context *ctx,
                                    const unsigned char data[64])
{
    update_blocks(ctx->state, data, 1);
    return 0;
}
