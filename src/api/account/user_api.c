/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch/routes.h"
#include "core/access/access.h"
#include "core/account/invite.h"
#include "core/account/user.h"

static const struct field list_fields[] = {
    {TEXT("q", 0, 100, OPTIONAL, "検索", "Search")},
    {CHOICE("state", user_state_words, OPTIONAL, "状態", "State")},
    {BOOL("admin", OPTIONAL, "管理者", "Administrator")},
    {INT("limit", 1, 200, OPTIONAL, "件数", "Limit")},
    {ID("after", OPTIONAL, "続き", "After")},
};
static const struct form list_form = {"UserQuery", list_fields,
                                      COUNT(list_fields)};

static void put_user(struct call *k, const char *name, const struct user *u,
                     bool with_rank)
{
    json_open(&k->out, name, '{');
    json_id(&k->out, "id", u->id);
    json_text(&k->out, "name", u->name);
    json_text(&k->out, "email", u->email);
    json_text(&k->out, "lang", lang_words[u->lang]);
    json_text(&k->out, "state", user_state_words[u->state]);
    if (with_rank)
        json_bool(&k->out, "is_admin", u->is_admin);
    else /* who administers is for those to know who manage people */
        json_null(&k->out, "is_admin");
    json_moment(&k->out, "signed_in_at", u->signed_in_at);
    json_int(&k->out, "version", u->version);
    json_moment(&k->out, "mail_refused_at", u->refused_at);
    json_text(&k->out, "mail_refused", u->refused_why);
    json_close(&k->out, '}');
}

static enum err list_users(struct call *k)
{
    struct user_filter filter = {
        .q = values_text(k->query, "q"),
        .state = (int)values_int(k->query, "state", -1),
        .admin = values_has(k->query, "admin")
                     ? values_bool(k->query, "admin", false)
                     : -1,
        .after_id = values_int(k->query, "after", 0),
        .limit = call_limit(k),
    };
    const struct user *list;
    size_t count;
    bool more;
    unsigned rights = 0;
    enum err e = user_list(k->c, &filter, &list, &count, &more);

    if (e || (e = access_tenant(k->c, &rights)))
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        struct user u = list[i];
        /* when a colleague was here last is nobody else's business */
        bool is_all = rights & MAY_ADMIN_USERS;
        if (!is_all) {
            u.signed_in_at = u.refused_at = 0;
            u.refused_why = NULL;
        }
        put_user(k, NULL, &u, is_all);
    }
    json_close(&k->out, ']');
    json_id(&k->out, "next", more ? list[count - 1].id : 0);
    json_close(&k->out, '}');
    return OK;
}

static enum err reply_user(struct call *k, const struct user *u)
{
    call_etag(k, u->version);
    put_user(k, NULL, u, true);
    return OK;
}

static enum err get_user(struct call *k)
{
    struct user u;
    enum err e = user_get(k->c, call_id(k, 0), &u);

    return e ? e : reply_user(k, &u);
}

/* Who makes an administrator, or unmakes one, proves first who it is. */
static enum err need_fresh_for_admin(struct call *k, int64_t id)
{
    struct user u = {0};
    enum err e = id ? user_get(k->c, id, &u) : OK;

    if (e || values_bool(k->body, "is_admin", u.is_admin) == u.is_admin)
        return e;
    return call_need_fresh(k);
}

static enum err post_user(struct call *k)
{
    struct user u;
    enum err e = need_fresh_for_admin(k, 0);

    if (!e)
        e = user_create(k->c, k->app, k->body, &u);
    return e ? e : reply_user(k, &u);
}

static enum err patch_user(struct call *k)
{
    struct user u;
    enum err e = need_fresh_for_admin(k, call_id(k, 0));

    if (!e)
        e = user_update(k->c, k->app, call_id(k, 0), k->if_match, k->body, &u);
    return e ? e : reply_user(k, &u);
}

static enum err delete_user(struct call *k)
{
    return user_delete(k->c, call_id(k, 0), k->if_match);
}

static enum err post_invitation(struct call *k)
{
    struct user u;
    enum err e = user_get(k->c, call_id(k, 0), &u);

    if (e || (e = access_need_over(k->c, u.id)))
        return e;
    if (u.state == USER_SUSPENDED)
        return ctx_fail(k->c, ERR_CONFLICT, "state", "suspended",
                        "停止中の人には送れません。先に再開してください",
                        "Resume this person first, then send it");
    k->reply->status = 202;
    return invite_send(k->c, k->app, u.id,
                       u.state == USER_INVITED ? INVITE_FIRST : INVITE_RESET);
}

static const struct route routes[] = {
    {GET("/users", list_users, RIGHT_SIGNED_IN, "People of the tenant",
         .query = &list_form, .reply = &user_reply_form, .flags = ROUTE_LIST)},
    {GET("/users/:id", get_user, RIGHT_ADMIN_USERS, "One person",
         .reply = &user_reply_form)},
    {POST("/users", post_user, RIGHT_ADMIN_USERS, "Add and invite a person",
          .form = &user_form, .reply = &user_reply_form,
          .flags = ROUTE_CREATED)},
    {PATCH("/users/:id", patch_user, RIGHT_ADMIN_USERS, "Change a person",
           .form = &user_edit_form, .reply = &user_reply_form,
           .flags = ROUTE_MATCH)},
    {DELETE("/users/:id", delete_user, RIGHT_ADMIN_USERS, "Delete a person",
            .flags = ROUTE_MATCH)},
    {POST("/users/:id/invitation", post_invitation, RIGHT_ADMIN_USERS,
          "Send the invitation or a reset link again")},
};
const struct route_set user_routes = {routes, COUNT(routes), SET_TOKENS};
