/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_NOTICE_REPLY_H
#define API_NOTICE_REPLY_H

#include "api/api.h"
#include "core/contact.h"
#include "core/notice.h"

/* What every reply with a notice in it says of it, inside an open object. */
void notice_put_facts(struct call *k, const struct notice *n);
void notice_put_texts(struct call *k, const struct notice *n);
/* For row forms of the same fields. */
#define NOTICE_FACT_FIELDS                                                      \
    {"id", FIELD_ID, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},                 \
        {"kind", FIELD_CHOICE, 0, 0, FIELD_REQUIRED, notice_kind_words,         \
         NULL,   "",           ""},                                             \
        {"state", FIELD_CHOICE, 0, 0, FIELD_REQUIRED, notice_state_words,       \
         NULL,    "",           ""},                                            \
        {"title_ja", FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},     \
        {"title_en", FIELD_TEXT, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""},     \
        {"starts_at", FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},    \
        {"ends_at", FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},      \
        {"published_at", FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""}, \
        {"corrected_at", FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""}, \
        {"withdrawn_at", FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""}, \
        {"is_emergency", FIELD_BOOL, 0, 0, FIELD_REQUIRED, NULL, NULL, "", ""}, \
        {"incident", FIELD_ID, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},       \
    {                                                                           \
        "follows", FIELD_ID, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""           \
    }
#define NOTICE_TEXT_FIELDS                                                     \
    {"body_ja", FIELD_TEXT, 0, 0, 0, NULL, NULL, "", ""},                      \
        {"body_en", FIELD_TEXT, 0, 0, 0, NULL, NULL, "", ""},                  \
        {"reason_ja", FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""},   \
    {                                                                          \
        "reason_en", FIELD_TEXT, 0, 0, FIELD_NULLABLE, NULL, NULL, "", ""      \
    }

/* Members of an array called direct_contacts. */
void notice_put_contacts(struct call *k, const struct direct_contact *list,
                         size_t count);
void notice_put_contact(struct call *k, const struct direct_contact *d);
extern const struct form direct_contact_reply_form;

#endif
