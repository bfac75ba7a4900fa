/* SPDX-License-Identifier: Apache-2.0 */
/* The body decides everything: either it is refused with a reason, or each
 * value keeps the promise of its field.  The same bytes also serve as cells. */
#include "base/form.h"

#include <stdint.h>
#include <string.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const states[] = {"open", "done", NULL};

static const struct field row_fields[] = {
    {DAY("d", REQUIRED, "日", "Day")},
    {TEXT("t", 0, 5, OPTIONAL, "備考", "Note")},
};
static const struct form row_form = {"Row", row_fields, COUNT(row_fields)};

static const struct field fields[] = {
    {TEXT("t", 1, 10, REQUIRED, "件名", "Subject")},
    {LINES("l", 0, 100, OPTIONAL, "本文", "Body")},
    {SECRET("s", 0, 50, OPTIONAL, "合言葉", "Secret")},
    {INT("i", -5, 100, NULLABLE, "率", "Rate")},
    {BOOL("b", OPTIONAL, "公開", "Open")},
    {DAY("d", NULLABLE, "期限", "Due")},
    {ID("o", OPTIONAL, "担当", "Owner")},
    {CHOICE("c", states, OPTIONAL, "状態", "State")},
    {IDS("x", 3, OPTIONAL, "札", "Tags")},
    {ROWS("r", &row_form, 0, 3, OPTIONAL, "編集", "Edits")},
};
static const struct form form = {"Thing", fields, COUNT(fields)};

static void check_values(const struct values *v)
{
    const int64_t *ids = NULL;
    const struct values *const *rows = NULL;
    const char *title = values_text(v, "t");
    must(title && str_count_chars(title) >= 1);
    must(str_count_chars(title) <= 10 && !str_has_control(title, false));
    must(values_int(v, "i", 0) >= -5 && values_int(v, "i", 0) <= 100);
    must(values_int(v, "o", 1) > 0);
    must(values_int(v, "c", 0) >= 0 && values_int(v, "c", 0) < 2);
    size_t count = values_ids(v, "x", &ids);
    must(count <= 3);
    for (size_t i = 0; i < count; i++)
        must(ids[i] > 0);
    count = values_rows(v, "r", &rows);
    must(count <= 3);
    for (size_t i = 0; i < count; i++)
        must(values_has(rows[i], "d"));
}

static void check_outcome(const struct ctx *c, enum err e,
                          const struct values *v)
{
    must((e == OK) == (c->fail == NULL) && (e == OK) == (v != NULL));
    if (v)
        check_values(v);
    for (const struct failure *f = c->fail; f; f = f->next)
        must(f->field && f->rule && f->message);
}

/* One line a cell; a lone '-' leaves it out. */
static void split_cells(struct arena *mem, const uint8_t *data, size_t size,
                        const char **cells)
{
    char *text = arena_strndup(mem, (const char *)data, size);
    for (size_t i = 0; i < COUNT(fields); i++) {
        size_t len = strcspn(text, "\n");
        bool is_last = !text[len];
        text[len] = '\0';
        cells[i] = strcmp(text, "-") == 0 ? NULL : text;
        text += is_last ? len : len + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *mem = arena_open(0);
    const struct actor actor = {.lang = size % 2 ? LANG_JA : LANG_EN};
    struct ctx c = {.mem = mem, .actor = &actor};
    const struct values *v = NULL;
    enum err e = values_parse_json(&c, &form, (const char *)data, size, &v);
    check_outcome(&c, e, v);

    const char *cells[COUNT(fields)] = {NULL};
    split_cells(mem, data, size, cells);
    c.fail = NULL;
    v = NULL;
    e = values_parse_cells(&c, &form, cells, &v);
    check_outcome(&c, e, v);
    arena_close(mem);
    return 0;
}
