/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DESK_HELPDESK_THREAD_H
#define CORE_DESK_HELPDESK_THREAD_H

#include "core/desk/helpdesk.h"
#include "core/desk/support_request_file.h"

/* The desk's steps in one thread, from the console.  Each opens the tenant's
 * file for the desk's tables alone, is written into both logs, and opens its
 * own transactions. */
struct helpdesk_thread {
    const struct app *app;
    const char *tenant;
    int64_t id;
    int64_t operator_id;
    const char *operator_name;
};
struct support_request_view {
    struct support_request it;
    const struct support_request_message *messages;
    const struct support_request_file *files;
    size_t message_count, file_count;
};

/* Inside the caller's transaction on the tenant's file, for either side. */
MUST_USE enum err
support_request_view_read(struct ctx *c, const struct support_request_side *by,
                          int64_t id, struct support_request_view *out);

MUST_USE enum err helpdesk_thread_get(struct ctx *c,
                                      const struct helpdesk_thread *d,
                                      struct support_request_view *out);
MUST_USE enum err helpdesk_thread_say(struct ctx *c,
                                      const struct helpdesk_thread *d,
                                      const char *body,
                                      struct support_request_view *out);
MUST_USE enum err helpdesk_thread_close(struct ctx *c,
                                        const struct helpdesk_thread *d,
                                        int64_t version,
                                        struct support_request_view *out);
/* d->id is not looked at. */
MUST_USE enum err helpdesk_thread_mail(struct ctx *c,
                                       const struct helpdesk_thread *d,
                                       const struct values *v,
                                       struct support_request_view *out);
MUST_USE enum err
helpdesk_thread_attach(struct ctx *c, const struct helpdesk_thread *d,
                       const struct support_request_file *file,
                       const char *data, struct support_request_file *out);
MUST_USE enum err helpdesk_thread_read(struct ctx *c,
                                       const struct helpdesk_thread *d,
                                       int64_t file_id,
                                       struct support_request_file *out,
                                       struct buf *b);
/* Of an access-log request: makes the file with its proof and hangs it on the
 * answer; or says why not. */
MUST_USE enum err helpdesk_thread_release(struct ctx *c,
                                          const struct helpdesk_thread *d,
                                          const char *body,
                                          struct support_request_view *out);
MUST_USE enum err helpdesk_thread_refuse(struct ctx *c,
                                         const struct helpdesk_thread *d,
                                         const char *body,
                                         struct support_request_view *out);

#endif
