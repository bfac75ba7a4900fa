/* SPDX-License-Identifier: Apache-2.0 */
/* What of control.db goes back when the whole service is restored.  Each of its
 * tables is in one of these lists, a test says; see generation.h for why. */
#include "db/generation_merge.h"

#include "base/buf.h"
#include "base/crypto.h"
#include "base/log.h"
#include "db/erase.h"
#include "db/generation_part.h"

#include <stdio.h>
#include <string.h>

const char *const generation_kept_tables[] = {
    /* deletions, contracts, and who is a customer at all */
    "customer", "contract", "suspension", "termination", "erasure",
    "erasure_file", "certificate",
    /* what was logged, told and answered for */
    "operation", "operation_anchor", "log_head", "disclosure", "incident",
    "incident_tenant", "notice", "notice_tenant", "customer_contact",
    "direct_contact", "deadline_told", "trust_change", "trust_edition",
    "backup_run", "backup_check", "backup_drill",
    /* what was published, agreed to, registered and filed */
    "terms", "document", "supplier", "certification", "review", "advisory",
    "advisory_look", "audit_report", "audit_chunk", "audit_release",
    /* the operators: who was shut out stays out, an old password stays old */
    "throttle", "mail_refusal", "rewrap", "log_break", "user",
    "password_history", "factor", "recovery", "role", "permission_group",
    "group_member", "access", NULL};
const char *const generation_emptied_tables[] = {
    /* ways in, links, and mail that may have gone already */
    "code", "session", "link", "email_change", "reset_wish", "mail",
    /* work that somebody had begun */
    "job",
    /* what was found out about files that are others now */
    "backup_copy", "backup_damage", "backup_fault", "backup_watch",
    "log_head_seen", "trust_tenant", "trust_proof", "tenant_use",
    "doctor_finding", "clock", NULL};
const char *const generation_restored_tables[] = {
    /* settings */
    "tenant", "calendar", "calendar_day", "quota", "doctor", "trust_row",
    "desk_setting", "notice_setting", "threshold",
    /* of what is in the tenants' files, and of them a copy */
    "desk", "alert_watch", "backup_tenant",
    /* figures */
    "sample", NULL};

/* ---- rows ---- */

/* Statements about a table, written by SQLite from its name: a name is no
 * parameter.  Columns that it computes are not among those of table_info. */
#define COLUMNS "group_concat('\"' || name || '\"')"
static const char read_all[] =
    "SELECT 'SELECT ' || " COLUMNS " || ' FROM \"' || ?1 || '\"'"
    " FROM pragma_table_info(?1)";
static const char add_one[] =
    "SELECT 'INSERT INTO \"' || ?1 || '\" (' || " COLUMNS
    " || ') VALUES (' || group_concat('?') || ')' FROM pragma_table_info(?1)";
static const char drop_all[] = "SELECT 'DELETE FROM \"' || ?1 || '\"'";

static enum err prepare(struct db *db, const char *sql, sqlite3_stmt **out)
{
    int rc = sqlite3_prepare_v2(db->sqlite, sql, -1, out, NULL);

    return rc ? conn_fail(db, rc, sql) : OK;
}

/* In db; the text is made in own, which may look at the schema. */
static enum err prepare_for(struct db *own, struct db *db, const char *maker,
                            const char *table, sqlite3_stmt **out)
{
    sqlite3_stmt *q = NULL;
    enum err e = prepare(own, maker, &q);

    if (e)
        return e;
    (void)sqlite3_bind_text(q, 1, table, -1, SQLITE_STATIC);
    int rc = sqlite3_step(q);
    const char *sql =
        rc == SQLITE_ROW ? (const char *)sqlite3_column_text(q, 0) : NULL;
    e = sql ? prepare(db, sql, out) : conn_fail(own, rc, table);
    (void)sqlite3_finalize(q);
    return e;
}

static enum err copy_rows(struct db *from, struct db *to, const char *table)
{
    sqlite3_stmt *in = NULL, *out = NULL;
    int rc = SQLITE_DONE;
    enum err e = prepare_for(to, from, read_all, table, &in);

    if (!e)
        e = prepare_for(to, to, add_one, table, &out);
    while (!e && (rc = sqlite3_step(in)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(in); i++)
            (void)sqlite3_bind_value(out, i + 1, sqlite3_column_value(in, i));
        rc = sqlite3_step(out);
        if (rc != SQLITE_DONE)
            e = conn_fail(to, rc, table);
        (void)sqlite3_reset(out);
    }
    if (!e && rc != SQLITE_DONE)
        e = conn_fail(from, rc, table);
    (void)sqlite3_finalize(in);
    (void)sqlite3_finalize(out);
    return e;
}

static enum err empty(struct db *db, const char *table)
{
    sqlite3_stmt *q = NULL;
    enum err e = prepare_for(db, db, drop_all, table, &q);
    int rc = e ? SQLITE_OK : sqlite3_step(q);

    if (!e && rc != SQLITE_DONE)
        e = conn_fail(db, rc, table);
    (void)sqlite3_finalize(q);
    return e;
}

/* Where the logs of a tenant that comes back stood is no longer so; of a
 * deleted one they are kept as they are. */
static enum err forget_heads(struct db *db)
{
    return conn_run(db, "DELETE FROM log_head WHERE tenant_id NOT IN"
                        " (SELECT customer_id FROM erasure)");
}

static enum err check_references(struct db *db)
{
    int64_t broken = 0;
    enum err e = conn_number(
        db, "SELECT count(*) FROM pragma_foreign_key_check", &broken);

    if (!e && broken)
        log_error("db: restored control.db: %lld rows refer to nothing",
                  (long long)broken);
    return e ? e : broken ? ERR_INTERNAL : OK;
}

/* from NULL: nothing newer is known. */
static enum err merge_into(struct db *to, struct db *from)
{
    enum err e = conn_run(to, "PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE");

    for (size_t i = 0; generation_emptied_tables[i] && !e; i++)
        e = empty(to, generation_emptied_tables[i]);
    for (size_t i = 0; from && generation_kept_tables[i] && !e; i++) {
        e = empty(to, generation_kept_tables[i]);
        if (!e)
            e = copy_rows(from, to, generation_kept_tables[i]);
    }
    if (!e)
        e = forget_heads(to);
    if (!e)
        e = check_references(to);
    if (!e)
        e = conn_run(to, "COMMIT");
    else if (!sqlite3_get_autocommit(to->sqlite))
        (void)conn_control(to, CONTROL_ROLLBACK);
    if (!e) { /* all of it in the one file before its log goes */
        int rc = sqlite3_wal_checkpoint_v2(
            to->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        e = rc ? conn_fail(to, rc, "checkpoint") : OK;
    }
    return e;
}

static enum err list_open(struct db *db, struct arena *mem,
                          const char *const **out, size_t *count)
{
    struct buf list = buf_in(mem);
    sqlite3_stmt *q = NULL;
    int rc = SQLITE_DONE;
    enum err e =
        prepare(db, "SELECT id FROM customer WHERE state = 1 ORDER BY id", &q);

    while (!e && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        const char *id =
            arena_strdup(mem, (const char *)sqlite3_column_text(q, 0));
        buf_put(&list, &id, sizeof id);
    }
    if (!e && rc != SQLITE_DONE)
        e = conn_fail(db, rc, "customer");
    (void)sqlite3_finalize(q);
    *out = (const void *)list.data;
    *count = list.len / sizeof **out;
    return e;
}

/* ---- files ---- */

/* Both are this installation's control.db: their key is one. */
static bool is_key(const struct store *s, const char *folder, const char *name,
                   const uint8_t key[32])
{
    uint8_t other[32];
    bool is_same = !part_load_key(s, folder, name, GENERATION_CONTROL,
                                  &part_of_control, other) &&
                   memcmp(other, key, sizeof other) == 0;

    crypto_wipe(other, sizeof other);
    return is_same;
}

/* The newest generation after this one, of the same installation. */
static const char *find_newer(const struct store *s, const char *name,
                              const uint8_t key[32], struct arena *mem)
{
    const char *const *names;
    size_t count = generation_list(s, mem, &names);
    char folder[PART_PATH_BYTES];

    for (size_t i = 0; i < count && strcmp(names[i], name) > 0; i++) {
        part_folder(folder, s, names[i]);
        if (generation_tenant_bytes(s, names[i], GENERATION_CONTROL) &&
            is_key(s, folder, GENERATION_CONTROL ".key", key))
            return names[i];
    }
    return NULL;
}

static enum err merge_from(const struct store *s, struct db *to,
                           const char *path, const uint8_t key[32])
{
    const struct conn_place place = {
        .path = path, .vfs = store_place(s).vfs, .key = key};
    struct db *from = NULL;
    enum err e = conn_open(&place, CONN_READER, &from);

    if (!e)
        e = conn_run(from, "BEGIN");
    if (!e)
        e = merge_into(to, from);
    conn_close(from);
    return e;
}

/* A copy of the newer generation's, led to this schema. */
static enum err merge_newer(const struct store *s, struct db *to,
                            const char *part, const char *name,
                            const uint8_t key[32])
{
    char from[PART_PATH_BYTES], path[PART_PATH_BYTES];
    const struct conn_place place = {
        .path = path, .vfs = store_place(s).vfs, .key = key};

    part_folder(from, s, name);
    part_name_path(path, from, "/" GENERATION_CONTROL ".db", "", "");
    memcpy(from, path, sizeof from);
    part_name_path(path, part, "/newer.db", "", "");
    enum err e = part_copy_file(from, path);
    if (!e)
        e = migrate_file(&place, &migrate_control);
    if (!e)
        e = merge_from(s, to, path, key);
    part_drop_traces(path);
    enum err gone = erase_drop(path);
    return e ? e : gone;
}

enum err generation_merge_control(const struct store *s, const char *name,
                                  const char *to, struct arena *mem,
                                  struct generation_merged *out)
{
    char folder[PART_PATH_BYTES], part[PART_PATH_BYTES];
    char path[PART_PATH_BYTES], live[PART_PATH_BYTES], keys[PART_PATH_BYTES];
    struct db *db = NULL;
    uint8_t key[32];
    const struct conn_place place = {
        .path = path, .vfs = store_place(s).vfs, .key = key};

    *out = (struct generation_merged){.count = 0};
    part_folder(folder, s, name);
    part_name_path(part, to, ".part", "", "");
    part_name_path(path, part, "/control.db", "", "");
    part_name_path(live, store_place(s).dir, "/control.db", "", "");
    part_name_path(keys, store_place(s).dir, "/keys", "", "");
    enum err e = part_load_key(s, folder, GENERATION_CONTROL ".key",
                               GENERATION_CONTROL, &part_of_control, key);
    if (!e)
        e = migrate_file(&place, &migrate_control);
    if (!e)
        e = conn_open(&place, CONN_OWN, &db);
    if (!e && is_key(s, keys, "control.key", key)) {
        out->from = GENERATION_FROM_LIVE;
        e = merge_from(s, db, live, key);
    } else if (!e && (out->newer = find_newer(s, name, key, mem))) {
        out->from = GENERATION_FROM_NEWER;
        e = merge_newer(s, db, part, out->newer, key);
    } else if (!e) {
        e = merge_into(db, NULL);
    }
    if (!e)
        e = list_open(db, mem, &out->open, &out->count);
    conn_close(db);
    crypto_wipe(key, sizeof key);
    if (!e)
        part_drop_traces(path);
    return e;
}
