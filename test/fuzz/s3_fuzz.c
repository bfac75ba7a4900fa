/* SPDX-License-Identifier: Apache-2.0 */
/* A store that answers anything: the client ends with an error and its reason,
 * or with names that may stand in a path of ours. */
#include "answerer.h"
#include "net/s3.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_open(0);
    const struct s3_object *list = NULL;
    size_t count = 0;

    answerer_start(mem, data, size);
    const struct s3_config config = {.place = {.host = answerer.host,
                                               .port = answerer.port,
                                               .timeout_ms = 1000},
                                     .bucket = "copies",
                                     .prefix = "yagura/",
                                     .region = "jp",
                                     .key_id = "id",
                                     .secret = "open sesame",
                                     .is_path_style = true,
                                     .pause_ms = 1};
    struct s3 *s = s3_open(mem, &config);
    enum err e = s3_list(s, mem, "", &list, &count);
    for (size_t i = 0; !e && i < count; i++)
        must(list[i].name && list[i].bytes >= 0 &&
             !strstr(list[i].name, "..") && *list[i].name != '/');
    if (e)
        must(*s3_why(s).en && !strstr(s3_why(s).en, "sesame"));
    s3_close(s);
    answerer_stop();
    arena_close(mem);
    return 0;
}
