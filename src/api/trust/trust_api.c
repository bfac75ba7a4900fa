/* SPDX-License-Identifier: Apache-2.0 */
/* The trust page for the three who read it: everybody what the operator made
 * public, a tenant's master administrator with the tenant's own evidence, the
 * operator everything. */
#include "api/dispatch/optional_session.h"
#include "api/dispatch/routes.h"
#include "api/dispatch/tenant_resolver.h"
#include "core/desk/helpdesk.h"
#include "core/trust/trust.h"
#include "core/trust/trust_version.h"

#include <string.h>

static const struct field reply_fields[] = {
    {OUT_INT("no", REQUIRED)},
    {OUT_TEXT("clause", REQUIRED)},
    {OUT_TEXT("title", REQUIRED)},
    {OUT_TEXT("statement", REQUIRED)},
    {OUT_CHOICE("state", trust_state_words, REQUIRED)},
    {OUT_TEXT("reason", NULLABLE)},
    {OUT_BOOL("is_public", REQUIRED)},
    {OUT_INT("version", REQUIRED)},
};
static const struct form reply_form = {"TrustRow", reply_fields,
                                       COUNT(reply_fields)};

static void put_row(struct call *k, const struct trust_row *row,
                    enum reader reader)
{
    struct json_out *o = &k->out;
    const struct trust_promise *p = row->promise;

    json_open(o, NULL, '{');
    json_int(o, "no", p->no);
    json_text(o, "clause", p->clause);
    json_text(o, "title", ctx_text(k->c, p->title_ja, p->title_en));
    json_text(o, "statement", ctx_text(k->c, p->statement_ja, p->statement_en));
    json_text(o, "state", trust_state_words[row->state]);
    json_text(o, "reason", ctx_text(k->c, row->reason_ja, row->reason_en));
    if (reader == READER_OPERATOR) {
        json_text(o, "reason_ja", row->reason_ja);
        json_text(o, "reason_en", row->reason_en);
    }
    json_bool(o, "is_public", row->is_public);
    json_int(o, "version", row->version);
    json_open(o, "evidence", '[');
    for (size_t i = 0; i < row->evidence_count; i++) {
        json_open(o, NULL, '{');
        json_bool(o, "holds", row->evidence[i].holds);
        json_text(o, "text", row->evidence[i].text);
        json_moment(o, "at", row->evidence[i].at);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_open(o, "history", '[');
    for (size_t i = 0; i < row->history_count; i++) {
        json_open(o, NULL, '{');
        json_moment(o, "at", row->history[i].at);
        json_text(o, "state", trust_state_words[row->history[i].state]);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_close(o, '}');
}

static enum err put_editions(struct call *k)
{
    const struct trust_version *list = NULL;
    size_t count = 0;
    enum err e = tx_begin_control(k->c, k->app->store, TX_READ);

    if (!e)
        e = tx_end_control(k->c, k->app->store,
                           trust_version_list(k->c, &list, &count));
    json_open(&k->out, "editions", '[');
    for (size_t i = 0; i < count && !e; i++) {
        json_open(&k->out, NULL, '{');
        json_int(&k->out, "no", list[i].no);
        json_text(&k->out, "version", list[i].version);
        json_moment(&k->out, "at", list[i].at);
        json_text(&k->out, "changed", list[i].changed);
        json_close(&k->out, '}');
    }
    json_close(&k->out, ']');
    return e;
}

static enum err get_trust(struct call *k)
{
    static const char *const words[] = {"anyone", "tenant", "operator"};
    static const enum trust_reader readers[] = {TRUST_ANYONE, TRUST_TENANT,
                                                TRUST_OPERATOR};
    struct trust_row rows[TRUST_COUNT];
    struct helpdesk_setting desk;
    enum reader reader;
    enum err e = optional_session_find(k, &reader);

    if (!e)
        e = trust_read(k->c, k->app, readers[reader], k->tenant, rows);
    if (e || (e = helpdesk_setting_get(k->c, k->app->store, &desk)))
        return e;
    json_open(&k->out, NULL, '{');
    json_text(&k->out, "reader", words[reader]);
    json_text(&k->out, "version", YAGURA_VERSION);
    json_moment(&k->out, "at", k->c->now_us);
    json_text(&k->out, "operator", k->app->operator_name);
    json_text(&k->out, "contact",
              ctx_text(k->c, desk.contact_ja, desk.contact_en));
    json_open(&k->out, "items", '[');
    for (int i = 0; i < TRUST_COUNT; i++)
        if (reader != READER_ANYONE || rows[i].is_public)
            put_row(k, &rows[i], reader);
    json_close(&k->out, ']');
    e = put_editions(k);
    json_close(&k->out, '}');
    return e;
}

static enum err put_trust(struct call *k)
{
    k->reply->status = 204;
    return trust_set(k->c, call_id(k, 0), k->if_match, k->body);
}

static const struct route routes[] = {
    {GET("/trust", get_trust, RIGHT_ANYONE,
         "The promises, each with what was measured", .reply = &reply_form,
         .flags = ROUTE_NO_TX | ROUTE_QUIET)},
    {PUT("/trust/:no", put_trust, RIGHT_OPERATOR,
         "Make a promise public, or say why it does not apply",
         .form = &trust_form, .flags = ROUTE_MATCH)},
};
const struct route_set trust_routes = {routes, COUNT(routes),
                                       SET_EVERYWHERE | SET_TOKENS};

/* What may be asked before signing in: the steps of signing in, the links of
 * mails, this page and the policies. */
static bool is_entrance(const struct route *r)
{
    static const char *const starts[] = {
        "/api/v1/sign-in",       "/api/v1/session",     "/api/v1/password-",
        "/api/v1/links/",        "/api/v1/email-links", "/api/v1/support/enter",
        "/api/v1/support/leave", "/api/v1/setup",       "/api/v1/trust",
        "/api/v1/demo/mail",     "/api/v1/policies",
    };

    for (size_t i = 0; i < COUNT(starts); i++)
        if (strncmp(r->path, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

void trust_find_facts(struct app *app)
{
    struct trust_facts *f = &app->facts;

    *f = (struct trust_facts){.parts_cookies = tenant_resolver_parts_cookies()};
    for (size_t i = 0; i < route_set_count; i++)
        for (size_t j = 0; j < route_sets[i]->count; j++) {
            const struct route *r = &route_sets[i]->routes[j];
            f->routes++;
            f->has_desk =
                f->has_desk || (r->method == METHOD_POST &&
                                strcmp(r->path, "/api/v1/enquiries") == 0);
            if (r->right > RIGHT_HALF)
                continue;
            f->open_routes++;
            if (!is_entrance(r))
                f->odd_route = r->path;
        }
}
