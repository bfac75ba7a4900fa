/* SPDX-License-Identifier: Apache-2.0 */
/* What a fresh file of each kind is numbered, and the steps that lead older
 * ones there.  Version 1 is what test/db/schema_1.sql says; a test leads its
 * files here and compares them with fresh ones.  What schema.sql gains until
 * the next release is added to the last step of its kind of file, as SQL. */
#include "db/migrate.h"

#define ADD_MAIL_REFUSAL                                                       \
    "CREATE TABLE mail_refusal ("                                              \
    " email_fold TEXT PRIMARY KEY, at INTEGER NOT NULL, why TEXT NOT NULL"     \
    ") STRICT, WITHOUT ROWID;"
#define ADD_THROTTLE                                                           \
    "CREATE TABLE throttle ("                                                  \
    " scope INTEGER NOT NULL, subject INTEGER NOT NULL,"                       \
    " failures INTEGER NOT NULL, failed_at INTEGER NOT NULL,"                  \
    " PRIMARY KEY (scope, subject)) STRICT, WITHOUT ROWID;"
#define ADD_ONCE                                                               \
    "CREATE TABLE once ("                                                      \
    " id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES user(id),"   \
    " key TEXT NOT NULL, mark BLOB NOT NULL, status INTEGER NOT NULL,"         \
    " reply TEXT NOT NULL, at INTEGER NOT NULL, UNIQUE (user_id, key))"        \
    " STRICT;"                                                                 \
    "CREATE INDEX once_user ON once(user_id, id);"                             \
    "CREATE INDEX once_at ON once(at);"
#define ADD_REWRAP                                                             \
    "ALTER TABLE erasure ADD COLUMN rewrap_at INTEGER;"                        \
    "CREATE INDEX erasure_rewrap ON erasure(key_gone_at)"                      \
    " WHERE rewrap_at IS NULL;"                                                \
    "ALTER TABLE backup_copy ADD COLUMN keys BLOB;"                            \
    "CREATE TABLE rewrap (id INTEGER PRIMARY KEY CHECK (id = 1),"              \
    " done_at INTEGER, keys INTEGER NOT NULL DEFAULT 0,"                       \
    " unopened INTEGER NOT NULL DEFAULT 0, tried_at INTEGER,"                  \
    " error TEXT) STRICT;"
#define ADD_MAIL_NOTICE                                                        \
    "ALTER TABLE mail ADD COLUMN notice_id INTEGER;"                           \
    "CREATE INDEX mail_notice ON mail(notice_id)"                              \
    " WHERE notice_id IS NOT NULL;"
#define ADD_TRUST                                                              \
    "ALTER TABLE trust_proof ADD COLUMN tried_at INTEGER NOT NULL"             \
    " DEFAULT 0;"                                                              \
    "ALTER TABLE trust_proof ADD COLUMN error TEXT;"                           \
    "DROP TABLE log_head_hour;"                                                \
    "CREATE TABLE log_break (tenant_id TEXT NOT NULL, kind INTEGER"            \
    " NOT NULL CHECK (kind IN (0, 1)), seq INTEGER NOT NULL, found_at"         \
    " INTEGER NOT NULL, seen_at INTEGER NOT NULL, operator_at INTEGER,"        \
    " tenant_at INTEGER, PRIMARY KEY (tenant_id, kind))"                       \
    " STRICT, WITHOUT ROWID;"
#define ADD_NOTICE_LEAST                                                       \
    "ALTER TABLE notice ADD COLUMN is_emergency INTEGER NOT NULL DEFAULT 0"    \
    " CHECK (is_emergency IN (0, 1));"                                         \
    "ALTER TABLE notice ADD COLUMN least_us INTEGER;"                          \
    "ALTER TABLE notice_tenant ADD COLUMN waiting INTEGER NOT NULL"            \
    " DEFAULT 0;"                                                              \
    "ALTER TABLE notice_tenant ADD COLUMN failed INTEGER NOT NULL"             \
    " DEFAULT 0;"                                                              \
    "CREATE INDEX notice_waiting ON notice_tenant(notice_id, customer_id)"     \
    " WHERE waiting > 0;"                                                      \
    "ALTER TABLE notice_setting ADD COLUMN change_hours INTEGER NOT NULL"      \
    " DEFAULT 72 CHECK (change_hours BETWEEN 1 AND 2160);"                     \
    "ALTER TABLE notice_setting ADD COLUMN maintenance_hours INTEGER"          \
    " NOT NULL DEFAULT 72 CHECK (maintenance_hours BETWEEN 1 AND 2160);"
#define ADD_PROGRAM_LABEL                                                      \
    "CREATE TABLE program_label (program_id INTEGER NOT NULL REFERENCES"       \
    " program(id) ON DELETE CASCADE, label_id INTEGER NOT NULL REFERENCES"     \
    " label(id), PRIMARY KEY (program_id, label_id)) STRICT, WITHOUT ROWID;"   \
    "CREATE INDEX program_label_label ON program_label(label_id, program_id);"
#define ADD_ADVISORY_LOOK                                                      \
    "CREATE TABLE advisory_look (id INTEGER PRIMARY KEY CHECK (id = 1),"       \
    " looked_at INTEGER NOT NULL, looked_by TEXT NOT NULL) STRICT;"

/* copies of tenants: what failed, what was found damaged */
#define ADD_BACKUP                                                             \
    "CREATE TABLE backup_fault (tenant_id TEXT PRIMARY KEY,"                   \
    " at INTEGER NOT NULL, reason_ja TEXT NOT NULL,"                           \
    " reason_en TEXT NOT NULL) STRICT, WITHOUT ROWID;"                         \
    "CREATE TABLE backup_damage (date TEXT NOT NULL,"                          \
    " tenant_id TEXT NOT NULL, at INTEGER NOT NULL,"                           \
    " PRIMARY KEY (date, tenant_id)) STRICT, WITHOUT ROWID;"                   \
    "ALTER TABLE backup_watch ADD COLUMN looked_at INTEGER;"                   \
    "ALTER TABLE backup_watch ADD COLUMN place TEXT;"

static const struct migrate_step tenant_steps[] = {
    {1,
     ADD_MAIL_REFUSAL ADD_THROTTLE ADD_ONCE ADD_MAIL_NOTICE ADD_PROGRAM_LABEL},
};
static const struct migrate_step access_steps[] = {
    {1, ""},
};
static const struct migrate_step control_steps[] = {
    {1, ADD_MAIL_REFUSAL ADD_THROTTLE ADD_REWRAP ADD_MAIL_NOTICE ADD_TRUST
            ADD_NOTICE_LEAST ADD_ADVISORY_LOOK ADD_BACKUP},
};
static const struct migrate_step retained_steps[] = {
    {1, ""},
};

const struct migrate_plan migrate_tenant = {"tenant", 2, tenant_steps, 1};
const struct migrate_plan migrate_access = {"access", 2, access_steps, 1};
const struct migrate_plan migrate_control = {"control", 2, control_steps, 1};
const struct migrate_plan migrate_retained = {"retained", 2, retained_steps, 1};
