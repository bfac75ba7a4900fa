/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_SMTP_STOP_H
#define NET_SMTP_STOP_H

#include <stdbool.h>

/* The connections to the relay that are open now, so that a server that stops
 * does not wait for one that hangs. */
struct smtp_stop;

struct smtp_stop *smtp_stop_open(void);
void smtp_stop_close(struct smtp_stop *s); /* NULL is allowed, as below */
/* False once all are to end; each enter is followed by leave, before the
 * descriptor is closed. */
bool smtp_stop_enter(struct smtp_stop *s, int fd);
void smtp_stop_leave(struct smtp_stop *s, int fd);
/* Ends those that are open; none is begun any more. */
void smtp_stop_all(struct smtp_stop *s);

#endif
