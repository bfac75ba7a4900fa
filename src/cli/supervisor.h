/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SUPERVISOR_H
#define CLI_SUPERVISOR_H

#include <stdint.h>

/* systemd, or whoever speaks its protocol: NOTIFY_SOCKET is told how the
 * process is, WATCHDOG_USEC is how often it wants to hear that all is well. */
struct supervisor;

/* NULL: nobody wants to know; then all below does nothing.  Before the
 * sandbox is entered: the socket may be anywhere. */
struct supervisor *supervisor_open(void);
void supervisor_close(struct supervisor *s);

enum supervisor_word {
    SUPERVISOR_READY,
    SUPERVISOR_RELOADING, /* until the next READY */
    SUPERVISOR_ALIVE,
    SUPERVISOR_STOPPING,
    SUPERVISOR_HELD /* not started yet, see hold.h: 30 s more */
};
void supervisor_say(struct supervisor *s, enum supervisor_word word);
/* Between two SUPERVISOR_ALIVE; 0: they are not wanted. */
int64_t supervisor_pause_ms(const struct supervisor *s);

#endif
