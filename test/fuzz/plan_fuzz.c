/* SPDX-License-Identifier: Apache-2.0 */
/* A plan from anywhere, as CSV or MS Project XML: refused with a line and a
 * rule, or rows whose cells are whole text. */
#include "core/exchange/plan_file.h"

#include <stdint.h>
#include <string.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(enum err e, const struct plan_file *f,
                  const struct plan_error *error)
{
    must(e == OK || e == ERR_INVALID);
    if (e) {
        must(error->rule && error->message && error->line >= 0);
        return;
    }
    must(f->count <= PLAN_ROWS_MAX && f->loss_count <= COUNT(f->losses));
    for (size_t i = 0; i < f->count; i++)
        for (int j = 0; j < PLAN_CELLS; j++) {
            const char *text = f->items[i].cell[j];
            must(!text || str_is_utf8(text, strlen(text), NULL));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_open(0);
    const struct actor actor = {.lang = size % 2 ? LANG_JA : LANG_EN};
    struct ctx c = {.mem = mem, .actor = &actor};
    enum plan_encoding encoding = (enum plan_encoding)(size % 3);
    struct plan_file file = {.count = 0};
    struct plan_error error = {.line = 0};

    check(plan_csv_read(&c, (const char *)data, size, encoding, &file, &error),
          &file, &error);
    file = (struct plan_file){.count = 0};
    error = (struct plan_error){.line = 0};
    check(mspdi_read(&c, (const char *)data, size, &file, &error), &file,
          &error);
    arena_close(mem);
    return 0;
}
