/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/allow_list.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum { V4_OFFSET = 96 }; /* IPv4 addresses are kept as ::ffff:a.b.c.d */

struct network {
    unsigned char bits[16];
    unsigned prefix;
};

struct allow_list {
    uint32_t count;
    struct network networks[];
};

static bool read_address(struct text t, unsigned char out[16], bool *out_is_four)
{
    char name[INET6_ADDRSTRLEN + 1];
    if (t.len >= sizeof name)
        return false;
    (void)snprintf(name, sizeof name, "%.*s", TEXT_ARG(t));
    memcpy(out, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    *out_is_four = inet_pton(AF_INET, name, out + 12) == 1;
    return *out_is_four || inet_pton(AF_INET6, name, out) == 1;
}

static bool read_network(struct text t, struct network *out)
{
    size_t slash = text_find_byte(t, '/');
    bool is_four = false;
    if (!read_address(text_head(t, slash), out->bits, &is_four))
        return false;
    int64_t prefix = is_four ? 32 : 128;
    if (slash < t.len && (!text_to_int64(text_skip(t, slash + 1), &prefix) || prefix < 0 ||
                          prefix > (is_four ? 32 : 128)))
        return false;
    out->prefix = (unsigned)prefix + (is_four ? V4_OFFSET : 0);
    return true;
}

enum status allow_list_new(const struct option_texts *networks, struct allow_list **out,
                           struct error *err)
{
    AUTO(allow_list) a = malloc(sizeof *a + networks->count * sizeof *a->networks);
    if (!a)
        return error_set(err, STATUS_NOMEM, 0, "no memory for an allow-list");
    a->count = networks->count;
    for (uint32_t i = 0; i < a->count; i++)
        if (!read_network(networks->items[i], &a->networks[i]))
            return error_set(err, STATUS_INVALID, 0,
                             "allow: '%.*s' is no network: want 10.0.0.0/8 or 2001:db8::/32",
                             TEXT_ARG(text_head(networks->items[i], 60)));
    *out = MOVE(a);
    return STATUS_OK;
}

void allow_list_free(struct allow_list *a)
{
    free(a);
}

static bool is_inside(const struct network *n, const unsigned char address[16])
{
    unsigned whole = n->prefix / 8;
    unsigned rest = n->prefix % 8;
    if (memcmp(n->bits, address, whole) != 0)
        return false;
    return rest == 0 || ((n->bits[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

static bool has(const struct allow_list *a, const unsigned char address[16])
{
    for (uint32_t i = 0; i < a->count; i++)
        if (is_inside(&a->networks[i], address))
            return true;
    return false;
}

bool allow_list_has(const struct allow_list *a, const struct endpoint *peer)
{
    unsigned char address[16] = {[10] = 0xff, [11] = 0xff};
    if (!a)
        return true;
    if (peer->at.ss_family == AF_INET)
        memcpy(address + 12, (const char *)&peer->at + offsetof(struct sockaddr_in, sin_addr), 4);
    else if (peer->at.ss_family == AF_INET6)
        memcpy(address, (const char *)&peer->at + offsetof(struct sockaddr_in6, sin6_addr), 16);
    else
        return true;
    return has(a, address);
}

bool allow_list_has_text(const struct allow_list *a, struct text address)
{
    unsigned char bits[16];
    bool is_four = false;
    return !a || (read_address(address, bits, &is_four) && has(a, bits));
}
