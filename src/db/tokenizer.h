/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_TOKENIZER_H
#define DB_TOKENIZER_H

#include "base/arena.h"

struct sqlite3;

/* Makes the FTS5 tokenizer "bigram" known to a connection; SQLite's code. */
int tokenizer_register(struct sqlite3 *sqlite);

/* What ticket_search MATCH takes for a text a person typed, folded by
 * str_fold(): every word must occur, the last may go on.  NULL when there is
 * nothing to look for. */
const char *search_match(struct arena *mem, const char *folded);

#endif
