/* SPDX-License-Identifier: Apache-2.0 */
/* shutdown() wakes whoever waits in poll(); the lock keeps it from reaching a
 * descriptor that was closed meanwhile and is somebody else's now. */
#include "net/smtp_stop.h"

#include "base/err.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { OPEN_MAX_COUNT = 16 };

struct smtp_stop {
    pthread_mutex_t lock; /* guards all below */
    bool is_over;
    int fds[OPEN_MAX_COUNT];
    int count;
};

struct smtp_stop *smtp_stop_open(void)
{
    struct smtp_stop *s = calloc(1, sizeof *s);

    must(s);
    must(pthread_mutex_init(&s->lock, NULL) == 0);
    return s;
}

void smtp_stop_close(struct smtp_stop *s)
{
    if (s)
        pthread_mutex_destroy(&s->lock);
    free(s);
}

bool smtp_stop_enter(struct smtp_stop *s, int fd)
{
    if (!s)
        return true;
    pthread_mutex_lock(&s->lock);
    bool may = !s->is_over && s->count < OPEN_MAX_COUNT;
    if (may)
        s->fds[s->count++] = fd;
    pthread_mutex_unlock(&s->lock);
    return may;
}

void smtp_stop_leave(struct smtp_stop *s, int fd)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < s->count; i++)
        if (s->fds[i] == fd) {
            s->fds[i] = s->fds[--s->count];
            break;
        }
    pthread_mutex_unlock(&s->lock);
}

void smtp_stop_all(struct smtp_stop *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->is_over = true;
    for (int i = 0; i < s->count; i++)
        (void)shutdown(s->fds[i], SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
}
