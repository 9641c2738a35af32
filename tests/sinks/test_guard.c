/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/guard.h"
#include "tests/support/table.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const struct row {
    const char *name;
    int family;
    const char *address;
    bool is_public;
} rows[] = {
    {"v4: this network", AF_INET, "0.0.0.0", false},
    {"v4: this network, its end", AF_INET, "0.255.255.255", false},
    {"v4: first public", AF_INET, "1.0.0.0", true},
    {"v4: before 10/8", AF_INET, "9.255.255.255", true},
    {"v4: 10/8", AF_INET, "10.0.0.1", false},
    {"v4: after 10/8", AF_INET, "11.0.0.0", true},
    {"v4: before shared", AF_INET, "100.63.255.255", true},
    {"v4: shared", AF_INET, "100.64.0.0", false},
    {"v4: shared, Alibaba's metadata", AF_INET, "100.100.100.200", false},
    {"v4: after shared", AF_INET, "100.128.0.0", true},
    {"v4: loopback", AF_INET, "127.0.0.1", false},
    {"v4: loopback, another", AF_INET, "127.254.3.2", false},
    {"v4: metadata", AF_INET, "169.254.169.254", false},
    {"v4: before 172.16/12", AF_INET, "172.15.255.255", true},
    {"v4: 172.16/12", AF_INET, "172.16.0.1", false},
    {"v4: 172.16/12, its end", AF_INET, "172.31.255.255", false},
    {"v4: after 172.16/12", AF_INET, "172.32.0.0", true},
    {"v4: 192.168/16", AF_INET, "192.168.1.1", false},
    {"v4: documentation", AF_INET, "192.0.2.7", false},
    {"v4: benchmarks", AF_INET, "198.19.255.255", false},
    {"v4: multicast", AF_INET, "224.0.0.1", false},
    {"v4: broadcast", AF_INET, "255.255.255.255", false},
    {"v4: public", AF_INET, "8.8.8.8", true},
    {"v6: unspecified", AF_INET6, "::", false},
    {"v6: loopback", AF_INET6, "::1", false},
    {"v6: mapped loopback", AF_INET6, "::ffff:127.0.0.1", false},
    {"v6: mapped metadata", AF_INET6, "::ffff:169.254.169.254", false},
    {"v6: mapped public", AF_INET6, "::ffff:8.8.8.8", true},
    {"v6: NAT64 of private", AF_INET6, "64:ff9b::a00:1", false},
    {"v6: NAT64 of public", AF_INET6, "64:ff9b::808:808", true},
    {"v6: NAT64 of local use", AF_INET6, "64:ff9b:1::808:808", false},
    {"v6: 6to4 of private", AF_INET6, "2002:a00:1::1", false},
    {"v6: 6to4 of public", AF_INET6, "2002:808:808::1", true},
    {"v6: unique local", AF_INET6, "fd00:ec2::254", false},
    {"v6: link-local", AF_INET6, "fe80::1", false},
    {"v6: multicast", AF_INET6, "ff02::1", false},
    {"v6: documentation", AF_INET6, "2001:db8::1", false},
    {"v6: Teredo", AF_INET6, "2001::1", false},
    {"v6: public", AF_INET6, "2606:4700::1111", true},
};

static void test_address(void **state)
{
    const struct row *row = *state;
    union {
        struct sockaddr any;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
    } a;
    memset(&a, 0, sizeof a);
    a.any.sa_family = (sa_family_t)row->family;
    void *at = row->family == AF_INET ? (void *)&a.in4.sin_addr : (void *)&a.in6.sin6_addr;
    assert_int_equal(inet_pton(row->family, row->address, at), 1);
    assert_int_equal(guard_is_public(&a.any), row->is_public);
}

static void test_other_family_is_refused(void **state)
{
    (void)state;
    struct sockaddr a = {.sa_family = AF_UNIX};
    assert_false(guard_is_public(&a));
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[COUNT + 1];
    for (size_t i = 0; i < COUNT; i++)
        tests[i] = ROW(test_address, &rows[i]);
    tests[COUNT] = (struct CMUnitTest)cmocka_unit_test(test_other_family_is_refused);
    return cmocka_run_group_tests_name("test_guard", tests, NULL, NULL);
}
