/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A real HTTP receiver on a free loopback port that answers by a script, one answer a request, the
 * last one again and again. What it got is read after receiver_stop.
 */
enum { RECEIVER_ANSWERS = 16, RECEIVER_REQUESTS = 64, RECEIVER_BYTES = 1 << 16 };

#define RECEIVER_RESET  "reset"  /* the connection is torn down with RST after the request */
#define RECEIVER_SILENT "silent" /* nothing is said until the other side gives up */

struct receiver {
    const char *answers[RECEIVER_ANSWERS]; /* whole responses, or the two above */
    size_t answer_count;
    int fd;
    int port;
    pthread_t thread;
    size_t count; /* requests so far; the thread's until receiver_stop */
    char *requests[RECEIVER_REQUESTS];
};

static inline size_t receiver_content_length(const char *head)
{
    const char *at = strcasestr(head, "\r\ncontent-length:");
    return at ? (size_t)strtoul(at + 17, NULL, 10) : 0;
}

/* Reads one request; false when the other side is gone. */
static inline bool receiver_read(int fd, char *bytes)
{
    size_t len = 0;
    bytes[0] = '\0';
    while (len + 1 < RECEIVER_BYTES) {
        const char *end = strstr(bytes, "\r\n\r\n");
        if (end && len >= (size_t)(end - bytes) + 4 + receiver_content_length(bytes))
            return true;
        ssize_t n = recv(fd, bytes + len, RECEIVER_BYTES - 1 - len, 0);
        if (n <= 0)
            return false;
        len += (size_t)n;
        bytes[len] = '\0';
    }
    return false;
}

/* True when the connection may carry another request. */
static inline bool receiver_answer(struct receiver *r, int fd)
{
    size_t which = r->count - 1 < r->answer_count ? r->count - 1 : r->answer_count - 1;
    const char *answer = r->answers[which];
    char byte = 0;
    if (strcmp(answer, RECEIVER_SILENT) == 0) {
        (void)recv(fd, &byte, 1, 0);
        return false;
    }
    if (strcmp(answer, RECEIVER_RESET) == 0) {
        struct linger hard = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        return false;
    }
    return send(fd, answer, strlen(answer), MSG_NOSIGNAL) == (ssize_t)strlen(answer);
}

static inline void *receiver_run(void *argument)
{
    struct receiver *r = argument;
    while (true) {
        int fd = accept(r->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        bool goes_on = true;
        while (goes_on && r->count < RECEIVER_REQUESTS) {
            char *bytes = malloc(RECEIVER_BYTES);
            goes_on = bytes && receiver_read(fd, bytes);
            if (!goes_on) {
                free(bytes);
                break;
            }
            r->requests[r->count++] = bytes;
            goes_on = receiver_answer(r, fd);
        }
        (void)close(fd);
    }
}

static inline bool receiver_start(struct receiver *r)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (r->fd < 0 || bind(r->fd, (struct sockaddr *)&a, len) || listen(r->fd, 16) ||
        getsockname(r->fd, (struct sockaddr *)&a, &len))
        return false;
    r->port = ntohs(a.sin_port);
    return pthread_create(&r->thread, NULL, receiver_run, r) == 0;
}

/* Callers have closed their connections: what is open would hold the thread. */
static inline void receiver_stop(struct receiver *r)
{
    (void)shutdown(r->fd, SHUT_RDWR);
    (void)pthread_join(r->thread, NULL);
    (void)close(r->fd);
}

static inline void receiver_fini(struct receiver *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->requests[i]);
}
