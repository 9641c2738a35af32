/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* Raw HTTP over a socket: what goes out is exactly what the test says. */
enum { HTTP_CLIENT_BYTES = 1 << 20 };

struct http_answer {
    int status; /* 0: the connection ended without an answer */
    char *head; /* with its status line; NUL-ended, lives in bytes */
    char *body; /* NUL-ended */
    size_t body_len;
    char *bytes; /* owned */
};

static inline int http_client_connect(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static inline bool http_client_send(int fd, const char *at, size_t len)
{
    while (len) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* One response; those to HEAD have no body. */
static inline struct http_answer http_client_read(int fd, bool is_head)
{
    struct http_answer a = {.bytes = calloc(1, HTTP_CLIENT_BYTES)};
    size_t len = 0;
    while (a.bytes && len + 1 < HTTP_CLIENT_BYTES) {
        char *end = strstr(a.bytes, "\r\n\r\n");
        if (end) {
            const char *length = strcasestr(a.bytes, "\r\ncontent-length:");
            a.body_len = length && length < end && !is_head ? strtoul(length + 17, NULL, 10) : 0;
            a.body = end + 4;
            if (len >= (size_t)(a.body - a.bytes) + a.body_len)
                break;
        }
        ssize_t n = recv(fd, a.bytes + len, HTTP_CLIENT_BYTES - 1 - len, 0);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    if (!a.body)
        return a;
    a.body[-2] = '\0';
    a.body[a.body_len] = '\0';
    a.head = a.bytes;
    a.status = (int)strtol(a.bytes + 9, NULL, 10);
    return a;
}

static inline void http_answer_fini(struct http_answer *a)
{
    free(a->bytes);
    a->bytes = NULL;
}

/* One request on a connection of its own. */
static inline struct http_answer http_client_ask(int port, const char *request)
{
    int fd = http_client_connect(port);
    struct http_answer a = {0};
    if (fd < 0)
        return a;
    if (http_client_send(fd, request, strlen(request)))
        a = http_client_read(fd, strncmp(request, "HEAD ", 5) == 0);
    (void)close(fd);
    return a;
}
