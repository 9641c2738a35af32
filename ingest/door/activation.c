/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/activation.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST = 3, MOST = 64 };

static int passed(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    if (!pid || !count || strtol(pid, NULL, 10) != getpid())
        return 0;
    long n = strtol(count, NULL, 10);
    return n < 0 ? 0 : n > MOST ? MOST : (int)n;
}

static bool is_free(int fd, int type)
{
    int is = 0;
    socklen_t len = sizeof is;
    int flags = fcntl(fd, F_GETFD);
    return flags >= 0 && !(flags & FD_CLOEXEC) &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &is, &len) == 0 && is == type;
}

/* A copy is the door's: the number stays taken, and no other descriptor gets it. */
static int take(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    int copy = flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0
                   ? -1
                   : fcntl(fd, F_DUPFD_CLOEXEC, FIRST + MOST);
    if (copy >= 0)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return copy;
}

static bool is_same(const struct sockaddr_storage *a, socklen_t a_len,
                    const struct sockaddr_storage *b, socklen_t b_len)
{
    const size_t path_at = offsetof(struct sockaddr_un, sun_path);
    if (a->ss_family != b->ss_family)
        return false;
    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *x = (const void *)a, *y = (const void *)b;
        return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
    }
    if (a->ss_family == AF_INET6) {
        const struct sockaddr_in6 *x = (const void *)a, *y = (const void *)b;
        return x->sin6_port == y->sin6_port && IN6_ARE_ADDR_EQUAL(&x->sin6_addr, &y->sin6_addr);
    }
    return a->ss_family == AF_UNIX && a_len > path_at && b_len > path_at &&
           strncmp((const char *)a + path_at, (const char *)b + path_at,
                   sizeof(struct sockaddr_un) - path_at) == 0;
}

int activation_take(const struct sockaddr_storage *at, socklen_t len, int type)
{
    int count = passed();
    for (int fd = FIRST; fd < FIRST + count; fd++) {
        struct sockaddr_storage bound = {0};
        socklen_t bound_len = sizeof bound;
        if (is_free(fd, type) && getsockname(fd, (struct sockaddr *)&bound, &bound_len) == 0 &&
            is_same(at, len, &bound, bound_len))
            return take(fd);
    }
    return -1;
}

int activation_take_named(struct text name, int type)
{
    int count = passed();
    struct text names = text_of(getenv("LISTEN_FDNAMES"));
    struct text one;
    for (int fd = FIRST; fd < FIRST + count && text_split(&names, ':', &one); fd++)
        if (text_equal(one, name) && is_free(fd, type))
            return take(fd);
    return -1;
}

int activation_left(void)
{
    int left = 0;
    int count = passed();
    for (int fd = FIRST; fd < FIRST + count; fd++) {
        int flags = fcntl(fd, F_GETFD);
        left += flags >= 0 && !(flags & FD_CLOEXEC);
    }
    return left;
}

void activation_keep(void)
{
    int count = passed();
    for (int fd = FIRST; fd < FIRST + count; fd++)
        (void)fcntl(fd, F_SETFD, 0);
}
