/* SPDX-License-Identifier: Apache-2.0 */
/* Personal tokens: one's own, and what an administrator of people sees and
 * takes away. */
#include "api/dispatch/routes.h"
#include "core/account/token.h"
#include "core/account/user.h"

static void put_token(struct call *k, const struct token *t, const char *text)
{
    json_open(&k->out, NULL, '{');
    json_id(&k->out, "id", t->id);
    json_text(&k->out, "name", t->name);
    json_bool(&k->out, "write", t->may_write);
    json_bool(&k->out, "is_limited", t->is_limited);
    json_raw(&k->out, "projects", t->projects);
    json_bool(&k->out, "is_over", t->expires_at <= k->c->now_us);
    json_moment(&k->out, "created_at", t->created_at);
    json_moment(&k->out, "expires_at", t->expires_at);
    json_moment(&k->out, "used_at", t->used_at);
    json_text(&k->out, "used_ip", t->used_ip);
    if (text)
        json_text(&k->out, "token", text);
    json_close(&k->out, '}');
}

static enum err put_tokens(struct call *k, int64_t user_id)
{
    const struct token *list;
    size_t count;
    bool is_allowed;
    enum err e = token_list(k->c, user_id, &list, &count);

    if (e || (e = token_is_allowed(k->c, &is_allowed)))
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++)
        put_token(k, &list[i], NULL);
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_bool(&k->out, "is_allowed", is_allowed);
    json_close(&k->out, '}');
    return OK;
}

static enum err list_own(struct call *k)
{
    return put_tokens(k, k->c->actor->user_id);
}

static enum err post_own(struct call *k)
{
    char text[TOKEN_CHARS + 1];
    struct token t;
    enum err e = token_create(k->c, k->body, &t, text);

    if (!e)
        put_token(k, &t, text);
    return e;
}

static enum err delete_own(struct call *k)
{
    return token_revoke(k->c, k->c->actor->user_id, call_id(k, 0));
}

/* An administrator of people looks after those below him. */
static enum err need_over(struct call *k, struct user *u)
{
    enum err e = user_get(k->c, call_id(k, 0), u);

    return e ? e : access_need_over(k->c, u->id);
}

static enum err list_of_user(struct call *k)
{
    struct user u;
    enum err e = need_over(k, &u);

    return e ? e : put_tokens(k, u.id);
}

static enum err delete_of_user(struct call *k)
{
    struct user u;
    enum err e = need_over(k, &u);

    return e ? e : token_revoke(k->c, u.id, call_id(k, 1));
}

static const struct route own_routes[] = {
    {GET("/me/tokens", list_own, RIGHT_SIGNED_IN,
         "One's own tokens for programs", .reply = &token_reply_form,
         .flags = ROUTE_LIST)},
    {POST("/me/tokens", post_own, RIGHT_SIGNED_IN,
          "Make a token; its text is shown this once", .form = &token_form,
          .reply = &token_reply_form, .flags = ROUTE_CREATED | ROUTE_FRESH)},
    {DELETE("/me/tokens/:id", delete_own, RIGHT_SIGNED_IN,
            "Revoke one of one's own tokens")},
};
const struct route_set own_token_routes = {own_routes, COUNT(own_routes),
                                           SET_OWN};

static const struct route routes[] = {
    {GET("/users/:id/tokens", list_of_user, RIGHT_ADMIN_USERS,
         "A person's tokens", .reply = &token_reply_form, .flags = ROUTE_LIST)},
    {DELETE("/users/:id/tokens/:token", delete_of_user, RIGHT_ADMIN_USERS,
            "Revoke a person's token")},
};
const struct route_set token_routes = {routes, COUNT(routes), SET_TOKENS};
