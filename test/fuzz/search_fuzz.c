/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes, as a document and as what a person typed: the phrase made of
 * them is always one FTS5 accepts, and a document is found by its own words
 * (the first 200 bytes without a blank). */
#include "base/str.h"
#include "db/query.h"
#include "db/tokenizer.h"

#include <sqlite3.h>
#include <string.h>

enum { INPUT_MAX = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sqlite3 *open_index(void)
{
    static const char create[] =
        "CREATE VIRTUAL TABLE s USING fts5(text, content = '',"
        " contentless_delete = 1, tokenize = 'bigram')";
    sqlite3 *db;

    must(sqlite3_open(":memory:", &db) == SQLITE_OK);
    must(tokenizer_register(db) == SQLITE_OK);
    must(sqlite3_exec(db, create, NULL, NULL, NULL) == SQLITE_OK);
    return db;
}

static int run(sqlite3 *db, const char *sql, const char *text)
{
    sqlite3_stmt *s;

    must(sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK);
    must(sqlite3_bind_text(s, 1, text, -1, SQLITE_TRANSIENT) == SQLITE_OK);
    int rc = sqlite3_step(s);
    must(rc == SQLITE_DONE || rc == SQLITE_ROW);
    must(sqlite3_finalize(s) == SQLITE_OK);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sqlite3 *db;
    size_t bad;

    if (size > INPUT_MAX)
        return 0;
    if (!db)
        db = open_index();
    struct arena *mem = arena_open(0);
    const char *text = arena_strndup(mem, (const char *)data, size);
    const char *raw_match = search_match(mem, text);
    if (raw_match)
        (void)run(db, "SELECT rowid FROM s WHERE s MATCH ?1", raw_match);
    if (str_is_utf8(text, strlen(text), &bad)) {
        const char *folded = str_fold(mem, text);
        const char *match = search_match(mem, folded);
        (void)run(db, "INSERT INTO s (rowid, text) VALUES (1, ?1)", folded);
        bool is_whole = !strpbrk(folded, " \t\r\n") && strlen(folded) < 200;
        if (match)
            must(run(db, "SELECT rowid FROM s WHERE s MATCH ?1", match) ==
                     SQLITE_ROW ||
                 !is_whole);
        must(run(db, "DELETE FROM s WHERE rowid = 1 OR ?1", "0") ==
             SQLITE_DONE);
    }
    arena_close(mem);
    return 0;
}
