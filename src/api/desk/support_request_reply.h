/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_DESK_SUPPORT_REQUEST_REPLY_H
#define API_DESK_SUPPORT_REQUEST_REPLY_H

#include "api/dispatch/call.h"
#include "core/desk/helpdesk_thread.h"

/* A thread as both sides see it. */
extern const struct form support_request_reply_form;
extern const struct form support_request_upload_form; /* query: message name */
extern const struct form support_request_file_form;

void support_request_put(struct call *k, const struct support_request *it);
void support_request_put_view(struct call *k,
                              const struct support_request_view *v);
void support_request_put_file(struct call *k,
                              const struct support_request_file *f);
/* The body of an upload; out->name and out->message_id from the query. */
MUST_USE enum err support_request_read_upload(struct call *k,
                                              struct support_request_file *out,
                                              const char **data);

#endif
