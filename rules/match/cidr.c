/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/cidr.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool is_mapped(const unsigned char bytes[16])
{
    static const unsigned char prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    return memcmp(bytes, prefix, sizeof prefix) == 0;
}

static bool parse_v4(struct text t, unsigned char out[4])
{
    size_t i = 0;
    for (unsigned part = 0; part < 4; part++) {
        unsigned value = 0;
        size_t digits = 0;
        for (; i < t.len && t.at[i] >= '0' && t.at[i] <= '9' && digits < 4; i++, digits++)
            value = value * 10 + (unsigned)(t.at[i] - '0');
        if (!digits || digits > 3 || value > 255)
            return false;
        out[part] = (unsigned char)value;
        if (part < 3 && (i == t.len || t.at[i++] != '.'))
            return false;
    }
    return i == t.len;
}

static bool parse_v6(struct text t, unsigned char out[16])
{
    char copy[INET6_ADDRSTRLEN];
    t = text_head(t, text_find_byte(t, '%'));
    if (t.len >= sizeof copy || t.len < 2)
        return false;
    memcpy(copy, t.at, t.len);
    copy[t.len] = 0;
    return inet_pton(AF_INET6, copy, out) == 1;
}

/* Both forms in network order, mapped ones still 16 bytes. */
static bool parse_raw(struct text t, struct address *out)
{
    struct address a = {.len = 0};
    if (t.len > 2 && t.at[0] == '[' && t.at[t.len - 1] == ']')
        t = (struct text){t.at + 1, t.len - 2};
    if (text_find_byte(t, ':') < t.len) {
        if (!parse_v6(t, a.bytes))
            return false;
        a.len = 16;
    } else {
        if (!parse_v4(t, a.bytes))
            return false;
        a.len = 4;
    }
    *out = a;
    return true;
}

bool cidr_parse_address(struct text t, struct address *out)
{
    struct address a;
    if (!parse_raw(t, &a))
        return false;
    if (a.len == 16 && is_mapped(a.bytes)) {
        memmove(a.bytes, a.bytes + 12, 4);
        memset(a.bytes + 4, 0, 12);
        a.len = 4;
    }
    *out = a;
    return true;
}

bool cidr_parse(struct text t, struct cidr *out)
{
    struct cidr c = {.bits = 0};
    size_t slash = text_find_byte(t, '/');
    if (!parse_raw(text_head(t, slash), &c.base))
        return false;
    int64_t bits = c.base.len * 8;
    if (slash < t.len && (!text_to_int64(text_skip(t, slash + 1), &bits) || bits < 0 ||
                          bits > c.base.len * 8 || t.at[slash + 1] == '+'))
        return false;
    if (c.base.len == 16 && is_mapped(c.base.bytes) && bits >= 96) {
        memmove(c.base.bytes, c.base.bytes + 12, 4);
        memset(c.base.bytes + 4, 0, 12);
        c.base.len = 4;
        bits -= 96;
    }
    c.bits = (uint8_t)bits;
    *out = c;
    return true;
}

bool cidr_holds(const struct cidr *c, const struct address *a)
{
    if (c->base.len != a->len)
        return false;
    size_t whole = c->bits / 8;
    unsigned rest = c->bits % 8;
    if (memcmp(c->base.bytes, a->bytes, whole) != 0)
        return false;
    if (!rest)
        return true;
    unsigned mask = 0xFFU << (8 - rest) & 0xFFU;
    return ((unsigned)(c->base.bytes[whole] ^ a->bytes[whole]) & mask) == 0;
}

bool cidr_is_loopback(const struct address *a)
{
    static const unsigned char one[16] = {[15] = 1};
    return a->len == 4 ? a->bytes[0] == 127 : memcmp(a->bytes, one, sizeof one) == 0;
}

bool cidr_is_unspecified(const struct address *a)
{
    static const unsigned char zero[16] = {0};
    return memcmp(a->bytes, zero, a->len) == 0;
}

struct text cidr_canonical(struct text t, char room[16])
{
    /* Only what has a colon and an "ffff" can be mapped: everything else leaves at once. */
    if (t.len < 9 || t.len > 45 || text_find_byte(t, ':') == t.len)
        return t;
    struct address a;
    if (!cidr_parse_address(t, &a) || a.len != 4)
        return t;
    int len = snprintf(room, 16, "%u.%u.%u.%u", a.bytes[0], a.bytes[1], a.bytes[2], a.bytes[3]);
    return (struct text){room, (size_t)len};
}
