/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WORK_TICKET_LIST_H
#define CORE_WORK_TICKET_LIST_H

#include "base/form.h"
#include "base/json.h"

/* Lists of tickets, written as JSON straight from the columns. */
enum ticket_sort {
    TICKET_BY_UPDATED_DESC,
    TICKET_BY_UPDATED,
    TICKET_BY_NO,
    TICKET_BY_NO_DESC,
    TICKET_BY_START,
    TICKET_BY_END,
    TICKET_BY_END_DESC,
    TICKET_BY_SUBJECT,
    TICKET_BY_PRIORITY,
    TICKET_BY_LABEL, /* the first it bears; those without any come last */
};

struct ticket_filter {
    const char *q;              /* words, or NULL */
    const char *classification; /* key, or NULL */
    int64_t status_id;          /* 0: any */
    int category;               /* -1: any */
    int64_t assignee_id;        /* 0: any */
    bool is_late;               /* planned end passed, not done */
    enum ticket_sort sort;
    const char *labels; /* ids as a JSON array: one of them; "[]": none at
                           all; NULL: any */
    int64_t team_id;    /* 0: any */
    int64_t field_id;   /* custom field that has value; 0: any */
    const char *value;
    int64_t after_id; /* last ticket of the page before */
    int limit;
};
extern const char *const ticket_sort_words[];

/* {items: […], next} of one project. */
MUST_USE enum err ticket_list_write(struct ctx *c, int64_t project_id,
                                    const struct ticket_filter *filter,
                                    struct json_out *o);

/* The actor's own over all projects, not done, by planned end. */
enum ticket_view { TICKET_VIEW_TODAY, TICKET_VIEW_OVERDUE, TICKET_VIEW_WEEK };
extern const char *const ticket_view_words[];
MUST_USE enum err ticket_list_write_own(struct ctx *c, enum ticket_view view,
                                        int64_t after_id, int limit,
                                        struct json_out *o);

#endif
