/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/master/label.h"

static enum err reply_label(struct call *k, const struct label *l)
{
    call_etag(k, l->version);
    label_put_json(&k->out, l);
    return OK;
}

static enum err list_labels(struct call *k)
{
    const struct label *list;
    size_t count;
    enum err e = label_list(k->c, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        label_put_json(&k->out, &list[i]);
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err post_label(struct call *k)
{
    struct label l;
    enum err e = label_create(k->c, k->body, &l);

    return e ? e : reply_label(k, &l);
}

static enum err patch_label(struct call *k)
{
    struct label l;
    enum err e = label_update(k->c, call_id(k, 0), k->if_match, k->body, &l);

    return e ? e : reply_label(k, &l);
}

static enum err delete_label(struct call *k)
{
    return label_delete(k->c, call_id(k, 0), k->if_match);
}

static enum err merge_label(struct call *k)
{
    struct label l;
    enum err e = label_merge(k->c, call_id(k, 0), k->if_match,
                             values_int(k->body, "into", 0), &l);

    return e ? e : reply_label(k, &l);
}

static const struct route routes[] = {
    {GET("/labels", list_labels, RIGHT_ADMIN_MASTER,
         "Labels with how often they are used", .reply = &label_reply_form,
         .flags = ROUTE_LIST)},
    {POST("/labels", post_label, RIGHT_ADMIN_MASTER, "Add a label",
          .form = &label_form, .reply = &label_reply_form,
          .flags = ROUTE_CREATED | ROUTE_SUPPORT)},
    {PATCH("/labels/:id", patch_label, RIGHT_ADMIN_MASTER, "Change a label",
           .form = &label_edit_form, .reply = &label_reply_form,
           .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
    {DELETE("/labels/:id", delete_label, RIGHT_ADMIN_MASTER,
            "Delete a label that nothing bears",
            .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
    {POST("/labels/:id/merge", merge_label, RIGHT_ADMIN_MASTER,
          "Turn a label into another, wherever it is borne",
          .form = &label_merge_form, .reply = &label_reply_form,
          .flags = ROUTE_MATCH | ROUTE_SUPPORT)},
};
const struct route_set label_routes = {routes, COUNT(routes), SET_TOKENS};
