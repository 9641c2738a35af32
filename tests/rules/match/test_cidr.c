/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/cidr.h"
#include "tests/support/table.h"

static const struct row {
    const char *name, *network, *address;
    bool holds;
} rows[] = {
    {"v4", "10.0.0.0/8", "10.255.255.255", true},
    {"v4 outside", "10.0.0.0/8", "11.0.0.0", false},
    {"v4 all", "0.0.0.0/0", "255.255.255.255", true},
    {"v4 one", "192.0.2.1/32", "192.0.2.1", true},
    {"v4 without bits", "192.0.2.1", "192.0.2.2", false},
    {"v4 odd bits", "172.16.0.0/12", "172.31.255.255", true},
    {"v4 odd bits outside", "172.16.0.0/12", "172.32.0.0", false},
    {"host bits are ignored", "10.1.2.3/8", "10.9.9.9", true},
    {"v6", "2001:db8::/32", "2001:DB8:ffff::1", true},
    {"v6 outside", "2001:db8::/32", "2001:db9::1", false},
    {"v6 in brackets", "::1/128", "[::1]", true},
    {"v6 with a zone", "fe80::/10", "fe80::1%eth0", true},
    {"v4 is not v6", "::/0", "10.0.0.1", false},
    {"mapped address is v4", "10.0.0.0/8", "::ffff:10.0.0.1", true},
    {"mapped network is v4", "::ffff:10.0.0.0/104", "10.0.0.1", true},
};

static void test_holds(void **state)
{
    const struct row *row = *state;
    struct cidr c;
    struct address a;
    assert_true(cidr_parse(text_of(row->network), &c));
    assert_true(cidr_parse_address(text_of(row->address), &a));
    assert_int_equal(cidr_holds(&c, &a), row->holds);
}

static void test_no_address(void **state)
{
    (void)state;
    static const char *const lines[] = {"",           "10",      "10.0.0",    "10.0.0.256",
                                        "10.0.0.1.2", "a.b.c.d", "1.2.3.4 ",  " 1.2.3.4",
                                        "::g",        "1:2",     "0010.1.1.1"};
    struct address a;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_false(cidr_parse_address(text_of(lines[i]), &a));
}

static void test_no_network(void **state)
{
    (void)state;
    static const char *const lines[] = {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8",
                                        "::/129",      "/8",        "x/8"};
    struct cidr c;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_false(cidr_parse(text_of(lines[i]), &c));
}

static void test_canonical(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } lines[] = {
        {"::ffff:192.0.2.1", "192.0.2.1"},    {"::FFFF:c000:201", "192.0.2.1"},
        {"192.0.2.1", "192.0.2.1"},           {"2001:db8::1", "2001:db8::1"},
        {"not an address", "not an address"}, {"a:b:c:d:e:f:g", "a:b:c:d:e:f:g"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char room[16];
        struct text t = cidr_canonical(text_of(lines[i].in), room);
        assert_true(text_equal(t, text_of(lines[i].out)));
    }
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[COUNT + 3];
    size_t n = 0;
    for (size_t i = 0; i < COUNT; i++)
        tests[n++] = ROW(test_holds, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_no_address);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_no_network);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_canonical);
    return _cmocka_run_group_tests("test_cidr", tests, n, NULL, NULL);
}
