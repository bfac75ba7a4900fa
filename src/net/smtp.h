/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_SMTP_H
#define NET_SMTP_H

#include "base/arena.h"
#include "base/err.h"
#include "net/smtp_stop.h"

#include <stdint.h>

/* Sends one message by SMTP (RFC 5321) or into a spool folder.  Names are
 * resolved and connected with a deadline; never called on a request thread. */
enum smtp_security { SMTP_TLS, SMTP_STARTTLS, SMTP_PLAIN_LOOPBACK };

struct smtp_config {
    const char *host;
    int port;
    enum smtp_security security; /* plain only to loopback */
    const char *user;            /* NULL: no AUTH */
    const char *password;
    const char *ca_file;
    const char *from;       /* envelope and header address */
    const char *name;       /* ours, "pm.example.jp"; NULL: the sender's host */
    const char *from_name;  /* UTF-8 */
    const char *spool_dir;  /* not NULL: write NAME.eml here, no network */
    int timeout_ms;         /* per step, 0: 30 s */
    struct smtp_stop *stop; /* NULL: nobody ends it early */
};

struct mail {
    const char *to;
    const char *subject;    /* UTF-8, encoded per RFC 2047 */
    const char *text;       /* UTF-8, text/plain, sent base64 */
    const char *message_id; /* before the @, unique: a retry is recognised */
    int64_t sent_at_us;
};

/* OK: the server has taken responsibility.  ERR_INVALID: a permanent refusal
 * (5yz, bad address).  ERR_BUSY: try later.  *why (arena) is one line for the
 * operator's log, free of secrets. */
MUST_USE enum err smtp_send(const struct smtp_config *config, struct arena *mem,
                            const struct mail *m, const char **why);

/* Reaches the relay, signs in and names sender and recipient, as far as it
 * goes without sending; results and *why as above. */
MUST_USE enum err smtp_check(const struct smtp_config *config,
                             struct arena *mem, const char *to,
                             const char **why);

#endif
