/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_ADMISSION_H
#define HTTP_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

/* Which connections are let in when there are more than enough of them.
 *
 * Below three quarters of the workers: all.  Above, an address (IPv6: its
 * /64) that holds ADMISSION_PER_ADDRESS connections gets a new one only at the
 * cost of its own oldest silent one, so that a flood displaces itself and a
 * person behind the same address still gets an answer.  Full handshakes cost
 * milliseconds: beyond ADMISSION_HANDSHAKES a second in all, each address has
 * a bucket of 30, refilled with 10 a second. */
#define ADMISSION_PER_ADDRESS 32
#define ADMISSION_HANDSHAKES  150

struct admission;
struct seat; /* the place of one worker thread */

struct admission *admission_open(int workers);
void admission_close(struct admission *a);

/* By the accepting thread only: a tag to hand on, or -1 to refuse. */
int admission_enter(struct admission *a, const struct address *from,
                    bool is_exempt, bool is_tls, int64_t now_ms);
/* The connection with that tag is gone; by any thread. */
void admission_leave(struct admission *a, int tag);

/* A seat for each worker thread, given back when it ends. */
struct seat *admission_take_seat(struct admission *a);
void admission_leave_seat(struct seat *seat);
/* The worker takes up a connection: it is silent until seat_work(). */
void seat_attach(struct seat *seat, int fd, int tag, int64_t now_ms);
/* Before the descriptor is closed. */
void seat_detach(struct seat *seat);
void seat_work(struct seat *seat);                 /* a request is here */
void seat_wait(struct seat *seat, int64_t now_ms); /* and answered */

/* Shuts down every connection in hand: at the end of the server. */
void admission_shut(struct admission *a);
bool admission_is_busy(const struct admission *a); /* above three quarters */
int admission_connections(const struct admission *a);
int admission_workers(const struct admission *a); /* at most */
int admission_waiting(const struct admission *a); /* not taken up yet */
int admission_working(const struct admission *a); /* requests in hand */

#endif
