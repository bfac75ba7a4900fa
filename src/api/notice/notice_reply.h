/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_NOTICE_NOTICE_REPLY_H
#define API_NOTICE_NOTICE_REPLY_H

#include "api/dispatch/call.h"
#include "core/notice/contact.h"
#include "core/notice/notice.h"

/* What every reply with a notice in it says of it, inside an open object. */
void notice_put_facts(struct call *k, const struct notice *n);
void notice_put_texts(struct call *k, const struct notice *n);
/* For row forms of the same fields. */
#define NOTICE_FACT_FIELDS                                                     \
    {OUT_ID("id", REQUIRED)},                                                  \
        {OUT_CHOICE("kind", notice_kind_words, REQUIRED)},                     \
        {OUT_CHOICE("state", notice_state_words, REQUIRED)},                   \
        {OUT_TEXT("title_ja", REQUIRED)}, {OUT_TEXT("title_en", REQUIRED)},    \
        {OUT_TEXT("starts_at", NULLABLE)}, {OUT_TEXT("ends_at", NULLABLE)},    \
        {OUT_TEXT("published_at", NULLABLE)},                                  \
        {OUT_TEXT("corrected_at", NULLABLE)},                                  \
        {OUT_TEXT("withdrawn_at", NULLABLE)},                                  \
        {OUT_BOOL("is_emergency", REQUIRED)}, {OUT_ID("incident", NULLABLE)},  \
    {                                                                          \
        OUT_ID("follows", NULLABLE)                                            \
    }
#define NOTICE_TEXT_FIELDS                                                     \
    {OUT_TEXT("body_ja", OPTIONAL)}, {OUT_TEXT("body_en", OPTIONAL)},          \
        {OUT_TEXT("reason_ja", NULLABLE)},                                     \
    {                                                                          \
        OUT_TEXT("reason_en", NULLABLE)                                        \
    }

/* Members of an array called direct_contacts. */
void notice_put_contacts(struct call *k, const struct direct_contact *list,
                         size_t count);
void notice_put_contact(struct call *k, const struct direct_contact *d);
extern const struct form direct_contact_reply_form;

#endif
