/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include "core/app.h"

/* control.sock in the data directory: commands for the server that holds it.
 * Mode 0600, and the kernel's word for who is on the other side: only the
 * server's own user and root are answered.  One command at a time. */
struct control;

/* NULL when there can be no socket (logged); the server runs without. */
struct control *control_open(struct app *app, const char *data_dir);
/* Waits for the command that is being done; NULL is allowed. */
void control_close(struct control *t);

/* The other side: hands name, words and file (or -1) over, prints the answer
 * and returns the exit code; -1: no server listens there. */
int control_ask(const char *data_dir, const char *name, int argc,
                char *const *argv, int file);

#endif
