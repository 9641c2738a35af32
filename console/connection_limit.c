/* SPDX-License-Identifier: Apache-2.0 */
#include "console/connection_limit.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

struct connection_limit_member {
    struct connection_limit_member *before, *after; /* among those who wait, longest first */
    uint64_t since_ms;
    int fd;
    bool is_waiting, is_sent_away;
};

struct connection_limit {
    pthread_mutex_t lock;
    struct connection_limit_member ring; /* ring.after has waited longest */
    uint32_t many, count;
    uint64_t patience_ms, sent_away;
};

struct connection_limit *connection_limit_new(uint32_t many, uint64_t patience_ms)
{
    struct connection_limit *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    (void)pthread_mutex_init(&c->lock, NULL);
    c->ring.before = c->ring.after = &c->ring;
    c->many = many;
    c->patience_ms = patience_ms;
    return c;
}

void connection_limit_free(struct connection_limit *c)
{
    if (!c)
        return;
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

static void stand(struct connection_limit *c, struct connection_limit_member *m, uint64_t now_ms)
{
    m->before = c->ring.before;
    m->after = &c->ring;
    m->before->after = m;
    m->after->before = m;
    m->since_ms = now_ms;
    m->is_waiting = true;
}

static void step_out(struct connection_limit_member *m)
{
    if (!m->is_waiting)
        return;
    m->before->after = m->after;
    m->after->before = m->before;
    m->is_waiting = false;
}

/* Its socket ends; the thread that reads it finds out and leaves. */
static void send_away(struct connection_limit *c, struct connection_limit_member *m)
{
    step_out(m);
    m->is_sent_away = true;
    c->sent_away++;
    (void)shutdown(m->fd, SHUT_RDWR);
}

static void make_room(struct connection_limit *c, uint64_t now_ms)
{
    struct connection_limit_member *longest = c->ring.after;
    if (c->count >= c->many && longest != &c->ring) {
        send_away(c, longest);
        longest = c->ring.after;
    }
    while (longest != &c->ring && now_ms - longest->since_ms > c->patience_ms) {
        send_away(c, longest);
        longest = c->ring.after;
    }
}

struct connection_limit_member *connection_limit_enter(struct connection_limit *c, int fd,
                                                       uint64_t now_ms)
{
    struct connection_limit_member *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->fd = fd;
    (void)pthread_mutex_lock(&c->lock);
    make_room(c, now_ms);
    stand(c, m, now_ms);
    c->count++;
    (void)pthread_mutex_unlock(&c->lock);
    return m;
}

void connection_limit_leave(struct connection_limit *c, struct connection_limit_member *m)
{
    if (!m)
        return;
    (void)pthread_mutex_lock(&c->lock);
    step_out(m);
    c->count--;
    (void)pthread_mutex_unlock(&c->lock);
    free(m);
}

void connection_limit_serve(struct connection_limit *c, struct connection_limit_member *m)
{
    if (!m)
        return;
    (void)pthread_mutex_lock(&c->lock);
    step_out(m);
    (void)pthread_mutex_unlock(&c->lock);
}

void connection_limit_wait(struct connection_limit *c, struct connection_limit_member *m,
                           uint64_t now_ms)
{
    if (!m)
        return;
    (void)pthread_mutex_lock(&c->lock);
    step_out(m);
    if (!m->is_sent_away)
        stand(c, m, now_ms);
    (void)pthread_mutex_unlock(&c->lock);
}

uint64_t connection_limit_sent_away(struct connection_limit *c)
{
    (void)pthread_mutex_lock(&c->lock);
    uint64_t count = c->sent_away;
    (void)pthread_mutex_unlock(&c->lock);
    return count;
}

uint32_t connection_limit_count(struct connection_limit *c)
{
    (void)pthread_mutex_lock(&c->lock);
    uint32_t count = c->count;
    (void)pthread_mutex_unlock(&c->lock);
    return count;
}
