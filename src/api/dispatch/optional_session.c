/* SPDX-License-Identifier: Apache-2.0 */
/* Such a route is open before signing in, so the dispatcher has asked for no
 * right: what the session says is looked at here. */
#include "api/dispatch/optional_session.h"

#include "api/dispatch/tenant_resolver.h"
#include "core/account/session.h"
#include "core/document/consent.h"

static enum reader by_session(const struct call *k)
{
    bool is_signed_in = k->session && k->session->level == SESSION_FULL &&
                        !k->session->is_locked;

    if (is_signed_in && k->place->is_operator)
        return READER_OPERATOR;
    return is_signed_in && k->c->actor->is_admin && !k->session->support
               ? READER_TENANT
               : READER_ANYONE;
}

/* Until the terms are accepted an administrator reads what everybody may. */
enum err optional_session_find(struct call *k, enum reader *out)
{
    struct consent_state s = {0};

    *out = by_session(k);
    if (*out != READER_TENANT || !k->terms.owed)
        return OK;
    enum err e = tx_begin(k->c, k->tenant, TX_READ);
    if (e ||
        (e = tx_end(k->c, k->tenant, consent_find(k->c, k->terms.owed, &s))))
        return e;
    if (s.is_whole_owed || s.is_own_owed)
        *out = READER_ANYONE;
    return OK;
}
