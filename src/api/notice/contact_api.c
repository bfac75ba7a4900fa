/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the operator reaches in an emergency. */
#include "core/notice/contact.h"

#include "api/dispatch/routes.h"
#include "base/log.h"

static const struct field row_fields[] = {
    {OUT_ID("id", REQUIRED)},      {OUT_TEXT("name", REQUIRED)},
    {OUT_TEXT("role", REQUIRED)},  {OUT_TEXT("email", REQUIRED)},
    {OUT_TEXT("phone", REQUIRED)}, {OUT_INT("version", REQUIRED)},
};
static const struct form row_form = {"Contact", row_fields, COUNT(row_fields)};

static void put_row(struct call *k, const struct contact *p)
{
    struct json_out *o = &k->out;

    json_open(o, NULL, '{');
    json_id(o, "id", p->id);
    json_text(o, "name", p->name);
    json_text(o, "role", p->role);
    json_text(o, "email", p->email);
    json_text(o, "phone", p->phone);
    json_int(o, "version", p->version);
    json_close(o, '}');
}

static void put_list(struct call *k, const struct contact *list, size_t count)
{
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_row(k, &list[i]);
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
}

static enum err list_own(struct call *k)
{
    const struct contact *list;
    size_t count;
    enum err e = contact_list(k->c, &list, &count);

    if (!e)
        put_list(k, list, count);
    return e;
}

static enum err list_of_tenant(struct call *k)
{
    const struct contact *list;
    size_t count;
    enum err e = contact_list_copied(k->c, k->params[0], &list, &count);

    if (!e)
        put_list(k, list, count);
    return e;
}

/* The change stands; what control.db misses the daily round brings. */
static void copy(struct call *k)
{
    if (!contact_copy(k->c, k->app, k->c->actor->tenant))
        return;
    log_warn("contacts not copied tenant=%s", k->c->actor->tenant);
    k->c->fail = NULL;
}

static enum err reply(struct call *k, enum err e, const struct contact *p)
{
    if (e)
        return e;
    copy(k);
    call_etag(k, p->version);
    put_row(k, p);
    return OK;
}

static enum err post_contact(struct call *k)
{
    struct contact p;
    enum err e = tx_begin(k->c, k->tenant, TX_WRITE);

    if (!e)
        e = tx_end(k->c, k->tenant, contact_create(k->c, k->body, &p));
    return reply(k, e, &p);
}

static enum err patch_contact(struct call *k)
{
    struct contact p;
    enum err e = tx_begin(k->c, k->tenant, TX_WRITE);

    if (!e)
        e = tx_end(
            k->c, k->tenant,
            contact_update(k->c, call_id(k, 0), k->if_match, k->body, &p));
    return reply(k, e, &p);
}

static enum err delete_contact(struct call *k)
{
    enum err e = tx_begin(k->c, k->tenant, TX_WRITE);

    if (!e)
        e = tx_end(k->c, k->tenant,
                   contact_delete(k->c, call_id(k, 0), k->if_match));
    if (!e)
        copy(k);
    return e;
}

static const struct route routes[] = {
    {GET("/contacts", list_own, RIGHT_ADMIN,
         "Whom the operator reaches in an emergency", .reply = &row_form,
         .flags = ROUTE_LIST)},
    {POST("/contacts", post_contact, RIGHT_ADMIN, "Name a contact",
          .form = &contact_form, .reply = &row_form,
          .flags = ROUTE_NO_TX | ROUTE_CREATED)},
    {PATCH("/contacts/:id", patch_contact, RIGHT_ADMIN, "Change a contact",
           .form = &contact_edit_form, .reply = &row_form,
           .flags = ROUTE_NO_TX | ROUTE_MATCH)},
    {DELETE("/contacts/:id", delete_contact, RIGHT_ADMIN, "Remove a contact",
            .flags = ROUTE_NO_TX | ROUTE_MATCH)},
    {GET("/service/contacts/:id", list_of_tenant, RIGHT_AUDITOR,
         "The contacts a tenant has named", .reply = &row_form,
         .flags = ROUTE_LIST)},
};
const struct route_set contact_routes = {routes, COUNT(routes), SET_TOKENS};
