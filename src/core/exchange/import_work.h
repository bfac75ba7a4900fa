/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_EXCHANGE_IMPORT_WORK_H
#define CORE_EXCHANGE_IMPORT_WORK_H

#include "core/exchange/import.h"
#include "core/master/catalogue.h"
#include "core/work/plan_edit.h"

/* What the two halves of an import share and nobody else sees: import.c gives
 * rows their names, parents and links, import_row.c reads their values. */

/* From text to a number; made for so many entries, never full. */
struct map {
    struct arena *mem;
    struct map_slot {
        const char *key;
        int64_t value;
    } * slots;
    size_t mask;
};

struct map map_in(struct arena *mem, size_t entries);
/* The key's slot; its key is NULL while nothing is there. */
struct map_slot *map_slot(const struct map *m, const char *key);
/* false: the key is there already. */
bool map_add(struct map *m, const char *key, int64_t value);

enum { IMPORT_SEVERAL = -1 }; /* in work.people, labels: a name of several */

struct row {
    const char *name;  /* how edits call it: a ref, or the id in digits */
    int64_t ticket_id; /* of an existing ticket, 0: new */
    bool is_delete, has_children;
};

struct work {
    struct ctx *c;
    struct plan_file *file;
    struct import_report *report;
    const struct catalogue *catalogue;
    const char *project_key;
    struct plan_error *errors;
    struct row *rows;
    struct map ids, outlines, people, labels;
    size_t tokens; /* predecessors read so far */
    int last[32];  /* by level: the row there, for files with levels */
    struct plan_edit *edits;
    size_t edit_count, edit_cap;
};

/* Notes a mistake of row i, up to a limit; the rest is counted. */
void import_complain(struct work *w, size_t i, enum plan_cell cell,
                     const char *rule, const char *message);
/* lead「word」tail, the word cut to what a person would still read. */
const char *import_quote(const struct work *w, const char *lead,
                         const char *word, const char *tail);
/* NULL when the cell is absent or empty. */
const char *import_cell(const struct work *w, size_t i, enum plan_cell cell);
enum plan_cell import_cell_of_field(const char *field);
/* The row's cells by ticket_edit_form; what they say wrong is noted. */
const struct values *import_row_values(struct work *w, size_t i,
                                       const char *parent);

#endif
