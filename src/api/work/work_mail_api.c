/* SPDX-License-Identifier: Apache-2.0 */
/* Which mails a person wants. */
#include "api/dispatch/routes.h"
#include "core/work/work_mail.h"

static enum err reply_wishes(struct call *k, const struct work_mail_wishes *w)
{
    json_open(&k->out, NULL, '{');
    json_bool(&k->out, "assigned", w->assigned);
    json_bool(&k->out, "commented", w->commented);
    json_bool(&k->out, "due", w->due);
    json_close(&k->out, '}');
    return OK;
}

static enum err get_wishes(struct call *k)
{
    struct work_mail_wishes w;
    enum err e = work_mail_get_wishes(k->c, &w);

    return e ? e : reply_wishes(k, &w);
}

static enum err patch_wishes(struct call *k)
{
    struct work_mail_wishes w;
    enum err e = work_mail_set_wishes(k->c, k->body, &w);

    return e ? e : reply_wishes(k, &w);
}

static const struct route routes[] = {
    {GET("/me/notifications", get_wishes, RIGHT_SIGNED_IN,
         "Which mails one wants")},
    {PATCH("/me/notifications", patch_wishes, RIGHT_SIGNED_IN,
           "Choose which mails one wants", .form = &work_mail_form)},
};
const struct route_set work_mail_routes = {routes, COUNT(routes), SET_OWN};
