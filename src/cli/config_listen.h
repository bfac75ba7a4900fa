/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CONFIG_LISTEN_H
#define CLI_CONFIG_LISTEN_H

#include "cli/config.h"
#include "core/app.h"
#include "http/server.h"

/* Where the server listens, as the configuration's four keys say. */
struct listen_plan {
    struct listener list[LISTENERS_MAX];
    const char *tenants[LISTENERS_MAX]; /* whose alone it is, or NULL */
    size_t count;
    int operator_listener; /* -1: none */
};

/* Says on stderr every address that cannot be listened on, and every one that
 * would carry passwords in the clear through a network. */
MUST_USE bool config_read_listeners(struct arena *mem, const struct config *c,
                                    struct listen_plan *out);
/* The drop-in that makes yagura.socket hold the ports of the configuration:
 * all but operator_listen's, which is the process's own to open.  "" when it
 * names none. */
const char *config_socket_unit(struct arena *mem, const struct config *c);
/* "[::]:443: TLS", "127.0.0.1:8080: plain, for this machine". */
const char *config_name_listener(struct arena *mem, const struct listener *l);
/* On stdout, a line each: where it listens, how, and who is answered; then
 * what the socket unit that is in force needs, if anything. */
void config_say_listeners(struct arena *mem, const struct config *c);
/* 127.0.0.0/8, ::1, or the name localhost. */
bool config_is_loopback(const char *host);
/* "a b, c": at most 64 words, NULL-terminated; NULL for NULL. */
const char *const *config_split(struct arena *mem, const char *text);

#endif
