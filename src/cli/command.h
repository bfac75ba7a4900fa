/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/buf.h"
#include "cli/server_process.h"

/* A command that works on a data directory: in this process when nobody holds
 * the directory, else inside the server that does (control.h).  So it writes
 * into buffers, and the file it reads comes as a descriptor. */
struct command {
    struct app *app;
    struct arena *mem;
    bool is_served;      /* inside a server, which goes on */
    int file;            /* open for reading; -1: none */
    struct buf out, err; /* what will be printed where */
};

/* Words as for cli_NAME() without those of the configuration; exit codes as
 * there. */
int tenant_run(struct command *c, int argc, char **argv);
int import_run(struct command *c, int argc, char **argv);
int backup_run_command(struct command *c, int argc, char **argv);
int doctor_run_command(struct command *c, int argc, char **argv);
int certificate_run(struct command *c, int argc, char **argv);
int key_run(struct command *c, int argc, char **argv);
int log_run(struct command *c, int argc, char **argv);
/* By its name; 2 when there is none. */
int command_run(struct command *c, const char *name, int argc, char **argv);

/* Here, or where the data directory is held; prints what it says. */
int command_do(struct server_process *p, const struct config *config,
               const char *name, int argc, char **argv, int file);
/* The words as they are, for a command that reads them twice. */
char **command_copy_words(struct arena *mem, int argc, char **argv);
/* An error in words, where nothing more is known of it. */
const char *command_explain(enum err e);
/* Why a tenant cannot be had, into c->err. */
void command_complain_tenant(struct command *c, const char *id, enum err e);
/* What went wrong, into c->err. */
void command_complain(struct command *c, const struct ctx *x, enum err e);

#endif
