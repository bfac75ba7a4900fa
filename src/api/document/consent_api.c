/* SPDX-License-Identifier: Apache-2.0 */
/* The terms of use as a tenant's people read and accept them. */
#include "api/dispatch/routes.h"
#include "core/document/consent.h"

static const struct field accept_fields[] = {
    {INT("no", 1, INT32_MAX, REQUIRED, "版", "Version")},
};
static const struct form accept_form = {"TermsAccept", accept_fields,
                                        COUNT(accept_fields)};
static const struct field read_fields[] = {
    {INT("no", 1, INT32_MAX, OPTIONAL, "版", "Version")},
};
static const struct form read_form = {"TermsQuery", read_fields,
                                      COUNT(read_fields)};
static const struct field consent_fields[] = {
    {OUT_INT("no", REQUIRED)},
    {OUT_TEXT("ip", REQUIRED)},
    {OUT_TEXT("at", REQUIRED)},
    {OUT_BOOL("for_tenant", REQUIRED)},
};
static const struct form consent_form = {"Consent", consent_fields,
                                         COUNT(consent_fields)};

static void put_version(struct json_out *o, const struct terms *t)
{
    json_int(o, "no", t->no);
    json_day(o, "valid_from", t->valid_from);
    json_bool(o, "is_material", t->is_material);
}

static void put_text(struct call *k, const struct terms *t)
{
    if (!t->no) {
        json_null(&k->out, "terms");
        return;
    }
    json_open(&k->out, "terms", '{');
    put_version(&k->out, t);
    json_text(&k->out, "ja", t->ja);
    json_text(&k->out, "en", t->en);
    json_close(&k->out, '}');
}

static enum err put_state(struct call *k)
{
    struct consent_state s = {0};
    int64_t no = 0, at = 0;
    enum err e = tx_begin(k->c, k->tenant, TX_READ);

    if (e)
        return e;
    if (!(e = consent_find(k->c, k->terms.owed, &s)))
        e = consent_find_whole(k->c, &no, &at);
    if ((e = tx_end(k->c, k->tenant, e)))
        return e;
    json_bool(&k->out, "is_whole_owed", s.is_whole_owed);
    json_bool(&k->out, "is_own_owed", s.is_own_owed);
    json_bool(&k->out, "everyone", s.is_everyone);
    json_int(&k->out, "accepted_no", no);
    json_moment(&k->out, "accepted_at", at);
    return OK;
}

static enum err get_terms(struct call *k)
{
    int64_t no = values_int(k->query, "no", k->terms.current);
    const struct terms *list;
    struct terms t = {0};
    size_t count;
    enum err e = terms_list_published(k->c, k->app, &list, &count);

    if (!e && no > k->terms.current) /* not in force: not yet to be known */
        no = -1;
    if (!e && no)
        e = terms_read(k->c, k->app, no, &t);
    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    put_text(k, &t);
    json_open(&k->out, "versions", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        put_version(&k->out, &list[i]);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    if ((e = put_state(k)))
        return e;
    json_close(&k->out, '}');
    return OK;
}

static enum err post_accept(struct call *k)
{
    return consent_accept(k->c, &k->terms, values_int(k->body, "no", 0));
}

static enum err list_consents(struct call *k)
{
    const struct consent *list;
    size_t count;
    enum err e = consent_list(k->c, 200, &list, &count);

    if (e)
        return e;
    json_open(&k->out, NULL, '{');
    json_open(&k->out, "items", '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&k->out, NULL, '{');
        json_int(&k->out, "no", list[i].terms_no);
        json_open(&k->out, "user", '{');
        json_id(&k->out, "id", list[i].user_id);
        json_text(&k->out, "name", list[i].user_name);
        json_close(&k->out, '}');
        json_bool(&k->out, "for_tenant", list[i].is_whole);
        json_moment(&k->out, "at", list[i].at);
        json_text(&k->out, "ip", list[i].ip);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    json_null(&k->out, "next");
    json_close(&k->out, '}');
    return OK;
}

static enum err put_setting(struct call *k)
{
    return consent_set_everyone(k->c, k->body);
}

static const struct route routes[] = {
    {GET("/terms", get_terms, RIGHT_SIGNED_IN,
         "The terms of use, and who still has to accept them",
         .query = &read_form,
         .flags = ROUTE_NO_TX | ROUTE_TERMS | ROUTE_QUIET)},
    {POST("/terms/accept", post_accept, RIGHT_SIGNED_IN,
          "Accept the terms of use; a master administrator for the tenant",
          .form = &accept_form, .flags = ROUTE_TERMS)},
    {GET("/terms/consents", list_consents, RIGHT_ADMIN,
         "Who accepted which version, when and from where",
         .reply = &consent_form, .flags = ROUTE_LIST)},
    {PUT("/terms/setting", put_setting, RIGHT_ADMIN,
         "Whether each person has to accept", .form = &consent_setting_form)},
};
const struct route_set consent_routes = {routes, COUNT(routes), SET_OWN};
