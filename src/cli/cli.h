/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "core/app.h"

/* Commands.  Each takes the words after its name and returns an exit code:
 * 0 done, 1 failed (said on stderr), 2 wrong words. */
int cli_demo(int argc, char **argv);
int cli_serve(int argc, char **argv);
int cli_reload(int argc, char **argv);
int cli_tenant(int argc, char **argv);
int cli_import(int argc, char **argv);
int cli_backup(int argc, char **argv);
int cli_certificate(int argc, char **argv);
int cli_key(int argc, char **argv);
int cli_log(int argc, char **argv);
int cli_doctor(int argc, char **argv);
int cli_config(int argc, char **argv);
int cli_openapi(int argc, char **argv);
int cli_types(int argc, char **argv);

#endif
