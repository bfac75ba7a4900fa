/* SPDX-License-Identifier: Apache-2.0 */
/* Making a tenant touches two files that no transaction spans.  The row in
 * control.db comes first as "making", the file is filled, then the row turns
 * "open": a tenant answers requests only when everything is there.  The row is
 * tenant_directory.c's; what goes into the file is known here. */
#include "core/contract/customer_make.h"

#include "base/log.h"
#include "base/str.h"
#include "core/account/user.h"
#include "core/master/catalogue.h"

/* The first administrator, by the rules of every user, before there is a file:
 * what is refused bears the names of this form. */
static enum err check_admin(struct ctx *c,
                            const struct tenant_directory_create *what,
                            const struct values **out)
{
    const char *cells[] = {what->admin_email, what->admin_name,
                           lang_words[what->lang], "true"};
    enum err e = values_parse_cells(c, &user_form, cells, out);

    if (!e && !str_is_email(values_text(*out, "email")))
        e = ctx_fail(c, ERR_INVALID, "email", "email",
                     "メールアドレスの形が正しくありません",
                     "This is not an e-mail address");
    for (struct failure *f = c->fail; f && e; f = f->next)
        f->field = str_equal(f->field, "email")  ? "admin_email"
                   : str_equal(f->field, "name") ? "admin_name"
                                                 : f->field;
    return e;
}

static enum err fill(struct ctx *c, const struct app *app,
                     const struct tenant_directory_create *what,
                     const struct values *admin)
{
    struct user made;
    enum err e = seed_tenant(c, what->name, what->lang);

    return e ? e : user_create(c, app, admin, &made);
}

/* What fails after the files are made takes them away again. */
static enum err make_file(struct ctx *c, const struct app *app,
                          const struct tenant_directory_create *what,
                          const struct values *admin)
{
    struct tenant *t;
    enum err e = tenant_create(app->store, what->id);

    if (e == ERR_CONFLICT)
        return ctx_fail(c, e, "id", "files",
                        "テナントID「%s」のファイルまたは鍵がすでにあります",
                        "There are files or a key of a tenant %s already",
                        what->id);
    if (e)
        return e;
    if (!(e = tenant_open(app->store, what->id, &t))) {
        if (!(e = tx_begin(c, t, TX_WRITE)))
            e = tx_end(c, t, fill(c, app, what, admin));
        tenant_close(t);
    }
    if (!e || tenant_retire(app->store, what->id))
        return e;
    if (tenant_discard(app->store, what->id))
        log_warn("tenant=%s half made, the next start removes it", what->id);
    return e;
}

enum err customer_make(struct ctx *c, const struct app *app,
                       const struct tenant_directory_create *what)
{
    const struct values *admin;
    enum err e = check_admin(c, what, &admin);

    if (e || (e = tenant_directory_reserve(c, app, what)))
        return e;
    if ((e = make_file(c, app, what, admin))) {
        tenant_directory_drop(c, app->store, what->id);
        return e;
    }
    return tenant_directory_open(c, app->store, what->id);
}
