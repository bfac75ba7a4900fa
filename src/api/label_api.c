/* SPDX-License-Identifier: Apache-2.0 */
#include "api/routes.h"
#include "core/label.h"

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
    {METHOD_GET,    "/api/v1/labels",           list_labels,  RIGHT_ADMIN_MASTER, NULL,        NULL,
     &label_reply_form,                                                                                                 ROUTE_LIST,    "Labels with how often they are used"},
    {METHOD_POST,   "/api/v1/labels",           post_label,   RIGHT_ADMIN_MASTER, &label_form,
     NULL,                                                                                           &label_reply_form, ROUTE_CREATED, "Add a label"                        },
    {METHOD_PATCH,  "/api/v1/labels/:id",       patch_label,  RIGHT_ADMIN_MASTER,
     &label_edit_form,                                                                         NULL, &label_reply_form, ROUTE_MATCH,   "Change a label"                     },
    {METHOD_DELETE, "/api/v1/labels/:id",       delete_label, RIGHT_ADMIN_MASTER,
     NULL,                                                                                     NULL, NULL,              ROUTE_MATCH,   "Delete a label that nothing bears"  },
    {METHOD_POST,   "/api/v1/labels/:id/merge", merge_label,  RIGHT_ADMIN_MASTER,
     &label_merge_form,                                                                        NULL, &label_reply_form, ROUTE_MATCH,
     "Turn a label into another, wherever it is borne"                                                                                                                      },
};
const struct route_set label_routes = {routes, COUNT(routes), SET_TOKENS};
