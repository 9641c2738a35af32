/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/guard.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct range4 {
    uint32_t network;
    int bits;
};
static const struct range4 special4[] = {
    {0x00000000, 8},  /* this network */
    {0x0A000000, 8},  /* private */
    {0x64400000, 10}, /* shared, carrier-grade NAT; some clouds' metadata */
    {0x7F000000, 8},  /* loopback */
    {0xA9FE0000, 16}, /* link-local, metadata */
    {0xAC100000, 12}, /* private */
    {0xC0000000, 24}, /* protocol assignments */
    {0xC0000200, 24}, /* documentation */
    {0xC0586300, 24}, /* 6to4 relays */
    {0xC0A80000, 16}, /* private */
    {0xC6120000, 15}, /* benchmarks */
    {0xC6336400, 24}, /* documentation */
    {0xCB007100, 24}, /* documentation */
    {0xE0000000, 3},  /* multicast, reserved, broadcast */
};

static bool is_public4(uint32_t address)
{
    for (size_t i = 0; i < sizeof special4 / sizeof *special4; i++) {
        uint32_t mask = ~UINT32_C(0) << (32 - special4[i].bits);
        if ((address & mask) == special4[i].network)
            return false;
    }
    return true;
}

static uint32_t word_at(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool starts6(const uint8_t *address, const uint8_t *prefix, size_t len)
{
    return memcmp(address, prefix, len) == 0;
}

static bool is_public6(const uint8_t *a)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    static const uint8_t nat64[12] = {0x00, 0x64, 0xFF, 0x9B};
    static const uint8_t six_to_four[2] = {0x20, 0x02};
    if (starts6(a, mapped, sizeof mapped))
        return is_public4(word_at(a + 12));
    if (starts6(a, nat64, sizeof nat64))
        return is_public4(word_at(a + 12));
    if (starts6(a, six_to_four, sizeof six_to_four))
        return is_public4(word_at(a + 2));
    if ((a[0] & 0xE0) != 0x20) /* only 2000::/3 is global unicast */
        return false;
    bool is_special = word_at(a) == 0x20010DB8 ||                   /* documentation */
                      (a[0] == 0x20 && a[1] == 0x01 && a[2] < 2) || /* Teredo, ORCHID, ... */
                      (a[0] == 0x3F && a[1] == 0xFF && a[2] < 16);  /* documentation */
    return !is_special;
}

bool guard_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in4;
        memcpy(&in4, address, sizeof in4);
        return is_public4(ntohl(in4.sin_addr.s_addr));
    }
    if (address->sa_family != AF_INET6)
        return false;
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof in6);
    return is_public6(in6.sin6_addr.s6_addr);
}
