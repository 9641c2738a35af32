/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/endpoint.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Views of the storage: the C library leaves no way but a cast through void. */
static struct sockaddr_in *v4(struct endpoint *e)
{
    return (void *)&e->at;
}
static struct sockaddr_in6 *v6(struct endpoint *e)
{
    return (void *)&e->at;
}
static const struct sockaddr_in *const_v4(const struct endpoint *e)
{
    return (const void *)&e->at;
}
static const struct sockaddr_in6 *const_v6(const struct endpoint *e)
{
    return (const void *)&e->at;
}

static bool split(struct text t, struct text *out_host, uint16_t *out_port)
{
    size_t colon = t.len;
    while (colon > 0 && t.at[colon - 1] != ':')
        colon--;
    int64_t port = 0;
    if (!colon || !text_to_int64(text_skip(t, colon), &port) || port < 0 || port > 65535)
        return false;
    struct text host = text_head(t, colon - 1);
    if (host.len >= 2 && host.at[0] == '[' && host.at[host.len - 1] == ']')
        host = text_head(text_skip(host, 1), host.len - 2);
    else if (text_find_byte(host, ':') < host.len)
        return false;
    *out_host = host;
    *out_port = (uint16_t)port;
    return true;
}

enum status endpoint_parse(struct text t, struct endpoint *out, struct error *err)
{
    struct text host = TEXT_NONE;
    uint16_t port = 0;
    char name[64];
    if (!split(t, &host, &port) || host.len >= sizeof name)
        return error_set(err, STATUS_INVALID, 0,
                         "'%.*s' is no address: want 127.0.0.1:5514, [::1]:5514 or *:5514",
                         TEXT_ARG(text_head(t, 80)));
    if (text_equal(host, TEXT("*")))
        host = TEXT("::");
    if (text_equal(host, TEXT("localhost")))
        host = TEXT("127.0.0.1");
    (void)snprintf(name, sizeof name, "%.*s", TEXT_ARG(host));
    struct endpoint e = {.len = sizeof(struct sockaddr_in)};
    if (inet_pton(AF_INET, name, &v4(&e)->sin_addr) == 1) {
        v4(&e)->sin_family = AF_INET;
        v4(&e)->sin_port = htons(port);
    } else if (inet_pton(AF_INET6, name, &v6(&e)->sin6_addr) == 1) {
        v6(&e)->sin6_family = AF_INET6;
        v6(&e)->sin6_port = htons(port);
        e.len = sizeof(struct sockaddr_in6);
    } else {
        return error_set(err, STATUS_INVALID, 0, "'%s' is no IPv4 or IPv6 address of this machine",
                         name);
    }
    *out = e;
    return STATUS_OK;
}

bool endpoint_is_loopback(const struct endpoint *e)
{
    if (e->at.ss_family == AF_INET)
        return ntohl(const_v4(e)->sin_addr.s_addr) >> 24 == 127;
    if (e->at.ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&const_v6(e)->sin6_addr);
    return true;
}

struct text endpoint_peer(const struct endpoint *e, char out[ENDPOINT_PEER_LEN])
{
    const void *address = &const_v4(e)->sin_addr;
    int family = AF_INET;
    if (e->at.ss_family == AF_UNIX) { /* who writes to /dev/log is this machine */
        bool has_name = gethostname(out, ENDPOINT_PEER_LEN) == 0 || errno == ENAMETOOLONG;
        out[ENDPOINT_PEER_LEN - 1] = 0;
        return has_name ? text_of(out) : TEXT_NONE;
    }
    if (e->at.ss_family == AF_INET6) {
        const struct in6_addr *six = &const_v6(e)->sin6_addr;
        bool is_mapped = IN6_IS_ADDR_V4MAPPED(six);
        address = is_mapped ? (const void *)(six->s6_addr + 12) : six;
        family = is_mapped ? AF_INET : AF_INET6;
    } else if (e->at.ss_family != AF_INET) {
        return TEXT_NONE;
    }
    if (!inet_ntop(family, address, out, ENDPOINT_PEER_LEN))
        return TEXT_NONE;
    return text_of(out);
}

void endpoint_print(const struct endpoint *e, char out[ENDPOINT_TEXT_LEN])
{
    char name[INET6_ADDRSTRLEN] = "";
    bool is_six = e->at.ss_family == AF_INET6;
    const void *address =
        is_six ? (const void *)&const_v6(e)->sin6_addr : (const void *)&const_v4(e)->sin_addr;
    (void)inet_ntop(e->at.ss_family, address, name, sizeof name);
    unsigned port = ntohs(is_six ? const_v6(e)->sin6_port : const_v4(e)->sin_port);
    (void)snprintf(out, ENDPOINT_TEXT_LEN, is_six ? "[%s]:%u" : "%s:%u", name, port);
}

static enum status refuse(const struct endpoint *e, int code, struct error *err)
{
    char name[ENDPOINT_TEXT_LEN];
    endpoint_print(e, name);
    if (code == EADDRINUSE)
        return error_set(err, STATUS_IO, 0,
                         "%s is in use by another program: stop it or set `listen`", name);
    if (code == EACCES)
        return error_set(err, STATUS_IO, 0,
                         "%s may not be opened: ports below 1024 need CAP_NET_BIND_SERVICE, or set "
                         "`listen`",
                         name);
    return error_set(err, STATUS_IO, 0, "%s: %s", name, strerrordesc_np(code));
}

enum status endpoint_bind(struct endpoint *e, int type, int *out_fd, struct error *err)
{
    int fd = socket(e->at.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return refuse(e, errno, err);
    int one = 1;
    int zero = 0;
    if (type == SOCK_STREAM)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (e->at.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
    bool is_bound = bind(fd, (const struct sockaddr *)&e->at, e->len) == 0 &&
                    (type != SOCK_STREAM || listen(fd, 1024) == 0);
    int code = errno;
    if (!is_bound) {
        (void)close(fd);
        return refuse(e, code, err);
    }
    e->len = sizeof e->at;
    (void)getsockname(fd, (struct sockaddr *)&e->at, &e->len);
    *out_fd = fd;
    return STATUS_OK;
}
