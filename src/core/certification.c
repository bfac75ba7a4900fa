/* SPDX-License-Identifier: Apache-2.0 */
/* Certifications the operator holds, such as プライバシーマーク. */
#include "base/civil.h"
#include "core/core.h"
#include "core/ledger.h"
#include "db/query.h"

#define COLS                                                                   \
    "id, name, number, issuer, expires_on, changed_by, changed_at, version"    \
    " FROM certification"
static const char *const certification_text[LEDGER_STATEMENTS] = {
    [LEDGER_LIST] = "SELECT " COLS " ORDER BY expires_on, name LIMIT 500",
    [LEDGER_GET] = "SELECT " COLS " WHERE id = ?1",
    [LEDGER_ADD] =
        "INSERT INTO certification (changed_at, changed_by, name, number,"
        " issuer, expires_on) VALUES (?3, ?4, ?5, ?6, coalesce(?7, ''), ?8)",
    [LEDGER_UPDATE] =
        "UPDATE certification SET changed_at = ?3, changed_by = ?4, name = ?5,"
        " number = ?6, issuer = coalesce(?7, ''), expires_on = ?8,"
        " version = version + 1 WHERE id = ?1 AND version = ?2",
    [LEDGER_DELETE] =
        "DELETE FROM certification WHERE id = ?1 AND version = ?2",
};
const struct query_set certification_queries = {
    "certification", certification_text, COUNT(certification_text)};

#define FIELDS                                                                 \
    {"name", FIELD_TEXT, 1, 200, FIELD_REQUIRED, NULL, NULL, "名称", "Name"},  \
        {"number", FIELD_TEXT, 1,          100,     FIELD_REQUIRED,            \
         NULL,     NULL,       "登録番号", "Number"},                          \
        {"issuer", FIELD_TEXT, 0,          200,     FIELD_NULLABLE,            \
         NULL,     NULL,       "認証機関", "Issuer"},                          \
    {                                                                          \
        "expires_on", FIELD_DAY, DAY_FIRST, DAY_LAST, FIELD_REQUIRED, NULL,    \
            NULL, "有効期限", "Valid until"                                    \
    }
static const struct field certification_fields[] = {FIELDS};
const struct form certification_form = {
    "CertificationForm", certification_fields, COUNT(certification_fields)};
static const struct field shown_fields[] = {
    {"id",         FIELD_ID,   0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    FIELDS,
    {"changed_by", FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"changed_at", FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
    {"version",    FIELD_INT,  0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},
};
const struct form certification_shown = {"Certification", shown_fields,
                                         COUNT(shown_fields)};

const struct ledger certification_ledger = {
    .path = "certifications",
    .kind = "certification",
    .form = &certification_form,
    .shown = &certification_shown,
    .title = "name",
    .text = certification_text,
};
