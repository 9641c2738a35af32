/* SPDX-License-Identifier: Apache-2.0 */
#include "console/listener.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
};

static bool read_host(struct text host, uint16_t port, union address *out, socklen_t *out_len)
{
    char plain[INET6_ADDRSTRLEN];
    memset(out, 0, sizeof *out);
    if (text_equal_nocase(host, TEXT("localhost")))
        host = TEXT("127.0.0.1");
    if (text_equal(host, TEXT("*"))) /* both families */
        host = TEXT("[::]");
    bool is_v6 = host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']';
    if (is_v6)
        host = text_skip(text_head(host, host.len - 1), 1);
    if (!host.len || host.len >= sizeof plain)
        return false;
    (void)snprintf(plain, sizeof plain, "%.*s", TEXT_ARG(host));
    if (is_v6) {
        out->in6.sin6_family = AF_INET6;
        out->in6.sin6_port = htons(port);
        *out_len = sizeof out->in6;
        return inet_pton(AF_INET6, plain, &out->in6.sin6_addr) == 1;
    }
    out->in4.sin_family = AF_INET;
    out->in4.sin_port = htons(port);
    *out_len = sizeof out->in4;
    return inet_pton(AF_INET, plain, &out->in4.sin_addr) == 1;
}

static bool is_loopback(const union address *a)
{
    if (a->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
    return ntohl(a->in4.sin_addr.s_addr) >> 24 == 127;
}

static enum status read_listen(struct text listen, bool is_open, union address *out,
                               socklen_t *out_len, struct error *err)
{
    size_t colon = listen.len;
    while (colon > 0 && listen.at[colon - 1] != ':')
        colon--;
    int64_t port = -1;
    bool is_read = colon > 1 && text_to_int64(text_skip(listen, colon), &port) && port >= 0 &&
                   port <= 65535 &&
                   read_host(text_head(listen, colon - 1), (uint16_t)port, out, out_len);
    if (!is_read)
        return error_set(err, STATUS_INVALID, 0,
                         "%s.listen: '%.*s': want an address and a port, such as 127.0.0.1:8514",
                         is_open ? "webhooks" : "http", TEXT_ARG(text_head(listen, 80)));
    if (!is_open && !is_loopback(out))
        return error_set(err, STATUS_DENIED, 0,
                         "http.listen: '%.*s' is not loopback: the console has no users yet, so it "
                         "answers on 127.0.0.1 or [::1] alone",
                         TEXT_ARG(text_head(listen, 80)));
    return STATUS_OK;
}

static enum status busy(struct text listen, bool is_open, int reason, struct error *err)
{
    if (reason == EADDRINUSE)
        return error_set(err, STATUS_EXISTS, 0,
                         "%.*s is in use by another program (or another tocsin): stop it, or set "
                         "%s.listen to a free port",
                         TEXT_ARG(text_head(listen, 80)), is_open ? "webhooks" : "http");
    return error_set(err, STATUS_IO, 0, "cannot listen on %.*s: %s",
                     TEXT_ARG(text_head(listen, 80)), strerrordesc_np(reason));
}

static void describe(int fd, char out[LISTENER_ADDRESS_LEN])
{
    union address a;
    socklen_t len = sizeof a;
    char host[INET6_ADDRSTRLEN] = "";
    memset(&a, 0, sizeof a);
    (void)getsockname(fd, &a.any, &len);
    bool is_v6 = a.any.sa_family == AF_INET6;
    (void)inet_ntop(a.any.sa_family,
                    is_v6 ? (const void *)&a.in6.sin6_addr : (const void *)&a.in4.sin_addr, host,
                    sizeof host);
    (void)snprintf(out, LISTENER_ADDRESS_LEN, "%s%s%s:%u", is_v6 ? "[" : "", host, is_v6 ? "]" : "",
                   ntohs(is_v6 ? a.in6.sin6_port : a.in4.sin_port));
}

enum status listener_check(struct text where, bool is_open, struct error *err)
{
    union address a;
    socklen_t len = 0;
    return read_listen(where, is_open, &a, &len, err);
}

enum status listener_open(struct text where, bool is_open, int *out_fd,
                          char out_address[LISTENER_ADDRESS_LEN], struct error *err)
{
    enum { BACKLOG = 256 };
    union address a;
    socklen_t len = 0;
    enum status status = read_listen(where, is_open, &a, &len, err);
    if (status)
        return status;
    int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return busy(where, is_open, errno, err);
    int on = 1; /* a port whose last connections linger may be taken again; one in use may not */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, &a.any, len) != 0 || listen(fd, BACKLOG) != 0) {
        status = busy(where, is_open, errno, err);
        (void)close(fd);
        return status;
    }
    describe(fd, out_address);
    *out_fd = fd;
    return STATUS_OK;
}
