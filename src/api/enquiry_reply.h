/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_ENQUIRY_REPLY_H
#define API_ENQUIRY_REPLY_H

#include "api/api.h"
#include "core/desk_thread.h"

/* A thread as both sides see it. */
extern const struct form enquiry_reply_form;
extern const struct form enquiry_upload_form; /* query: message name */
extern const struct form enquiry_file_form;

void enquiry_put(struct call *k, const struct enquiry *it);
void enquiry_put_view(struct call *k, const struct enquiry_view *v);
void enquiry_put_file(struct call *k, const struct enquiry_file *f);
/* The body of an upload; out->name and out->message_id from the query. */
MUST_USE enum err enquiry_read_upload(struct call *k, struct enquiry_file *out,
                                      const char **data);

#endif
