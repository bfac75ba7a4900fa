/* SPDX-License-Identifier: Apache-2.0 */
/* Changing an address: one's own, somebody's, and the links in the mails. */
#include "api/account/session_reply.h"
#include "api/dispatch/routes.h"
#include "core/account/email_change.h"

static const struct field link_fields[] = {
    {SECRET("token", 1, 128, REQUIRED, "リンク", "Link")},
};
static const struct form link_form = {"EmailLink", link_fields,
                                      COUNT(link_fields)};

static void put_change(struct call *k, const struct email_change *change)
{
    json_open(&k->out, NULL, '{');
    json_text(&k->out, "email", change ? change->email : NULL);
    if (change) {
        json_bool(&k->out, "needs_old", change->needs_old);
        json_bool(&k->out, "old_done", change->old_done);
        json_bool(&k->out, "new_done", change->new_done);
        json_moment(&k->out, "expires_at", change->expires_at);
    }
    json_close(&k->out, '}');
}

static enum err get_own(struct call *k)
{
    struct email_change change;
    enum err e = email_change_get(k->c, k->c->actor->user_id, &change);

    if (e && e != ERR_NOT_FOUND)
        return e;
    put_change(k, e ? NULL : &change);
    return OK;
}

static enum err post_own(struct call *k)
{
    k->reply->status = 202;
    return email_change_ask(k->c, k->app, values_text(k->body, "email"));
}

static enum err delete_own(struct call *k)
{
    return email_change_drop(k->c, k->c->actor->user_id);
}

static enum err post_of_user(struct call *k)
{
    k->reply->status = 202;
    return email_change_ask_for(k->c, k->app, call_id(k, 0),
                                values_text(k->body, "email"));
}

static enum err post_check(struct call *k)
{
    struct email_change change;
    enum err e =
        email_change_find(k->c, k->app, values_text(k->body, "token"), &change);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_text(&k->out, "side", change.is_old_side ? "old" : "new");
    json_bool(&k->out, "needs_old", change.needs_old);
    json_text(&k->out, "email", change.email);
    json_text(&k->out, "name", change.user_name);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_confirm(struct call *k)
{
    bool done = false;
    enum err e =
        email_change_confirm(k->c, k->app, values_text(k->body, "token"),
                             session_from(k).agent, &done);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_bool(&k->out, "done", done);
    json_close(&k->out, '}');
    return OK;
}

static enum err post_cancel(struct call *k)
{
    return email_change_cancel(k->c, k->app, values_text(k->body, "token"));
}

static const struct route own_routes[] = {
    {GET("/me/email", get_own, RIGHT_SIGNED_IN,
         "The change of one's address that waits for its links")},
    {POST("/me/email", post_own, RIGHT_SIGNED_IN,
          "Change one's address: links go to the old and the new one",
          .form = &email_form, .flags = ROUTE_FRESH)},
    {DELETE("/me/email", delete_own, RIGHT_SIGNED_IN, "Give the change up")},
    {POST("/email-links/check", post_check, RIGHT_ANYONE,
          "What a mailed link to change an address is for", .form = &link_form,
          .flags = ROUTE_READ)},
    {POST("/email-links/confirm", post_confirm, RIGHT_ANYONE,
          "This mailbox agrees to the change", .form = &link_form)},
    {POST("/email-links/cancel", post_cancel, RIGHT_ANYONE,
          "This mailbox stops the change", .form = &link_form)},
};
const struct route_set own_email_routes = {own_routes, COUNT(own_routes),
                                           SET_EVERYWHERE | SET_OWN};

static const struct route routes[] = {
    {POST("/users/:id/email", post_of_user, RIGHT_ADMIN_USERS,
          "Change a person's address, which the new mailbox confirms",
          .form = &email_form, .flags = ROUTE_FRESH)},
};
const struct route_set email_routes = {routes, COUNT(routes), SET_TOKENS};
