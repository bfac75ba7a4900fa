/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/master/label.h"
#include "core/work/program.h"
#include "core/work/project.h"

static const struct field reply_fields[] = {
    {OUT_ID("id", REQUIRED)},
    {OUT_TEXT("key", REQUIRED)},
    {OUT_TEXT("name", REQUIRED)},
    {OUT_LINES("details", REQUIRED)},
    {OUT_ID("parent", NULLABLE)},
    {OUT_DAY("start", NULLABLE)},
    {OUT_DAY("end", NULLABLE)},
    {OUT_CHOICE("state", program_state_words, REQUIRED)},
    {OUT_INT("version", REQUIRED)},
};
static const struct form program_reply_form = {"Program", reply_fields,
                                               COUNT(reply_fields)};

static void put_person(struct call *k, const char *name, int64_t id,
                       const char *person)
{
    if (!id) {
        json_null(&k->out, name);
        return;
    }
    json_open(&k->out, name, '{');
    json_id(&k->out, "id", id);
    json_text(&k->out, "name", person);
    json_close(&k->out, '}');
}

/* Labels of a list's rows, read at once. */
struct borne {
    const struct label_pair *list;
    size_t count;
};

static void put_program(struct call *k, const struct program *p,
                        const struct borne *b)
{
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "id", p->id);
    json_text(&k->out, "key", p->key);
    json_text(&k->out, "name", p->name);
    json_text(&k->out, "details", p->details);
    json_id(&k->out, "parent", p->parent_id);
    put_person(k, "manager", p->manager_id, p->manager_name);
    json_day(&k->out, "start", p->start_day);
    json_day(&k->out, "end", p->end_day);
    json_text(&k->out, "state", program_state_words[p->state]);
    json_int(&k->out, "version", p->version);
    if (b)
        label_put_pairs(&k->out, b->list, b->count, p->id);
    else
        label_put_ids(&k->out, "labels", p->labels, p->label_count);
    access_put_rights(&k->out, "rights", p->rights);
    json_close(&k->out, '}');
}

static void put_project(struct call *k, const struct project *p,
                        const struct borne *b)
{
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "id", p->id);
    json_text(&k->out, "key", p->key);
    json_text(&k->out, "name", p->name);
    json_id(&k->out, "program", p->program_id);
    json_text(&k->out, "approach", approach_words[p->approach]);
    put_person(k, "manager", p->manager_id, p->manager_name);
    json_day(&k->out, "start", p->start_day);
    json_day(&k->out, "end", p->end_day);
    json_text(&k->out, "state", program_state_words[p->is_archived]);
    json_int(&k->out, "version", p->version);
    access_put_rights(&k->out, "rights", p->rights);
    json_int(&k->out, "tickets", p->tickets);
    json_int(&k->out, "done", p->done);
    json_int(&k->out, "late", p->late);
    json_int(&k->out, "progress", p->progress);
    label_put_pairs(&k->out, b->list, b->count, p->id);
    json_close(&k->out, '}');
}

static enum err list_programs(struct call *k)
{
    const struct program *programs;
    const struct project *projects;
    size_t program_count, project_count;
    enum err e = program_list(k->c, &programs, &program_count);

    struct borne of_programs, of_projects;
    struct buf ids = buf_in(k->c->mem), project_ids = buf_in(k->c->mem);
    if (e || (e = project_list(k->c, &projects, &project_count)))
        return e;
    for (size_t i = 0; i < program_count; i++)
        buf_put(&ids, &programs[i].id, sizeof programs[i].id);
    for (size_t i = 0; i < project_count; i++)
        buf_put(&project_ids, &projects[i].id, sizeof projects[i].id);
    if ((e = label_list_pairs(k->c, LABEL_OF_PROGRAM, &ids, &of_programs.list,
                              &of_programs.count)) ||
        (e = label_list_pairs(k->c, LABEL_OF_PROJECT, &project_ids,
                              &of_projects.list, &of_projects.count)))
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "programs", '[');
    for (size_t i = 0; i < program_count; i++)
        put_program(k, &programs[i], &of_programs);
    json_close(&k->out, ']');
    json_open(&k->out, "projects", '[');
    for (size_t i = 0; i < project_count; i++)
        put_project(k, &projects[i], &of_projects);
    json_close(&k->out, ']');
    json_close(&k->out, '}');
    return OK;
}

static enum err reply_program(struct call *k, const struct program *p)
{
    call_etag(k, p->version);
    put_program(k, p, NULL);
    return OK;
}

static enum err get_program(struct call *k)
{
    struct program p;
    enum err e = program_get(k->c, call_id(k, 0), &p);

    return e ? e : reply_program(k, &p);
}

static enum err post_program(struct call *k)
{
    struct program p;
    enum err e = program_create(k->c, k->body, &p);

    return e ? e : reply_program(k, &p);
}

static enum err patch_program(struct call *k)
{
    struct program p;
    enum err e = program_update(k->c, call_id(k, 0), k->if_match, k->body, &p);

    return e ? e : reply_program(k, &p);
}

static enum err delete_program(struct call *k)
{
    return program_delete(k->c, call_id(k, 0), k->if_match);
}

static const struct route routes[] = {
    {GET("/programs", list_programs, RIGHT_SIGNED_IN,
         "Every program and project one may see", .flags = ROUTE_CLOSED)},
    {POST("/programs", post_program, RIGHT_SIGNED_IN, "Create a program",
          .form = &program_form, .reply = &program_reply_form,
          .flags = ROUTE_CREATED | ROUTE_ONCE)},
    {GET("/programs/:id", get_program, RIGHT_PROGRAM_VIEW, "One program",
         .reply = &program_reply_form)},
    {PATCH("/programs/:id", patch_program, RIGHT_PROGRAM_EDIT,
           "Change a program", .form = &program_edit_form,
           .reply = &program_reply_form, .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
    {DELETE("/programs/:id", delete_program, RIGHT_PROGRAM_DELETE,
            "Delete a program", .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
};
const struct route_set program_routes = {routes, COUNT(routes), SET_TOKENS};
