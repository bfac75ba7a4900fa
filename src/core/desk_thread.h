/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DESK_THREAD_H
#define CORE_DESK_THREAD_H

#include "core/desk.h"
#include "core/enquiry_file.h"

/* The desk's steps in one thread, from the console.  Each opens the tenant's
 * file for the desk's tables alone, is written into both logs, and opens its
 * own transactions. */
struct desk_thread {
    const struct app *app;
    const char *tenant;
    int64_t id;
    int64_t operator_id;
    const char *operator_name;
};
struct enquiry_view {
    struct enquiry it;
    const struct enquiry_message *messages;
    const struct enquiry_file *files;
    size_t message_count, file_count;
};

/* Inside the caller's transaction on the tenant's file, for either side. */
MUST_USE enum err enquiry_view_read(struct ctx *c,
                                    const struct enquiry_side *by, int64_t id,
                                    struct enquiry_view *out);

MUST_USE enum err desk_thread_get(struct ctx *c, const struct desk_thread *d,
                                  struct enquiry_view *out);
MUST_USE enum err desk_thread_say(struct ctx *c, const struct desk_thread *d,
                                  const char *body, struct enquiry_view *out);
MUST_USE enum err desk_thread_close(struct ctx *c, const struct desk_thread *d,
                                    int64_t version, struct enquiry_view *out);
/* d->id is not looked at. */
MUST_USE enum err desk_thread_mail(struct ctx *c, const struct desk_thread *d,
                                   const struct values *v,
                                   struct enquiry_view *out);
MUST_USE enum err desk_thread_attach(struct ctx *c, const struct desk_thread *d,
                                     const struct enquiry_file *file,
                                     const char *data,
                                     struct enquiry_file *out);
MUST_USE enum err desk_thread_read(struct ctx *c, const struct desk_thread *d,
                                   int64_t file_id, struct enquiry_file *out,
                                   struct buf *b);
/* Of an access-log request: makes the file with its proof and hangs it on the
 * answer; or says why not. */
MUST_USE enum err desk_thread_release(struct ctx *c,
                                      const struct desk_thread *d,
                                      const char *body,
                                      struct enquiry_view *out);
MUST_USE enum err desk_thread_refuse(struct ctx *c, const struct desk_thread *d,
                                     const char *body,
                                     struct enquiry_view *out);

#endif
