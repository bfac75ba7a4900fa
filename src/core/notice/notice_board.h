/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_NOTICE_NOTICE_BOARD_H
#define CORE_NOTICE_NOTICE_BOARD_H

#include "core/app.h"
#include "core/notice/notice.h"

/* The service dashboard as one tenant's people see it: the notices for this
 * tenant, and who of them has read which.  Everything here opens its own
 * transactions, in control.db and in the tenant's file. */
struct board_row {
    struct notice notice;
    bool is_read;    /* by the actor, as it is worded now */
    bool is_current; /* published, and what is affected is so at this moment */
    bool is_dismissed;
};
MUST_USE enum err board_list(struct ctx *c, const struct app *app,
                             struct tenant *t, int64_t after_id, int limit,
                             const struct board_row **out, size_t *count,
                             bool *more);

struct board_page {
    struct board_row row;
    const struct board_row *related; /* follow-ups, what it follows */
    size_t related_count;
    const char *contact_ja, *contact_en; /* about incidents */
    int64_t readers;
};
/* ERR_NOT_FOUND also for those of other tenants. */
MUST_USE enum err board_get(struct ctx *c, const struct app *app,
                            struct tenant *t, int64_t id,
                            struct board_page *out);

/* Banners of the moment: maintenance and incidents that last, not dismissed;
 * and how many of the last 90 days the actor has not read. */
struct board_now {
    int64_t unread;
    const struct board_row *banners;
    size_t banner_count;
};
MUST_USE enum err board_now(struct ctx *c, const struct app *app,
                            struct tenant *t, struct board_now *out);

MUST_USE enum err board_read(struct ctx *c, const struct app *app,
                             struct tenant *t, int64_t id);
MUST_USE enum err board_dismiss(struct ctx *c, const struct app *app,
                                struct tenant *t, int64_t id);

struct board_reader {
    int64_t id, read_at;
    const char *name;
    bool is_current; /* has read it as it is worded now */
};
/* For the tenant's own administrators. */
MUST_USE enum err board_list_readers(struct ctx *c, const struct app *app,
                                     struct tenant *t, int64_t id,
                                     int64_t after_id, int limit,
                                     const struct board_reader **out,
                                     size_t *count, bool *more);

#endif
