/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_TOKENIZER_H
#define DB_TOKENIZER_H

struct sqlite3;

/* Makes the FTS5 tokenizer "bigram" known to a connection; SQLite's code. */
int tokenizer_register(struct sqlite3 *sqlite);

#endif
