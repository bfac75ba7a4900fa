/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_CONNECTION_LIMIT_H
#define HTTP_CONNECTION_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip_address.h"

/* Which connections are let in when there are more than enough of them.
 *
 * Below three quarters of the workers: all.  Above, an address (IPv6: its
 * /64) that holds CONNECTION_LIMIT_PER_ADDRESS connections gets a new one only at the
 * cost of its own oldest silent one, so that a flood displaces itself and a
 * person behind the same address still gets an answer.  Full handshakes cost
 * milliseconds: beyond CONNECTION_LIMIT_HANDSHAKES a second in all, each address has
 * a bucket of 30, refilled with 10 a second. */
#define CONNECTION_LIMIT_PER_ADDRESS 32
#define CONNECTION_LIMIT_HANDSHAKES  150

struct connection_limit;
struct seat; /* the place of one worker thread */

struct connection_limit *connection_limit_open(int workers);
void connection_limit_close(struct connection_limit *a);

/* By the accepting thread only: a tag to hand on, or -1 to refuse. */
int connection_limit_enter(struct connection_limit *a,
                           const struct ip_address *from, bool is_exempt,
                           bool is_tls, int64_t now_ms);
/* The connection with that tag is gone; by any thread. */
void connection_limit_leave(struct connection_limit *a, int tag);

/* A seat for each worker thread, given back when it ends. */
struct seat *connection_limit_take_seat(struct connection_limit *a);
void connection_limit_leave_seat(struct seat *seat);
/* The worker takes up a connection: it is silent until seat_work(). */
void seat_attach(struct seat *seat, int fd, int tag, int64_t now_ms);
/* Before the descriptor is closed. */
void seat_detach(struct seat *seat);
void seat_work(struct seat *seat);                 /* a request is here */
void seat_wait(struct seat *seat, int64_t now_ms); /* and answered */

/* Shuts down every connection in hand: at the end of the server. */
void connection_limit_shut(struct connection_limit *a);
bool connection_limit_is_busy(
    const struct connection_limit *a); /* above three quarters */
int connection_limit_connections(const struct connection_limit *a);
int connection_limit_workers(const struct connection_limit *a); /* at most */
int connection_limit_waiting(
    const struct connection_limit *a); /* not taken up yet */
int connection_limit_working(
    const struct connection_limit *a); /* requests in hand */

#endif
