/* SPDX-License-Identifier: Apache-2.0 */
/* A relay that answers anything: the client ends within its deadlines with
 * one of three outcomes and a reason, and says nothing of its password. */
#include "answerer.h"
#include "net/smtp.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mail mail = {.to = "someone@example.jp",
                                     .subject = "件名",
                                     .text = "本文\n.\n",
                                     .message_id = "1@example.jp"};
    struct arena *mem = arena_open(0);
    const char *why = NULL;

    answerer_start(mem, data, size);
    const struct smtp_config config = {.host = answerer.host,
                                       .port = answerer.port,
                                       .security = SMTP_PLAIN_LOOPBACK,
                                       .user = size % 2 ? "user" : NULL,
                                       .password = "open sesame",
                                       .from = "yagura@example.jp",
                                       .from_name = "櫓",
                                       .timeout_ms = 1000};
    enum err e = smtp_send(&config, mem, &mail, &why);
    must(e == OK || e == ERR_INVALID || e == ERR_BUSY);
    must(e == OK || (why && !strstr(why, "sesame")));
    answerer_stop();
    arena_close(mem);
    return 0;
}
