/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_CONN_H
#define DB_CONN_H

#include "base/ctx.h"

#include <pthread.h>
#include <sqlite3.h>

/* One SQLite connection, encrypted, locked down; inside db/ only. */
enum conn_kind {
    CONN_READER, /* refuses to write; 2 s a transaction */
    CONN_WRITER, /* the one of its file; 10 s a transaction */
    CONN_OWN,    /* schema changes and VACUUM INTO: creation, migration */
    CONN_COPY,   /* a copy that is only looked at: the file stays as it is */
};

enum conn_control {
    CONTROL_BEGIN_READ,
    CONTROL_BEGIN_WRITE,
    CONTROL_COMMIT,
    CONTROL_ROLLBACK,
    CONTROL_MEMBER,
    CONTROL_MEMBER_KEEP,
    CONTROL_MEMBER_UNDO,
    CONTROL_INNER,
    CONTROL_INNER_KEEP,
    CONTROL_INNER_UNDO,
    CONTROL_COUNT,
};

struct conn_place {
    const char *path;
    const char *vfs;    /* NULL: the system's */
    const char *tenant; /* NULL: control.db */
    const uint8_t *key; /* 32 bytes */
    bool is_relaxed;    /* synchronous=NORMAL: the access log alone */
};

enum {
    CONN_BUCKETS = 128,
    CONN_BUSY_MS = 2000,
    CONN_WAL_PAGES = 1000, /* 4 MB: worth a checkpoint */
};

struct query;
struct db {
    sqlite3 *sqlite;
    const struct conn_place *place;
    enum conn_kind kind;
    bool is_in_tx, is_trusted;
    pthread_t owner; /* the thread of the transaction */
    int64_t deadline_ms;
    int64_t cpu_ms;       /* of the thread, when the statement was first seen
                             to take long; 0: not yet */
    int64_t statement_ms; /* of CPU for one statement */
    bool is_extended;     /* its deadline alone counts */
    bool is_cut;          /* a statement was stopped */
    int depth;            /* inner savepoints open */
    enum err lost;        /* why the whole transaction can no longer commit */
    bool has_io_error;   /* the file must be looked at before more is written */
    int64_t page_bytes;  /* 0: not asked yet */
    int wal_pages;       /* length of the log after the last commit */
    int wal_due;         /* length at which it is folded into the file */
    unsigned generation; /* of its file when it was opened */
    sqlite3_stmt *control[CONTROL_COUNT];
    sqlite3_stmt *pages, *free_pages;
    struct query *cache[CONN_BUCKETS];
    size_t cached;
    uint64_t uses;
    struct query *broken; /* stands in for a statement not preparable */
    struct db *next;      /* in the list of idle readers */
};

/* place must outlive the connection.  A wrong key, a plain file or no file:
 * ERR_INTERNAL, logged. */
MUST_USE enum err conn_open(const struct conn_place *place, enum conn_kind kind,
                            struct db **out);
void conn_close(struct db *db); /* NULL is allowed */

/* A transaction statement; SQLite's code. */
int conn_control(struct db *db, enum conn_control what);
/* Runs static text during set-up, creation and migration. */
MUST_USE enum err conn_run(struct db *db, const char *sql);
/* One number (first column of the first row), 0 when there is none. */
MUST_USE enum err conn_number(struct db *db, const char *sql, int64_t *out);
/* Bytes of the file in use: pages that hold something.  Cheap; 0 when it
 * cannot be told. */
int64_t conn_used_bytes(struct db *db);
/* "ok" from integrity_check? */
bool conn_is_sound(struct db *db);

/* Turns SQLite's code into ours, notes what it means for the connection and
 * logs what an operator must know. */
enum err conn_fail(struct db *db, int rc, const char *doing);

/* In query.c: all cursors of a transaction, and the cache itself. */
void query_end_all(struct db *db);
void query_free_all(struct db *db);

#endif
