/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a connection in the one way allowed here: cipher and raw key first,
 * then pragmas read back, limits, an authorizer that lets run-time statements
 * neither attach files nor touch the schema nor steer transactions, and a
 * deadline checked while statements run.  Every handle of the program comes
 * from conn_open(), so that nothing can be reached with weaker settings. */
#include "db/conn.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "db/tokenizer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEPS_PER_TICK = 4000,
    RAW_KEY_BYTES = 4 + 32,
    STATEMENT_CPU_MS = 1500,
};

static const char *const control_text[CONTROL_COUNT] = {
    [CONTROL_BEGIN_READ] = "BEGIN",
    [CONTROL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [CONTROL_COMMIT] = "COMMIT",
    [CONTROL_ROLLBACK] = "ROLLBACK",
    [CONTROL_MEMBER] = "SAVEPOINT member",
    [CONTROL_MEMBER_KEEP] = "RELEASE member",
    [CONTROL_MEMBER_UNDO] = "ROLLBACK TO member",
    [CONTROL_INNER] = "SAVEPOINT inner_part",
    [CONTROL_INNER_KEEP] = "RELEASE inner_part",
    [CONTROL_INNER_UNDO] = "ROLLBACK TO inner_part",
};

static const struct {
    int id, max;
} limits[] = {
    {SQLITE_LIMIT_LENGTH, 10 * 1000 * 1000},
    {SQLITE_LIMIT_SQL_LENGTH, 100 * 1000},
    {SQLITE_LIMIT_COLUMN, 200},
    {SQLITE_LIMIT_EXPR_DEPTH, 100},
    {SQLITE_LIMIT_COMPOUND_SELECT, 20},
    {SQLITE_LIMIT_VDBE_OP, 250 * 1000},
    {SQLITE_LIMIT_FUNCTION_ARG, 32},
    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000},
    {SQLITE_LIMIT_VARIABLE_NUMBER, 250},
    {SQLITE_LIMIT_TRIGGER_DEPTH, 20},
    {SQLITE_LIMIT_WORKER_THREADS, 0},
};

/* ---- what statements may do ---- */

static int allow_function(const char *name)
{
    if (strncmp(name, "sqlite3mc_", 10) == 0 ||
        strcmp(name, "load_extension") == 0 || strcmp(name, "fts5") == 0)
        return SQLITE_DENY;
    return SQLITE_OK;
}

/* Reading, writing rows, calling functions; everything else is refused.
 * FTS5 itself asks for data_version. */
static int authorize(void *arg, int action, const char *a, const char *b,
                     const char *database, const char *trigger)
{
    const struct db *db = arg;

    (void)database;
    (void)trigger;
    if (db->is_trusted)
        return SQLITE_OK;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_FUNCTION:
        return allow_function(b);
    case SQLITE_PRAGMA:
        return strcmp(a, "data_version") == 0 ? SQLITE_OK : SQLITE_DENY;
    default:
        return SQLITE_DENY;
    }
}

/* Called every few thousand steps of a statement.  CPU time, so that a busy
 * machine does not stop what is cheap; it is counted from the first call, so
 * that short statements never ask for it. */
static int tick(void *arg)
{
    struct db *db = arg;

    if (!db->deadline_ms)
        return 0;
    if (!db->is_extended) {
        int64_t now = clock_thread_cpu_ms();
        if (!db->cpu_ms)
            db->cpu_ms = now;
        db->is_cut = now - db->cpu_ms >= db->statement_ms;
    }
    db->is_cut = db->is_cut || clock_monotonic_ms() > db->deadline_ms;
    return db->is_cut;
}

static int note_wal(void *arg, sqlite3 *sqlite, const char *name, int pages)
{
    struct db *db = arg;

    (void)sqlite;
    (void)name;
    if (pages < db->wal_pages) /* it began anew */
        db->wal_due = CONN_WAL_PAGES;
    db->wal_pages = pages;
    return SQLITE_OK;
}

/* ---- errors ---- */

static enum err constraint(struct db *db, int rc, const char *doing)
{
    if (rc != SQLITE_CONSTRAINT_NOTNULL && rc != SQLITE_CONSTRAINT_DATATYPE)
        return ERR_CONFLICT;
    log_error("db: %s: %s (%s:%d)", doing, sqlite3_errmsg(db->sqlite), __FILE__,
              __LINE__);
    return ERR_INTERNAL;
}

static enum err io_error(struct db *db, int rc, const char *doing)
{
    int system = sqlite3_system_errno(db->sqlite);

    if (system == ENOSPC || system == EDQUOT) {
        log_error("db: no space left on the disk, file=%s", db->place->path);
        return ERR_FULL;
    }
    log_error("db: file=%s code=%d errno=%d %s: %s", db->place->path, rc,
              system, sqlite3_errmsg(db->sqlite), doing);
    db->has_io_error = true;
    return ERR_INTERNAL;
}

static enum err translate(struct db *db, int rc, const char *doing)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return OK;
    case SQLITE_CONSTRAINT:
        return constraint(db, rc, doing);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_INTERRUPT:
        log_warn("db: statement stopped, it took too long, tenant=%s: %s",
                 db->place->tenant ? db->place->tenant : "", doing);
        return ERR_BUSY;
    case SQLITE_FULL:
        log_error("db: no space left on the disk, file=%s", db->place->path);
        return ERR_FULL;
    case SQLITE_TOOBIG:
        return ERR_LIMIT;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return io_error(db, rc, doing);
    default:
        log_error("db: code=%d %s: %s (%s:%d)", rc, sqlite3_errmsg(db->sqlite),
                  doing, __FILE__, __LINE__);
        return ERR_INTERNAL;
    }
}

enum err conn_fail(struct db *db, int rc, const char *doing)
{
    int primary = rc & 0xff;

    must(primary != SQLITE_MISUSE);
    must(primary != SQLITE_NOMEM);
    /* a write inside TX_READ is a mistake of ours */
    must(primary != SQLITE_READONLY || db->kind != CONN_READER);
    enum err e = translate(db, rc, doing);
    if (e && db->is_in_tx && !db->lost &&
        (db->has_io_error || sqlite3_get_autocommit(db->sqlite)))
        db->lost = e;
    return e;
}

/* ---- small statements of our own ---- */

static bool is_own(const struct db *db)
{
    return db->kind == CONN_OWN || db->kind == CONN_COPY;
}

int conn_control(struct db *db, enum conn_control what)
{
    sqlite3_stmt **s = &db->control[what];
    int rc = SQLITE_OK;

    db->is_trusted = true;
    if (!*s)
        rc = sqlite3_prepare_v3(db->sqlite, control_text[what], -1,
                                SQLITE_PREPARE_PERSISTENT, s, NULL);
    if (!rc) {
        db->cpu_ms = 0; /* of another statement, perhaps another thread */
        rc = sqlite3_step(*s);
        if (rc == SQLITE_DONE)
            rc = SQLITE_OK;
        sqlite3_reset(*s);
    }
    db->is_trusted = is_own(db);
    return rc;
}

enum err conn_run(struct db *db, const char *sql)
{
    db->is_trusted = true;
    int rc = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);
    db->is_trusted = is_own(db);
    return rc ? conn_fail(db, rc, "set-up") : OK;
}

enum err conn_number(struct db *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *s = NULL;

    *out = 0;
    db->is_trusted = true;
    int rc = sqlite3_prepare_v2(db->sqlite, sql, -1, &s, NULL);
    if (!rc) {
        rc = sqlite3_step(s);
        if (rc == SQLITE_ROW)
            *out = sqlite3_column_int64(s, 0);
        if (rc == SQLITE_ROW || rc == SQLITE_DONE)
            rc = SQLITE_OK;
    }
    sqlite3_finalize(s);
    db->is_trusted = is_own(db);
    return rc ? conn_fail(db, rc, sql) : OK;
}

static int64_t pragma_number(struct db *db, sqlite3_stmt **s, const char *sql)
{
    int64_t value = 0;

    db->is_trusted = true;
    if (*s || !sqlite3_prepare_v3(db->sqlite, sql, -1,
                                  SQLITE_PREPARE_PERSISTENT, s, NULL)) {
        if (sqlite3_step(*s) == SQLITE_ROW)
            value = sqlite3_column_int64(*s, 0);
        sqlite3_reset(*s);
    }
    db->is_trusted = is_own(db);
    return value;
}

int64_t conn_used_bytes(struct db *db)
{
    int64_t pages = pragma_number(db, &db->pages, "PRAGMA page_count");
    int64_t left = pragma_number(db, &db->free_pages, "PRAGMA freelist_count");

    if (!db->page_bytes && conn_number(db, "PRAGMA page_size", &db->page_bytes))
        return 0;
    return (pages - left) * db->page_bytes;
}

bool conn_is_sound(struct db *db)
{
    sqlite3_stmt *s = NULL;
    bool is_sound = false;

    db->is_trusted = true;
    if (!sqlite3_prepare_v2(db->sqlite, "PRAGMA integrity_check(1)", -1, &s,
                            NULL) &&
        sqlite3_step(s) == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(s, 0);
        is_sound = text && strcmp((const char *)text, "ok") == 0;
    }
    sqlite3_finalize(s);
    db->is_trusted = is_own(db);
    return is_sound;
}

/* ---- opening ---- */

/* "raw:" and 32 bytes: the key as it is, no derivation. */
static int set_key(struct db *db)
{
    char text[RAW_KEY_BYTES] = "raw:";
    int cipher = sqlite3mc_cipher_index("aegis");

    must(cipher > 0);
    must(sqlite3mc_config(db->sqlite, "cipher", cipher) == cipher);
    memcpy(text + 4, db->place->key, 32);
    int rc = sqlite3_key(db->sqlite, text, RAW_KEY_BYTES);
    crypto_wipe(text, sizeof(text));
    return rc;
}

static void set_limits(struct db *db)
{
    static const int on[] = {
        /* or a statement with parameters beside partial indexes is compiled
         * again each time they change */
        SQLITE_DBCONFIG_ENABLE_QPSG, SQLITE_DBCONFIG_DEFENSIVE,
        SQLITE_DBCONFIG_ENABLE_FKEY, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE};
    static const int off[] = {SQLITE_DBCONFIG_TRUSTED_SCHEMA,
                              SQLITE_DBCONFIG_DQS_DDL, SQLITE_DBCONFIG_DQS_DML,
                              SQLITE_DBCONFIG_WRITABLE_SCHEMA};
    /* the writer alone folds the log into the file when it closes */
    size_t on_count = COUNT(on) - (db->kind == CONN_READER ? 0 : 1);

    for (size_t i = 0; i < on_count; i++)
        must(sqlite3_db_config(db->sqlite, on[i], 1, NULL) == SQLITE_OK);
    for (size_t i = 0; i < COUNT(off); i++)
        must(sqlite3_db_config(db->sqlite, off[i], 0, NULL) == SQLITE_OK);
    for (size_t i = 0; i < COUNT(limits); i++)
        sqlite3_limit(db->sqlite, limits[i].id, limits[i].max);
    /* VACUUM INTO attaches its target */
    sqlite3_limit(db->sqlite, SQLITE_LIMIT_ATTACHED, db->kind == CONN_OWN);
}

static enum err set_pragmas(struct db *db)
{
    bool is_relaxed = db->place->is_relaxed;
    int64_t level = 0, keys = 0, is_wal = 0;
    enum err e =
        conn_run(db, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
                     "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON;"
                     "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;"
                     "PRAGMA journal_size_limit = 16777216");

    if (!e)
        e = conn_run(db, is_relaxed ? "PRAGMA synchronous = NORMAL"
                                    : "PRAGMA synchronous = FULL");
    if (!e && db->kind == CONN_READER)
        e = conn_run(db, "PRAGMA query_only = ON");
    if (!e)
        e = conn_number(db, "PRAGMA synchronous", &level);
    if (!e)
        e = conn_number(db, "PRAGMA foreign_keys", &keys);
    if (!e)
        e = conn_number(db,
                        "SELECT journal_mode = 'wal' FROM pragma_journal_mode",
                        &is_wal);
    if (!e)
        must(level == (is_relaxed ? 1 : 2) && keys == 1 && is_wal);
    return e;
}

/* No log beside it, nothing written. */
static enum err set_copy_pragmas(struct db *db)
{
    return conn_run(db, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
                        "PRAGMA temp_store = MEMORY; PRAGMA query_only = ON");
}

static enum err prepare(struct db *db)
{
    int64_t pages;
    int rc = set_key(db);

    if (rc)
        return conn_fail(db, rc, "setting the key");
    set_limits(db);
    sqlite3_extended_result_codes(db->sqlite, 1);
    sqlite3_busy_timeout(db->sqlite, CONN_BUSY_MS);
    rc = tokenizer_register(db->sqlite);
    if (rc)
        return conn_fail(db, rc, "registering the tokenizer");
    /* the first read shows whether the key is right */
    enum err e = conn_number(db, "SELECT count(*) FROM sqlite_schema", &pages);
    if (!e)
        e = db->kind == CONN_COPY ? set_copy_pragmas(db) : set_pragmas(db);
    sqlite3_progress_handler(db->sqlite, STEPS_PER_TICK, tick, db);
    sqlite3_wal_hook(db->sqlite, note_wal, db);
    return e;
}

enum err conn_open(const struct conn_place *place, enum conn_kind kind,
                   struct db **out)
{
    int flags =
        SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW |
        (kind == CONN_COPY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) |
        (kind == CONN_OWN ? SQLITE_OPEN_CREATE : 0);
    struct db *db = calloc(1, sizeof(*db));

    must(db);
    *out = NULL;
    db->place = place;
    db->kind = kind;
    db->wal_due = CONN_WAL_PAGES;
    db->statement_ms =
        clock_test_value("YAGURA_TEST_STATEMENT_MS", STATEMENT_CPU_MS);
    db->is_trusted = true;
    int rc = sqlite3_open_v2(place->path, &db->sqlite, flags, place->vfs);
    enum err e = rc ? conn_fail(db, rc, "opening") : prepare(db);
    if (e) {
        conn_close(db);
        return e;
    }
    db->is_trusted = is_own(db);
    sqlite3_set_authorizer(db->sqlite, authorize, db);
    *out = db;
    return OK;
}

void conn_close(struct db *db)
{
    if (!db)
        return;
    query_free_all(db);
    for (size_t i = 0; i < CONTROL_COUNT; i++)
        sqlite3_finalize(db->control[i]);
    sqlite3_finalize(db->pages);
    sqlite3_finalize(db->free_pages);
    db->deadline_ms = 0;
    must(sqlite3_close(db->sqlite) == SQLITE_OK);
    free(db);
}
