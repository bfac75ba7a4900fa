/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "base/str.h"
#include "core/log/ticket_history.h"
#include "core/master/field_value.h"
#include "core/master/label.h"
#include "core/work/assignee.h"
#include "core/work/dependency.h"
#include "core/work/plan_edit.h"
#include "core/work/search.h"
#include "core/work/ticket.h"
#include "core/work/ticket_list.h"

#include <string.h>

/* ---- forms ---- */

static const struct field list_fields[] = {
    {TEXT("q", 1, 100, OPTIONAL, "検索", "Search")},
    {TEXT("classification", 1, 40, OPTIONAL, "チケット分類", "Classification")},
    {ID("status", OPTIONAL, "ステータス", "Status")},
    {CHOICE("category", category_words, OPTIONAL, "進行区分", "Category")},
    {TEXT("assignee", 1, 20, OPTIONAL, "担当者", "Assignee")},
    {TEXT("label", 1, 600, OPTIONAL, "ラベル", "Labels")},
    {ID("team", OPTIONAL, "チーム", "Team")},
    {ID("field", OPTIONAL, "項目", "Field")},
    {TEXT("value", 1, 255, OPTIONAL, "項目の値", "Value")},
    {BOOL("late", OPTIONAL, "遅れ", "Late")},
    {CHOICE("sort", ticket_sort_words, OPTIONAL, "並び順", "Sort")},
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form list_form = {"TicketQuery", list_fields,
                                      COUNT(list_fields)};
static const struct field page_fields[] = {
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form page_form = {"PageQuery", page_fields,
                                      COUNT(page_fields)};
static const struct field own_fields[] = {
    {CHOICE("view", ticket_view_words, OPTIONAL, "表示", "View")},
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form own_form = {"OwnTicketQuery", own_fields,
                                     COUNT(own_fields)};
static const struct field search_fields[] = {
    {TEXT("q", 1, 200, REQUIRED, "検索", "Search")},
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
};
static const struct form search_form = {"SearchQuery", search_fields,
                                        COUNT(search_fields)};
static const struct field people_fields[] = {
    {TEXT("q", 0, 100, OPTIONAL, "検索", "Search")},
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form people_form = {"ProjectPeopleQuery", people_fields,
                                        COUNT(people_fields)};
static const struct field person_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("name", REQUIRED)},
    {OUT_TEXT("email", NULLABLE)},
};
static const struct form person_form = {"ProjectPerson", person_fields,
                                        COUNT(person_fields)};
static const struct field hit_fields[] = {
    {OUT_CHOICE("kind", search_kind_words, REQUIRED)},
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("key", REQUIRED)},
    {OUT_TEXT("subject", REQUIRED)},
};
static const struct form hit_form = {"SearchHit", hit_fields,
                                     COUNT(hit_fields)};
static const struct field change_fields[] = {
    {OUT_ID("id", REQUIRED)},       {OUT_TEXT("at", REQUIRED)},
    {OUT_TEXT("cause", REQUIRED)},  {OUT_TEXT("field", REQUIRED)},
    {OUT_TEXT("before", NULLABLE)}, {OUT_TEXT("after", NULLABLE)},
};
static const struct form change_form = {"Change", change_fields,
                                        COUNT(change_fields)};

/* ---- packing ---- */

static void put_person(struct json_out *o, const char *name,
                       const struct ticket_person *p)
{
    if (!p->id) {
        json_null(o, name);
        return;
    }
    json_open(o, name, '{');
    json_id(o, "id", p->id);
    json_text(o, "name", p->name);
    json_close(o, '}');
}

static void put_minutes(struct json_out *o, const char *name, int64_t minutes)
{
    if (minutes == TICKET_MINUTES_NONE)
        json_null(o, name);
    else
        json_int(o, name, minutes);
}

static void put_columns(struct json_out *o, const struct ticket_page *p)
{
    const struct ticket *t = &p->t;

    json_id(o, "id", t->id);
    json_text(o, "key", p->key);
    json_int(o, "no", t->no);
    json_text(o, "subject", t->subject);
    json_text(o, "details", t->details);
    json_text(o, "classification", p->classification_key);
    json_id(o, "status", t->status_id);
    json_text(o, "category", category_words[p->category]);
    json_text(o, "priority", priority_words[t->priority]);
    json_id(o, "parent", t->parent_id);
    json_id(o, "assignee", t->assignee_id);
    json_day(o, "planned_start", t->planned_start);
    json_day(o, "planned_end", t->planned_end);
    json_day(o, "actual_start", t->actual_start);
    json_day(o, "actual_end", t->actual_end);
    json_day(o, "due", t->due);
    json_int(o, "progress", t->progress);
    put_minutes(o, "estimate", t->estimate);
    put_minutes(o, "actual", t->actual);
    json_bool(o, "manual", t->is_manual);
    json_moment(o, "created_at", t->created_at);
    json_moment(o, "updated_at", t->updated_at);
    json_int(o, "version", t->version);
}

static void put_links(struct json_out *o, const char *name,
                      const struct ticket_link *links, size_t count)
{
    json_open(o, name, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(o, NULL, '{');
        json_id(o, "link", links[i].link_id);
        json_id(o, "id", links[i].id);
        json_text(o, "key", links[i].key);
        json_text(o, "subject", links[i].subject);
        json_text(o, "kind", dependency_words[links[i].kind & 3]);
        json_int(o, "lag", links[i].lag);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void put_family(struct json_out *o, const char *name,
                       const struct ticket_child *list, size_t count)
{
    json_open(o, name, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(o, NULL, '{');
        json_id(o, "id", list[i].id);
        json_text(o, "key", list[i].key);
        json_text(o, "subject", list[i].subject);
        json_id(o, "status", list[i].status_id);
        json_int(o, "progress", list[i].progress);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static enum err put_page(struct call *k, const struct ticket_page *p)
{
    struct json_out *o = &k->out;
    enum err e;

    call_etag(k, p->t.version);
    json_open(o, NULL, '{');
    put_columns(o, p);
    json_open(o, "assignees", '[');
    for (size_t i = 0; i < p->assignee_count; i++)
        put_person(o, NULL, &p->assignees[i]);
    json_close(o, ']');
    put_person(o, "reporter", &p->reporter);
    if ((e = field_value_put_json(k->c, p->t.id, p->t.classification_id, o)))
        return e;
    label_put_ids(o, "labels", p->labels, p->label_count);
    json_id(o, "team", p->team_id);
    put_links(o, "predecessors", p->predecessors, p->predecessor_count);
    put_links(o, "successors", p->successors, p->successor_count);
    put_family(o, "children", p->children, p->child_count);
    put_family(o, "path", p->path, p->path_count);
    json_open(o, "project", '{');
    json_id(o, "id", p->t.project_id);
    json_text(o, "key", p->project_key);
    json_text(o, "name", p->project_name);
    json_close(o, '}');
    access_put_rights(o, "rights", p->rights);
    json_close(o, '}');
    return OK;
}

static enum err reply_page(struct call *k, int64_t id)
{
    struct ticket_page p;
    enum err e = ticket_get_page(k->c, id, &p);

    return e ? e : put_page(k, &p);
}

/* ---- handlers ---- */

/* "3,5" to "[3,5]", "none" to "[]". */
static enum err read_labels(struct call *k, const char **out)
{
    const char *text = values_text(k->query, "label");

    if (!text)
        return OK;
    if (str_equal(text, "none"))
        text = "";
    if (strspn(text, "0123456789,") != strlen(text) || strstr(text, ",,") ||
        *text == ',' || (*text && text[strlen(text) - 1] == ','))
        return ctx_fail(k->c, ERR_INVALID, "label", "id",
                        "ラベルは番号をカンマで区切るか、none にしてください",
                        "label is ids with commas between, or none");
    *out = arena_printf(k->c->mem, "[%s]", text);
    return OK;
}

static enum err list_tickets(struct call *k)
{
    const struct values *v = k->query;
    const char *assignee = values_text(v, "assignee");
    const char *labels = NULL;
    enum err e = read_labels(k, &labels);
    if (e)
        return e;
    struct ticket_filter f = {
        .q = values_text(v, "q"),
        .classification = values_text(v, "classification"),
        .status_id = values_int(v, "status", 0),
        .category = (int)values_int(v, "category", -1),
        .labels = labels,
        .team_id = values_int(v, "team", 0),
        .field_id = values_int(v, "field", 0),
        .value = values_text(v, "value"),
        .is_late = values_bool(v, "late", false),
        .sort = (enum ticket_sort)values_int(v, "sort", 0),
        .after_id = values_int(v, "after", 0),
        .limit = call_limit(k),
    };

    if (str_equal(assignee, "me"))
        f.assignee_id = k->c->actor->user_id;
    else if (assignee && !str_parse_int(assignee, 1, INT64_MAX, &f.assignee_id))
        f.assignee_id = -1; /* nobody */
    return ticket_list_write(k->c, call_id(k, 0), &f, &k->out);
}

static enum err list_own(struct call *k)
{
    return ticket_list_write_own(
        k->c, (enum ticket_view)values_int(k->query, "view", 0),
        values_int(k->query, "after", 0), call_limit(k), &k->out);
}

static enum err get_ticket(struct call *k)
{
    struct ticket_page p;
    enum err e = ticket_find_page(k->c, k->params[0], &p);

    return e ? e : put_page(k, &p);
}

static enum err post_ticket(struct call *k)
{
    struct plan_edit edit = {.op = PLAN_EDIT_CREATE, .values = k->body};
    struct plan_edit_result r;
    enum err e = plan_edit_apply(k->c, call_id(k, 0), &edit, 1, &r);

    return e ? e : reply_page(k, r.created[0].id);
}

static enum err patch_ticket(struct call *k)
{
    struct plan_edit edit = {
        .op = PLAN_EDIT_UPDATE, .values = k->body, .version = k->if_match};
    struct plan_edit_result r;
    enum err e = plan_edit_apply_ticket(k->c, call_id(k, 0), &edit, &r);

    return e ? e : reply_page(k, call_id(k, 0));
}

static enum err delete_ticket(struct call *k)
{
    struct plan_edit edit = {.op = PLAN_EDIT_DELETE, .version = k->if_match};
    struct plan_edit_result r;

    return plan_edit_apply_ticket(k->c, call_id(k, 0), &edit, &r);
}

static void put_change(struct json_out *o, const struct ticket_change *h)
{
    struct ticket_person who = {h->user_id, h->user_name};

    json_open(o, NULL, '{');
    json_id(o, "id", h->id);
    json_moment(o, "at", h->at);
    put_person(o, "user", &who);
    json_text(o, "cause", h->cause);
    json_text(o, "field", h->field);
    json_text(o, "before", h->before);
    json_text(o, "after", h->after);
    json_close(o, '}');
}

static enum err list_history(struct call *k)
{
    const struct ticket_change *list;
    size_t count;
    bool more;
    enum err e = ticket_history_list(k->c, call_id(k, 0),
                                     values_int(k->query, "after", 0),
                                     call_limit(k), &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_change(&k->out, &list[i]);
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].id : 0);
    json_close(&k->out, '}');
    return OK;
}

static void put_hit(struct json_out *o, const struct search_hit *h)
{
    json_open(o, NULL, '{');
    json_text(o, "kind", search_kind_words[h->kind]);
    json_id(o, "id", h->id);
    json_text(o, "key", h->key);
    json_text(o, "subject", h->subject);
    if (h->project_id) {
        json_open(o, "project", '{');
        json_id(o, "id", h->project_id);
        json_text(o, "key", h->project_key);
        json_text(o, "name", h->project_name);
        json_close(o, '}');
    } else {
        json_null(o, "project");
    }
    json_close(o, '}');
}

static enum err search(struct call *k)
{
    const struct search_hit *hits;
    size_t count;
    enum err e = search_find(k->c, values_text(k->query, "q"), call_limit(k),
                             &hits, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_hit(&k->out, &hits[i]);
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err list_people(struct call *k)
{
    const struct assignee_filter filter = {.q = values_text(k->query, "q"),
                                           .after_id =
                                               values_int(k->query, "after", 0),
                                           .limit = call_limit(k)};
    const struct assignee *list;
    size_t count;
    bool more;
    enum err e =
        assignee_list(k->c, call_id(k, 0), &filter, &list, &count, &more);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        json_id(&k->out, "id", list[i].id);
        json_text(&k->out, "name", list[i].name);
        json_text(&k->out, "email", list[i].email);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].id : 0);
    json_close(&k->out, '}');
    return OK;
}

static const struct route routes[] = {
    {GET("/projects/:id/people", list_people, RIGHT_PROJECT_TICKET_VIEW,
         "Who sees its tickets and may be assigned", .query = &people_form,
         .reply = &person_form, .flags = ROUTE_LIST)},
    {GET("/projects/:id/tickets", list_tickets, RIGHT_PROJECT_TICKET_VIEW,
         "Tickets of a project", .query = &list_form,
         .reply = &ticket_reply_form, .flags = ROUTE_LIST)},
    {POST("/projects/:id/tickets", post_ticket, RIGHT_PROJECT_TICKET_ADD,
          "Create a ticket", .form = &ticket_form, .reply = &ticket_reply_form,
          .flags = ROUTE_CREATED | ROUTE_ONCE | ROUTE_SUPPORT)},
    {GET("/tickets/:id", get_ticket, RIGHT_SIGNED_IN,
         "One ticket, by id or KEY-12", .reply = &ticket_reply_form,
         .flags = ROUTE_NARROW)},
    {PATCH("/tickets/:id", patch_ticket, RIGHT_TICKET_EDIT, "Change a ticket",
           .form = &ticket_edit_form, .reply = &ticket_reply_form,
           .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
    {DELETE("/tickets/:id", delete_ticket, RIGHT_TICKET_DELETE,
            "Put a ticket and all below in the bin",
            .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
    {GET("/tickets/:id/history", list_history, RIGHT_TICKET_VIEW,
         "What changed, newest first", .query = &page_form,
         .reply = &change_form, .flags = ROUTE_LIST)},
    {GET("/my/tickets", list_own, RIGHT_SIGNED_IN,
         "One's own tickets over all projects", .query = &own_form,
         .reply = &ticket_reply_form, .flags = ROUTE_LIST)},
    {GET("/search", search, RIGHT_SIGNED_IN, "Search everything one may see",
         .query = &search_form, .reply = &hit_form, .flags = ROUTE_LIST)},
};
const struct route_set ticket_routes = {routes, COUNT(routes), SET_TOKENS};
