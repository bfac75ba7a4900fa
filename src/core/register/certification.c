/* SPDX-License-Identifier: Apache-2.0 */
/* Certifications the operator holds, such as プライバシーマーク. */
#include "base/civil.h"
#include "core/core.h"
#include "core/register/register.h"
#include "db/query.h"

#define COLS                                                                   \
    "id, name, number, issuer, expires_on, changed_by, changed_at, version"    \
    " FROM certification"
static const char *const certification_text[REGISTER_STATEMENTS] = {
    [REGISTER_LIST] = "SELECT " COLS " ORDER BY expires_on, name LIMIT 500",
    [REGISTER_GET] = "SELECT " COLS " WHERE id = ?1",
    [REGISTER_ADD] =
        "INSERT INTO certification (changed_at, changed_by, name, number,"
        " issuer, expires_on) VALUES (?3, ?4, ?5, ?6, coalesce(?7, ''), ?8)",
    [REGISTER_UPDATE] =
        "UPDATE certification SET changed_at = ?3, changed_by = ?4, name = ?5,"
        " number = ?6, issuer = coalesce(?7, ''), expires_on = ?8,"
        " version = version + 1 WHERE id = ?1 AND version = ?2",
    [REGISTER_DELETE] =
        "DELETE FROM certification WHERE id = ?1 AND version = ?2",
};
const struct query_set certification_queries = {
    "certification", certification_text, COUNT(certification_text)};

#define FIELDS                                                                 \
    {TEXT("name", 1, 200, REQUIRED, "名称", "Name")},                          \
        {TEXT("number", 1, 100, REQUIRED, "登録番号", "Number")},              \
        {TEXT("issuer", 0, 200, NULLABLE, "認証機関", "Issuer")},              \
    {                                                                          \
        DAY_IN("expires_on", DAY_FIRST, DAY_LAST, REQUIRED, "有効期限",        \
               "Valid until")                                                  \
    }
static const struct field certification_fields[] = {
    FIELDS,
};
const struct form certification_form = {
    "CertificationForm", certification_fields, COUNT(certification_fields)};
static const struct field shown_fields[] = {
    {OUT_ID("id", REQUIRED)},           FIELDS,
    {OUT_TEXT("changed_by", REQUIRED)}, {OUT_TEXT("changed_at", REQUIRED)},
    {OUT_INT("version", REQUIRED)},
};
const struct form certification_shown = {"Certification", shown_fields,
                                         COUNT(shown_fields)};

const struct register_kind certification_register = {
    .path = "certifications",
    .kind = "certification",
    .form = &certification_form,
    .shown = &certification_shown,
    .title = "name",
    .text = certification_text,
};
