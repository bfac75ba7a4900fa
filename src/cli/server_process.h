/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SERVER_PROCESS_H
#define CLI_SERVER_PROCESS_H

#include "cli/config.h"
#include "core/app.h"
#include "http/server.h"

/* A running server: opened from what a command knows, waits for signals. */
struct server_process {
    struct arena *mem;
    struct app app;
    struct server_config server;
    struct scheduler *scheduler; /* the daily round */
    struct control *control;     /* commands from outside */
    struct supervisor *supervisor;
    /* SIGHUP: what besides the certificate, false: not all of it was taken
     * over (said in the log); NULL: nothing */
    bool (*reload)(struct server_process *p);
    void *reload_arg;
    bool is_making; /* ends at once, so no thread begins work of its own */
    bool may_found; /* a service where none is: this command begins one */
    char setup_token[44]; /* of the first operator; "": there is one */
};

/* The data directory of the configuration, whichever kind it is marked as;
 * says on stderr why not. */
MUST_USE enum err server_process_open_store(struct server_process *p,
                                            const struct config *config);
/* Secrets, throttling; the store and p->app.around must be known already. */
MUST_USE enum err server_process_open(struct server_process *p);
/* Says what is wrong: backup_region is outside the place that customers are
 * told their data is kept in. */
MUST_USE enum err server_process_check_region(struct server_process *p);
/* The same without a service: by the statement in data_dir, or by the one a new
 * installation begins with; not while a server holds the directory. */
bool server_process_check_place(struct config *c);
/* Sockets, confinement (base/sandbox.h), worker threads; p->app.around must be
 * known by now. */
MUST_USE enum err server_process_start(struct server_process *p);
/* Until SIGTERM or SIGINT; SIGHUP reads certificate and settings again. */
void server_process_wait(struct server_process *p);
/* From another thread of a running server: has server_process_wait() read again and
 * waits for it.  ERR_INVALID: something was not taken over; ERR_BUSY: it does
 * not come to it. */
MUST_USE enum err server_process_reload(void);
void server_process_close(struct server_process *p);
/* Before any thread: the signals server_process_wait() takes. */
void server_process_block_signals(void);

/* What the configuration says of the world outside the data. */
struct surroundings server_process_surroundings(const struct config *config);
/* A context for commands: the system acts, in this language. */
struct ctx server_process_ctx(struct arena *mem, const struct actor *actor);
/* What went wrong, on stderr. */
void server_process_complain(const struct ctx *c, enum err e);

#endif
