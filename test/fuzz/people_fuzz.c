/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a CSV of people: rows whose cells are whole text, or errors
 * that name a line of the file, a rule and a message. */
#include "core/exchange/people_csv.h"

#include <stdint.h>
#include <string.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_open(0);
    const struct actor actor = {.lang = size % 2 ? LANG_JA : LANG_EN};
    struct ctx c = {.mem = mem, .actor = &actor};
    struct people_file f = {.count = 0};

    people_csv_read(&c, (const char *)data, size, &f);
    must(f.count <= PEOPLE_MAX_ROWS);
    must(f.count || f.error_count);
    for (size_t i = 0; i < f.count; i++) {
        must(f.rows[i].line > 0);
        for (int j = 0; j < PEOPLE_CELLS; j++) {
            const char *text = f.rows[i].cell[j];
            must(!text || (*text && str_is_utf8(text, strlen(text), NULL)));
        }
    }
    for (size_t i = 0; i < f.error_count; i++)
        must(f.errors[i].line >= 0 && f.errors[i].rule && f.errors[i].message);
    arena_close(mem);
    return 0;
}
