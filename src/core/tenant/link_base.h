/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TENANT_LINK_BASE_H
#define CORE_TENANT_LINK_BASE_H

#include "core/app.h"

#include "base/ctx.h"

/* What links in mails begin with.  A text is written with one of these in the
 * place of "https://pm.example.jp/t/acme" (it is what actor.base_url holds)
 * and filled in when the mail leaves, by the configuration of the server that
 * sends it: a command that knows none, or an older configuration, leaves no
 * trace in a mail. */
#define LINK_BASE "\x01" /* where the tenant, or the console, is reached */
#define LINK_BASE_ROOT                                                         \
    "\x02" /* the same without /t/ID while it is the only one */

/* ERR_CONFLICT "base_url": nobody has said how people reach this server, and
 * others than this machine can.  For whoever is about to send a link. */
MUST_USE enum err link_base_check(struct ctx *c, const struct app *app);
/* Where a tenant, or STORE_OPERATOR, is reached now; no slash at the end.
 * Opens control.db: outside any transaction.  ERR_NOT_FOUND: no such tenant. */
MUST_USE enum err link_base_find(struct ctx *c, const struct app *app,
                                 const char *tenant, bool is_root,
                                 const char **out);
/* The text with its bases filled in; errors as of both above. */
MUST_USE enum err link_base_fill(struct ctx *c, const struct app *app,
                                 const char *tenant, const char *text,
                                 const char **out);

#endif
